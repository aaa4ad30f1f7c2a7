using Polder.Net;
using Polder.Overlay;
using Polder.Overlay.Sessions;
using Polder.Simulation;
using Polder.Simulation.Network;

namespace Polder.Tests.Overlay.Sessions;

/// <summary>How sessions move, and do not (OV-3.12 to OV-3.15).</summary>
public sealed class SessionPathTests
{
    private static SessionPair BehindNat(out NatBox box, ulong seed = 1, LinkModel? link = null)
    {
        var pair = new SessionPair(seed, link, aliceHome: Home.Behind(NatBehaviour.PortRestricted with { Ports = NatPorts.Random }));
        box = pair.Alice.Box!;
        return pair.Open();
    }

    [Theory, InlineData(false), InlineData(true)]
    public void A_rebound_nat_is_followed_within_one_and_a_half_round_trips(bool newAddress)
    {
        var pair = BehindNat(out var box);
        var before = pair.BobSession.Path.Remote;
        if (newAddress) box.ChangeAddress();
        else box.Forget();
        pair.Say(pair.Alice, 1);
        // Half a round trip there, one for challenge and answer; 20 ms one way.
        pair.Run(0.065);
        Assert.NotEqual(before, pair.BobSession.Path.Remote);
        Assert.Equal(pair.BobSession.Path.Remote, pair.BobSession.Peer.Address);
        pair.Say(pair.Bob, 2);
        pair.Run(0.1);
        Assert.Equal((1, 1), (pair.Bob.Talk().Remarks.Count, pair.Alice.Talk().Remarks.Count));
        // It is told where it is seen now.
        Assert.Equal(pair.BobSession.Path.Remote, pair.AliceSession.SeenAs);
        pair.Run(15);
        Assert.NotEqual(before, pair.BobSession.Path.Remote);
        Assert.Equal(0, pair.BobSession.MovesOrNull!.Count);
    }

    [Fact]
    public void Ten_rebindings_in_a_row_are_followed()
    {
        var pair = BehindNat(out var box, 3, new LinkModel { Loss = 0.05, Jitter = TimeSpan.FromMilliseconds(10) });
        for (uint round = 0; round < 10; round++)
        {
            box.Forget();
            for (var i = 0; i < 30; i++)
            {
                pair.Say(pair.Alice, round);
                pair.Run(0.1);
            }
            pair.Bob.Talk().Remarks.Clear();
            for (var i = 0; i < 10; i++) pair.Say(pair.Alice, round);
            pair.Run(0.2);
            Assert.NotEmpty(pair.Bob.Talk().Remarks);
            pair.Alice.Talk().Remarks.Clear();
            for (var i = 0; i < 10; i++) pair.Say(pair.Bob, round);
            pair.Run(0.2);
            Assert.NotEmpty(pair.Alice.Talk().Remarks);
        }
    }

    [Fact]
    public void A_network_change_is_told_to_all_peers_at_once()
    {
        var pair = BehindNat(out var box);
        box.ChangeAddress();
        pair.Alice.Run(() => pair.Alice.Host.NetworkChanged(pair.Alice.Socket.LocalEndpoint));
        Assert.True(pair.AliceSession.IsSuspect);
        pair.Run(0.1);
        Assert.False(pair.AliceSession.IsSuspect);
        Assert.True(pair.BobSession.Path.Remote.SameAddress(box.Outside));
        Assert.True(box.Outside.SameAddress(pair.AliceSession.SeenAs!.Value));
    }

    [Fact]
    public void Many_sessions_are_pinged_sixteen_at_once_and_fifty_a_second()
    {
        var pair = new SessionPair();
        var others = Enumerable.Range(0, 40).Select(i => pair.Add($"n{i}", null, OverlayTestNodes.Options)).ToList();
        foreach (var other in others) pair.Begin(pair.Alice, other);
        pair.Run(6);
        Assert.Equal(40, pair.Alice.Host.Sessions.All.Count);
        pair.Tap.All.Clear();
        pair.Alice.Run(() => pair.Alice.Host.NetworkChanged(pair.Alice.Socket.LocalEndpoint));
        Assert.Equal(16, pair.Tap.From(pair.Alice, Tap.IsData).Count());
        pair.Run(0.1);
        Assert.InRange(pair.Tap.From(pair.Alice, Tap.IsData).Count(), 20, 21);
        pair.Run(0.5);
        Assert.Equal(40, pair.Tap.From(pair.Alice, Tap.IsData).Count());
    }

    [Fact]
    public void A_packet_sent_again_from_elsewhere_changes_nothing()
    {
        var pair = new SessionPair().Open();
        var raw = pair.Raw();
        pair.Say(pair.Alice, 1);
        pair.Run(0.1);
        var packets = pair.Tap.From(pair.Alice, datagram => Tap.IsData(datagram) || Tap.IsHandshake(datagram, 1)).ToList();
        var before = pair.Tap.All.Count;
        foreach (var packet in packets) raw.Run(() => raw.Environment.Socket.Send(pair.Bob.PublicEndpoint, packet));
        pair.Run(1);
        Assert.Equal(pair.Alice.PublicEndpoint, pair.BobSession.Path.Remote);
        Assert.Single(pair.Bob.Talk().Remarks);
        Assert.True(pair.Bob.Host.Counters[Refusal.SessionReplay] >= packets.Count - 1);
        // The first handshake message is a question that a stranger repeats: a cookie, and no more.
        var back = pair.Tap.All.Skip(before).Where(item => item.From == pair.Bob && item.To == raw.Socket.LocalEndpoint).ToList();
        Assert.Equal(64, Assert.Single(back).Datagram.Length);
        Assert.Equal(["alice opened 1", "bob opened 1"], pair.Events.Order());
    }

