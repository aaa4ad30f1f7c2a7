namespace Polder.Overlay;

/// <summary>
/// Every cap, rate and interval of the overlay that may be changed. Constants of the protocols are in
/// <see cref="OverlayLimits"/>.
/// </summary>
public sealed record OverlayOptions
{
    /// <summary>Peers known by key. 8 to 100,000; default 2,000 (OV-4.5).</summary>
    public int PeersMax { get; init => field = InRange(value, 8, 100_000); } = 2_000;

    /// <summary>Requests waiting for an answer, of all communities. 16 to 65,536; default 4,096 (OV-4.5).</summary>
    public int RequestsMax { get; init => field = InRange(value, 16, 65_536); } = 4_096;

    /// <summary>How long an address counts as proved after it last answered. At least 1 s; default 10 min.</summary>
    public TimeSpan ValidationLifetime { get; init => field = AtLeast(value, TimeSpan.FromSeconds(1)); } = TimeSpan.FromMinutes(10);

    /// <summary>How long a peer that broke the protocol is ignored. At least 1 s; default 1 h.</summary>
    public TimeSpan DiscouragedFor { get; init => field = AtLeast(value, TimeSpan.FromSeconds(1)); } = TimeSpan.FromHours(1);

    /// <summary>Keys remembered as discouraged. 1 to 100,000; default 1,024.</summary>
    public int DiscouragedMax { get; init => field = InRange(value, 1, 100_000); } = 1_024;

    private static int InRange(int value, int from, int to) =>
        value >= from && value <= to ? value : throw new ArgumentOutOfRangeException(nameof(value), value, $"Allowed: {from} to {to}.");

    private static TimeSpan AtLeast(TimeSpan value, TimeSpan least) =>
        value >= least ? value : throw new ArgumentOutOfRangeException(nameof(value), value, $"At least {least}.");
}
