using Polder.Ledger.Crawling;
using Polder.Ledger.Stores;

namespace Polder.Node.Operations;

/// <summary>What a store knows of the network, as it is shown.</summary>
internal static class SurveyViews
{
    // From the first block of the first network of this kind to what a clock a day ahead may sign. Older and later dates are lies or broken clocks.
    private static readonly DateOnly First = new(2009, 1, 1);

    public static NetworkStatisticsView Of(IBlockStore store, DateTimeOffset now)
    {
        var last = DateOnly.FromDateTime(now.UtcDateTime.AddDays(1));
        var (days, undated, early, users) = (new List<NetworkDayView>(), 0L, 0L, 0L);
        var all = 0L;
        foreach (var count in store.Days())
        {
            all += count.Newcomers;
            if (count.Day is not { } day || day < First || day > last)
            {
                undated += count.Blocks;
                early += count.Newcomers;
                continue;
            }
            for (var missing = days.Count > 0 ? days[^1].Day.AddDays(1) : day; missing < day; missing = missing.AddDays(1))
                days.Add(new NetworkDayView(missing, 0, 0, 0, users));
            users += count.Newcomers;
            days.Add(new NetworkDayView(day, count.Blocks, count.Users, count.Newcomers, users));
        }
        return new NetworkStatisticsView(store.Count, all, undated, days);
    }

    public static CrawlProgressView Of(SurveyProgress progress) => new(
        progress.IsRunning, progress.Chains, progress.Visited, progress.Whole, progress.Blocks, progress.Missing, progress.Requests, progress.NewBlocks, progress.Peers);
}
