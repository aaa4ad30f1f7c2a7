using Polder.Identity;

namespace Polder.Apps.Contacts;

/// <summary>Somebody who waits for the owner's word: it asks to be a contact, or a contact introduces it.</summary>
public sealed record ContactRequest
{
    /// <summary>Who.</summary>
    public required PublicKey Key { get; init; }
    /// <summary>What it calls itself; null: it has not said.</summary>
    public string? Alias { get; init; }
    /// <summary>The contact who introduces it; null: it came by itself.</summary>
    public PublicKey? IntroducedBy { get; init; }
    /// <summary>What the introducer calls it; null without one.</summary>
    public string? IntroducedAs { get; init; }
    /// <summary>Since when it waits, to the second.</summary>
    public required DateTimeOffset Since { get; init; }
}
