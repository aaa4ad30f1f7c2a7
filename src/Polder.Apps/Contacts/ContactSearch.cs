using Polder.Identity;

namespace Polder.Apps.Contacts;

/// <summary>Who is meant, and how far away it is: rules over cards, for a running book and one at rest.</summary>
internal static class ContactSearch
{
    private const int LettersMin = 2;

    /// <summary>Whom a text means among these cards.</summary>
    public static ContactMatch Find(IReadOnlyList<ContactCard> cards, string text)
    {
        text = ContactNames.TryRead(text, out var read) ? read : text.Trim();
        if (PublicKey.TryParseHex(text, out var key)) return new ContactMatch(cards.FirstOrDefault(card => card.Key == key), []);
        if (Only(card => ContactNames.Same(card.Name, text)) is { Card: not null } named) return named;
        if (Only(card => ContactNames.Same(card.Key.ShortName, text)) is var shortened && (shortened.Card is not null || shortened.Several.Count > 0)) return shortened;
        return text.Length < LettersMin ? new ContactMatch(null, []) : Only(card =>
            card.Name.StartsWith(text, StringComparison.OrdinalIgnoreCase) || card.Key.ShortName.StartsWith(text, StringComparison.OrdinalIgnoreCase)
            // The first 20 digits of every key are the same.
            || (text.Length > 2 * KeyFormat.TagBytes && card.Key.ToString().StartsWith(text, StringComparison.OrdinalIgnoreCase)));

        ContactMatch Only(Func<ContactCard, bool> fits) => cards.Where(fits).ToArray() switch
        {
            [var one] => new ContactMatch(one, []),
            var several => new ContactMatch(null, several),
        };
    }

    /// <summary>How many handshakes away somebody is (<see cref="ContactBook.Degree"/>).</summary>
    public static int? Degree(PublicKey key, PublicKey own, Func<PublicKey, ContactCard?> find)
    {
        var degree = 0;
        for (var at = key; at != own; degree++)
        {
            if (degree == ContactBook.DegreeMax || find(at) is not { Blocked: false } card) return null;
            at = card.Verified || card.IntroducedBy is null ? own : card.IntroducedBy;
        }
        return degree;
    }
}
