using Polder.Net;
using Polder.Overlay;
using Polder.Overlay.Discovery;
using Polder.Overlay.Packets;
using Polder.Simulation;
using Polder.Wire;

namespace Polder.Tests.Overlay;

/// <summary>Every decoder of the overlay, and the whole way in, under damaged and random bytes.</summary>
public sealed class FuzzTests
{
    private static readonly List<byte[]> Packets =
        [.. new[] { Vectors.Community, Vectors.Discovery, Vectors.Kotlin }
            .SelectMany(file => file.GetProperty("messages").EnumerateArray())
            .Where(item => item.TryGetProperty("packet", out _)).Select(item => item.Hex("packet"))];

    private static void Messages<T>() where T : struct, IMessage<T>
    {
        var bodies = Packets.Where(packet => packet.Length > 150).Select(packet => packet[107..^64]).ToList();
        bodies.AddRange(Packets.Where(packet => packet.Length <= 150).Select(packet => packet[31..]));
        Fuzz.Run(typeof(T).Name, bodies, static bytes =>
        {
            if (Packet.Read<T>(bytes, out var message) != WireError.None) return;
            // What is read is written again, to the same bytes but for parts that are read over.
            var buffer = new byte[bytes.Length + 16];
            var writer = new WireWriter(buffer);
            message.Write(ref writer);
            Assert.True(writer.Position <= bytes.Length);
        }, allocationFactor: 6);
    }

    [Fact] public void IntroductionRequest_survives() => Messages<IntroductionRequest>();
    [Fact] public void NewIntroductionRequest_survives() => Messages<NewIntroductionRequest>();
    [Fact] public void IntroductionResponse_survives() => Messages<IntroductionResponse>();
    [Fact] public void NewIntroductionResponse_survives() => Messages<NewIntroductionResponse>();
    [Fact] public void PunctureRequest_survives() => Messages<PunctureRequest>();
    [Fact] public void NewPunctureRequest_survives() => Messages<NewPunctureRequest>();
    [Fact] public void Puncture_survives() => Messages<Puncture>();
    [Fact] public void NewPuncture_survives() => Messages<NewPuncture>();
    [Fact] public void SimilarityRequest_survives() => Messages<SimilarityRequest>();
    [Fact] public void SimilarityResponse_survives() => Messages<SimilarityResponse>();

    [Fact]
    public void Frames_and_legacy_keys_survive() => Fuzz.Run("Packet", Packets, static bytes =>
    {
        foreach (var form in new[] { MessageForm.Plain, MessageForm.GlobalTime })
        {
            Packet.CutSigned(bytes, form, out _);
            Packet.CutUnsigned(bytes, form, out _, out _);
        }
        LegacyKey.SignatureBytes(bytes);
        DiscoveryCommunity.WithoutHistory(bytes);
    });

    [Fact]
    public void A_lan_announcement_survives() => Fuzz.Run("LanAnnouncement",
        [new LanAnnouncement(default, 1, 8090, 2).ToBytes()], static bytes => LanAnnouncement.TryRead(bytes, out _));

    [Fact]
    public void A_whole_node_survives()
    {
        var world = new World(1);
        // Unlimited, so that every packet gets as far as it can.
        var options = OverlayTestNodes.Options.WithoutRates();
        var node = world.AddTalker("node", options: options);
        var host = node.HostOf();
        node.Run(() =>
        {
            host.Join(context => new TalkCommunity(context, CommunityId.FromHex("02313685c1912a141279f8248fc8db5899c5df5a"), MessageForm.GlobalTime));
            var random = new Polder.Runtime.Prng(Fuzz.Seed);
            // A node keeps what it heard, within its caps: so memory is bounded by those and not by each packet.
            Fuzz.Run("NodeHost", Packets, bytes =>
                host.Reception.Receive(Endpoint.FromIPv4((uint)random.Next(int.MaxValue), random.NextUInt16()), bytes), allocationFactor: 64);
        });
        Assert.Equal(0, host.Counters.Faults);
    }
}
