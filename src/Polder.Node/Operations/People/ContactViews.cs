using Polder.Apps.Contacts;
using Polder.Identity;
using Polder.Overlay.Invitations;

namespace Polder.Node.Operations;

/// <summary>Contacts as they are shown.</summary>
internal static class ContactViews
{
    private const int ListedMax = 8;

    public static PersonView Of(ContactCard card, PublicKey own, Func<PublicKey, string> nameOf, int? degree, bool connected) => new(
        card.Key.ToString(), card.Key.ShortName, card.Name, card.Alias, card.Verified, card.VerifiedByThem, card.Blocked, card.Muted, card.Notes,
        card.IntroducedBy is { } by ? new PeerName(by.ToString(), nameOf(by)) : null,
        card.Origin switch { ContactOrigin.InvitedByUs => "invited by us", ContactOrigin.InvitedUs => "invited us", _ => "added" },
        card.Since, connected, degree, SafetyNumber.Of(own, card.Key));

    public static ContactRequestView Of(ContactRequest request, Func<PublicKey, string> nameOf) => new(
        request.Key.ToString(), request.Key.ShortName, request.Alias,
        request.IntroducedBy is { } by ? new PeerName(by.ToString(), nameOf(by)) : null, request.IntroducedAs, request.Since);

    public static ContactCardView Card(PublicKey own, string name) =>
        new(own.ToString(), own.ShortName, name, ContactText.Write(own, name.Length > 0 ? name : own.ShortName));

    /// <summary>Half for each introduction: a friend's friend is trusted half as much as a friend.</summary>
    public static double ShareAt(int? degree) => degree is >= 1 and var steps ? Math.Pow(0.5, steps - 1) : 0;

    /// <summary>A refusal of the book as one of an operation.</summary>
    public static void Check(ContactRefusal refusal)
    {
        if (refusal == ContactRefusal.None) return;
        throw new OperationRefusedException(refusal switch
        {
            ContactRefusal.NotAContact or ContactRefusal.NoRequest => RefusalKind.NotFound,
            ContactRefusal.BadName or ContactRefusal.NotesTooLong or ContactRefusal.OwnKey or ContactRefusal.ForgedKey => RefusalKind.BadInput,
            _ => RefusalKind.Conflict,
        }, refusal.Explain());
    }

    /// <summary>The one contact that is meant, or words about why there is none.</summary>
    public static ContactCard Choose(ContactMatch match, string who)
    {
        if (match.Card is { } card) return card;
        var said = who.Length <= 40 ? who : who[..37] + "…";
        if (match.Several.Count == 0)
            throw new OperationRefusedException(RefusalKind.NotFound, who.Trim().Length == 0
                ? "Say who: a name, a short name, a public key, or the beginning of one." : $"None of your contacts is called \"{said}\". See them: polder contact list");
        var names = string.Join(", ", match.Several.Take(ListedMax).Select(static one => $"{one.Name} ({one.Key.ShortName})"));
        var more = match.Several.Count > ListedMax ? $" and {match.Several.Count - ListedMax} more" : "";
        throw new OperationRefusedException(RefusalKind.BadInput, $"\"{said}\" may be any of {match.Several.Count}: {names}{more}. Give more of the name.");
    }
}
