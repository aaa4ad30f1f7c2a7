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

    /// <summary>Below it a piece is not worth a second thread.</summary>
    private const int SpreadMin = 1 << 15;

    private readonly WorkGraph _graph;
    private readonly WorkSplit _split;
    private readonly Heap[] _heaps;
    private readonly int _batchMax;
    private int* _sortedContributors;
    private long* _sortedAmounts;
    private long _sortedCapacity;
    private bool _finished;

    internal WorkGraphLoader(WorkGraph graph, WorkSplit split, int batchMax = BatchRecords)
    {
        (_graph, _split, _batchMax, _heaps) = (graph, split, batchMax, new Heap[split.Parts]);
        for (var part = 0; part < _heaps.Length; part++) _heaps[part] = new Heap();
    }

    /// <summary>Records that were taken in so far.</summary>
    public long Records { get; private set; }

    /// <summary>The number of a peer in this graph, for <see cref="NumberedRecord"/>.</summary>
    public int Number(PublicKey peer) => _graph.Number(peer);

    /// <summary>Takes records; those that <see cref="WorkGraph.Add"/> would refuse are left out.</summary>
    public void Add(ReadOnlySpan<NumberedRecord> records)
    {
        ObjectDisposedException.ThrowIf(_finished, this);
        var peers = _graph.Count;
        var heap = _heaps[0];
        heap.Prepare(peers, records.Length);
        foreach (ref readonly var record in records)
        {
            var (from, to) = (record.Contributor, record.Consumer);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)from, (uint)peers, nameof(records));
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)to, (uint)peers, nameof(records));
            if (record.Amount is < 1 or > WorkGraph.RecordMax || from == to || _graph.IsRemoved(from) || _graph.IsRemoved(to)) continue;
            if (_graph.IsNew(from, to, record.ProposalSequence, record.ProposedByConsumer)) heap.Take(from, to, record.Amount);
        }
        MergeWhenFull();
    }

    /// <summary>Takes records of a store, each of which it gives once: their places are not remembered.</summary>
    /// <param name="records">By the store's numbers of peers.</param>
    /// <param name="numbers">The graph's number of each of the store's; −1 for none.</param>
    internal void Add(ReadOnlySpan<AgreedWork> records, ReadOnlySpan<int> numbers)
    {
        ObjectDisposedException.ThrowIf(_finished, this);
        var (length, known, peers) = (records.Length, numbers.Length, _graph.Count);
        var parts = length < SpreadMin ? 1 : _split.Parts;
        fixed (AgreedWork* first = records)
        fixed (int* numberOf = numbers)
        {
            // Lambdas cannot hold spans: both stay pinned until all parts are done.
            var (work, map) = ((nint)first, (nint)numberOf);
            _split.Run(parts, part =>
            {
                var (from, to) = Share(part, parts, length);
                _heaps[part].Prepare(peers, to - from);
                TakeAll(_heaps[part], new ReadOnlySpan<AgreedWork>((AgreedWork*)work + from, to - from), new ReadOnlySpan<int>((int*)map, known));
            });
        }
        MergeWhenFull();
    }

    /// <summary>Merges what is left and makes the graph readable again.</summary>
    public void Finish()
    {
        ObjectDisposedException.ThrowIf(_finished, this);
        Merge();
        var recordsOf = new int[_graph.Count];
        foreach (var heap in _heaps)
            for (var peer = 0; peer < Math.Min(recordsOf.Length, heap.RecordsOf.Length); peer++) recordsOf[peer] += heap.RecordsOf[peer];
        Dispose();
        WorkColumns.Make(_graph, _split);
        _graph.Loaded(Records, recordsOf);
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

    private void TakeAll(Heap heap, ReadOnlySpan<AgreedWork> records, ReadOnlySpan<int> numbers)
    {
        foreach (ref readonly var record in records)
        {
            if ((uint)record.Contributor >= (uint)numbers.Length || (uint)record.Consumer >= (uint)numbers.Length) continue;
            var (from, to) = (numbers[record.Contributor], numbers[record.Consumer]);
            if (from < 0 || to < 0 || record.Amount is < 1 or > WorkGraph.RecordMax || from == to || _graph.IsRemoved(from) || _graph.IsRemoved(to)) continue;
            heap.Take(from, to, record.Amount);
        }
    }

    private void Free()
    {
        foreach (var heap in _heaps) heap.Free();
        NativeMemory.Free(_sortedContributors);
        NativeMemory.Free(_sortedAmounts);
        _sortedContributors = null;
        _sortedAmounts = null;
        _sortedCapacity = 0;
    }

    private void MergeWhenFull()
    {
        var count = 0L;
        foreach (var heap in _heaps) count += heap.Count;
        if (count >= _batchMax) Merge();
    }

    /// <summary>Sorts the batch by consumer and merges each consumer's part into its row.</summary>
    private void Merge()
    {
        var (peers, parts, total) = (_graph.Count, _split.Parts, 0L);
        foreach (var heap in _heaps) total += heap.Count;
        if (total == 0) return;
        Records += total;
        if (total > _sortedCapacity)
        {
            _sortedContributors = (int*)NativeMemory.Realloc(_sortedContributors, (nuint)total * sizeof(int));
            _sortedAmounts = (long*)NativeMemory.Realloc(_sortedAmounts, (nuint)total * sizeof(long));
            _sortedCapacity = total;
        }
        // Each heap counts its own records; the offsets put the heaps' records of one consumer one behind the other.
        var offsets = new int[parts][];
        _split.Run(parts, part => offsets[part] = _heaps[part].Counts(peers));
        var starts = new int[peers + 1];
        var place = 0;
        for (var peer = 0; peer < peers; peer++)
        {
            starts[peer] = place;
            foreach (var counts in offsets) (counts[peer], place) = (place, place + counts[peer]);
        }
        starts[peers] = place;
        _split.Run(parts, part => _heaps[part].Scatter(offsets[part], _sortedContributors, _sortedAmounts));
        _split.Run(parts, part => MergeRows(starts, FirstOf(part), FirstOf(part + 1)));

        // Ranges of consumers with about as many records.
        int FirstOf(int part)
        {
            if (part == parts) return peers;
            var found = Array.BinarySearch(starts, 0, peers, (int)((long)place * part / parts));
            found = found < 0 ? ~found : found;
            while (found > 0 && starts[found - 1] == starts[found]) found--;
            return Math.Min(found, peers);
        }
    }

    private void MergeRows(int[] starts, int first, int end)
    {
        var sums = new RowSums(_graph.Count);
        for (var consumer = first; consumer < end; consumer++)
        {
            if (starts[consumer] == starts[consumer + 1]) continue;
            for (var r = starts[consumer]; r < starts[consumer + 1]; r++) sums.Add(_sortedContributors[r], _sortedAmounts[r]);
            sums.TakeInto(_graph.WorkOf(consumer));
        }
    }

    internal static (int From, int To) Share(int part, int parts, int count) =>
        ((int)((long)count * part / parts), (int)((long)count * (part + 1) / parts));

    /// <summary>Records of one part of the split, as they came.</summary>
    private sealed class Heap
    {
        private int* _contributors, _consumers;
        private long* _amounts;
        private int _capacity;

        public int Count { get; private set; }

        /// <summary>In how many records each peer took part.</summary>
        public int[] RecordsOf { get; private set; } = [];

        /// <summary>Makes room for so many more.</summary>
        public void Prepare(int peers, int more)
        {
            if (RecordsOf.Length < peers)
            {
                var records = RecordsOf;
                Array.Resize(ref records, peers + peers / 4);
                RecordsOf = records;
            }
            if (Count + more <= _capacity) return;
            var capacity = Math.Max(Count + more, Math.Min(2 * _capacity, _capacity + (1 << 22)));
            _contributors = (int*)NativeMemory.Realloc(_contributors, (nuint)capacity * sizeof(int));
            _consumers = (int*)NativeMemory.Realloc(_consumers, (nuint)capacity * sizeof(int));
            _amounts = (long*)NativeMemory.Realloc(_amounts, (nuint)capacity * sizeof(long));
            _capacity = capacity;
        }

        public void Take(int from, int to, long amount)
        {
            unchecked
            {
                (_contributors[Count], _consumers[Count], _amounts[Count]) = (from, to, amount);
                Count++;
                RecordsOf[from]++;
                RecordsOf[to]++;
            }
        }

        public int[] Counts(int peers)
        {
            var counts = new int[peers];
            unchecked
            {
                for (var r = 0; r < Count; r++) counts[_consumers[r]]++;
            }
            return counts;
        }

        /// <summary>Puts each record where the offsets say, and is empty then.</summary>
        public void Scatter(int[] next, int* contributors, long* amounts)
        {
            unchecked
            {
                for (var r = 0; r < Count; r++)
                {
                    var at = next[_consumers[r]]++;
                    (contributors[at], amounts[at]) = (_contributors[r], _amounts[r]);
                }
            }
            Count = 0;
        }

        public void Free()
        {
            NativeMemory.Free(_contributors);
            NativeMemory.Free(_consumers);
            NativeMemory.Free(_amounts);
            _contributors = _consumers = null;
            _amounts = null;
            (Count, _capacity) = (0, 0);
        }
    }

    /// <summary>Adds up one row over all peers, and remembers in a bitmap who is in it, so that nothing has to be sorted.</summary>
    private sealed class RowSums(int peers)
    {
        private readonly long[] _amounts = new long[peers];
        private readonly int[] _counts = new int[peers];
        private readonly ulong[] _present = new ulong[(peers + 63) / 64];
        private int _found;

        public void Add(int contributor, long amount)
        {
            unchecked
            {
                if (_counts[contributor]++ == 0)
                {
                    _present[contributor >> 6] |= 1ul << (contributor & 63);
                    _found++;
                }
                _amounts[contributor] = Math.Min(PeerWork.SumMax / 2, _amounts[contributor] + amount);
            }
        }

        /// <summary>Merges what was added with the row, both in the order of their numbers, and is empty then.</summary>
        public void TakeInto(PeerWork work)
        {
            var old = work.Contributors;
            var oldUntil = work.Until;
            var oldCounts = work.RecordCounts;
            var room = _found;
            foreach (var contributor in old)
                if (_counts[contributor] == 0) room++;
            var contributors = GC.AllocateUninitializedArray<int>(room);
            var until = GC.AllocateUninitializedArray<long>(room);
            var counts = GC.AllocateUninitializedArray<int>(room);
            var (place, from, sum, before) = (0, 0, 0L, 0L);
            unchecked
            {
                for (var word = 0; word < _present.Length; word++)
                {
                    for (var bits = _present[word]; bits != 0; bits &= bits - 1)
                    {
                        var contributor = (word << 6) + BitOperations.TrailingZeroCount(bits);
                        for (; from < old.Length && old[from] < contributor; from++) Keep(old[from], oldUntil[from], oldCounts[from]);
                        var (amount, count) = (_amounts[contributor], _counts[contributor]);
                        if (from < old.Length && old[from] == contributor)
                        {
                            (amount, count) = (Math.Min(PeerWork.SumMax, amount + (oldUntil[from] - before)), count + oldCounts[from]);
                            before = oldUntil[from++];
                        }
                        sum = (long)Math.Min((ulong)PeerWork.SumMax, (ulong)sum + (ulong)amount);
                        (contributors[place], until[place], counts[place]) = (contributor, sum, count);
                        (_amounts[contributor], _counts[contributor]) = (0, 0);
                        place++;
                    }
                    _present[word] = 0;
                }
                for (; from < old.Length; from++) Keep(old[from], oldUntil[from], oldCounts[from]);
            }
            _found = 0;
            work.SetRow(contributors, until, counts);

            void Keep(int contributor, long upTo, int count)
            {
                unchecked
                {
                    sum = (long)Math.Min((ulong)PeerWork.SumMax, (ulong)sum + (ulong)(upTo - before));
                    (before, contributors[place], until[place], counts[place]) = (upTo, contributor, sum, count);
                    place++;
                }
            }
        }
    }
}
