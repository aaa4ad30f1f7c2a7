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
        var (all, keys, count) = (new Peer[peers.Count], new double[peers.Count], 0);
        for (var i = 0; i < peers.Count; i++)
        {
            var peer = peers[i];
            (peer.Role, peer.IsAnchor) = (NeighbourRole.None, false);
            if (peer.IsValidated && (mayChoose is null || mayChoose(peer))) all[count++] = peer;
        }
        // The networks of those chosen so far: few, so they are counted by looking.
        var (narrow, wide) = (new Endpoint[Math.Min(count, options.NeighboursWanted)], new Endpoint[Math.Min(count, options.NeighboursWanted)]);
        var (chosen, inbound) = (0, 0);

        // Anchors: whom we chose and know longest. At least one other must remain to be shown to others.
        since ??= static peer => (peer.MetAt ?? Never).TotalSeconds;
        Sort(since, ascending: true);
        Take(Math.Min(options.AnchorsMax, count / 4), NeighbourRole.Anchor, static peer => peer.ChosenByUs);

        // Brought in from elsewhere (OV-7.5): they stay until others are.
        Take(options.FreshMax, NeighbourRole.Fresh, peer => peer.FreshUntil > now);

        Sort(static peer => (peer.RoundTrip ?? Never).TotalSeconds, ascending: true);
        for (var i = 0; i < count; i++) all[i].Standing.Nearness = all[i].RoundTrip is null ? 0.5f : 1 - (float)i / count;
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
            if (chosen >= options.NeighboursWanted) break;
            foreach (var peer in all.AsSpan(0, count))
                if (peer is { IsNeighbour: false, ChosenByUs: true }
                    && (nearest is null || (peer.Key.NodeId.Head ^ place) < (nearest.Key.NodeId.Head ^ place)) && Fits(peer)) nearest = peer;
            if (nearest is null) break;
            Mark(nearest, NeighbourRole.Random);
        }

        // The same ones next time, whoever else comes and goes.
        Sort(peer => secret.Of(peer.Key.Bytes), ascending: true);
        Take(options.NeighboursWanted - chosen, NeighbourRole.Filler, static _ => true);

        // Each key is worked out once, not at every comparison. Equal ones in the order of the peers' keys, so that every run of a seed chooses alike.
        void Sort(Func<Peer, double> key, bool ascending)
        {
            for (var i = 0; i < count; i++) keys[i] = ascending ? key(all[i]) : -key(all[i]);
            keys.AsSpan(0, count).Sort(all.AsSpan(0, count));
            for (var (from, to) = (0, 1); from < count; from = to++)
            {
                while (to < count && keys[to] == keys[from]) to++;
                if (to - from > 1) all.AsSpan(from, to - from).Sort(static (a, b) => a.Key.CompareTo(b.Key));
            }
        }

        void Take(int wanted, NeighbourRole role, Func<Peer, bool> fits)
        {
            foreach (var peer in all.AsSpan(0, count))
            {
                if (wanted <= 0 || chosen >= options.NeighboursWanted) return;
                if (peer.IsNeighbour || !fits(peer)) continue;
                if (!Fits(peer)) continue;
                Mark(peer, role);
                wanted--;
            }
        }

        bool Fits(Peer peer) => (peer.ChosenByUs || inbound < options.NeighboursWanted - options.ChosenByUsMin)
            && narrow.AsSpan(0, chosen).Count(Near(peer)) < options.PerNarrowPrefixMax && wide.AsSpan(0, chosen).Count(Far(peer)) < options.PerWidePrefixMax;

        void Mark(Peer peer, NeighbourRole role)
        {
            (narrow[chosen], wide[chosen]) = (Near(peer), Far(peer));
            (peer.Role, peer.IsAnchor) = (role, role == NeighbourRole.Anchor);
            if (!peer.ChosenByUs) inbound++;
            chosen++;
        }

        Endpoint Near(Peer peer) => peer.Address.Network(options.NarrowPrefixIPv4, options.NarrowPrefixIPv6);

        Endpoint Far(Peer peer) => peer.Address.Network(options.WidePrefixIPv4, options.WidePrefixIPv6);
    }
}
