using Polder.Cryptography;
using Polder.Identity;
using Polder.Net;

namespace Polder.Overlay.Dht.Records;

/// <summary>
/// The store in memory. When it is full, copies go first, then what lies farthest from us (of equals what ends first); a network that
/// wrote more than another never pushes the other's records out.
/// </summary>
internal sealed class MemoryDhtStore(Hash256 own, DhtOptions options) : IDhtStore
{
    private const int ContradictionsMax = 64;

    private readonly Dictionary<Hash256, List<HeldRecord>> _byKey = [];
    private readonly Dictionary<PublicKey, (int Count, int Bytes)> _byPublisher = new(PublicKey.Comparer);
    private readonly Dictionary<Endpoint, int> _byNetwork = [];
    private readonly List<(DhtRecord, DhtRecord)> _contradictions = [];

    public int Count { get; private set; }
    public long BytesHeld { get; private set; }
    public IReadOnlyList<(DhtRecord First, DhtRecord Second)> Contradictions => _contradictions;
    public IEnumerable<Hash256> Keys => _byKey.Keys;

    public (int PublishersAtCap, int NetworksAtCap) AtCap => (
        _byPublisher.Values.Count(used => used.Count >= options.RecordsPerPublisherMax || used.Bytes >= options.BytesPerPublisherMax - DhtRecord.BytesMax),
        _byNetwork.Values.Count(count => count >= options.RecordsPerNetworkMax));

    public IReadOnlyList<HeldRecord>? Get(in Hash256 key) => _byKey.GetValueOrDefault(key);

    public StoreVerdict Put(HeldRecord held, TimeSpan now)
    {
        var record = held.Record;
        var list = _byKey.GetValueOrDefault(record.Key);
        var at = list?.FindIndex(other => other.Record.SamePlace(record)) ?? -1;
        if (at >= 0)
        {
            var known = list![at];
            if (record.Sequence < known.Record.Sequence) return StoreVerdict.Older;
            if (known.Record.Contradicts(record))
            {
                if (known.Rival is null)
                {
                    known.Rival = record;
                    BytesHeld += record.Bytes.Length;
                    if (_contradictions.Count < ContradictionsMax) _contradictions.Add((known.Record, record));
                }
                return StoreVerdict.Contradicts;
            }
            if (record.Sequence == known.Record.Sequence)
            {
                // The same once more: a copy adds nothing, its publisher renews it with a later end.
                if (held.IsCache) return StoreVerdict.Kept;
                if (!known.IsCache && record.ExpiryUnixSeconds <= known.Record.ExpiryUnixSeconds)
                {
                    known.ExpiresAt = known.ExpiresAt > held.ExpiresAt ? known.ExpiresAt : held.ExpiresAt;
                    return StoreVerdict.Kept;
                }
            }
            Remove(record.Key, list, at);
        }
        if (!HasRoom(held)) return StoreVerdict.Full;
        if (!_byKey.TryGetValue(record.Key, out list)) _byKey.Add(record.Key, list = new List<HeldRecord>(1));
        // Newest first: a full topic forgets who said so longest ago.
        if (list.Count >= options.EntriesPerKeyMax)
        {
            var oldest = 0;
            for (var i = 1; i < list.Count; i++)
                if (list[i].ExpiresAt < list[oldest].ExpiresAt) oldest = i;
            if (list[oldest].ExpiresAt > held.ExpiresAt) return StoreVerdict.Full;
            Remove(record.Key, list, oldest);
            if (!_byKey.TryGetValue(record.Key, out list)) _byKey.Add(record.Key, list = new List<HeldRecord>(1));
        }
        list.Insert(0, held);
        Change(held, 1);
        return StoreVerdict.Kept;
    }

    public void RemoveExpired(TimeSpan now)
    {
        List<(Hash256, HeldRecord)>? gone = null;
        foreach (var (key, list) in _byKey)
            foreach (var held in list)
                if (held.ExpiresAt <= now) (gone ??= []).Add((key, held));
        if (gone is null) return;
        foreach (var (key, held) in gone) Remove(key, _byKey[key], _byKey[key].IndexOf(held));
    }

    private bool HasRoom(HeldRecord held)
    {
        if (held.Record.Publisher is { } publisher)
        {
            var (count, bytes) = _byPublisher.GetValueOrDefault(publisher);
            if (count >= options.RecordsPerPublisherMax || bytes + held.Bytes > options.BytesPerPublisherMax) return false;
        }
        // Who stores what nobody signed answers for it.
        else if (held.Writer is { } writer)
        {
            var (count, bytes) = _byPublisher.GetValueOrDefault(writer);
            if (count >= options.RecordsPerPublisherMax || bytes + held.Bytes > options.BytesPerPublisherMax) return false;
        }
        if (held.Writer is not null && _byNetwork.GetValueOrDefault(held.Network) >= options.RecordsPerNetworkMax) return false;
        if (Fits(held)) return true;
        MakeRoom(held);
        return Fits(held);
    }

    private bool Fits(HeldRecord held) => Count < options.RecordsMax && BytesHeld + held.Bytes <= options.StoreBytesMax;

    /// <summary>A hundredth at a time, so that a flood does not make us search at each step.</summary>
    private void MakeRoom(HeldRecord held)
    {
        var distance = own.DistanceTo(held.Record.Key);
        var written = _byNetwork.GetValueOrDefault(held.Network);
        var victims = new List<(bool IsCache, Hash256 Distance, TimeSpan ExpiresAt, HeldRecord Held)>();
        foreach (var (key, list) in _byKey)
        {
            var far = own.DistanceTo(key);
            foreach (var other in list)
                if (other.IsCache || (far > distance && _byNetwork.GetValueOrDefault(other.Network) >= written && other.Writer is not null))
                    victims.Add((other.IsCache, far, other.ExpiresAt, other));
        }
        victims.Sort(static (a, b) => a.IsCache != b.IsCache ? b.IsCache.CompareTo(a.IsCache)
            : a.Distance != b.Distance ? b.Distance.CompareTo(a.Distance) : a.ExpiresAt.CompareTo(b.ExpiresAt));
        var wanted = Math.Max(1, Count / 100);
        foreach (var (_, _, _, victim) in victims)
        {
            if (wanted-- <= 0 && Fits(held)) break;
            var list = _byKey[victim.Record.Key];
            Remove(victim.Record.Key, list, list.IndexOf(victim));
        }
    }

    private void Remove(in Hash256 key, List<HeldRecord> list, int at)
    {
        Change(list[at], -1);
        list.RemoveAt(at);
        if (list.Count == 0) _byKey.Remove(key);
    }

    private void Change(HeldRecord held, int sign)
    {
        Count += sign;
        BytesHeld += sign * held.Bytes;
        if ((held.Record.Publisher ?? held.Writer) is { } publisher)
        {
            var (count, bytes) = _byPublisher.GetValueOrDefault(publisher);
            if (count + sign <= 0) _byPublisher.Remove(publisher);
            else _byPublisher[publisher] = (count + sign, bytes + sign * held.Record.Bytes.Length);
        }
        if (held.Writer is null) return;
        var written = _byNetwork.GetValueOrDefault(held.Network) + sign;
        if (written <= 0) _byNetwork.Remove(held.Network);
        else _byNetwork[held.Network] = written;
    }
}
