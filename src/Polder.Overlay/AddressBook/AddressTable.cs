using System.Buffers.Binary;
using Polder.Net;
using Polder.Overlay.Refusals;
using Polder.Runtime;

namespace Polder.Overlay.AddressBook;

/// <summary>One address of the book.</summary>
/// <param name="Address">Where somebody may be.</param>
/// <param name="Source">The network that told us.</param>
/// <param name="IsTried">Whether somebody answered us there once.</param>
/// <param name="Heard">When we heard of it last, in seconds since 1970.</param>
/// <param name="Answered">When somebody last answered there, in seconds since 1970; 0: never.</param>
/// <param name="Attempted">When we last knocked there, in seconds since 1970; 0: never.</param>
/// <param name="Failures">Attempts in vain since then.</param>
internal readonly record struct AddressEntry(
    Endpoint Address, SourceGroup Source, bool IsTried, uint Heard, uint Answered, uint Attempted, byte Failures);

/// <summary>
/// The addresses that a node keeps from run to run, in buckets by a secret hash (overlay.md §8.2), so that whoever tells us much
/// fills only his own part. A rule: it knows neither clock nor disk. Nothing is allocated before the first address, and about
/// 50 bytes for each.
/// </summary>
internal sealed class AddressTable
{
    private const ushort None = ushort.MaxValue;
    private const int ContestsMax = 16;
    private const uint Day = 86_400;
    private const uint NewLifetime = 30 * Day, TriedLifetime = 7 * Day;

    private readonly AddressBookOptions _options;
    private readonly OverlayOptions _overlay;
    private readonly List<(Endpoint Newcomer, Endpoint Incumbent)> _contests = [];
    private readonly SipHash _secret;
    private Slot[] _slots = [];
    private ushort[] _byAddress = [], _heads = [];
    private int _count;

    private struct Slot
    {
        public Endpoint Address;
        public SourceGroup Source;
        public uint Heard, Answered, Attempted;
        public ushort Bucket, NextInBucket;
        public byte Failures;
    }

    public AddressTable(OverlayOptions overlay, ulong key0, ulong key1)
    {
        (_overlay, _options, Key0, Key1) = (overlay, overlay.Book, key0, key1);
        _secret = new SipHash(key0, key1);
    }

    /// <summary>The secret that places addresses; kept with them, so that they find their places again.</summary>
    public ulong Key0 { get; }
    public ulong Key1 { get; }

    public int Count => _count;
    public int TriedCount { get; private set; }
    public int NewCount => _count - TriedCount;

    public AddressEntry this[int index]
    {
        get
        {
            ref readonly var slot = ref _slots[index];
            return new(slot.Address, slot.Source, IsTried(slot), slot.Heard, slot.Answered, slot.Attempted, slot.Failures);
        }
    }

    public AddressEntry? Find(Endpoint address) => IndexOf(address) is var index and >= 0 ? this[index] : null;

    /// <summary>Somebody told us of an address. Whether it is in the book now and was not before.</summary>
    public bool Add(Endpoint address, SourceGroup source, uint now)
    {
        if (IndexOf(address) is var known and >= 0)
        {
            // Whoever repeats an address keeps it from growing old, no more.
            if (_slots[known].Heard < now) _slots[known].Heard = now;
            return false;
        }
        var bucket = NewBucketOf(address, source);
        if (BucketCount(bucket) >= _options.BucketSize && !MakeRoom(bucket, now)) return false;
        Insert(new Slot { Address = address, Source = source, Heard = now, Bucket = bucket });
        return true;
    }

    /// <summary>
    /// Somebody that we addressed answered there: it moves to the tried ones. Where their bucket is full it waits until the one that
    /// was silent longest there fails a feeler (<see cref="Contested"/>).
    /// </summary>
    public void Answered(Endpoint address, SourceGroup source, uint now)
    {
        var index = IndexOf(address);
        if (index < 0)
        {
            if (!Add(address, source, now)) return;
            index = IndexOf(address);
        }
        ref var slot = ref _slots[index];
        (slot.Answered, slot.Heard, slot.Attempted, slot.Failures) = (now, Math.Max(slot.Heard, now), now, 0);
        if (IsTried(slot)) return;
        var bucket = TriedBucketOf(address);
        if (BucketCount(bucket) < _options.BucketSize)
        {
            MoveTo(index, bucket);
            return;
        }
        if (_contests.Count < ContestsMax && !_contests.Exists(contest => contest.Newcomer == address))
            _contests.Add((address, _slots[LeastRecent(bucket)].Address));
    }

