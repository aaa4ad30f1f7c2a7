using System.Buffers.Binary;
using System.Security.Cryptography;
using Polder.Cryptography;
using Polder.Identity;
using Polder.Wire;

namespace Polder.Overlay.Sessions;

/// <summary>Our side of the handshakes that we begin: first message, retries, cookies, the answer (specification 3.2).</summary>
internal sealed class Handshakes
{
    private readonly NodeHost _host;
    private readonly SessionTable _table;
    private readonly SessionOptions _options;
    private readonly byte[] _ownMacKey = new byte[32], _openMacKey = new byte[32];
    private readonly Dictionary<UInt128, Initiation> _byTag = [];
    private readonly List<Initiation> _all = [];
    private ulong _lastTime;

    public Handshakes(NodeHost host, SessionTable table)
    {
        (_host, _table, _options) = (host, table, host.Options.Sessions);
        HandshakeWire.WriteMacKey(_ownMacKey, "nx-mac1"u8, host.Identity.Public);
        HandshakeWire.WriteMacKey(_openMacKey, "nx-mac1"u8, null);
    }

    public int Count => _all.Count;

    /// <summary>Whether a handshake with that key is under way.</summary>
    public bool IsOpening(PublicKey key) => Find(key) is not null;

    public Initiation? Find(PublicKey key, SessionPath? path = null)
    {
        foreach (var initiation in _all)
            if (initiation.Key == key && !initiation.IsOver && (path is null || initiation.Path.Equals(path))) return initiation;
        return null;
    }

    /// <summary>Begins a handshake; the one under way on the same path, if there is one; null when too many are.</summary>
    public Initiation? Begin(PublicKey? key, SessionPath path, Session? continues, bool guarded)
    {
        if (key is not null && Find(key, path) is { } open) return open;
        if (_table.HalfOpen >= _options.HalfOpenMax)
        {
            _host.Counters.Reached(Cap.HalfOpen);
            return null;
        }
        var index = continues is null ? _table.Indexes.New() : _table.Indexes.Next(continues.LocalIndex);
        if (Make(key, path, continues, index, guarded) is not { } initiation) return null;
        _all.Add(initiation);
        _byTag[initiation.Tag] = initiation;
        Send(initiation);
        return initiation;
    }

    /// <summary>Takes an answer to a first message of ours.</summary>
    public void Receive(SessionPath via, ReadOnlySpan<byte> datagram)
    {
        var isOpen = Packet.NumberOf(datagram) == HandshakeWire.OpenResponse;
        // The second MAC of an answer repeats the first of the question: nobody who did not see it can make us compute.
        var question = BinaryPrimitives.ReadUInt128BigEndian(datagram[^HandshakeWire.MacBytes..]);
        if (!_byTag.TryGetValue(question, out var initiation) || initiation.Key is null != isOpen)
        {
            _host.Counters.Count(Refusal.Unasked);
            return;
        }
        if (!HandshakeWire.IsMac(Crypto, isOpen ? _openMacKey : _ownMacKey, datagram[..^HandshakeWire.MacsBytes], datagram.Slice(datagram.Length - 32, 16)))
        {
            _host.Counters.Count(Refusal.HandshakeMac);
            return;
        }
        // A wrong answer must not spend the handshake: the right one may follow.
        if (initiation.HasYielded) return;
        Span<byte> saved = stackalloc byte[NoiseHandshake.SavedBytes];
        initiation.Noise.Save(saved);
        var keys = initiation.Noise.ReadKeys(datagram[HandshakeWire.KeysOffset..^HandshakeWire.MacsBytes]);
        Span<byte> payload = stackalloc byte[isOpen ? HandshakeWire.OpenResponsePayloadBytes : HandshakeWire.ResponsePayloadBytes];
        Span<byte> hash = stackalloc byte[32];
        initiation.Noise.Hash.CopyTo(hash);
        var key = initiation.Key;
        var ok = keys > 0 && initiation.Noise.TryReadPayload(datagram[(HandshakeWire.KeysOffset + keys)..^HandshakeWire.MacsBytes], payload);
        if (ok && isOpen)
        {
            key = KeyOf(initiation.Noise.RemoteKey, payload);
            payload = payload[32..];
        }
        HandshakeFacts facts = default;
        ok = ok && HandshakeFacts.TryRead(payload[64..], out facts) && key! != _host.Identity.Public && !_host.Peers.IsDiscouraged(key!)
            && _host.Environment.Signatures.Verify(key!, hash, payload[..64]);
        if (!ok)
        {
            _host.Counters.Count(WireError.BadSignature);
            initiation.Noise.Restore(saved);
            CryptographicOperations.ZeroMemory(saved);
            return;
        }
        CryptographicOperations.ZeroMemory(saved);
        if (isOpen) SendFinish(via, initiation, key!, facts);
        Span<byte> sending = stackalloc byte[32], receiving = stackalloc byte[32];
        initiation.Noise.Split(sending, receiving);
        var session = _table.Install(
            key!, via, initiation.Continues, facts, sending, receiving, initiation.LocalIndex, facts.Index, facts.Epoch, byUs: true);
        CryptographicOperations.ZeroMemory(sending);
        CryptographicOperations.ZeroMemory(receiving);
        Complete(key!, session, initiation);
    }

