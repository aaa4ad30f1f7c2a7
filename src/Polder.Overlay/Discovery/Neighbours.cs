using System.Runtime.InteropServices;
using Polder.Net;
using Polder.Overlay.Refusals;

namespace Polder.Overlay.Discovery;

/// <summary>
/// Which peers are kept alive and counted on (OV-7.1, 7.2): the nearest, some at random, the oldest, some shared; few of one
/// network, most of our own choosing. A rule: it only sets two flags on the peers given.
/// </summary>
internal static class Neighbours
{
    public static void Choose(IReadOnlyList<Peer> peers, OverlayOptions options, SipHash secret)
    {
        var all = new List<Peer>(peers.Count);
        foreach (var peer in peers)
        {
            (peer.IsNeighbour, peer.IsAnchor) = (false, false);
            if (peer.IsValidated) all.Add(peer);
        }
        var narrow = new Dictionary<Endpoint, int>();
        var wide = new Dictionary<Endpoint, int>();
        var (chosen, inbound) = (0, 0);

        // Anchors: whom we chose and know longest. At least one other must remain to be shown to others.
        all.Sort(static (a, b) => a.MetAt != b.MetAt ? Nullable.Compare(a.MetAt, b.MetAt) : a.Key.CompareTo(b.Key));
        Take(Math.Min(options.AnchorsMax, all.Count / 4), static peer => peer.ChosenByUs && !peer.IsNeighbour, static peer => peer.IsAnchor = true);

        all.Sort(static (a, b) => (a.RoundTrip ?? TimeSpan.MaxValue) != (b.RoundTrip ?? TimeSpan.MaxValue)
            ? (a.RoundTrip ?? TimeSpan.MaxValue).CompareTo(b.RoundTrip ?? TimeSpan.MaxValue) : a.Key.CompareTo(b.Key));
        Take(options.NearestMax, static _ => true);

        // Those that share an overlay with us beyond the common two are what the node is for.
        all.Sort(static (a, b) => a.Communities.Count != b.Communities.Count
            ? b.Communities.Count.CompareTo(a.Communities.Count) : a.Key.CompareTo(b.Key));
        Take(options.SharedMax, static peer => peer.Communities.Count > 2);

        // At random, but the same ones next time, and by a secret of this run, so that nobody makes keys that we would draw.
        // Each key is hashed once, not at every comparison.
        var lots = new ulong[all.Count];
        for (var i = 0; i < lots.Length; i++) lots[i] = secret.Of(all[i].Key.Bytes);
        lots.AsSpan().Sort(CollectionsMarshal.AsSpan(all));
        Take(options.NeighboursWanted - chosen, static _ => true);

        void Take(int count, Func<Peer, bool> fits, Action<Peer>? mark = null)
        {
            foreach (var peer in all)
            {
                if (count <= 0 || chosen >= options.NeighboursWanted) return;
                if (peer.IsNeighbour || !fits(peer)) continue;
                if (!peer.ChosenByUs && inbound >= options.NeighboursWanted - options.ChosenByUsMin) continue;
                var near = peer.Address.Network(options.NarrowPrefixIPv4, options.NarrowPrefixIPv6);
                var far = peer.Address.Network(options.WidePrefixIPv4, options.WidePrefixIPv6);
                if (narrow.GetValueOrDefault(near) >= options.PerNarrowPrefixMax || wide.GetValueOrDefault(far) >= options.PerWidePrefixMax) continue;
                narrow[near] = narrow.GetValueOrDefault(near) + 1;
                wide[far] = wide.GetValueOrDefault(far) + 1;
                peer.IsNeighbour = true;
                mark?.Invoke(peer);
                if (!peer.ChosenByUs) inbound++;
                chosen++;
                count--;
            }
        }
    }
}
