namespace Polder;

/// <summary>Limits that every layer shares. Those of a specification first, ours below.</summary>
public static class Limits
{
    /// <summary>The largest UDP payload over IPv4; we accept as much (OV-2.3).</summary>
    public const int DatagramBytesMax = 65_507;

    /// <summary>The largest datagram that kotlin-ipv8 receives whole (its buffer).</summary>
    public const int KotlinDatagramBytesMax = 1472;

    /// <summary>What we send unprompted stays at or below this, so that no path fragments it (OV-2.3).</summary>
    public const int SentDatagramBytesMax = 1200;
}
