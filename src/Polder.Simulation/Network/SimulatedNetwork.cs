using Polder.Net;
using Polder.Runtime;

namespace Polder.Simulation.Network;

/// <summary>Takes datagrams from sockets through links and boxes to sockets. One stream of chance for each sender, so that one more node shifts nobody else's.</summary>
internal sealed class SimulatedNetwork
{
    private const int PooledMax = 4096;

    private readonly World _world;
    private readonly ulong _distanceSeed;
    private readonly PathWeather _weather;
    private readonly Stack<InFlight> _pool = new();
    private readonly List<Cut> _cuts = [];
    private Dictionary<(int From, int To), LinkModel>? _pairs;

    public SimulatedNetwork(World world)
    {
        _world = world;
        _distanceSeed = Prng.DeriveSeed(world.Seed, "distances");
        _weather = new PathWeather(Prng.DeriveSeed(world.Seed, "weather"));
    }

    public Realm Internet { get; } = new(null);
    public NetworkFigures Figures { get; } = new();

    /// <summary>NAT boxes so far: the number of the next one, from which its chance is drawn.</summary>
    public int BoxesMade { get; set; }

    /// <summary>While false, links lose, double, delay and damage nothing beyond their latency: phase B of a scenario.</summary>
    public bool FaultsOn { get; set; } = true;

    public void SetLink(SimulatedNode from, SimulatedNode to, LinkModel? model)
    {
        _pairs ??= [];
        if (model is null) _pairs.Remove((from.Index, to.Index));
        else _pairs[(from.Index, to.Index)] = model;
    }

    public void Add(Cut cut)
    {
        _cuts.RemoveAll(old => old.HoldUntil > 0 && old.HoldUntil <= _world.NowTicks);
        _cuts.Add(cut);
    }

    public void Heal() => _cuts.Clear();

    public void Send(SimulatedSocket socket, Endpoint to, ReadOnlySpan<byte> datagram)
    {
        var sender = socket.Node;
        if (!socket.Loop.IsAlive) return;
        if (_world.IsForeignThread)
        {
            _world.RememberForeignPost(sender);
            return;
        }
        Figures.Sent++;
        sender.BytesOut += datagram.Length;
        _world.Observe(sender, to, datagram);
        if (!to.IsSendable || datagram.Length > Polder.Limits.DatagramBytesMax) return;

        var realm = socket.Realm;
        var from = socket.LocalEndpoint;
        SimulatedSocket? target;
        while (!realm.Hosts.TryGetValue(to, out target) && (realm.Boxes.Count == 0 || !realm.Boxes.ContainsKey(to.WithPort(0))))
        {
            if (realm.Gateway is not { } gateway)
            {
                Drop(sender, null, to, datagram.Length, "nobody there");
                return;
            }
            var isHairpin = to.SameAddress(gateway.Outside);
            if (isHairpin && !gateway.Behaviour.Hairpin)
            {
                Drop(sender, null, to, datagram.Length, "no hairpin");
                return;
            }
            if (gateway.Out(from, to) is not { } outer)
            {
                Drop(sender, null, to, datagram.Length, "box let nothing out");
                return;
            }
            from = outer;
            realm = gateway.OuterRealm;
        }
        Carry(sender, realm, from, to, target, datagram);
    }

