namespace Polder.Overlay.Sessions;

/// <summary>Caps, rates and times of secure sessions (specification §3).</summary>
public sealed record SessionOptions
{
    /// <summary>Whether this node has sessions at all: it answers handshakes, begins them and announces itself. Default true.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>Which network this is; nodes of different networks have no sessions with each other. Default 0.</summary>
    public UInt128 NetworkId { get; init; }

    // Caps

    /// <summary>Open sessions. 1 to 100,000; default 256, beside those with contacts, who are at most as many as the list of contacts takes. The one that was silent longest gives way, neighbours last (OV-4.5).</summary>
    public int SessionsMax { get; init => field = InRange(value, 1, 100_000); } = 256;

    /// <summary>Handshakes under way, both ways. 2 to 100,000; default 256. Further ones are refused (OV-4.5).</summary>
    public int HalfOpenMax { get; init => field = InRange(value, 2, 100_000); } = 256;

    /// <summary>Keys remembered as having sessions. 1 to 1,000,000; default 16,384. The one that expires first gives way.</summary>
    public int StickyMax { get; init => field = InRange(value, 1, 1_000_000); } = 16_384;

    /// <summary>Messages that wait for one peer's session. 0 to 10,000; default 64. Further ones are dropped.</summary>
    public int WaitingMessagesMax { get; init => field = InRange(value, 0, 10_000); } = 64;

    /// <summary>Their bytes. 0 to 16 MiB; default 64 KiB.</summary>
    public int WaitingBytesMax { get; init => field = InRange(value, 0, 1 << 24); } = 64 * 1024;

    /// <summary>Bytes of long messages of which parts are missing, of all sessions. 0 to 1 GiB; default 16 MiB (OV-4.5).</summary>
    public int ReassemblyBytesMax { get; init => field = InRange(value, 0, 1 << 30); } = 16 << 20;

    // Handshakes

    /// <summary>Waits after each initiation, ± 20 %; after the last one the peer counts as unreachable on that path (OV-3.8).</summary>
    public IReadOnlyList<TimeSpan> Retries { get; init => field = value.Count > 0 ? value : throw new ArgumentException("At least one.", nameof(value)); } =
        [Seconds(0.5), Seconds(1), Seconds(2), Seconds(4), Seconds(8)];

    /// <summary>Unanswered initiations after which a key that never had sessions counts as plain. 1 to 100; default 3 (OV-3.3).</summary>
    public int PlainAfter { get; init => field = InRange(value, 1, 100); } = 3;

    /// <summary>How long it counts as plain. At least 1 s; default 1 h (OV-3.3).</summary>
    public TimeSpan PlainFor { get; init => field = AtLeast(value, Seconds(1)); } = TimeSpan.FromHours(1);

    /// <summary>How long a key that had a session is not taken at its plain word. At least 1 s; default 30 days (OV-3.2).</summary>
    public TimeSpan StickyFor { get; init => field = AtLeast(value, Seconds(1)); } = TimeSpan.FromDays(30);

    /// <summary>Answered handshakes that wait for their first packet, above which cookies are asked for. 0 to 100,000; default 64 (OV-3.5).</summary>
    public int WaitingForCookies { get; init => field = InRange(value, 0, 100_000); } = 64;

    /// <summary>Handshakes a second in all, above which cookies are asked for. Above 0; default 100 (OV-3.5, OV-3.9).</summary>
    public double HandshakesPerSecond { get; init => field = InRange(value, 0.01, 1e9); } = 100;

    /// <summary>Handshakes a second from one narrow network. Above 0; default 20 (laboratory: 1,000) (OV-3.9).</summary>
    public double HandshakesPerSecondPerNetwork { get; init => field = InRange(value, 0.01, 1e9); } = 20;

    /// <summary>Handshakes a second from one address. Above 0; default 4 (OV-3.9).</summary>
    public double HandshakesPerSecondPerAddress { get; init => field = InRange(value, 0.01, 1e9); } = 4;

    /// <summary>Share of one core for answering handshakes, by time spent. 0.001 to 1,000 (above 1: no limit in practice); default 0.3 (OV-3.9).</summary>
    public double HandshakeShare { get; init => field = InRange(value, 0.001, 1_000); } = 0.3;

    /// <summary>How long the secret of cookies lives; a cookie is good for one to two of these. At least 1 s; default 120 s (OV-3.5).</summary>
    public TimeSpan CookieLifetime { get; init => field = AtLeast(value, Seconds(1)); } = TimeSpan.FromSeconds(120);

