using Polder.Identity;
using Polder.Net;
using Polder.Overlay;
using Polder.Overlay.Discovery;
using Polder.Overlay.Packets;
using Polder.Overlay.Refusals;
using Polder.Simulation;
using Polder.Simulation.Network;
using Polder.Wire;

namespace Polder.Tests.Overlay;

/// <summary>What a node refuses (overlay.md §4), asked by a raw host that owns no node.</summary>
public sealed class RefusalTests
{
    private static readonly CommunityId Demo = CommunityId.FromHex("02313685c1912a141279f8248fc8db5899c5df5a");

    /// <summary>One node that runs the demo community, and a raw host that sends what it likes.</summary>
    private sealed class Bench
    {
        public Bench(OverlayOptions? options = null, ulong seed = 1)
        {
            World = new World(seed, options: new WorldOptions { RealSignatures = true });
            Node = World.AddNode("node", null, options ?? OverlayTestNodes.Options, (_, host) =>
                host.Join(context => new TalkCommunity(context, Demo, MessageForm.GlobalTime)));
            Raw = World.AddNode("raw", null, raw =>
            {
                raw.Environment.Socket.Received = (from, datagram) => Got.Add((from, datagram.ToArray()));
                return null;
            });
        }

        public World World { get; }
        public SimulatedNode Node { get; }
        public SimulatedNode Raw { get; }
        public List<(Endpoint From, byte[] Datagram)> Got { get; } = [];
        public NodeHost Host => Node.HostOf();
        public int BytesBack => Got.Sum(item => item.Datagram.Length);

        public void Send(byte[] datagram, IDatagramSocket? from = null)
        {
            Raw.Run(() => (from ?? Raw.Environment.Socket).Send(Node.PublicEndpoint, datagram));
            World.RunFor(TimeSpan.FromMilliseconds(100));
        }

        public byte[] Sign<T>(T message, KeyPair? signer = null, ulong globalTime = 1, CommunityId? community = null) where T : struct, IMessage<T>
        {
            var buffer = new byte[2000];
            return buffer[..Packet.WriteSigned(
                buffer, community ?? Demo, MessageForm.GlobalTime, globalTime, message, signer ?? Raw.Identity, World.Signatures)];
        }

        public byte[] Unsigned<T>(T message, CommunityId? community = null) where T : struct, IMessage<T>
        {
            var buffer = new byte[200];
            return buffer[..Packet.WriteUnsigned(buffer, community ?? Demo, MessageForm.GlobalTime, 1, message)];
        }

        public IntroductionRequest Request(ushort identifier) => new(
            Node.PublicEndpoint, Raw.Socket.LocalEndpoint, Raw.Socket.LocalEndpoint, IntroductionRequest.Advice, identifier, default);

        /// <summary>Answers the node's own question, so that the raw host becomes a peer of it.</summary>
        public void Befriend(SimulatedSocket? socket = null, KeyPair? signer = null)
        {
            Got.Clear();
            Send(Sign(Request(1), signer), socket);
            var asked = Got.Select(item => item.Datagram).First(datagram => Packet.NumberOf(datagram) == OverlayLimits.IntroductionRequestNumber);
            Assert.Equal(WireError.None, Packet.CutSigned(asked, MessageForm.GlobalTime, out var cut));
            Assert.Equal(WireError.None, Packet.Read<IntroductionRequest>(cut.Fields, out var request));
            Send(Sign(Answer(request.Identifier), signer, 2), socket);
            Got.Clear();
        }

        public IntroductionResponse Answer(ushort identifier) => new(
            Node.PublicEndpoint, Raw.Socket.LocalEndpoint, Raw.Socket.LocalEndpoint, Endpoint.None, Endpoint.None,
            IntroductionResponse.SpeaksNewStyle, identifier, default);
    }

    [Fact]
    public void The_acceptance_cases_of_py_end_as_there()
    {
        foreach (var row in Vectors.Community.GetProperty("acceptance").EnumerateArray())
        {
            var bench = new Bench();
            bench.Send(row.Hex("packet"));
            Assert.Equal(row.GetProperty("answered").GetBoolean(), bench.Got.Any(item => Packet.NumberOf(item.Datagram) == OverlayLimits.IntroductionResponseNumber));
            Assert.Equal(row.GetProperty("peers_after").GetInt32(), bench.Host.Peers.Count);
        }
    }

