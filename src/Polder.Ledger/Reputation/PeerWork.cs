using System.Numerics;

namespace Polder.Ledger.Reputation;

/// <summary>
/// What one peer got and from whom (its row), and what it gave and to whom (its column), by number. A row keeps sums of its
/// amounts from the left, so that a walk finds its next step by halving: 16 bytes an edge; a column has 12.
/// </summary>
internal sealed class PeerWork
{
    /// <summary>The most that a row can add up to; further amounts count for nothing.</summary>
    public const long SumMax = 1L << 62;

    private int[] _contributors = [], _recordCounts = [], _consumers = [];
    private long[] _until = [], _given = [];
    private int _rowCount, _columnCount;

    /// <summary>Who worked for this peer, ascending.</summary>
    public ReadOnlySpan<int> Contributors => _contributors.AsSpan(0, _rowCount);

    /// <summary>The amounts of <see cref="Contributors"/> up to and with each, added.</summary>
    public ReadOnlySpan<long> Until => _until.AsSpan(0, _rowCount);

    /// <summary>How many records each of <see cref="Contributors"/> has.</summary>
    public ReadOnlySpan<int> RecordCounts => _recordCounts.AsSpan(0, _rowCount);

    /// <summary>For whom this peer worked, ascending.</summary>
    public ReadOnlySpan<int> Consumers => _consumers.AsSpan(0, _columnCount);

    /// <summary>How much it did for each of <see cref="Consumers"/>.</summary>
    public ReadOnlySpan<long> Given => _given.AsSpan(0, _columnCount);

    /// <summary>All that it got.</summary>
    public long Got => _rowCount == 0 ? 0 : _until[_rowCount - 1];

    /// <summary>What it got from one contributor.</summary>
    public long From(int contributor)
    {
        var place = Contributors.BinarySearch(contributor);
        return place < 0 ? 0 : AmountAt(place);
    }

    /// <summary>In how many records it got something from one contributor.</summary>
    public int RecordsFrom(int contributor)
    {
        var place = Contributors.BinarySearch(contributor);
        return place < 0 ? 0 : _recordCounts[place];
    }

    public long AmountAt(int place) => place == 0 ? _until[0] : _until[place] - _until[place - 1];

    /// <summary>Where a walk goes from here: <paramref name="random"/> is evenly spread over 64 bits. There is somebody.</summary>
    public int Step(ulong random)
    {
        var target = (long)Math.BigMul(random, (ulong)_until[_rowCount - 1], out _);
        var (low, high) = (0, _rowCount - 1);
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (_until[middle] > target) high = middle;
            else low = middle + 1;
        }
        return _contributors[low];
    }

    /// <summary>Takes a record into the row; answers what there was before and what was added (less than the amount when the row is full).</summary>
    public (long Before, long Added) AddFrom(int contributor, long amount)
    {
        amount = Math.Min(amount, SumMax - Got);
        var place = Contributors.BinarySearch(contributor);
        var before = 0L;
        if (place >= 0) before = AmountAt(place);
        else
        {
            place = ~place;
            Grow(ref _contributors, _rowCount);
            Grow(ref _until, _rowCount);
            Grow(ref _recordCounts, _rowCount);
            Open(_contributors, place, _rowCount);
            Open(_until, place, _rowCount);
            Open(_recordCounts, place, _rowCount);
            _rowCount++;
            (_contributors[place], _until[place], _recordCounts[place]) = (contributor, place == 0 ? 0 : _until[place - 1], 0);
        }
        _recordCounts[place]++;
        Raise(_until.AsSpan(place, _rowCount - place), amount);
        return (before, amount);
    }

    /// <summary>Takes a record into the column.</summary>
    public void AddTo(int consumer, long amount)
    {
        var place = Consumers.BinarySearch(consumer);
        if (place < 0)
        {
            place = ~place;
            Grow(ref _consumers, _columnCount);
            Grow(ref _given, _columnCount);
            Open(_consumers, place, _columnCount);
            Open(_given, place, _columnCount);
            _columnCount++;
            (_consumers[place], _given[place]) = (consumer, 0);
        }
        _given[place] += amount;
    }

    /// <summary>Takes a contributor out of the row; answers its amount and in how many records it was.</summary>
    public (long Amount, int Records) RemoveFrom(int contributor)
    {
        var place = Contributors.BinarySearch(contributor);
        if (place < 0) return default;
        var (amount, records) = (AmountAt(place), _recordCounts[place]);
        Raise(_until.AsSpan(place, _rowCount - place), -amount);
        Close(_contributors, place, _rowCount);
        Close(_until, place, _rowCount);
        Close(_recordCounts, place, _rowCount);
        _rowCount--;
        return (amount, records);
    }

    /// <summary>Takes a consumer out of the column; answers its amount.</summary>
    public long RemoveTo(int consumer)
    {
        var place = Consumers.BinarySearch(consumer);
        if (place < 0) return 0;
        var amount = _given[place];
        Close(_consumers, place, _columnCount);
        Close(_given, place, _columnCount);
        _columnCount--;
        return amount;
    }

    public void Clear()
    {
        (_rowCount, _columnCount) = (0, 0);
        (_contributors, _recordCounts, _consumers, _until, _given) = ([], [], [], [], []);
    }

    /// <summary>Replaces the row by arrays that are this peer's from now on.</summary>
    public void SetRow(int[] contributors, long[] until, int[] recordCounts) =>
        (_contributors, _until, _recordCounts, _rowCount) = (contributors, until, recordCounts, contributors.Length);

    /// <summary>Replaces the column.</summary>
    public void SetColumn(int[] consumers, long[] given) => (_consumers, _given, _columnCount) = (consumers, given, consumers.Length);

    private static void Raise(Span<long> sums, long amount)
    {
        var (k, added) = (0, new Vector<long>(amount));
        for (; k + Vector<long>.Count <= sums.Length; k += Vector<long>.Count) (new Vector<long>(sums[k..]) + added).CopyTo(sums[k..]);
        for (; k < sums.Length; k++) sums[k] += amount;
    }

    private static void Grow<T>(ref T[] items, int count)
    {
        if (count == items.Length) Array.Resize(ref items, Math.Max(2, count + count / 4 + 1));
    }

    private static void Open<T>(T[] items, int place, int count) => Array.Copy(items, place, items, place + 1, count - place);
    private static void Close<T>(T[] items, int place, int count) => Array.Copy(items, place + 1, items, place, count - place - 1);
}
