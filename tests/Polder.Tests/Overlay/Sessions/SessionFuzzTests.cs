using Polder.Net;
using Polder.Overlay.Sessions;
using Polder.Runtime;
using Polder.Simulation;

namespace Polder.Tests.Overlay.Sessions;

/// <summary>Every decoder of sessions under damaged and random bytes.</summary>
public sealed class SessionFuzzTests
{
    [Fact]
    public void Handshakes_cookies_and_packets()
    {
        var pair = new SessionPair(1, options: new SessionOptions { HandshakesPerSecond = 0.01 }).Open();
        Task<Session?>? unknown = null;
        var carol = pair.Add("carol", null, OverlayTestNodes.Options);
        carol.Run(() => unknown = carol.Host.Sessions.OpenUnknownAsync(new DirectPath(carol.Host, pair.Bob.PublicEndpoint)));
        pair.Run(1);
        Assert.NotNull(unknown!.Now());
        var corpus = pair.Tap.All.Select(item => item.Datagram).Where(datagram => Tap.IsData(datagram)
            || Enumerable.Range(1, 6).Any(number => Tap.IsHandshake(datagram, (byte)number))).ToList();
        Assert.True(corpus.Count > 10);
        foreach (var node in (SimulatedNode[])[pair.Alice, pair.Bob])
        {
            var path = new DirectPath(node.Host, Endpoint.FromIPv4(0x14010203, 4));
            pair.Amplification.Exempt(node);
            node.Run(() => Fuzz.Run($"sessions of {node.Name}", corpus, bytes => node.Host.Sessions.Receive(path, bytes), 16));
        }
        Assert.True(pair.AliceSession.IsOpen);
    }

    [Fact]
    public void Frames_of_an_authenticated_peer()
    {
        var pair = new SessionPair().Open();
        byte[] Frame(FrameType type, byte[] body) => [(byte)type, (byte)(body.Length >> 8), (byte)(body.Length & 0xFF), .. body];
        var address = new byte[19];
        Frames.WriteAddress(address, pair.Alice.PublicEndpoint);
        byte[] bind = [0, .. Convert.FromHexString(TalkCommunity.Id.ToString()), 3, 0, 0, 0, 1];
        List<byte[]> corpus =
        [
            Frame(FrameType.Ping, new byte[8]), Frame(FrameType.Pong, new byte[8]), Frame(FrameType.PathChallenge, new byte[8]), Frame(FrameType.PathResponse, new byte[8]),
            Frame(FrameType.Message, [0, 3, 0, 0, 0, 1]), Frame(FrameType.MessageBind, bind), Frame(FrameType.MessageBound, [0]),
            Frame(FrameType.MessagePart, [0, 1, 2, 0, 0, 1, 0, .. new byte[256]]), Frame(FrameType.MessagePart, [0, 1, 2, 0, 1, 1, 0, .. new byte[256]]),
            Frame(FrameType.Addresses, [1, .. address]), Frame(FrameType.Observed, address),
            [.. Frame(FrameType.MessageBind, bind), .. Frame(FrameType.Message, [0, 3, 0, 0, 0, 1]), 0, 0, 0],
        ];
        pair.Alice.Run(() =>
        {
            var sessions = pair.Alice.Host.Sessions;
            var keys = new byte[64];
            // A part of a long message takes a place for the whole, at most 64 KiB; each input gets a session that is open.
            Fuzz.Run("session frames", corpus, bytes =>
            {
                var session = new Session(sessions, pair.AliceSession.Peer, pair.AliceSession.Path, isInitiator: true);
                pair.World.Random.Fill(keys);
                session.Install(keys.AsSpan(0, 32), keys.AsSpan(32), 256, 512, 1, 0, byUs: true, TimeSpan.Zero);
                session.ReceivedFrom(session.Path);
                sessions.Frames.HandleForTest(session, bytes);
            }, allocationFactor: 16_384);
        });
    }

    [Fact]
    public void Addresses_and_facts()
    {
        var random = new Prng(5);
        var corpus = Enumerable.Range(0, 8).Select(_ =>
        {
            var bytes = new byte[HandshakeFacts.Bytes];
            random.Fill(bytes);
            (bytes[4], bytes[8]) = (1, (byte)random.Next(4));
            return bytes;
        }).ToList();
        Fuzz.Run("handshake facts", corpus, bytes =>
        {
            if (bytes.Length != HandshakeFacts.Bytes || !HandshakeFacts.TryRead(bytes, out var facts)) return;
            var written = new byte[HandshakeFacts.Bytes];
            facts.Write(written);
            Assert.True(HandshakeFacts.TryRead(written, out var again));
            Assert.Equal(facts, again);
        });
    }

    [Fact]
    public void The_replay_window_is_exact()
    {
        var random = new Prng(7);
        for (var round = 0; round < 20; round++)
        {
            var window = new ReplayWindow();
            HashSet<ulong> seen = [];
            ulong highest = 0;
            for (var i = 0; i < 4000; i++)
            {
                var jump = random.Chance(0.01) ? random.Next(5000) : random.Next(40);
                var counter = random.Chance(0.5) || highest < 2100 ? highest + (ulong)jump : highest - (ulong)random.Next(2100);
                var isOld = seen.Count > 0 && highest + 1 > counter && highest + 1 - counter > ReplayWindow.Size;
                Assert.Equal(!isOld && !seen.Contains(counter), window.Accepts(counter));
                if (isOld || seen.Contains(counter)) continue;
                Assert.Equal(seen.Count == 0 || counter > highest, window.Mark(counter));
                seen.Add(counter);
                highest = Math.Max(highest, counter);
            }
        }
    }
}
