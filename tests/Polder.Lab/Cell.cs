namespace Polder.Lab;

/// <summary>Whose code a node of a cell runs.</summary>
public enum Maker
{
    /// <summary>Polder.</summary>
    Ours,
    /// <summary>py-ipv8.</summary>
    Python,
}

/// <summary>Two nodes, A behind one kind of NAT and B behind another; B starts two seconds after A.</summary>
public sealed record Cell(string KindA, Maker MakerA, string KindB, Maker MakerB)
{
    /// <summary>"ours@port x py@sym".</summary>
    public override string ToString() => $"{Word(MakerA)}@{KindA} x {Word(MakerB)}@{KindB}";

    internal static string Word(Maker maker) => maker == Maker.Ours ? "ours" : "py";
}

/// <summary>What came of one run. Times in seconds; null: not within the patience.</summary>
/// <param name="Cell">Which.</param>
/// <param name="Run">Its number, from 0.</param>
/// <param name="Pong">From B's start until both had an answer to a call of theirs.</param>
/// <param name="PongOfA">From A's start to A's first answered call, as the specification's table counts; two seconds of it are the wait for B.</param>
/// <param name="FirstSession">From B's start until A and B were in a session, where both are ours.</param>
/// <param name="Direct">From B's start until the session was on a direct path.</param>
/// <param name="Path">The kind of path at the end: "direct", "extra", "relayed", or "plain".</param>
public sealed record CellResult(Cell Cell, int Run, double? Pong, double? PongOfA, double? FirstSession, double? Direct, string Path);
