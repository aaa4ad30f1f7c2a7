using Polder.Cryptography;
using Polder.Identity;
using Polder.Net;
using Polder.Overlay;
using Polder.Overlay.Connecting;
using Polder.Overlay.Dht;
using Polder.Overlay.Dht.Records;
using Polder.Runtime;
using Polder.Wire;
using Contact = Polder.Overlay.Dht.Records.Contact;

namespace Polder.Tests.Overlay.Dht;

/// <summary>Records, quotas, tables, searches: the rules of our DHT, without a network.</summary>
public sealed class DhtRulesTests
{
    private static readonly ISignatures Ed = Ed25519Signatures.Instance;
    private static readonly Prng Random = new(42);

    private static KeyPair NewPair()
    {
        var entropy = new byte[KeyPair.EntropyBytes];
        Random.Fill(entropy);
        return KeyPair.FromEntropy(entropy);
    }

    private static DhtRecord Signed(KeyPair signer, string value, ulong sequence = 1, RecordKind kind = RecordKind.Mutable, byte[]? salt = null, ulong expiry = 9_999_999_999) =>
        DhtRecord.Sign(kind, salt ?? (kind == RecordKind.Membership ? new byte[32] : []), sequence, expiry, System.Text.Encoding.UTF8.GetBytes(value), default, signer, Ed);

    private static bool Reads(ReadOnlySpan<byte> bytes) => DhtRecord.TryRead(bytes, default, Ed, out _);

    [Fact]
    public void Records_of_all_kinds_come_back_as_they_went_and_no_shorter_one_does()
    {
        using var alice = NewPair();
        foreach (var record in (DhtRecord[])[Signed(alice, "v"), Signed(alice, "", salt: new byte[32]), Signed(alice, "here", kind: RecordKind.Contact), Signed(alice, "me", kind: RecordKind.Membership)])
        {
            Assert.True(DhtRecord.TryRead(record.Bytes, default, Ed, out var read));
            Assert.Equal((record.Key, record.Publisher, record.Sequence, record.Kind), (read.Key, read.Publisher, read.Sequence, read.Kind));
            Assert.Equal(record.Value.ToArray(), read.Value.ToArray());
            Fuzz.RefusesEveryTruncation(record.Bytes, static part => Reads(part));
            var changed = record.Bytes.ToArray();
            changed[^70] ^= 1;
            Assert.False(Reads(changed));
            Assert.False(DhtRecord.TryRead(record.Bytes, new Polder.Overlay.Discovery.NetworkId(7), Ed, out _));
        }
        var plain = DhtRecord.Immutable("hello"u8);
        Assert.Equal(Hash256.Of("hello"u8), plain.Key);
        Assert.True(DhtRecord.TryRead(plain.Bytes, default, Ed, out var again) && again.Key == plain.Key);
        Assert.Equal(DhtRecord.KeyOf(alice.Public, "salt"u8), Signed(alice, "x", salt: "salt"u8.ToArray()).Key);
        Assert.Throws<ArgumentException>(() => DhtRecord.Immutable(new byte[1001]));
        Assert.False(Reads([]));
        Assert.False(Reads([9, 1, 2]));
    }

    [Fact]
    public void The_largest_answer_and_the_largest_store_fit_into_1200_bytes()
    {
        using var alice = NewPair();
        var largest = DhtRecord.Immutable(new byte[DhtRecord.ValueBytesMax]);
        var buffer = new byte[2000];
        var found = new Found(1, 2, 3, FindFlags.None, 1, [(1, largest.Bytes.ToArray())], 0, []);
        Assert.True(Packet.WriteSigned(buffer, DhtCommunity.Id, MessageForm.Plain, 0, found, alice, Ed) <= 1200);
        Assert.True(Packet.WriteSigned(buffer, DhtCommunity.Id, MessageForm.Plain, 0, new Store(1, 2, false, 3, largest.Memory), alice, Ed) <= 1200);
        Assert.Throws<ArgumentException>(() => Signed(alice, new string('x', 1000)));
    }

