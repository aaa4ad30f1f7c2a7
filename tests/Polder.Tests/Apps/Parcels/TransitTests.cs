using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Polder.Apps.Parcels.Transit;
using Polder.Cryptography;

namespace Polder.Tests.Apps.Parcels;

public sealed class TransitTests
{
    [Fact]
    public void Lines_keys_and_records_are_those_of_the_stock_client()
    {
        var vectors = WormholeVectors.Read("transit.json");
        var keys = new TransitKeys(new Hash256(vectors.Hex("transit_key")));
        Assert.Equal(vectors.Text("sender_handshake"), Encoding.ASCII.GetString(keys.SenderLine));
        Assert.Equal(vectors.Text("receiver_handshake"), Encoding.ASCII.GetString(keys.ReceiverLine));
        Assert.Equal(vectors.Text("relay_handshake"), Encoding.ASCII.GetString(keys.RelayLine("0123456789abcdef")));
        Assert.Equal(vectors.GetProperty("record_keys").Text("sender"), Convert.ToHexStringLower(keys.SenderKey));
        Assert.Equal(vectors.GetProperty("record_keys").Text("receiver"), Convert.ToHexStringLower(keys.ReceiverKey));
        foreach (var record in vectors.GetProperty("records").EnumerateArray())
        {
            var plaintext = record.GetProperty("plaintext").ValueKind == JsonValueKind.String ? record.Hex("plaintext")
                : [.. Enumerable.Range(0, record.GetProperty("plaintext_length").GetInt32()).Select(i => (byte)(i & 0xFF))];
            var key = record.Text("from") == "sender" ? keys.SenderKey : keys.ReceiverKey;
            var number = record.GetProperty("nonce_number").GetUInt64();
            var wire = new byte[plaintext.Length + TransitRecords.OverheadBytes];
            TransitRecords.Seal(key, number, plaintext, wire);
            Assert.Equal(record.GetProperty("wire_length").GetInt32(), wire.Length);
            Assert.Equal(record.Text("wire_sha256"), Convert.ToHexStringLower(SHA256.HashData(wire)));
            Assert.Equal(wire.Length, TransitRecords.Length(wire));
            var opened = new byte[plaintext.Length];
            Assert.True(TransitRecords.TryOpen(key, number, wire, opened));
            Assert.Equal(plaintext, opened);
            Assert.False(TransitRecords.TryOpen(key, number + 1, wire, opened));
        }
    }

    [Fact]
    public void Wrong_records_are_refused_where_the_stock_client_refuses_them()
    {
        var vectors = WormholeVectors.Read("transit.json");
        var key = new TransitKeys(new Hash256(vectors.Hex("transit_key"))).SenderKey;
        foreach (var judged in vectors.GetProperty("judged_by_receiver").EnumerateArray())
        {
            var (records, failed) = Read(key, judged.Hex("wire"));
            Assert.Equal(judged.GetProperty("records").EnumerateArray().Select(record => record.GetString()!), records.Select(Convert.ToHexStringLower));
            Assert.True(failed == (judged.GetProperty("error").ValueKind == JsonValueKind.String), judged.Text("name"));
        }
        Assert.Equal(-1, TransitRecords.Length([0xFF, 0xFF, 0xFF, 0xFF]));
        Assert.Equal(-1, TransitRecords.Length([0, 0x10, 0, 41]));
        Assert.NotEqual(-1, TransitRecords.Length([0, 0x10, 0, 40]));
    }

    [Fact]
    public void Hints_are_understood_as_the_stock_client_understands_them()
    {
        var vectors = WormholeVectors.Read("transit.json");
        foreach (var text in vectors.GetProperty("hint_texts").EnumerateArray())
        {
            var hint = TransitHint.Parse(text.Text("text"));
            if (text.GetProperty("hint").ValueKind == JsonValueKind.Null) Assert.Null(hint);
            else Assert.Equal((text.GetProperty("hint").Text("hostname"), text.GetProperty("hint").GetProperty("port").GetInt32(), text.GetProperty("hint").GetProperty("priority").GetDouble()), (hint!.Value.Host, hint.Value.Port, hint.Value.Priority));
        }
        foreach (var item in vectors.GetProperty("hint_objects").EnumerateArray())
        {
            var hint = item.GetProperty("hint");
            // Hints for Tor are understood and left alone; a port that no machine has cannot be dialled.
            var usable = item.GetProperty("understood").GetBoolean() && hint.Text("type") != "tor-tcp-v1" && hint.GetProperty("port").GetInt32() <= 65535;
            Assert.Equal(usable, TransitHints.ReadDirect(hint) is not null);
        }
    }

