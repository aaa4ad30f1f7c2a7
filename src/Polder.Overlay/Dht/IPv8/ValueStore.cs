using Polder.Identity;
using Polder.Net;

namespace Polder.Overlay.Dht.IPv8;

/// <summary>
/// Values held for others, in py-ipv8's order, with the caps that it lacks (OV-10.3). When full, what lies farthest from us goes
/// first; a network that wrote more than another never pushes the other's values out.
/// </summary>
internal sealed class ValueStore(IPv8DhtOptions options)
{
    private readonly Dictionary<DhtId, List<Entry>> _byKey = [];
    private readonly Dictionary<DhtId, int> _bySigner = [];
    private readonly Dictionary<PublicKey, int> _byWriter = new(PublicKey.Comparer);
    private readonly Dictionary<Endpoint, int> _byNetwork = [];

    private sealed record Entry(DhtId StorageId, byte[] Bytes, uint Version, TimeSpan ExpiresAt, bool IsSigned, PublicKey? Writer, Endpoint Network);

    public int Count { get; private set; }
    public long BytesHeld { get; private set; }
    public int Keys => _byKey.Count;

    /// <summary>
    /// Keeps a value. The same storage id is replaced by an equal or higher version, and comes first again; a value whose storage id
    /// is the key itself (a signer's under its own mid) stays last. <paramref name="writer"/> is null for our own.
    /// </summary>
    public bool Put(DhtId key, DhtId storageId, byte[] bytes, uint version, bool isSigned, TimeSpan expiresAt, DhtId own, PublicKey? writer = null, Endpoint network = default)
    {
        var list = _byKey.GetValueOrDefault(key);
        var at = list?.FindIndex(entry => entry.StorageId == storageId) ?? -1;
        if (at >= 0)
        {
            if (version < list![at].Version) return false;
            Remove(key, list, at);
            list = _byKey.GetValueOrDefault(key);
        }
        else if (writer is not null && !HasRoom(key, list, storageId, isSigned, writer, network, bytes.Length, own)) return false;
        // Making room may have taken the whole list away.
        if (!_byKey.TryGetValue(key, out list)) _byKey.Add(key, list = new List<Entry>(1));
        var entryNow = new Entry(storageId, bytes, version, expiresAt, isSigned, writer, network);
        if (storageId == key) list.Add(entryNow);
        else list.Insert(0, entryNow);
        Add(entryNow, 1);
        return true;
    }

    /// <summary>Up to <paramref name="max"/> values of a key from an offset on, newest first.</summary>
    public byte[][] Get(DhtId key, TimeSpan now, uint offset = 0, int max = IPv8DhtLimits.ValuesMax)
    {
        if (!_byKey.TryGetValue(key, out var list)) return [];
        var values = new List<byte[]>(Math.Min(list.Count, max));
        foreach (var entry in list)
        {
            if (entry.ExpiresAt <= now) continue;
            if (offset > 0) offset--;
            else if (values.Count < max) values.Add(entry.Bytes);
            else break;
        }
        return [.. values];
    }

    public void RemoveExpired(TimeSpan now)
    {
        foreach (var key in _byKey.Keys.ToArray())
            for (var i = _byKey[key].Count - 1; i >= 0; i--)
                if (_byKey[key][i].ExpiresAt <= now && Remove(key, _byKey[key], i)) break;
    }

    private bool HasRoom(DhtId key, List<Entry>? list, DhtId storageId, bool isSigned, PublicKey writer, Endpoint network, int bytes, DhtId own)
    {
        if (list is not null && list.Count >= options.ValuesPerKeyMax) return false;
        if (isSigned && _bySigner.GetValueOrDefault(storageId) >= options.ValuesPerPublisherMax) return false;
        if (_byWriter.GetValueOrDefault(writer) >= options.ValuesPerPublisherMax) return false;
        var written = _byNetwork.GetValueOrDefault(network);
        if (written >= options.ValuesPerNetworkMax) return false;
        if (Count < options.ValuesMax && BytesHeld + bytes <= options.StoreBytesMax) return true;
        return MakeRoom(key, bytes, own, written);
    }

    /// <summary>Takes away the farthest values, a hundredth of all at a time, so that a flood does not make us search at each step.</summary>
    private bool MakeRoom(DhtId key, int bytes, DhtId own, int written)
    {
        var distance = own.DistanceTo(key);
        var victims = new List<(DhtId Distance, DhtId Key)>();
        foreach (var (other, list) in _byKey)
            if (own.DistanceTo(other) is var far && far > distance && list.Exists(entry => MayGive(entry))) victims.Add((far, other));
        victims.Sort(static (a, b) => b.Distance.CompareTo(a.Distance));
        var wanted = Math.Max(1, Count / 100);
        foreach (var (_, victim) in victims)
        {
            if (wanted <= 0 && BytesHeld + bytes <= options.StoreBytesMax) break;
            for (var i = _byKey[victim].Count - 1; i >= 0; i--)
            {
                if (!MayGive(_byKey[victim][i])) continue;
                wanted--;
                if (Remove(victim, _byKey[victim], i)) break;
            }
        }
        return Count < options.ValuesMax && BytesHeld + bytes <= options.StoreBytesMax;

        bool MayGive(Entry entry) => entry.Writer is not null && _byNetwork.GetValueOrDefault(entry.Network) >= written;
    }

    /// <summary>True when the list is gone with its last entry.</summary>
    private bool Remove(DhtId key, List<Entry> list, int at)
    {
        Add(list[at], -1);
        list.RemoveAt(at);
        if (list.Count > 0) return false;
        _byKey.Remove(key);
        return true;
    }

    private void Add(Entry entry, int sign)
    {
        Count += sign;
        BytesHeld += sign * entry.Bytes.Length;
        if (entry.Writer is not { } writer) return;
        if (entry.IsSigned) Change(_bySigner, entry.StorageId, sign);
        Change(_byWriter, writer, sign);
        Change(_byNetwork, entry.Network, sign);
    }

    private static void Change<T>(Dictionary<T, int> counts, T key, int by) where T : notnull
    {
        var count = counts.GetValueOrDefault(key) + by;
        if (count > 0) counts[key] = count;
        else counts.Remove(key);
    }
}