    [Fact]
    public void Who_catches_a_fresh_packet_and_sends_it_first_gets_a_challenge_and_nothing_else()
    {
        var pair = new SessionPair().Open();
        List<(Endpoint From, byte[] Datagram)> got = [];
        var raw = pair.Raw(got);
        // What alice says is caught: it never arrives from her.
        pair.World.Partition(["alice"], ["bob"], oneWay: true);
        pair.Tap.All.Clear();
        pair.Say(pair.Alice, 1);
        var caught = Assert.Single(pair.Tap.From(pair.Alice, Tap.IsData));
        raw.Run(() => raw.Environment.Socket.Send(pair.Bob.PublicEndpoint, caught));
        pair.Run(0.1);
        // Data went on to the handler, for it is authentic; but answers stay with alice until the new place is proved.
        Assert.Single(pair.Bob.Talk().Remarks);
        Assert.Equal(pair.Alice.PublicEndpoint, pair.BobSession.Path.Remote);
        pair.Run(10);
        Assert.Equal(pair.Alice.PublicEndpoint, pair.BobSession.Path.Remote);
        Assert.True(got.Sum(item => item.Datagram.Length) <= 3 * caught.Length);
        Assert.NotEmpty(got);
    }

    [Fact]
    public void A_forwarder_in_between_does_not_keep_the_session()
    {
        // The raw host copies everything both ways, a little faster than the direct way: the new address answers, but so does the old.
        var pair = new SessionPair(1, new LinkModel { Latency = TimeSpan.FromMilliseconds(40) }).Open();
        SimulatedNode? raw = null;
        Dictionary<Endpoint, Endpoint> other = new() { [pair.Alice.PublicEndpoint] = pair.Bob.PublicEndpoint, [pair.Bob.PublicEndpoint] = pair.Alice.PublicEndpoint };
        raw = pair.World.AddNode("raw", null, node =>
        {
            node.Environment.Socket.Received = (from, datagram) => node.Environment.Socket.Send(other[from], datagram);
            return null;
        });
        foreach (var (a, b) in (IEnumerable<(string, string)>)[("alice", "raw"), ("raw", "bob"), ("bob", "raw"), ("raw", "alice")])
            pair.World.SetLink(a, b, new LinkModel { Latency = TimeSpan.FromMilliseconds(5) });
        pair.Tap.All.Clear();
        for (uint i = 0; i < 50; i++)
        {
            pair.Say(pair.Alice, i);
            var copy = pair.Tap.From(pair.Alice, Tap.IsData).Last();
            raw.Run(() => raw.Environment.Socket.Send(pair.Bob.PublicEndpoint, copy));
            pair.Run(0.2);
        }
        Assert.Equal(pair.Alice.PublicEndpoint, pair.BobSession.Path.Remote);
        Assert.Equal(50, pair.Bob.Talk().Remarks.Count);
        // It went there at most once, and came back at once.
        Assert.InRange(pair.Events.Count(line => line.StartsWith("bob moved", StringComparison.Ordinal)), 0, 2);
    }

    [Fact]
    public void At_most_one_move_a_second_and_ten_a_minute()
    {
        var pair = BehindNat(out var box, 9);
        for (var i = 0; i < 400; i++)
        {
            box.Forget();
            pair.Say(pair.Alice, 1);
            pair.Run(0.1);
        }
        Assert.InRange(pair.Events.Count(line => line.StartsWith("bob moved", StringComparison.Ordinal)), 1, 17);
        Assert.True(pair.BobSession.MovesOrNull!.Count <= 5);
    }

    [Fact]
    public void A_path_that_is_tried_becomes_the_path_when_it_answers()
    {
        var pair = new SessionPair().Open();
        var spare = pair.World.AddSocket(pair.Bob, 9999);
        spare.Received = (from, datagram) => pair.Bob.Host.Sessions.Receive(new SocketPath(spare, from), datagram);
        var path = new DirectPath(pair.Alice.Host, spare.LocalEndpoint);
        pair.Alice.Run(() => pair.AliceSession.TryPath(path));
        pair.Run(0.2);
        Assert.Equal(spare.LocalEndpoint, pair.AliceSession.Path.Remote);
        pair.Say(pair.Alice, 1);
        pair.Run(3);
        Assert.Single(pair.Bob.Talk().Remarks);

        // Where nobody answers, the session stays.
        pair.Alice.Run(() => pair.AliceSession.TryPath(new DirectPath(pair.Alice.Host, pair.Bob.PublicEndpoint.WithPort(7))));
        pair.Run(10);
        Assert.Equal(spare.LocalEndpoint, pair.AliceSession.Path.Remote);
    }

    [Fact]
    public void An_unproved_path_gets_little()
    {
        var pair = new SessionPair().Open();
        var nowhere = new DirectPath(pair.Alice.Host, pair.Bob.PublicEndpoint.WithPort(7));
        pair.Tap.All.Clear();
        pair.Alice.Run(() =>
        {
            for (var i = 0; i < 100; i++) pair.AliceSession.SendOn(nowhere, FrameType.Ping, new byte[8]);
        });
        Assert.InRange(pair.Tap.All.Where(item => item.To == nowhere.Remote).Sum(item => item.Datagram.Length), 45, 1200);
    }
}
