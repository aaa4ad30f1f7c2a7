using Polder.Identity;
using Polder.Overlay;
using Polder.Runtime;
using Polder.Simulation.Network;

namespace Polder.Simulation;

/// <summary>
/// A node of a world: what stays when it crashes (name, identity, disk, place, clock) and what does not (loop, socket, and
/// the program that its factory made).
/// </summary>
public sealed class SimulatedNode
{
    private readonly Func<SimulatedNode, object?> _start;
    private readonly List<Action<NodeHost>> _joins = [];
    private Polder.Net.Endpoint _address;

    internal SimulatedNode(World world, string name, int index, Home home, KeyPair identity, Func<SimulatedNode, object?> start)
    {
        (World, Name, Index, Identity, _start) = (world, name, index, identity, start);
        LinkRandom = Prng.Derive(world.Seed, "link/" + name);
        Home = home;
        Disk = new SimulatedDisk(this);
        (MapX, MapY) = ((float)Chance.Unit(Chance.Mix(world.Seed, index, 0)), (float)Chance.Unit(Chance.Mix(world.Seed, index, 1)));
        ClockOffset = home.ClockOffset;
        Move(home);
    }

    /// <summary>The world it lives in.</summary>
    public World World { get; }

    /// <summary>Its name in the scenario.</summary>
    public string Name { get; }

    /// <summary>Its number, from 0, in order of adding.</summary>
    public int Index { get; }

    /// <summary>Its key pair, from the seed and the name.</summary>
    public KeyPair Identity { get; }

    /// <summary>Where it lives.</summary>
    public Home Home { get; private set; }

    /// <summary>The innermost NAT box before it; null when it has a public address.</summary>
    public NatBox? Box { get; private set; }

    /// <summary>How far its wall clock is ahead of the world. Setting it makes the clock jump; timers do not notice.</summary>
    public TimeSpan ClockOffset { get; set; }

    /// <summary>How much faster its clock runs, in millionths.</summary>
    public double ClockDriftPpm => Home.ClockDriftPpm;

    /// <summary>Whether it runs: started, and neither crashed nor stopped since.</summary>
    public bool IsRunning => Loop is { IsAlive: true };

    /// <summary>How often it was started.</summary>
    public int Starts { get; private set; }

    /// <summary>Its present loop.</summary>
    public SimulatedLoop Loop { get; private set; } = null!;

    /// <summary>Its present socket.</summary>
    public SimulatedSocket Socket { get; private set; } = null!;

    /// <summary>The world as its protocol code sees it.</summary>
    public NodeEnvironment Environment { get; private set; } = null!;

    /// <summary>What the factory made at the last start.</summary>
    public object? Program { get; private set; }

    /// <summary>Its disk, which survives it.</summary>
    public SimulatedDisk Disk { get; }

    /// <summary>The overlay that runs on it at present, where it was added with one.</summary>
    public NodeHost Host => Program as NodeHost ?? throw new InvalidOperationException($"{Name} runs no overlay.");

    /// <summary>Bytes sent since the beginning, over all starts.</summary>
    public long BytesOut { get; internal set; }

    /// <summary>Bytes received since the beginning, over all starts.</summary>
    public long BytesIn { get; internal set; }

    internal Prng LinkRandom { get; }
    /// <summary>Open sockets beside <see cref="Socket"/>.</summary>
    internal List<SimulatedSocket> FurtherSockets => field ??= [];

    internal long LineBusyUntil { get; set; }
    internal long DownlinkBusyUntil { get; set; }

    /// <summary>Its place on the map that distances are measured on, from 0 to 1.</summary>
    internal float MapX { get; }

    /// <summary>The other coordinate.</summary>
    internal float MapY { get; }

    /// <summary>Joins a community, now and after every restart. Gives the node, so that joins can be chained.</summary>
    public SimulatedNode Join<T>(Func<CommunityContext, T> make) where T : Community
    {
        _joins.Add(host => host.Join(make));
        if (IsRunning) Run(() => Host.Join(make));
        return this;
    }

    /// <summary>The community of this class in the node's present life.</summary>
    public T Get<T>() where T : Community => Host.Communities.OfType<T>().First();

    /// <summary>Tells the node another's address, as <c>--join</c> does.</summary>
    public void WalkTo(SimulatedNode other) => Run(() => Host.WalkTo(other.PublicEndpoint));

    /// <summary>Where others find it when it has a public address; the outer address of its outermost box, same port, otherwise.</summary>
    public Polder.Net.Endpoint PublicEndpoint
    {
        get
        {
            var endpoint = Socket.LocalEndpoint;
            for (var box = Box; box is not null; box = box.OuterRealm.Gateway)
                if (box.Behaviour.Translates) endpoint = box.Outside.WithPort(Home.Port);
            return endpoint;
        }
    }

    /// <summary>Runs <paramref name="work"/> on the node's loop, now. Nothing happens when the node is down.</summary>
    public void Run(Action work)
    {
        Loop.RunNow(work);
        World.ThrowIfFailed();
    }

    /// <inheritdoc/>
    public override string ToString() => Name;

    internal void Start()
    {
        Loop = new SimulatedLoop(World, this);
        var clock = new SimulatedClock(World, this, Loop);
        var realm = Box?.InnerRealm ?? World.Network.Internet;
        Socket = new SimulatedSocket(World.Network, this, Loop, realm, _address.WithPort(Home.Port));
        Environment = new NodeEnvironment(
            Loop, clock, Prng.Derive(World.Seed, $"node/{Name}/{Starts}"), Socket, new SimulatedWorkers(World, Loop), World.Signatures)
        {
            ExtraSockets = new SimulatedExtraSockets(World.Network, this, Loop, Socket),
            Keys = World.Keys,
            Ciphers = World.Ciphers,
            Mischief = World.Options.Mischief
                ? new Mischief(World.Seed, Prng.Derive(World.Seed, $"mischief/{Name}/{Starts}"), () => World.Network.FaultsOn) : null,
        };
        Starts++;
        Loop.RunNow(() => Program = _start(this));
    }

    internal void JoinAll(NodeHost host)
    {
        foreach (var join in _joins) join(host);
    }

    internal void Kill()
    {
        Loop.IsAlive = false;
        Socket.Close();
        foreach (var socket in FurtherSockets.ToArray()) socket.Close();
    }

    /// <summary>Goes elsewhere while it runs: other address, other box, other line; sockets stay open.</summary>
    internal void Roam(Home home)
    {
        Move(home);
        Socket.MoveTo(Box?.InnerRealm ?? World.Network.Internet, _address);
        foreach (var socket in FurtherSockets) socket.MoveTo(Socket.Realm, _address);
    }

    internal void Move(Home home)
    {
        Home = home;
        var behind = home.Carrier is { } carrier ? new NatBox(World, carrier, home.Box) : home.Box;
        Box = home.Nat is { } behaviour ? new NatBox(World, behaviour, behind) : behind;
        _address = Box is null && home.Address is { } address ? address : (Box?.InnerRealm ?? World.Network.Internet).NewAddress(forBox: false);
    }
}