    /// <summary>A session with that key is open: whoever waited for a handshake gets it.</summary>
    public void Complete(PublicKey key, Session session, Initiation? also = null)
    {
        for (var i = _all.Count - 1; i >= 0; i--)
            if (i < _all.Count && (_all[i].Key == key || _all[i] == also))
            {
                var initiation = _all[i];
                Remove(initiation);
                initiation.End(_host, session);
            }
    }

    /// <summary>Takes a cookie: the first message goes again at once, with the proof that we receive here.</summary>
    public void ReceiveCookie(SessionPath via, ReadOnlySpan<byte> datagram)
    {
        Span<byte> key = stackalloc byte[32], cookie = stackalloc byte[HandshakeWire.CookieBytes];
        foreach (var initiation in _all)
        {
            if (initiation.HasYielded || initiation.CookiesTaken >= 3 || !initiation.Path.Equals(via)) continue;
            WriteCookieKey(initiation.Key, initiation.Message, key);
            var nonce = BinaryPrimitives.ReadUInt64BigEndian(datagram[HandshakeWire.KeysOffset..]);
            var mac = initiation.Message.AsSpan(initiation.Message.Length - HandshakeWire.MacsBytes, HandshakeWire.MacBytes);
            if (!Crypto.TryOpen(key, nonce, mac, datagram[(HandshakeWire.KeysOffset + 9)..], cookie)) continue;
            initiation.CookiesTaken++;
            HandshakeWire.WriteMac(Crypto, cookie, initiation.Message.AsSpan(..^HandshakeWire.MacBytes), initiation.Message.AsSpan(^HandshakeWire.MacBytes..));
            Send(initiation, isRetry: false);
            return;
        }
        _host.Counters.Count(Refusal.Unasked);
    }

    /// <summary>Under which key a cookie for this message travels: only who knows the responder's key and saw the message can open it.</summary>
    public void WriteCookieKey(PublicKey? responder, ReadOnlySpan<byte> message, Span<byte> key)
    {
        Span<byte> label = stackalloc byte[32];
        HandshakeWire.WriteMacKey(label, "nx-cookie"u8, responder);
        Crypto.Mac(label, message.Slice(message.Length - HandshakeWire.MacsBytes, HandshakeWire.MacBytes), key);
    }

