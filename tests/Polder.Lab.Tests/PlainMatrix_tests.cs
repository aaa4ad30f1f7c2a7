namespace Polder.Lab.Tests;

/// <summary>
/// Our node with living py-ipv8 peers through every kind of NAT (overlay specification, §12.3): what two of theirs reach, we reach,
/// and no slower. A reduced set; the whole is <c>./x natlab plain</c>, its table docs/nat-matrix.md.
/// </summary>
public sealed class PlainMatrix_tests
{
    private static readonly string[] Kinds = ["public", "addr", "port", "sym"];

    /// <summary>Steps of py-ipv8 come each half second, so a single run may be that much later by luck alone.</summary>
    private const double StepSeconds = 0.5;

    [Fact]
    public async Task What_two_of_py_ipv8_reach_we_reach_too_and_no_slower()
    {
        var checkout = InTheLab.NeedReference();
        await using var matrix = await Matrix.BuildAsync(Kinds, checkout: checkout, patience: InTheLab.Seconds(20));
        // A peer of py-ipv8 behind a symmetric NAT that starts first is found by another of them after 30 s at best: not waited for here.
        var cells = Plan.Cells(Kinds, Plan.Variants("plain"), "reachable")
            .Where(static cell => cell is not { KindA: "sym", MakerA: Maker.Python, MakerB: Maker.Python });
        var results = await matrix.RunAsync(cells, runs: 1, together: 5, result => InTheLab.Say($"{result.Cell,-34} {Laboratory.Seconds(result.Reached)}"));
        var theirs = Median(results, static cell => cell is { MakerA: Maker.Python, MakerB: Maker.Python });
        var ours = Median(results, static cell => cell.MakerA != cell.MakerB);
        InTheLab.Say($"median: py with py {Laboratory.Seconds(theirs)} s, ours with py {Laboratory.Seconds(ours)} s");
        Assert.All(results.Where(static result => result.Cell.MakerA != result.Cell.MakerB),
            static result => Assert.True(result.Reached is not null, $"{result.Cell} never met; two of py-ipv8 do."));
        Assert.True(ours <= theirs + StepSeconds, $"We take {ours} s where py-ipv8 takes {theirs} s.");
    }

    private static double? Median(IEnumerable<CellResult> results, Func<Cell, bool> which) =>
        Report.Median(results.Where(result => which(result.Cell)).Select(static result => result.Reached));
}
