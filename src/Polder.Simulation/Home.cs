using Polder.Simulation.Network;

namespace Polder.Simulation;

/// <summary>Where and how a node lives: its place in the network, its clock, its line.</summary>
public sealed record Home
{
    /// <summary>A public address and a right clock.</summary>
    public static Home Public { get; } = new();

    /// <summary>Alone behind a NAT box of this kind.</summary>
    public static Home Behind(NatDependence mapping, NatDependence filtering) => Behind(new NatBehaviour(mapping, filtering));

    /// <summary>Alone behind a NAT box of this kind.</summary>
    public static Home Behind(NatBehaviour behaviour) => new() { Nat = behaviour };

    /// <summary>Alone behind a NAT box of one kind that stands behind a carrier's of another, which is alone as well.</summary>
    public static Home Behind(NatBehaviour home, NatBehaviour carrier) => new() { Nat = home, Carrier = carrier };

    /// <summary>In the network behind a box that others may share (<see cref="World.AddNat"/>).</summary>
    public static Home In(NatBox box) => new() { Box = box };

    /// <summary>The box of its own that the node gets; null for none.</summary>
    public NatBehaviour? Nat { get; init; }

    /// <summary>The carrier's box of its own that the node's box stands behind; null for none.</summary>
    public NatBehaviour? Carrier { get; init; }

    /// <summary>The box that the node lives behind, or that its own box lives behind; null for the open Internet.</summary>
    public NatBox? Box { get; init; }

    /// <summary>The node's address where it matters (the port is <see cref="Port"/>); null, the default, for one that nobody else has. Only without a box.</summary>
    public Polder.Net.Endpoint? Address { get; init; }

    /// <summary>UDP port of the node. Default 8090.</summary>
    public ushort Port { get; init; } = 8090;

    /// <summary>How far the node's wall clock is ahead of the world. Default 0.</summary>
    public TimeSpan ClockOffset { get; init; }

    /// <summary>How much faster the node's clock runs, in millionths. −1000 to 1000, default 0.</summary>
    public double ClockDriftPpm
    {
        get;
        init => field = value is >= -1000 and <= 1000 ? value : throw new ArgumentOutOfRangeException(nameof(value));
    }

    /// <summary>What the node's line carries towards it, in bytes a second; 0, the default, means as much as comes. It drops as <see cref="LinkModel.QueueLimit"/> says.</summary>
    public double DownlinkBytesPerSecond { get; init => field = value >= 0 ? value : throw new ArgumentOutOfRangeException(nameof(value)); }

    /// <summary>The node's own line for what it sends; null for the world's.</summary>
    public LinkModel? Link { get; init; }
}
