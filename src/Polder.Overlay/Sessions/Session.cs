using System.Buffers.Binary;
using System.Security.Cryptography;
using Polder.Net;
using Polder.Runtime;

namespace Polder.Overlay.Sessions;

/// <summary>
/// A secure session with one peer. It outlives rekeys and changes of address; when the peer starts again, this one closes and
/// another opens. Used on the node's loop.
/// </summary>
public sealed class Session
{
    private const int KeyBytes = 32, SendingKey = 0, ReceivingKey = 32, OldKey = 64;

    // One pinned piece of memory for all keys: nothing of them is left behind when the collector moves objects.
    private readonly byte[] _keys = GC.AllocateArray<byte>(3 * KeyBytes, pinned: true);
    private readonly SessionTable _table;
    private ReplayWindow _window, _oldWindow;
    private TokenBucket _rate;
    private ulong _counter;
    private TimeSpan _keyedAt, _rekeyAge, _oldUntil, _awaitingSince = None, _askAt;
    private uint _oldEpoch;
    private byte _asked;
    private bool _isConfirmed;
    private PathMoves? _moves;

    private static readonly TimeSpan None = TimeSpan.MinValue;

    internal Session(SessionTable table, Peer peer, SessionPath path, bool isInitiator)
    {
        (_table, Peer, Path, IsInitiator) = (table, peer, path, isInitiator);
        OpenedAt = LastIn = LastOut = table.Host.Now;
        IsOpen = true;
    }

    /// <summary>Whom it is with; its key is proved.</summary>
    public Peer Peer { get; }

    /// <summary>On which way packets go at present.</summary>
    public SessionPath Path { get; internal set; }

    /// <summary>Whether it is open: neither closed by a side nor given up.</summary>
    public bool IsOpen { get; private set; }

    /// <summary>When it opened, on the node's clock.</summary>
    public TimeSpan OpenedAt { get; }

    /// <summary>When the last authenticated packet came.</summary>
    public TimeSpan LastIn { get; private set; }

    /// <summary>When the last packet went out.</summary>
    public TimeSpan LastOut { get; private set; }

    /// <summary>Round trip by PING and PONG, smoothed; null while unknown.</summary>
    public TimeSpan? RoundTrip { get; private set; }

    /// <summary>Handshakes so far, 1 at first, the same number on both sides. A rekey keeps the session and raises it.</summary>
    public uint Epoch { get; private set; }

    /// <summary>Whether we made the first handshake.</summary>
    public bool IsInitiator { get; }

    /// <summary>The feature bits of the peer's last handshake.</summary>
    public uint PeerFeatures { get; private set; }

    /// <summary>How the peer sees us on this path; null while it did not say.</summary>
    public Endpoint? SeenAs { get; internal set; }

    /// <summary>Addresses at which the peer believes to be reachable: hints, at most 8.</summary>
    public IReadOnlyList<Endpoint> PeerAddresses { get; internal set; } = [];

    /// <summary>Which packet the frames handled just now came in. Meaningful only inside a <see cref="FrameHandler"/>.</summary>
    public PacketNumber Receiving { get; private set; }

    /// <summary>On which path that packet came. Meaningful only inside a <see cref="FrameHandler"/>.</summary>
    public SessionPath ReceivedOn { get; private set; } = null!;

    /// <summary>Whether an interface changed and nothing came since: the path may be dead (OV-3.15).</summary>
    public bool IsSuspect { get; internal set; }

    /// <summary>Room for frames, headers of frames included, in one packet on the current path.</summary>
    public int FrameBytesMax => FrameBytes(Path.DatagramBytesMax);

    /// <summary>Sends one frame in a packet of its own on the current path. False: closed, too long, or see <see cref="TrySendPacket"/>.</summary>
    public bool Send(FrameType type, ReadOnlySpan<byte> body) => SendFrame(Path, type, body);

