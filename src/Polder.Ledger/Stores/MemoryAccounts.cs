using Polder.Ledger.Blocks;
using Polder.Ledger.Records;

namespace Polder.Ledger.Stores;

/// <summary>What larger stores keep accounts of, counted anew from a list of blocks: the model that they are compared with.</summary>
internal static class MemoryAccounts
{
    /// <summary>Every agreed record once, in the order of the agreements.</summary>
    public static IEnumerable<(string Unit, AgreedWork Work)> Agreed(IReadOnlyList<HalfBlock> blocks, IBlockStore store, Func<byte[], int> numberOf)
    {
        var agreed = new HashSet<(HalfBlock Proposal, byte[] Signer)>(PairComparer.Instance);
        for (var i = 0; i < blocks.Count; i++)
        {
            var agreement = blocks[i];
            if (agreement.IsProposal || !AgreedClaims.TryClaim(agreement, out var claim)) continue;
            if (store.Get(agreement.LinkKey, agreement.LinkSequence) is not { IsProposal: true } proposal || !proposal.LinkKey.SequenceEqual(agreement.PublicKey)) continue;
            if (!AgreedClaims.TryClaim(proposal, out var proposed) || !AgreedClaims.Agree(proposed, claim)) continue;
            if (!agreed.Add((proposal, agreement.PublicKey.ToArray()))) continue;
            var (proposer, answerer) = (numberOf(proposal.PublicKey.ToArray()), numberOf(agreement.PublicKey.ToArray()));
            if (AgreedClaims.Counts(proposed.Gave)) yield return (proposed.Unit, new AgreedWork(proposer, answerer, proposed.Gave));
            if (AgreedClaims.Counts(proposed.Got)) yield return (proposed.Unit, new AgreedWork(answerer, proposer, proposed.Got));
        }
    }

    public static IReadOnlyList<DayCount> Days(IReadOnlyList<HalfBlock> blocks)
    {
        var days = new SortedDictionary<int, (long Blocks, long Users, long Newcomers)>();
        var lastOf = new Dictionary<byte[], int>(KeyBytesComparer.Instance);
        foreach (var block in blocks)
        {
            var day = DayCount.NumberOf(block.Timestamp);
            var (count, users, newcomers) = days.GetValueOrDefault(day);
            var key = block.PublicKey.ToArray();
            var isLater = !lastOf.TryGetValue(key, out var last) || day > last;
            if (isLater) lastOf[key] = day;
            days[day] = (count + 1, users + (isLater ? 1 : 0), newcomers + (block.Sequence == HalfBlock.GenesisSequence ? 1 : 0));
        }
        return [.. days.Select(static pair => DayCount.Of(pair.Key, pair.Value.Blocks, pair.Value.Users, pair.Value.Newcomers))];
    }

    private sealed class PairComparer : IEqualityComparer<(HalfBlock Proposal, byte[] Signer)>
    {
        public static PairComparer Instance { get; } = new();
        public bool Equals((HalfBlock Proposal, byte[] Signer) x, (HalfBlock Proposal, byte[] Signer) y) =>
            x.Proposal.Equals(y.Proposal) && x.Signer.AsSpan().SequenceEqual(y.Signer);
        public int GetHashCode((HalfBlock Proposal, byte[] Signer) pair) => pair.Proposal.GetHashCode();
    }
}