    [Fact]
    public void A_higher_sequence_wins_and_an_equal_one_with_another_value_is_proof()
    {
        using var alice = NewPair();
        var store = new MemoryDhtStore(default, new DhtOptions());
        StoreVerdict Put(DhtRecord record) => store.Put(new HeldRecord(record, TimeSpan.FromHours(1), alice.Public, default, false), TimeSpan.Zero);
        Assert.Equal(StoreVerdict.Kept, Put(Signed(alice, "one", 5)));
        Assert.Equal(StoreVerdict.Older, Put(Signed(alice, "zero", 4)));
        Assert.Equal(StoreVerdict.Contradicts, Put(Signed(alice, "other one", 5)));
        var proof = Assert.Single(store.Contradictions);
        Assert.True(proof.First.Contradicts(proof.Second));
        Assert.NotNull(store.Get(Signed(alice, "one", 5).Key)![0].Rival);
        Assert.Equal(StoreVerdict.Kept, Put(Signed(alice, "two", 6)));
        Assert.Equal("two"u8.ToArray(), store.Get(Signed(alice, "two", 6).Key)![0].Record.Value.ToArray());
        Assert.Equal(1, store.Count);
    }

    [Fact]
    public void A_flood_of_one_writer_meets_its_quota_and_pushes_nobody_out()
    {
        var options = new DhtOptions { RecordsMax = 100, RecordsPerPublisherMax = 64, RecordsPerNetworkMax = 80 };
        var store = new MemoryDhtStore(default, options);
        using var honest = NewPair();
        var kept = new List<DhtRecord>();
        for (var i = 0; i < 40; i++)
        {
            kept.Add(Signed(honest, $"honest {i}", salt: [(byte)i]));
            Assert.Equal(StoreVerdict.Kept, store.Put(new HeldRecord(kept[^1], TimeSpan.FromHours(1), honest.Public, Endpoint.FromIPv4(1, 0), false), TimeSpan.Zero));
        }
        var verdicts = new List<StoreVerdict>();
        for (var flooder = 0; flooder < 8; flooder++)
        {
            using var pair = NewPair();
            // Eight keys from one network: each has its own quota, all share that of the network.
            for (var i = 0; i < 100; i++)
                verdicts.Add(store.Put(new HeldRecord(Signed(pair, $"flood {i}", salt: [(byte)i]), TimeSpan.FromHours(9), pair.Public, Endpoint.FromIPv4(2, 0), false), TimeSpan.Zero));
        }
        Assert.True(store.Count <= 100);
        Assert.Contains(StoreVerdict.Full, verdicts);
        var left = kept.Count(record => store.Get(record.Key) is not null);
        // The flooding network may take the free places, and those of writers that hold as many as it does; not more.
        Assert.True(left >= 20, $"{left} of 40 honest records are left");
        var one = new MemoryDhtStore(default, options);
        for (var i = 0; i < 100; i++) one.Put(new HeldRecord(Signed(honest, "x", salt: [(byte)i]), TimeSpan.FromHours(1), honest.Public, default, false), TimeSpan.Zero);
        Assert.Equal(64, one.Count);
        Assert.Equal(1, one.AtCap.PublishersAtCap);
    }

    [Fact]
    public void A_topic_holds_64_entries_and_what_ends_is_forgotten()
    {
        var store = new MemoryDhtStore(default, new DhtOptions());
        for (var i = 0; i < 80; i++)
        {
            using var pair = NewPair();
            store.Put(new HeldRecord(Signed(pair, "me", kind: RecordKind.Membership), TimeSpan.FromMinutes(10 + i), pair.Public, default, false), TimeSpan.Zero);
        }
        Assert.Equal(64, store.Get(default)!.Count);
        Assert.Equal(TimeSpan.FromMinutes(89), store.Get(default)![0].ExpiresAt);
        store.RemoveExpired(TimeSpan.FromMinutes(200));
        Assert.Equal(0, store.Count);
        Assert.Equal(0, store.BytesHeld);
    }

    private static ContactTable NewTable(Hash256 own, DhtOptions? options = null) => new(own, options ?? new DhtOptions().ForLaboratory(), (24, 48, 16, 32));

