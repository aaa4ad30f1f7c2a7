using Polder.Cryptography;
using Polder.Identity;
using Polder.Overlay;
using Polder.Wire;

namespace Polder.Apps.Chat.PeerChat;

/// <summary>
/// PeerChat of the TrustChain SuperApp, as far as it is safe: texts both ways and files that come, with contacts only. It has no forward
/// secrecy, no groups, no order, and both must be online; acknowledgements and requests are readable on the way (docs/threat-model-chat.md).
/// </summary>
internal sealed class PeerChatCommunity : Community
{
    /// <summary>ac9c01202e8d01e5f7d3cec88085dd842267c273.</summary>
    public static CommunityId Id { get; } = new(Convert.FromHexString("ac9c01202e8d01e5f7d3cec88085dd842267c273"));

    private const string FileInfo = "eva_peerchat_attachment";
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly CommunityContext _context;
    private readonly Dictionary<PublicKey, EvaReceiver> _coming = [];
    private readonly Dictionary<PublicKey, EvaSender> _going = [];

    public PeerChatCommunity(CommunityContext context) : base(Id, context, MessageForm.GlobalTime)
    {
        _context = context;
        On<PeerChatSealedText>(OnText);
        On<PeerChatAck>((peer, ack) => Acknowledged?.Invoke(peer.Key, ack.Name));
        On<PeerChatFileRequest>((peer, request) => { if (IsTrusted(peer)) FileWanted?.Invoke(peer.Key, request.Hash); });
        On<EvaBox130>((peer, box) => Opened(peer, box.Box, OnWriteRequest));
        On<EvaBox131>((peer, box) => Opened(peer, box.Box, OnAcknowledgement));
        On<EvaBox132>((peer, box) => Opened(peer, box.Box, OnData));
        On<EvaBox133>((peer, box) => Opened(peer, box.Box, (sender, bytes) => { if (EvaError.TryRead(bytes, out _)) _going.Remove(sender.Key); }));
        Every(Interval, Tick);
    }

    /// <summary>Whom we talk with at all.</summary>
    public Func<PublicKey, bool> Trusts { get; set; } = static _ => false;
    /// <summary>Whether we asked for this file: others are not taken.</summary>
    public Func<PublicKey, string, bool> Expects { get; set; } = static (_, _) => false;
    /// <summary>A text came; true when it is kept for good, then it is acknowledged.</summary>
    public Func<PublicKey, PeerChatText, Task<bool>>? TextCame { get; set; }
    public Action<PublicKey, string>? Acknowledged { get; set; }
    public Action<PublicKey, string>? FileWanted { get; set; }
    public Action<PublicKey, PeerChatFile>? FileCame { get; set; }

    /// <summary>Messages that were not taken: of strangers, not for us, or malformed.</summary>
    public long Refused { get; private set; }

    /// <summary>Whether somebody is in this overlay now and is no node of ours.</summary>
    public bool IsForeign(PublicKey key) => Find(key) is { IsPolder: false } && _context.Host.Sessions.Find(key) is null;

    private Peer? Find(PublicKey key) => Peers.FirstOrDefault(peer => peer.Key == key);

    /// <summary>Sends a text to somebody who is here; false when it is not.</summary>
    public bool SendText(PublicKey to, PeerChatText text)
    {
        if (Find(to) is not { } peer) return false;
        Send(peer, new PeerChatSealedText(SealedBox.Seal(to.BoxKey, text.Write())));
        return true;
    }

    /// <summary>Asks somebody who is here for a file.</summary>
    public void RequestFile(PublicKey from, string hash)
    {
        if (Find(from) is { } peer) Send(peer, new PeerChatFileRequest(hash));
    }

    /// <summary>Sends a file that was asked for, as a whole packet inside EVA. False: not here, or another transfer runs.</summary>
    public bool SendFile(PublicKey to, PeerChatFile file)
    {
        if (Find(to) is not { } peer || _going.ContainsKey(to) || _going.Count >= EvaLimits.TransfersMax) return false;
        var box = SealedBox.Seal(to.BoxKey, file.Write());
        var packet = new byte[Packet.SignedBytesMin + Packet.GlobalTimeBytes + box.Length];
        var writer = new WireWriter(packet);
        writer.WriteBytes([0, 2]);
        CommunityId.CopyTo(writer.Reserve(CommunityId.Bytes));
        writer.WriteByte(PeerChatFile.Number);
        writer.WriteBytes16(Identity.Public.Bytes);
        writer.WriteUInt64((ulong)Environment.Time.GetUtcNow().ToUnixTimeMilliseconds());
        writer.WriteBytes(box);
        var signed = writer.Position;
        Environment.Signatures.Sign(Identity, packet.AsSpan(0, signed), writer.Reserve(Ed25519.SignatureBytes));
        var sender = _going[to] = new EvaSender(FileInfo, file.Hash, packet, Environment.Random.NextUInt64() % 4_294_967_295, Now);
        Send(peer, new EvaBox130(SealedBox.Seal(to.BoxKey, sender.Request.Write())));
        return true;
    }

    private bool IsTrusted(Peer peer)
    {
        if (Trusts(peer.Key)) return true;
        Refused++;
        return false;
    }

    private void OnText(Peer peer, PeerChatSealedText message) => Opened(peer, message.Box, (sender, bytes) =>
    {
        if (PeerChatText.TryRead(bytes, out var text)) _ = TakeAsync(sender, text);
        else Refused++;
    });

    private async Task TakeAsync(Peer peer, PeerChatText text)
    {
        if (TextCame is { } take && await take(peer.Key, text)) Send(peer, new PeerChatAck(text.Name));
    }

