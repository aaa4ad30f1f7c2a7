using Polder.Cryptography;
using Polder.Identity;
using Polder.Net;
using Polder.Runtime;

namespace Polder.Overlay.Dht.Records;

/// <summary>One node of the table: small, because a process may hold millions. The id is in the key, which all who know the node share.</summary>
internal struct TableEntry
{
    public PublicKey Key;
    private PackedEndpoint _address;
    /// <summary>When it last answered us, in seconds on the node's clock.</summary>
    public int AnsweredAt;
    /// <summary>Smoothed round trip in milliseconds, at most 30,000.</summary>
    public ushort RoundTrip;
    // Both in one: 32 bytes an entry instead of 40, and a large world has ten million of them.
    private ushort _variationAndFailure;

    /// <summary>Variation of the round trip in milliseconds, at most 30,000.</summary>
    public ushort Variation
    {
        readonly get => (ushort)(_variationAndFailure & 0x7FFF);
        set => _variationAndFailure = (ushort)((_variationAndFailure & 0x8000) | Math.Min((int)value, 0x7FFF));
    }

    /// <summary>Questions in a row that it did not answer: 0 or 1, since it goes after the second.</summary>
    public byte Failures
    {
        readonly get => (byte)(_variationAndFailure >> 15);
        set => _variationAndFailure = (ushort)((_variationAndFailure & 0x7FFF) | (value > 0 ? 0x8000 : 0));
    }

    public Endpoint Address { readonly get => _address.Value; set => _address.Value = value; }

    public void Measured(TimeSpan time)
    {
        var now = (int)Math.Clamp(time.TotalMilliseconds, 1, 30_000);
        if (RoundTrip == 0) (RoundTrip, Variation) = ((ushort)now, (ushort)(now / 2));
        else
        {
            Variation = (ushort)((3 * Variation + Math.Abs(RoundTrip - now)) / 4);
            RoundTrip = (ushort)Math.Max(1, (7 * RoundTrip + now) / 8);
        }
    }
}

/// <summary>
/// The nodes that we would ask, by the number of bits that their ids begin with like ours; the last bucket holds all that are closer and
/// is split when it is full. Nodes get in after they answered us, few of one network (OV-10.5), and go after two silences. A rule: no clock.
/// </summary>
internal sealed class ContactTable(Hash256 own, DhtOptions options, (int Narrow4, int Narrow6, int Wide4, int Wide6) prefixes)
{
    private const int FailuresMax = 2, BucketsMax = 240, OldestShareKept = 4;

    private readonly List<Bucket> _buckets = [new Bucket()];

    private sealed class Bucket
    {
        public TableEntry[] Entries = [];
        public int Count;
        public TableEntry[]? Waiting;
        public int WaitingCount;
        public int UsedAt;

        public void Add(in TableEntry entry, int max)
        {
            if (Count == Entries.Length) Array.Resize(ref Entries, Math.Max(Count + 1, Math.Min(max, Math.Max(4, Count + Count / 2))));
            Entries[Count++] = entry;
        }

        public void RemoveAt(int index)
        {
            // The order is that of age, which protects the oldest.
            Count--;
            Array.Copy(Entries, index + 1, Entries, index, Count - index);
            Entries[Count] = default;
        }
    }

    public Hash256 Own => own;
    public int Count { get; private set; }
    public int BucketCount => _buckets.Count;

    /// <summary>How the last attempt to take somebody in ended, counted: refused for the sake of diversity.</summary>
    public long RefusedForDiversity { get; private set; }

    public int CountIn(int bucket) => _buckets[bucket].Count;

    public bool Contains(PublicKey key) => Locate(key, out _) >= 0;

    public bool TryGet(PublicKey key, out TableEntry entry)
    {
        var at = Locate(key, out var bucket);
        entry = at >= 0 ? bucket.Entries[at] : default;
        return at >= 0;
    }

