using Polder.Cryptography;
using Polder.Identity;
using Polder.Ledger.Blocks;
using Polder.Ledger.Records;

namespace Polder.Ledger.Reputation;

/// <summary>
/// Makes work graphs out of blocks as they come, in any order and more than once: finds the two halves of each record, and
/// admits the record when they mirror each other. One graph a unit; units are never added.
/// </summary>
public sealed class WorkGraphs(PublicKey observer)
{
    /// <summary>Units that are told apart; records in further ones are left out.</summary>
    public const int UnitsMax = 256;

    private const int HalvesMax = 1_000_000;

    private readonly SortedDictionary<string, WorkGraph> _graphs = new(StringComparer.Ordinal);
    private readonly Dictionary<string, NetFlow> _scores = new(StringComparer.Ordinal);
    private readonly Dictionary<Place, Half> _waiting = [];
    private readonly HashSet<ulong> _admitted = [];
    private readonly HashSet<PublicKey> _removed = new(PublicKey.Comparer);
    private readonly Dictionary<PublicKey, PublicKey> _keys = new(PublicKey.Comparer);

    /// <summary>The units of which there are records, in order.</summary>
    public IEnumerable<string> Units => _graphs.Keys;

    /// <summary>The graph of a unit; null when there is no record in it.</summary>
    public WorkGraph? Find(string unit) => _graphs.GetValueOrDefault(unit);

    /// <summary>The scores of a unit from the observer's own point of view.</summary>
    public NetFlow? Scores(string unit)
    {
        if (_scores.TryGetValue(unit, out var scores)) return scores;
        return Find(unit) is { } graph ? _scores[unit] = new NetFlow(graph, observer) : null;
    }

    /// <summary>Takes one block that the store holds.</summary>
    public void Add(HalfBlock block)
    {
        ArgumentNullException.ThrowIfNull(block);
        if (!HelpClaim.IsHelp(block.Type) || block.IsSource || block.IsToSelf || !HelpClaim.TryRead(block, out var claim)) return;
        if (KeyOf(block.PublicKey) is not { } signer || KeyOf(block.LinkKey) is not { } other) return;
        var place = block.IsProposal ? new Place(signer, other, block.Sequence) : new Place(other, signer, block.LinkSequence);
        if (_admitted.Contains(place.Id)) return;
        if (!_waiting.TryGetValue(place, out var half))
        {
            if (_waiting.Count >= HalvesMax) return;
            _waiting.Add(place, new Half(block.IsProposal, claim, block.Sequence, block.Timestamp));
            if (block.IsProposal && claim.Got > 0) GraphOf(claim.Unit)?.AddUnconfirmed(signer, claim.Got);
            return;
        }
        if (half.IsProposal == block.IsProposal) return;
        // A plain peer agrees with a copy (BandwidthRules): both then say what the proposal says.
        if (!claim.Mirrors(half.Claim) && claim != half.Claim) return;
        _waiting.Remove(place);
        _admitted.Add(place.Id);
        var (proposal, proposalSequence, agreementSequence, time) = block.IsProposal
            ? (claim, block.Sequence, half.Sequence, block.Timestamp) : (half.Claim, half.Sequence, block.Sequence, half.Timestamp);
        if (GraphOf(claim.Unit) is not { } graph) return;
        if (half.IsProposal && proposal.Got > 0) graph.AddUnconfirmed(place.Proposer, -proposal.Got);
        if (proposal.Gave > 0) graph.Add(new WorkRecord(place.Proposer, place.Answerer, proposal.Gave, place.Proposer, proposalSequence, agreementSequence, time));
        if (proposal.Got > 0) graph.Add(new WorkRecord(place.Answerer, place.Proposer, proposal.Got, place.Proposer, proposalSequence, agreementSequence, time));
    }

    /// <summary>Takes a proven cheater out of every graph, for good.</summary>
    public void Remove(ReadOnlySpan<byte> culprit)
    {
        if (!PublicKey.TryParse(culprit, out var key) || !_removed.Add(key)) return;
        foreach (var graph in _graphs.Values) graph.Remove(key);
    }

    private WorkGraph? GraphOf(string unit)
    {
        if (_graphs.TryGetValue(unit, out var graph)) return graph;
        if (_graphs.Count >= UnitsMax) return null;
        _graphs[unit] = graph = new WorkGraph(unit);
        foreach (var culprit in _removed) graph.Remove(culprit);
        return graph;
    }

    /// <summary>One object for each key, however many blocks carry it.</summary>
    private PublicKey? KeyOf(ReadOnlySpan<byte> bytes)
    {
        if (!PublicKey.HasRightForm(bytes)) return null;
        var lookup = _keys.GetAlternateLookup<ReadOnlySpan<byte>>();
        if (lookup.TryGetValue(bytes, out var known)) return known;
        if (!PublicKey.TryParse(bytes, out var key)) return null;
        return _keys[key] = key;
    }

    private readonly record struct Place(PublicKey Proposer, PublicKey Answerer, uint Sequence)
    {
        /// <summary>Short name of a place, for remembering: 64 bits of a hash.</summary>
        public ulong Id
        {
            get
            {
                Span<byte> bytes = stackalloc byte[2 * KeyFormat.Bytes + 4];
                Proposer.Bytes.CopyTo(bytes);
                Answerer.Bytes.CopyTo(bytes[KeyFormat.Bytes..]);
                System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(bytes[(2 * KeyFormat.Bytes)..], Sequence);
                return Hash256.Of(bytes).Head;
            }
        }
    }

    private readonly record struct Half(bool IsProposal, HelpClaim Claim, uint Sequence, ulong Timestamp);
}
