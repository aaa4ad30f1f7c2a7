using Polder.Runtime;

namespace Polder.Graph.Sync;

/// <summary>
/// Remembers message ids and whom they came from, in two generations: between one and two <see cref="GraphOptions.IdMemory"/> long,
/// renewed by every sighting, and bounded in number. Of an id 64 bits of a hash with a secret start are kept: nobody can make one that
/// meets another's.
/// </summary>
internal sealed class HeardMessages(GraphOptions options, Prng random)
{
    private const ulong Prime = 0x100000001b3;

    private readonly ulong _secret = random.NextUInt64();
    private Dictionary<ulong, GraphPeer?> _young = [], _old = [];
    private TimeSpan _turned;

    public int Count => _young.Count + _old.Count;

    /// <summary>Notes an id; false where it is remembered already.</summary>
    public bool TryAdd(ReadOnlySpan<char> id, GraphPeer? from, TimeSpan now) => TryAdd(Hash(_secret, id), from, now);

    /// <summary>Notes an answer by what it answers and its hash.</summary>
    public bool TryAdd(ReadOnlySpan<char> asked, ReadOnlySpan<char> hash, GraphPeer? from, TimeSpan now) => TryAdd(Hash(Hash(_secret, asked), hash), from, now);

    /// <summary>The peer that said it first; null where it is forgotten or was ours.</summary>
    public GraphPeer? From(ReadOnlySpan<char> id) => Hash(_secret, id) is var hash && (_young.TryGetValue(hash, out var peer) || _old.TryGetValue(hash, out peer)) ? peer : null;

    private bool TryAdd(ulong hash, GraphPeer? from, TimeSpan now)
    {
        Turn(now);
        if (_young.ContainsKey(hash)) return false;
        if (_old.Remove(hash, out var before))
        {
            _young[hash] = before;
            return false;
        }
        _young[hash] = from;
        return true;
    }

    private void Turn(TimeSpan now)
    {
        if (now - _turned < options.IdMemory && _young.Count < options.IdsMax / 2) return;
        if (now - _turned >= 2 * options.IdMemory) _young.Clear();
        (_old, _young) = (_young, _old);
        _young.Clear();
        _turned = now;
    }

    private static ulong Hash(ulong start, ReadOnlySpan<char> text)
    {
        var hash = start;
        unchecked
        {
            foreach (var unit in text)
            {
                hash = (hash ^ unit) * Prime;
                // The high bits must come down too, else the secret would not reach the low ones.
                hash ^= hash >> 29;
            }
        }
        return hash;
    }
}
