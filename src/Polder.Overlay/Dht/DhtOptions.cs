namespace Polder.Overlay.Dht;

/// <summary>Every cap, rate and time of our own DHT (specification §10). A large simulated world takes <see cref="ForLargeWorlds"/>.</summary>
public sealed record DhtOptions
{
    /// <summary>Whether the DHT speaks in sessions only. Default true; without sessions (a simulation of it alone) it speaks in signed packets.</summary>
    public bool InSessionsOnly { get; init; } = true;

    // Tables

    /// <summary>Nodes in a bucket, holders of a record, and the closest that a search wants to hear from. 2 to 64; default 16.</summary>
    public int BucketWidth { get; init => field = Range.Of(value, 2, 64); } = 16;

    /// <summary>Nodes in each of the first <see cref="WideBuckets"/> buckets. 2 to 256; default 64.</summary>
    public int WideBucketWidth { get; init => field = Range.Of(value, 2, 256); } = 64;

    /// <summary>How many buckets are wide. 0 to 16; default 4.</summary>
    public int WideBuckets { get; init => field = Range.Of(value, 0, 16); } = 4;

    /// <summary>Nodes that wait for a place in a bucket. 0 to 64; default 8.</summary>
    public int ReplacementsMax { get; init => field = Range.Of(value, 0, 64); } = 8;

    /// <summary>Nodes of one narrow network in a bucket. 1 to 10,000; default 1 (OV-10.5).</summary>
    public int PerNarrowPrefixInBucket { get; init => field = Range.Of(value, 1, 10_000); } = 1;

    /// <summary>Nodes of one narrow network in the table. 1 to 10,000; default 2.</summary>
    public int PerNarrowPrefixInTable { get; init => field = Range.Of(value, 1, 10_000); } = 2;

    /// <summary>Nodes of one wide network in the table. 1 to 10,000; default 8.</summary>
    public int PerWidePrefixInTable { get; init => field = Range.Of(value, 1, 10_000); } = 8;

    /// <summary>Contacts of one narrow network in an answer. 1 to 8; default 2 (OV-10.4).</summary>
    public int PerNarrowPrefixInAnswer { get; init => field = Range.Of(value, 1, 8); } = 2;

    /// <summary>Whom we tell others of must have answered us within this time. Default 15 min.</summary>
    public TimeSpan ToldFor { get; init => field = Range.AtLeast(value, TimeSpan.FromSeconds(1)); } = TimeSpan.FromMinutes(15);

    /// <summary>Who has not answered for so long is asked whether it is there. Default 10 min.</summary>
    public TimeSpan CheckedAfter { get; init => field = Range.AtLeast(value, TimeSpan.FromSeconds(1)); } = TimeSpan.FromMinutes(10);

    /// <summary>For so long after its start a node looks up but is in nobody's table. Default 10 min (OV-10.6).</summary>
    public TimeSpan ClientFor { get; init => field = Range.AtLeast(value, TimeSpan.Zero); } = TimeSpan.FromMinutes(10);

    /// <summary>A table with fewer nodes than this takes in young ones as well, or a new network could not begin. 0 to 1,000; default 32.</summary>
    public int YoungTakenBelow { get; init => field = Range.Of(value, 0, 1_000); } = 32;

    // Searching

    /// <summary>Questions under way on one path. 1 to 16; default 3.</summary>
    public int Parallel { get; init => field = Range.Of(value, 1, 16); } = 3;

    /// <summary>Questions of one search under way in all. 1 to 64; default 12.</summary>
    public int ParallelMax { get; init => field = Range.Of(value, 1, 64); } = 12;

    /// <summary>Disjoint paths of a search. 1 to 8; default 3.</summary>
    public int Paths { get; init => field = Range.Of(value, 1, 8); } = 3;

    /// <summary>Disjoint paths for contact records and at the first start. 1 to 8; default 8.</summary>
    public int PathsForContacts { get; init => field = Range.Of(value, 1, 8); } = 8;

    /// <summary>Questions of one search at most, over all paths. 8 to 1,000; default 160.</summary>
    public int QuestionsMax { get; init => field = Range.Of(value, 8, 1_000); } = 160;

    /// <summary>Searches under way; more wait. 1 to 1,000; default 16.</summary>
    public int SearchesMax { get; init => field = Range.Of(value, 1, 1_000); } = 16;

    /// <summary>The shortest wait before somebody else is asked as well. Default 150 ms.</summary>
    public TimeSpan PatienceMin { get; init => field = Range.AtLeast(value, TimeSpan.FromMilliseconds(1)); } = TimeSpan.FromMilliseconds(150);

    /// <summary>The longest. Default 1 s.</summary>
    public TimeSpan PatienceMax { get; init => field = Range.AtLeast(value, TimeSpan.FromMilliseconds(1)); } = TimeSpan.FromSeconds(1);

    /// <summary>An answer that comes later than this is none. Default 3 s.</summary>
    public TimeSpan AnswerTime { get; init => field = Range.AtLeast(value, TimeSpan.FromMilliseconds(100)); } = TimeSpan.FromSeconds(3);

    /// <summary>How long "there is nothing" is remembered. Default 30 s.</summary>
    public TimeSpan NothingFor { get; init => field = Range.AtLeast(value, TimeSpan.Zero); } = TimeSpan.FromSeconds(30);

    // Upkeep

    /// <summary>Time between two looks at what is due. Default 5 s.</summary>
    public TimeSpan Tick { get; init => field = Range.AtLeast(value, TimeSpan.FromMilliseconds(100)); } = TimeSpan.FromSeconds(5);

