using Polder.Identity;

namespace Polder.Simulation.Checkers;

/// <summary>Nobody honest is ever proven a cheater, at any node (I5).</summary>
public sealed class NoHonestConvicted : Checker
{
    private readonly HashSet<PublicKey> _cheaters = new(PublicKey.Comparer);
    private readonly Dictionary<SimulatedNode, int> _seen = [];

    /// <summary>Everybody is honest but these.</summary>
    public NoHonestConvicted Except(SimulatedNode cheater)
    {
        _cheaters.Add(cheater.Identity.Public);
        return this;
    }

    /// <inheritdoc/>
    public override void Check(World world) { }

    /// <inheritdoc/>
    public override void Touched(World world, SimulatedNode node)
    {
        if (!node.IsRunning || node.Ledger is not { } ledger) return;
        var frauds = ledger.Store.Frauds();
        if (frauds.Count == _seen.GetValueOrDefault(node)) return;
        _seen[node] = frauds.Count;
        foreach (var fraud in frauds)
            // Keys that are no node's belong to whoever made them up.
            if (!PublicKey.TryParse(fraud.Culprit, out var culprit)) world.Fail($"{node.Name} convicted something that is no key");
            else if (!_cheaters.Contains(culprit) && world.Nodes.FirstOrDefault(other => other.Identity.Public == culprit) is { } honest)
                world.Fail($"{node.Name} convicted {honest.Name}, who is honest, of {fraud.Kind}");
    }
}
