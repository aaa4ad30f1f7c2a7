using Polder.Identity;
using Polder.Net;
using Polder.Runtime;

namespace Polder.Overlay;

/// <summary>
/// Everybody a node knows by key, in any community. All look-ups are hash look-ups (OV-4.6). Bounded by
/// <see cref="OverlayOptions.PeersMax"/>: a newcomer replaces the one of eight random peers that was silent longest.
/// </summary>
public sealed class PeerBook
{
    private const int EvictionSample = 8;

    private readonly Dictionary<PublicKey, Peer> _byKey = new(PublicKey.Comparer);
    private readonly Dictionary<PublicKey, Peer>.AlternateLookup<ReadOnlySpan<byte>> _byKeyBytes;
    private readonly Dictionary<Endpoint, Peer> _byAddress = [];
    private readonly List<Peer> _all = [];
    private readonly Dictionary<PublicKey, TimeSpan> _discouraged = new(PublicKey.Comparer);
    private readonly Queue<PublicKey> _discouragedOrder = [];
    private readonly OverlayOptions _options;
    private readonly OverlayCounters _counters;
    private readonly Prng _random;
    private readonly Func<TimeSpan> _now;

    internal PeerBook(OverlayOptions options, OverlayCounters counters, Prng random, Func<TimeSpan> now)
    {
        (_options, _counters, _random, _now) = (options, counters, random, now);
        _byKeyBytes = _byKey.GetAlternateLookup<ReadOnlySpan<byte>>();
    }

    /// <summary>How many there are.</summary>
    public int Count => _all.Count;

    /// <summary>All of them, in no particular order (but the same in every run).</summary>
    public IReadOnlyList<Peer> All => _all;

    /// <summary>Somebody proved a key for the first time.</summary>
    public event Action<Peer>? Added;

    /// <summary>Somebody was forgotten: silent for too long, or the book is full.</summary>
    public event Action<Peer>? Removed;

    /// <summary>The peer with this key, or null.</summary>
    public Peer? Find(PublicKey key) => _byKey.GetValueOrDefault(key);

    /// <summary>The peer with this key in wire form, or null; nothing is allocated.</summary>
    public Peer? Find(ReadOnlySpan<byte> key) => _byKeyBytes.TryGetValue(key, out var peer) ? peer : null;

    /// <summary>The peer that proved to be at this address, or null.</summary>
    public Peer? FindAt(Endpoint address) => _byAddress.GetValueOrDefault(address);

    /// <summary>Whether this address answered a question of ours lately.</summary>
    public bool IsValidated(Endpoint address) => _byAddress.TryGetValue(address, out var peer) && IsValidated(peer, address);

    internal bool IsValidated(Peer peer, Endpoint address) =>
        peer.FindAddress(address) is { ValidatedAt: { } at } && _now() - at < _options.ValidationLifetime;

    /// <summary>
    /// Ignores a peer for <see cref="OverlayOptions.DiscouragedFor"/> and introduces it to nobody (decision 0006: one flag, no
    /// score). Only for what an honest peer never does.
    /// </summary>
    public void Discourage(Peer peer, Violation violation) => Discourage(peer, violation, _options.DiscouragedFor);

    internal void Discourage(Peer peer, Violation violation, TimeSpan duration)
    {
        _counters.Discouraged++;
        _counters.Count(violation);
        if (!_discouraged.ContainsKey(peer.Key))
        {
            if (_discouraged.Count >= _options.DiscouragedMax)
            {
                _counters.Reached(Cap.Discouraged);
                _discouraged.Remove(_discouragedOrder.Dequeue());
            }
            _discouragedOrder.Enqueue(peer.Key);
        }
        _discouraged[peer.Key] = _now() + duration;
    }

    /// <summary>Whether this key is ignored at present.</summary>
    public bool IsDiscouraged(PublicKey key) =>
        _discouraged.Count > 0 && _discouraged.TryGetValue(key, out var until) && _now() < until;

    /// <summary>The peer of that key; a new one is added, at the address it was heard from.</summary>
    internal Peer GetOrAdd(Peer peer)
    {
        if (_byKey.TryGetValue(peer.Key, out var known)) return known;
        if (_all.Count >= _options.PeersMax)
        {
            _counters.Reached(Cap.Peers);
            Remove(LongestSilent());
        }
        peer.BookIndex = _all.Count;
        peer.AddedAt = _now();
        _all.Add(peer);
        _byKey.Add(peer.Key, peer);
        Added?.Invoke(peer);
        return peer;
    }

    internal void Remove(Peer peer)
    {
        if (peer.BookIndex < 0) return;
        var last = _all[^1];
        _all[peer.BookIndex] = last;
        last.BookIndex = peer.BookIndex;
        _all.RemoveAt(_all.Count - 1);
        peer.BookIndex = -1;
        _byKey.Remove(peer.Key);
        foreach (var entry in peer.AddressEntries)
            if (_byAddress.TryGetValue(entry.Endpoint, out var there) && there == peer) _byAddress.Remove(entry.Endpoint);
        Removed?.Invoke(peer);
    }

    /// <summary>A question of ours was answered from this address, signed by this peer: it is where the peer is.</summary>
    internal void Validate(Peer peer, Endpoint address)
    {
        var now = _now();
        peer.MetAt ??= now;
        if (_byAddress.TryGetValue(address, out var before) && before != peer)
        {
            before.AddressEntries.RemoveAll(entry => entry.Endpoint == address);
            if (before.Address == address && before.AddressEntries is [.., var other]) before.Address = other.Endpoint;
        }
        if (peer.FindAddress(address) is not { } entry)
        {
            if (peer.AddressEntries.Count >= OverlayLimits.AddressesPerPeerMax) RemoveLeastRecent(peer);
            peer.AddressEntries.Add(entry = new PeerAddress(address));
        }
        entry.ValidatedAt = now;
        peer.Address = address;
        if (peer.BookIndex >= 0) _byAddress[address] = peer;
    }

    /// <summary>A signed packet came from a proved address: the proof holds on.</summary>
    internal void Refresh(Peer peer, Endpoint address)
    {
        if (peer.FindAddress(address) is { ValidatedAt: not null } entry) entry.ValidatedAt = _now();
    }

    private void RemoveLeastRecent(Peer peer)
    {
        var least = peer.AddressEntries[0];
        foreach (var entry in peer.AddressEntries)
            if (entry.ValidatedAt < least.ValidatedAt) least = entry;
        peer.AddressEntries.Remove(least);
        if (_byAddress.TryGetValue(least.Endpoint, out var there) && there == peer) _byAddress.Remove(least.Endpoint);
    }

    private Peer LongestSilent()
    {
        Peer? worst = null;
        for (var i = 0; i < EvictionSample; i++)
        {
            var peer = _all[_random.Next(_all.Count)];
            if (worst is null || Rank(peer) < Rank(worst)) worst = peer;
        }
        return worst!;

        // Whom we chose ourselves stays: a flood of strangers must not push out the peers we found (OV-7.2).
        static TimeSpan Rank(Peer peer) => (peer.LastIn ?? TimeSpan.Zero) + (peer.ChosenByUs ? TimeSpan.FromDays(1) : TimeSpan.Zero);
    }
}
