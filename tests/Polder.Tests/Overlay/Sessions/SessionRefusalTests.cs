using Polder.Identity;
using Polder.Overlay;
using Polder.Overlay.Discovery;
using Polder.Overlay.Sessions;
using Polder.Simulation;

namespace Polder.Tests.Overlay.Sessions;

/// <summary>What sessions refuse: downgrade, forgery, floods, foreign networks (OV-3.2 to OV-3.9).</summary>
public sealed class SessionRefusalTests
{
    private static byte[] Initiation(SessionPair pair)
    {
        if (!pair.Tap.From(pair.Alice, datagram => Tap.IsHandshake(datagram, 1)).Any()) pair.Begin(pair.Alice, pair.Bob);
        return pair.Tap.From(pair.Alice, datagram => Tap.IsHandshake(datagram, 1)).First();
    }

    [Fact]
    public void A_plain_message_of_a_key_that_had_a_session_is_refused_and_answered_by_a_handshake()
    {
        var pair = new SessionPair().Open();
        // Alice starts again without any memory and without knowing that Bob has sessions; her packets are plain and rightly signed.
        pair.World.Restart("alice");
        pair.SayPlainly(pair.Alice, pair.Bob, 7);
        pair.Run(0.1);
        Assert.Empty(pair.Bob.Talk().Remarks);
        Assert.Equal(1, pair.Bob.Host.Counters[Refusal.PlainFromSticky]);
        Assert.True(pair.Bob.Host.Sessions.IsSticky(pair.Alice.Identity.Public));

        // Whether the session was still there or not.
        pair.Bob.Run(() => pair.BobSession.Close());
        pair.SayPlainly(pair.Alice, pair.Bob, 8);
        pair.Run(1);
        Assert.Empty(pair.Bob.Talk().Remarks);
        Assert.True(pair.BobSession.IsInitiator);
        pair.Say(pair.Alice, 9);
        pair.Run(0.1);
        Assert.Equal(9u, Assert.Single(pair.Bob.Talk().Remarks).Number);
    }

    [Fact]
    public void Thirty_days_later_plain_words_count_again()
    {
        var pair = new SessionPair(options: new SessionOptions { StickyFor = TimeSpan.FromMinutes(40) }).Open();
        pair.World.Crash("alice");
        pair.Run(41 * 60);
        Assert.False(pair.Bob.Host.Sessions.IsSticky(pair.Alice.Identity.Public));
        pair.World.Restart("alice");
        pair.SayPlainly(pair.Alice, pair.Bob, 7);
        pair.Run(0.1);
        Assert.Single(pair.Bob.Talk().Remarks);
    }

    private sealed class Shelf : IStickyKeyStore
    {
        public IReadOnlyList<StickyKey> Keys { get; private set; } = [];
        public IReadOnlyList<StickyKey> Load() => Keys;
        public void Save(IReadOnlyList<StickyKey> keys) => Keys = keys;
    }

    [Fact]
    public void Sticky_keys_outlive_the_program_where_there_is_a_store()
    {
        var shelf = new Shelf();
        var world = new World(1);
        var bob = world.AddTalker("bob");
        var alice = world.AddNode("alice", null, OverlayTestNodes.Options, (_, host) => host.Offer<IStickyKeyStore>(shelf));
        alice.Run(() => alice.Host.Sessions.OpenAsync(bob.Identity.Public, new DirectPath(alice.Host, bob.PublicEndpoint)));
        world.RunFor(TimeSpan.FromSeconds(1));
        alice.Run(() => _ = alice.Host.StopAsync().AsTask());
        Assert.Equal(bob.Identity.Public, Assert.Single(shelf.Keys).Key);
        world.Restart("alice");
        Assert.True(alice.Host.Sessions.IsSticky(bob.Identity.Public));
    }

    [Fact]
    public void A_community_in_sessions_only_takes_and_sends_nothing_plain()
    {
        var pair = new SessionPair();
        pair.Alice.WalkTo(pair.Bob);
        pair.World.RunUntil(() => pair.Alice.Knows(pair.Bob) is { IsValidated: true }, TimeSpan.FromSeconds(30), "they meet");
        pair.Alice.Run(() => SessionPair.Parcels(pair.Alice).SendPlainly(pair.Bob.PublicEndpoint, new byte[40]));
        pair.Run(0.1);
        Assert.Empty(SessionPair.Parcels(pair.Bob).Got);
        Assert.Equal(1, pair.Bob.Host.Counters[Refusal.SessionsOnly]);
        pair.Alice.Run(() => SessionPair.Parcels(pair.Alice).Send(pair.Alice.Knows(pair.Bob)!, new byte[40]));
        pair.Run(1);
        Assert.Single(SessionPair.Parcels(pair.Bob).Got);
    }