    [Fact]
    public void The_table_keeps_the_nearest_and_finds_what_a_linear_search_finds()
    {
        using var own = NewPair();
        var options = new DhtOptions { BucketWidth = 4, WideBucketWidth = 8, WideBuckets = 2 }.ForLaboratory();
        var table = NewTable(own.Public.NodeId, options);
        var all = new List<PublicKey>();
        for (var i = 0; i < 400; i++)
        {
            using var pair = NewPair();
            all.Add(pair.Public);
            table.Answered(pair.Public, Endpoint.FromIPv4((uint)i + 1000, 1), TimeSpan.FromMilliseconds(20), 1);
        }
        var inTable = all.Where(table.Contains).ToList();
        Assert.Equal(inTable.Count, table.Count);
        Assert.True(table.BucketCount >= 6);
        for (var bucket = 0; bucket < table.BucketCount; bucket++) Assert.True(table.CountIn(bucket) <= (bucket < 2 ? 8 : 4));
        // The very nearest are in it: only the last buckets hold them, and those are never full.
        var nearest = all.OrderBy(key => key.NodeId.Head ^ own.Public.NodeId.Head).Take(4);
        Assert.All(nearest, key => Assert.True(table.Contains(key)));
        Span<TableEntry> found = new TableEntry[10];
        for (var round = 0; round < 20; round++)
        {
            using var target = NewPair();
            var id = target.Public.NodeId;
            var count = table.Closest(id, found);
            Assert.Equal(inTable.OrderBy(key => key.NodeId.Head ^ id.Head).Take(10), found[..count].ToArray().Select(static entry => entry.Key));
            var bucket = Random.Next(table.BucketCount);
            var random = table.RandomIn(bucket, Random);
            Assert.True(bucket == table.BucketCount - 1 ? own.Public.NodeId.CommonPrefix(random) >= bucket : own.Public.NodeId.CommonPrefix(random) == bucket);
        }
    }

    [Fact]
    public void Two_silences_end_a_place_and_one_that_waited_takes_it()
    {
        using var own = NewPair();
        var table = NewTable(own.Public.NodeId, new DhtOptions { BucketWidth = 2, WideBucketWidth = 2 }.ForLaboratory());
        var far = new List<PublicKey>();
        while (far.Count < 4)
        {
            using var pair = NewPair();
            if (own.Public.NodeId.CommonPrefix(pair.Public.NodeId) == 0) far.Add(pair.Public);
        }
        foreach (var key in far) table.Answered(key, Endpoint.FromIPv4(7, 1), TimeSpan.FromMilliseconds(20), 1);
        Assert.True(table.Contains(far[0]) && table.Contains(far[1]) && !table.Contains(far[3]));
        Assert.False(table.Failed(far[0]));
        Assert.True(table.Failed(far[0]));
        Assert.False(table.Contains(far[0]));
        Assert.Equal(2, table.Count);
        Assert.True(table.Contains(far[3]) || table.Contains(far[2]));


    }

    [Fact]
    public void One_network_gets_few_places()
    {
        using var own = NewPair();
        var table = NewTable(own.Public.NodeId, new DhtOptions());
        for (var i = 0; i < 50; i++)
        {
            using var pair = NewPair();
            table.Answered(pair.Public, Endpoint.FromIPv4(0x0A0A0A00 + (uint)i, 1), TimeSpan.FromMilliseconds(1), 1);
        }
        Assert.Equal(1, table.Count); // one bucket as yet
        for (uint i = 0; i < 50; i++)
        {
            using var pair = NewPair();
            table.Answered(pair.Public, Endpoint.FromIPv4(0x0A0A0000 + i * 256, 1), TimeSpan.FromMilliseconds(1), 1);
        }
        Assert.Equal(8, table.Count);
        Assert.True(table.RefusedForDiversity > 80);
    }

    [Fact]
    public void No_node_is_asked_on_two_paths_and_a_lying_path_does_not_stop_the_others()
    {
        var options = new DhtOptions { BucketWidth = 4 }.ForLaboratory();
        var lookup = new Lookup(default, LookupGoal.Record, 3, options);
        var known = new List<TableEntry>();
        for (var i = 0; i < 9; i++)
        {
            using var pair = NewPair();
            known.Add(new TableEntry { Key = pair.Public, Address = Endpoint.FromIPv4((uint)i + 1, 1) });
        }
        lookup.Start(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(known));
        var asked = new HashSet<PublicKey>();
        var holder = DhtRecord.Immutable("there"u8);
        for (var rounds = 0; rounds < 1000 && !lookup.IsSatisfied && lookup.Next() is { } node; rounds++)
        {
            Assert.True(asked.Add(node.Key));
            if (node.AskedBy == 0)
            {
                // It knows only friends that lie as it does.
                lookup.Answered(node, 1, false, []);
                using var friend = NewPair();
                lookup.Add(friend.Public, Endpoint.FromIPv4(99, 1), 1, 0);
            }
            else lookup.Answered(node, 1, false, asked.Count > 6 ? [(holder, 60)] : []);
        }
        lookup.Conclude();
        Assert.True(lookup.IsSatisfied);
        Assert.Single(lookup.Records);
    }

