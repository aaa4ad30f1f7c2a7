namespace Polder.Lab;

/// <summary>Which cells a matrix has.</summary>
public static class Plan
{
    /// <summary>The pairs of makers that a kind of matrix compares.</summary>
    public static IReadOnlyList<(Maker A, Maker B)> Variants(string what) => what switch
    {
        "full" => [(Maker.Ours, Maker.Ours)],
        "py" => [(Maker.Python, Maker.Python)],
        "ours-plain" => [(Maker.Ours, Maker.Python), (Maker.Python, Maker.Ours)],
        "plain" => [(Maker.Python, Maker.Python), (Maker.Ours, Maker.Python), (Maker.Python, Maker.Ours)],
        _ => throw new ArgumentException($"There is no matrix \"{what}\": plain, full, ours-plain or py."),
    };

    /// <summary>Every ordered pair of kinds for every pair of makers: A starts first, and that matters.</summary>
    public static IReadOnlyList<Cell> Cells(IReadOnlyList<string> kinds, IReadOnlyList<(Maker A, Maker B)> variants, string only = "")
    {
        var cells = new List<Cell>();
        for (var a = 0; a < kinds.Count; a++)
            for (var b = 0; b < kinds.Count; b++)
                foreach (var (makerA, makerB) in variants)
                {
                    var wanted = only switch
                    {
                        "" => true,
                        "reachable" => ReferenceConnects(kinds[a], kinds[b]),
                        _ => only == $"{kinds[a]} x {kinds[b]}" || only == $"{kinds[b]} x {kinds[a]}",
                    };
                    if (!wanted) continue;
                    cells.Add(new Cell(kinds[a], makerA, kinds[b], makerB));
                }
        return cells;
    }

    /// <summary>Whether two py-ipv8 peers behind these kinds reach each other, as the specification measured (§12).</summary>
    public static bool ReferenceConnects(string a, string b) => IsOpen(a) || IsOpen(b) || (IsStable(a) && IsStable(b));

    private static bool IsOpen(string kind) => kind is "public" or "full" or "addr";

    private static bool IsStable(string kind) => kind is "port" or "portrnd" or "port+portrnd" or "fw";
}

/// <summary>Where the reference implementation lives.</summary>
public static class Reference
{
    /// <summary>The checkout of py-ipv8 3.2 in the folder named by POLDER_PEERS; null when there is none.</summary>
    public static string? Checkout()
    {
        var folder = Environment.GetEnvironmentVariable("POLDER_PEERS");
        if (string.IsNullOrEmpty(folder)) return null;
        var place = Path.Combine(folder, "py-3.2");
        return Directory.Exists(Path.Combine(place, "ipv8")) ? place : null;
    }
}
