using Polder.Identity;
using Polder.Ledger.Records;
using Polder.Ledger.Reputation;
using Polder.Ledger.Stores;

namespace Polder.Node.Operations;

/// <summary>What is shown of trust: rankings, and why somebody stands where it stands, down to the signed records.</summary>
internal sealed class TrustViews(IBlockStore store, WorkGraphs graphs, PublicKey self, Func<FraudProof, FraudView> fraudView, TimeProvider time, Func<PublicKey, int?>? friends = null)
{
    /// <summary>Rows of a ranking at most.</summary>
    public const int RowsMax = 100_000;

    private const int RecordsMax = 100, PathsWithRecordsMax = 12, RecordsBehindMax = 8;

    /// <summary>What one asks for in the example of what it would be served.</summary>
    private const long BytesAskedFor = 64L << 20, OtherAskedFor = 1;

    /// <summary>The purse of newcomers, a unit: only looked into here, nothing is served yet.</summary>
    private readonly Dictionary<string, NewcomerPurse> _purses = new(StringComparer.Ordinal);

    public IReadOnlyList<TrustView> Trust(PublicKey? peer, string? unit, string? by, int top)
    {
        var kind = TrustKind.Of(by);
        var rows = new List<TrustView>();
        foreach (var name in Units(unit))
        {
            if (graphs.Reputation(name) is not { } reputation) continue;
            if (peer is null) rows.AddRange(Refusing(() => reputation.Top(Math.Clamp(top, 1, RowsMax), kind.Kind)).Select(row => Row(row.Peer, reputation, kind, row.Score)));
            else if (reputation.Graph.SumsOf(peer) is { Records: > 0 } or { Unconfirmed: > 0 }) rows.Add(Row(peer, reputation, kind));
        }
        // Asked for one peer, there is an answer: nothing is known of it, or nothing counts any more.
        if (peer is not null && rows.Count == 0) rows.Add(Nothing(peer, unit ?? HelpClaim.Bytes, kind));
        return rows;
    }

    public TrustExplanation Why(PublicKey peer, string? unit, string? by)
    {
        var kind = TrustKind.Of(by);
        var name = unit ?? Units(null).FirstOrDefault(known => graphs.Find(known)!.SumsOf(peer).Records > 0) ?? HelpClaim.Bytes;
        var fraud = store.FraudOf(peer.Bytes) is { } proof ? fraudView(proof) : null;
        if (fraud is not null || graphs.IsRemoved(peer) || peer == self || graphs.Reputation(name) is not { } reputation)
        {
            var row = Nothing(peer, name, kind);
            var behind = RecordTrail.Of(store, peer, name, out _).Take(RecordsMax);
            return new TrustExplanation(row, 0, 0, [], [.. behind.Select(record => Record(record, name))], TrustWords.OfNobody(row, peer == self, fraud), null, fraud);
        }
        var why = reputation.Explain(peer);
        var trust = Row(peer, reputation, kind);
        var (records, own) = (RecordTrail.Of(store, peer, name, out _), RecordTrail.Of(store, self, name, out _));
        var paths = new List<TrustPath>();
        foreach (var path in why.Paths)
        {
            var shown = paths.Count < PathsWithRecordsMax;
            paths.Add(new TrustPath(PeerNames.Of(path.Through), path.First, path.Second, path.Flow, path.FirstRecords, path.SecondRecords,
                shown ? Behind(records, peer, path.Through, name) : null, shown ? Behind(own, path.Through, self, name) : null));
        }
        var standing = new TrustStanding(why.Score.Gave, why.Score.Took, why.Budget, why.DirectRecords, why.PathCount, why.PathFlow,
            why.Reach, why.Merit, why.NeckShare, why.NeckVia is { } via ? PeerNames.Of(via) : null, why.IsCut, Service(peer, reputation));
        var explanation = new TrustExplanation(trust, why.Score.Cap, why.Score.Direct, paths,
            [.. records.Take(RecordsMax).Select(record => Record(record, name))], "", standing);
        return explanation with { InWords = TrustWords.Of(explanation, kind, reputation.Options) };
    }

    /// <summary>The units to show: bytes first.</summary>
    public IEnumerable<string> Units(string? unit) =>
        unit is not null ? [unit] : graphs.Units.OrderBy(name => name == HelpClaim.Bytes ? 0 : 1).ThenBy(name => name, StringComparer.Ordinal);

    private TrustView Row(PublicKey peer, PersonalReputation reputation, TrustKind kind, double? score = null)
    {
        var sums = reputation.Graph.SumsOf(peer);
        return new TrustView(peer.ToString(), peer.ShortName, score ?? Refusing(() => reputation.Score(peer, kind.Kind)), reputation.Graph.Unit,
            sums.Records, sums.Gave, sums.Got, kind.Name, reputation.DirectOf(peer), graphs.IsRemoved(peer));
    }

    private TrustView Nothing(PublicKey peer, string unit, TrustKind kind) =>
        new(peer.ToString(), peer.ShortName, 0, unit, 0, 0, 0, kind.Name, 0, graphs.IsRemoved(peer));

    private string Service(PublicKey peer, PersonalReputation reputation)
    {
        var unit = reputation.Graph.Unit;
        if (!_purses.TryGetValue(unit, out var purse)) _purses[unit] = purse = new NewcomerPurse(reputation);
        var asked = unit == HelpClaim.Bytes ? BytesAskedFor : OtherAskedFor;
        var decision = ServicePolicyChain.Recommended(reputation, purse, new FriendDiscount(friends ?? (static _ => null))).Decide(new ServiceRequest(peer, asked, time.GetUtcNow()));
        var answer = decision.Answer switch { ServiceAnswer.Serve => "it would be served", ServiceAnswer.Queue => "it would wait", _ => "it would be refused" };
        return $"If it asked for {HelpRecords.Amount(asked, unit)} now, {answer}. {decision.Reason}";
    }

    private List<TrustRecord> Behind(IReadOnlyList<WorkRecord> records, PublicKey contributor, PublicKey consumer, string unit) =>
        [.. records.Where(record => record.Contributor == contributor && record.Consumer == consumer).Take(RecordsBehindMax).Select(record => Record(record, unit))];

    private TrustRecord Record(WorkRecord record, string unit)
    {
        var answerer = record.Proposer == record.Contributor ? record.Consumer : record.Contributor;
        var what = store.Get(record.Proposer.Bytes, record.ProposalSequence) is { } proposal && HelpClaim.TryRead(proposal, out var claim) ? claim.For : "";
        return new TrustRecord(PeerNames.Of(record.Contributor), PeerNames.Of(record.Consumer), record.Amount, unit, what,
            $"{record.Proposer}.{record.ProposalSequence}", $"{answerer}.{record.AgreementSequence}", LedgerViews.TimeOf(record.Timestamp));
    }

    private static T Refusing<T>(Func<T> work)
    {
        try { return work(); }
        catch (InvalidOperationException problem) { throw new OperationRefusedException(RefusalKind.BadInput, problem.Message); }
    }
}