    // Who is no contact costs us a look into a table, and no opening of boxes.
    private void Opened(Peer peer, byte[] box, Action<Peer, byte[]> then)
    {
        if (!IsTrusted(peer)) return;
        if (Identity.TryOpen(box) is { } bytes) then(peer, bytes);
        else Refused++;
    }

    private void OnWriteRequest(Peer peer, byte[] bytes)
    {
        if (!EvaWriteRequest.TryRead(bytes, out var request) || !request.IsSensible || request.Info != FileInfo || !Expects(peer.Key, request.Name))
        {
            Refused++;
            return;
        }
        if (_coming.TryGetValue(peer.Key, out var running) && running.Nonce != request.Nonce)
        {
            Send(peer, new EvaBox133(SealedBox.Seal(peer.Key.BoxKey, new EvaError(FileInfo, "already a transfer with this peer").Write())));
            return;
        }
        if (running is null)
        {
            if (_coming.Count >= EvaLimits.TransfersMax) return;
            _coming[peer.Key] = running = new EvaReceiver(request, Now);
        }
        Acknowledge(peer, running.Acknowledgement);
    }

    private void OnData(Peer peer, byte[] bytes)
    {
        if (!EvaData.TryRead(bytes, out var data) || !_coming.TryGetValue(peer.Key, out var running)) return;
        Expect(peer, 1);
        if (running.Take(data, Now) is { } due) Acknowledge(peer, due);
        if (!running.IsDone) return;
        _coming.Remove(peer.Key);
        if (OpenInner(peer, running.Bytes) is { } file) FileCame?.Invoke(peer.Key, file);
        else Refused++;
    }

    // What EVA brings is a packet of this overlay again: prefix, signature of the same peer, sealed for us.
    internal PeerChatFile? OpenInner(Peer peer, byte[] packet)
    {
        if (packet.Length < Packet.SignedBytesMin + Packet.GlobalTimeBytes || !Packet.HasHeader(packet) || Packet.CommunityOf(packet) != CommunityId
            || Packet.NumberOf(packet) != PeerChatFile.Number) return null;
        var signed = packet.Length - Ed25519.SignatureBytes;
        var reader = new WireReader(packet.AsSpan(Packet.HeaderBytes, signed - Packet.HeaderBytes));
        if (!PublicKey.TryParse(reader.ReadBytes16(KeyFormat.Bytes), out var author) || author != peer.Key) return null;
        _ = reader.ReadUInt64();
        var box = reader.ReadRest();
        if (reader.Failed || !Environment.Signatures.Verify(author, packet.AsSpan(0, signed), packet.AsSpan(signed))) return null;
        return Identity.TryOpen(box) is { } bytes && PeerChatFile.TryRead(bytes, out var file) ? file : null;
    }

    private void OnAcknowledgement(Peer peer, byte[] bytes)
    {
        if (!EvaAcknowledgement.TryRead(bytes, out var acknowledgement) || !_going.TryGetValue(peer.Key, out var sender)) return;
        foreach (var block in sender.Take(acknowledgement, Now)) Send(peer, new EvaBox132(SealedBox.Seal(peer.Key.BoxKey, block.Write())));
        if (sender.IsDone) _going.Remove(peer.Key);
    }

    private void Acknowledge(Peer peer, EvaAcknowledgement what) => Send(peer, new EvaBox131(SealedBox.Seal(peer.Key.BoxKey, what.Write())));

    private void Tick()
    {
        foreach (var (key, receiver) in _coming.ToArray())
        {
            if (!receiver.Tick(Now, out var again)) _coming.Remove(key);
            else if (again is not null && Find(key) is { } peer) Acknowledge(peer, again);
        }
        foreach (var (key, sender) in _going.ToArray())
        {
            if (!sender.Tick(Now, out var again)) _going.Remove(key);
            else if (again is not null && Find(key) is { } peer) Send(peer, new EvaBox130(SealedBox.Seal(key.BoxKey, again.Write())));
        }
    }
}

/// <summary>Message 130 in a sealed box.</summary>
internal readonly record struct EvaBox130(byte[] Box) : IMessage<EvaBox130>
{
    public static byte Number => EvaWriteRequest.Number;
    public static EvaBox130 Read(ref WireReader reader) => new(reader.ReadRest(4096).ToArray());
    public void Write(ref WireWriter writer) => writer.WriteBytes(Box);
}

/// <summary>Message 131 in a sealed box.</summary>
internal readonly record struct EvaBox131(byte[] Box) : IMessage<EvaBox131>
{
    public static byte Number => EvaAcknowledgement.Number;
    public static EvaBox131 Read(ref WireReader reader) => new(reader.ReadRest(8192).ToArray());
    public void Write(ref WireWriter writer) => writer.WriteBytes(Box);
}

/// <summary>Message 132 in a sealed box.</summary>
internal readonly record struct EvaBox132(byte[] Box) : IMessage<EvaBox132>
{
    public static byte Number => EvaData.Number;
    public static EvaBox132 Read(ref WireReader reader) => new(reader.ReadRest(4096).ToArray());
    public void Write(ref WireWriter writer) => writer.WriteBytes(Box);
}

/// <summary>Message 133 in a sealed box.</summary>
internal readonly record struct EvaBox133(byte[] Box) : IMessage<EvaBox133>
{
    public static byte Number => EvaError.Number;
    public static EvaBox133 Read(ref WireReader reader) => new(reader.ReadRest(4096).ToArray());
    public void Write(ref WireWriter writer) => writer.WriteBytes(Box);
}
