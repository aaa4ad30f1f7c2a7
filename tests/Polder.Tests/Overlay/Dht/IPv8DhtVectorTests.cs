using System.Text.Json;
using Polder.Cryptography;
using Polder.Identity;
using Polder.Net;
using Polder.Overlay;
using Polder.Overlay.Dht;
using Polder.Overlay.Dht.IPv8;
using Polder.Wire;
using static Polder.Tests.Overlay.Vectors;

namespace Polder.Tests.Overlay.Dht;

/// <summary>IPv8's DHT as py-ipv8 3.2 writes it, byte for byte both ways; its ids, its values, its tables.</summary>
public sealed class IPv8DhtVectorTests
{
    private const uint Nonce = 0x1234;
    private static readonly JsonElement Messages = Vectors.Dht.GetProperty("messages");
    private static readonly Endpoint Lan = Address("192.168.1.5:8090");

    private static DhtId Id(JsonElement element, string name) => new(element.Hex(name));

    [Fact]
    public void All_ten_messages_are_written_and_read_as_py_does()
    {
        Assert.Equal(Vectors.Dht.GetProperty("community_id").GetString(), IPv8DhtCommunity.Id.ToString());
        var store = Messages.Named("store-request").GetProperty("fields");
        var (token, target) = (new DhtToken(Id(store, "token")), Id(store, "target"));
        byte[][] values = [.. store.GetProperty("values").EnumerateArray().Select(Hex)];
        NodeAddress[] nodes = [.. Messages.Named("find-response with nodes").GetProperty("fields").GetProperty("nodes").EnumerateArray().Select(static node =>
        {
            Assert.True(PublicKey.TryParse(node.Hex("public_key_bin"), out var key));
            var contact = new NodeAddress(AddressOf(node.GetProperty("address")), key);
            Assert.Equal(Id(node, "node_id"), contact.Id);
            return contact;
        })];
        Same("ping-request", new PingRequest(Nonce), true);
        Same("ping-response", new PingResponse(Nonce), true);
        Same("store-request", new StoreRequest(Nonce, token, target, values));
        Same("store-response", new StoreResponse(Nonce), true);
        Same("find-request", new FindRequest(Nonce, Lan, target, 3, true), true);
        Same("find-response with nodes", new FindResponse(Nonce, token, [], nodes));
        Same("find-response with values", new FindResponse(Nonce, token, values, []));
        Same("store-peer-request", new StorePeerRequest(Nonce, token, DhtId.Of(Person("alice").Public.Id)), true);
        Same("store-peer-response", new StorePeerResponse(Nonce), true);
        Same("connect-peer-request", new ConnectPeerRequest(Nonce, Lan, target), true);
        Same("connect-peer-response", new ConnectPeerResponse(Nonce, nodes));
    }

    [Fact]
    public void Values_are_read_written_and_refused_as_py_does()
    {
        foreach (var row in Vectors.Dht.GetProperty("values").EnumerateArray())
        {
            var bytes = row.Hex("value");
            var good = DhtValue.TryRead(bytes, Ed25519Signatures.Instance, out var value);
            var result = row.GetProperty("result");
            Assert.Equal(result.ValueKind != JsonValueKind.Null, good);
            if (!good) continue;
            Assert.Equal(result.Hex("data"), value.Data.ToArray());
            Assert.Equal(result.GetProperty("version").GetUInt32(), value.Version);
            Assert.Equal(result.GetProperty("public_key").ValueKind == JsonValueKind.Null, value.Signer is null);
            Assert.Equal(Id(result, "storage_id"), value.StorageId(bytes));
            var again = value.Signer is null ? DhtValue.Write(value.Data.Span)
                : DhtValue.Write(value.Data.Span, value.Version, Person("alice"), Ed25519Signatures.Instance);
            Assert.Equal(bytes, again);
            if (value.Signer is not null) Fuzz.RefusesEveryTruncation(bytes, static part => DhtValue.TryRead(part, Ed25519Signatures.Instance, out _));
        }
        Assert.False(DhtValue.TryRead([], Ed25519Signatures.Instance, out _));
    }

    [Fact]
    public void Node_ids_are_computed_as_py_does()
    {
        foreach (var row in Vectors.Dht.GetProperty("node_ids").EnumerateArray())
            Assert.Equal(Id(row, "node_id"), DhtId.OfNode(AddressOf(row.GetProperty("address")), new PeerId(row.Hex("mid"))));
        Assert.Equal("44f640", DhtId.OfNode(Address("127.0.0.1:1"), default).ToString()[..6]);
    }

