using Polder.Net;
using Polder.Overlay;
using Polder.Overlay.AddressBook;
using Polder.Runtime;

namespace Polder.Tests.Overlay.AddressBook;

public sealed class AddressTableTests
{
    private const uint Now = 1_800_000_000;
    private static readonly OverlayOptions Options = new();

    private static AddressTable Table(OverlayOptions? options = null) => new(options ?? Options, 11, 22);

    private static Endpoint Address(int network, int host) => Endpoint.FromIPv4((uint)(0x0B000000 + network * 0x10000 + host), 8090);

    private static SourceGroup Source(int network) => SourceGroup.Of(Address(network, 1), Options);

    [Fact]
    public void One_source_reaches_32_of_256_buckets_however_much_it_tells()
    {
        var table = Table();
        var buckets = new HashSet<int>();
        for (var i = 0; i < 20_000; i++)
        {
            var address = Address(i % 2_000, i / 2_000);
            buckets.Add(table.NewBucketOf(address, Source(7)));
            table.Add(address, Source(7), Now);
        }
        Assert.InRange(buckets.Count, 20, Options.Book.BucketsPerSource);
        Assert.InRange(table.Count, 300, Options.Book.BucketsPerSource * Options.Book.BucketSize);
    }

    [Fact]
    public void One_network_reaches_8_tried_buckets_and_the_table_is_bounded_by_5120()
    {
        var table = Table();
        var buckets = new HashSet<int>();
        for (var i = 1; i < 3_000; i++)
        {
            buckets.Add(table.TriedBucketOf(Address(3, i)));
            table.Answered(Address(3, i), Source(3), Now);
        }
        Assert.InRange(buckets.Count, 4, Options.Book.BucketsPerNetwork);
        Assert.InRange(table.TriedCount, 64, Options.Book.BucketsPerNetwork * Options.Book.BucketSize);

        for (var i = 0; i < 60_000; i++) table.Add(Address(i % 5_000, i / 5_000), Source(i % 997), Now);
        Assert.InRange(table.Count, 4_000, 256 * 16 + 64 * 16);
    }

    [Fact]
    public void A_tried_address_gives_way_only_after_it_failed_a_feeler()
    {
        var table = Table();
        var filled = new List<Endpoint>();
        Endpoint? newcomer = null;
        for (var i = 1; newcomer is null; i++)
        {
            table.Answered(Address(5, i), Source(5), Now + (uint)i);
            if (table.Find(Address(5, i)) is { IsTried: false }) newcomer = Address(5, i);
            else filled.Add(Address(5, i));
        }
        var incumbent = table.Contested!.Value;
        Assert.Contains(incumbent, filled);
        table.Settle(incumbentIsAlive: true, Now);
        Assert.True(table.Find(incumbent) is { IsTried: true });
        Assert.True(table.Find(newcomer.Value) is { IsTried: false });

        table.Answered(newcomer.Value, Source(5), Now + 1_000);
        incumbent = table.Contested!.Value;
        table.Settle(incumbentIsAlive: false, Now);
        Assert.Null(table.Find(incumbent));
        Assert.True(table.Find(newcomer.Value) is { IsTried: true });
        Assert.Null(table.Contested);
    }

    [Fact]
    public void A_full_bucket_takes_a_newcomer_only_for_an_address_that_is_worth_nothing()
    {
        var table = Table(Options with { Book = new AddressBookOptions { NewBuckets = 1 } });
        for (var i = 0; i < 16; i++) Assert.True(table.Add(Address(i, 1), Source(1), Now));
        Assert.False(table.Add(Address(100, 1), Source(2), Now));
        for (var i = 0; i < 3; i++) table.Failed(Address(4, 1), drop: false);
        Assert.True(table.Add(Address(100, 1), Source(2), Now));
        Assert.Null(table.Find(Address(4, 1)));
        // All others are a month old then.
        Assert.True(table.Add(Address(101, 1), Source(2), Now + 31 * 86_400));
    }