    /// <summary>How far the initiator's clock may be off before a cookie is asked for. At least 1 s; default 10 min (OV-3.6).</summary>
    public TimeSpan ClockTolerance { get; init => field = AtLeast(value, Seconds(1)); } = TimeSpan.FromMinutes(10);

    /// <summary>How long an answered handshake waits for the first packet. At least 1 s; default 20 s.</summary>
    public TimeSpan ConfirmTime { get; init => field = AtLeast(value, Seconds(1)); } = TimeSpan.FromSeconds(20);

    // Keys

    /// <summary>Use after which the initiator agrees on new keys, ± 10 %. At least 1 s; default 15 min.</summary>
    public TimeSpan RekeyAfter { get; init => field = AtLeast(value, Seconds(1)); } = TimeSpan.FromMinutes(15);

    /// <summary>Packets after which it does. At least 16; default 2^20.</summary>
    public long RekeyPackets { get; init => field = value >= 16 ? value : throw new ArgumentOutOfRangeException(nameof(value)); } = 1 << 20;

    /// <summary>Age at which a key is no longer used. At least 1 s; default 20 min.</summary>
    public TimeSpan RefuseAfter { get; init => field = AtLeast(value, Seconds(1)); } = TimeSpan.FromMinutes(20);

    /// <summary>Packets after which a key is no longer used. At least 16; default 2^24.</summary>
    public long RefusePackets { get; init => field = value >= 16 ? value : throw new ArgumentOutOfRangeException(nameof(value)); } = 1 << 24;

    /// <summary>How long the key before is still accepted. Default 30 s.</summary>
    public TimeSpan OldKeyFor { get; init => field = AtLeast(value, TimeSpan.Zero); } = TimeSpan.FromSeconds(30);

    /// <summary>Silence after which a session ends. At least 1 s; default 20 min.</summary>
    public TimeSpan IdleAfter { get; init => field = AtLeast(value, Seconds(1)); } = TimeSpan.FromMinutes(20);

    /// <summary>Silence after something was sent, after which the peer is asked whether it lives. At least 100 ms; default 5 s.</summary>
    public TimeSpan SilenceAfter { get; init => field = AtLeast(value, Seconds(0.1)); } = TimeSpan.FromSeconds(5);

    // Packets

    /// <summary>Packets with frames other than streams', a second from one peer. Above 0; default 2,000 (OV-4.3).</summary>
    public double PacketsPerSecond { get; init => field = InRange(value, 0.01, 1e9); } = 2_000;

    /// <summary>Their burst. At least 1; default 4,000.</summary>
    public double PacketsBurst { get; init => field = InRange(value, 1, 1e9); } = 4_000;

    // Paths

    /// <summary>Datagram sizes tried by path MTU discovery, ascending; empty: none. Default 1280, 1350, 1400, 1440 (OV-2.3).</summary>
    public IReadOnlyList<int> PathMtuSteps { get; init; } = [1280, 1350, 1400, 1440];

    /// <summary>The same towards loopback addresses, where nothing is lost for its size. Default as elsewhere.</summary>
    public IReadOnlyList<int>? LoopbackMtuSteps { get; init; }

    /// <summary>When a size that did not pass is tried again. At least 1 s; default 10 min.</summary>
    public TimeSpan PathMtuRetry { get; init => field = AtLeast(value, Seconds(1)); } = TimeSpan.FromMinutes(10);

    /// <summary>How long the address before a move is kept and watched. At least 100 ms; default 10 s (OV-3.12).</summary>
    public TimeSpan OldPathFor { get; init => field = AtLeast(value, Seconds(0.1)); } = TimeSpan.FromSeconds(10);

    /// <summary>These options without rates: for measuring what the machine can do.</summary>
    public SessionOptions WithoutRates() => this with
    {
        WaitingForCookies = 100_000, HandshakesPerSecond = 1e9, HandshakesPerSecondPerNetwork = 1e9, HandshakesPerSecondPerAddress = 1e9,
        HandshakeShare = 1_000, PacketsPerSecond = 1e9, PacketsBurst = 1e9,
    };

    private static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds);

    private static int InRange(int value, int from, int to) =>
        value >= from && value <= to ? value : throw new ArgumentOutOfRangeException(nameof(value), value, $"Allowed: {from} to {to}.");

    private static double InRange(double value, double from, double to) =>
        value >= from && value <= to ? value : throw new ArgumentOutOfRangeException(nameof(value), value, $"Allowed: {from} to {to}.");

    private static TimeSpan AtLeast(TimeSpan value, TimeSpan least) =>
        value >= least ? value : throw new ArgumentOutOfRangeException(nameof(value), value, $"At least {least}.");
}