    [Fact]
    public void A_peer_without_sessions_is_talked_to_plainly_after_three_initiations()
    {
        var pair = new SessionPair();
        var plain = pair.Add("plain", null, OverlayTestNodes.Options with { Sessions = new SessionOptions { Enabled = false } });
        pair.Alice.WalkTo(plain);
        pair.World.RunUntil(() => pair.Alice.Met(plain), TimeSpan.FromSeconds(30), "they meet");
        Assert.False(pair.Alice.Knows(plain)!.IsPolder);
        pair.Alice.Run(() => pair.Alice.Talk().Say(pair.Alice.Knows(plain)!, 1));
        pair.Run(0.1);
        Assert.Single(plain.Talk().Remarks);

        // Somebody lies that it has sessions: what was said comes plainly after 3.5 s, and the next at once.
        var peer = pair.Alice.Knows(plain)!;
        pair.Alice.Run(() =>
        {
            pair.Alice.Host.Peers.AddCommunity(peer, DiscoveryCommunity.Extension);
            pair.Alice.Talk().Say(peer, 2);
        });
        pair.Run(2);
        Assert.Single(plain.Talk().Remarks);
        pair.Run(4);
        Assert.Equal(2, plain.Talk().Remarks.Count);
        Assert.Equal(SessionState.Plain, pair.Alice.Host.Sessions.StateOf(peer.Key));
        Assert.Equal(3, pair.Tap.From(pair.Alice, datagram => Tap.IsHandshake(datagram, 1)).Count());
        // What is for sessions only is not said plainly, whoever it is for.
        pair.Tap.All.Clear();
        pair.Alice.Run(() => SessionPair.Parcels(pair.Alice).Send(peer, new byte[20]));
        Assert.DoesNotContain(pair.Tap.All, item => Packet.HasHeader(item.Datagram) && Packet.CommunityOf(item.Datagram) == ParcelCommunity.Id && Packet.NumberOf(item.Datagram) == Parcel.Number);
        pair.Alice.Run(() => pair.Alice.Talk().Say(peer, 3));
        pair.Run(0.1);
        Assert.Equal(3, plain.Talk().Remarks.Count);
    }

    [Fact]
    public void Nodes_of_different_networks_have_no_session()
    {
        var pair = new SessionPair();
        var stranger = pair.Add("stranger", null, OverlayTestNodes.Options with { Sessions = new SessionOptions { NetworkId = 7 } });
        var opening = pair.Begin(pair.Alice, stranger);
        pair.Run(20);
        Assert.Null(opening.Now());
        Assert.Empty(stranger.Host.Sessions.All);
    }

    [Fact]
    public void A_changed_byte_anywhere_in_a_handshake_message_opens_nothing()
    {
        var pair = new SessionPair();
        var message = Initiation(pair);
        pair.World.Crash("alice");
        var raw = pair.Raw();
        for (var i = 23; i < message.Length - 16; i++)
        {
            var changed = (byte[])message.Clone();
            changed[i] ^= 1;
            raw.Run(() => raw.Environment.Socket.Send(pair.Bob.PublicEndpoint, changed));
            if (i % 20 == 0) pair.Run(3);
        }
        pair.Run(30);
        Assert.Empty(pair.Bob.Host.Sessions.All);
        // Nothing but alice's own question was answered: the first MAC stops all others before any curve.
        Assert.DoesNotContain(pair.Tap.All, item => item.From == pair.Bob && item.To == raw.Socket.LocalEndpoint);
        Assert.True(pair.Bob.Host.Counters[Refusal.HandshakeMac] > 100);
    }

    [Fact]
    public void Somebody_elses_half_of_a_key_is_of_no_use()
    {
        // Mallory joins bob's X25519 half and her own Ed25519 half to a key: whoever opens a session with it finds nobody.
        var pair = new SessionPair();
        var mallory = pair.Add("mallory", null, OverlayTestNodes.Options);
        var bytes = pair.Bob.Identity.Public.Bytes.ToArray();
        mallory.Identity.Public.SigningKey.CopyTo(bytes.AsSpan(KeyFormat.SigningOffset));
        Assert.True(PublicKey.TryParse(bytes, out var mixed));
        Task<Session?>? opening = null;
        pair.Alice.Run(() => opening = pair.Alice.Host.Sessions.OpenAsync(mixed, new DirectPath(pair.Alice.Host, pair.Bob.PublicEndpoint)));
        pair.Run(20);
        Assert.Null(opening!.Now());
        Assert.Empty(pair.Bob.Host.Sessions.All);
        Assert.True(pair.Bob.Host.Counters[Refusal.HandshakeMac] > 0);
    }

    [Fact]
    public void Under_load_a_cookie_is_asked_for_and_the_handshake_goes_on()
    {
        var pair = new SessionPair(options: new SessionOptions { HandshakesPerSecond = 0.01 }).Open();
        Assert.Equal(1, pair.Bob.Host.Counters.CookiesAsked);
        Assert.Equal(2, pair.Tap.From(pair.Alice, datagram => Tap.IsHandshake(datagram, 1)).Count());
        Assert.Equal(64, Assert.Single(pair.Tap.From(pair.Bob, datagram => Tap.IsHandshake(datagram, 6))).Length);
    }

