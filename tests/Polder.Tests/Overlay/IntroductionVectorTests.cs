using System.Text.Json;
using Polder.Cryptography;
using Polder.Identity;
using Polder.Net;
using Polder.Overlay;
using Polder.Overlay.Packets;
using Polder.Wire;
using static Polder.Tests.Overlay.Vectors;

namespace Polder.Tests.Overlay;

/// <summary>The introduction messages of py-ipv8 3.2 and kotlin-ipv8, byte for byte both ways.</summary>
public sealed class IntroductionVectorTests
{
    private static readonly CommunityId Id = CommunityId.FromHex(Vectors.Community.GetProperty("community_id").GetString()!);
    private static readonly Endpoint Lan = Address("192.168.1.5:8090"), Wan = Address("203.0.113.7:8090"), Bob = Address("198.51.100.9:7759"),
        Walker = Address("192.0.2.33:5555"), Carol = Address("192.0.2.44:6666"), CarolLan = Address("10.0.0.44:6666");
    private static readonly JsonElement Messages = Vectors.Community.GetProperty("messages");

    [Fact]
    public void Introduction_requests_are_written_and_read_as_py_does()
    {
        var request = new IntroductionRequest(Bob, Lan, Wan, IntroductionRequest.Advice, 42, default);
        Same("alice", Messages.Named("introduction-request (246), old style"), 42, request);
        Same("alice", Messages.Named("introduction-request (246) with extra"), 42, request with { Extra = "extra"u8.ToArray() });
        Same("alice", Messages.Named("new-introduction-request (234), IPv4"), 42, new NewIntroductionRequest(request with { Flags = 0 }));
        Same("alice", Messages.Named("new-introduction-request (234), IPv6"), 42,
            new NewIntroductionRequest(request with { Flags = 0, Destination = Address("[2001:db8::9]:7759") }));
    }

    [Fact]
    public void Introduction_responses_are_written_and_read_as_py_does()
    {
        var none = new IntroductionResponse(
            Walker, Lan, Wan, Endpoint.None, Endpoint.None, IntroductionResponse.SpeaksNewStyle, 42, default);
        Same("bob", Messages.Named("introduction-response (245), no"), 42, none);
        Same("bob", Messages.Named("introduction-response (245) of a full peer"), 42,
            none with { Flags = IntroductionResponse.SpeaksNewStyle | IntroductionResponse.Full });
        var carol = none with { LanIntroduction = CarolLan, WanIntroduction = Carol };
        Same("bob", Messages.Named("introduction-response (245), introducing"), 42, carol with { Extra = "xyz"u8.ToArray() });
        Same("bob", Messages.Named("new-introduction-response (233)"), 42, new NewIntroductionResponse(carol with { Flags = 0 }));
    }

    [Fact]
    public void Punctures_are_written_and_read_as_py_does()
    {
        Same("carol", Messages.Named("puncture (249)"), 42, new Puncture(Lan, Walker, 42));
        Same("carol", Messages.Named("new-puncture (231)"), 42, new NewPuncture(new Puncture(Lan, Walker, 42)));
        SameUnsigned(Messages.Named("puncture-request (250)"), 43, new PunctureRequest(Bob, Walker, 42));
        SameUnsigned(Messages.Named("new-puncture-request (232)"), 42,
            new NewPunctureRequest(new PunctureRequest(Address("10.0.0.1:1"), Address("[2001:db8::1]:2"), 42)));
    }

    [Fact]
    public void The_flags_are_those_of_py()
    {
        foreach (var row in Vectors.Community.GetProperty("flag_bytes").EnumerateArray())
        {
            byte type = row.GetProperty("connection_type").GetString() switch { "public" => 0x80, "symmetric-NAT" => 0xC0, _ => 0 };
            var newStyle = row.GetProperty("supports_new_style").GetBoolean();
            Assert.Equal(row.Hex("request_byte")[0],
                type | IntroductionRequest.Advice | (newStyle ? IntroductionRequest.SpeaksNewStyle : 0));
            Assert.Equal(row.Hex("response_byte")[0], type | (newStyle ? IntroductionResponse.SpeaksNewStyle : 0));
            Assert.Equal(type, row.Hex("request_byte")[0] & IntroductionRequest.ConnectionTypeMask);
        }
    }

