using System.Buffers.Binary;
using System.Security.Cryptography;
using Polder.Cryptography;
using Polder.Identity;
using Polder.Wire;

namespace Polder.Overlay.Sessions;

/// <summary>
/// Handshakes that others begin. Nothing changes by a first message: its keys wait for the initiator's first packet (OV-3.6), and
/// before any curve operation stand the length, the first MAC, rates and cookies (OV-3.4, OV-3.5, OV-3.9).
/// </summary>
internal sealed class Responder(NodeHost host, SessionTable table, Handshakes own)
{
    private const int TimesMax = 1024, RepliesMax = 8;

    private readonly SessionOptions _options = host.Options.Sessions;
    private readonly HandshakeGuard _guard = new(host, host.Options.Sessions);
    private readonly List<Answered> _waiting = [];
    private readonly Dictionary<PublicKey, ulong> _times = new(PublicKey.Comparer);
    private readonly Queue<PublicKey> _timesOrder = [];

    public int Count => _waiting.Count;

    /// <summary>Takes the first message of Noise IK or XX.</summary>
    public void Receive(SessionPath via, ReadOnlySpan<byte> datagram)
    {
        var now = host.Now;
        var isOpen = Packet.NumberOf(datagram) == HandshakeWire.OpenInitiation;
        if (!own.HasRightMac(datagram, isOpen))
        {
            host.Counters.Count(Refusal.HandshakeMac);
            return;
        }
        var tag = HandshakeWire.TagOf(datagram);
        foreach (var waiting in _waiting)
            if (waiting.Tag == tag && waiting.Path.Equals(via))
            {
                // The same question again: our answer was lost. No work, and less goes out than came in.
                if (waiting.Replies++ < RepliesMax) via.Send(waiting.Reply);
                return;
            }
        var isProved = _guard.IsProved(via.Remote, datagram, now);
        // Whoever does not know our key has to show where it is first.
        var admission = isOpen && !isProved ? Admission.AskCookie : _guard.Judge(via.Remote, _waiting.Count, isProved, now);
        if (admission == Admission.Drop) host.Counters.Count(Refusal.HandshakeRate);
        else if (admission == Admission.AskCookie) SendCookie(via, datagram, isOpen, now);
        else if (table.HalfOpen >= _options.HalfOpenMax) host.Counters.Reached(Cap.HalfOpen);
        else
        {
            var began = host.Environment.Time.GetTimestamp();
            if (isOpen) AnswerOpen(via, datagram, tag);
            else Answer(via, datagram, tag, isProved);
            _guard.Spent(host.Environment.Time.GetElapsedTime(began), now);
        }
    }

    /// <summary>Takes the third message of Noise XX.</summary>
    public void ReceiveFinish(SessionPath via, ReadOnlySpan<byte> datagram)
    {
        var index = BinaryPrimitives.ReadUInt32BigEndian(datagram[HandshakeWire.KeysOffset..]);
        if (table.Indexes.Find(index) is not Answered { Noise: { } noise } answered || !own.HasRightMac(datagram, open: false))
        {
            host.Counters.Count(Refusal.Unasked);
            return;
        }
        Span<byte> saved = stackalloc byte[NoiseHandshake.SavedBytes], hash = stackalloc byte[32], payload = stackalloc byte[HandshakeWire.OpenFinishPayloadBytes];
        noise.Save(saved);
        var body = datagram[(HandshakeWire.KeysOffset + 4)..^HandshakeWire.MacsBytes];
        var keys = noise.ReadKeys(body);
        noise.Hash.CopyTo(hash);
        var ok = keys > 0 && noise.TryReadPayload(body[keys..], payload);
        if (ok)
        {
            var key = own.KeyOf(noise.RemoteKey, payload);
            ok = HandshakeFacts.TryRead(payload[96..], out var facts) && IsWelcome(key)
                && host.Environment.Signatures.Verify(key, hash, payload.Slice(32, 64));
            if (ok)
            {
                (answered.Key, answered.Facts) = (key, facts);
                noise.Split(answered.Sending, answered.Receiving);
                noise.Dispose();
                answered.Noise = null;
            }
        }
        if (!ok)
        {
            host.Counters.Count(WireError.BadSignature);
            noise.Restore(saved);
        }
        CryptographicOperations.ZeroMemory(saved);
    }

    /// <summary>The keys of an answered handshake were taken into a session, or are not wanted any more.</summary>
    public void Remove(Answered answered)
    {
        _waiting.Remove(answered);
        table.Indexes.Free(answered.LocalIndex);
        answered.Dispose();
    }

