namespace Polder.Overlay.Nat;

/// <summary>Numbers of the ways through NATs (Overlay §5.3, §6). Prefix lengths are those of <see cref="OverlayOptions"/>.</summary>
public sealed record NatOptions
{
    /// <summary>Answers others, but does nothing of its own accord: no tests of its own router, no places at relays, no keep-alives. For worlds of public nodes and for tests that count packets.</summary>
    public static NatOptions Passive { get; } = new() { ExploresSelf = false, KeepsPathsOpen = false };

    // What am I behind?

    /// <summary>Whether the node finds out what it is behind by asking for dial-backs. Default true; worlds of many public nodes need none of it.</summary>
    public bool ExploresSelf { get; init; } = true;

    /// <summary>Reports about our address that are kept. 8 to 1,024; default 64 (OV-5.4).</summary>
    public int ReportsMax { get; init => field = InRange(value, 8, 1_024); } = 64;

    /// <summary>Votes of different networks before a class is decided. 1 to 64; default 3 (OV-5.5).</summary>
    public int VotesMin { get; init => field = InRange(value, 1, 64); } = 3;

    /// <summary>Votes before random ports that lie close together count as a block. 3 to 64; default 5: with three the chance of a mistake is 1 %.</summary>
    public int WindowVotesMin { get; init => field = InRange(value, 3, 64); } = 5;

    /// <summary>Largest step of a sequential mapping. 1 to 127; default 16 (OV-5.5).</summary>
    public int StepMax { get; init => field = InRange(value, 1, 127); } = 16;

    /// <summary>Largest block of ports that counts as one. 16 to 65,535; default 4,096 (OV-5.5).</summary>
    public int WindowMax { get; init => field = InRange(value, 16, 65_535); } = 4_096;

    /// <summary>Silence after which UDP counts as blocked. At least 1 s; default 10 s (OV-5.5).</summary>
    public TimeSpan BlockedAfter { get; init => field = AtLeast(value, Second); } = TimeSpan.FromSeconds(10);

    /// <summary>How long a dial-back may take. At least 100 ms; default 2 s.</summary>
    public TimeSpan DialBackTime { get; init => field = AtLeast(value, TimeSpan.FromMilliseconds(100)); } = TimeSpan.FromSeconds(2);

    /// <summary>Failed dial-backs (through different neighbours where there are) that make "nobody gets in" sure. 1 to 16; default 2.</summary>
    public int DialBacksMin { get; init => field = InRange(value, 1, 16); } = 2;

    /// <summary>Time between two looks at whether strangers still get in. At least 10 s; default 10 min.</summary>
    public TimeSpan DialBackInterval { get; init => field = AtLeast(value, TimeSpan.FromSeconds(10)); } = TimeSpan.FromMinutes(10);

    /// <summary>Dial-backs done for others. 1 to 10,000 a minute; default 6 for each asker and as many in all times <see cref="DialBackAskers"/> (OV-5.7).</summary>
    public int DialBacksPerMinute { get; init => field = InRange(value, 1, 10_000); } = 6;

    /// <summary>Askers that are served in one minute. 1 to 10,000; default 10.</summary>
    public int DialBackAskers { get; init => field = InRange(value, 1, 10_000); } = 10;

    /// <summary>Idle times with which the lifetime of a mapping is searched, rising (OV-5.9). Empty: no search.</summary>
    public IReadOnlyList<TimeSpan> LifetimeSteps { get; init; } =
    [
        TimeSpan.FromSeconds(20), TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(45), TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(90),
        TimeSpan.FromSeconds(120), TimeSpan.FromSeconds(180),
    ];

    // Keeping paths open

    /// <summary>Whether paths that matter are kept open (OV-6.8). Default true.</summary>
    public bool KeepsPathsOpen { get; init; } = true;

    /// <summary>Time without a datagram out after which a path is refreshed, while the mapping's lifetime is unknown. At least 1 s; default 25 s (OV-5.9).</summary>
    public TimeSpan KeepAlive { get; init => field = AtLeast(value, Second); } = TimeSpan.FromSeconds(25);

    /// <summary>The shortest such time. At least 1 s; default 15 s.</summary>
    public TimeSpan KeepAliveMin { get; init => field = AtLeast(value, Second); } = TimeSpan.FromSeconds(15);

    /// <summary>The longest. At least 1 s; default 120 s.</summary>
    public TimeSpan KeepAliveMax { get; init => field = AtLeast(value, Second); } = TimeSpan.FromSeconds(120);

