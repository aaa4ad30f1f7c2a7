using Polder.Ledger.Blocks;

namespace Polder.Simulation.Checkers;

/// <summary>A block once acknowledged to its user is there, byte for byte, after any crash (I1). The list is kept outside the nodes.</summary>
public sealed class NothingLost : Checker
{
    private readonly Dictionary<SimulatedNode, Promised> _promised = [];

    /// <summary>Blocks acknowledged so far.</summary>
    public int Count { get; private set; }

    /// <summary>The node told its user that it has this block.</summary>
    public void Acknowledged(SimulatedNode node, HalfBlock block)
    {
        if (!_promised.TryGetValue(node, out var promised)) _promised[node] = promised = new Promised { Starts = node.Starts };
        promised.Blocks.Add(block);
        Count++;
    }

    /// <summary>The node is about to be restored from an old backup: from then on only the end of the run counts, when others have given back what came since.</summary>
    public void Forgive(SimulatedNode node)
    {
        ArgumentNullException.ThrowIfNull(node);
        if (!_promised.TryGetValue(node, out var promised)) _promised[node] = promised = new Promised();
        promised.IsForgiven = true;
    }

    /// <inheritdoc/>
    public override void Check(World world) { }

    /// <inheritdoc/>
    public override void Touched(World world, SimulatedNode node)
    {
        // Only a restart can lose anything.
        if (!node.IsRunning || !_promised.TryGetValue(node, out var promised) || promised.IsForgiven || promised.Starts == node.Starts) return;
        promised.Starts = node.Starts;
        CheckNow(world, node, promised);
    }

    /// <summary>Looks at everything, restarted or not: for the end of a run.</summary>
    public void CheckNow(World world)
    {
        foreach (var (node, promised) in _promised)
            if (node.IsRunning) CheckNow(world, node, promised);
        world.ThrowIfFailed();
    }

    private static void CheckNow(World world, SimulatedNode node, Promised promised)
    {
        foreach (var block in promised.Blocks)
            if (node.Ledger?.Store.Get(block.PublicKey, block.Sequence) is not { } held || !held.Packed.Span.SequenceEqual(block.Packed.Span))
                world.Fail($"{node.Name} acknowledged block {block.Sequence} of {block.Owner?.ShortName} and lost it");
    }

    private sealed class Promised
    {
        public int Starts;
        public bool IsForgiven;
        public List<HalfBlock> Blocks { get; } = [];
    }
}