    [Fact]
    public void A_storer_orders_values_as_py_does()
    {
        var key = new DhtId("kkkkkkkkkkkkkkkkkkkk"u8);
        var store = new ValueStore(new IPv8DhtOptions());
        foreach (var row in Vectors.Dht.GetProperty("storage_order").EnumerateArray())
        {
            var put = row.GetProperty("put");
            var id = new DhtId(System.Text.Encoding.ASCII.GetBytes(put.GetProperty("id").GetString()!.PadRight(20)));
            store.Put(key, id, System.Text.Encoding.ASCII.GetBytes(put.GetProperty("data").GetString()!), put.GetProperty("version").GetUInt32(),
                isSigned: true, TimeSpan.FromHours(1), default);
            Assert.Equal(row.GetProperty("list_after").EnumerateArray().Select(static text => text.GetString()!),
                store.Get(key, TimeSpan.Zero).Select(System.Text.Encoding.ASCII.GetString));
        }
    }

    [Fact]
    public void The_table_grows_and_answers_as_pys()
    {
        var routing = Vectors.Dht.GetProperty("routing");
        var table = new RoutingTable(Id(routing, "my_node_id"));
        foreach (var row in routing.GetProperty("inserted_in_order").EnumerateArray())
        {
            // The vector gives mids; a key that has this mid we cannot make. So the node carries the id.
            var node = RoutingNode.ForTests(Id(row, "node_id"), AddressOf(row.GetProperty("address")));
            Assert.Equal(row.GetProperty("added").GetBoolean(), table.Add(node, TimeSpan.Zero) is not null);
        }
        Assert.Equal(routing.GetProperty("closest_8").EnumerateArray().Select(static id => id.GetString()),
            table.Closest(Id(routing, "target"), TimeSpan.Zero).Select(static node => node.Id.ToString()));
        Assert.Equal(routing.GetProperty("buckets").EnumerateArray().Select(static bucket => (bucket.GetProperty("prefix").GetString()!, bucket.GetProperty("size").GetInt32())),
            table.Buckets.Select(static bucket => (string.Concat(Enumerable.Range(0, bucket.Bits).Select(bit => bucket.Prefix.Bit(bit) ? '1' : '0')), bucket.Nodes.Count)));
    }

    private static Endpoint AddressOf(JsonElement pair) =>
        Endpoint.From(System.Net.IPAddress.Parse(pair[0].GetString()!), pair[1].GetInt32());

    private static void Same<T>(string name, T message, bool equal = false) where T : struct, IMessage<T>
    {
        var vector = Messages.Named(name);
        var packet = vector.Hex("packet");
        var alice = Person("alice");
        var buffer = new byte[2000];
        var length = Packet.WriteSigned(buffer, IPv8DhtCommunity.Id, MessageForm.Plain, 0, message, alice, Ed25519Signatures.Instance);
        Assert.Equal(Convert.ToHexStringLower(packet), Convert.ToHexStringLower(buffer.AsSpan(0, length)));
        Assert.Equal(vector.GetProperty("size").GetInt32(), length);
        Assert.Equal(vector.GetProperty("message_id").GetInt32(), T.Number);
        Assert.Equal(WireError.None, Packet.CutSigned(packet, MessageForm.Plain, out var cut));
        Assert.Equal(vector.Hex("payload"), cut.Fields.ToArray());
        Assert.Equal(WireError.None, Packet.Read<T>(cut.Fields, out var read));
        if (equal) Assert.Equal(message, read);
        length = Packet.WriteSigned(buffer, IPv8DhtCommunity.Id, MessageForm.Plain, 0, read, alice, Ed25519Signatures.Instance);
        Assert.Equal(packet, buffer[..length]);
        Fuzz.RefusesEveryTruncation(packet, part => Packet.CutSigned(part, MessageForm.Plain, out var some) == WireError.None
            && Ed25519.Verify(alice.Public.SigningKey, some.SignedBytes, some.Signature) && Packet.Read<T>(some.Fields, out _) == WireError.None);
        Fuzz.RefusesEveryTruncation(vector.Hex("payload"), static part => Packet.Read<T>(part, out _) == WireError.None);
        Assert.Equal(WireError.TrailingBytes, Packet.Read<T>([.. vector.Hex("payload"), 0], out _));
    }
}