    /// <summary>An old address that a new one would replace, to be asked by a feeler; null when there is none.</summary>
    public Endpoint? Contested => _contests.Count > 0 ? _contests[0].Incumbent : null;

    /// <summary>The feeler's verdict about <see cref="Contested"/>: alive, it stays; else the newcomer takes its place.</summary>
    public void Settle(bool incumbentIsAlive, uint now)
    {
        if (_contests.Count == 0) return;
        var (newcomer, incumbent) = _contests[0];
        _contests.RemoveAt(0);
        if (incumbentIsAlive) return;
        var (index, old) = (IndexOf(newcomer), IndexOf(incumbent));
        if (index < 0 || old < 0 || !IsTried(_slots[old]) || IsTried(_slots[index])) return;
        var bucket = _slots[old].Bucket;
        Remove(old);
        index = IndexOf(newcomer);
        if (BucketCount(bucket) < _options.BucketSize) MoveTo(index, bucket);
        _slots[index].Heard = Math.Max(_slots[index].Heard, now);
    }

    /// <summary>We knocked there.</summary>
    public void Attempted(Endpoint address, uint now)
    {
        if (IndexOf(address) is var index and >= 0) _slots[index].Attempted = now;
    }

    /// <summary>Nobody answered there. <paramref name="drop"/>: a feeler's verdict; an address that never answered is forgotten.</summary>
    public void Failed(Endpoint address, bool drop)
    {
        if (IndexOf(address) is not (var index and >= 0)) return;
        ref var slot = ref _slots[index];
        if (slot.Failures < byte.MaxValue) slot.Failures++;
        if (drop && !IsTried(slot)) Remove(index);
    }

    /// <summary>One to knock at, of the tried or the new ones, each equally likely; null when there is none that <paramref name="fits"/>.</summary>
    public Endpoint? Pick(bool tried, Prng random, Func<AddressEntry, bool> fits)
    {
        if (_count == 0) return null;
        // From a random place onwards; a sparse kind is found by going round once.
        var start = random.Next(_count);
        var (looked, stepOf) = (0, random.Next(2) == 0 ? 1 : _count - 1);
        for (var i = start; looked < _count; i = (i + stepOf) % _count, looked++)
            if (IsTried(_slots[i]) == tried && fits(this[i])) return _slots[i].Address;
        return null;
    }

    /// <summary>Puts back what was saved, where it belongs now; false when there is no room.</summary>
    public bool Restore(in AddressEntry entry)
    {
        if (IndexOf(entry.Address) >= 0) return false;
        var bucket = entry.IsTried ? TriedBucketOf(entry.Address) : NewBucketOf(entry.Address, entry.Source);
        if (BucketCount(bucket) >= _options.BucketSize) return false;
        Insert(new Slot
        {
            Address = entry.Address, Source = entry.Source, Heard = entry.Heard, Answered = entry.Answered,
            Attempted = entry.Attempted, Failures = entry.Failures, Bucket = bucket,
        });
        return true;
    }

