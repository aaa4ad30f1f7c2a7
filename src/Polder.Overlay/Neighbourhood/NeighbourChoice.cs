using System.Runtime.InteropServices;
using Polder.Net;
using Polder.Overlay.Refusals;

namespace Polder.Overlay.Neighbourhood;

/// <summary>
/// Which peers are kept alive and counted on (OV-7.1, 7.2): the oldest, the nearest, those that something needs, some at random; few of
/// one network, most of our own choosing. A rule: it only marks the peers given.
/// </summary>
internal static class NeighbourChoice
{
    private static readonly TimeSpan Never = TimeSpan.MaxValue;

    /// <summary>Marks the neighbours among the peers.</summary>
    /// <param name="peers">All that are known.</param>
    /// <param name="options">How many, and how diverse.</param>
    /// <param name="secret">Of this run: nobody can make keys that we would draw.</param>
    /// <param name="ownHead">First 8 bytes of our node id.</param>
    /// <param name="now">The node's time.</param>
    /// <param name="mayChoose">Whether a peer may be chosen at all; null for all.</param>
    /// <param name="since">Since when a peer is known, the smaller the longer; null for by <see cref="Peer.MetAt"/>.</param>
    /// <param name="needs">Who else needs certain peers.</param>
    /// <param name="isContact">Whether the owner knows it; null for nobody.</param>
    public static void Choose(
        IReadOnlyList<Peer> peers, OverlayOptions options, SipHash secret, ulong ownHead = 0, TimeSpan now = default, Func<Peer, bool>? mayChoose = null,
        Func<Peer, double>? since = null, IReadOnlyList<INeighbourNeed>? needs = null, Func<Peer, bool>? isContact = null)
    {
        var all = new List<Peer>(peers.Count);
        foreach (var peer in peers)
        {
            (peer.Role, peer.IsAnchor) = (NeighbourRole.None, false);
            if (peer.IsValidated && (mayChoose is null || mayChoose(peer))) all.Add(peer);
        }
        var narrow = new Dictionary<Endpoint, int>();
        var wide = new Dictionary<Endpoint, int>();
        var (chosen, inbound) = (0, 0);

        // Anchors: whom we chose and know longest. At least one other must remain to be shown to others.
        since ??= static peer => (peer.MetAt ?? Never).TotalSeconds;
        Sort(since, ascending: true);
        Take(Math.Min(options.AnchorsMax, all.Count / 4), NeighbourRole.Anchor, static peer => peer.ChosenByUs);

        // Brought in from elsewhere (OV-7.5): they stay until others are.
        Take(options.FreshMax, NeighbourRole.Fresh, peer => peer.FreshUntil > now);

        Sort(static peer => (peer.RoundTrip ?? Never).TotalSeconds, ascending: true);
        for (var i = 0; i < all.Count; i++) all[i].Standing.Nearness = all[i].RoundTrip is null ? 0.5f : 1 - (float)i / all.Count;
        Take(options.NearestMax, NeighbourRole.Near, static _ => true);

        // Contacts, and those that share an overlay with us beyond the common two: what the node is for.
        Sort(peer => (isContact is not null && isContact(peer) ? 1_000 : 0) + peer.Communities.Count, ascending: false);
        Take(options.SharedMax, NeighbourRole.Shared, peer => peer.Communities.Count > 2 || (isContact is not null && isContact(peer)));

        // What the DHT needs; while it says nothing, those closest to our own id.
        if (needs is { Count: > 0 })
        {
            double Need(Peer peer)
            {
                var sum = 0.0;
                foreach (var need in needs) sum += need.Of(peer);
                return sum;
            }
            Sort(Need, ascending: false);
            Take(options.NeedMax, NeighbourRole.Need, peer => Need(peer) > 0);
        }
        else
        {
            Sort(peer => peer.Key.NodeId.Head ^ ownHead, ascending: true);
            Take(options.NeedMax, NeighbourRole.Need, static _ => true);
        }

        // At random and uniformly over the ids, not over the peers: places drawn by a secret of this run, and at each the nearest of our choosing.
        // A crowd of keys in one corner, or of one origin, gains nothing by its number.
        Span<byte> number = stackalloc byte[8];
        for (var i = 0; i < options.RandomMax; i++)
        {
            System.Buffers.Binary.BinaryPrimitives.WriteInt64BigEndian(number, i);
            var place = secret.Of(number);
            Peer? nearest = null;
            foreach (var peer in all)
                if (peer is { IsNeighbour: false, ChosenByUs: true } && Fits(peer)
                    && (nearest is null || (peer.Key.NodeId.Head ^ place) < (nearest.Key.NodeId.Head ^ place))) nearest = peer;
            if (nearest is null || chosen >= options.NeighboursWanted) break;
            Mark(nearest, NeighbourRole.Random);
        }

        // The same ones next time, whoever else comes and goes. Each key is hashed once, not at every comparison.
        var lots = new ulong[all.Count];
        for (var i = 0; i < lots.Length; i++) lots[i] = secret.Of(all[i].Key.Bytes);
        lots.AsSpan().Sort(CollectionsMarshal.AsSpan(all));
        Take(options.NeighboursWanted - chosen, NeighbourRole.Filler, static _ => true);

        void Sort<T>(Func<Peer, T> key, bool ascending) where T : IComparable<T>
        {
            var keys = new T[all.Count];
            for (var i = 0; i < keys.Length; i++) keys[i] = key(all[i]);
            // Equal ones in the order of their keys, so that every run of a seed chooses alike.
            var peersInOrder = all.ToArray();
            var order = new int[keys.Length];
            for (var i = 0; i < order.Length; i++) order[i] = i;
            Array.Sort(order, (a, b) =>
            {
                var by = ascending ? keys[a].CompareTo(keys[b]) : keys[b].CompareTo(keys[a]);
                return by != 0 ? by : peersInOrder[a].Key.CompareTo(peersInOrder[b].Key);
            });
            for (var i = 0; i < order.Length; i++) all[i] = peersInOrder[order[i]];
        }

        void Take(int count, NeighbourRole role, Func<Peer, bool> fits)
        {
            foreach (var peer in all)
            {
                if (count <= 0 || chosen >= options.NeighboursWanted) return;
                if (peer.IsNeighbour || !fits(peer)) continue;
                if (!Fits(peer)) continue;
                Mark(peer, role);
                count--;
            }
        }

        bool Fits(Peer peer) => (peer.ChosenByUs || inbound < options.NeighboursWanted - options.ChosenByUsMin)
            && narrow.GetValueOrDefault(Near(peer)) < options.PerNarrowPrefixMax && wide.GetValueOrDefault(Far(peer)) < options.PerWidePrefixMax;

        void Mark(Peer peer, NeighbourRole role)
        {
            narrow[Near(peer)] = narrow.GetValueOrDefault(Near(peer)) + 1;
            wide[Far(peer)] = wide.GetValueOrDefault(Far(peer)) + 1;
            (peer.Role, peer.IsAnchor) = (role, role == NeighbourRole.Anchor);
            if (!peer.ChosenByUs) inbound++;
            chosen++;
        }

        Endpoint Near(Peer peer) => peer.Address.Network(options.NarrowPrefixIPv4, options.NarrowPrefixIPv6);

        Endpoint Far(Peer peer) => peer.Address.Network(options.WidePrefixIPv4, options.WidePrefixIPv6);
    }
}
