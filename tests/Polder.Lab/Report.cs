using System.Globalization;
using System.Text;

namespace Polder.Lab;

/// <summary>Results as tables.</summary>
public static class Report
{
    /// <summary>One line a run.</summary>
    public static string Csv(IEnumerable<CellResult> results)
    {
        var text = new StringBuilder("maker_a,kind_a,maker_b,kind_b,run,reached,session,direct,path,classes,settled_a,settled_b\n");
        foreach (var r in results)
            text.Append(CultureInfo.InvariantCulture,
                $"{Cell.Word(r.Cell.MakerA)},{r.Cell.KindA},{Cell.Word(r.Cell.MakerB)},{r.Cell.KindB},{r.Run},{N(r.Reached)},{N(r.Session)},{N(r.Direct)},{r.Path},{r.Classes},{N(r.Settled.A)},{N(r.Settled.B)}\n");
        return text.ToString();

        static string N(double? value) => value?.ToString("F3", CultureInfo.InvariantCulture) ?? "";
    }

    /// <summary>A table for each pair of makers: rows are A, columns B, cells the runs' seconds.</summary>
    public static string Markdown(string head, IReadOnlyList<string> kinds, IReadOnlyList<(Maker A, Maker B)> variants, IReadOnlyList<CellResult> results)
    {
        var text = new StringBuilder($"{head}\n");
        foreach (var (a, b) in variants)
        {
            text.Append(CultureInfo.InvariantCulture, $"\n### A: {Name(a)}, B: {Name(b)}\n\n| A \\ B | {string.Join(" | ", kinds)} |\n|---|{string.Concat(kinds.Select(static _ => "---|"))}\n");
            foreach (var row in kinds)
            {
                text.Append(CultureInfo.InvariantCulture, $"| **{row}** |");
                foreach (var column in kinds)
                {
                    var found = results.Where(r => r.Cell == new Cell(row, a, column, b)).OrderBy(static r => r.Run).ToList();
                    text.Append(' ').AppendJoin(' ', found.Select(Short)).Append(" |");
                }
                text.Append('\n');
            }
        }
        return text.ToString();
    }

    private static string Name(Maker maker) => maker == Maker.Ours ? "Polder" : "py-ipv8";

    private static string Short(CellResult result) => result switch
    {
        { Reached: null } => "–",
        { Path: "relayed" } => Laboratory.Seconds(result.Reached) + "r",
        { Path: "extra" } => Laboratory.Seconds(result.Direct) + "b",
        { Path: "direct" } => Laboratory.Seconds(result.Direct),
        _ => Laboratory.Seconds(result.Reached),
    };

    /// <summary>What else a run of two of ours shows.</summary>
    public static string Details(CellResult result) => result.Classes.Length == 0 ? ""
        : $"classes {result.Classes} sure after {Laboratory.Seconds(result.Settled.A)} {Laboratory.Seconds(result.Settled.B)}; session {Laboratory.Seconds(result.Session)}, direct {Laboratory.Seconds(result.Direct)}";

    /// <summary>The middle of some seconds, silence counting as for ever; null when the middle is silence.</summary>
    public static double? Median(IEnumerable<double?> seconds)
    {
        var all = seconds.Select(static s => s ?? double.PositiveInfinity).Order().ToList();
        if (all.Count == 0 || double.IsInfinity(all[all.Count / 2])) return null;
        return all[all.Count / 2];
    }
}
