using Polder.Runtime;

namespace Polder.Simulation;

/// <summary>
/// A node's loop on virtual time. It accepts work from the world's own thread only: a post from anywhere else means that
/// code left the loop, which would not replay; the stack is remembered and the run fails.
/// </summary>
public sealed class SimulatedLoop : NodeLoop
{
    private readonly World _world;

    internal SimulatedLoop(World world, SimulatedNode node) => (_world, Node) = (world, node);

    /// <summary>Whose loop this is.</summary>
    public SimulatedNode Node { get; }

    /// <summary>False once the node crashed or stopped: what was posted is never run, as in a process that died.</summary>
    public bool IsAlive { get; internal set; } = true;

    /// <inheritdoc/>
    public override void Post(Action work)
    {
        if (_world.IsForeignThread)
        {
            _world.RememberForeignPost(Node);
            return;
        }
        if (IsAlive) _world.PostNow(this, work);
    }

    /// <summary>Runs work on the loop at once, for code that stands outside every node: tests and scenarios.</summary>
    internal void RunNow(Action work)
    {
        if (!IsAlive) return;
        var before = Enter();
        try { work(); }
        finally { SetSynchronizationContext(before); }
    }

    internal SynchronizationContext? Enter()
    {
        var before = Current;
        SetSynchronizationContext(this);
        return before;
    }
}
