namespace Polder.Overlay.AddressBook;

/// <summary>Sizes and intervals of the address book (overlay.md §8.2). A simulation of many nodes takes a small one.</summary>
public sealed record AddressBookOptions
{
    /// <summary>Buckets for addresses where nobody answered us yet. 1 to 1,024; default 256.</summary>
    public int NewBuckets { get; init => field = InRange(value, 1, 1_024); } = 256;

    /// <summary>Buckets for addresses where somebody answered us. 1 to 1,024; default 64.</summary>
    public int TriedBuckets { get; init => field = InRange(value, 1, 1_024); } = 64;

    /// <summary>Addresses in one bucket. 1 to 64; default 16.</summary>
    public int BucketSize { get; init => field = InRange(value, 1, 64); } = 16;

    /// <summary>Buckets of the first kind that one network can reach by what it tells. 1 to 1,024; default 32.</summary>
    public int BucketsPerSource { get; init => field = InRange(value, 1, 1_024); } = 32;

    /// <summary>Buckets of the second kind that the addresses of one network can reach. 1 to 1,024; default 8.</summary>
    public int BucketsPerNetwork { get; init => field = InRange(value, 1, 1_024); } = 8;

    /// <summary>Addresses taken from one peer in an hour. 0 to 255; default 100.</summary>
    public int PerPeerAndHour { get; init => field = InRange(value, 0, 255); } = 100;

    /// <summary>Time between two savings. At least 1 s; default 15 min.</summary>
    public TimeSpan SaveInterval { get; init => field = AtLeast(value, TimeSpan.FromSeconds(1)); } = TimeSpan.FromMinutes(15);

    /// <summary>Anchors kept for the next start: the longest-lived neighbours of our choosing. 0 to 64; default 8.</summary>
    public int AnchorsKept { get; init => field = InRange(value, 0, 64); } = 8;

    /// <summary>Addresses that the owner's lists may name in all. 1 to 100,000; default 10,000.</summary>
    public int ListedMax { get; init => field = InRange(value, 1, 100_000); } = 10_000;

    /// <summary>Addresses in an exported bundle. 1 to 500; default 100.</summary>
    public int BundleMax { get; init => field = InRange(value, 1, PeerBundle.EntriesMax); } = 100;

    /// <summary>Attempts a second in the first five seconds. 0.1 to 1,000; default 10 (OV-5.2).</summary>
    public double AttemptsPerSecondAtFirst { get; init => field = value is >= 0.1 and <= 1_000 ? value : throw new ArgumentOutOfRangeException(nameof(value)); } = 10;

    /// <summary>Attempts a second after that, until 30 s have passed. 0.1 to 1,000; default 2.</summary>
    public double AttemptsPerSecondThen { get; init => field = value is >= 0.1 and <= 1_000 ? value : throw new ArgumentOutOfRangeException(nameof(value)); } = 2;

    /// <summary>Longest wait between two attempts after that. At least 1 s; default 30 s.</summary>
    public TimeSpan AttemptIntervalMax { get; init => field = AtLeast(value, TimeSpan.FromSeconds(1)); } = TimeSpan.FromSeconds(30);

    /// <summary>Attempts end with so many validated peers … 1 to 200; default 8 (OV-5.2).</summary>
    public int EnoughPeers { get; init => field = InRange(value, 1, 200); } = 8;

    /// <summary>… in so many wide networks. 1 to 200; default 4.</summary>
    public int EnoughNetworks { get; init => field = InRange(value, 1, 200); } = 4;

    private static int InRange(int value, int from, int to) =>
        value >= from && value <= to ? value : throw new ArgumentOutOfRangeException(nameof(value), value, $"Allowed: {from} to {to}.");

    private static TimeSpan AtLeast(TimeSpan value, TimeSpan least) =>
        value >= least ? value : throw new ArgumentOutOfRangeException(nameof(value), value, $"At least {least}.");
}
