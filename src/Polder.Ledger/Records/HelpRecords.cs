using System.Globalization;
using Polder.Identity;
using Polder.Ledger.Blocks;
using Polder.Ledger.Reputation;
using Polder.Overlay;

namespace Polder.Ledger.Records;

/// <summary>
/// Records of help: who did how much of what for whom, signed by both. Proposes them, decides what is agreed to unasked, and
/// keeps one work graph a unit. Made before the node starts.
/// </summary>
public sealed class HelpRecords
{
    private readonly TrustChainCommunity _ledger;
    private readonly PublicKey _self;
    private (uint Sequence, long Up, long Down)? _totals;

    /// <summary>Records of help on this ledger, for the node with that key. Heavy work on graphs is spread as <paramref name="split"/> says.</summary>
    public HelpRecords(TrustChainCommunity ledger, PublicKey self, WorkSplit? split = null)
    {
        ArgumentNullException.ThrowIfNull(ledger);
        (_ledger, _self) = (ledger, self);
        Graphs = new WorkGraphs(self, split: split);
        foreach (var proof in ledger.Store.Frauds()) Graphs.Remove(proof.Culprit);
        ledger.Validator.AddType(HelpClaim.BandwidthType, new BandwidthRules());
        ledger.SetPolicy(HelpClaim.BandwidthType, new BandwidthPolicy(ledger, OwnTotals));
        ledger.SetPolicy(HelpClaim.HelpType, new HelpPolicy());
        var inBulk = ledger.Store.Count > Limits.ReplayedBlocksMax;
        if (inBulk) Graphs.Load(ledger.Store);
        ledger.BlockKnown += block =>
        {
            // What the store held is in the graphs already, all but what nobody confirmed.
            if (!inBulk || !ledger.IsReplaying || (block.IsProposal && !Graphs.IsAgreed(block))) Graphs.Add(block);
        };
        ledger.FraudFound += proof => Graphs.Remove(proof.Culprit);
    }

    /// <summary>The overlay that full Polder nodes list as theirs: they read JSON transactions.</summary>
    public static CommunityId ExtensionId { get; } = CommunityId.FromName("polder/extension/1"u8);

    /// <summary>Who helped whom, a graph a unit.</summary>
    public WorkGraphs Graphs { get; }

    /// <summary>Proposals of help and of anything else that wait for the owner's word, oldest first; null claims are of types that we cannot read.</summary>
    public IReadOnlyList<(HalfBlock Proposal, HelpClaim? Claim)> Inbox =>
        [.. _ledger.Waiting.Select(proposal => (proposal, HelpClaim.TryRead(proposal, out var claim) ? claim : (HelpClaim?)null))];

    /// <summary>Proposes a record. <paramref name="unit"/> is "bytes" or any word; <paramref name="what"/> may be empty.</summary>
    /// <param name="peer">With whom.</param>
    /// <param name="gave">True: we helped the peer.</param>
    /// <param name="amount">How much; above 0, at most 2^40.</param>
    /// <param name="unit">In what.</param>
    /// <param name="what">What the help was.</param>
    /// <exception cref="ArgumentException">The record cannot be written; the message says why.</exception>
    /// <exception cref="SigningRefusedException">Nothing is signed at present, or not with this peer.</exception>
    public Proposal Propose(PublicKey peer, bool gave, long amount, string unit, string what)
    {
        ArgumentNullException.ThrowIfNull(peer);
        ArgumentNullException.ThrowIfNull(unit);
        ArgumentNullException.ThrowIfNull(what);
        if (peer == _self) throw new ArgumentException("A record of help needs two: this is your own key.", nameof(peer));
        if (amount is < 1 or > WorkGraph.RecordMax) throw new ArgumentException($"An amount is from 1 to {WorkGraph.RecordMax}.", nameof(amount));
        if (!HelpClaim.IsFor(what)) throw new ArgumentException($"What the help was has at most {HelpClaim.ForBytesMax} bytes, on one line.", nameof(what));
        if (unit != HelpClaim.Bytes)
        {
            if (!HelpClaim.IsUnit(unit)) throw new ArgumentException($"A unit is a word of 1 to {HelpClaim.UnitCharactersMax} letters, such as \"hours\"; for bytes say \"bytes\".", nameof(unit));
            return _ledger.Propose(peer, HelpClaim.HelpType, EncodeHelp(gave, amount, unit, what));
        }
        if (_ledger.Own.Refused is { } why) throw new SigningRefusedException(why);
        if (OwnTotals() is not var (up, down) || amount > long.MaxValue - (gave ? up : down))
            throw new SigningRefusedException("The totals of this node's own chain cannot be worked out, so no further bytes can be recorded.");
        var entry = gave ? new BandwidthEntry(amount, 0, up + amount, down, what) : new BandwidthEntry(0, amount, up, down + amount, what);
        return _ledger.Propose(peer, HelpClaim.BandwidthType, entry.Encode(ReadsJson(peer)));
    }

