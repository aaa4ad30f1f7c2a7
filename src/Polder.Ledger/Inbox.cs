using Polder.Cryptography;
using Polder.Ledger.Blocks;
using Polder.Ledger.Stores;

namespace Polder.Ledger;

/// <summary>Proposals that wait for the owner's word, oldest first. Derived from the store: what waits is what was neither agreed to nor refused.</summary>
internal sealed class Inbox(IBlockStore store)
{
    private readonly Dictionary<Hash256, HalfBlock> _waiting = [];
    private readonly List<HalfBlock> _order = [];

    /// <summary>Those that wait and whose signer is not known as a cheater.</summary>
    public IReadOnlyList<HalfBlock> Waiting => [.. _order.Where(proposal => store.FraudOf(proposal.PublicKey) is null)];

    /// <summary>Puts a proposal in. False when it is in, or there is no room.</summary>
    public bool Add(HalfBlock proposal)
    {
        if (_order.Count >= Limits.InboxMax || _waiting.ContainsKey(proposal.Hash)) return false;
        var ofSigner = 0;
        foreach (var other in _order)
            if (other.PublicKey.SequenceEqual(proposal.PublicKey)) ofSigner++;
        if (ofSigner >= Limits.InboxPerKeyMax) return false;
        _waiting.Add(proposal.Hash, proposal);
        _order.Add(proposal);
        return true;
    }

    /// <summary>Whether it waits.</summary>
    public bool Has(HalfBlock proposal) => _waiting.ContainsKey(proposal.Hash);

    /// <summary>It was answered.</summary>
    public bool Remove(HalfBlock proposal)
    {
        if (!_waiting.Remove(proposal.Hash)) return false;
        _order.Remove(proposal);
        return true;
    }
}
