namespace Polder.Overlay.Discovery;

/// <summary>
/// Who is silent is asked; who stays silent is forgotten. Every peer is looked at in turn, so that a NAT's mapping towards
/// a neighbour never rests longer than it lives. Beyond the neighbours, only peers that a community would miss are kept
/// alive by us (OV-6.8); the others live by their own traffic.
/// </summary>
internal sealed class Churn(NodeHost host)
{
    private const int LookedAtMax = 256, PingsMax = 64;

    private int _cursor;

    /// <summary>Whether some community has too few peers to lose this one.</summary>
    private bool IsNeeded(Peer peer)
    {
        foreach (var community in host.Joined)
            if (community.Peers.Count <= host.Options.WalkTarget && community.Contains(peer)) return true;
        return false;
    }

    public void Step()
    {
        var (book, options, now) = (host.Peers, host.Options, host.Now);
        var pings = 0;
        var many = book.Count > options.NeighboursWanted;
        for (var looked = 0; looked < Math.Min(book.Count, LookedAtMax); looked++)
        {
            if (_cursor >= book.Count) _cursor = 0;
            if (book.LookAt[_cursor] > now.Ticks)
            {
                _cursor++;
                continue;
            }
            var peer = book.All[_cursor];
            var silent = now - (peer.LastIn ?? peer.AddedAt);
            var wanted = silent > options.InactiveAfter || peer.RoundTripCount == 0;
            if (!wanted && silent <= options.DropAfter)
            {
                // Heard lately: nothing to ask, whoever it is. Most peers, most of the time; and it cannot fall silent before then.
                book.LookAt[_cursor++] = (now - silent + (options.InactiveAfter < options.DropAfter ? options.InactiveAfter : options.DropAfter)).Ticks;
                continue;
            }
            var isKept = !many || peer.IsNeighbour || peer.IsKeptByTags || (book.Count <= options.ConnectedMax && IsNeeded(peer));
            if (silent > options.DropAfter && (!isKept || peer.PingedAt > now - silent))
            {
                // The last of the list takes its place: look there again. Whom we let go on purpose, having others enough, we do not
                // try again: it would come back with all whom it introduces, and everybody would end up knowing everybody.
                if (isKept && peer.IsValidated) host.Bootstrap.Remember(peer.Address);
                book.Remove(peer);
                continue;
            }
            _cursor++;
            if (!isKept) continue;
            if (!wanted || now - peer.PingedAt < options.PingInterval || pings >= PingsMax) continue;
            pings++;
            host.Discovery.Ping(peer);
        }
    }
}
