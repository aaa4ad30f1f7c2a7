using System.Globalization;
using System.Net.WebSockets;

namespace Polder.Benchmarks.Graph;

/// <summary>
/// Our node as a gun peer, beside the relay of the package gun in the same run: the same writer, the same load, one after the other.
/// Puts of one key each; an answer counts when the server has written it to its disk. A thousand keys a client, but for the long load with
/// ten clients, where each put makes a key that was not there.
/// </summary>
internal static class GraphFigures
{
    private const int OpenEach = 64;
    private const double LatencyMillisecondsMax = 10;
    private static readonly int[] Clients = [1, 10, 100];

    public static async Task<IReadOnlyList<Figure>> RunAsync(Action<string> say, CancellationToken stop)
    {
        var seconds = TimeSpan.FromSeconds(BenchScale.Of("GRAPH_SECONDS", small: 5, full: 30));
        var longest = TimeSpan.FromSeconds(BenchScale.Of("GRAPH_LONG_SECONDS", small: 15, full: 95));
        if (GunServer.Ours() is not { } ours)
        {
            say("This is not the program polder; say where it is with POLDER_PROGRAM.");
            return [];
        }
        Result ourResult;
        using (ours) ourResult = await MeasureAsync(ours, seconds, longest, say, stop).ConfigureAwait(false);
        Result? stock = null;
        if (GunServer.Stock() is { } relay) using (relay) stock = await MeasureAsync(relay, seconds, longest, say, stop).ConfigureAwait(false);
        else say("SKIPPED: the relay of the package gun is not installed, so there is nothing to compare with. ./x bench graph installs it (node and npm are needed).");
        return Figures(ourResult, stock);
    }

    private sealed record Load(int Clients, double PerSecond, double P50, double P99, double PerCpuSecond, int Lost);

    private sealed record Result(IReadOnlyList<Load> One, IReadOnlyList<Load> Many, double Relayed, double Megabytes, double StoreMegabytes);

    private static List<Figure> Figures(Result ours, Result? stock)
    {
        var figures = new List<Figure>();
        for (var i = 0; i < Clients.Length; i++)
        {
            var (one, many, stockOne, stockMany) = (ours.One[i], ours.Many[i], stock?.One[i], stock?.Many[i]);
            figures.Add(new($"p50 of a put, {one.Clients} clients with one open", one.P50, "ms", LatencyMillisecondsMax, one.P50 / LatencyMillisecondsMax, "below 10 ms", one.P50 < LatencyMillisecondsMax));
            figures.Add(new($"p99 of a put, {one.Clients} clients with one open", one.P99, "ms", null, null));
            if (stockOne is not null) figures.Add(new($"p50, p99 of the stock relay there", stockOne.P50, "ms", stockOne.P99, null));
            figures.Add(Beside($"puts acknowledged, {many.Clients} clients with {OpenEach} open", many.PerSecond, "a second", stockMany?.PerSecond, 10));
            figures.Add(new($"p50 there", many.P50, "ms", stockMany?.P50, many.P50 / stockMany?.P50));
            figures.Add(new($"p99 there", many.P99, "ms", stockMany?.P99, many.P99 / stockMany?.P99));
            figures.Add(Beside("puts for a second of processor there", many.PerCpuSecond, "", stockMany?.PerCpuSecond, 3));
            figures.Add(new("acknowledged and lost there", many.Lost, "", null, null, "none", many.Lost == 0));
        }
        figures.Add(Beside("changes relayed, 1 writes and 20 follow", ours.Relayed, "a second", stock?.Relayed, null));
        figures.Add(new("memory after the long load", ours.Megabytes, "MB", stock?.Megabytes, ours.Megabytes / stock?.Megabytes, "at most 0.2", stock is null ? null : ours.Megabytes <= stock.Megabytes / 5));
        figures.Add(new("store after it", ours.StoreMegabytes, "MB", stock?.StoreMegabytes, ours.StoreMegabytes / stock?.StoreMegabytes));
        return figures;
    }

    private static Figure Beside(string name, double value, string unit, double? stock, double? times) =>
        new(name, value, unit, stock, value / stock, times is { } wanted ? string.Create(CultureInfo.InvariantCulture, $"at least {wanted:0}") : null, stock is null || times is null ? null : value >= stock * times);

