namespace Polder.Lab.Tests;

/// <summary>One line of tests/natlab/kinds.csv.</summary>
internal sealed record KindRow(string Kind, string Mapping, string Filtering, string Port, string Step, bool Translates)
{
    public static IReadOnlyList<KindRow> All { get; } = [.. File.ReadLines(Path.Combine(AppContext.BaseDirectory, "natlab", "kinds.csv"))
        .Where(static line => line.Length > 0 && line[0] != '#').Skip(1).Select(static line => line.Split(','))
        .Select(static f => new KindRow(f[0], f[1], f[2], f[3], f[4], f[5] == "yes"))];
}