    [Fact]
    public void What_kotlin_sends_is_read_and_written()
    {
        var id = Id;
        foreach (var item in Kotlin.GetProperty("messages").EnumerateArray())
        {
            var packet = item.Hex("packet");
            var name = item.GetProperty("name").GetString()!;
            Assert.Equal(id, Packet.CommunityOf(packet));
            Assert.Equal(item.GetProperty("message_id").GetInt32(), Packet.NumberOf(packet));
            if (name.StartsWith("introduction request", StringComparison.Ordinal)) Again<IntroductionRequest>(packet, "alice");
            else if (name.StartsWith("introduction response", StringComparison.Ordinal)) Again<IntroductionResponse>(packet, "alice");
            else if (name.StartsWith("puncture", StringComparison.Ordinal)) Again<Puncture>(packet, "alice");
            else if (name.StartsWith("unsigned", StringComparison.Ordinal))
            {
                Assert.Equal(WireError.None, Packet.CutUnsigned(packet, MessageForm.GlobalTime, out var globalTime, out var fields));
                Assert.Equal((9ul, "0000000178"), (globalTime, Convert.ToHexStringLower(fields)));
            }
            else
            {
                Assert.Equal(WireError.None, Packet.CutSigned(packet, MessageForm.GlobalTime, out var cut));
                Assert.True(Ed25519.Verify(Person("alice").Public.SigningKey, cut.SignedBytes, cut.Signature));
                Assert.Equal(item.Hex("sealed_payload"), cut.Fields.ToArray());
                var opened = Person("bob").TryOpen(cut.Fields);
                Assert.NotNull(opened);
                if (item.TryGetProperty("payload", out var payload)) Assert.Equal(Hex(payload), opened);
                Assert.Null(Person("carol").TryOpen(cut.Fields));
            }
        }
    }

    /// <summary>The message makes the packet, the packet gives the message, and no shorter packet does.</summary>
    internal static void Same<T>(string signer, JsonElement vector, ulong globalTime, T message, CommunityId? community = null)
        where T : struct, IMessage<T>
    {
        var packet = vector.Hex("packet");
        var pair = Person(signer);
        var buffer = new byte[2000];
        var length = Packet.WriteSigned(buffer, community ?? Id, MessageForm.GlobalTime, globalTime, message, pair, Ed25519Signatures.Instance);
        Assert.Equal(Convert.ToHexStringLower(packet), Convert.ToHexStringLower(buffer.AsSpan(0, length)));
        Again<T>(packet, signer, community);
        Fuzz.RefusesEveryTruncation(packet, part => IsGood<T>(part, pair.Public));
    }

    private static void Again<T>(byte[] packet, string signer, CommunityId? community = null) where T : struct, IMessage<T>
    {
        var pair = Person(signer);
        Assert.Equal(WireError.None, Packet.CutSigned(packet, MessageForm.GlobalTime, out var cut));
        Assert.Equal(WireError.None, Packet.Read<T>(cut.Fields, out var message));
        Assert.True(IsGood<T>(packet, pair.Public));
        var buffer = new byte[2000];
        var length = Packet.WriteSigned(
            buffer, community ?? Id, MessageForm.GlobalTime, cut.GlobalTime, message, pair, Ed25519Signatures.Instance);
        Assert.Equal(Convert.ToHexStringLower(packet), Convert.ToHexStringLower(buffer.AsSpan(0, length)));
    }

    private static bool IsGood<T>(byte[] packet, PublicKey key) where T : struct, IMessage<T> =>
        Packet.CutSigned(packet, MessageForm.GlobalTime, out var cut) == WireError.None
        && Ed25519.Verify(key.SigningKey, cut.SignedBytes, cut.Signature)
        && Packet.Read<T>(cut.Fields, out _) == WireError.None;

    internal static void SameUnsigned<T>(JsonElement vector, ulong globalTime, T message, CommunityId? community = null)
        where T : struct, IMessage<T>
    {
        var packet = vector.Hex("packet");
        var buffer = new byte[200];
        var length = Packet.WriteUnsigned(buffer, community ?? Id, MessageForm.GlobalTime, globalTime, message);
        Assert.Equal(Convert.ToHexStringLower(packet), Convert.ToHexStringLower(buffer.AsSpan(0, length)));
        Assert.True(IsGood(packet, out var read));
        Assert.Equal(message, read);
        Fuzz.RefusesEveryTruncation(packet, part => IsGood(part, out _));

        static bool IsGood(byte[] packet, out T message)
        {
            message = default;
            return Packet.CutUnsigned(packet, MessageForm.GlobalTime, out _, out var fields) == WireError.None
                && Packet.Read(fields, out message) == WireError.None;
        }
    }
}