    [Fact]
    public void A_request_is_answered_in_its_own_style_and_knocked_back()
    {
        var bench = new Bench();
        bench.Send(bench.Sign(bench.Request(7)));
        Assert.Equal([OverlayLimits.IntroductionResponseNumber, OverlayLimits.IntroductionRequestNumber],
            bench.Got.Select(item => Packet.NumberOf(item.Datagram)).Take(2));
        bench.Got.Clear();
        bench.World.RunFor(TimeSpan.FromSeconds(11));
        bench.Got.Clear();
        bench.Send(bench.Sign(new NewIntroductionRequest(bench.Request(8) with { Flags = 0 })));
        Assert.Contains(OverlayLimits.NewIntroductionResponseNumber, bench.Got.Select(item => Packet.NumberOf(item.Datagram)));
        Assert.False(bench.Host.Peers.Find(bench.Raw.Identity.Public)!.IsValidated);
        Assert.Empty(bench.Node.Talk().Peers);
    }

    [Fact]
    public void A_stranger_gets_at_most_three_times_what_it_sent()
    {
        var bench = new Bench();
        var sent = 0;
        for (ushort i = 0; i < 30; i++)
        {
            byte[][] packets =
            [
                bench.Sign(bench.Request(i), globalTime: i + 1ul),
                bench.Unsigned(new Ping(i), DiscoveryCommunity.Id),
                bench.Sign(new SimilarityRequest(i, Endpoint.None, Endpoint.None, 0, []), globalTime: i + 1000ul, community: DiscoveryCommunity.Id),
                bench.Sign(bench.Request(i), globalTime: i + 2000ul, community: CommunityId.FromName("foreign"u8)),
            ];
            foreach (var packet in packets)
            {
                sent += packet.Length;
                bench.Send(packet);
            }
            Assert.True(bench.BytesBack <= 3 * sent, $"{bench.BytesBack} for {sent}");
        }
        Assert.NotEmpty(bench.Got);
    }

    [Fact]
    public void A_similarity_request_that_would_earn_more_than_three_times_its_size_is_not_answered()
    {
        var bench = new Bench(OverlayTestNodes.Options with { AmplificationFactor = 1 });
        bench.Send(bench.Sign(new SimilarityRequest(1, Endpoint.None, Endpoint.None, 0, []), community: DiscoveryCommunity.Id));
        Assert.True(bench.Host.Counters[Refusal.Amplification] > 0);
        Assert.True(bench.BytesBack <= 186);
    }

    [Fact]
    public void A_copied_packet_from_elsewhere_moves_nobody()
    {
        var bench = new Bench();
        bench.Befriend();
        var peer = bench.Host.Peers.Find(bench.Raw.Identity.Public)!;
        var home = peer.Address;
        var thief = bench.World.AddSocket(bench.Raw, 9999);
        var old = bench.Sign(bench.Request(50), globalTime: 50);
        bench.Send(old);
        bench.Got.Clear();
        bench.Send(old, thief);
        Assert.Equal(home, peer.Address);
        Assert.Equal(1, bench.Host.Counters[Refusal.Replay]);
        Assert.Empty(bench.Got);
        // A fresh one, stolen before it arrived: the thief cannot answer the knock in the peer's name.
        bench.Send(bench.Sign(bench.Request(51), globalTime: 51), thief);
        bench.World.RunFor(TimeSpan.FromSeconds(5));
        Assert.Equal(home, peer.Address);
    }

