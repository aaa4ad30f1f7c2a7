using System.Numerics;
using System.Runtime.InteropServices;
using Polder.Identity;
using Polder.Ledger.Stores;

namespace Polder.Ledger.Reputation;

/// <summary>
/// Takes many records into a graph at once. Records come in any order and in pieces; every so many are sorted by counting and
/// merged into the rows, and at the end the columns are made anew. Nothing of the graph may be read or changed until
/// <see cref="Finish"/>. Memory beside the graph: 28 bytes for each record of one batch, and while the columns are made nothing.
/// </summary>
public sealed unsafe class WorkGraphLoader : IDisposable
{
    /// <summary>Records that are merged together.</summary>
    public const int BatchRecords = 1 << 25;

    private readonly WorkGraph _graph;
    private readonly WorkSplit _split;
    private readonly int _batchMax;
    private int* _contributors, _consumers, _sortedContributors;
    private long* _amounts, _sortedAmounts;
    private int _capacity, _count;
    private int[] _recordsOf = [];
    private long _records;
    private bool _finished;

    internal WorkGraphLoader(WorkGraph graph, WorkSplit split, int batchMax = BatchRecords) => (_graph, _split, _batchMax) = (graph, split, batchMax);

    /// <summary>Records that were taken in so far.</summary>
    public long Records => _records;

    /// <summary>The number of a peer in this graph, for <see cref="NumberedRecord"/>.</summary>
    public int Number(PublicKey peer) => _graph.Number(peer);