    [Fact]
    public void Strange_hints_spoil_nothing_else()
    {
        using var hints = JsonDocument.Parse("""
            {"hints-v1":[null,5,"x",[],{},{"type":"direct-tcp-v1","hostname":"192.0.2.1","port":4321,"priority":0.0,"hints":null},
            {"type":"relay-v1","hostname":"","port":0,"hints":[{"type":"direct-tcp-v1","hostname":"192.0.2.2","port":4001},{"type":"direct-tcp-v1","hostname":"192.0.2.3","port":4001,"priority":2}]},
            {"type":"relay-v1","hints":null},{"type":"new-v9"},{"type":"direct-tcp-v1","hostname":7,"port":1}]}
            """);
        var read = TransitHints.Read(hints.RootElement);
        Assert.Equal(["192.0.2.1:4321"], read.Direct.Select(hint => hint.ToString()));
        Assert.Equal(["192.0.2.3:4001", "192.0.2.2:4001"], read.Relays.Select(hint => hint.ToString()));
        using var none = JsonDocument.Parse("""{"hints-v1":null}""");
        Assert.Empty(TransitHints.Read(none.RootElement).Direct);
        using var ours = JsonDocument.Parse(read.Write());
        Assert.Equal(read.Relays, TransitHints.Read(ours.RootElement.GetProperty("transit")).Relays);
    }

    [Theory]
    [InlineData("127.0.0.1", false, false, false)]
    [InlineData("127.0.0.1", false, true, true)]
    [InlineData("127.0.0.1", true, false, true)]
    [InlineData("::ffff:127.0.0.1", false, false, false)]
    [InlineData("192.0.2.1", false, false, true)]
    [InlineData("192.0.2.1", true, true, false)]
    [InlineData("169.254.1.1", false, true, false)]
    [InlineData("224.0.0.1", false, true, false)]
    [InlineData("239.255.80.76", false, true, false)]
    [InlineData("255.255.255.255", false, true, false)]
    [InlineData("0.0.0.0", false, true, false)]
    [InlineData("::1", false, false, false)]
    [InlineData("::", false, true, false)]
    [InlineData("fe80::1", false, true, false)]
    [InlineData("ff02::1", false, true, false)]
    [InlineData("2001:db8::1", false, false, true)]
    public void Only_sane_addresses_are_dialled(string address, bool loopbackOnly, bool peerMayBeHere, bool allowed) =>
        Assert.Equal(allowed, new DialRules(loopbackOnly, peerMayBeHere).Allows(IPAddress.Parse(address)));

    [Fact]
    public void Any_bytes_of_records_and_hints_are_read_without_harm()
    {
        var vectors = WormholeVectors.Read("transit.json");
        var key = new TransitKeys(new Hash256(vectors.Hex("transit_key"))).SenderKey;
        Fuzz.Run("transit-record", [.. vectors.GetProperty("judged_by_receiver").EnumerateArray().Select(judged => judged.Hex("wire"))], bytes => Read(key, bytes.ToArray()));
        Fuzz.Run("transit-hints", [.. vectors.GetProperty("hint_objects").EnumerateArray().Select(item => Encoding.UTF8.GetBytes($$"""{"hints-v1":[{{item.GetProperty("hint").GetRawText()}}]}"""))], bytes =>
        {
            if (Polder.Apps.Parcels.JsonText.Parse(bytes.ToArray()) is { } json) TransitHints.Read(json);
        }, allocationFactor: 128);
    }

    private static (List<byte[]> Records, bool Failed) Read(byte[] key, ReadOnlySpan<byte> wire)
    {
        var records = new List<byte[]>();
        for (ulong number = 0; ; number++)
        {
            var length = TransitRecords.Length(wire);
            if (length < 0) return (records, true);
            if (length == 0 || wire.Length < length) return (records, false);
            var plaintext = new byte[length - TransitRecords.OverheadBytes];
            if (!TransitRecords.TryOpen(key, number, wire[..length], plaintext)) return (records, true);
            records.Add(plaintext);
            wire = wire[length..];
        }
    }
}
