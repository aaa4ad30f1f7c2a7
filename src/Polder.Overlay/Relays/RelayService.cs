using Polder.Cryptography;
using Polder.Identity;
using Polder.Net;
using Polder.Overlay.Connecting;
using Polder.Overlay.Nat;
using Polder.Overlay.Sessions;

namespace Polder.Overlay.Relays;

/// <summary>
/// Relaying through ordinary peers (Overlay §6.6), both sides of it: what we carry for others, and the places that we hold at
/// others so that we can be reached. Used on the node's loop.
/// </summary>
public sealed class RelayService
{
    private const int PathsMax = 256;
    private static readonly TimeSpan OpenTime = TimeSpan.FromSeconds(2), OpenAgain = TimeSpan.FromMilliseconds(400), ReserveTime = TimeSpan.FromSeconds(3), SettleTime = TimeSpan.FromSeconds(2);

    private readonly NodeHost _host;
    private readonly RelayDesk _desk;
    private readonly List<Held> _held = [];
    private readonly List<Opening> _openings = [];
    private Dictionary<(PublicKey Relay, uint Pair), RelayedPath> Paths => field ??= [];
    private TimeSpan _reserveDue;
    private int _turn;

    private sealed class Held(Session relay)
    {
        public Session Relay { get; } = relay;
        public ulong Token { get; set; }
        public TimeSpan AskedAt { get; set; }
        public TimeSpan Until { get; set; }
        public TimeSpan Lifetime { get; set; }
        public bool IsRefused { get; set; }
    }

    private sealed record Opening(Session Relay, PublicKey Other, TaskCompletionSource<RelayedPath?> Done);

    internal RelayService(NodeHost host)
    {
        _host = host;
        _desk = new RelayDesk(host, this);
        host.Sessions.OnFrame(FrameType.RelayReserve, ReceiveReserve);
        host.Sessions.OnFrame(FrameType.RelayGrant, ReceiveGrant);
        host.Sessions.OnFrame(FrameType.RelayOpen, ReceiveOpen);
        host.Sessions.OnFrame(FrameType.RelayData, ReceiveData);
        host.Sessions.OnFrame(FrameType.RelayStatement, ReceiveStatement);
        host.Sessions.Closed += OnClosed;
    }

    /// <summary>A statement of a relay was countersigned: raised at the relay for each end, and at the end that signed.</summary>
    public event Action<RelayReceipt>? Countersigned;

    /// <summary>Our places at relays, for the contact record (OV-6.11).</summary>
    public IReadOnlyList<RelayReservation> Reservations =>
        [.. _held.Where(held => held.Token != 0 && held.Relay.IsOpen && held.Until > _host.Now).Select(held => new RelayReservation(held.Relay.Peer.Key, held.Relay.Path.Remote, held.Token))];

    /// <summary>Whether we relay for others.</summary>
    public bool Offers => _desk.Offers;

    /// <summary>Pairs that we carry now.</summary>
    public int Pairs => _desk.Pairs;

    /// <summary>Places that others hold here.</summary>
    public int Guests => _desk.Reservations;

    /// <summary>Bytes of others' sessions carried since the start.</summary>
    public long BytesCarried => _desk.BytesCarried;

    /// <summary>Requests and datagrams refused because of a cap.</summary>
    public long Refused => _desk.Refused;

    /// <summary>Asks a relay, with whom a session is open, for a way to somebody; null when it refuses or does not answer.</summary>
    internal async Task<RelayedPath?> OpenAsync(Session relay, PublicKey other, ulong token)
    {
        foreach (var ((key, _), path) in Paths)
            if (key == relay.Peer.Key && path.Other == other) return path;
        var opening = _openings.Find(known => known.Relay == relay && known.Other == other);
        if (opening is not null) return await opening.Done.Task;
        _openings.Add(opening = new Opening(relay, other, new TaskCompletionSource<RelayedPath?>()));
        var begun = _host.Now;
        _host.Nat.Watch(AskAsync());
        try { return await opening.Done.Task; }
        finally { _openings.Remove(opening); }

        async Task AskAsync()
        {
            while (_host.Now - begun < OpenTime && !opening.Done.Task.IsCompleted)
            {
                Send(relay, new RelayOpen { Kind = RelayOpenKind.Ask, Token = token, Other = other.Bytes });
                await Task.Delay(OpenAgain, _host.Environment.Time);
            }
            opening.Done.TrySetResult(null);
        }
    }

