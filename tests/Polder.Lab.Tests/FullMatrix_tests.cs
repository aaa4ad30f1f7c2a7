namespace Polder.Lab.Tests;

/// <summary>
/// Two of our nodes through NATs, by key alone (overlay specification, §12.1, §12.2 and §6.3): each knows what it is behind, every pair connects,
/// directly where the table of strategies has a direct way. A reduced set; the whole is <c>./x natlab full</c>, its table docs/nat-matrix.md.
/// </summary>
public sealed class FullMatrix_tests
{
    private static readonly string[] Kinds = ["public", "port", "sym", "symseq"];

    private static readonly Dictionary<string, string> Class = new() { ["public"] = "O", ["port"] = "E", ["sym"] = "R", ["symseq"] = "S" };

    [Fact]
    public async Task Every_pair_connects_within_seconds_and_directly_where_there_is_a_direct_way()
    {
        InTheLab.Need();
        await using var matrix = await Matrix.BuildAsync(Kinds);
        var cells = Plan.Cells(Kinds, Plan.Variants("full")).Where(static cell => string.CompareOrdinal(cell.KindA, cell.KindB) <= 0).ToList();
        var results = await matrix.RunAsync(cells, runs: 1, together: 4,
            result => InTheLab.Say($"{result.Cell,-30} {Laboratory.Seconds(result.Reached),6} {result.Path,-8} {Report.Details(result)}"));
        Assert.All(results, static result => Assert.True(result.Reached is not null, $"{result.Cell} never met."));
        Assert.All(results, static result => Assert.Equal($"{Class[result.Cell.KindA]} {Class[result.Cell.KindB]}", result.Classes));
        Assert.All(results, static result => Assert.True(result.Settled is (< 10, < 10), $"{result.Cell}: sure after {result.Settled} s."));
        // A birthday may fail once in fifty; a relay carries the session then. The others have no excuse.
        Assert.All(results.Where(static result => HasDirectWay(result.Cell) && !IsBirthday(result.Cell)),
            static result => Assert.True(result.Direct is not null, $"{result.Cell} stayed {result.Path}."));
        Assert.True(Report.Median(results.Select(static result => result.Reached)) < 1);
    }

    private static bool HasDirectWay(Cell cell) => IsOpen(cell) || (cell.KindA, cell.KindB) is ("port", _) or (_, "port");

    private static bool IsBirthday(Cell cell) => (cell.KindA, cell.KindB) is ("port", "sym") or ("sym", "port");

    private static bool IsOpen(Cell cell) => cell.KindA == "public" || cell.KindB == "public";
}