    /// <summary>Sends one frame in a packet of its own on that path, which need not be proved; the 3× rule holds there.</summary>
    public bool SendOn(SessionPath path, FrameType type, ReadOnlySpan<byte> body)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (path.Equals(Path)) return SendFrame(Path, type, body);
        return IsOpen && Moves.MaySend(path, PacketBytes(Frames.HeaderBytes + body.Length)) && SendFrame(path, type, body);
    }

    /// <summary>Asks whether the peer lives; the answer measures the round trip. False as in <see cref="Send"/>.</summary>
    public bool Ping() => SendPing(Path);

    /// <summary>
    /// Sends ready-made frames (type u8, length u16, body; one after the other, at most <see cref="FrameBytesMax"/> bytes). False when
    /// nothing was sent: closed, or a new key is being agreed on and the old one is used up; try again after a few milliseconds.
    /// </summary>
    public bool TrySendPacket(ReadOnlySpan<byte> frames, out PacketNumber number)
    {
        number = default;
        if (frames.Length > FrameBytesMax || PacketBuffers.Rent() is not { } buffer) return false;
        try
        {
            frames.CopyTo(buffer.AsSpan(DataPacket.HeaderBytes));
            // Full packets are what a larger datagram would help.
            if (frames.Length > FrameBytesMax - 64) _table.Mtu.Wanted(this);
            return Seal(Path, buffer, frames.Length, out number);
        }
        finally { PacketBuffers.Return(); }
    }

    /// <summary>Sends a PATH_CHALLENGE there, and again after 0.5 and 1.5 s; the session moves to it when it is answered.</summary>
    public void TryPath(SessionPath candidate)
    {
        ArgumentNullException.ThrowIfNull(candidate);
        if (IsOpen && !candidate.Equals(Path)) Moves.Try(candidate);
    }

    /// <summary>Tells the peer and closes; 0 is "going away".</summary>
    public void Close(byte code = 0)
    {
        if (!IsOpen) return;
        Send(FrameType.Close, [code]);
        _table.Remove(this);
    }

    /// <summary>For people.</summary>
    public override string ToString() => $"session {Epoch} with {Peer.Key.ShortName}, {Path}";

    internal NodeHost Host => _table.Host;
    internal uint LocalIndex { get; private set; }
    internal uint RemoteIndex { get; private set; }
    internal uint OldIndex { get; private set; }
    internal int TableIndex { get; set; }
    internal TimeSpan KeyedAt => _keyedAt;
    internal PathMoves Moves => _moves ??= new PathMoves(_table, this);
    internal PathMoves? MovesOrNull => _moves;
    internal MessageState? Messages { get; set; }
    internal PathMtu.State? MtuState { get; set; }

    /// <summary>Room for frames in a datagram of that size.</summary>
    internal static int FrameBytes(int datagramBytes) => (datagramBytes - DataPacket.OverheadBytes) / DataPacket.PaddingBytes * DataPacket.PaddingBytes;

    /// <summary>The datagram that so many bytes of frames make.</summary>
    internal static int PacketBytes(int frameBytes) =>
        (frameBytes + DataPacket.PaddingBytes - 1) / DataPacket.PaddingBytes * DataPacket.PaddingBytes + DataPacket.OverheadBytes;

    /// <summary>Takes over the keys of a handshake: at first, and at each rekey.</summary>
    internal void Install(
        ReadOnlySpan<byte> sending, ReadOnlySpan<byte> receiving, uint local, uint remote, uint epoch, byte features, bool byUs, TimeSpan now)
    {
        if (Epoch > 0)
        {
            DropOldKey();
            Key(ReceivingKey).CopyTo(Key(OldKey));
            (OldIndex, _oldEpoch, _oldWindow, _oldUntil) = (LocalIndex, Epoch, _window, now + _table.Options.OldKeyFor);
        }
        sending.CopyTo(Key(SendingKey));
        receiving.CopyTo(Key(ReceivingKey));
        (LocalIndex, RemoteIndex, Epoch, PeerFeatures) = (local, remote, epoch, features);
        (_counter, _window, _keyedAt) = (0, default, now);
        // Who made the handshake makes the next one; the other only when that did not come.
        _rekeyAge = byUs ? _table.Options.RekeyAfter * (0.9 + 0.2 * _table.Host.Environment.Random.NextDouble()) : _table.Options.RefuseAfter * 0.95;
        _isConfirmed = !byUs;
        (_asked, _awaitingSince, _askAt) = (0, None, None);
        LastIn = now;
        IsSuspect = false;
    }

    /// <summary>Decrypts a packet that was addressed to one of our indexes. Everything that is wrong is counted.</summary>
    internal bool TryOpen(ReadOnlySpan<byte> datagram, Span<byte> text, TimeSpan now, out bool isHighest)
    {
        isHighest = false;
        var isOld = BinaryPrimitives.ReadUInt32BigEndian(datagram[1..]) != LocalIndex;
        var counter = BinaryPrimitives.ReadUInt64BigEndian(datagram[5..]);
        if (isOld ? now >= _oldUntil : now - _keyedAt >= _table.Options.RefuseAfter || counter >= (ulong)_table.Options.RefusePackets)
            return _table.Refuse(Refusal.OldKey);
        ref var window = ref isOld ? ref _oldWindow : ref _window;
        if (!window.Accepts(counter)) return _table.Refuse(Refusal.SessionReplay);
        if (!_table.Crypto.TryOpen(Key(isOld ? OldKey : ReceivingKey), counter, datagram[..DataPacket.HeaderBytes], datagram[DataPacket.HeaderBytes..], text))
            return _table.Refuse(Refusal.BadTag);
        isHighest = window.Mark(counter) && !isOld;
        _isConfirmed |= !isOld;
        (_awaitingSince, _asked) = (None, 0);
        LastIn = now;
        IsSuspect = false;
        Receiving = new PacketNumber(isOld ? _oldEpoch : Epoch, counter);
        return true;
    }

    /// <summary>Before the frames of an opened packet are handled. False: more than the peer's rate, so frames beyond streams are passed over.</summary>
    internal bool Admits(TimeSpan now) => _rate.TryTake(now, _table.Options.PacketsPerSecond, _table.Options.PacketsBurst);

    internal void ReceivedFrom(SessionPath via) => ReceivedOn = via;

    /// <summary>A PING of ours came back.</summary>
    internal void Measured(TimeSpan time)
    {
        RoundTrip = RoundTrip is { } before ? before + (time - before) / 8 : time;
        Peer.AddRoundTrip(time);
    }

    internal bool SendPing(SessionPath path)
    {
        // The time itself goes along, so nothing has to be remembered. Who answers with another only fools itself.
        Span<byte> body = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(body, _table.Host.Now.Ticks);
        return SendFrame(path, FrameType.Ping, body);
    }

    /// <summary>One frame in a packet of its own; <paramref name="datagramBytes"/>: padded to that size.</summary>
    internal bool SendFrame(SessionPath path, FrameType type, ReadOnlySpan<byte> body, int datagramBytes = 0)
    {
        var limit = FrameBytes(Math.Max(path.DatagramBytesMax, datagramBytes));
        if (Frames.HeaderBytes + body.Length > limit || PacketBuffers.Rent() is not { } buffer) return false;
        try
        {
            var length = Frames.Write(buffer.AsSpan(DataPacket.HeaderBytes), type, body);
            if (datagramBytes > 0)
            {
                buffer.AsSpan(DataPacket.HeaderBytes + length, limit - length).Clear();
                length = limit;
            }
            return Seal(path, buffer, length, out _);
        }
        finally { PacketBuffers.Return(); }
    }

    /// <summary>What is due: questions after silence, the end of old keys, of candidates, of the session. Gives when to look again.</summary>
    internal TimeSpan Work(TimeSpan now)
    {
        var options = _table.Options;
        if (now - LastIn >= options.IdleAfter)
        {
            _table.Remove(this);
            return TimeSpan.MaxValue;
        }
        var next = LastIn + options.IdleAfter;
        if (OldIndex != 0)
        {
            if (now >= _oldUntil) DropOldKey();
            else next = Earlier(next, _oldUntil);
        }
        if (_askAt != None)
        {
            if (_awaitingSince == None) _askAt = None;
            else if (now >= _askAt) Ask(now);
            if (!IsOpen) return TimeSpan.MaxValue;
            if (_askAt != None) next = Earlier(next, _askAt);
        }
        if (_moves is not null) next = Earlier(next, _moves.Work(now));
        if (MtuState is not null) next = Earlier(next, _table.Mtu.Work(this, now));
        return next;
    }

    /// <summary>Overwrites everything secret. Called by the table, once.</summary>
    internal void End()
    {
        IsOpen = false;
        CryptographicOperations.ZeroMemory(_keys);
    }

    private Span<byte> Key(int offset) => _keys.AsSpan(offset, KeyBytes);

    private void DropOldKey()
    {
        if (OldIndex == 0) return;
        _table.Indexes.Free(OldIndex);
        CryptographicOperations.ZeroMemory(Key(OldKey));
        (OldIndex, _oldWindow) = (0, default);
    }

    /// <summary>Pads, encrypts and sends the frames that lie in the buffer behind the header's place.</summary>
    private bool Seal(SessionPath path, byte[] buffer, int frameBytes, out PacketNumber number)
    {
        number = default;
        if (!IsOpen) return false;
        var (now, options) = (_table.Host.Now, _table.Options);
        var age = now - _keyedAt;
        if (age >= _rekeyAge || _counter >= (ulong)options.RekeyPackets)
        {
            _table.Rekey(this);
            // Better no packet than one under a key that has served its time.
            if (age >= options.RefuseAfter || _counter >= (ulong)options.RefusePackets) return false;
        }
        var padded = PacketBytes(frameBytes) - DataPacket.OverheadBytes;
        var packet = buffer.AsSpan(0, padded + DataPacket.OverheadBytes);
        packet.Slice(DataPacket.HeaderBytes + frameBytes, padded - frameBytes).Clear();
        packet[0] = DataPacket.FirstByte;
        BinaryPrimitives.WriteUInt32BigEndian(packet[1..], RemoteIndex);
        BinaryPrimitives.WriteUInt64BigEndian(packet[5..], _counter);
        var text = packet.Slice(DataPacket.HeaderBytes, padded);
        var wantsAnswer = _awaitingSince == None && Frames.WantsAnswer(text);
        _table.Crypto.Seal(Key(SendingKey), _counter, packet[..DataPacket.HeaderBytes], text, packet[DataPacket.HeaderBytes..]);
        number = new PacketNumber(Epoch, _counter++);
        LastOut = now;
        Peer.LastOut = now;
        if (wantsAnswer)
        {
            _awaitingSince = now;
            // Until the first packet under new keys is answered the other side may not have them: ask sooner.
            _askAt = now + (_isConfirmed ? options.SilenceAfter : Soon);
            _table.Schedule(_askAt);
        }
        path.Send(packet);
        return true;
    }

    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(500);

    /// <summary>Something was sent and nothing came: ask, and after four questions make a new handshake, for the peer may have started again.</summary>
    private void Ask(TimeSpan now)
    {
        if (_asked >= 4)
        {
            _askAt = None;
            _table.Rekey(this);
            return;
        }
        _askAt = now + TimeSpan.FromSeconds(_asked == 0 ? 1 : 2);
        _asked++;
        SendPing(Path);
        // Twice in vain: other addresses, a new puncture or a relay are tried beside it (OV-6.8).
        if (_asked == 3) _table.Host.Connector.PathSilent(this);
    }

    private static TimeSpan Earlier(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
