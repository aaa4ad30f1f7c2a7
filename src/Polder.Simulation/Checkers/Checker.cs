using Polder.Net;

namespace Polder.Simulation.Checkers;

/// <summary>
/// Something that must hold in a world (<see cref="World.Always(Checker)"/>). A checker that finds it broken calls
/// <see cref="World.Fail"/>.
/// </summary>
public abstract class Checker
{
    /// <summary>What the report calls it: the name of the class.</summary>
    public virtual string Name => GetType().Name;

    /// <summary>Looks at the whole world; called every virtual second and at the end of a run.</summary>
    public abstract void Check(World world);

    /// <summary>Called after every event that touched a node; keep it cheap.</summary>
    public virtual void Touched(World world, SimulatedNode node) { }
}

/// <summary>A checker that also sees every datagram.</summary>
public abstract class TrafficChecker : Checker
{
    /// <summary>A node hands a datagram to its socket.</summary>
    public abstract void Sent(World world, SimulatedNode node, Endpoint to, ReadOnlySpan<byte> datagram);

    /// <summary>A node is about to receive a datagram.</summary>
    public abstract void Received(World world, SimulatedNode node, Endpoint from, ReadOnlySpan<byte> datagram);
}
