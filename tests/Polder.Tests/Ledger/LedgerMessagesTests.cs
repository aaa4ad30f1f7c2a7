using System.Text.Json;
using Polder.Cryptography;
using Polder.Identity;
using Polder.Ledger;
using Polder.Ledger.Messages;
using Polder.Overlay;
using Polder.Runtime;
using Polder.Wire;

namespace Polder.Tests.Ledger;

public sealed class LedgerMessagesTests
{
    private static readonly JsonElement Vectors = LedgerVectors.Open("trustchain/trustchain_messages.json");

    [Fact]
    public void The_overlays_have_their_ids()
    {
        Assert.Equal(Vectors.Text("community_id"), TrustChainCommunity.Id.ToString());
        Assert.Equal(Vectors.Text("testnet_community_id"), TrustChainCommunity.TestNetworkId.ToString());
    }

    [Fact]
    public void Every_message_of_py_and_Kotlin_is_read_and_written_byte_for_byte()
    {
        var seen = 0;
        foreach (var vector in Vectors.GetProperty("messages").EnumerateArray())
        {
            var packet = vector.Hex("packet");
            var fields = vector.GetProperty("fields");
            Assert.Equal(vector.GetProperty("size").GetInt32(), packet.Length);
            switch (vector.GetProperty("message_id").GetInt32())
            {
                case 1: Assert.Equal(fields.Hex("block"), Unsigned<HalfBlockMessage>(packet).Block.Packed.ToArray()); break;
                case 2:
                    var request = Signed(packet);
                    Assert.Equal(fields.GetProperty("start").GetInt64(), request.Start);
                    Assert.Equal(fields.GetProperty("end").GetInt64(), request.End);
                    Assert.Equal(fields.GetProperty("crawl_id").GetUInt32(), request.CrawlId);
                    Assert.Equal(packet.Length == 265, request.Wide);
                    break;
                case 3:
                    var response = Unsigned<CrawlResponse>(packet);
                    Assert.Equal(fields.Hex("block"), response.Block.Packed.ToArray());
                    Assert.Equal(fields.GetProperty("crawl_id").GetUInt32(), response.CrawlId);
                    break;
                case 4: Assert.Equal(fields.Hex("block1"), Unsigned<HalfBlockPair>(packet).First.Packed.ToArray()); break;
                case 5: Assert.Equal(fields.GetProperty("ttl").GetUInt32(), Unsigned<HalfBlockBroadcast>(packet).Ttl); break;
                case 6: Assert.Equal(fields.GetProperty("ttl").GetUInt32(), Unsigned<HalfBlockPairBroadcast>(packet).Ttl); break;
                case 7: Assert.Equal(fields.GetProperty("crawl_id").GetUInt32(), Unsigned<EmptyCrawlResponse>(packet).CrawlId); break;
                default: continue;
            }
            seen++;
        }
        Assert.Equal(9, seen);
    }

    [Fact]
    public void Kotlins_crawl_requests_are_read_and_written()
    {
        foreach (var vector in LedgerVectors.Open("kotlin/kotlin_crawl_requests.json").GetProperty("payloads").EnumerateArray())
        {
            var payload = vector.Hex("payload");
            Assert.Equal(CrawlRequest.WideBytes, payload.Length);
            Assert.Equal(WireError.None, Packet.Read<CrawlRequest>(payload, out var request));
            Assert.Equal(vector.Hex("public_key"), request.Key.ToArray());
            Assert.Equal((vector.GetProperty("start").GetInt64(), vector.GetProperty("end").GetInt64()), (request.Start, request.End));
            Assert.Equal(vector.GetProperty("crawl_id").GetUInt32(), request.CrawlId);
            Assert.True(request.Wide);
            Assert.Equal(payload, Written(request));
            for (var length = 0; length < payload.Length; length++)
                Assert.Equal(length == CrawlRequest.NarrowBytes, Packet.Read<CrawlRequest>(payload.AsSpan(0, length), out _) == WireError.None);
        }
    }

    [Fact]
    public void Any_bytes_are_read_or_refused_without_a_throw()
    {
        var random = new Prng(12);
        byte[][] seeds = [.. Vectors.GetProperty("messages").EnumerateArray().Select(vector => vector.Hex("packet")[31..])];
        for (var round = 0; round < 20_000; round++)
        {
            var bytes = random.Pick(seeds).ToList();
            for (var change = random.Next(4); change > 0; change--)
            {
                var at = random.Chance(0.5) ? random.Next(bytes.Count) : Math.Min(bytes.Count - 1, random.Next(250, 300));
                if (random.Chance(0.2)) bytes.RemoveRange(at, random.Next(bytes.Count - at));
                else bytes[at] = (byte)random.Next(256);
                if (bytes.Count == 0) break;
            }
            var data = bytes.ToArray();
            Try<HalfBlockMessage>(data);
            Try<CrawlRequest>(data);
            Try<CrawlResponse>(data);
            Try<HalfBlockPair>(data);
            Try<HalfBlockBroadcast>(data);
            Try<HalfBlockPairBroadcast>(data);
            Try<EmptyCrawlResponse>(data);
        }

        static void Try<T>(byte[] data) where T : struct, IMessage<T>
        {
            if (Packet.Read<T>(data, out var message) == WireError.None) Assert.Equal(data, Written(message));
        }
    }

    private static T Unsigned<T>(byte[] packet) where T : struct, IMessage<T>
    {
        Assert.Equal(WireError.None, Packet.CutUnsigned(packet, MessageForm.GlobalTime, out var time, out var fields));
        Assert.Equal(42ul, time);
        Assert.Equal(WireError.None, Packet.Read<T>(fields, out var message));
        var buffer = new byte[packet.Length];
        Assert.Equal(packet.Length, Packet.WriteUnsigned(buffer, TrustChainCommunity.Id, MessageForm.GlobalTime, time, message));
        Assert.Equal(packet, buffer);
        for (var length = 0; length < fields.Length; length++) Assert.NotEqual(WireError.None, Packet.Read<T>(fields[..length], out _));
        return message;
    }

    private static CrawlRequest Signed(byte[] packet)
    {
        Assert.Equal(WireError.None, Packet.CutSigned(packet, MessageForm.GlobalTime, out var cut));
        Assert.True(PublicKey.TryParse(cut.Key, out var signer));
        Assert.True(Ed25519Signatures.Instance.Verify(signer, cut.SignedBytes, cut.Signature));
        Assert.Equal(WireError.None, Packet.Read<CrawlRequest>(cut.Fields, out var request));
        Assert.Equal(cut.Fields, Written(request));
        return request;
    }

    private static byte[] Written<T>(T message) where T : struct, IMessage<T>
    {
        var writer = new WireWriter(new byte[4096]);
        message.Write(ref writer);
        return writer.Written.ToArray();
    }
}
