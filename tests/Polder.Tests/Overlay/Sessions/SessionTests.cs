using Polder.Overlay;
using Polder.Overlay.Sessions;
using Polder.Simulation;
using Polder.Simulation.Checkers;

namespace Polder.Tests.Overlay.Sessions;

/// <summary>Sessions between nodes of a world: opening, messages, rekeys, ends (specification §3).</summary>
public sealed class SessionTests
{
    private static readonly LinkModel Bad = new() { Loss = 0.1, Duplication = 0.1, Reordering = 0.2, Jitter = TimeSpan.FromMilliseconds(30) };

    [Theory, InlineData(true), InlineData(false)]
    public void A_handshake_opens_a_session_on_both_sides_and_messages_travel_in_it(bool real)
    {
        var pair = new SessionPair(real: real).Open();
        var (session, other) = (pair.AliceSession, pair.BobSession);
        Assert.True(session.IsInitiator && !other.IsInitiator);
        Assert.Equal((1u, 1u), (session.Epoch, other.Epoch));
        Assert.Equal(pair.Alice.PublicEndpoint, session.SeenAs);
        Assert.Equal(pair.Bob.PublicEndpoint, other.SeenAs);
        Assert.NotNull(session.RoundTrip);
        Assert.Contains(pair.Alice.PublicEndpoint, other.PeerAddresses);
        pair.Say(pair.Alice, 7);
        pair.Say(pair.Bob, 8);
        Task<Reply?>? answer = null;
        pair.Alice.Run(() => answer = pair.Alice.Talk().AskAsync(session.Peer, 41, TimeSpan.FromSeconds(2)));
        pair.Run(1);
        Assert.Equal(7u, Assert.Single(pair.Bob.Talk().Remarks).Number);
        Assert.Equal(8u, Assert.Single(pair.Alice.Talk().Remarks).Number);
        Assert.Equal(42u, answer!.Now()!.Value.Number);
        // Only handshakes and session packets between the two; nothing of the talk in clear.
        Assert.DoesNotContain(pair.Tap.All, item => Packet.HasHeader(item.Datagram) && Packet.CommunityOf(item.Datagram) == TalkCommunity.Id
            && !OverlayLimits.IsIntroduction(Packet.NumberOf(item.Datagram)));
    }

    [Fact]
    public void Handshake_messages_have_the_sizes_of_the_specification()
    {
        var pair = new SessionPair().Open();
        Assert.All(pair.Tap.From(pair.Alice, datagram => Tap.IsHandshake(datagram, 1)), datagram => Assert.Equal(282, datagram.Length));
        Assert.Equal(194, Assert.Single(pair.Tap.From(pair.Bob, datagram => Tap.IsHandshake(datagram, 2))).Length);
    }

    [Fact]
    public void The_second_message_of_a_community_costs_an_index_and_packets_are_padded_to_16()
    {
        var pair = new SessionPair().Open();
        pair.Say(pair.Alice, 1);
        pair.Run(1);
        pair.Tap.All.Clear();
        pair.Say(pair.Alice, 2);
        pair.Run(0.1);
        // 3 frame header, 2 index and number, 4 field: one block of 16, and 29 around it.
        Assert.Equal(45, Assert.Single(pair.Tap.From(pair.Alice, Tap.IsData)).Length);
        Assert.All(pair.Tap.All.Where(item => Tap.IsData(item.Datagram)), item => Assert.Equal(0, (item.Datagram.Length - 29) % 16));
    }

    [Theory, InlineData(1ul), InlineData(2ul), InlineData(3ul), InlineData(4ul), InlineData(5ul)]
    public void Sessions_open_and_messages_arrive_at_most_once_over_bad_links(ulong seed)
    {
        var pair = new SessionPair(seed, Bad).Open();
        for (uint i = 0; i < 200; i++)
        {
            pair.Say(pair.Alice, i);
            pair.Run(0.02);
        }
        pair.Run(2);
        var numbers = pair.Bob.Talk().Remarks.Select(remark => remark.Number).ToList();
        Assert.Equal(numbers.Count, numbers.Distinct().Count());
        Assert.InRange(numbers.Count, 150, 200);
        Assert.Equal(["alice opened 1", "bob opened 1"], pair.Events.Order());
    }