    private void Carry(SimulatedNode sender, Realm realm, Endpoint from, Endpoint to, SimulatedSocket? target, ReadOnlySpan<byte> datagram)
    {
        var receiver = target is not null ? target.Node : PeekReceiver(realm, to);
        var model = sender.Home.Link ?? _world.Link;
        if (_pairs is not null && receiver is not null && _pairs.TryGetValue((sender.Index, receiver.Index), out var own)) model = own;

        var now = _world.NowTicks;
        var delay = model.Latency.Ticks;
        var random = sender.LinkRandom;
        if (datagram.Length > model.MtuBytes)
        {
            Drop(sender, receiver, to, datagram.Length, "larger than the path carries");
            return;
        }
        if (model.Spread > TimeSpan.Zero && receiver is not null)
            delay += (long)(model.Spread.Ticks * (model.SpreadSkew == 1 ? Distance(sender, receiver) : Math.Pow(OwnDistance(sender, receiver), model.SpreadSkew)));
        if (model.BandwidthBytesPerSecond > 0)
        {
            var start = Math.Max(now, sender.LineBusyUntil);
            if (start - now > model.QueueLimit.Ticks)
            {
                Drop(sender, receiver, to, datagram.Length, "line full");
                return;
            }
            sender.LineBusyUntil = start + (long)((datagram.Length + 28) / model.BandwidthBytesPerSecond * TimeSpan.TicksPerSecond);
            delay += sender.LineBusyUntil - now;
        }
        if (model.Jitter > TimeSpan.Zero) delay += Jitter(model, random);
        if (receiver is not null && receiver.Home.DownlinkBytesPerSecond > 0)
        {
            // The receiver's line is busy from when the datagram comes to it.
            var (come, rate) = (now + delay, receiver.Home.DownlinkBytesPerSecond);
            var start = Math.Max(come, receiver.DownlinkBusyUntil);
            if (start - come > model.QueueLimit.Ticks)
            {
                Drop(sender, receiver, to, datagram.Length, "downlink full");
                return;
            }
            receiver.DownlinkBusyUntil = start + (long)((datagram.Length + 28) / rate * TimeSpan.TicksPerSecond);
            delay = receiver.DownlinkBusyUntil - now;
        }
        if (!FaultsOn)
        {
            Launch(sender, realm, from, to, target, datagram, now + delay);
            return;
        }
        if ((model.Loss > 0 && random.Chance(model.Loss)) || (model.BurstLoss > 0 && _weather.IsBurst(sender.Index, receiver?.Index ?? -1, now, model.BurstLoss, model.BurstLength)))
        {
            Drop(sender, receiver, to, datagram.Length, "lost");
            return;
        }
        if (model.Spikes > 0) delay += Math.Min(model.SpikeLength.Ticks, _weather.SpikeLeft(sender.Index, receiver?.Index ?? -1, now, model.Spikes, model.SpikeLength));
        if (model.HeldBack > 0 && random.Chance(model.HeldBack)) delay += (long)(model.HeldBackFor.Ticks * random.NextDouble());
        if (model.Reordering > 0 && random.Chance(model.Reordering)) delay += (long)(model.ReorderingWithin.Ticks * random.NextDouble());
        var flight = Launch(sender, realm, from, to, target, datagram, now + delay);
        if (model.BitErrors > 0 && flight.Length > 0 && random.Chance(model.BitErrors))
            flight.Buffer[random.Next(flight.Length)] ^= (byte)(1 << random.Next(8));
        if (model.Duplication > 0 && random.Chance(model.Duplication))
            Launch(sender, realm, from, to, target, datagram, now + delay + (long)(model.ReorderingWithin.Ticks * random.NextDouble()));
    }

    private InFlight Launch(SimulatedNode sender, Realm realm, Endpoint from, Endpoint to, SimulatedSocket? target, ReadOnlySpan<byte> datagram, long at)
    {
        var flight = _pool.TryPop(out var pooled) ? pooled : new InFlight();
        flight.Fill(datagram);
        (flight.Sender, flight.Realm, flight.From, flight.To, flight.Target) = (sender, realm, from, to, target);
        _world.PlanAt(at, flight, 0);
        return flight;
    }

    /// <summary>A datagram reached the end of its way. Gives the node that took it, or null.</summary>
    public SimulatedNode? Arrive(InFlight flight)
    {
        var (realm, to) = (flight.Realm, flight.To);
        // Who was there when it was sent is there still, unless it died or went elsewhere meanwhile.
        var socket = flight.Target is { Loop.IsAlive: true } known && known.LocalEndpoint == to ? known : null;
        while (socket is null && !realm.Hosts.TryGetValue(to, out socket))
        {
            if (!realm.Boxes.TryGetValue(to.WithPort(0), out var box) || box.In(flight.From, to) is not { } inner)
            {
                Drop(flight.Sender, null, to, flight.Length, box is null ? "nobody there" : "box let nothing in");
                GiveBack(flight);
                return null;
            }
            (realm, to) = (box.InnerRealm, inner);
        }
        var node = socket.Node;
        if (_cuts.Count > 0 && CutBetween(flight.Sender, node) is { } cut)
        {
            if (cut.HoldUntil > 0) _world.PlanAt(cut.HoldUntil, flight, 0);
            else
            {
                Drop(flight.Sender, node, to, flight.Length, "cut");
                GiveBack(flight);
            }
            return null;
        }
        if (socket.Loop.IsAlive && socket.Received is { } handler)
        {
            var datagram = flight.Buffer.AsSpan(0, flight.Length);
            Figures.Delivered++;
            Figures.BytesDelivered += flight.Length;
            node.BytesIn += flight.Length;
            _world.NoteDelivery(flight.Sender, node, flight.From, datagram);
            var before = socket.Loop.Enter();
            try { handler(flight.From, datagram); }
            finally { SynchronizationContext.SetSynchronizationContext(before); }
        }
        GiveBack(flight);
        return node;
    }

