namespace Polder.Ledger.Reputation;

/// <summary>How heavy work on a graph is spread: this assembly starts no threads, its caller may bring some.</summary>
/// <param name="Parts">Into how many parts: one for each core.</param>
/// <param name="Run">Runs parts 0 to n − 1, in any order or at once, and returns when all are done.</param>
public sealed record WorkSplit(int Parts, Action<int, Action<int>> Run)
{
    /// <summary>Everything on the caller's own thread.</summary>
    public static WorkSplit None { get; } = new(1, static (parts, part) =>
    {
        for (var i = 0; i < parts; i++) part(i);
    });
}