    [Theory, InlineData(11ul), InlineData(12ul), InlineData(13ul), InlineData(14ul)]
    public void Both_begin_at_once_and_one_session_comes_of_it(ulong seed)
    {
        var pair = new SessionPair(seed, seed % 2 == 0 ? Bad : null);
        var first = pair.Begin(pair.Alice, pair.Bob);
        var second = pair.Begin(pair.Bob, pair.Alice);
        pair.World.RunUntil(() => first.IsCompleted && second.IsCompleted, TimeSpan.FromSeconds(40), "both are answered");
        pair.Run(2);
        Assert.Same(pair.AliceSession, first.Now());
        Assert.Same(pair.BobSession, second.Now());
        Assert.NotEqual(pair.AliceSession.IsInitiator, pair.BobSession.IsInitiator);
        if (seed % 2 == 1)
        {
            // The smaller node id's handshake won (OV-3.7).
            Assert.Equal(pair.Alice.Identity.Public.NodeId < pair.Bob.Identity.Public.NodeId, pair.AliceSession.IsInitiator);
            Assert.Equal(["alice opened 1", "bob opened 1"], pair.Events.Order());
        }
        pair.Say(pair.Alice, 5);
        pair.Say(pair.Bob, 6);
        pair.Run(1);
        if (seed % 2 == 1) Assert.Equal((1, 1), (pair.Bob.Talk().Remarks.Count, pair.Alice.Talk().Remarks.Count));
    }

    [Fact]
    public void Messages_wait_for_the_handshake_and_then_go_out()
    {
        var pair = new SessionPair();
        pair.Alice.WalkTo(pair.Bob);
        pair.World.RunUntil(() => pair.Alice.Knows(pair.Bob) is { IsPolder: true }, TimeSpan.FromSeconds(30), "alice knows that bob is full");
        pair.Tap.All.Clear();
        pair.Alice.Run(() =>
        {
            for (uint i = 0; i < 100; i++) pair.Alice.Talk().Say(pair.Alice.Knows(pair.Bob)!, i);
        });
        Assert.Equal(SessionState.Opening, pair.Alice.Host.Sessions.StateOf(pair.Bob.Identity.Public));
        pair.Run(1);
        Assert.Equal(Enumerable.Range(0, 64).Select(i => (uint)i), pair.Bob.Talk().Remarks.Select(remark => remark.Number));
        Assert.Equal(36, pair.Alice.Host.Counters[Cap.WaitingMessages]);
        Assert.Equal(SessionState.Open, pair.Alice.Host.Sessions.StateOf(pair.Bob.Identity.Public));
    }

    [Theory, InlineData(2_000), InlineData(20_000), InlineData(65_000)]
    public void A_message_that_is_too_long_for_a_packet_travels_in_parts(int length)
    {
        var pair = new SessionPair(7, new LinkModel { Jitter = TimeSpan.FromMilliseconds(30), Duplication = 0.1 }).Open();
        var bytes = new byte[length];
        pair.World.Random.Fill(bytes);
        pair.Alice.Run(() => SessionPair.Parcels(pair.Alice).Send(pair.AliceSession.Peer, bytes));
        pair.Run(1);
        Assert.Equal(bytes, Assert.Single(SessionPair.Parcels(pair.Bob).Got).Bytes);
        Assert.All(pair.Tap.All, item => Assert.InRange(item.Datagram.Length, 1, 1200));
    }

