namespace Polder.Overlay.Dht.IPv8;

/// <summary>Constants of IPv8's DHT as py-ipv8 has them. Changing one changes the protocol; ours are in <see cref="IPv8DhtOptions"/>.</summary>
internal static class IPv8DhtLimits
{
    public const int ValueBytesMax = 170;
    public const int ValuesMax = 8, NodesMax = 8, TargetNodes = 8, BucketSize = 8;
    public const int CrawlNodesMax = 24, CrawlParallel = 4, CrawlBetterThan = 4;
    public const int QueriesMax = 10;
    public const int StorersWanted = TargetNodes / 2;
    public const int CloserLookedAt = 20;

    public static readonly TimeSpan QueriesWindow = TimeSpan.FromSeconds(5);
    public static readonly TimeSpan FindTime = TimeSpan.FromSeconds(2), RequestTime = TimeSpan.FromSeconds(5);
    public static readonly TimeSpan GoodFor = TimeSpan.FromMinutes(15);
    public static readonly TimeSpan PingInterval = TimeSpan.FromSeconds(25);
    public static readonly TimeSpan ValueLife = TimeSpan.FromHours(1);
    public static readonly TimeSpan StorerSilence = TimeSpan.FromSeconds(60);
}
