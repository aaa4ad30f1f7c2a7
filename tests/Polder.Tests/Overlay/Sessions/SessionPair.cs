using Polder.Net;
using Polder.Overlay;
using Polder.Overlay.Sessions;
using Polder.Simulation;
using Polder.Simulation.Checkers;
using Polder.Wire;

namespace Polder.Tests.Overlay.Sessions;

/// <summary>Message 9: bytes, of any length. Field: the bytes.</summary>
internal readonly record struct Parcel(byte[] Bytes) : IMessage<Parcel>
{
    public static byte Number => 9;
    public static Parcel Read(ref WireReader reader) => new(reader.ReadRest().ToArray());
    public void Write(ref WireWriter writer) => writer.WriteBytes(Bytes);
}

/// <summary>A community that is in sessions only.</summary>
internal sealed class ParcelCommunity : Community
{
    public static CommunityId Id { get; } = CommunityId.FromName("polder/tests/parcels"u8);
    public ParcelCommunity(CommunityContext context) : base(Id, context) => On<Parcel>((peer, parcel) => Got.Add((peer, parcel.Bytes)));
    public List<(Peer From, byte[] Bytes)> Got { get; } = [];
    public void Send(Peer peer, byte[] bytes) => Send(peer, new Parcel(bytes));
    public void SendPlainly(Endpoint to, byte[] bytes) => SendTo(to, new Parcel(bytes));
    protected internal override bool InSessionsOnly => true;
}

/// <summary>Keeps every datagram that a node sends.</summary>
internal sealed class Tap : TrafficChecker
{
    public List<(SimulatedNode From, Endpoint To, byte[] Datagram)> All { get; } = [];
    public IEnumerable<byte[]> From(SimulatedNode node, Func<byte[], bool> which) => All.Where(item => item.From == node && which(item.Datagram)).Select(item => item.Datagram);
    public static bool IsData(byte[] datagram) => datagram[0] == DataPacket.FirstByte;
    public static bool IsHandshake(byte[] datagram, byte number) =>
        Packet.HasHeader(datagram) && Packet.CommunityOf(datagram) == Polder.Overlay.Discovery.DiscoveryCommunity.Extension && Packet.NumberOf(datagram) == number;
    public override void Check(World world) { }
    public override void Sent(World world, SimulatedNode node, Endpoint to, ReadOnlySpan<byte> datagram) => All.Add((node, to, datagram.ToArray()));
    public override void Received(World world, SimulatedNode node, Endpoint from, ReadOnlySpan<byte> datagram) { }
}

/// <summary>Two nodes, alice and bob, watched for repeated counters and more bytes than strangers may get; and a raw host.</summary>
internal sealed class SessionPair
{
    public SessionPair(ulong seed = 1, LinkModel? link = null, SessionOptions? options = null, Home? aliceHome = null, Home? bobHome = null, bool real = false)
    {
        World = new World(seed, link, new WorldOptions { RealSignatures = real });
        World.Ciphers = Nonces = new NonceWatch(World);
        World.Always(Tap);
        World.Always(Amplification);
        var overlay = OverlayTestNodes.Options with { Sessions = options ?? OverlayTestNodes.Options.Sessions };
        Alice = Add("alice", aliceHome, overlay);
        Bob = Add("bob", bobHome, overlay);
    }

    public World World { get; }
    public NonceWatch Nonces { get; }
    public Tap Tap { get; } = new();
    public NoAmplification Amplification { get; } = new();
    public SimulatedNode Alice { get; }
    public SimulatedNode Bob { get; }
    public List<string> Events { get; } = [];

    public Session AliceSession => Alice.Host.Sessions.Find(Bob.Identity.Public) ?? throw new InvalidOperationException("Alice has no session.");
    public Session BobSession => Bob.Host.Sessions.Find(Alice.Identity.Public) ?? throw new InvalidOperationException("Bob has no session.");

    public SimulatedNode Add(string name, Home? home, OverlayOptions options) => World.AddNode(name, home, options, (node, host) =>
    {
        host.Join(context => new TalkCommunity(context));
        host.Join(context => new ParcelCommunity(context));
        host.Sessions.Opened += session => Events.Add($"{name} opened {session.Epoch}");
        host.Sessions.Closed += _ => Events.Add($"{name} closed");
        host.Sessions.Moved += (session, before) => Events.Add($"{name} moved {before.Remote} {session.Path.Remote}");
    });

    public Task<Session?> Begin(SimulatedNode from, SimulatedNode to)
    {
        Task<Session?>? opening = null;
        from.Run(() => opening = from.Host.Sessions.OpenAsync(to.Identity.Public, new DirectPath(from.Host, to.PublicEndpoint)));
        return opening!;
    }

    /// <summary>Alice opens a session with Bob, and both have it.</summary>
    public SessionPair Open()
    {
        var opening = Begin(Alice, Bob);
        World.RunUntil(() => opening.IsCompleted && Bob.Host.Sessions.Find(Alice.Identity.Public) is { IsOpen: true }, TimeSpan.FromSeconds(20), "a session opens");
        Assert.NotNull(opening.Now());
        World.RunFor(TimeSpan.FromSeconds(1));
        return this;
    }

    public static ParcelCommunity Parcels(SimulatedNode node) => node.Host.Communities.OfType<ParcelCommunity>().First();

    public void Say(SimulatedNode from, uint number)
    {
        var session = from == Alice ? AliceSession : BobSession;
        from.Run(() => from.Talk().Say(session.Peer, number));
    }

    public void Run(double seconds) => World.RunFor(TimeSpan.FromSeconds(seconds));

    /// <summary>A host that sends what it likes.</summary>
    public SimulatedNode Raw(List<(Endpoint From, byte[] Datagram)>? got = null, string name = "raw")
    {
        var node = World.AddNode(name, null, raw =>
        {
            raw.Environment.Socket.Received = (from, datagram) => got?.Add((from, datagram.ToArray()));
            return null;
        });
        Amplification.Exempt(node);
        return node;
    }

    /// <summary>A plain, rightly signed remark of a node, past everything that its host would do.</summary>
    public void SayPlainly(SimulatedNode from, SimulatedNode to, uint number)
    {
        var buffer = new byte[300];
        var length = Packet.WriteSigned(buffer, TalkCommunity.Id, MessageForm.Plain, 0, new Remark(number), from.Identity, World.Signatures);
        from.Run(() => from.Environment.Socket.Send(to.PublicEndpoint, buffer.AsSpan(0, length)));
    }
}