    /// <summary>Retries what is due and gives up what was tried often enough. Gives when there is something to do again.</summary>
    public TimeSpan Work(TimeSpan now)
    {
        var next = TimeSpan.MaxValue;
        for (var i = _all.Count - 1; i >= 0; i--)
        {
            if (i >= _all.Count) continue;
            var initiation = _all[i];
            if (initiation.DueAt <= now)
            {
                if (initiation.HasYielded || initiation.Sent >= _options.Retries.Count) GiveUp(initiation);
                else
                {
                    if (initiation.Sent == _options.PlainAfter && initiation.Key is { } key) _table.Unanswered(key);
                    // Nobody waits and nothing was promised: three tries are enough.
                    if (initiation.Sent >= _options.PlainAfter && !initiation.IsAsked && initiation.Continues is null
                        && initiation.Key is { } plain && !_table.IsSticky(plain)) GiveUp(initiation);
                    else Send(initiation);
                }
            }
            if (!initiation.IsOver && initiation.DueAt < next) next = initiation.DueAt;
        }
        return next;
    }

    /// <summary>The other side's handshake came while ours was under way, and goes first: ours is forgotten (OV-3.7).</summary>
    public void Yield(PublicKey key)
    {
        foreach (var initiation in _all)
            if (initiation.Key == key && !initiation.HasYielded)
            {
                initiation.HasYielded = true;
                initiation.DueAt = _host.Now + _options.ConfirmTime;
                _byTag.Remove(initiation.Tag);
            }
    }

    /// <summary>The other side knocks while ours goes first: it hears us there, so say it again at once, on that path too.</summary>
    public void Insist(Initiation ours, SessionPath via)
    {
        if (_host.Now - ours.SentAt < TimeSpan.FromMilliseconds(200)) return;
        if (ours.Path.Equals(via)) Send(ours, isRetry: false);
        else Begin(ours.Key, via, ours.Continues, guarded: true);
    }

    public void Stop()
    {
        foreach (var initiation in _all.ToArray()) initiation.End(_host, null);
        _all.Clear();
        _byTag.Clear();
    }

    public bool HasRightMac(ReadOnlySpan<byte> datagram, bool open) => HandshakeWire.IsMac(
        Crypto, open ? _openMacKey : _ownMacKey, datagram[..^HandshakeWire.MacsBytes], datagram.Slice(datagram.Length - HandshakeWire.MacsBytes, HandshakeWire.MacBytes));

    /// <summary>The 74 bytes of an X25519 and an Ed25519 half.</summary>
    public PublicKey KeyOf(ReadOnlySpan<byte> box, ReadOnlySpan<byte> signing)
    {
        Span<byte> bytes = stackalloc byte[KeyFormat.Bytes];
        KeyFormat.PublicTag.CopyTo(bytes);
        box.CopyTo(bytes[KeyFormat.TagBytes..]);
        signing[..32].CopyTo(bytes[KeyFormat.SigningOffset..]);
        return _host.Environment.TryParseKey(bytes, out var key) ? key : throw new InvalidOperationException("A key of two halves has the right form.");
    }

    private ISessionCrypto Crypto => _host.Environment.Ciphers;

    private Initiation? Make(PublicKey? key, SessionPath path, Session? continues, uint index, bool guarded)
    {
        var pattern = key is null ? NoisePattern.XX : NoisePattern.IK;
        Span<byte> prologue = stackalloc byte[HandshakeWire.PrologueBytesMax];
        var noise = new NoiseHandshake(
            Crypto, pattern, isInitiator: true, prologue[..HandshakeWire.WritePrologue(prologue, _options.NetworkId, key)], _host.Identity,
            key is null ? default : key.BoxKey);
        var message = new byte[key is null ? HandshakeWire.OpenInitiationBytes : HandshakeWire.InitiationBytes];
        HandshakeWire.WriteHeader(message, key is null ? HandshakeWire.OpenInitiation : HandshakeWire.Initiation);
        var body = message.AsSpan(HandshakeWire.KeysOffset);
        var keys = noise.WriteKeys(_host.Environment.Random, body);
        if (keys < 0)
        {
            // A key of small order: nobody's.
            noise.Dispose();
            return null;
        }
        var facts = new HandshakeFacts(
            index, continues is null ? (byte)0 : HandshakeWire.Continues, continues is null ? (ushort)1 : (ushort)(continues.Epoch + 1),
            path.Kind == PathKind.Relayed ? null : path.Remote);
        Span<byte> payload = stackalloc byte[HandshakeWire.OpenPayloadBytes];
        if (key is null) facts.Write(payload);
        else
        {
            payload = payload[..HandshakeWire.InitiationPayloadBytes];
            _host.Identity.Public.SigningKey.CopyTo(payload);
            _host.Environment.Signatures.Sign(_host.Identity, noise.Hash, payload.Slice(32, 64));
            BinaryPrimitives.WriteUInt64BigEndian(payload[96..], NextTime());
            facts.Write(payload[104..]);
        }
        noise.WritePayload(payload, body[keys..]);
        WriteFirstMac(key, message);
        return new Initiation(key, path, noise, message) { LocalIndex = index, Continues = continues, IsGuarded = guarded, BeganAt = _host.Now };
    }

