using Polder.Cryptography;
using Polder.Overlay;
using Polder.Overlay.Dht;
using Polder.Overlay.Dht.IPv8;
using Polder.Overlay.Dht.Records;
using Polder.Simulation;
using Polder.Wire;

namespace Polder.Tests.Overlay.Dht;

/// <summary>Every decoder of both DHTs, and both ways in, under damaged and random bytes.</summary>
public sealed class DhtFuzzTests
{
    private static readonly List<byte[]> Plain = [.. Vectors.Dht.GetProperty("messages").EnumerateArray().Select(static item => item.Hex("payload"))];
    private static readonly List<byte[]> Packets = [.. Vectors.Dht.GetProperty("messages").EnumerateArray().Select(static item => item.Hex("packet"))];
    private static readonly List<byte[]> Own = MakeOwn();

    private static List<byte[]> MakeOwn()
    {
        var alice = Vectors.Person("alice");
        var record = DhtRecord.Sign(RecordKind.Mutable, "salt"u8, 1, 2, "value"u8, default, alice, Ed25519Signatures.Instance);
        var bytes = new byte[100];
        var contact = new WireWriter(bytes);
        new Contact(alice.Public, Vectors.Address("203.0.113.7:8090")).Write(ref contact);
        return [Bytes(new Find(1, default, FindFlags.Records, 0, 20)), Bytes(new Found(1, 2, 3, FindFlags.None, 1, [(60, record.Bytes.ToArray())], 1, contact.Written.ToArray())),
            Bytes(new Store(1, 2, false, 3, record.Memory)), Bytes(new Stored(1, StoreVerdict.Kept)), record.Bytes.ToArray()];

        static byte[] Bytes<T>(T message) where T : struct, IMessage<T>
        {
            var writer = new WireWriter(new byte[1500]);
            message.Write(ref writer);
            return writer.Written.ToArray();
        }
    }

    private static void Messages<T>(List<byte[]> corpus) where T : struct, IMessage<T> => Fuzz.Run(typeof(T).FullName!, corpus, static bytes =>
    {
        if (Packet.Read<T>(bytes, out var message) != WireError.None) return;
        var writer = new WireWriter(new byte[bytes.Length + 16]);
        message.Write(ref writer);
        Assert.True(writer.Position <= bytes.Length);
    }, allocationFactor: 8);

    [Fact] public void IPv8_requests_survive() { Messages<FindRequest>(Plain); Messages<StoreRequest>(Plain); }
    [Fact] public void IPv8_responses_survive() { Messages<FindResponse>(Plain); Messages<ConnectPeerResponse>(Plain); }
    [Fact] public void IPv8_peer_requests_survive() { Messages<StorePeerRequest>(Plain); Messages<ConnectPeerRequest>(Plain); Messages<PingRequest>(Plain); }
    [Fact] public void Our_questions_survive() { Messages<Find>(Own); Messages<Store>(Own); }
    [Fact] public void Our_answers_survive() { Messages<Found>(Own); Messages<Stored>(Own); }

    [Fact]
    public void Values_records_and_contacts_survive() => Fuzz.Run("records",
        [.. Own, .. Vectors.Dht.GetProperty("values").EnumerateArray().Select(static row => row.Hex("value"))], static bytes =>
        {
            DhtRecord.TryRead(bytes, default, Ed25519Signatures.Instance, out _);
            DhtValue.TryRead(bytes, Ed25519Signatures.Instance, out _);
            ContactFormat.TryRead(bytes);
        }, allocationFactor: 8);

    [Fact]
    public void A_node_with_both_survives()
    {
        var world = new World(1);
        var node = world.AddNode("node", options: OverlayTestNodes.Options.WithoutRates() with { Sessions = new Polder.Overlay.Sessions.SessionOptions { Enabled = false } }, setUp: static (_, host) =>
        {
            host.Join(static context => new IPv8DhtCommunity(context));
            host.Join(static context => new DhtCommunity(context));
        });
        var host = node.HostOf();
        var corpus = new List<byte[]>(Packets);
        var buffer = new byte[1500];
        var alice = Vectors.Person("alice");
        corpus.Add(buffer[..Packet.WriteSigned(buffer, DhtCommunity.Id, MessageForm.Plain, 0, new Find(1, default, FindFlags.Records | FindFlags.Contacts, 0, 100), alice, world.Signatures)]);
        node.Run(() => Fuzz.Run("both DHTs", corpus, bytes => host.Reception.Receive(Vectors.Address("198.51.100.7:4000"), bytes), allocationFactor: 64));
        Assert.Equal(0, host.Counters.Faults);
    }
}
