using System.Buffers.Binary;
using Polder.Net;
using Polder.Wire;

namespace Polder.Overlay.Discovery;

/// <summary>Names a network: 0 is the common one, others are for tests and closed groups. 16 bytes on the wire.</summary>
/// <param name="Value">The number.</param>
public readonly record struct NetworkId(UInt128 Value);

/// <summary>"I am here", said to the local network by multicast (OV-5.1).</summary>
/// <remarks><code>
/// offset  size  field
///      0     4  ASCII "PLDR"
///      4     1  version 01
///      5     1  00
///      6     2  UDP port of the node's overlay socket
///      8    16  network id
///     24     8  first 8 bytes of the node id (SHA-256 of the public key)
///     32     8  nonce, new at each start
///     40    56  00
/// </code></remarks>
/// <param name="Network">Other networks are passed over.</param>
/// <param name="NodeIdHead">The beginning of the sender's node id: to know one's own voice.</param>
/// <param name="Port">Where it can be walked to, at the address from which this came.</param>
/// <param name="Nonce">New at each start of the sender.</param>
public readonly record struct LanAnnouncement(NetworkId Network, ulong NodeIdHead, ushort Port, ulong Nonce)
{
    /// <summary>Its size: as large as the answer that it causes may not exceed much (96 bytes).</summary>
    public const int Bytes = 96;

    /// <summary>The IPv4 group that it is sent to, with a hop limit of 1.</summary>
    public static Endpoint GroupIPv4 { get; } = Endpoint.FromBytes([239, 255, 90, 90], 50790);

    /// <summary>The IPv6 group.</summary>
    public static Endpoint GroupIPv6 { get; } = Endpoint.FromBytes([0xFF, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x5A, 0x5A], 50790);

    private const byte Version = 1;

    /// <summary>Reads an announcement; false for everything else.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out LanAnnouncement announcement)
    {
        var reader = new WireReader(bytes);
        reader.Require(reader.ReadBytes(4).SequenceEqual("PLDR"u8), WireError.UnknownTag);
        reader.Require(reader.ReadByte() == Version, WireError.UnknownTag);
        reader.ReadByte();
        var port = reader.ReadUInt16();
        var network = reader.ReadBytes(16);
        var id = network.Length == 16 ? BinaryPrimitives.ReadUInt128BigEndian(network) : default;
        announcement = new LanAnnouncement(new NetworkId(id), reader.ReadUInt64(), port, reader.ReadUInt64());
        reader.ReadBytes(56);
        reader.Require(port != 0);
        return reader.Finish();
    }

    /// <summary>The 96 bytes.</summary>
    public byte[] ToBytes()
    {
        var bytes = new byte[Bytes];
        var writer = new WireWriter(bytes);
        writer.WriteBytes("PLDR"u8);
        writer.WriteByte(Version);
        writer.WriteByte(0);
        writer.WriteUInt16(Port);
        BinaryPrimitives.WriteUInt128BigEndian(writer.Reserve(16), Network.Value);
        writer.WriteUInt64(NodeIdHead);
        writer.WriteUInt64(Nonce);
        return bytes;
    }
}

/// <summary>
/// The multicast socket of a node, an adapter: it knows interfaces and groups. Offer one to the node before it starts,
/// <c>host.Offer&lt;ILanSocket&gt;(…)</c>; without one nothing is announced, as under --loopback.
/// </summary>
public interface ILanSocket
{
    /// <summary>Called on the node's loop for what comes to the groups. Set once.</summary>
    DatagramHandler? Received { get; set; }

    /// <summary>Sends to the groups on every interface, hop limit 1, best effort.</summary>
    void Announce(ReadOnlySpan<byte> datagram);
}

/// <summary>Announces the node in the local network, and walks to those that announce themselves: the walk is the answer.</summary>
internal sealed class LanDiscovery
{
    private static readonly TimeSpan[] FirstAnnouncements =
        [TimeSpan.Zero, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(4), TimeSpan.FromSeconds(9)];

    private readonly NodeHost _host;
    private readonly ILanSocket _socket;
    private readonly byte[] _announcement;
    private readonly LanAnnouncement _own;
    private readonly TimeSpan _begun;
    private readonly ITimer _timer;
    private int _announced;
    private bool _stopped;

    public LanDiscovery(NodeHost host, ILanSocket socket)
    {
        (_host, _socket, _begun) = (host, socket, host.Now);
        var port = host.Environment.Socket.LocalEndpoint.Port;
        _own = new LanAnnouncement(host.Options.Network, host.Identity.Public.NodeId.Head, port, host.Environment.Random.NextUInt64());
        _announcement = _own.ToBytes();
        socket.Received = Receive;
        _timer = host.Environment.Time.CreateTimer(
            static self => ((LanDiscovery)self!).Announce(), this, TimeSpan.Zero, Timeout.InfiniteTimeSpan);
    }

    public void Stop()
    {
        _stopped = true;
        _socket.Received = null;
        _timer.Dispose();
    }

    private void Announce()
    {
        if (_stopped) return;
        _socket.Announce(_announcement);
        _announced++;
        var next = _announced < FirstAnnouncements.Length
            ? _begun + FirstAnnouncements[_announced] - _host.Now
            : _host.Options.LanInterval * (0.8 + 0.4 * _host.Environment.Random.NextDouble());
        _timer.Change(next > TimeSpan.Zero ? next : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
    }

    private void Receive(Endpoint from, ReadOnlySpan<byte> datagram)
    {
        if (_stopped || !LanAnnouncement.TryRead(datagram, out var heard)) return;
        if (heard.Network != _own.Network || heard.NodeIdHead == _own.NodeIdHead) return;
        var address = from.WithPort(heard.Port);
        if (_host.Peers.FindAt(address) is not null || !_host.MayWalkNow()) return;
        // All hear an announcement in one instant: they answer spread over 200 ms.
        var delay = _host.Environment.Random.NextDuration(_host.Options.LanAnswerSpread);
        _ = WalkAsync(address, delay);
    }

    private async Task WalkAsync(Endpoint address, TimeSpan delay)
    {
        await Task.Delay(delay, _host.Environment.Time);
        if (_stopped) return;
        foreach (var community in _host.Communities) community.Introductions.WalkTo(address, alive: true);
    }
}