    [Fact]
    public void A_late_node_makes_room_for_another_and_its_answer_still_counts()
    {
        var lookup = new Lookup(default, LookupGoal.Record, 1, new DhtOptions { Parallel = 1 }.ForLaboratory());
        var known = new TableEntry[2];
        for (var i = 0; i < 2; i++)
        {
            using var pair = NewPair();
            known[i] = new TableEntry { Key = pair.Public, Address = Endpoint.FromIPv4((uint)i + 1, 1) };
        }
        lookup.Start(known);
        var slow = lookup.Next()!;
        Assert.Null(lookup.Next());
        lookup.BecameLate(slow);
        var other = lookup.Next()!;
        Assert.NotSame(slow, other);
        lookup.Failed(other);
        Assert.True(lookup is { IsExhausted: true, LatePending: 1 });
        lookup.Answered(slow, 1, false, [(DhtRecord.Immutable("late"u8), 60)]);
        Assert.True(lookup.IsSatisfied);
    }

    [Fact]
    public void Puzzles_hold_for_a_week_and_its_neighbours()
    {
        using var own = NewPair();
        var id = own.Public.NodeId;
        var nonce = Puzzle.Solve(id, 100, 10);
        Assert.True(Puzzle.HoldsThisWeek(id, nonce, 100, 10) && Puzzle.HoldsThisWeek(id, nonce, 99, 10) && Puzzle.HoldsThisWeek(id, nonce, 101, 10));
        Assert.True(Puzzle.HoldsForEver(id, 0));
        var pairs = Enumerable.Range(0, 64).Select(static _ => NewPair()).ToList();
        var solved = pairs.Count(static pair => Puzzle.HoldsForEver(pair.Public.NodeId, 2));
        Assert.InRange(solved, 4, 30);
    }

    [Fact]
    public void A_contact_says_addresses_and_relays_and_no_shorter_one_is_read()
    {
        using var relay = NewPair();
        var bytes = ContactFormat.Write([Vectors.Address("203.0.113.7:8090"), Vectors.Address("[2001:db8::7]:8090")],
            [new RelayReservation(relay.Public, Vectors.Address("192.0.2.1:9"), 77)]);
        var hints = ContactFormat.TryRead(bytes)!;
        Assert.Equal(2, hints.Addresses.Count);
        Assert.Equal((relay.Public, 77ul), (hints.Relays[0].Relay, hints.Relays[0].Token));
        Fuzz.RefusesEveryTruncation(bytes, static part => ContactFormat.TryRead(part) is not null);
    }

    [Fact]
    public void The_messages_come_back_as_they_went()
    {
        using var alice = NewPair();
        var contact = new byte[100];
        var writer = new WireWriter(contact);
        new Contact(alice.Public, Vectors.Address("203.0.113.7:8090")).Write(ref writer);
        var contacts = writer.Written.ToArray();
        Again(new Find(1, Hash256.Of("x"u8), FindFlags.Records | FindFlags.Young, 3, 0), canBeShorter: false);
        Again(new Found(1, 2, 3, FindFlags.Client, 9, [(60, DhtRecord.Immutable("v"u8).Bytes.ToArray())], 1, contacts), canBeShorter: false);
        Again(new Store(1, 2, true, 3, new byte[] { 1, 2 }), canBeShorter: false);
        Again(new Stored(1, StoreVerdict.Full), canBeShorter: false);

        static void Again<T>(T message, bool canBeShorter) where T : struct, IMessage<T>
        {
            var buffer = new byte[1500];
            var writer = new WireWriter(buffer);
            message.Write(ref writer);
            var bytes = writer.Written.ToArray();
            Assert.Equal(WireError.None, Packet.Read<T>(bytes, out var read));
            var second = new WireWriter(new byte[1500]);
            read.Write(ref second);
            Assert.Equal(bytes, second.Written.ToArray());
            if (!canBeShorter) Fuzz.RefusesEveryTruncation(bytes, static part => Packet.Read<T>(part, out _) == WireError.None);
        }
    }
}