    [Fact]
    public void A_clock_that_is_a_day_off_costs_a_cookie()
    {
        var pair = new SessionPair();
        pair.Alice.ClockOffset = TimeSpan.FromHours(-24);
        pair.Open();
        Assert.Equal(1, pair.Bob.Host.Counters.CookiesAsked);
    }

    [Fact]
    public void A_flood_of_valid_looking_handshakes_costs_little_and_lets_others_through()
    {
        var pair = new SessionPair(31);
        var message = Initiation(pair);
        pair.World.Crash("alice");
        pair.Run(30);
        // 2,000 a second with a right first MAC, from 200 places: each has another ephemeral key and a MAC made anew.
        var floods = Enumerable.Range(0, 200).Select(i => pair.Raw(name: $"f{i}")).ToList();
        var macKey = new byte[32];
        HandshakeWire.WriteMacKey(macKey, "nx-mac1"u8, pair.Bob.Identity.Public);
        var (sent, before) = (0L, pair.Bob.BytesOut);
        pair.Tap.All.Clear();
        Task<Session?>? opening = null;
        for (var step = 0; step < 300; step++)
        {
            for (var i = 0; i < 20; i++)
            {
                var forged = (byte[])message.Clone();
                pair.World.Random.Fill(forged.AsSpan(23, 32));
                HandshakeWire.WriteMac(pair.World.Ciphers, macKey, forged.AsSpan(..^32), forged.AsSpan(^32..^16));
                var from = floods[pair.World.Random.Next(floods.Count)];
                from.Run(() => from.Environment.Socket.Send(pair.Bob.PublicEndpoint, forged));
                sent += forged.Length;
            }
            pair.Run(0.01);
            if (step == 100)
            {
                var carol = pair.Add("carol", null, OverlayTestNodes.Options);
                opening = pair.Begin(carol, pair.Bob);
            }
        }
        pair.Run(2);
        Assert.NotNull(opening!.Now());
        Assert.InRange(pair.Bob.BytesOut - before, 1, 3 * sent);
        Assert.True(pair.Bob.Host.Sessions.HalfOpen < 10);
        Assert.True(pair.Bob.Host.Counters.CookiesAsked > 1000, $"{pair.Bob.Host.Counters.CookiesAsked}");
    }

    [Fact]
    public void A_malformed_frame_under_a_right_key_sets_its_sender_aside()
    {
        var pair = new SessionPair().Open();
        pair.Alice.Run(() => pair.AliceSession.Send(FrameType.Ping, [1, 2, 3]));
        pair.Run(1);
        Assert.True(pair.Bob.Host.Peers.IsDiscouraged(pair.Alice.Identity.Public));
        Assert.Empty(pair.Bob.Host.Sessions.All);
        Assert.Empty(pair.Alice.Host.Sessions.All);
        var opening = pair.Begin(pair.Alice, pair.Bob);
        pair.Run(20);
        Assert.Null(opening.Now());
    }

    [Fact]
    public void A_frame_of_an_unknown_type_is_passed_over()
    {
        var pair = new SessionPair().Open();
        pair.Alice.Run(() => pair.AliceSession.Send((FrameType)0x7F, [1, 2, 3]));
        pair.Run(1);
        Assert.Equal(1, pair.Bob.Host.Counters[Refusal.UnknownFrame]);
        Assert.True(pair.BobSession.IsOpen);
    }

    [Fact]
    public void One_session_peer_is_held_to_its_rate()
    {
        var pair = new SessionPair(options: new SessionOptions { PacketsPerSecond = 100, PacketsBurst = 200 }).Open();
        for (var i = 0; i < 1000; i++) pair.Say(pair.Alice, 1);
        pair.Run(1);
        Assert.InRange(pair.Bob.Talk().Remarks.Count, 190, 310);
        Assert.True(pair.Bob.Host.Counters[Refusal.PeerRate] > 500);
    }

    [Fact]
    public void An_answer_that_is_forged_on_the_way_does_not_spend_the_handshake()
    {
        var pair = new SessionPair(1, new LinkModel { Latency = TimeSpan.FromMilliseconds(50) });
        var opening = pair.Begin(pair.Alice, pair.Bob);
        var question = pair.Tap.From(pair.Alice, datagram => Tap.IsHandshake(datagram, 1)).Single();
        var raw = pair.Raw();
        // Whoever sees the question can repeat its tag and make the MACs; it arrives before the true answer.
        var forged = new byte[194];
        pair.World.Random.Fill(forged);
        HandshakeWire.WriteHeader(forged, HandshakeWire.Response);
        var key = new byte[32];
        HandshakeWire.WriteMacKey(key, "nx-mac1"u8, pair.Alice.Identity.Public);
        HandshakeWire.WriteMac(pair.World.Ciphers, key, forged.AsSpan(..^32), forged.AsSpan(^32..^16));
        question.AsSpan(^32..^16).CopyTo(forged.AsSpan(^16..));
        raw.Run(() => raw.Environment.Socket.Send(pair.Alice.PublicEndpoint, forged));
        pair.Run(1);
        Assert.NotNull(opening.Now());
        Assert.Equal(1, pair.Alice.Host.Counters[Polder.Wire.WireError.BadSignature]);
    }
}