    /// <summary>Buckets of new addresses that a source can reach: for tests of the bound.</summary>
    internal ushort NewBucketOf(Endpoint address, SourceGroup source)
    {
        Span<byte> bytes = stackalloc byte[17];
        bytes[0] = (byte)'n';
        BinaryPrimitives.WriteUInt64BigEndian(bytes[1..], source.Value);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[9..], SourceGroup.Of(address, _overlay).Value);
        var within = _secret.Of(bytes) % (ulong)_options.BucketsPerSource;
        BinaryPrimitives.WriteUInt64BigEndian(bytes[9..], within);
        bytes[0] = (byte)'s';
        return (ushort)(_secret.Of(bytes) % (ulong)_options.NewBuckets);
    }

    internal ushort TriedBucketOf(Endpoint address)
    {
        Span<byte> bytes = stackalloc byte[17];
        var within = _secret.Of(address) % (ulong)_options.BucketsPerNetwork;
        bytes[0] = (byte)'t';
        BinaryPrimitives.WriteUInt64BigEndian(bytes[1..], SourceGroup.Of(address, _overlay).Value);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[9..], within);
        return (ushort)((ulong)_options.NewBuckets + _secret.Of(bytes) % (ulong)_options.TriedBuckets);
    }

    private bool IsTried(in Slot slot) => slot.Bucket >= _options.NewBuckets;

    /// <summary>A newcomer replaces only one that is worth nothing: unheard of for a month, or knocked at three times in vain.</summary>
    private bool MakeRoom(ushort bucket, uint now)
    {
        for (var i = _heads[bucket]; i != None; i = _slots[i].NextInBucket)
        {
            ref readonly var slot = ref _slots[i];
            var isOld = now > slot.Heard && now - slot.Heard > NewLifetime;
            var isDead = slot.Failures >= 3 && (now <= slot.Answered || now - slot.Answered > TriedLifetime || slot.Answered == 0);
            if (!isOld && !isDead) continue;
            Remove(i);
            return true;
        }
        return false;
    }

    private int LeastRecent(ushort bucket)
    {
        int least = _heads[bucket];
        for (var i = _heads[bucket]; i != None; i = _slots[i].NextInBucket)
            if (_slots[i].Answered < _slots[least].Answered) least = i;
        return least;
    }

    private int BucketCount(ushort bucket)
    {
        if (_heads.Length == 0) return 0;
        var count = 0;
        for (var i = _heads[bucket]; i != None; i = _slots[i].NextInBucket) count++;
        return count;
    }

    // ---- The table under it: slots without gaps, a chain a bucket, open addressing by address. ----

    private int IndexOf(Endpoint address)
    {
        if (_byAddress.Length == 0) return -1;
        var mask = _byAddress.Length - 1;
        for (var i = Place(address) & mask; _byAddress[i] != None; i = (i + 1) & mask)
            if (_slots[_byAddress[i]].Address == address) return _byAddress[i];
        return -1;
    }

    private int Place(Endpoint address) => unchecked((int)_secret.Of(address));

    private void Insert(Slot slot)
    {
        if (_heads.Length == 0)
        {
            _heads = new ushort[_options.NewBuckets + _options.TriedBuckets];
            _heads.AsSpan().Fill(None);
        }
        if (_count == _slots.Length) Array.Resize(ref _slots, Math.Max(4, _count + _count / 2));
        _slots[_count] = slot;
        if (2 * (_count + 1) > _byAddress.Length) Rehash(Math.Max(16, 2 * _byAddress.Length));
        Enter(_count);
        Link(_count++, slot.Bucket);
        if (IsTried(slot)) TriedCount++;
    }

    private void Remove(int index)
    {
        if (IsTried(_slots[index])) TriedCount--;
        Unlink(index);
        var last = --_count;
        if (index != last)
        {
            var bucket = _slots[last].Bucket;
            Unlink(last);
            _slots[index] = _slots[last];
            Link(index, bucket);
        }
        _slots[last] = default;
        // Removals are rare: the index is made anew.
        Rehash(_byAddress.Length);
    }

    private void MoveTo(int index, ushort bucket)
    {
        if (!IsTried(_slots[index])) TriedCount++;
        Unlink(index);
        Link(index, bucket);
    }

    private void Link(int index, ushort bucket)
    {
        _slots[index].Bucket = bucket;
        _slots[index].NextInBucket = _heads[bucket];
        _heads[bucket] = (ushort)index;
    }

    private void Unlink(int index)
    {
        ref var next = ref _heads[_slots[index].Bucket];
        while (next != index) next = ref _slots[next].NextInBucket;
        next = _slots[index].NextInBucket;
    }

    private void Rehash(int size)
    {
        _byAddress = new ushort[size];
        _byAddress.AsSpan().Fill(None);
        for (var i = 0; i < _count; i++) Enter(i);
    }

    private void Enter(int index)
    {
        var mask = _byAddress.Length - 1;
        var i = Place(_slots[index].Address) & mask;
        while (_byAddress[i] != None) i = (i + 1) & mask;
        _byAddress[i] = (ushort)index;
    }
}