    private static async Task<Result> MeasureAsync(GunServer server, TimeSpan seconds, TimeSpan longest, Action<string> say, CancellationToken stop)
    {
        await UntilReadyAsync(server, stop).ConfigureAwait(false);
        var (one, many) = (new List<Load>(), new List<Load>());
        foreach (var clients in Clients) one.Add(await LoadAsync(server, clients, 1, seconds, $"one{clients}", say, stop).ConfigureAwait(false));
        foreach (var clients in Clients) many.Add(await LoadAsync(server, clients, OpenEach, clients == 10 ? longest : seconds, $"many{clients}", say, stop, grows: clients == 10).ConfigureAwait(false));
        var (megabytes, store) = (server.ResidentMegabytes, server.StoreMegabytes);
        var relayed = await RelayAsync(server, seconds, say, stop).ConfigureAwait(false);
        say(string.Create(CultureInfo.InvariantCulture, $"{server.Name}: {megabytes:0} MB of memory, {store:0.0} MB on the disk"));
        return new Result(one, many, relayed, megabytes, store);
    }

    private static async Task UntilReadyAsync(GunServer server, CancellationToken stop)
    {
        for (var attempt = 0; ; attempt++)
        {
            await using var probe = new GunLoad(255, 1, "probe");
            try
            {
                await probe.ConnectAsync(server.Address, stop).ConfigureAwait(false);
                await probe.WriteAsync(TimeProvider.System.GetTimestamp() + TimeProvider.System.TimestampFrequency / 2, stop).ConfigureAwait(false);
                return;
            }
            catch (WebSocketException) when (attempt < 150 && server.IsAlive) { await Task.Delay(100, stop).ConfigureAwait(false); }
        }
    }

    private static async Task<Load> LoadAsync(GunServer server, int clients, int open, TimeSpan duration, string run, Action<string> say, CancellationToken stop, bool grows = false)
    {
        var loads = Enumerable.Range(0, clients).Select(client => new GunLoad(client, open, run, grows)).ToList();
        try
        {
            foreach (var load in loads) await load.ConnectAsync(server.Address, stop).ConfigureAwait(false);
            var (began, processor) = (TimeProvider.System.GetTimestamp(), server.ProcessorTime);
            var until = began + (long)(duration.TotalSeconds * TimeProvider.System.TimestampFrequency);
            await Task.WhenAll(loads.ConvertAll(load => Task.Run(() => load.WriteAsync(until, stop), stop))).ConfigureAwait(false);
            // What is open still is answered, or is not.
            for (var i = 0; i < 100 && loads.Exists(static load => load.Unanswered > 0); i++) await Task.Delay(50, stop).ConfigureAwait(false);
            var took = TimeProvider.System.GetElapsedTime(began);
            var spent = server.ProcessorTime - processor;
            var latencies = loads.SelectMany(static load => load.Latencies).Order().ToArray();
            var lost = loads.Sum(static load => load.Unanswered);
            foreach (var load in loads.Take(10)) lost += await load.CountLostAsync(server.Address, stop).ConfigureAwait(false);
            var result = new Load(clients, latencies.Length / took.TotalSeconds, At(latencies, 0.5), At(latencies, 0.99), latencies.Length / Math.Max(0.001, spent.TotalSeconds), lost);
            say(string.Create(CultureInfo.InvariantCulture,
                $"{server.Name}: {clients} clients, {open} open: {result.PerSecond:0} a second, p50 {result.P50:0.0} ms, p99 {result.P99:0.0} ms, {result.PerCpuSecond:0} a second of processor, {lost} lost or unanswered, {server.ResidentMegabytes:0} MB"));
            return result;
        }
        finally
        {
            foreach (var load in loads) await load.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>One writes, twenty follow: changed keys that arrive at the followers.</summary>
    private static async Task<double> RelayAsync(GunServer server, TimeSpan duration, Action<string> say, CancellationToken stop)
    {
        await using var writer = new GunLoad(0, OpenEach, "relay");
        var followers = Enumerable.Range(1, 20).Select(static client => new GunLoad(client, 1, "relay")).ToList();
        try
        {
            await writer.ConnectAsync(server.Address, stop).ConfigureAwait(false);
            foreach (var follower in followers)
            {
                await follower.ConnectAsync(server.Address, stop).ConfigureAwait(false);
                await follower.FollowAsync("bench/relay/0", stop).ConfigureAwait(false);
            }
            var began = TimeProvider.System.GetTimestamp();
            await writer.WriteAsync(began + (long)(duration.TotalSeconds * TimeProvider.System.TimestampFrequency), stop).ConfigureAwait(false);
            await Task.Delay(300, stop).ConfigureAwait(false);
            var perSecond = followers.Sum(static follower => follower.Pushed) / TimeProvider.System.GetElapsedTime(began).TotalSeconds;
            say(string.Create(CultureInfo.InvariantCulture, $"{server.Name}: {perSecond:0} changes a second relayed to 20 followers"));
            return perSecond;
        }
        finally
        {
            foreach (var follower in followers) await follower.DisposeAsync().ConfigureAwait(false);
        }
    }

    private static double At(double[] sorted, double share) => sorted.Length == 0 ? double.NaN : sorted[Math.Min(sorted.Length - 1, (int)(sorted.Length * share))];
}
