using Polder.Identity;
using Polder.Net;
using Polder.Overlay.Sessions;
using Polder.Runtime;

namespace Polder.Overlay.Nat;

/// <summary>
/// What we do so that others find out what they are behind (OV-5.7, OV-5.9): have a neighbour of ours write to them, write for a
/// neighbour to whom it asks us to, and write to them after a silence.
/// </summary>
internal sealed class DialBackDesk : IProbeTaker
{
    private const int PendingMax = 64, AskersMax = 256;
    private static readonly TimeSpan PendingFor = TimeSpan.FromSeconds(5), Again = TimeSpan.FromMilliseconds(150);

    private readonly NodeHost _host;
    private Dictionary<ulong, Pending> Waiting => field ??= [];
    private Dictionary<PublicKey, TokenBucket> Askers => field ??= new(PublicKey.Comparer);
    private TokenBucket _all;

    private sealed class Pending(Session asker, DialBackAsk ask, TimeSpan until)
    {
        public Session Asker => asker;
        public DialBackAsk Ask => ask;
        public TimeSpan Until { get; set; } = until;
        public Endpoint? Shown { get; set; }
    }

    public DialBackDesk(NodeHost host) => _host = host;

    /// <summary>A question of a neighbour. False: malformed.</summary>
    public bool Ask(Session session, DialBackAsk ask)
    {
        // A session over a relay shows nothing about where its peer is.
        if (session.ReceivedOn is not { Kind: not PathKind.Relayed } path || !_host.Options.Nat.HelpsOthers) return Answer(session, ask, DialBackKind.Refused);
        // The same question again: its answer was lost.
        if (Waiting.ContainsKey(ask.Nonce)) return Answer(session, ask, DialBackKind.Asked);
        if (!MayDo(session.Peer.Key)) return Answer(session, ask, DialBackKind.Refused);
        if (ask.Kind == DialBackKind.Own)
        {
            // Another port of the same address is one that the asker's router maps to it.
            var to = ask.Port == 0 ? path.Remote : path.Remote.WithPort(ask.Port);
            return Answer(session, ask, Dial(session, ask.Nonce, to) ? DialBackKind.Asked : DialBackKind.Refused);
        }
        Expire();
        var silence = ask.Kind == DialBackKind.Silence ? TimeSpan.FromSeconds(ask.SilenceSeconds) : TimeSpan.Zero;
        if (Waiting.Count >= PendingMax || (ask.Kind == DialBackKind.Spare && PickFor(session, path.Remote) is null)
            || !_host.Nat.Probes.TryOpen(ask.Nonce, this)) return Answer(session, ask, DialBackKind.Refused);
        Waiting.Add(ask.Nonce, new Pending(session, ask, _host.Now + PendingFor + silence));
        return Answer(session, ask, DialBackKind.Asked);
    }

    /// <summary>A neighbour asks us to write to somebody. Silent when we do not.</summary>
    public void Do(Session session, DialBackDo order)
    {
        if (!_host.Options.Nat.HelpsOthers || !MayDo(session.Peer.Key) || !_host.Nat.Probes.MayProbe(order.To, sharesOurNetwork: false)) return;
        _host.Nat.Probes.Send(null, order.To, ProbeKind.DialBack, order.Nonce, 0);
        _host.Nat.Watch(AgainAsync());

        async Task AgainAsync()
        {
            await Task.Delay(Again, _host.Environment.Time);
            _host.Nat.Probes.Send(null, order.To, ProbeKind.DialBack, order.Nonce, 0);
        }
    }

    /// <summary>A spare socket shows itself.</summary>
    public void Receive(IExtraSocket? via, Endpoint from, in PunctureProbe probe)
    {
        if (probe.Kind != ProbeKind.Show || !Waiting.TryGetValue(probe.ReceiverNonce, out var pending)) return;
        // Only towards an address of the one who asks: nobody points us at somebody else.
        if (!pending.Asker.IsOpen || pending.Asker.Path.Kind == PathKind.Relayed || !pending.Asker.Path.Remote.SameAddress(from)) return;
        _host.Nat.Probes.Send(via, from, ProbeKind.Answer, probe.ReceiverNonce, 0);
        var isFirst = pending.Shown is null;
        pending.Shown = from;
        if (pending.Ask.Kind == DialBackKind.Spare && isFirst) Dial(pending.Asker, probe.ReceiverNonce, from);
        if (pending.Ask.Kind == DialBackKind.Silence) _host.Nat.Watch(WriteAfterSilenceAsync(pending));
    }

