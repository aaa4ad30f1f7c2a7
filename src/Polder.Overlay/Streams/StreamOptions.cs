namespace Polder.Overlay.Streams;

/// <summary>Every cap, window and interval of streams that may be changed (overlay specification §9).</summary>
public sealed record StreamOptions
{
    /// <summary>Streams that a peer may have open in one session. 1 to 4,096; default 128 (OV-9.1).</summary>
    public int StreamsMax { get; init => field = InRange(value, 1, 4_096); } = 128;

    /// <summary>What a session may send us beyond what we read, at first. 16 KiB to 64 MiB; default 1 MiB (OV-9.1).</summary>
    public int ConnectionWindowBytes { get; init => field = InRange(value, 16 << 10, 64 << 20); } = 1 << 20;

    /// <summary>The same when we read fast. Default 16 MiB (OV-9.1).</summary>
    public int ConnectionWindowBytesMax { get; init => field = InRange(value, 16 << 10, 256 << 20); } = 16 << 20;

    /// <summary>What one stream may send us beyond what we read, at first. 16 KiB to 64 MiB; default 256 KiB (OV-9.1).</summary>
    public int StreamWindowBytes { get; init => field = InRange(value, 16 << 10, 64 << 20); } = 256 << 10;

    /// <summary>The same when we read fast. Default 4 MiB (OV-9.1).</summary>
    public int StreamWindowBytesMax { get; init => field = InRange(value, 16 << 10, 256 << 20); } = 4 << 20;

    /// <summary>Bytes that arrived and were not read yet, of all sessions; more is refused and comes again. At least 1 MiB; default 16 MiB (OV-4.5).</summary>
    public long ReassemblyBytesMax { get; init => field = AtLeast(value, 1 << 20); } = 16 << 20;

    /// <summary>Gaps in what arrived of one stream; more is refused and comes again. 1 to 4,096; default 256.</summary>
    public int GapsMax { get; init => field = InRange(value, 1, 4_096); } = 256;

    /// <summary>How long an acknowledgement may wait for company. 0 to 100 ms; default 25 ms (OV-9.2).</summary>
    public TimeSpan AckDelayMax { get; init => field = InRange(value, TimeSpan.Zero, TimeSpan.FromMilliseconds(100)); } = TimeSpan.FromMilliseconds(25);

    /// <summary>Longest time between two probes of a silent path. At least 200 ms; default 2 s, so that an outage ends soon after it is over.</summary>
    public TimeSpan ProbeIntervalMax { get; init => field = InRange(value, TimeSpan.FromMilliseconds(200), TimeSpan.FromMinutes(1)); } = TimeSpan.FromSeconds(2);

    /// <summary>Bytes under way at most, of each class. At least 64 KiB; default 16 MiB.</summary>
    public int CongestionWindowBytesMax { get; init => field = InRange(value, 64 << 10, 256 << 20); } = 16 << 20;

    /// <summary>Queueing that background streams aim at. 5 to 100 ms; default 60 ms (OV-9.4).</summary>
    public TimeSpan BackgroundDelayTarget { get; init => field = InRange(value, TimeSpan.FromMilliseconds(5), TimeSpan.FromMilliseconds(100)); } = TimeSpan.FromMilliseconds(60);

    /// <summary>Streams end when a peer with whom something is outstanding is silent for so long. At least 1 s; default 90 s.</summary>
    public TimeSpan GiveUpAfter { get; init => field = InRange(value, TimeSpan.FromSeconds(1), TimeSpan.FromHours(1)); } = TimeSpan.FromSeconds(90);

    private static T InRange<T>(T value, T least, T most) where T : IComparable<T> =>
        value.CompareTo(least) >= 0 && value.CompareTo(most) <= 0 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, $"From {least} to {most}.");

    private static long AtLeast(long value, long least) => value >= least ? value : throw new ArgumentOutOfRangeException(nameof(value), value, $"At least {least}.");
}