    /// <summary>Whether there might be a place for a node that we do not know yet: worth a question.</summary>
    public bool Wants(in Hash256 id)
    {
        var index = IndexOf(id);
        return _buckets[index].Count < WidthOf(index) || (index == _buckets.Count - 1 && index < BucketsMax);
    }

    /// <summary>It answered us from this address: it is taken in, renewed, or waits. True when it is new in the table.</summary>
    public bool Answered(PublicKey key, Endpoint address, TimeSpan roundTrip, int now)
    {
        var at = Locate(key, out var bucket);
        if (at >= 0)
        {
            ref var known = ref bucket.Entries[at];
            (known.Address, known.AnsweredAt, known.Failures) = (address, now, 0);
            known.Measured(roundTrip);
            return false;
        }
        var entry = new TableEntry { Key = key, Address = address, AnsweredAt = now };
        entry.Measured(roundTrip);
        return Admit(entry, now);
    }

    /// <summary>A question was not answered. The node goes after the second in a row, and another takes its place. True when it went.</summary>
    public bool Failed(PublicKey key)
    {
        var at = Locate(key, out var bucket);
        if (at < 0)
        {
            RemoveWaiting(key);
            return false;
        }
        if (++bucket.Entries[at].Failures < FailuresMax) return false;
        bucket.RemoveAt(at);
        Count--;
        // The last that waited is the one that was heard last.
        while (bucket.WaitingCount > 0 && bucket.Waiting is { } waiting)
        {
            var next = waiting[--bucket.WaitingCount];
            waiting[bucket.WaitingCount] = default;
            if (!IsDiverse(bucket, next.Address, replaced: -1)) continue;
            bucket.Add(next, WidthOf(_buckets.IndexOf(bucket)));
            Count++;
            break;
        }
        return true;
    }

    public void Remove(PublicKey key)
    {
        var at = Locate(key, out var bucket);
        if (at < 0) return;
        bucket.RemoveAt(at);
        Count--;
    }

    /// <summary>
    /// The nodes nearest to a target, at most as many as the span holds; gives how many. Only those that answered since
    /// <paramref name="since"/>, none that failed last time unless <paramref name="withDoubtful"/>.
    /// </summary>
    public int Closest(in Hash256 target, Span<TableEntry> found, int since = int.MinValue, PublicKey? without = null, bool withDoubtful = true)
    {
        var count = 0;
        Span<ulong> heads = stackalloc ulong[found.Length];
        for (var b = 0; b < _buckets.Count; b++)
        {
            var bucket = _buckets[b];
            for (var i = 0; i < bucket.Count; i++)
            {
                ref var entry = ref bucket.Entries[i];
                if (entry.AnsweredAt < since || (!withDoubtful && entry.Failures > 0)) continue;
                // 64 bits tell apart all nodes that there will ever be, but for those that somebody ground to be alike: then any order is right.
                var head = entry.Key.NodeId.Head ^ target.Head;
                if (count == found.Length && head >= heads[count - 1]) continue;
                if (without is not null && entry.Key == without) continue;
                var place = count == found.Length ? count - 1 : count++;
                while (place > 0 && heads[place - 1] > head)
                {
                    (heads[place], found[place]) = (heads[place - 1], found[place - 1]);
                    place--;
                }
                (heads[place], found[place]) = (head, entry);
            }
        }
        return count;
    }

    /// <summary>How many nodes we know that are closer to a target than we are.</summary>
    public int CloserThanOwn(in Hash256 target)
    {
        var ours = own.Head ^ target.Head;
        var count = 0;
        foreach (var bucket in _buckets)
            for (var i = 0; i < bucket.Count; i++)
                if ((bucket.Entries[i].Key.NodeId.Head ^ target.Head) < ours) count++;
        return count;
    }

