using Polder.Identity;
using Polder.Overlay.Invitations;

namespace Polder.Apps.Contacts;

/// <summary>What the owner knows of a person, and what the person says of itself. Kept apart: only <see cref="Name"/> is the owner's own word.</summary>
public sealed record ContactCard
{
    /// <summary>Who: the key is the person.</summary>
    public required PublicKey Key { get; init; }

    /// <summary>What the owner calls it (petname): 1 to 64 bytes of UTF-8, unique in the book. The key's short name until the owner chose one.</summary>
    public required string Name { get; init; }

    /// <summary>What the person calls itself, at most 64 bytes of UTF-8: a suggestion, never used to find anybody. Null while it said nothing.</summary>
    public string? Alias { get; init; }

    /// <summary>Whether the owner made sure that the key is this person's: by an invitation, a spoken code, a code scanned from its screen, or by comparing numbers.</summary>
    public bool Verified { get; init; }

    /// <summary>Whether the person says that it made sure of our key.</summary>
    public bool VerifiedByThem { get; init; }

    /// <summary>Nothing of this person is wanted: its letters are dropped, it is no neighbour, it may not become a contact again by itself.</summary>
    public bool Blocked { get; init; }

    /// <summary>Its messages arrive, but without a signal.</summary>
    public bool Muted { get; init; }

    /// <summary>The owner's notes, at most 4096 bytes of UTF-8. Never sent.</summary>
    public string Notes { get; init; } = "";

    /// <summary>Who introduced this person; null: nobody did.</summary>
    public PublicKey? IntroducedBy { get; init; }

    /// <summary>How it came into the book.</summary>
    public ContactOrigin Origin { get; init; } = ContactOrigin.Added;

    /// <summary>When it became a contact, to the second.</summary>
    public required DateTimeOffset Since { get; init; }
}

/// <summary>Whom a text means.</summary>
/// <param name="Card">The one that is meant; null when nobody or several are.</param>
/// <param name="Several">Those that might be meant, when there is more than one; else empty.</param>
public readonly record struct ContactMatch(ContactCard? Card, IReadOnlyList<ContactCard> Several);
