using Polder.Apps.Bundles.Letters;

namespace Polder.Apps.Bundles.Carrying;

/// <summary>A letter chosen for a peer.</summary>
/// <param name="Own">Ours, or</param>
/// <param name="Carried">somebody's.</param>
/// <param name="Terms">How the peer is to carry it; null where it is the receiver.</param>
internal sealed record MailPick(OwnLetter? Own, CarriedLetter? Carried, CarryTerms? Terms)
{
    public LetterId Id => Own?.Id ?? Carried!.Id;
    public Envelope Envelope => Own?.Envelope ?? Carried!.Envelope;
    public MailOffer ToOffer() => new(Id.Head, Envelope.Class, Envelope.Expires, Terms);
}

/// <summary>Chooses what to give to a peer: letters for it first, then those that it may carry.</summary>
internal static class MailChoice
{
    public static List<MailPick> For(Mailbag bag, MailTalk talk)
    {
        var picks = new List<MailPick>();
        var (peer, now) = (talk.Key, bag.Now);
        foreach (var own in bag.Outbox.OpenFor(peer))
            if (own.IsKept && talk.MayAsk(own.Id.Head, now) && Add(picks, new MailPick(own, null, null))) return picks;
        foreach (var head in CarriedFor(bag, talk))
            if (bag.Carried.Find(head) is { IsKept: true } carried && talk.MayAsk(head, now) && Add(picks, new MailPick(null, carried, null))) return picks;
        // Letters for the peer are not mixed with others: they must not wait for answers about these.
        if (picks.Count > 0) return picks;
        var isFriend = bag.IsFriend(peer);
        if (!isFriend && !bag.Options.UsesStrangers) return picks;
        var node = peer.NodeId.Head;
        foreach (var own in bag.Outbox.Open)
        {
            if (own.Copies <= 0 || !own.IsKept || own.To == peer || !bag.MayGive(own, isFriend) || !talk.MayAsk(own.Id.Head, now)) continue;
            if (own.Carriers.Exists(carrier => carrier.Key == peer)) continue;
            var terms = new CarryTerms((own.Copies + 1) / 2, bag.Options.Hops - 1, own.Envelope.Hint, own.Envelope.Ephemeral);
            if (Add(picks, new MailPick(own, null, terms))) return picks;
        }
        foreach (var carried in bag.Carried.All)
        {
            if (carried.Copies <= 1 || carried.Hops <= 0 || !carried.IsKept || carried.Depositor == peer || carried.Given.Contains(node)) continue;
            if (!bag.MayGive(carried, isFriend) || !talk.MayAsk(carried.Id.Head, now) || carried.Envelope.IsFor(peer)) continue;
            if (Add(picks, new MailPick(null, carried, new CarryTerms(carried.Copies / 2, carried.Hops - 1, carried.Envelope.Hint, carried.Envelope.Ephemeral)))) return picks;
        }
        return picks;
    }

    /// <summary>Carried letters for a peer. Every hint has to be tried with its key, so the answer is kept until something came or went.</summary>
    private static List<ulong> CarriedFor(Mailbag bag, MailTalk talk)
    {
        if (talk.CarriedVersion == bag.Carried.Version) return talk.Carried;
        talk.Carried = [.. bag.Carried.All.Where(letter => letter.Envelope.IsFor(talk.Key)).Select(static letter => letter.Id.Head)];
        talk.CarriedVersion = bag.Carried.Version;
        return talk.Carried;
    }

    private static bool Add(List<MailPick> picks, MailPick pick)
    {
        picks.Add(pick);
        return picks.Count == MailLimits.OfferMax;
    }
}