    [Fact]
    public void A_peer_that_moves_and_answers_there_has_moved()
    {
        var bench = new Bench();
        bench.Befriend();
        var peer = bench.Host.Peers.Find(bench.Raw.Identity.Public)!;
        var socket = bench.World.AddSocket(bench.Raw, 9999);
        Endpoint? knockedAt = null;
        socket.Received = (from, datagram) =>
        {
            if (Packet.NumberOf(datagram) != OverlayLimits.IntroductionRequestNumber) return;
            knockedAt = from;
            Packet.CutSigned(datagram, MessageForm.GlobalTime, out var cut);
            Packet.Read<IntroductionRequest>(cut.Fields, out var request);
            socket.Send(from, bench.Sign(bench.Answer(request.Identifier), globalTime: 99));
        };
        bench.World.RunFor(TimeSpan.FromSeconds(2));
        bench.Send(bench.Sign(bench.Request(60), globalTime: 60), socket);
        Assert.NotNull(knockedAt);
        Assert.Equal(socket.LocalEndpoint, peer.Address);
        Assert.Equal(2, peer.Addresses.Count);
    }

    [Fact]
    public void An_unasked_response_makes_no_peer_and_no_word_about_our_address()
    {
        var bench = new Bench();
        bench.Send(bench.Sign(bench.Answer(4711)));
        Assert.Equal(0, bench.Host.Peers.Count);
        Assert.Null(bench.Host.WanAddress);
        Assert.Equal(1, bench.Host.Counters[Refusal.Unasked]);
    }

    [Fact]
    public void Puncture_requests_are_obeyed_for_neighbours_of_some_time_sparingly_and_with_less_than_was_sent_before()
    {
        var bench = new Bench();
        var victim = bench.World.AddSocket(bench.Raw, 7777);
        var (hits, bytes) = (0, 0);
        victim.Received = (_, datagram) => (hits, bytes) = (hits + 1, datagram.Length);
        byte[] Ask(Endpoint target) => bench.Unsigned(new PunctureRequest(Endpoint.None, target, 9));

        bench.Send(Ask(victim.LocalEndpoint));
        Assert.Equal((0, 1L), (hits, bench.Host.Counters[Refusal.PunctureStranger]));

        // A neighbour met just now, and an address that the owner named (a tracker): our NAT opens, nobody gets more than was sent.
        bench.Befriend();
        bench.Send(Ask(victim.LocalEndpoint));
        Assert.Equal((1, 23), (hits, bytes));
        Assert.True(bytes < Ask(victim.LocalEndpoint).Length);

        bench.World.RunFor(TimeSpan.FromSeconds(10));
        bench.Send(Ask(victim.LocalEndpoint));
        Assert.Equal(2, hits);
        Assert.True(bytes > 100);
        bench.Send(Ask(victim.LocalEndpoint));
        Assert.Equal((2, 1L), (hits, bench.Host.Counters[Refusal.PunctureRate]));
        bench.World.RunFor(TimeSpan.FromSeconds(5));
        bench.Send(Ask(victim.LocalEndpoint));
        Assert.Equal(3, hits);

        var refused = bench.Host.Counters[Refusal.PunctureTarget];
        foreach (var target in new[]
        {
            bench.Node.PublicEndpoint, victim.LocalEndpoint.WithPort(53), Vectors.Address("224.0.0.1:5000"),
            Vectors.Address("255.255.255.255:5000"), Vectors.Address("169.254.1.1:5000"), Endpoint.None,
        })
        {
            bench.Send(Ask(target));
            Assert.Equal(++refused, bench.Host.Counters[Refusal.PunctureTarget]);
        }
    }

    [Fact]
    public void On_the_Internet_nothing_is_punctured_in_private_networks_or_on_this_machine()
    {
        var bench = new Bench(OverlayTestNodes.Options with { Addresses = AddressRules.Internet });
        bench.Befriend();
        bench.World.RunFor(TimeSpan.FromSeconds(10));
        foreach (var target in new[] { "127.0.0.1:5000", "10.1.2.3:5000", "192.168.1.1:5000" })
            bench.Send(bench.Unsigned(new PunctureRequest(Endpoint.None, Vectors.Address(target), 9)));
        Assert.Equal(3, bench.Host.Counters[Refusal.PunctureTarget]);
    }

