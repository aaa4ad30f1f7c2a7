using System.Runtime.InteropServices;
using Polder.Identity;
using Polder.Ledger.Blocks;
using Polder.Ledger.Records;
using Polder.Ledger.Stores;

namespace Polder.Ledger.Reputation;

/// <summary>
/// Makes work graphs out of blocks as they come, in any order and more than once: finds the two halves of each record, and
/// admits the record when they mirror each other. One graph a unit; units are never added.
/// </summary>
/// <param name="observer">From whose point of view scores are.</param>
/// <param name="options">How scores are worked out; null: as recommended.</param>
/// <param name="split">How heavy work is spread; null: on the caller's thread.</param>
public sealed class WorkGraphs(PublicKey observer, ReputationOptions? options = null, WorkSplit? split = null)
{
    /// <summary>Units that are told apart; records in further ones are left out.</summary>
    public const int UnitsMax = 256;

    private const int HalvesMax = 1_000_000;

    private readonly SortedDictionary<string, PersonalReputation> _reputations = new(StringComparer.Ordinal);
    private readonly Dictionary<Place, Half> _waiting = [];
    private readonly HashSet<PublicKey> _removed = new(PublicKey.Comparer);
    private readonly Dictionary<PublicKey, PublicKey> _keys = new(PublicKey.Comparer);
    private IBlockStore? _store;

    /// <summary>The units of which there are records, in order.</summary>
    public IEnumerable<string> Units => _reputations.Keys;

    /// <summary>The graph of a unit; null when there is no record in it.</summary>
    public WorkGraph? Find(string unit) => Reputation(unit)?.Graph;

    /// <summary>What the observer thinks of everybody by the records of a unit; null when there is none.</summary>
    public PersonalReputation? Reputation(string unit) => _reputations.GetValueOrDefault(unit);

    /// <summary>Whether the peer was taken out as a proven cheater.</summary>
    public bool IsRemoved(PublicKey peer) => _removed.Contains(peer);

    /// <summary>Takes one block that the store holds.</summary>
    public void Add(HalfBlock block)
    {
        ArgumentNullException.ThrowIfNull(block);
        if (!AgreedClaims.TryClaim(block, out var claim)) return;
        if (KeyOf(block.PublicKey) is not { } signer || KeyOf(block.LinkKey) is not { } other) return;
        var place = block.IsProposal ? new Place(signer, other, block.Sequence) : new Place(other, signer, block.LinkSequence);
        if (Find(claim.Unit) is { } known && known.Has(place.Proposer, place.Sequence)) return;
        if (!_waiting.TryGetValue(place, out var half) && !TryStored(block, out half))
        {
            if (_waiting.Count >= HalvesMax) return;
            _waiting.Add(place, new Half(block.IsProposal, claim, block.Sequence, block.Timestamp));
            if (block.IsProposal && claim.Got > 0) ReputationOf(claim.Unit)?.AddUnconfirmed(signer, other, claim.Got);
            return;
        }
        if (half.IsProposal == block.IsProposal) return;
        // A plain peer agrees with a copy (BandwidthRules): both then say what the proposal says.
        if (!AgreedClaims.Agree(claim, half.Claim)) return;
        var wasClaimed = _waiting.Remove(place) && half.IsProposal;
        var (proposal, proposalSequence, agreementSequence, time) = block.IsProposal
            ? (claim, block.Sequence, half.Sequence, block.Timestamp) : (half.Claim, half.Sequence, block.Sequence, half.Timestamp);
        if (ReputationOf(claim.Unit) is not { } reputation) return;
        if (wasClaimed && proposal.Got > 0) reputation.AddUnconfirmed(place.Proposer, place.Answerer, -proposal.Got);
        if (proposal.Gave > 0) reputation.Add(new WorkRecord(place.Proposer, place.Answerer, proposal.Gave, place.Proposer, proposalSequence, agreementSequence, time));
        if (proposal.Got > 0) reputation.Add(new WorkRecord(place.Answerer, place.Proposer, proposal.Got, place.Proposer, proposalSequence, agreementSequence, time));
    }

    /// <summary>
    /// Takes in bulk every agreed record that a store holds; halves that come later are then looked for in the store, not
    /// remembered. Before the first block; blocks of the store are not to be told one by one afterwards. Proposals that nobody
    /// confirmed are not among them.
    /// </summary>
    public void Load(IBlockStore store)
    {
        ArgumentNullException.ThrowIfNull(store);
        _store = store;
        foreach (var unit in store.WorkUnits())
        {
            if (ReputationOf(unit) is not { } reputation) return;
            using var loader = reputation.Graph.Load(split);
            var numbers = new List<int>();
            foreach (var (number, bytes) in store.WorkKeys())
            {
                while (numbers.Count <= number) numbers.Add(-1);
                if (KeyOf(bytes.Span) is { } key) numbers[number] = loader.Number(key);
            }
            store.ReadWork(unit, records => loader.Add(records, CollectionsMarshal.AsSpan(numbers)));
            loader.Finish();
        }
    }

    /// <summary>Whether the store that was loaded holds the other half.</summary>
    internal bool IsAgreed(HalfBlock block) => TryStored(block, out _);

    private bool TryStored(HalfBlock block, out Half half)
    {
        half = default;
        if (_store is null || !AgreedClaims.TryClaim(block, out var claim) || RecordTrail.OtherHalf(_store, block, claim) is not { } other) return false;
        AgreedClaims.TryClaim(other, out var said);
        half = new Half(other.IsProposal, said, other.Sequence, other.Timestamp);
        return true;
    }

    /// <summary>Takes a proven cheater out of every graph, for good.</summary>
    public void Remove(ReadOnlySpan<byte> culprit)
    {
        if (!PublicKey.TryParse(culprit, out var key) || !_removed.Add(key)) return;
        foreach (var reputation in _reputations.Values) reputation.Remove(key);
    }

    private PersonalReputation? ReputationOf(string unit)
    {
        if (_reputations.TryGetValue(unit, out var reputation)) return reputation;
        if (_reputations.Count >= UnitsMax) return null;
        var chosen = options ?? new ReputationOptions();
        // BarterCast's curve is drawn for megabytes; other units count as they are.
        if (unit == HelpClaim.Bytes) chosen = chosen with { BarterCastUnit = 1 << 20 };
        _reputations[unit] = reputation = new PersonalReputation(new WorkGraph(unit), observer, chosen, split);
        foreach (var culprit in _removed) reputation.Remove(culprit);
        return reputation;
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

    private readonly record struct Place(PublicKey Proposer, PublicKey Answerer, uint Sequence);

    private readonly record struct Half(bool IsProposal, HelpClaim Claim, uint Sequence, ulong Timestamp);
}
