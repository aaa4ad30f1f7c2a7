using System.Globalization;
using System.Text.Json;
using Polder.Ledger.Reputation.Exact;

namespace Polder.Tests.Ledger;

/// <summary>Reads the graphs of economy/reputation*.json: peers by name, numbered in the order of their names.</summary>
internal sealed class ReputationVectors
{
    private readonly SortedDictionary<string, int> _numbers = new(StringComparer.Ordinal);

    public ReputationVectors(JsonElement records, params IEnumerable<string> more)
    {
        foreach (var record in records.EnumerateArray())
            foreach (var name in (string[])[record[0].GetString()!, record[1].GetString()!]) _numbers.TryAdd(name, 0);
        foreach (var name in more) _numbers.TryAdd(name, 0);
        Names = [.. _numbers.Keys];
        for (var i = 0; i < Names.Count; i++) _numbers[Names[i]] = i;
        foreach (var record in records.EnumerateArray()) Records.Add(new WorkEdge(this[record[0].GetString()!], this[record[1].GetString()!], record[2].GetDouble()));
    }

    public IReadOnlyList<string> Names { get; }
    public List<WorkEdge> Records { get; } = [];
    public int this[string name] => _numbers[name];
    public DenseGraph Graph => DenseGraph.Of(Names.Count, Records);

    /// <summary>The number behind a letter in a key such as "pht_a0.15".</summary>
    public static double Parameter(string key, string name)
    {
        foreach (var part in key.Split('_'))
            if (part.StartsWith(name, StringComparison.Ordinal) && double.TryParse(part.AsSpan(name.Length), NumberStyles.Float, CultureInfo.InvariantCulture, out var value)) return value;
        throw new FormatException($"\"{key}\" has no {name}.");
    }

    /// <summary>Twelve decimals were written; the last may be rounded either way.</summary>
    public static void Near(double expected, double value, string what) =>
        Assert.True(Math.Abs(expected - value) <= 1.001e-12 * Math.Max(1, Math.Abs(expected)), $"{what}: {value:R} instead of {expected:R}");

    public void NearAll(JsonElement expected, IReadOnlyList<double> values, string what)
    {
        foreach (var row in expected.EnumerateObject()) Near(row.Value.GetDouble(), values[this[row.Name]], $"{what} of {row.Name}");
    }
}
