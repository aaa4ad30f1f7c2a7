namespace Polder.Overlay.Relays;

/// <summary>What a node carries for others, and what it reserves at others (OV-6.11).</summary>
public sealed record RelayOptions
{
    /// <summary>Whether this node relays for others, when others can reach it. Default true.</summary>
    public bool Offers { get; init; } = true;

    /// <summary>Pairs at the same time. 0 to 1,024; default 16.</summary>
    public int PairsMax { get; init => field = InRange(value, 0, 1_024); } = 16;

    /// <summary>Reservations that others hold here. 0 to 65,536; default 256.</summary>
    public int ReservationsMax { get; init => field = InRange(value, 0, 65_536); } = 256;

    /// <summary>Bytes a second of one pair, both ways. At least 1,200; default 64,000.</summary>
    public int PairBytesPerSecond { get; init => field = InRange(value, 1_200, int.MaxValue); } = 64_000;

    /// <summary>Bytes a second of all pairs. At least 1,200; default 512,000.</summary>
    public int BytesPerSecond { get; init => field = InRange(value, 1_200, int.MaxValue); } = 512_000;

    /// <summary>Bytes of one pair in an hour. At least 1,200; default 128 MiB. What is asked beyond waits for the hour's end, until the ledger pays.</summary>
    public long PairBytesPerHour { get; init => field = value >= 1_200 ? value : throw new ArgumentOutOfRangeException(nameof(value)); } = 128L << 20;

    /// <summary>Bytes after which the relay signs a statement. At least 1,200; default 16 MiB (OV-6.12).</summary>
    public long StatementBytes { get; init => field = value >= 1_200 ? value : throw new ArgumentOutOfRangeException(nameof(value)); } = 16L << 20;

    /// <summary>How long a reservation holds; renewed at half of it. At least 10 s; default 1 h.</summary>
    public TimeSpan ReservationLifetime { get; init => field = AtLeast(value, TimeSpan.FromSeconds(10)); } = TimeSpan.FromHours(1);

    /// <summary>A pair unused for so long is closed. At least 10 s; default 5 min.</summary>
    public TimeSpan PairIdle { get; init => field = AtLeast(value, TimeSpan.FromSeconds(10)); } = TimeSpan.FromMinutes(5);

    /// <summary>Reservations that a node holds which others cannot write to first. 0 to 3; default 2 (OV-6.11).</summary>
    public int ReservationsWanted { get; init => field = InRange(value, 0, 3); } = 2;

    private static int InRange(int value, int from, int to) =>
        value >= from && value <= to ? value : throw new ArgumentOutOfRangeException(nameof(value), value, $"Allowed: {from} to {to}.");

    private static TimeSpan AtLeast(TimeSpan value, TimeSpan least) =>
        value >= least ? value : throw new ArgumentOutOfRangeException(nameof(value), value, $"At least {least}.");
}
