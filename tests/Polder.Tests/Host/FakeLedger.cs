using Polder.Node.Operations;

namespace Polder.Tests.Host;

/// <summary>A ledger that answers from memory and remembers what it was given.</summary>
internal sealed class FakeLedger : ILedgerOperations
{
    public List<byte[]> Taken { get; } = [];

    public Task<LedgerStatsView> StatsAsync(CancellationToken cancellation = default) => Task.FromResult(new LedgerStatsView(
        "sqlite", 1_234_567, 87_700, 90_000, 600_000, 1, 300 << 20, 1L << 30, 1_000_000, [new DayView(null, 2, 1, 0), new DayView("2026-11-21", 200_000, 9_000, 12)]));

    public Task<TakenInView> TakeInAsync(IReadOnlyList<byte[]> packedBlocks, CancellationToken cancellation = default)
    {
        Taken.AddRange(packedBlocks);
        return Task.FromResult(new TakenInView(packedBlocks.Count - 1, 0, 1, [new TakenInProblem(packedBlocks.Count - 1, "its signature is not its owner's")]));
    }

    public Task<LedgerSearchView> SearchAsync(string text, CancellationToken cancellation = default) => Task.FromResult(!text.StartsWith("3f", StringComparison.Ordinal)
        ? new LedgerSearchView(text, [], [], false)
        : new LedgerSearchView(text, [new ChainLine(FakeNode.Key, FakeNode.Me.Name, 7, 9)], [FakeNode.Block(3)], true));
}