    /// <summary>Takes records; those that <see cref="WorkGraph.Add"/> would refuse are left out.</summary>
    public void Add(ReadOnlySpan<NumberedRecord> records)
    {
        ObjectDisposedException.ThrowIf(_finished, this);
        var peers = _graph.Count;
        if (_recordsOf.Length < peers) Array.Resize(ref _recordsOf, peers + peers / 4);
        foreach (ref readonly var record in records)
        {
            var (from, to) = (record.Contributor, record.Consumer);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)from, (uint)peers, nameof(records));
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)to, (uint)peers, nameof(records));
            if (record.Amount is < 1 or > WorkGraph.RecordMax || from == to || _graph.IsRemoved(from) || _graph.IsRemoved(to)) continue;
            if (!_graph.IsNew(from, to, record.ProposalSequence, record.ProposedByConsumer)) continue;
            Take(from, to, record.Amount);
        }
    }

    private void Take(int from, int to, long amount)
    {
        unchecked
        {
            if (_count == _capacity) MakeRoom();
            (_contributors[_count], _consumers[_count], _amounts[_count]) = (from, to, amount);
            _count++;
            _recordsOf[from]++;
            _recordsOf[to]++;
            _records++;
        }
    }

    /// <summary>Takes records of a store, each of which it gives once: their places are not remembered.</summary>
    /// <param name="records">By the store's numbers of peers.</param>
    /// <param name="numbers">The graph's number of each of the store's; −1 for none.</param>
    internal void Add(ReadOnlySpan<AgreedWork> records, ReadOnlySpan<int> numbers)
    {
        ObjectDisposedException.ThrowIf(_finished, this);
        var peers = _graph.Count;
        if (_recordsOf.Length < peers) Array.Resize(ref _recordsOf, peers + peers / 4);
        foreach (ref readonly var record in records)
        {
            if ((uint)record.Contributor >= (uint)numbers.Length || (uint)record.Consumer >= (uint)numbers.Length) continue;
            var (from, to) = (numbers[record.Contributor], numbers[record.Consumer]);
            if (from < 0 || to < 0 || record.Amount is < 1 or > WorkGraph.RecordMax || from == to || _graph.IsRemoved(from) || _graph.IsRemoved(to)) continue;
            Take(from, to, record.Amount);
        }
    }

    /// <summary>Merges what is left and makes the graph readable again.</summary>
    public void Finish()
    {
        ObjectDisposedException.ThrowIf(_finished, this);
        Merge();
        Dispose();
        if (_recordsOf.Length < _graph.Count) Array.Resize(ref _recordsOf, _graph.Count);
        WorkColumns.Make(_graph, _split);
        _graph.Loaded(_records, _recordsOf);
    }

    /// <summary>Lets go of the memory for sorting.</summary>
    public void Dispose()
    {
        _finished = true;
        Free();
        GC.SuppressFinalize(this);
    }

    /// <inheritdoc/>
    ~WorkGraphLoader() => Free();

    private void MakeRoom()
    {
        if (_capacity >= _batchMax)
        {
            Merge();
            return;
        }
        var capacity = Math.Min(_batchMax, Math.Max(1 << 16, 2 * _capacity));
        _contributors = (int*)NativeMemory.Realloc(_contributors, (nuint)capacity * sizeof(int));
        _consumers = (int*)NativeMemory.Realloc(_consumers, (nuint)capacity * sizeof(int));
        _amounts = (long*)NativeMemory.Realloc(_amounts, (nuint)capacity * sizeof(long));
        _sortedContributors = (int*)NativeMemory.Realloc(_sortedContributors, (nuint)capacity * sizeof(int));
        _sortedAmounts = (long*)NativeMemory.Realloc(_sortedAmounts, (nuint)capacity * sizeof(long));
        _capacity = capacity;
    }

    private void Free()
    {
        NativeMemory.Free(_contributors);
        NativeMemory.Free(_consumers);
        NativeMemory.Free(_amounts);
        NativeMemory.Free(_sortedContributors);
        NativeMemory.Free(_sortedAmounts);
        _contributors = _consumers = _sortedContributors = null;
        _amounts = _sortedAmounts = null;
        (_capacity, _count) = (0, 0);
    }

    /// <summary>Sorts the batch by consumer, keeping the order within each, and merges each consumer's part into its row.</summary>
    private void Merge()
    {
        if (_count == 0) return;
        var (peers, parts) = (_graph.Count, _split.Parts);
        // Each part counts its own share of the batch; the offsets put the parts' records of one consumer one behind the other.
        var offsets = new int[parts][];
        _split.Run(parts, part =>
        {
            var counts = offsets[part] = new int[peers];
            var (from, to) = Share(part, parts, _count);
            unchecked
            {
                for (var r = from; r < to; r++) counts[_consumers[r]]++;
            }
        });
        var starts = new int[peers + 1];
        var place = 0;
        for (var peer = 0; peer < peers; peer++)
        {
            starts[peer] = place;
            foreach (var counts in offsets) (counts[peer], place) = (place, place + counts[peer]);
        }
        starts[peers] = place;
        _split.Run(parts, part =>
        {
            var next = offsets[part];
            var (from, to) = Share(part, parts, _count);
            unchecked
            {
                for (var r = from; r < to; r++)
                {
                    var at = next[_consumers[r]]++;
                    (_sortedContributors[at], _sortedAmounts[at]) = (_contributors[r], _amounts[r]);
                }
            }
        });
        _split.Run(parts, part => MergeRows(starts, FirstOf(part, starts), FirstOf(part + 1, starts)));
        _count = 0;

        int FirstOf(int part, int[] places)
        {
            if (part == parts) return peers;
            var found = Array.BinarySearch(places, 0, peers, (int)((long)place * part / parts));
            found = found < 0 ? ~found : found;
            while (found > 0 && places[found - 1] == places[found]) found--;
            return Math.Min(found, peers);
        }
    }

    private void MergeRows(int[] starts, int first, int end)
    {
        var sums = new RowSums(_graph.Count);
        for (var consumer = first; consumer < end; consumer++)
        {
            if (starts[consumer] == starts[consumer + 1]) continue;
            var work = _graph.WorkOf(consumer);
            var before = 0L;
            for (var k = 0; k < work.Contributors.Length; k++)
            {
                sums.Add(work.Contributors[k], work.Until[k] - before, work.RecordCounts[k]);
                before = work.Until[k];
            }
            for (var r = starts[consumer]; r < starts[consumer + 1]; r++) sums.Add(_sortedContributors[r], _sortedAmounts[r], 1);
            sums.TakeInto(work);
        }
    }

    internal static (int From, int To) Share(int part, int parts, int count) =>
        ((int)((long)count * part / parts), (int)((long)count * (part + 1) / parts));

    /// <summary>Adds up one row over all peers, and remembers in a bitmap who is in it, so that nothing has to be sorted.</summary>
    private sealed class RowSums(int peers)
    {
        private readonly long[] _amounts = new long[peers];
        private readonly int[] _counts = new int[peers];
        private readonly ulong[] _present = new ulong[(peers + 63) / 64];
        private int _found;

        public void Add(int contributor, long amount, int records)
        {
            unchecked
            {
                if (_counts[contributor] == 0)
                {
                    _present[contributor >> 6] |= 1ul << (contributor & 63);
                    _found++;
                }
                _counts[contributor] += records;
                _amounts[contributor] = Math.Min(PeerWork.SumMax, _amounts[contributor] + amount);
            }
        }

        public void TakeInto(PeerWork work)
        {
            var contributors = GC.AllocateUninitializedArray<int>(_found);
            var until = GC.AllocateUninitializedArray<long>(_found);
            var counts = GC.AllocateUninitializedArray<int>(_found);
            var (place, sum) = (0, 0L);
            unchecked
            {
                for (var word = 0; word < _present.Length; word++)
                {
                    for (var bits = _present[word]; bits != 0; bits &= bits - 1)
                    {
                        var contributor = (word << 6) + BitOperations.TrailingZeroCount(bits);
                        sum = Math.Min(PeerWork.SumMax, sum + _amounts[contributor]);
                        (contributors[place], until[place], counts[place]) = (contributor, sum, _counts[contributor]);
                        (_amounts[contributor], _counts[contributor]) = (0, 0);
                        place++;
                    }
                    _present[word] = 0;
                }
            }
            _found = 0;
            work.SetRow(contributors, until, counts);
        }
    }
}
