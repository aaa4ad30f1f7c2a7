namespace Polder.Benchmarks;

/// <summary>What people do first, in figures: the group <c>people</c>. Each part adds a line here.</summary>
internal static class PeopleFigures
{
    private static readonly Func<Action<string>, CancellationToken, Task<IReadOnlyList<Figure>>>[] Parts = [ParcelFigures.RunAsync, ChatFigures.RunAsync];

    public static async Task<IReadOnlyList<Figure>> RunAsync(Action<string> say, CancellationToken stop)
    {
        var all = new List<Figure>();
        foreach (var part in Parts) all.AddRange(await part(say, stop).ConfigureAwait(false));
        return all;
    }
}
