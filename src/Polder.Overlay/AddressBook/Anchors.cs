using Polder.Identity;
using Polder.Net;

namespace Polder.Overlay.AddressBook;

/// <summary>
/// The longest-lived validated neighbours of our own choosing, kept for the next start and written at every change (overlay.md §5.1): whoever
/// surrounds a node later does not hold its oldest friends.
/// </summary>
internal sealed class Anchors(NodeHost host)
{
    private List<Anchor> _kept = [];

    /// <summary>What the last run left, and what this run has found since.</summary>
    public IReadOnlyList<Anchor> All => _kept;

    public void Load(IStateStore? store)
    {
        if (store?.Load(StatePart.Anchors) is not { } bytes) return;
        var now = host.UnixSeconds;
        _kept = [.. AnchorList.Read(bytes).Where(anchor => host.MayWalkTo(anchor.Address)).Take(host.Options.Book.AnchorsKept)
            .Select(anchor => anchor with { Since = Math.Min(anchor.Since, now) })];
    }

    /// <summary>Peers of an old cache are anchors too, where nothing better is known.</summary>
    public void Add(PublicKey key, Endpoint address, uint since)
    {
        if (_kept.Count < host.Options.Book.AnchorsKept && !_kept.Any(anchor => anchor.Key == key))
            _kept = [.. _kept, new Anchor(address, key, Math.Min(since, host.UnixSeconds))];
    }

    /// <summary>Since when this peer is known, in seconds since 1970, over all runs as far as it is an anchor.</summary>
    public uint SinceOf(Peer peer)
    {
        foreach (var anchor in _kept)
            if (anchor.Key == peer.Key) return anchor.Since;
        var ago = host.Now - (peer.MetAt ?? host.Now);
        return host.UnixSeconds - (uint)Math.Max(0, ago.TotalSeconds);
    }

    /// <summary>Looks who they are now. Those of the last run that were not met yet keep their places while there are any.</summary>
    public void Update(IStateStore? store)
    {
        var max = host.Options.Book.AnchorsKept;
        if (max == 0) return;
        var now = new List<Anchor>();
        foreach (var peer in host.Peers.All)
            if (peer is { IsValidated: true, ChosenByUs: true, IsNeighbour: true } && !host.Peers.IsDiscouraged(peer.Key))
                now.Add(new Anchor(peer.Address, peer.Key, SinceOf(peer)));
        foreach (var old in _kept)
            if (host.Peers.Find(old.Key) is not { IsValidated: true } && !host.Peers.IsDiscouraged(old.Key)) now.Add(old);
        now.Sort(static (a, b) => a.Since != b.Since ? a.Since.CompareTo(b.Since) : a.Key.CompareTo(b.Key));
        if (now.Count > max) now.RemoveRange(max, now.Count - max);
        if (now.Count == 0 || Same(now)) return;
        _kept = now;
        _ = store?.SaveAsync(StatePart.Anchors, AnchorList.Write(now));
    }

    private bool Same(List<Anchor> now)
    {
        if (now.Count != _kept.Count) return false;
        for (var i = 0; i < now.Count; i++)
            if (now[i].Key != _kept[i].Key || now[i].Address != _kept[i].Address) return false;
        return true;
    }
}
