using Polder.Identity;
using Polder.Ledger.Blocks;

namespace Polder.Ledger.Crawling;

/// <summary>One day of the network, by the clocks of those who signed.</summary>
/// <param name="Day">The day, UTC.</param>
/// <param name="Blocks">Half blocks signed that day, as far as held.</param>
/// <param name="Records">Of these, agreements: each completes a record of two.</param>
/// <param name="NewUsers">Keys whose first block is of that day.</param>
/// <param name="Users">Keys seen up to that day.</param>
public readonly record struct NetworkDay(DateOnly Day, long Blocks, long Records, long NewUsers, long Users);

/// <summary>
/// Counts what the network did, day by day, from every block that is held: the two figures that researchers draw, records a day and users
/// over time. Told of each block once (<see cref="TrustChainCommunity.BlockKnown"/>); some ten bytes a key and forty a day.
/// </summary>
public sealed class NetworkStatistics
{
    /// <summary>Days that are kept apart; a block can claim any day, so further ones are counted as undated.</summary>
    public const int DaysMax = 20_000;

    private const ulong MillisecondsADay = 86_400_000;

    private readonly Dictionary<int, (long Blocks, long Records)> _days = [];
    private readonly Dictionary<PublicKey, int> _firstDay = new(PublicKey.Comparer);
    private readonly Dictionary<PublicKey, int>.AlternateLookup<ReadOnlySpan<byte>> _firstOf;
    private readonly Func<DateTimeOffset> _now;

    /// <summary>Nothing counted yet.</summary>
    /// <param name="now">The clock: what is dated more than a day ahead of it, or before 2009, has no day.</param>
    public NetworkStatistics(Func<DateTimeOffset> now)
    {
        _now = now;
        _firstOf = _firstDay.GetAlternateLookup<ReadOnlySpan<byte>>();
    }

    /// <summary>Blocks counted.</summary>
    public long Blocks { get; private set; }

    /// <summary>Agreements counted.</summary>
    public long Records { get; private set; }

    /// <summary>Keys that signed any of them.</summary>
    public int Users => _firstDay.Count;

    /// <summary>Blocks whose date cannot be: before 2009, more than a day ahead, or on too many different days.</summary>
    public long Undated { get; private set; }

    /// <summary>Counts a block.</summary>
    public void Add(HalfBlock block)
    {
        ArgumentNullException.ThrowIfNull(block);
        Blocks++;
        if (!block.IsProposal) Records++;
        var day = DayOf(block.Timestamp);
        if (day is { } known && (_days.ContainsKey(known) || _days.Count < DaysMax))
        {
            ref var sums = ref System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrAddDefault(_days, known, out _);
            sums.Blocks++;
            if (!block.IsProposal) sums.Records++;
        }
        else
        {
            day = null;
            Undated++;
        }
        if (_firstOf.TryGetValue(block.PublicKey, out var first))
        {
            if (day is { } earlier && earlier < first) _firstOf[block.PublicKey] = earlier;
        }
        else if (block.Owner is { } owner) _firstDay.Add(owner, day ?? int.MaxValue);
    }

    /// <summary>Every day from the first that has blocks to the last, oldest first; days on which nothing was signed as well.</summary>
    public IReadOnlyList<NetworkDay> Days()
    {
        if (_days.Count == 0) return [];
        var starts = new Dictionary<int, long>();
        foreach (var first in _firstDay.Values) starts[first] = starts.GetValueOrDefault(first) + 1;
        var (from, to) = (_days.Keys.Min(), _days.Keys.Max());
        var days = new List<NetworkDay>(to - from + 1);
        var users = 0L;
        for (var day = from; day <= to; day++)
        {
            var fresh = starts.GetValueOrDefault(day);
            users += fresh;
            var (blocks, records) = _days.GetValueOrDefault(day);
            days.Add(new NetworkDay(DateOnly.FromDateTime(DateTime.UnixEpoch.AddDays(day)), blocks, records, fresh, users));
        }
        return days;
    }

    private int? DayOf(ulong timestamp)
    {
        const ulong first = 14_245 * MillisecondsADay;
        var last = _now().AddDays(1).ToUnixTimeMilliseconds();
        return timestamp >= first && last > 0 && timestamp <= (ulong)last ? (int)(timestamp / MillisecondsADay) : null;
    }
}