    [Fact]
    public void A_rekey_keeps_the_session_and_loses_nothing()
    {
        var options = new SessionOptions { RekeyAfter = TimeSpan.FromSeconds(20), RefuseAfter = TimeSpan.FromSeconds(27), OldKeyFor = TimeSpan.FromSeconds(3) };
        var pair = new SessionPair(8, new LinkModel { Jitter = TimeSpan.FromMilliseconds(40) }, options).Open();
        var (session, other) = (pair.AliceSession, pair.BobSession);
        for (uint i = 0; i < 1000; i++)
        {
            pair.Say(i % 2 == 0 ? pair.Alice : pair.Bob, 1000 + i);
            pair.Run(0.1);
        }
        pair.Run(1);
        Assert.Same(session, pair.AliceSession);
        Assert.Same(other, pair.BobSession);
        Assert.InRange(session.Epoch, 4u, 7u);
        Assert.Equal(session.Epoch, other.Epoch);
        Assert.Equal((500, 500), (pair.Bob.Talk().Remarks.Count, pair.Alice.Talk().Remarks.Count));
        Assert.Equal(["alice opened 1", "bob opened 1"], pair.Events.Order());
        // Old keys go after three seconds; the last rekey may have been just now.
        for (var i = 0; i < 8 && session.OldIndex != 0; i++) pair.Run(0.5);
        Assert.Equal(0u, session.OldIndex);
    }

    [Fact]
    public void A_key_is_not_used_beyond_its_packets()
    {
        var pair = new SessionPair(9, options: new SessionOptions { RekeyPackets = 100, RefusePackets = 200 }).Open();
        for (uint i = 0; i < 1000; i++)
        {
            pair.Say(pair.Alice, 1000 + i);
            pair.Run(0.02);
        }
        pair.Run(1);
        Assert.Equal(1000, pair.Bob.Talk().Remarks.Count);
        Assert.InRange(pair.AliceSession.Epoch, 6u, 12u);
        Assert.Equal(pair.AliceSession.Epoch, pair.BobSession.Epoch);
    }

    [Fact]
    public void Rekeys_over_bad_links_keep_both_sides_in_one_epoch()
    {
        for (ulong seed = 20; seed < 26; seed++)
        {
            var options = new SessionOptions { RekeyAfter = TimeSpan.FromSeconds(10), RefuseAfter = TimeSpan.FromSeconds(60) };
            var pair = new SessionPair(seed, Bad with { Loss = 0.3 }, options).Open();
            var session = pair.AliceSession;
            for (uint i = 0; i < 600; i++)
            {
                pair.Say(pair.Alice, i);
                if (i % 3 == 0) pair.Say(pair.Bob, i);
                pair.Run(0.1);
            }
            pair.World.EndFaults();
            pair.Run(20);
            Assert.Same(session, pair.AliceSession);
            Assert.Equal(session.Epoch, pair.BobSession.Epoch);
            Assert.InRange(session.Epoch, 3u, 12u);
        }
    }

    [Fact]
    public void A_peer_that_starts_again_gets_a_new_session()
    {
        var pair = new SessionPair().Open();
        var before = pair.BobSession;
        pair.World.Restart("alice");
        pair.Alice.WalkTo(pair.Bob);
        pair.World.RunUntil(() => pair.Alice.Knows(pair.Bob) is { IsPolder: true }, TimeSpan.FromSeconds(60), "alice meets bob again");
        pair.Alice.Run(() => pair.Alice.Talk().Say(pair.Alice.Knows(pair.Bob)!, 9));
        pair.Run(2);
        Assert.NotSame(before, pair.BobSession);
        Assert.False(before.IsOpen);
        Assert.Equal(1u, pair.BobSession.Epoch);
        Assert.Equal(["alice opened 1", "bob opened 1", "alice opened 1", "bob closed", "bob opened 1"], pair.Events);
        Assert.Equal(9u, Assert.Single(pair.Bob.Talk().Remarks).Number);
    }

    [Fact]
    public void Who_still_talks_to_a_peer_that_started_again_finds_out_and_opens_another()
    {
        var pair = new SessionPair().Open();
        pair.World.Restart("bob");
        for (uint i = 0; i < 200; i++)
        {
            if (pair.Alice.Host.Sessions.Find(pair.Bob.Identity.Public) is not null) pair.Say(pair.Alice, i);
            pair.Run(0.1);
        }
        Assert.NotEmpty(pair.Bob.Talk().Remarks);
        Assert.Contains("bob opened 1", pair.Events[2..]);
    }