    /// <summary>Whether this session is kept open because its peer relays for us, or we for it.</summary>
    internal bool Needs(Session session)
    {
        foreach (var held in _held)
            if (held.Relay == session) return true;
        foreach (var (key, _) in Paths.Keys)
            if (key == session.Peer.Key) return true;
        return false;
    }

    internal void Beat(TimeSpan now)
    {
        if (now < _reserveDue) return;
        _reserveDue = now + TimeSpan.FromSeconds(1);
        if (_desk.Pairs + _desk.Reservations > 0) _desk.Expire();
        _held.RemoveAll(held => !held.Relay.IsOpen || (held.Token == 0 && (held.IsRefused ? now - held.AskedAt > TimeSpan.FromMinutes(1) : now - held.AskedAt > ReserveTime))
            || (held.Token != 0 && held.Until < now));
        if (!_host.Options.Nat.ExploresSelf || !_host.Options.Sessions.Enabled || now < SettleTime) return;
        var view = _host.Nat.Verdict;
        // Nobody who can be reached needs a place; who was not told anything yet may wait.
        if (_host.Nat.Class.IsReachable() || view.Outer is null) return;
        foreach (var held in _held)
            if (held.Token != 0 && held.Until - now < held.Lifetime / 2 && now - held.AskedAt > ReserveTime) Ask(held);
        if (_held.Count(static held => !held.IsRefused) < _host.Options.Relays.ReservationsWanted) _host.Nat.Watch(ReserveAsync());
    }

    internal void Send(Session session, in RelayOpen open)
    {
        Span<byte> body = stackalloc byte[RelayOpen.Bytes];
        open.Write(body);
        session.Send(FrameType.RelayOpen, body);
    }

    internal void Raise(RelayReceipt receipt) => Countersigned?.Invoke(receipt);

    private async Task ReserveAsync()
    {
        if (PickRelay() is not { } peer || await _host.Nat.SessionWithAsync(peer) is not { Path.Kind: PathKind.Direct } session) return;
        if (_held.Any(held => held.Relay == session) || _held.Count(static held => !held.IsRefused) >= _host.Options.Relays.ReservationsWanted) return;
        var place = new Held(session);
        _held.Add(place);
        Ask(place);
    }

    private void Ask(Held held)
    {
        held.AskedAt = _host.Now;
        Span<byte> body = stackalloc byte[RelayReserve.Bytes];
        new RelayReserve(held.Token).Write(body);
        held.Relay.Send(FrameType.RelayReserve, body);
    }

    /// <summary>The next full peer that holds none of our places, of another network where there is one.</summary>
    private Peer? PickRelay()
    {
        var options = _host.Options;
        Peer? second = null;
        var all = _host.Peers.All;
        for (var i = 0; i < all.Count; i++)
        {
            var peer = all[_turn++ % all.Count];
            if (!peer.IsValidated || !_host.Nat.IsFull(peer) || _held.Any(held => held.Relay.Peer.Key == peer.Key)) continue;
            var network = Network(peer.Address);
            if (!_held.Any(held => !held.IsRefused && Network(held.Relay.Path.Remote) == network)) return peer;
            second ??= peer;
        }
        return second;

        Endpoint Network(Endpoint address) => address.Network(options.WidePrefixIPv4, options.WidePrefixIPv6);
    }

    private bool ReceiveReserve(Session session, ReadOnlySpan<byte> body)
    {
        if (!RelayReserve.TryRead(body, out var ask)) return false;
        Span<byte> answer = stackalloc byte[RelayGrant.Bytes];
        _desk.Reserve(session, ask).Write(answer);
        session.Send(FrameType.RelayGrant, answer);
        return true;
    }

    private bool ReceiveGrant(Session session, ReadOnlySpan<byte> body)
    {
        if (!RelayGrant.TryRead(body, out var grant)) return false;
        if (_held.Find(held => held.Relay == session) is not { } place) return true;
        if (grant.Status != RelayStatus.Granted || grant.Token == 0) (place.IsRefused, place.Token) = (true, 0);
        else
        {
            var lifetime = TimeSpan.FromSeconds(Math.Clamp(grant.Seconds, 10, 86_400));
            (place.Token, place.Lifetime, place.Until) = (grant.Token, lifetime, _host.Now + lifetime);
        }
        return true;
    }