    /// <summary>Forgets what waited too long. Gives when there is something to do again.</summary>
    public TimeSpan Work(TimeSpan now)
    {
        for (var i = _waiting.Count - 1; i >= 0; i--)
            if (now - _waiting[i].At >= _options.ConfirmTime) Remove(_waiting[i]);
        return _waiting.Count == 0 ? TimeSpan.MaxValue : _waiting.Min(static answered => answered.At) + _options.ConfirmTime;
    }

    public void Stop()
    {
        while (_waiting.Count > 0) Remove(_waiting[^1]);
        _guard.Wipe();
    }

    private ISessionCrypto Crypto => host.Environment.Ciphers;

    private bool IsWelcome(PublicKey key) => key != host.Identity.Public && !host.Peers.IsDiscouraged(key);

    private void Answer(SessionPath via, ReadOnlySpan<byte> datagram, UInt128 tag, bool isProved)
    {
        Span<byte> prologue = stackalloc byte[HandshakeWire.PrologueBytesMax], payload = stackalloc byte[HandshakeWire.InitiationPayloadBytes];
        using var noise = new NoiseHandshake(
            Crypto, NoisePattern.IK, isInitiator: false, prologue[..HandshakeWire.WritePrologue(prologue, _options.NetworkId, host.Identity.Public)],
            host.Identity, default);
        var body = datagram[HandshakeWire.KeysOffset..^HandshakeWire.MacsBytes];
        var keys = noise.ReadKeys(body);
        Span<byte> hash = stackalloc byte[32];
        noise.Hash.CopyTo(hash);
        if (keys < 0 || !noise.TryReadPayload(body[keys..], payload) || !HandshakeFacts.TryRead(payload[104..], out var facts))
        {
            host.Counters.Count(WireError.BadSignature);
            return;
        }
        var key = own.KeyOf(noise.RemoteKey, payload);
        if (!IsWelcome(key))
        {
            host.Counters.Count(Refusal.Discouraged);
            return;
        }
        // Anybody who recorded it can send it again: an old or far-off time counts only from where its sender can be asked (OV-3.6).
        var time = BinaryPrimitives.ReadUInt64BigEndian(payload[96..]);
        var ours = (ulong)Math.Max(0, host.Environment.Time.GetUtcNow().ToUnixTimeMilliseconds());
        var isFarOff = Math.Max(time, ours) - Math.Min(time, ours) > _options.ClockTolerance.TotalMilliseconds;
        if (!isProved && (isFarOff || (_times.TryGetValue(key, out var last) && time <= last)))
        {
            SendCookie(via, datagram, isOpen: false, host.Now);
            return;
        }
        if (!host.Environment.Signatures.Verify(key, hash, payload.Slice(32, 64)))
        {
            host.Counters.Count(WireError.BadSignature);
            return;
        }
        Remember(key, time);
        if (own.Find(key) is { HasYielded: false } mine && host.Identity.Public.NodeId < key.NodeId)
        {
            // Both began: the smaller node id's handshake goes on (OV-3.7).
            own.Insist(mine, via);
            return;
        }
        own.Yield(key);
        var session = table.Find(key);
        var continues = facts.Continues && session is not null && SessionIndexes.IsSame(session.RemoteIndex, facts.Index) ? session : null;
        var epoch = continues is null ? 1 : Math.Max(facts.Epoch, continues.Epoch + 1);
        var index = continues is null ? table.Indexes.New() : table.Indexes.Next(continues.LocalIndex);
        var reply = new byte[HandshakeWire.ResponseBytes];
        HandshakeWire.WriteHeader(reply, HandshakeWire.Response);
        var replyBody = reply.AsSpan(HandshakeWire.KeysOffset);
        keys = noise.WriteKeys(host.Environment.Random, replyBody);
        if (keys < 0) return;
        payload = payload[..HandshakeWire.ResponsePayloadBytes];
        WriteOwnFacts(noise, via, payload, index, continues is not null, epoch);
        noise.WritePayload(payload, replyBody[keys..]);
        Finish(reply, key, tag);
        var answered = new Answered(key, via, reply, tag)
        {
            LocalIndex = index, RemoteIndex = facts.Index, Epoch = epoch, Continues = continues, Facts = facts, At = host.Now,
        };
        noise.Split(answered.Sending, answered.Receiving);
        Wait(answered);
    }

