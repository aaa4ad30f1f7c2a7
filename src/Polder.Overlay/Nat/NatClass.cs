namespace Polder.Overlay.Nat;

/// <summary>What stands between a node and the rest of the world (OV-5.5), in the order of the wire.</summary>
public enum NatClass : byte
{
    /// <summary>Too few others told us yet; treated as <see cref="Filtered"/>.</summary>
    Unknown,
    /// <summary>O: a public address of its own, and strangers get through to it.</summary>
    Open,
    /// <summary>F: behind a router that gives one outer port for all and lets strangers in, or with a mapped port.</summary>
    Full,
    /// <summary>E: one outer port for all, but only those come in to whom we sent before. The usual home.</summary>
    Filtered,
    /// <summary>S: each new destination gets the next outer port.</summary>
    Sequential,
    /// <summary>R: each new destination gets a random outer port.</summary>
    Random,
    /// <summary>R*: several outer addresses; treated as <see cref="Random"/>.</summary>
    Pool,
    /// <summary>B: datagrams do not come through at all.</summary>
    Blocked,
}

/// <summary>What the classes mean for others.</summary>
internal static class NatClasses
{
    /// <summary>The letter of the specification: ? O F E S R R* B.</summary>
    public static string Letter(this NatClass value) => value switch
    {
        NatClass.Open => "O",
        NatClass.Full => "F",
        NatClass.Filtered => "E",
        NatClass.Sequential => "S",
        NatClass.Random => "R",
        NatClass.Pool => "R*",
        NatClass.Blocked => "B",
        _ => "?",
    };

    /// <summary>Whether anybody can write to such a node first.</summary>
    public static bool IsReachable(this NatClass value) => value is NatClass.Open or NatClass.Full;

    /// <summary>Whether its outer port is the same towards everybody.</summary>
    public static bool HasOnePort(this NatClass value) =>
        value is NatClass.Open or NatClass.Full or NatClass.Filtered or NatClass.Unknown;

    public static bool IsRandom(this NatClass value) => value is NatClass.Random or NatClass.Pool;
}
