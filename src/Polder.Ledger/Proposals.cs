using Polder.Identity;
using Polder.Ledger.Blocks;

namespace Polder.Ledger;

/// <summary>
/// Own proposals that wait for their other half. Derived from the store, so that after a crash the same block is sent again
/// and none is signed anew.
/// </summary>
internal sealed class Proposals(KeyPair identity)
{
    private readonly SortedDictionary<uint, Proposal> _open = [];

    /// <summary>How many wait.</summary>
    public int Count => _open.Count;

    /// <summary>Those that wait, lowest number first.</summary>
    public IEnumerable<Proposal> Open => _open.Values;

    /// <summary>A proposal just signed.</summary>
    public Proposal Add(HalfBlock block) => _open[block.Sequence] = new Proposal(block);

    /// <summary>A block of the store at the start: an own proposal opens, whatever answers it closes it in <see cref="TakeAnswered"/>.</summary>
    public void Replay(HalfBlock block)
    {
        if (!block.IsProposal || block.IsToSelf || block.IsSource || !IsOwn(block.PublicKey) || _open.Count >= Limits.ProposalsOpenMax) return;
        _open.TryAdd(block.Sequence, new Proposal(block) { IsFlushed = true });
    }

    /// <summary>The proposal that this block agrees to, no longer open; null when there is none.</summary>
    public Proposal? TakeAnswered(HalfBlock block)
    {
        if (block.IsProposal || !IsOwn(block.LinkKey) || !_open.TryGetValue(block.LinkSequence, out var proposal)) return null;
        if (!proposal.Block.LinkKey.SequenceEqual(block.PublicKey)) return null;
        _open.Remove(block.LinkSequence);
        return proposal;
    }

    /// <summary>The open proposal with that own number.</summary>
    public Proposal? Find(uint sequence) => _open.GetValueOrDefault(sequence);

    /// <summary>It was sent often enough.</summary>
    public void Remove(Proposal proposal) => _open.Remove(proposal.Block.Sequence);

    private bool IsOwn(ReadOnlySpan<byte> key) => key.SequenceEqual(identity.Public.Bytes);
}