    /// <summary>Common beat of all keep-alives, so that a battery's radio wakes once. At least 100 ms; default 1 s (5 s on a battery).</summary>
    public TimeSpan Beat { get; init => field = AtLeast(value, TimeSpan.FromMilliseconds(100)); } = Second;

    /// <summary>A path silent for so long after a ping is lost. At least 1 s; default 10 s (OV-6.8).</summary>
    public TimeSpan PathLostAfter { get; init => field = AtLeast(value, Second); } = TimeSpan.FromSeconds(10);

    /// <summary>A peer silent for so long is gone. At least 10 s; default 60 s.</summary>
    public TimeSpan GoneAfter { get; init => field = AtLeast(value, TimeSpan.FromSeconds(10)); } = TimeSpan.FromSeconds(60);

    // Punctures

    /// <summary>Whether others may be helped to each other through us. Default true.</summary>
    public bool HelpsOthers { get; init; } = true;

    /// <summary>Helpers that are asked at the same time. 1 to 8; default 3.</summary>
    public int HelpersMax { get; init => field = InRange(value, 1, 8); } = 3;

    /// <summary>Punctures under way at the same time. 1 to 1,024; default 32.</summary>
    public int PuncturesMax { get; init => field = InRange(value, 1, 1_024); } = 32;

    /// <summary>How long a puncture is worth an answer. At least 1 s; default 20 s.</summary>
    public TimeSpan PunctureLifetime { get; init => field = AtLeast(value, Second); } = TimeSpan.FromSeconds(20);

    /// <summary>Records passed on for one peer. Above 0; default 4 a second.</summary>
    public double ForwardsPerSecond { get; init => field = value > 0 ? value : throw new ArgumentOutOfRangeException(nameof(value)); } = 4;

    /// <summary>Sockets that a node with random ports opens. 8 to 1,024; default 256; a phone takes 64 (OV-6.5).</summary>
    public int BirthdaySockets { get; init => field = InRange(value, 8, 1_024); } = 256;

    /// <summary>The same behind a carrier's NAT, which counts ports for each subscriber. 8 to 1,024; default 128 (OV-5.8).</summary>
    public int BirthdaySocketsCarrier { get; init => field = InRange(value, 8, 1_024); } = 128;

    /// <summary>Ports that one birthday probes. 1 to 4,096; default 1,024 (OV-6.5).</summary>
    public int BirthdayProbes { get; init => field = InRange(value, 1, 4_096); } = 1_024;

    /// <summary>Probes a second. 1 to 1,000; default 200.</summary>
    public int BirthdayProbesPerSecond { get; init => field = InRange(value, 1, 1_000); } = 200;

    /// <summary>Birthdays in ten minutes. 1 to 1,000; default 3 (OV-6.7).</summary>
    public int BirthdaysPerTenMinutes { get; init => field = InRange(value, 1, 1_000); } = 3;

    /// <summary>Probes in an hour, to all. 1 to 1,000,000; default 4,096.</summary>
    public int BirthdayProbesPerHour { get; init => field = InRange(value, 1, 1_000_000); } = 4_096;

    /// <summary>Helpers of different networks that must see the other at the address to be probed. 1 to 8; default 2 (OV-6.6).</summary>
    public int ConsentHelpers { get; init => field = InRange(value, 1, 8); } = 2;

    /// <summary>How old the other's consent may be. At least 1 s; default 30 s.</summary>
    public TimeSpan ConsentLifetime { get; init => field = AtLeast(value, Second); } = TimeSpan.FromSeconds(30);

    /// <summary>When direct ways are tried while a session is relayed, since it began (OV-6.9).</summary>
    public IReadOnlyList<TimeSpan> DirectAttempts { get; init; } =
        [TimeSpan.Zero, TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(120), TimeSpan.FromSeconds(600)];

    /// <summary>How long a direct way is waited for before a relay is asked. Default 0.3 s (OV-6.9).</summary>
    public TimeSpan RelayAfter { get; init => field = AtLeast(value, TimeSpan.Zero); } = TimeSpan.FromMilliseconds(300);

    /// <summary>How long <c>ConnectAsync</c> tries. At least 1 s; default 20 s.</summary>
    public TimeSpan ConnectTime { get; init => field = AtLeast(value, Second); } = TimeSpan.FromSeconds(20);

    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private static int InRange(int value, int from, int to) =>
        value >= from && value <= to ? value : throw new ArgumentOutOfRangeException(nameof(value), value, $"Allowed: {from} to {to}.");

    private static TimeSpan AtLeast(TimeSpan value, TimeSpan least) =>
        value >= least ? value : throw new ArgumentOutOfRangeException(nameof(value), value, $"At least {least}.");
}
