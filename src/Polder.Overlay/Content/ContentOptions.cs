namespace Polder.Overlay.Content;

/// <summary>Caps and intervals of content that may be changed.</summary>
public sealed record ContentOptions
{
    /// <summary>Largest content that is fetched. 1 byte to 64 GiB; default 4 GiB. Its hashes, 4 bytes a KiB, lie in memory while it is open.</summary>
    public long ContentBytesMax { get; init => field = value is >= 1 and <= (long)LeafTree.LeavesMax * LeafTree.LeafBytes ? value : throw new ArgumentOutOfRangeException(nameof(value)); } = 4L << 30;

    /// <summary>Contents served to one peer at the same time. 1 to 128; default 4.</summary>
    public int ServedPerPeerMax { get; init => field = InRange(value, 128); } = 4;

    /// <summary>Contents served to all peers at the same time. 1 to 10,000; default 64.</summary>
    public int ServedMax { get; init => field = InRange(value, 10_000); } = 64;

    /// <summary>Providers asked at the same time for one content. 1 to 64; default 8.</summary>
    public int ProvidersMax { get; init => field = InRange(value, 64); } = 8;

    /// <summary>A provider from whom nothing came for so long is given up. At least 1 s; default 30 s.</summary>
    public TimeSpan Patience { get; init => field = value >= TimeSpan.FromSeconds(1) ? value : throw new ArgumentOutOfRangeException(nameof(value)); } = TimeSpan.FromSeconds(30);

    /// <summary>Priority of the streams: 0 to 3, default 2, so that content takes what others leave.</summary>
    public int Priority { get; init => field = value is >= 0 and <= 3 ? value : throw new ArgumentOutOfRangeException(nameof(value)); } = 2;

    private static int InRange(int value, int most) => value >= 1 && value <= most ? value : throw new ArgumentOutOfRangeException(nameof(value), value, $"From 1 to {most}.");
}
