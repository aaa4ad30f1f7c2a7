namespace Polder.Simulation;

/// <summary>
/// What the way between two nodes does to datagrams. The default is a calm network of 20 ms. One model is the world's, a
/// node may have one of its own for what it sends (<see cref="Home.Link"/>), and a pair may (<see cref="World.SetLink"/>).
/// </summary>
public sealed record LinkModel
{
    /// <summary>One way, at least. Default 20 ms.</summary>
    public TimeSpan Latency { get; init => field = NotNegative(value); } = TimeSpan.FromMilliseconds(20);

    /// <summary>Each pair of nodes has its own distance, from 0 to this, on top of <see cref="Latency"/>. Default 0.</summary>
    public TimeSpan Spread { get; init => field = NotNegative(value); }

    /// <summary>How distances lie in <see cref="Spread"/>: 1, the default, evenly; above it, most pairs are near and few are far. 0.1 to 10.</summary>
    public double SpreadSkew { get; init => field = value is >= 0.1 and <= 10 ? value : throw new ArgumentOutOfRangeException(nameof(value)); } = 1;

    /// <summary>Each datagram takes from 0 to this longer; datagrams closer together than this may overtake each other. Default 0.</summary>
    public TimeSpan Jitter { get; init => field = NotNegative(value); }

    /// <summary>0, the default, for jitter that is uniform; above, it is log-normal with half of <see cref="Jitter"/> as its median and this as its sigma. At most 3.</summary>
    public double JitterTail { get; init => field = value is >= 0 and <= 3 ? value : throw new ArgumentOutOfRangeException(nameof(value)); }

    /// <summary>Share of datagrams that vanish, each on its own. 0 to 1, default 0.</summary>
    public double Loss { get; init => field = Share(value); }

    /// <summary>Share of time in which a pair loses everything, in bursts of <see cref="BurstLength"/> on average (Gilbert and Elliott). 0 to below 1, default 0.</summary>
    public double BurstLoss { get; init => field = Part(value); }

    /// <summary>How long one burst lasts on average. Default 1 s.</summary>
    public TimeSpan BurstLength { get; init => field = NotNegative(value); } = TimeSpan.FromSeconds(1);

    /// <summary>Share of datagrams that arrive twice. 0 to 1, default 0.</summary>
    public double Duplication { get; init => field = Share(value); }

    /// <summary>Share of datagrams that are held back, up to <see cref="ReorderingWithin"/>. 0 to 1, default 0.</summary>
    public double Reordering { get; init => field = Share(value); }

    /// <summary>How long datagrams are held back at most. Default 500 ms.</summary>
    public TimeSpan ReorderingWithin { get; init => field = NotNegative(value); } = TimeSpan.FromMilliseconds(500);

    /// <summary>Share of time in which what a pair sends arrives only when the spike is over. 0 to below 1, default 0.</summary>
    public double Spikes { get; init => field = Part(value); }

    /// <summary>How long one spike lasts on average, and how late a datagram becomes by it at most. Default 2 s.</summary>
    public TimeSpan SpikeLength { get; init => field = NotNegative(value); } = TimeSpan.FromSeconds(2);

    /// <summary>Share of datagrams that somebody keeps and sends on much later. 0 to 1, default 0.</summary>
    public double HeldBack { get; init => field = Share(value); }

    /// <summary>How much later at most. Default 10 s.</summary>
    public TimeSpan HeldBackFor { get; init => field = NotNegative(value); } = TimeSpan.FromSeconds(10);

    /// <summary>Share of datagrams of which one bit flips. 0 to 1, default 0.</summary>
    public double BitErrors { get; init => field = Share(value); }

    /// <summary>What the sender's line carries, in bytes a second; 0, the default, means as much as is sent.</summary>
    public double BandwidthBytesPerSecond { get; init => field = value >= 0 ? value : throw new ArgumentOutOfRangeException(nameof(value)); }

    /// <summary>What waits for the line longer than this is dropped. Default 100 ms.</summary>
    public TimeSpan QueueLimit { get; init => field = NotNegative(value); } = TimeSpan.FromMilliseconds(100);

    /// <summary>Larger datagrams vanish (nothing is fragmented). Default 65,507 bytes: no limit.</summary>
    public int MtuBytes { get; init; } = Polder.Limits.DatagramBytesMax;

    /// <summary>A network in which nothing goes wrong: 20 ms, no more.</summary>
    public static LinkModel Calm { get; } = new();

    private static TimeSpan NotNegative(TimeSpan value) =>
        value >= TimeSpan.Zero ? value : throw new ArgumentOutOfRangeException(nameof(value));

    private static double Part(double value) => value is >= 0 and < 1 ? value : throw new ArgumentOutOfRangeException(nameof(value));

    private static double Share(double value) => value is >= 0 and <= 1 ? value : throw new ArgumentOutOfRangeException(nameof(value));
}