    [Fact]
    public void What_was_saved_comes_back_to_the_same_places_and_damage_is_refused()
    {
        var table = Table();
        var random = new Prng(1);
        for (var i = 0; i < 500; i++)
        {
            var address = random.Chance(0.2) ? Endpoint.FromBytes([0x20, 1, 0x0D, 0xB8, (byte)(i / 256), (byte)(i % 256), .. new byte[10]], 8090) : Address(i, 1);
            table.Add(address, Source(random.Next(50)), Now - 100);
            if (random.Chance(0.3)) table.Answered(address, Source(i), Now - 50);
        }
        var bytes = AddressBookFile.Write(table);
        var read = AddressBookFile.Read(bytes, Options, Now, static _ => true)!;
        Assert.Equal((table.Count, table.TriedCount), (read.Count, read.TriedCount));
        for (var i = 0; i < table.Count; i++)
            Assert.Equal(table[i] with { Attempted = 0 }, read.Find(table[i].Address)!.Value with { Attempted = 0 });
        // Times from the future are taken as now, and what we would never knock at stays out.
        Assert.All(Enumerable.Range(0, 10), i => Assert.True(AddressBookFile.Read(bytes, Options, Now - 75, static _ => true)![i].Heard <= Now - 75));
        Assert.Equal(0, AddressBookFile.Read(bytes, Options, Now, static _ => false)!.Count);
        Fuzz.RefusesEveryTruncation(bytes, part => AddressBookFile.Read(part, Options, Now, static _ => true) is not null);
        bytes[100] ^= 1;
        Assert.Null(AddressBookFile.Read(bytes, Options, Now, static _ => true));
    }

    [Fact]
    public void The_book_agrees_with_a_plain_dictionary_whatever_is_done_to_it()
    {
        var seed = Fuzz.Seed;
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var random = new Prng(seed);
        var table = Table(Options with { Book = new AddressBookOptions { NewBuckets = 16, TriedBuckets = 4 } });
        var known = new HashSet<Endpoint>();
        for (var step = 0; step < 20_000; step++)
        {
            var address = Address(random.Next(60), random.Next(20));
            switch (random.Next(6))
            {
                case 0 or 1: if (table.Add(address, Source(random.Next(8)), Now + (uint)step)) known.Add(address); break;
                case 2: table.Answered(address, Source(1), Now + (uint)step); break;
                case 3: table.Failed(address, drop: random.Chance(0.5)); break;
                case 4: table.Settle(random.Chance(0.5), Now + (uint)step); break;
                default:
                    var pick = table.Pick(random.Chance(0.5), random, static _ => true);
                    if (pick is { } picked) Assert.NotNull(table.Find(picked));
                    break;
            }
            Assert.True(table.Count <= 20 * 16 && table.TriedCount <= 4 * 16);
        }
        for (var i = 0; i < table.Count; i++) Assert.Equal(table[i], table.Find(table[i].Address));
        Assert.Equal(table.TriedCount, Enumerable.Range(0, table.Count).Count(i => table[i].IsTried));
    }

    [Fact]
    public void An_empty_book_costs_nothing_and_a_full_one_little()
    {
        _ = Filled(10);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var empty = Table();
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 300);
        Assert.Equal(0, empty.Count);
        // Growing by half each time, what is thrown away on the way is twice what stays.
        before = GC.GetAllocatedBytesForCurrentThread();
        var full = Filled(4_000);
        var perEntry = (GC.GetAllocatedBytesForCurrentThread() - before) / (double)full.Count;
        TestContext.Current.TestOutputHelper?.WriteLine($"{full.Count} entries, {perEntry:0} bytes each allocated, growing included");
        Assert.InRange(perEntry, 0, 300);

        static AddressTable Filled(int count)
        {
            var table = Table();
            for (var i = 0; i < count; i++) table.Add(Address(i, 1), Source(i % 400), Now);
            return table;
        }
    }
}