    private bool ReceiveOpen(Session session, ReadOnlySpan<byte> body)
    {
        if (!RelayOpen.TryRead(body, out var open)) return false;
        switch (open.Kind)
        {
            case RelayOpenKind.Ask:
                _desk.Open(session, open);
                return true;
            case RelayOpenKind.Closed:
                if (!_desk.Close(session, open.Pair)) Drop(session, open.Pair);
                return true;
        }
        if (!PublicKey.TryParse(open.Other, out var other) || other == _host.Identity.Public) return true;
        var opening = _openings.Find(known => known.Relay == session && known.Other == other);
        if (open.Kind == RelayOpenKind.Refused) opening?.Done.TrySetResult(null);
        else if (open.Pair != 0 && session.Path.Kind != PathKind.Relayed)
        {
            if (!Paths.TryGetValue((session.Peer.Key, open.Pair), out var path))
            {
                // Somebody opens a pair to us: only where we hold a place, or asked for it ourselves.
                if (opening is null && !_held.Any(held => held.Relay == session) && !Paths.Keys.Any(known => known.Relay == session.Peer.Key)
                    && Paths.Count >= PathsMax / 4) return true;
                if (Paths.Count >= PathsMax) return true;
                path = new RelayedPath(_host, session.Peer, other, open.Pair) { OpenedAt = _host.Now, WeAsked = opening is not null };
                Paths[(session.Peer.Key, open.Pair)] = path;
            }
            opening?.Done.TrySetResult(path);
        }
        return true;
    }

    private bool ReceiveData(Session session, ReadOnlySpan<byte> body)
    {
        if (!RelayData.TryRead(body, out var pair, out var datagram)) return false;
        if (Paths.TryGetValue((session.Peer.Key, pair), out var path))
        {
            path.Received += datagram.Length;
            _host.Sessions.Receive(path, datagram);
        }
        else if (!_desk.Carry(session, pair, body, datagram.Length)) _host.Counters.Count(Refusal.Unasked);
        return true;
    }

    private bool ReceiveStatement(Session session, ReadOnlySpan<byte> body)
    {
        if (!RelayStatement.TryRead(body, out var statement, out var relays, out var counter)) return false;
        if (!counter.IsEmpty)
        {
            _desk.Countersigned(session, statement, relays, counter);
            return true;
        }
        if (!Paths.TryGetValue((session.Peer.Key, statement.Pair), out var path)) return true;
        var own = _host.Identity.Public;
        var (first, second) = path.WeAsked ? (own, path.Other) : (path.Other, own);
        var signatures = _host.Environment.Signatures;
        if (!statement.IsSignedBy(session.Peer.Key, session.Peer.Key, first, second, signatures, relays))
        {
            // Two who asked at the same time: the relay counts one of them as the first.
            (first, second) = (second, first);
            if (!statement.IsSignedBy(session.Peer.Key, session.Peer.Key, first, second, signatures, relays)) return true;
        }
        var (sent, received) = first == own ? (statement.Forth, statement.Back) : (statement.Back, statement.Forth);
        // What it says it carried from us cannot be more than we sent; what it carried to us may have been lost on the way, but not half of it.
        if (sent > (ulong)path.Sent || received > 2 * (ulong)path.Received + 65_536) return true;
        Span<byte> answer = stackalloc byte[RelayStatement.CountersignedBytes];
        body[..RelayStatement.Bytes].CopyTo(answer);
        var signature = answer[^Ed25519.SignatureBytes..];
        statement.Sign(_host.Identity, session.Peer.Key, first, second, signatures, signature);
        session.Send(FrameType.RelayStatement, answer);
        Raise(new RelayReceipt(session.Peer.Key, first, second, statement, relays.ToArray(), own, signature.ToArray()));
        return true;
    }

    private void Drop(Session relay, uint pair)
    {
        if (!Paths.Remove((relay.Peer.Key, pair), out var path)) return;
        foreach (var session in _host.Sessions.All.ToArray())
            if (session.Path.Equals(path)) _host.Connector.Repair(session);
    }

    private void OnClosed(Session relay)
    {
        _held.RemoveAll(held => held.Relay == relay);
        foreach (var (key, pair) in Paths.Keys.Where(known => known.Relay == relay.Peer.Key).ToArray()) Drop(relay, pair);
    }
}