    /// <summary>What a block says, in words: "25 MB to ab-cd-ef-gh-ij for storing a file".</summary>
    public static string Summary(HalfBlock block)
    {
        ArgumentNullException.ThrowIfNull(block);
        if (!HelpClaim.TryRead(block, out var claim))
            return block.IsSource ? "an offer to anybody" : block.IsToSelf ? "a note to itself" : $"{block.TypeText} with {NameOf(block.LinkKey)}";
        var what = claim.For.Length > 0 ? $" for {claim.For}" : "";
        var gave = claim.Gave > 0 ? $"{Amount(claim.Gave, claim.Unit)} to {NameOf(block.LinkKey)}" : "";
        var got = claim.Got > 0 ? $"{Amount(claim.Got, claim.Unit)} from {NameOf(block.LinkKey)}" : "";
        return (gave.Length > 0 && got.Length > 0 ? $"{gave}, {got}" : gave + got) + what;
    }

    /// <summary>"25 MB", "3 hours".</summary>
    public static string Amount(double amount, string unit)
    {
        if (unit != HelpClaim.Bytes) return string.Create(CultureInfo.InvariantCulture, $"{amount:0.##} {unit}");
        string[] names = ["B", "KB", "MB", "GB", "TB", "PB", "EB"];
        var step = 0;
        for (; amount >= 1024 && step < names.Length - 1; step++) amount /= 1024;
        return string.Create(CultureInfo.InvariantCulture, $"{amount:0.##} {names[step]}");
    }

    internal static byte[] EncodeHelp(bool gave, long amount, string unit, string what) => TransactionCodec.Encode(TransactionValue.Dictionary(
        ("gave", gave ? TransactionValue.True : TransactionValue.False), ("amount", TransactionValue.Integer(amount)),
        ("unit", TransactionValue.Text(unit)), ("for", TransactionValue.Text(what))));

    private static string NameOf(ReadOnlySpan<byte> key) => PublicKey.TryParse(key, out var known) ? known.ShortName : "anybody";

    private bool ReadsJson(PublicKey peer)
    {
        if (_ledger.Book.Find(peer) is not { } known) return false;
        foreach (var community in known.Communities)
            if (community == ExtensionId) return true;
        return false;
    }

    /// <summary>The totals of the own chain so far; null when its last block of this type cannot be read.</summary>
    private (long Up, long Down)? OwnTotals()
    {
        var (store, own) = (_ledger.Store, _ledger.Own);
        if (own.NeedsRecovery)
        {
            // Blocks of ours are missing or may be: what was worked out of the rest would be wrong afterwards (scenario restore, seed 3).
            _totals = null;
            return null;
        }
        var length = own.Length;
        // Blocks signed since the last look, and no others, have to be gone through.
        var known = _totals ?? (0, 0, 0);
        for (var sequence = length; sequence > known.Sequence; sequence--)
        {
            if (store.Get(own.Key, sequence) is not { } block || !block.Type.SequenceEqual(HelpClaim.BandwidthType)) continue;
            if (BandwidthEntry.Read(block) is not { } entry) return null;
            known = (sequence, entry.TotalUp, entry.TotalDown);
            break;
        }
        _totals = (length, known.Up, known.Down);
        return (known.Up, known.Down);
    }
}