    [Fact]
    public void A_flood_from_one_address_or_network_is_cut_and_the_rest_is_heard()
    {
        var bench = new Bench(new OverlayOptions { Addresses = AddressRules.Any, SourceSlots = 1024 });
        var ping = bench.Unsigned(new Ping(1), DiscoveryCommunity.Id);
        bench.Node.Run(() =>
        {
            for (var i = 0; i < 100; i++) bench.Host.Reception.Receive(Vectors.Address("198.51.100.1:1000"), ping);
        });
        Assert.Equal(60, bench.Host.Counters[Refusal.AddressRate]);
        bench.Node.Run(() =>
        {
            for (var i = 0; i < 400; i++) bench.Host.Reception.Receive(Endpoint.FromIPv4(0xC6336400 + (uint)(i % 250), (ushort)(2000 + i)), ping);
        });
        Assert.InRange(bench.Host.Counters[Refusal.NetworkRate], 200, 280);
        bench.Node.Run(() =>
        {
            for (uint i = 0; i < 10_000; i++) bench.Host.Reception.Receive(Endpoint.FromIPv4(0x05000000 + i * 4096, 3000), ping);
        });
        Assert.InRange(bench.Host.Counters[Refusal.StrangersRate], 6_000, 6_500);
    }

    [Fact]
    public void Strangers_signatures_cost_no_more_than_their_share()
    {
        var bench = new Bench(OverlayTestNodes.Options with { StrangersSignatureShare = 0.01, SignatureBurst = TimeSpan.FromMilliseconds(250) });
        var junk = bench.Sign(bench.Request(1));
        junk[^1] ^= 1;
        bench.Node.Run(() =>
        {
            for (uint i = 0; i < 1_000; i++) bench.Host.Reception.Receive(Endpoint.FromIPv4(0x05000000 + i * 65536, 3000), junk);
        });
        Assert.InRange(bench.Host.Counters.SignaturesChecked, 30, 45);
        Assert.InRange(bench.Host.Counters[Refusal.SignatureBudget], 1_000 - 45 - PendingChecks.PacketsMax, 1_000 - 30 - PendingChecks.PacketsMax);
    }

