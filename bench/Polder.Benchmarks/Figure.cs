namespace Polder.Benchmarks;

/// <summary>One measured figure beside its limit.</summary>
/// <param name="Name">What was measured, in words: "introductions answered".</param>
/// <param name="Value">The measurement, in <paramref name="Unit"/>.</param>
/// <param name="Unit">"a second", "ms", "MB".</param>
/// <param name="Limit">What the same run's raw cost allows, or the most that is accepted; null where there is none.</param>
/// <param name="Share"><paramref name="Value"/> / <paramref name="Limit"/>; null without a limit.</param>
/// <param name="Wanted">The share (or value, where there is no limit) that is promised, in words: "at least 0.80".</param>
/// <param name="Met">Whether the promise was kept; null where nothing is promised.</param>
public sealed record Figure(
    string Name, double Value, string Unit, double? Limit, double? Share, string? Wanted = null, bool? Met = null);

/// <summary>A measurement that gives one or more figures.</summary>
/// <param name="Name">What <c>polder bench NAME</c> calls it: one lower-case word.</param>
/// <param name="What">What it measures, in one line.</param>
/// <param name="RunAsync">Runs it. The argument takes words for people about the progress.</param>
public sealed record Measurement(
    string Name, string What, Func<Action<string>, CancellationToken, Task<IReadOnlyList<Figure>>> RunAsync);
