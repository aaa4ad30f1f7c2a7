namespace Polder.Overlay.Dht;

/// <summary>Caps on IPv8's DHT that py-ipv8 lacks (OV-10.3). Constants of the protocol are not here.</summary>
public sealed record IPv8DhtOptions
{
    /// <summary>Bytes of others' values held. 1 KiB to 1 GiB; default 64 MiB.</summary>
    public int StoreBytesMax { get; init => field = Range.Of(value, 1 << 10, 1 << 30); } = 64 << 20;

    /// <summary>Values held. 1 to 1,000,000; default 100,000.</summary>
    public int ValuesMax { get; init => field = Range.Of(value, 1, 1_000_000); } = 100_000;

    /// <summary>Values under one key. 1 to 1,024; default 64.</summary>
    public int ValuesPerKeyMax { get; init => field = Range.Of(value, 1, 1_024); } = 64;

    /// <summary>Values of one signer, and values that one peer stored here. 1 to 100,000; default 256.</summary>
    public int ValuesPerPublisherMax { get; init => field = Range.Of(value, 1, 100_000); } = 256;

    /// <summary>Values stored from one narrow network. 1 to 1,000,000; default 1,024.</summary>
    public int ValuesPerNetworkMax { get; init => field = Range.Of(value, 1, 1_000_000); } = 1_024;

    /// <summary>Peers that we remember the address of. 1 to 100,000; default 1,024.</summary>
    public int StoredPeersMax { get; init => field = Range.Of(value, 1, 100_000); } = 1_024;

    /// <summary>Whether others remember our address, so that we can be reached by our mid (store-peer). Default true.</summary>
    public bool StoresItself { get; init; } = true;

    /// <summary>Whether all known nodes are pinged each 25 s as py-ipv8 does. Default true.</summary>
    public bool PingsNodes { get; init; } = true;
}

internal static class Range
{
    public static int Of(int value, int from, int to) =>
        value >= from && value <= to ? value : throw new ArgumentOutOfRangeException(nameof(value), value, $"Allowed: {from} to {to}.");

    public static double Of(double value, double from, double to) =>
        value >= from && value <= to ? value : throw new ArgumentOutOfRangeException(nameof(value), value, $"Allowed: {from} to {to}.");

    public static TimeSpan AtLeast(TimeSpan value, TimeSpan least) =>
        value >= least ? value : throw new ArgumentOutOfRangeException(nameof(value), value, $"At least {least}.");
}
