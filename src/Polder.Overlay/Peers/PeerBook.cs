using System.Buffers.Binary;
using System.Runtime.InteropServices;
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

    private const int CommunitySetsMax = 16;

    private HashIndex<Peer, ReadOnlySpan<byte>, ByKey> _byKey;
    private HashIndex<PeerAddress, Endpoint, ByEndpoint> _byAddress;
    private readonly List<Peer> _all = [];
    private readonly List<long> _lookAt = [];
    private Discouraged? _discouraged;
    private CommunityId[][] _communitySets = [];
    private int _nextCommunitySet;
    private readonly OverlayOptions _options;
    private readonly OverlayCounters _counters;
    private readonly Prng _random;
    private readonly Func<TimeSpan> _now;

    internal PeerBook(OverlayOptions options, OverlayCounters counters, Prng random, Func<TimeSpan> now) =>
        (_options, _counters, _random, _now) = (options, counters, random, now);

    /// <summary>
    /// In ticks, when <see cref="Discovery.Churn"/> has to look at each of <see cref="All"/> again: beside each other in memory, so that
    /// those who were heard lately cost it next to nothing.
    /// </summary>
    internal Span<long> LookAt => CollectionsMarshal.AsSpan(_lookAt);

    /// <summary>How many there are.</summary>
    public int Count => _all.Count;

    /// <summary>All of them, in no particular order (but the same in every run).</summary>
    public IReadOnlyList<Peer> All => _all;

    /// <summary>Somebody proved a key for the first time.</summary>
    public event Action<Peer>? Added;

    /// <summary>Somebody was forgotten: silent for too long, or the book is full.</summary>
    public event Action<Peer>? Removed;

    /// <summary>The peer with this key, or null.</summary>
    public Peer? Find(PublicKey key) => _byKey.Find(key.Bytes);

    /// <summary>The peer with this key in wire form, or null; nothing is allocated.</summary>
    public Peer? Find(ReadOnlySpan<byte> key) => _byKey.Find(key);

    /// <summary>The peer that proved to be at this address, or null.</summary>
    public Peer? FindAt(Endpoint address) => _byAddress.Find(address)?.Owner;

    /// <summary>The proved address of that kind, with its owner, or null.</summary>
    internal PeerAddress? FindAddress(Endpoint address) => _byAddress.Find(address);

    /// <summary>Whether this address answered a question of ours lately.</summary>
    public bool IsValidated(Endpoint address) => _byAddress.Find(address) is { } entry && entry.IsFresh(_now(), _options.ValidationLifetime);

    internal bool IsValidated(Peer peer, Endpoint address) =>
        peer.FindAddress(address) is { } entry && entry.IsFresh(_now(), _options.ValidationLifetime);

    /// <summary>
    /// Ignores a peer for <see cref="OverlayOptions.DiscouragedFor"/> and introduces it to nobody (decision 0006: one flag, no
    /// score). Only for what an honest peer never does.
    /// </summary>
    public void Discourage(Peer peer, Violation violation) => Discourage(peer, violation, _options.DiscouragedFor);

    internal void Discourage(Peer peer, Violation violation, TimeSpan duration)
    {
        _counters.Discouraged++;
        _counters.Count(violation);
        var discouraged = _discouraged ??= new Discouraged();
        if (!discouraged.Until.ContainsKey(peer.Key))
        {
            if (discouraged.Until.Count >= _options.DiscouragedMax)
            {
                _counters.Reached(Cap.Discouraged);
                discouraged.Until.Remove(discouraged.Order.Dequeue());
            }
            discouraged.Order.Enqueue(peer.Key);
        }
        discouraged.Until[peer.Key] = _now() + duration;
    }

    /// <summary>Whether this key is ignored at present.</summary>
    public bool IsDiscouraged(PublicKey key) =>
        _discouraged is { } discouraged && discouraged.Until.TryGetValue(key, out var until) && _now() < until;

    /// <summary>The peer of that key; a new one is added, at the address it was heard from.</summary>
    internal Peer GetOrAdd(Peer peer)
    {
        if (_byKey.Find(peer.Key.Bytes) is { } known) return known;
        if (_all.Count >= _options.PeersMax)
        {
            _counters.Reached(Cap.Peers);
            Remove(LongestSilent());
        }
        peer.BookIndex = _all.Count;
        peer.AddedAt = _now();
        _all.Add(peer);
        _lookAt.Add(0);
        _byKey.Add(peer);
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
        _lookAt[peer.BookIndex] = _lookAt[^1];
        _lookAt.RemoveAt(_lookAt.Count - 1);
        peer.BookIndex = -1;
        _byKey.Remove(peer);
        for (var entry = peer.FirstAddress; entry is not null; entry = entry.Next) _byAddress.Remove(entry);
        Removed?.Invoke(peer);
    }

    /// <summary>A question of ours was answered from this address, signed by this peer: it is where the peer is.</summary>
    internal void Validate(Peer peer, Endpoint address)
    {
        var now = _now();
        peer.MetAt ??= now;
        if (_byAddress.Find(address) is { } there && there.Owner != peer)
        {
            var before = there.Owner;
            _byAddress.Remove(there);
            before.RemoveAddress(there);
            if (before.Address == address && LastAddress(before) is { } other) before.Address = other.Endpoint;
        }
        if (peer.FindAddress(address) is not { } entry)
        {
            if (peer.AddressCount >= OverlayLimits.AddressesPerPeerMax) RemoveLeastRecent(peer);
            entry = peer.AddAddress(address);
        }
        entry.ValidatedAt = now;
        peer.Address = address;
        if (peer.BookIndex >= 0 && _byAddress.Find(address) is null) _byAddress.Add(entry);
    }

    /// <summary>A signed packet came from a proved address: the proof holds on.</summary>
    internal void Refresh(Peer peer, Endpoint address)
    {
        if (peer.FindAddress(address) is { ValidatedAt: not null } entry) entry.ValidatedAt = _now();
    }

    /// <summary>It is known to be in this overlay as well; at most <see cref="OverlayLimits.CommunitiesPerPeerMax"/> are kept.</summary>
    internal void AddCommunity(Peer peer, CommunityId community)
    {
        var known = peer.CommunityArray;
        if (peer.IsIn(community) || known.Length >= OverlayLimits.CommunitiesPerPeerMax) return;
        SetCommunities(peer, [.. known, community]);
    }

    /// <summary>These are its overlays. Peers in the same overlays share one array: there are few kinds of peers.</summary>
    internal void SetCommunities(Peer peer, ReadOnlySpan<CommunityId> communities)
    {
        foreach (var set in _communitySets)
            if (communities.SequenceEqual(set))
            {
                peer.CommunityArray = set;
                return;
            }
        var own = peer.CommunityArray = communities.ToArray();
        if (_communitySets.Length < CommunitySetsMax) _communitySets = [.. _communitySets, own];
        else _communitySets[_nextCommunitySet++ % CommunitySetsMax] = own;
    }

    private static PeerAddress? LastAddress(Peer peer)
    {
        var last = peer.FirstAddress;
        while (last?.Next is { } next) last = next;
        return last;
    }

    private void RemoveLeastRecent(Peer peer)
    {
        var least = peer.FirstAddress!;
        for (var entry = least.Next; entry is not null; entry = entry.Next)
            if (entry.ValidatedAt < least.ValidatedAt) least = entry;
        peer.RemoveAddress(least);
        _byAddress.Remove(least);
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
        static TimeSpan Rank(Peer peer) => (peer.LastIn ?? TimeSpan.Zero) + (peer.ChosenByUs ? TimeSpan.FromDays(1) : TimeSpan.Zero)
            + (peer.HasSession ? TimeSpan.FromDays(2) : TimeSpan.Zero);
    }

    /// <summary>Keys that are ignored; made when the first one is.</summary>
    private sealed class Discouraged
    {
        public Dictionary<PublicKey, TimeSpan> Until { get; } = new(PublicKey.Comparer);
        public Queue<PublicKey> Order { get; } = [];
    }
}

/// <summary>Peers by the bytes of their key.</summary>
internal readonly struct ByKey : IIndexedBy<Peer, ReadOnlySpan<byte>>
{
    // Both halves of a key are as good as random.
    public static int HashOf(ReadOnlySpan<byte> key) => key.Length == KeyFormat.Bytes
        ? BinaryPrimitives.ReadInt32LittleEndian(key[KeyFormat.TagBytes..]) ^ BinaryPrimitives.ReadInt32LittleEndian(key[(KeyFormat.SigningOffset + 1)..]) : 0;

    public static int HashOfItem(Peer item) => HashOf(item.Key.Bytes);
    public static bool Matches(Peer item, ReadOnlySpan<byte> key) => key.SequenceEqual(item.Key.Bytes);
}

/// <summary>Proved addresses by their endpoint.</summary>
internal readonly struct ByEndpoint : IIndexedBy<PeerAddress, Endpoint>
{
    public static int HashOf(Endpoint key) => key.GetHashCode();
    public static int HashOfItem(PeerAddress item) => item.Endpoint.GetHashCode();
    public static bool Matches(PeerAddress item, Endpoint key) => item.Endpoint == key;
}
