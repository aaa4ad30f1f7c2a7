using Polder.Identity;
using Polder.Net;
using Polder.Overlay.Nat;
using Polder.Overlay.Sessions;
using Polder.Runtime;
using Polder.Wire;

namespace Polder.Overlay.Connecting;

/// <summary>All punctures under way, those that we began and those that others asked us for; records in and out.</summary>
internal sealed class Punctures
{
    /// <summary>Sealed records that are opened: each costs a key agreement and a signature.</summary>
    private const double OpensPerSecond = 20, OpensBurst = 60;

    private readonly NodeHost _host;
    private readonly List<Puncture> _all = [];
    private TokenBucket _opens;

    public Punctures(NodeHost host)
    {
        (_host, Caps) = (host, new BirthdayCaps(host.Options.Nat));
        host.Sessions.OnFrame(FrameType.PunctureForward, ReceiveForward);
        host.Sessions.OnFrame(FrameType.PunctureRecord, ReceiveRecord);
    }

    public BirthdayCaps Caps { get; }

    public int Count => _all.Count;

    /// <summary>A helper refused to pass a record on.</summary>
    public event Action<Session, PublicKey>? Refused;

    /// <summary>The other side of a puncture found a way to us.</summary>
    public event Action<Puncture, FoundPath>? FoundByOther;

    /// <summary>Begins a puncture towards a node; null when too many are under way.</summary>
    public Puncture? Begin(PublicKey other)
    {
        Expire();
        if (_all.Count >= _host.Options.Nat.PuncturesMax) return null;
        var puncture = new Puncture(_host, this, other, isInitiator: true);
        if (puncture.Nonce == 0) return null;
        _all.Add(puncture);
        return puncture;
    }

    /// <summary>Sends our record through a helper.</summary>
    public void Tell(Puncture puncture, Session helper)
    {
        var record = puncture.Record().Sign(_host.Identity, puncture.Other, _host.Environment.Signatures);
        Span<byte> buffer = stackalloc byte[PunctureForward.BytesMax];
        helper.Send(FrameType.PunctureForward, new PunctureForward
        {
            Kind = ForwardKind.Ask, Other = puncture.Other.Bytes, SeenAt = Endpoint.None,
            Sealed = SealedRecord.Seal(record, puncture.Other, _host.Environment.Ciphers, _host.Environment.Random),
        }.WriteTo(buffer));
    }

    /// <summary>Sends our newest record through all helpers through which the other was heard, or through the session with it.</summary>
    public void Tell(Puncture puncture)
    {
        var told = new HashSet<Session>();
        foreach (var helper in puncture.Helpers)
            if (helper.IsOpen && told.Add(helper)) Tell(puncture, helper);
        if (told.Count == 0 && _host.Sessions.Find(puncture.Other) is { } session) TellDirectly(puncture, session);
    }

    /// <summary>Sends our record inside the session with the other itself, when that is relayed.</summary>
    public void TellDirectly(Puncture puncture, Session session) =>
        session.Send(FrameType.PunctureRecord, puncture.Record().Sign(_host.Identity, puncture.Other, _host.Environment.Signatures));

    /// <summary>Whether that session passed records of a puncture with this key.</summary>
    public bool IsHelper(Session session, PublicKey other)
    {
        foreach (var puncture in _all)
            if (puncture.Other == other && puncture.Helpers.Contains(session)) return true;
        return false;
    }

    public void End(Puncture puncture)
    {
        puncture.End();
        _all.Remove(puncture);
    }

    public void Expire()
    {
        for (var i = _all.Count - 1; i >= 0; i--)
            if (_host.Now - _all[i].Began > _host.Options.Nat.PunctureLifetime) End(_all[i]);
    }

    public void Stop()
    {
        foreach (var puncture in _all.ToArray()) End(puncture);
    }

    private bool ReceiveForward(Session session, ReadOnlySpan<byte> body)
    {
        if (!PunctureForward.TryRead(body, out var forward)) return false;
        switch (forward.Kind)
        {
            case ForwardKind.Ask:
                _host.Nat.Forwards.Receive(session, forward);
                break;
            case ForwardKind.Refused:
                if (PublicKey.TryParse(forward.Other, out var key)) Refused?.Invoke(session, key);
                break;
            default:
                if (!_opens.TryTake(_host.Now, OpensPerSecond, OpensBurst)) _host.Counters.Count(Refusal.PunctureRate);
                else if (SealedRecord.TryOpen(forward.Sealed, _host.Identity, _host.Environment.Ciphers) is not { } bytes
                    || PunctureRecord.TryRead(bytes, _host.Identity.Public, _host.Environment.Signatures) is not { } record
                    || !record.Sender.Bytes.SequenceEqual(forward.Other)) _host.Counters.Count(WireError.BadSignature);
                else
                    Take(record, session, forward.SeenAt, TimeSpan.FromMilliseconds(
                        Math.Min(forward.SenderRoundTrip, (ushort)2_000) + Math.Min(forward.ReceiverRoundTrip, (ushort)2_000)));
                break;
        }
        return true;
    }

    private bool ReceiveRecord(Session session, ReadOnlySpan<byte> body)
    {
        if (PunctureRecord.TryReadUnchecked(body) is null) return false;
        if (!_opens.TryTake(_host.Now, OpensPerSecond, OpensBurst)) _host.Counters.Count(Refusal.PunctureRate);
        else if (PunctureRecord.TryRead(body, _host.Identity.Public, _host.Environment.Signatures) is not { } record || record.Sender != session.Peer.Key)
            _host.Counters.Count(WireError.BadSignature);
        else Take(record, null, Endpoint.None, session.RoundTrip ?? TimeSpan.Zero);
        return true;
    }

    private void Take(PunctureRecord record, Session? helper, Endpoint seenAt, TimeSpan roundTrips)
    {
        if (record.Sender == _host.Identity.Public || _host.Peers.IsDiscouraged(record.Sender)) return;
        Expire();
        foreach (var known in _all)
            if (known.Other == record.Sender && (record.Echo == known.Nonce || known.Theirs?.Nonce == record.Nonce))
            {
                var isNewHelper = helper is not null && !known.Helpers.Contains(helper);
                known.Heard(record, helper, seenAt, roundTrips);
                // Each helper passes our answer on, so that the other too has more than one witness.
                if (!known.IsInitiator && isNewHelper) Tell(known, helper!);
                return;
            }
        if (record.Echo != 0) return;
        if (_all.Count >= _host.Options.Nat.PuncturesMax || _all.Count(puncture => puncture.Other == record.Sender && !puncture.IsInitiator) >= 2)
        {
            _host.Counters.Count(Refusal.PunctureRate);
            return;
        }
        var answer = new Puncture(_host, this, record.Sender, isInitiator: false);
        if (answer.Nonce == 0) return;
        _all.Add(answer);
        _host.Nat.Watch(AnswerAsync(answer, record, helper, seenAt, roundTrips));
    }

    private async Task AnswerAsync(Puncture puncture, PunctureRecord record, Session? helper, Endpoint seenAt, TimeSpan roundTrips)
    {
        puncture.Heard(record, helper, seenAt, roundTrips);
        // The one with a sequential router says its newest port, and makes its mapping right behind it.
        await puncture.Ready;
        if (puncture.IsOver) return;
        if (helper is not null) Tell(puncture, helper);
        else Tell(puncture);
        if (await puncture.Found is { } found) FoundByOther?.Invoke(puncture, found);
    }
}