    [Fact]
    public void A_peer_that_is_gone_is_given_up_and_one_that_leaves_says_so()
    {
        var pair = new SessionPair().Open();
        pair.World.Crash("bob");
        pair.Say(pair.Alice, 1);
        pair.Run(60);
        Assert.Null(pair.Alice.Host.Sessions.Find(pair.Bob.Identity.Public));

        pair = new SessionPair().Open();
        pair.Bob.Run(() => pair.BobSession.Close());
        pair.Run(0.1);
        Assert.Equal(["alice opened 1", "bob opened 1", "bob closed", "alice closed"], pair.Events);
    }

    [Fact]
    public void An_idle_session_is_wiped_and_opens_again_on_demand()
    {
        var pair = new SessionPair().Open();
        var session = pair.AliceSession;
        pair.Run(21 * 60);
        Assert.False(session.IsOpen);
        Assert.Empty(pair.Alice.Host.Sessions.All);
        Assert.False(session.Ping());
        pair.Alice.Run(() => pair.Alice.Talk().Say(session.Peer, 3));
        pair.Run(1);
        Assert.Equal(3u, Assert.Single(pair.Bob.Talk().Remarks).Number);
    }

    [Fact]
    public void No_word_of_the_talk_is_seen_on_the_way()
    {
        var pair = new SessionPair(5);
        var marker = new byte[NoPlaintext.MarkerBytes];
        pair.World.Random.Fill(marker);
        var checker = new NoPlaintext();
        checker.Plant(marker);
        pair.World.Always(checker);
        pair.Open();
        pair.Alice.Run(() => SessionPair.Parcels(pair.Alice).Send(pair.AliceSession.Peer, marker));
        pair.Alice.Run(() => SessionPair.Parcels(pair.Alice).Send(pair.AliceSession.Peer, [.. Enumerable.Repeat(marker, 500).SelectMany(bytes => bytes)]));
        pair.Run(1);
        Assert.Equal(2, SessionPair.Parcels(pair.Bob).Got.Count);
        Assert.True(checker.Searched > 10 && pair.Nonces.Sealed > 10);
        var found = Assert.ThrowsAny<Exception>(() =>
        {
            pair.Alice.Run(() => SessionPair.Parcels(pair.Alice).SendPlainly(pair.Bob.PublicEndpoint, marker));
            pair.Run(0.1);
        });
        Assert.Contains("in clear", found.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_unknown_peer_is_opened_by_address_alone_after_a_cookie()
    {
        var pair = new SessionPair(real: true);
        Task<Session?>? opening = null;
        pair.Alice.Run(() => opening = pair.Alice.Host.Sessions.OpenUnknownAsync(new DirectPath(pair.Alice.Host, pair.Bob.PublicEndpoint)));
        pair.Run(1);
        Assert.Equal(pair.Bob.Identity.Public, opening!.Now()!.Peer.Key);
        Assert.Equal([282, 282], pair.Tap.From(pair.Alice, datagram => Tap.IsHandshake(datagram, 3)).Select(datagram => datagram.Length));
        Assert.Equal(64, Assert.Single(pair.Tap.From(pair.Bob, datagram => Tap.IsHandshake(datagram, 6))).Length);
        Assert.Equal(274, Assert.Single(pair.Tap.From(pair.Bob, datagram => Tap.IsHandshake(datagram, 4))).Length);
        Assert.Equal(246, Assert.Single(pair.Tap.From(pair.Alice, datagram => Tap.IsHandshake(datagram, 5))).Length);
        pair.Say(pair.Alice, 1);
        pair.Say(pair.Bob, 2);
        pair.Run(1);
        Assert.Equal((1, 1), (pair.Bob.Talk().Remarks.Count, pair.Alice.Talk().Remarks.Count));
    }

    [Fact]
    public void Nobody_there_gives_null_after_the_retries()
    {
        var pair = new SessionPair();
        pair.World.Crash("bob");
        var opening = pair.Begin(pair.Alice, pair.Bob);
        pair.Run(10);
        Assert.False(opening.IsCompleted);
        pair.Run(10);
        Assert.Null(opening.Now());
        Assert.Equal(5, pair.Tap.From(pair.Alice, datagram => Tap.IsHandshake(datagram, 1)).Count());
        Assert.Equal(SessionState.Plain, pair.Alice.Host.Sessions.StateOf(pair.Bob.Identity.Public));
    }

    [Fact]
    public void Too_many_sessions_make_the_longest_silent_give_way()
    {
        var pair = new SessionPair(options: new SessionOptions { SessionsMax = 4 });
        var others = Enumerable.Range(0, 6).Select(i => pair.Add($"n{i}", null, OverlayTestNodes.Options)).ToList();
        foreach (var other in others)
        {
            pair.Begin(other, pair.Alice);
            pair.Run(1);
        }
        Assert.Equal(4, pair.Alice.Host.Sessions.All.Count);
        Assert.Equal(2, pair.Alice.Host.Counters[Cap.Sessions]);
        Assert.Equal([false, false, true, true, true, true], others.Select(other => other.Host.Sessions.All.Count == 1));
    }

    [Fact]
    public void Sessions_with_contacts_do_not_count_and_no_stranger_takes_their_place()
    {
        var pair = new SessionPair(options: new SessionOptions { SessionsMax = 2 });
        var others = Enumerable.Range(0, 7).Select(i => pair.Add($"n{i}", null, OverlayTestNodes.Options)).ToList();
        var contacts = others.Take(4).Select(other => other.Identity.Public).ToHashSet();
        pair.Alice.Host.Neighbourhood.SetContacts(peer => contacts.Contains(peer.Key));
        foreach (var other in others)
        {
            pair.Begin(other, pair.Alice);
            pair.Run(1);
        }
        Assert.Equal([true, true, true, true, false, true, true], others.Select(other => pair.Alice.Host.Sessions.Find(other.Identity.Public) is not null));
    }

    [Fact]
    public void A_session_costs_under_1000_bytes_with_its_indexes()
    {
        var pair = new SessionPair().Open();
        var (table, peer, path) = (pair.Alice.Host.Sessions, pair.AliceSession.Peer, pair.AliceSession.Path);
        var kept = new Session[1000];
        var keys = new byte[64];
        void Make(int i)
        {
            kept[i] = new Session(table, peer, path, isInitiator: true);
            kept[i].Install(keys.AsSpan(0, 32), keys.AsSpan(32), 256, 512, 1, 0, byUs: true, TimeSpan.Zero);
            kept[i].Messages = new MessageState();
        }
        Make(0);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 1; i < kept.Length; i++) Make(i);
        var each = (GC.GetAllocatedBytesForCurrentThread() - before) / (kept.Length - 1);
        TestContext.Current.TestOutputHelper?.WriteLine($"{each} bytes");
        Assert.InRange(each, 200, 1000);
        GC.KeepAlive(kept);
    }

    [Fact]
    public void Path_mtu_discovery_finds_what_passes_once_full_packets_are_sent()
    {
        var pair = new SessionPair().Open();
        Assert.Equal(1200, pair.AliceSession.Path.DatagramBytesMax);
        pair.Alice.Run(() => SessionPair.Parcels(pair.Alice).Send(pair.AliceSession.Peer, new byte[1100]));
        pair.Run(1);
        Assert.Equal(1200, pair.AliceSession.Path.DatagramBytesMax);
        pair.Alice.Run(() => Assert.True(pair.AliceSession.TrySendPacket(new byte[1168], out var number) && number.Epoch == 1));
        pair.Run(5);
        Assert.Equal(1440, pair.AliceSession.Path.DatagramBytesMax);
        Assert.InRange(pair.Tap.All.Max(item => item.Datagram.Length), 1430, 1440);
        Assert.Equal((1440 - 29) / 16 * 16, pair.AliceSession.FrameBytesMax);
    }
}