    public void Expire()
    {
        if (Waiting.Count == 0) return;
        var now = _host.Now;
        foreach (var (nonce, pending) in Waiting.ToArray())
            if (pending.Until < now) Forget(nonce);
    }

    private async Task WriteAfterSilenceAsync(Pending pending)
    {
        var silence = TimeSpan.FromSeconds(pending.Ask.SilenceSeconds);
        var shown = _host.Now;
        pending.Until = shown + silence + PendingFor;
        await Task.Delay(silence, _host.Environment.Time);
        // It showed itself again since: then the silence began later.
        if (pending.Until != shown + silence + PendingFor || pending.Shown is not { } to || !Waiting.ContainsKey(pending.Ask.Nonce)) return;
        _host.Nat.Probes.Send(null, to, ProbeKind.DialBack, pending.Ask.Nonce, 0);
        await Task.Delay(Again, _host.Environment.Time);
        _host.Nat.Probes.Send(null, to, ProbeKind.DialBack, pending.Ask.Nonce, 0);
        Forget(pending.Ask.Nonce);
    }

    private void Forget(ulong nonce)
    {
        if (Waiting.Remove(nonce)) _host.Nat.Probes.Close(nonce);
    }

    private bool Dial(Session asker, ulong nonce, Endpoint to)
    {
        if (PickFor(asker, to) is not { } dialler) return false;
        _host.Nat.Watch(SendAsync());
        return true;

        async Task SendAsync()
        {
            if (await _host.Nat.SessionWithAsync(dialler) is not { } session) return;
            var body = new byte[DialBackDo.Bytes];
            new DialBackDo(nonce, to).Write(body);
            session.Send(FrameType.DialBackDo, body);
        }
    }

    /// <summary>Somebody else than the asker, of another network where there is one: best one with whom a session is open.</summary>
    private Peer? PickFor(Session asker, Endpoint to)
    {
        var options = _host.Options;
        var theirs = to.Network(options.WidePrefixIPv4, options.WidePrefixIPv6);
        Peer? best = null;
        var (bestRank, count) = (-1, 0);
        foreach (var peer in _host.Peers.All)
        {
            if (peer.Key == asker.Peer.Key || !peer.IsValidated || peer.Address.IsIPv4 != to.IsIPv4 || peer.Address.SameAddress(to) || !_host.Nat.IsFull(peer)) continue;
            var rank = (_host.Sessions.Find(peer) is not null ? 1 : 0)
                + (peer.Address.Network(options.WidePrefixIPv4, options.WidePrefixIPv6) != theirs ? 2 : 0);
            if (rank < bestRank) continue;
            count = rank > bestRank ? 1 : count + 1;
            // One of the best, each equally likely.
            if (rank > bestRank || _host.Environment.Random.Next(count) == 0) best = peer;
            bestRank = rank;
        }
        return best;
    }

    private bool MayDo(PublicKey asker)
    {
        var options = _host.Options.Nat;
        if (Askers.Count >= AskersMax && !Askers.ContainsKey(asker)) Askers.Clear();
        var bucket = Askers.GetValueOrDefault(asker);
        var may = bucket.TryTake(_host.Now, options.DialBacksPerMinute / 60.0, options.DialBacksPerMinute)
            && _all.TryTake(_host.Now, options.DialBacksPerMinute * options.DialBackAskers / 60.0, options.DialBacksPerMinute * options.DialBackAskers);
        Askers[asker] = bucket;
        return may;
    }

    private static bool Answer(Session session, DialBackAsk ask, DialBackKind kind)
    {
        Span<byte> body = stackalloc byte[DialBackAsk.Bytes];
        (ask with { Kind = kind }).Write(body);
        session.Send(FrameType.DialBackAsk, body);
        return true;
    }
}
