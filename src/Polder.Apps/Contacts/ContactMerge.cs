using System.Text;
using Polder.Identity;
using Polder.Overlay.Invitations;

namespace Polder.Apps.Contacts;

/// <summary>How two books become one: whoever is known keeps its name, nothing is forgotten, and doing it twice changes nothing more.</summary>
internal static class ContactMerge
{
    /// <summary>A card that is in both books.</summary>
    /// <param name="mine">As it stands here.</param>
    /// <param name="theirs">As it stands in the file.</param>
    /// <param name="own">Whether the file is the owner's own; what others verified or blocked binds nobody here.</param>
    public static ContactCard Join(ContactCard mine, ContactCard theirs, bool own) => mine with
    {
        Alias = mine.Alias ?? theirs.Alias,
        Verified = mine.Verified || (own && theirs.Verified),
        VerifiedByThem = mine.VerifiedByThem || (own && theirs.VerifiedByThem),
        Blocked = mine.Blocked || (own && theirs.Blocked),
        Muted = mine.Muted || (own && theirs.Muted),
        Notes = Notes(mine.Notes, theirs.Notes),
        IntroducedBy = mine.IntroducedBy ?? (own ? theirs.IntroducedBy : null),
        Since = own && theirs.Since < mine.Since ? theirs.Since : mine.Since,
    };

    /// <summary>A card that is in the file only.</summary>
    public static ContactCard Adopt(ContactCard theirs, bool own, PublicKey? exporter, string name) => own
        ? theirs with { Name = name }
        : new ContactCard
        {
            Key = theirs.Key, Name = name, Alias = theirs.Alias, Notes = theirs.Notes, Since = theirs.Since,
            IntroducedBy = exporter == theirs.Key ? null : exporter, Origin = ContactOrigin.Added,
        };

    /// <summary>Both notes: ours first, then those lines of theirs that we have not.</summary>
    public static string Notes(string mine, string theirs)
    {
        if (theirs.Length == 0 || mine == theirs) return mine;
        if (mine.Length == 0) return theirs;
        var have = mine.Split('\n').Select(static line => line.TrimEnd('\r')).ToHashSet(StringComparer.Ordinal);
        var both = new StringBuilder(mine);
        foreach (var line in theirs.Split('\n').Select(static line => line.TrimEnd('\r')))
            if (have.Add(line)) both.Append('\n').Append(line);
        return both.ToString();
    }
}

/// <summary>What an import did.</summary>
/// <param name="Refusal">Why nothing was taken; None when all was.</param>
/// <param name="Added">People who are new here.</param>
/// <param name="Changed">People of whom something new was learned.</param>
/// <param name="Unchanged">People of whom all was known.</param>
public sealed record ContactImport(ContactRefusal Refusal, int Added, int Changed, int Unchanged);