    [Fact]
    public void Beyond_the_budget_the_oldest_packets_are_dropped_and_the_last_comer_is_heard()
    {
        var bench = new Bench(OverlayTestNodes.Options with { StrangersSignatureShare = 0.01, SignatureBurst = TimeSpan.FromMilliseconds(250) });
        var junk = bench.Sign(bench.Request(1));
        junk[^1] ^= 1;
        bench.Node.Run(() =>
        {
            for (uint i = 0; i < 1_000; i++) bench.Host.Reception.Receive(Endpoint.FromIPv4(0x05000000 + i * 65536, 3000), junk);
        });
        bench.Send(bench.Sign(bench.Request(2)));
        bench.World.RunFor(TimeSpan.FromSeconds(2));
        Assert.NotEmpty(bench.Got);
        Assert.InRange(bench.Host.Counters.SignaturesChecked, 30 + PendingChecks.PacketsMax, 45 + PendingChecks.PacketsMax + 1);
        // All that waited was looked at: nothing waits for ever.
        Assert.Equal(1_001, bench.Host.Counters.SignaturesChecked + bench.Host.Counters[Refusal.SignatureBudget]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_signed_message_that_nobody_honest_sends_discourages_its_signer_where_all_forms_are_known(bool allFormsKnown)
    {
        var world = new World(9);
        var victim = world.AddNode("victim", null, OverlayTestNodes.Options, (_, host) => host.Join(context => new StrictCommunity(context, allFormsKnown)));
        var peer = world.AddNode("peer", null, OverlayTestNodes.Options, (_, host) => host.Join(context => new StrictCommunity(context, allFormsKnown)));
        peer.WalkTo(victim);
        world.RunFor(TimeSpan.FromSeconds(5));
        Assert.NotNull(victim.HostOf().Peers.Find(peer.Identity.Public));
        peer.Run(() => peer.Get<StrictCommunity>().SendTooLong(victim.HostOf().Identity.Public));
        world.RunFor(TimeSpan.FromSeconds(1));
        Assert.Equal(allFormsKnown ? 1 : 0, victim.HostOf().Counters[Violation.Malformed]);
        Assert.Equal(allFormsKnown, victim.HostOf().Peers.IsDiscouraged(peer.Identity.Public));
    }

    private sealed class StrictCommunity : Community
    {
        private readonly bool _allFormsKnown;

        public StrictCommunity(CommunityContext context, bool allFormsKnown) : base(Demo, context)
        {
            _allFormsKnown = allFormsKnown;
            On<Short>((_, _) => { });
        }

        protected override bool IsMalformedDishonest => _allFormsKnown;

        public void SendTooLong(PublicKey to) => Send(Book.Find(to.Bytes)!, new Long());
    }

    private readonly record struct Short : IMessage<Short>
    {
        public static byte Number => 9;
        public static Short Read(ref WireReader reader)
        {
            _ = reader.ReadUInt16();
            return default;
        }

        public void Write(ref WireWriter writer) => writer.WriteUInt16(1);
    }

    private readonly record struct Long : IMessage<Long>
    {
        public static byte Number => 9;
        public static Long Read(ref WireReader reader) => default;
        public void Write(ref WireWriter writer) => writer.WriteUInt32(1);
    }

    [Fact]
    public void A_full_book_lets_the_silent_go_and_keeps_whom_we_chose()
    {
        var options = OverlayTestNodes.Options.WithoutRates() with { PeersMax = 64 };
        var bench = new Bench(options);
        var friend = bench.World.AddTalker("friend", options: options);
        bench.Node.WalkTo(friend);
        bench.World.RunFor(TimeSpan.FromSeconds(3));
        bench.Node.Run(() =>
        {
            for (uint i = 0; i < 500; i++)
            {
                using var pair = KeyPair.FromEntropy([.. new byte[32], .. BitConverter.GetBytes(i), .. new byte[28]]);
                bench.Host.Reception.Receive(Endpoint.FromIPv4(0x05000000 + i * 65536, 3000), bench.Sign(bench.Request(1), pair));
            }
        });
        Assert.Equal(64, bench.Host.Peers.Count);
        Assert.NotNull(bench.Node.Knows(friend));
        Assert.InRange(bench.Host.Counters[Cap.Peers], 400, 500);
    }

    [Fact]
    public void A_tracker_with_a_legacy_key_is_believed_only_where_the_owner_listed_it()
    {
        var key = Vectors.Keys.GetProperty("legacy_curve_keys")[0].Hex("public_bin");
        var introduced = Vectors.Address("203.0.113.99:6000");
        foreach (var listed in new[] { false, true })
        {
            var bench = new Bench();
            if (listed) bench.Node.Run(() => bench.Host.WalkTo(bench.Raw.PublicEndpoint));
            else bench.Node.Run(() => bench.Node.Talk().Introductions.WalkTo(bench.Raw.PublicEndpoint));
            bench.World.RunFor(TimeSpan.FromMilliseconds(100));
            var asked = bench.Got.Select(item => item.Datagram).First(datagram =>
                Packet.NumberOf(datagram) == OverlayLimits.IntroductionRequestNumber && Packet.CommunityOf(datagram) == Demo);
            Packet.CutSigned(asked, MessageForm.GlobalTime, out var cut);
            Packet.Read<IntroductionRequest>(cut.Fields, out var request);
            bench.Send(Legacy(bench.Answer(request.Identifier) with { WanIntroduction = introduced }));
            Assert.Equal(listed, bench.Node.Talk().Introductions.Candidates.Find(introduced) is not null);
            Assert.Equal(listed ? 0 : 1, bench.Host.Counters[Refusal.LegacyKey]);
            Assert.Equal(0, bench.Host.Peers.Count);
        }

        byte[] Legacy(IntroductionResponse response)
        {
            var writer = new WireWriter(new byte[500]);
            writer.WriteUInt16(2);
            Demo.CopyTo(writer.Reserve(20));
            writer.WriteByte(OverlayLimits.IntroductionResponseNumber);
            writer.WriteBytes16(key);
            writer.WriteUInt64(1);
            response.Write(ref writer);
            writer.Reserve(42);
            return writer.Written.ToArray();
        }
    }

    [Fact]
    public void Our_own_packets_are_ignored_when_they_come_back()
    {
        var bench = new Bench();
        bench.Send(bench.Sign(bench.Request(1), bench.Node.Identity));
        Assert.Equal(1, bench.Host.Counters[Refusal.OwnPacket]);
        Assert.Empty(bench.Got);
    }

    [Fact]
    public void A_beacon_from_the_local_network_is_walked_to_and_one_from_afar_is_not()
    {
        var bench = new Bench();
        byte[] beacon = [0, 0, .. "IPv8"u8, 0, 0, 2, .. Convert.FromHexString(Demo.ToString())];
        var sent = bench.Host.Counters.Sent;
        bench.Node.Run(() => bench.Host.Reception.Receive(Vectors.Address("203.0.113.5:5000"), beacon));
        Assert.Equal(sent, bench.Host.Counters.Sent);
        bench.Node.Run(() => bench.Host.Reception.Receive(Vectors.Address("192.168.1.77:5000"), beacon));
        Assert.Equal(sent + 1, bench.Host.Counters.Sent);
    }

    [Fact]
    public void The_replay_filter_remembers_two_generations_within_its_bound()
    {
        var counters = new OverlayCounters();
        var filter = new ReplayFilter(TimeSpan.FromSeconds(60), 64, counters);
        filter.Add(1, TimeSpan.Zero);
        filter.Add(0, TimeSpan.Zero);
        Assert.True(filter.Contains(1, TimeSpan.FromSeconds(59)) && filter.Contains(0, TimeSpan.FromSeconds(59)));
        Assert.True(filter.Contains(1, TimeSpan.FromSeconds(61)));
        Assert.False(filter.Contains(1, TimeSpan.FromSeconds(125)));
        Assert.False(filter.Contains(2, TimeSpan.FromSeconds(125)));
        for (ulong i = 10; i < 200; i++) filter.Add(i, TimeSpan.FromSeconds(126));
        Assert.True(counters[Cap.ReplayFilter] > 0);
        Assert.True(filter.Contains(199, TimeSpan.FromSeconds(126)));
        Assert.False(filter.Contains(10, TimeSpan.FromSeconds(126)));
    }

    [Fact]
    public void SipHash_is_the_one_of_its_authors()
    {
        var message = Enumerable.Range(0, 15).Select(i => (byte)i).ToArray();
        Assert.Equal(0xa129ca6149be45e5, new SipHash(0x0706050403020100, 0x0f0e0d0c0b0a0908).Of(message));
    }

    [Fact]
    public void Neighbours_are_of_many_networks_and_mostly_of_our_own_choosing()
    {
        var options = new OverlayOptions();
        var peers = new List<Peer>();
        for (var i = 0; i < 400; i++)
        {
            using var pair = KeyPair.FromEntropy([.. new byte[32], .. BitConverter.GetBytes(i), .. new byte[28]]);
            // 300 of one provider and near, 100 of many.
            var address = i < 300 ? Endpoint.FromIPv4(0x05050000 + (uint)i, 1000) : Endpoint.FromIPv4(0x10000000 + (uint)i * 0x10000, 1000);
            var peer = new Peer(pair.Public, address) { MetAt = TimeSpan.FromSeconds(i), ChosenByUs = i % 2 == 0, BookIndex = i };
            peer.AddRoundTrip(TimeSpan.FromMilliseconds(i < 300 ? 1 : 50));
            peers.Add(peer);
        }
        Polder.Overlay.Neighbourhood.NeighbourChoice.Choose(peers, options, new SipHash(1, 2));
        var chosen = peers.Where(peer => peer.IsNeighbour).ToList();
        Assert.Equal(options.NeighboursWanted, chosen.Count);
        Assert.True(chosen.Count(peer => peer.ChosenByUs) >= options.ChosenByUsMin);
        Assert.All(chosen.GroupBy(peer => peer.Address.Network(24, 48)), group => Assert.True(group.Count() <= options.PerNarrowPrefixMax));
        Assert.All(chosen.GroupBy(peer => peer.Address.Network(16, 32)), group => Assert.True(group.Count() <= options.PerWidePrefixMax));
        Assert.All(chosen.Where(peer => peer.IsAnchor), peer => Assert.True(peer.ChosenByUs));
        Assert.Equal(options.AnchorsMax, chosen.Count(peer => peer.IsAnchor));
    }
}