    /// <summary>Those that should be asked whether they are there: they have not answered since, at most as many as the list takes.</summary>
    public void Stale(int before, List<Contact> found, int max)
    {
        foreach (var bucket in _buckets)
            for (var i = 0; i < bucket.Count && found.Count < max; i++)
                if (bucket.Entries[i].AnsweredAt < before) found.Add(new Contact(bucket.Entries[i].Key, bucket.Entries[i].Address));
    }

    /// <summary>The bucket that was unused longest, if longer than since then; −1 for none.</summary>
    public int Unused(int before)
    {
        var best = -1;
        for (var b = 0; b < _buckets.Count; b++)
            if (_buckets[b].UsedAt < before && (best < 0 || _buckets[b].UsedAt < _buckets[best].UsedAt)) best = b;
        return best;
    }

    /// <summary>A search went through the bucket of this id.</summary>
    public void Used(in Hash256 id, int now) => _buckets[IndexOf(id)].UsedAt = now;

    public void UsedBucket(int bucket, int now) => _buckets[bucket].UsedAt = now;

    /// <summary>An id in this bucket.</summary>
    public Hash256 RandomIn(int bucket, Prng random)
    {
        Span<byte> bytes = stackalloc byte[Hash256.Bytes], ours = stackalloc byte[Hash256.Bytes];
        random.Fill(bytes);
        own.CopyTo(ours);
        for (var bit = 0; bit <= bucket; bit++)
        {
            var mask = (byte)(0x80 >> (bit % 8));
            var value = (ours[bit / 8] & mask) != 0;
            // The last bucket has no bit in which all differ from us.
            if (bit == bucket && bucket < _buckets.Count - 1) value = !value;
            else if (bit == bucket) break;
            bytes[bit / 8] = (byte)(value ? bytes[bit / 8] | mask : bytes[bit / 8] & ~mask);
        }
        return new Hash256(bytes);
    }

    private int IndexOf(in Hash256 id) => Math.Min(own.CommonPrefix(id), _buckets.Count - 1);

    private int WidthOf(int bucket) => bucket < options.WideBuckets ? options.WideBucketWidth : options.BucketWidth;

    private int Locate(PublicKey key, out Bucket bucket)
    {
        bucket = _buckets[IndexOf(key.NodeId)];
        for (var i = 0; i < bucket.Count; i++)
            if (ReferenceEquals(bucket.Entries[i].Key, key) || bucket.Entries[i].Key.Equals(key)) return i;
        return -1;
    }

    private bool Admit(in TableEntry entry, int now)
    {
        if (entry.Key.NodeId == own) return false;
        while (true)
        {
            var index = IndexOf(entry.Key.NodeId);
            var bucket = _buckets[index];
            if (!IsDiverse(bucket, entry.Address, replaced: -1))
            {
                RefusedForDiversity++;
                return false;
            }
            if (bucket.Count < WidthOf(index))
            {
                bucket.Add(entry, WidthOf(index));
                bucket.UsedAt = Math.Max(bucket.UsedAt, now);
                Count++;
                return true;
            }
            if (index == _buckets.Count - 1 && index < BucketsMax)
            {
                Split();
                continue;
            }
            var worse = Replaceable(bucket, entry.RoundTrip);
            if (worse < 0)
            {
                Wait(bucket, entry);
                return false;
            }
            var gone = bucket.Entries[worse];
            bucket.RemoveAt(worse);
            bucket.Add(entry, WidthOf(index));
            if (gone.Failures == 0) Wait(bucket, gone);
            return true;
        }
    }

    /// <summary>A silent one, or else one much slower than the newcomer; but the oldest quarter stays whatever its speed.</summary>
    private static int Replaceable(Bucket bucket, ushort roundTrip)
    {
        var slowest = -1;
        for (var i = 0; i < bucket.Count; i++)
        {
            if (bucket.Entries[i].Failures > 0) return i;
            if (i >= bucket.Count / OldestShareKept && (slowest < 0 || bucket.Entries[i].RoundTrip > bucket.Entries[slowest].RoundTrip)) slowest = i;
        }
        return slowest >= 0 && bucket.Entries[slowest].RoundTrip > 2 * roundTrip ? slowest : -1;
    }

