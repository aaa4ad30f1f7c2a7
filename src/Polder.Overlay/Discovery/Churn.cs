namespace Polder.Overlay.Discovery;

/// <summary>
/// Who is silent is asked; who stays silent is forgotten. Every peer is looked at in turn, so that a NAT's mapping towards
/// a neighbour never rests longer than it lives.
/// </summary>
internal sealed class Churn(NodeHost host)
{
    private const int LookedAtMax = 256, PingsMax = 64;

    private int _cursor;

    public void Step()
    {
        var (book, options, now) = (host.Peers, host.Options, host.Now);
        var pings = 0;
        var many = book.Count > options.ConnectedMax;
        for (var looked = 0; looked < Math.Min(book.Count, LookedAtMax); looked++)
        {
            if (_cursor >= book.Count) _cursor = 0;
            var peer = book.All[_cursor];
            var silent = now - (peer.LastIn ?? peer.AddedAt);
            if (silent > options.DropAfter && peer.PingedAt is not null)
            {
                // The last of the list takes its place: look there again. In a full book this one was let go, not lost: to
                // try it again would bring it back with all whom it introduces, and everybody would end up knowing everybody.
                if (peer.IsValidated && !many) host.Bootstrap.Remember(peer.Address);
                book.Remove(peer);
                continue;
            }
            _cursor++;
            if (many && !peer.IsNeighbour)
            {
                // More than we keep alive: these live by their own traffic.
                if (silent > options.DropAfter) peer.PingedAt ??= now;
                continue;
            }
            var wanted = silent > options.InactiveAfter || peer.RoundTripCount < Peer.RoundTripsKept;
            if (!wanted || now - peer.PingedAt < options.PingInterval || pings >= PingsMax) continue;
            pings++;
            host.Discovery.Ping(peer);
        }
    }
}