    private void GiveBack(InFlight flight)
    {
        flight.Target = null;
        if (_pool.Count < PooledMax && flight.Buffer.Length <= 1536) _pool.Push(flight);
    }

    private void Drop(SimulatedNode from, SimulatedNode? to, Endpoint endpoint, int bytes, string why)
    {
        Figures.Dropped++;
        _world.Events.Add(new RecentEvent(_world.NowTicks, why, from.Index, to?.Index ?? -1, endpoint, bytes, 0));
    }

    private static SimulatedNode? PeekReceiver(Realm realm, Endpoint to)
    {
        SimulatedSocket? socket;
        while (!realm.Hosts.TryGetValue(to, out socket))
        {
            if (!realm.Boxes.TryGetValue(to.WithPort(0), out var box) || box.Peek(to) is not { } inner) return null;
            (realm, to) = (box.InnerRealm, inner);
        }
        return socket.Node;
    }

    /// <summary>From 0 to 1, on a map where each node has its place: what is near to both of two is near.</summary>
    private static double Distance(SimulatedNode a, SimulatedNode b)
    {
        var (x, y) = (a.MapX - b.MapX, a.MapY - b.MapY);
        return Math.Sqrt((x * x + y * y) / 2);
    }

    /// <summary>From 0 to 1, each pair's own.</summary>
    private double OwnDistance(SimulatedNode a, SimulatedNode b) =>
        Chance.Unit(Chance.Mix(_distanceSeed, Math.Min(a.Index, b.Index), Math.Max(a.Index, b.Index)));

    private static long Jitter(LinkModel model, Prng random)
    {
        if (model.JitterTail == 0) return (long)(model.Jitter.Ticks * random.NextDouble());
        // Log-normal: half of all take less than half of it, a few very much more.
        var normal = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
        return (long)(model.Jitter.Ticks * Math.Min(20, 0.5 * Math.Exp(model.JitterTail * normal)));
    }

    private Cut? CutBetween(SimulatedNode from, SimulatedNode to)
    {
        foreach (var cut in _cuts)
            if ((cut.HoldUntil == 0 || cut.HoldUntil > _world.NowTicks) && cut.Separates(from, to)) return cut;
        return null;
    }
}

/// <summary>Nodes that do not hear other nodes; held-back datagrams arrive when <see cref="HoldUntil"/> comes.</summary>
internal sealed class Cut(HashSet<int> from, HashSet<int> to, bool oneWay, long holdUntil)
{
    /// <summary>When what was held back arrives; 0 for a cut, which drops.</summary>
    public long HoldUntil => holdUntil;

    public bool Separates(SimulatedNode sender, SimulatedNode receiver) =>
        (from.Contains(sender.Index) && to.Contains(receiver.Index))
        || (!oneWay && to.Contains(sender.Index) && from.Contains(receiver.Index));
}

/// <summary>What the network of a world did so far.</summary>
public sealed class NetworkFigures
{
    /// <summary>Datagrams handed to sockets.</summary>
    public long Sent { get; internal set; }
    /// <summary>Datagrams that reached a node, duplicates included.</summary>
    public long Delivered { get; internal set; }
    /// <summary>Bytes in them.</summary>
    public long BytesDelivered { get; internal set; }
    /// <summary>Datagrams that were lost, cut off, filtered or sent to nobody.</summary>
    public long Dropped { get; internal set; }
}
