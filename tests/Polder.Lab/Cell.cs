namespace Polder.Lab;

/// <summary>Whose code a node of a cell runs.</summary>
public enum Maker
{
    /// <summary>Polder.</summary>
    Ours,
    /// <summary>py-ipv8.</summary>
    Python,
}

/// <summary>Two nodes, A behind one kind of NAT and B behind another.</summary>
public sealed record Cell(string KindA, Maker MakerA, string KindB, Maker MakerB)
{
    /// <summary>"ours@port x py@sym".</summary>
    public override string ToString() => $"{Word(MakerA)}@{KindA} x {Word(MakerB)}@{KindB}";

    internal static string Word(Maker maker) => maker == Maker.Ours ? "ours" : "py";
}

/// <summary>What came of one run. Times in seconds; null: not within the patience.</summary>
/// <param name="Cell">Which.</param>
/// <param name="Run">Its number, from 0.</param>
/// <param name="Reached">Plain: from B's start (two seconds after A's) until both had an answer to a call of theirs. Full: from A's wish to connect until its first words were answered.</param>
public sealed record CellResult(Cell Cell, int Run, double? Reached)
{
    /// <summary>Full: from A's wish until the session was open, by whatever path.</summary>
    public double? Session { get; init; }

    /// <summary>Full: from A's wish until the session was on a direct path, of the main or of another socket.</summary>
    public double? Direct { get; init; }

    /// <summary>The path at the end: "plain", "direct", "extra" (another socket), "relayed"; empty: none.</summary>
    public string Path { get; init; } = "";

    /// <summary>Full: what A and B took themselves to be when A began, as "E R".</summary>
    public string Classes { get; init; } = "";

    /// <summary>Full: from the start of A and of B until each was sure of its class.</summary>
    public (double? A, double? B) Settled { get; init; }
}
