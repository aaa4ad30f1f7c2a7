using Polder.Cryptography;
using Polder.Ledger;
using Polder.Ledger.Blocks;

namespace Polder.Simulation.Checkers;

/// <summary>
/// Every honest chain is one chain (I2): at its owner numbers run 1 to n and each block names the hash of the one before; what
/// others were shown is what the owner has, after every crash; and no two blocks with one number are ever seen anywhere.
/// </summary>
public sealed class OwnChains : Checker
{
    private readonly Dictionary<SimulatedNode, Progress> _progress = [];
    private readonly Dictionary<string, SimulatedNode> _owners = new(StringComparer.Ordinal);

    /// <summary>Watches a node's chain, now and after every restart. Call it where the node is set up.</summary>
    public void Watch(SimulatedNode node, TrustChainCommunity ledger)
    {
        ArgumentNullException.ThrowIfNull(ledger);
        _progress.TryAdd(node, new Progress());
        _owners.TryAdd(node.Identity.Public.ToString(), node);
        ledger.BlockKnown += block => Held(node, block);
    }

    /// <inheritdoc/>
    public override void Check(World world)
    {
        foreach (var node in _progress.Keys) Touched(world, node);
    }

    /// <inheritdoc/>
    public override void Touched(World world, SimulatedNode node)
    {
        if (!node.IsRunning || !_progress.TryGetValue(node, out var progress) || node.Ledger is not { } ledger) return;
        // Restored from an old backup, it has not yet what others were shown, and says so by signing nothing.
        if (ledger.Own.NeedsRecovery) return;
        var restarted = progress.Starts != node.Starts;
        if (restarted) (progress.Starts, progress.Verified, progress.Last) = (node.Starts, 0, HalfBlock.GenesisHash);
        for (; progress.Verified < ledger.Own.Length; progress.Verified++)
        {
            var number = progress.Verified + 1;
            if (ledger.Store.Get(ledger.Own.Key, number) is not { } block)
            {
                world.Fail($"{node.Name} has no block {number} of its own, though it has {ledger.Own.Length}");
                return;
            }
            if (block.PreviousHash != progress.Last)
            {
                world.Fail($"{node.Name}'s own block {number} does not follow from the one before it");
                return;
            }
            progress.Last = block.Hash;
        }
        if (!restarted) return;
        foreach (var (number, hash) in progress.Shown) CompareWithOwner(world, node, number, hash);
    }

    private void Held(SimulatedNode holder, HalfBlock block)
    {
        if (!_owners.TryGetValue(Convert.ToHexStringLower(block.PublicKey), out var owner) || owner == holder || !holder.IsRunning) return;
        var shown = _progress[owner].Shown;
        var world = owner.World;
        if (shown.TryGetValue(block.Sequence, out var before))
        {
            if (before != block.Hash) world.Fail($"{owner.Name} signed two blocks with number {block.Sequence}; {holder.Name} got the second");
            return;
        }
        shown.Add(block.Sequence, block.Hash);
        if (owner.IsRunning) CompareWithOwner(world, owner, block.Sequence, block.Hash);
    }

    private static void CompareWithOwner(World world, SimulatedNode owner, uint number, Hash256 hash)
    {
        if (owner.Ledger is { Own.NeedsRecovery: false } ledger && ledger.Store.Get(ledger.Own.Key, number)?.Hash != hash)
            world.Fail($"{owner.Name} showed its block {number} to others and does not have it: it left before it was safe on disk");
    }

    private sealed class Progress
    {
        public int Starts;
        public uint Verified;
        public Hash256 Last = HalfBlock.GenesisHash;
        public SortedDictionary<uint, Hash256> Shown { get; } = [];
    }
}
