using Polder.Net;

namespace Polder.Simulation.Checkers;

/// <summary>
/// No application data travels in clear between full peers (I12): scenarios plant markers of 16 bytes in what communities and streams
/// carry, and no datagram may contain one.
/// </summary>
public sealed class NoPlaintext : TrafficChecker
{
    /// <summary>Bytes of a marker.</summary>
    public const int MarkerBytes = 16;

    private readonly List<byte[]> _markers = [];

    /// <summary>Datagrams looked at.</summary>
    public long Searched { get; private set; }

    /// <summary>Another marker: 16 bytes that occur by chance nowhere.</summary>
    public void Plant(ReadOnlySpan<byte> marker)
    {
        if (marker.Length != MarkerBytes) throw new ArgumentException("A marker has 16 bytes.", nameof(marker));
        _markers.Add(marker.ToArray());
    }

    /// <inheritdoc/>
    public override void Check(World world) { }

    /// <inheritdoc/>
    public override void Sent(World world, SimulatedNode node, Endpoint to, ReadOnlySpan<byte> datagram)
    {
        Searched++;
        foreach (var marker in _markers)
            if (datagram.IndexOf(marker) is >= 0 and var at) world.Fail($"{node.Name} sent a marker in clear to {to}, at byte {at} of {datagram.Length}");
    }

    /// <inheritdoc/>
    public override void Received(World world, SimulatedNode node, Endpoint from, ReadOnlySpan<byte> datagram) { }
}