    /// <summary>The third message of Noise XX: who we are.</summary>
    private void SendFinish(SessionPath via, Initiation initiation, PublicKey responder, HandshakeFacts theirs)
    {
        Span<byte> message = stackalloc byte[HandshakeWire.OpenFinishBytes], payload = stackalloc byte[HandshakeWire.OpenFinishPayloadBytes];
        message.Clear();
        HandshakeWire.WriteHeader(message, HandshakeWire.OpenFinish);
        BinaryPrimitives.WriteUInt32BigEndian(message[HandshakeWire.KeysOffset..], theirs.Index);
        var body = message[(HandshakeWire.KeysOffset + 4)..];
        var keys = initiation.Noise.WriteKeys(_host.Environment.Random, body);
        _host.Identity.Public.SigningKey.CopyTo(payload);
        _host.Environment.Signatures.Sign(_host.Identity, initiation.Noise.Hash, payload.Slice(32, 64));
        new HandshakeFacts(initiation.LocalIndex, 0, 1, via.Kind == PathKind.Relayed ? null : via.Remote).Write(payload[96..]);
        initiation.Noise.WritePayload(payload, body[keys..]);
        WriteFirstMac(responder, message);
        via.Send(message);
    }

    private void WriteFirstMac(PublicKey? receiver, Span<byte> message)
    {
        Span<byte> key = stackalloc byte[32];
        HandshakeWire.WriteMacKey(key, "nx-mac1"u8, receiver);
        HandshakeWire.WriteMac(Crypto, key, message[..^HandshakeWire.MacsBytes], message[^HandshakeWire.MacsBytes..]);
    }

    private void Send(Initiation initiation, bool isRetry = true)
    {
        var now = _host.Now;
        if (isRetry)
        {
            var wait = _options.Retries[Math.Min(initiation.Sent, _options.Retries.Count - 1)];
            initiation.DueAt = now + wait * (0.8 + 0.4 * _host.Environment.Random.NextDouble());
            initiation.Sent++;
            _table.Schedule(initiation.DueAt);
        }
        initiation.SentAt = now;
        if (initiation.IsGuarded && !_host.MaySend(initiation.Path.Remote, initiation.Message.Length)) return;
        initiation.Path.Send(initiation.Message);
    }

    private void GiveUp(Initiation initiation)
    {
        Remove(initiation);
        initiation.End(_host, null);
        _table.GivenUp(initiation);
    }

    private void Remove(Initiation initiation)
    {
        _all.Remove(initiation);
        _byTag.Remove(initiation.Tag);
    }

    /// <summary>Milliseconds of the wall clock, never the same twice, so that the second of two handshakes is not taken for a copy.</summary>
    private ulong NextTime()
    {
        var time = (ulong)Math.Max(0, _host.Environment.Time.GetUtcNow().ToUnixTimeMilliseconds());
        return _lastTime = Math.Max(time, _lastTime + 1);
    }
}