    private void Wait(Bucket bucket, in TableEntry entry)
    {
        if (options.ReplacementsMax == 0) return;
        bucket.Waiting ??= new TableEntry[Math.Min(2, options.ReplacementsMax)];
        for (var i = 0; i < bucket.WaitingCount; i++)
            if (bucket.Waiting[i].Key == entry.Key)
            {
                bucket.Waiting[i] = entry;
                return;
            }
        if (bucket.WaitingCount == options.ReplacementsMax)
        {
            Array.Copy(bucket.Waiting, 1, bucket.Waiting, 0, --bucket.WaitingCount);
        }
        else if (bucket.WaitingCount == bucket.Waiting.Length)
            Array.Resize(ref bucket.Waiting, Math.Min(options.ReplacementsMax, 2 * bucket.Waiting.Length));
        bucket.Waiting[bucket.WaitingCount++] = entry;
    }

    private void RemoveWaiting(PublicKey key)
    {
        var bucket = _buckets[IndexOf(key.NodeId)];
        for (var i = 0; i < bucket.WaitingCount; i++)
            if (bucket.Waiting![i].Key == key)
            {
                Array.Copy(bucket.Waiting, i + 1, bucket.Waiting, i, --bucket.WaitingCount - i);
                bucket.Waiting[bucket.WaitingCount] = default;
                return;
            }
    }

    private bool IsDiverse(Bucket into, Endpoint address, int replaced)
    {
        if (options.PerNarrowPrefixInTable >= 10_000 && options.PerWidePrefixInTable >= 10_000) return true;
        var (narrow, wide) = (Narrow(address), Wide(address));
        int inBucket = 0, inTable = 0, wideInTable = 0;
        foreach (var bucket in _buckets)
            for (var i = 0; i < bucket.Count; i++)
            {
                if (bucket == into && i == replaced) continue;
                var other = bucket.Entries[i].Address;
                if (Wide(other) != wide) continue;
                wideInTable++;
                if (Narrow(other) != narrow) continue;
                inTable++;
                if (bucket == into) inBucket++;
            }
        return inBucket < options.PerNarrowPrefixInBucket && inTable < options.PerNarrowPrefixInTable && wideInTable < options.PerWidePrefixInTable;
    }

    public Endpoint Narrow(Endpoint address) => address.Network(prefixes.Narrow4, prefixes.Narrow6);

    private Endpoint Wide(Endpoint address) => address.Network(prefixes.Wide4, prefixes.Wide6);

    private void Split()
    {
        var last = _buckets[^1];
        var depth = _buckets.Count - 1;
        var (near, far) = (new Bucket { UsedAt = last.UsedAt }, new Bucket { UsedAt = last.UsedAt });
        for (var i = 0; i < last.Count; i++)
        {
            var side = own.CommonPrefix(last.Entries[i].Key.NodeId) > depth ? near : far;
            // For the moment a narrower level may hold more than it will.
            side.Add(last.Entries[i], Math.Max(WidthOf(side == far ? depth : depth + 1), last.Count));
        }
        _buckets[^1] = far;
        _buckets.Add(near);
        // The next level may be narrower than what came down to it.
        if (near.Count > WidthOf(depth + 1) && _buckets.Count < BucketsMax) Split();
        Trim(depth);
        Trim(depth + 1);
    }

    /// <summary>What is above the width of a bucket waits: the newest.</summary>
    private void Trim(int index)
    {
        var bucket = _buckets[index];
        while (bucket.Count > WidthOf(index))
        {
            Wait(bucket, bucket.Entries[bucket.Count - 1]);
            bucket.RemoveAt(bucket.Count - 1);
            Count--;
        }
    }
}