    private void AnswerOpen(SessionPath via, ReadOnlySpan<byte> datagram, UInt128 tag)
    {
        Span<byte> prologue = stackalloc byte[HandshakeWire.PrologueBytesMax];
        var noise = new NoiseHandshake(
            Crypto, NoisePattern.XX, isInitiator: false, prologue[..HandshakeWire.WritePrologue(prologue, _options.NetworkId, null)], host.Identity, default);
        var body = datagram[HandshakeWire.KeysOffset..^HandshakeWire.MacsBytes];
        Span<byte> opening = stackalloc byte[HandshakeWire.OpenPayloadBytes];
        var keys = noise.ReadKeys(body);
        if (keys < 0 || !noise.TryReadPayload(body[keys..], opening) || !HandshakeFacts.TryRead(opening, out var facts))
        {
            noise.Dispose();
            host.Counters.Count(WireError.BadValue);
            return;
        }
        var index = table.Indexes.New();
        var reply = new byte[HandshakeWire.OpenResponseBytes];
        HandshakeWire.WriteHeader(reply, HandshakeWire.OpenResponse);
        var replyBody = reply.AsSpan(HandshakeWire.KeysOffset);
        keys = noise.WriteKeys(host.Environment.Random, replyBody);
        if (keys < 0)
        {
            noise.Dispose();
            return;
        }
        Span<byte> payload = stackalloc byte[HandshakeWire.OpenResponsePayloadBytes];
        host.Identity.Public.SigningKey.CopyTo(payload);
        WriteOwnFacts(noise, via, payload[32..], index, continues: false, 1);
        noise.WritePayload(payload, replyBody[keys..]);
        Finish(reply, null, tag);
        Wait(new Answered(null, via, reply, tag) { LocalIndex = index, RemoteIndex = facts.Index, Epoch = 1, Facts = facts, At = host.Now, Noise = noise });
    }

    private void Wait(Answered answered)
    {
        _waiting.Add(answered);
        table.Indexes.Use(answered.LocalIndex, answered);
        table.Schedule(answered.At + _options.ConfirmTime);
        answered.Path.Send(answered.Reply);
    }

    private void WriteOwnFacts(NoiseHandshake noise, SessionPath via, Span<byte> payload, uint index, bool continues, uint epoch)
    {
        host.Environment.Signatures.Sign(host.Identity, noise.Hash, payload[..64]);
        new HandshakeFacts(index, continues ? HandshakeWire.Continues : (byte)0, (ushort)epoch, via.Kind == PathKind.Relayed ? null : via.Remote).Write(payload[64..]);
    }

    /// <summary>The first MAC for the initiator, and in the place of the second the first MAC of the question, by which it finds its handshake.</summary>
    private void Finish(Span<byte> reply, PublicKey? initiator, UInt128 tag)
    {
        Span<byte> key = stackalloc byte[32];
        HandshakeWire.WriteMacKey(key, "nx-mac1"u8, initiator);
        HandshakeWire.WriteMac(Crypto, key, reply[..^HandshakeWire.MacsBytes], reply[^HandshakeWire.MacsBytes..]);
        BinaryPrimitives.WriteUInt128BigEndian(reply[^HandshakeWire.MacBytes..], tag);
    }

    private void SendCookie(SessionPath via, ReadOnlySpan<byte> question, bool isOpen, TimeSpan now)
    {
        host.Counters.CookiesAsked++;
        Span<byte> reply = stackalloc byte[HandshakeWire.CookieReplyBytes], cookie = stackalloc byte[HandshakeWire.CookieBytes], key = stackalloc byte[32];
        HandshakeWire.WriteHeader(reply, HandshakeWire.Cookie);
        _guard.WriteCookie(via.Remote, previous: false, now, cookie);
        own.WriteCookieKey(isOpen ? null : host.Identity.Public, question, key);
        var nonce = host.Environment.Random.NextUInt64();
        BinaryPrimitives.WriteUInt64BigEndian(reply[HandshakeWire.KeysOffset..], nonce);
        reply[HandshakeWire.KeysOffset + 8] = 0;
        var mac = question.Slice(question.Length - HandshakeWire.MacsBytes, HandshakeWire.MacBytes);
        Crypto.Seal(key, nonce, mac, cookie, reply[(HandshakeWire.KeysOffset + 9)..]);
        via.Send(reply);
    }

    private void Remember(PublicKey key, ulong time)
    {
        if (!_times.ContainsKey(key))
        {
            if (_times.Count >= TimesMax) _times.Remove(_timesOrder.Dequeue());
            _timesOrder.Enqueue(key);
        }
        _times[key] = time;
    }
}