    /// <summary>A bucket unused for so long, ± 10 %, is searched. Default 15 min.</summary>
    public TimeSpan RefreshInterval { get; init => field = Range.AtLeast(value, TimeSpan.FromSeconds(1)); } = TimeSpan.FromMinutes(15);

    /// <summary>Time between two searches for ourselves, ± 10 %. Default 10 min.</summary>
    public TimeSpan SelfInterval { get; init => field = Range.AtLeast(value, TimeSpan.FromSeconds(1)); } = TimeSpan.FromMinutes(10);

    // Records

    /// <summary>How long a record lives when nobody says. Default 2 h.</summary>
    public TimeSpan RecordLife { get; init => field = Range.AtLeast(value, TimeSpan.FromSeconds(1)); } = TimeSpan.FromHours(2);

    /// <summary>How long a record lives at most. Default 24 h.</summary>
    public TimeSpan RecordLifeMax { get; init => field = Range.AtLeast(value, TimeSpan.FromSeconds(1)); } = TimeSpan.FromHours(24);

    /// <summary>How long a contact record lives. Default 30 min (OV-10.1).</summary>
    public TimeSpan ContactLife { get; init => field = Range.AtLeast(value, TimeSpan.FromSeconds(1)); } = TimeSpan.FromMinutes(30);

    /// <summary>Whether the node says where it is, in a contact record. Default true.</summary>
    public bool PublishesContact { get; init; } = true;

    /// <summary>A publisher stores again after half the life of a record, but at the latest after this, ± 10 %. Default 1 h.</summary>
    public TimeSpan RepublishInterval { get; init => field = Range.AtLeast(value, TimeSpan.FromSeconds(1)); } = TimeSpan.FromHours(1);

    /// <summary>Time between two hand-overs of one key. Default 30 min.</summary>
    public TimeSpan HandOverInterval { get; init => field = Range.AtLeast(value, TimeSpan.FromSeconds(1)); } = TimeSpan.FromMinutes(30);

    /// <summary>How long a copy is kept on the way of a search. Default 10 min.</summary>
    public TimeSpan CacheLifeMax { get; init => field = Range.AtLeast(value, TimeSpan.Zero); } = TimeSpan.FromMinutes(10);

    /// <summary>We keep a record when we know fewer nodes than this that are closer to it. Default 32.</summary>
    public int ClosestThatStore { get; init => field = Range.Of(value, 1, 1_000); } = 32;

    // Quotas (OV-10.3)

    /// <summary>Bytes of records held. 1 KiB to 1 GiB; default 64 MiB.</summary>
    public int StoreBytesMax { get; init => field = Range.Of(value, 1 << 10, 1 << 30); } = 64 << 20;

    /// <summary>Records held. 1 to 1,000,000; default 100,000.</summary>
    public int RecordsMax { get; init => field = Range.Of(value, 1, 1_000_000); } = 100_000;

    /// <summary>Records of one publisher. 1 to 100,000; default 256.</summary>
    public int RecordsPerPublisherMax { get; init => field = Range.Of(value, 1, 100_000); } = 256;

    /// <summary>Bytes of records of one publisher. 1 KiB to 1 GiB; default 256 KiB.</summary>
    public int BytesPerPublisherMax { get; init => field = Range.Of(value, 1 << 10, 1 << 30); } = 256 << 10;

    /// <summary>Records written from one narrow network. 1 to 1,000,000; default 1,024.</summary>
    public int RecordsPerNetworkMax { get; init => field = Range.Of(value, 1, 1_000_000); } = 1_024;

    /// <summary>Entries under one key. 1 to 255; default 64.</summary>
    public int EntriesPerKeyMax { get; init => field = Range.Of(value, 1, 255); } = 64;

    /// <summary>Records of our own that are stored again and again. 1 to 100,000; default 1,024.</summary>
    public int OwnRecordsMax { get; init => field = Range.Of(value, 1, 100_000); } = 1_024;

    /// <summary>Questions of one peer in 5 s. 1 to 100,000; default 250 (50/s, OV-4.3).</summary>
    public int QuestionsPerPeer { get; init => field = Range.Of(value, 1, 60_000); } = 250;

    // Cost of an identity (OV-8.1)

    /// <summary>Zero bits with which the hash of a node's id must begin. 0 to 32; a network's parameter, default 0.</summary>
    public int StaticPuzzleBits { get; init => field = Range.Of(value, 0, 32); }

    /// <summary>Zero bits that a nonce must give together with id and week. 0 to 32; a network's parameter, default 0.</summary>
    public int WeeklyPuzzleBits { get; init => field = Range.Of(value, 0, 32); }

    /// <summary>These options where all nodes share a network: no rule takes one network for one person, and nobody waits ten minutes.</summary>
    public DhtOptions ForLaboratory() => this with
    {
        PerNarrowPrefixInBucket = 10_000, PerNarrowPrefixInTable = 10_000, PerWidePrefixInTable = 10_000, PerNarrowPrefixInAnswer = 8,
        RecordsPerNetworkMax = RecordsMax, ClientFor = TimeSpan.Zero,
    };

    /// <summary>These options for worlds of 100,000 nodes in one process: narrow tables (about 5 KB a node) and rare upkeep.</summary>
    public DhtOptions ForLargeWorlds() => ForLaboratory() with
    {
        BucketWidth = 8, WideBucketWidth = 16, ReplacementsMax = 2, Tick = TimeSpan.FromSeconds(30),
        ToldFor = TimeSpan.FromHours(2), CheckedAfter = TimeSpan.FromHours(1), PublishesContact = false,
    };
}
