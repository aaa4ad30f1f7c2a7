using System.Buffers.Binary;
using Polder.Identity;

namespace Polder.Overlay.Sessions;

/// <summary>Which indexes of a session stand for which communities, and long messages of which parts are missing.</summary>
internal sealed class MessageState
{
    public const int IndexesMax = 255, PartialMax = 4;

    /// <summary>Communities by our index, in order.</summary>
    public List<CommunityId> Ours { get; } = new(2);

    /// <summary>How many of ours the peer has confirmed, as a bit each.</summary>
    public UInt128[] Confirmed { get; } = new UInt128[2];

    /// <summary>Communities by the peer's index.</summary>
    public List<(byte Index, CommunityId Id)> Theirs { get; } = new(2);

    public ushort NextLong { get; set; }
    public List<PartialMessage>? Partial { get; set; }

    public int FindTheirs(byte index)
    {
        for (var i = 0; i < Theirs.Count; i++)
            if (Theirs[i].Index == index) return i;
        return -1;
    }

    public bool IsConfirmed(int index) => (Confirmed[index / 128] >> (index % 128) & 1) == 1;
}

/// <summary>A long message whose parts come one by one.</summary>
internal sealed class PartialMessage(ushort number, int parts, int bytes, TimeSpan at)
{
    public ushort Number { get; } = number;
    public TimeSpan At { get; } = at;
    public byte[] Bytes { get; } = new byte[bytes];
    public bool[] Have { get; } = new bool[parts];
    public int Missing { get; set; } = parts;
}

/// <summary>
/// Messages of communities inside sessions: they wait for a handshake, go out under an index of one byte, and reach the handler that
/// an IPv8 packet would reach (OV-3.11).
/// </summary>
/// <remarks><code>
/// MESSAGE       index u8 | message id u8 | fields
/// MESSAGE_BIND  index u8 | community id 20 | message id u8 | fields; answered by MESSAGE_BOUND index u8
/// MESSAGE_PART  number u16 | total bytes u16 | part u8 | bytes of a part u16 | piece of (community id 20 | message id u8 | fields)
/// </code></remarks>
internal sealed class SessionMessages
{
    private const int BindBytes = 1 + CommunityId.Bytes + 1, LongHeaderBytes = CommunityId.Bytes + 1, PartHeaderBytes = 7, PartBytesMin = 256;
    private static readonly TimeSpan PartialFor = TimeSpan.FromSeconds(10);

    private readonly SessionTable _table;
    private readonly NodeHost _host;
    private Dictionary<PublicKey, Waiting>? _waiting;
    private long _partialBytes;

    public SessionMessages(SessionTable table) => (_table, _host) = (table, table.Host);

    private sealed class Waiting
    {
        public List<(Community Community, byte Number, MessageForm Form, byte[] Fields)> Messages { get; } = [];
        public int Bytes { get; set; }
    }

    /// <summary>Sends a message in the session with that peer.</summary>
    public static bool Send(Session session, CommunityId community, byte number, ReadOnlySpan<byte> fields)
    {
        var state = session.Messages ??= new MessageState();
        var index = state.Ours.IndexOf(community);
        if (index < 0 && state.Ours.Count < MessageState.IndexesMax)
        {
            index = state.Ours.Count;
            state.Ours.Add(community);
        }
        var isBound = index >= 0 && state.IsConfirmed(index);
        if (Frames.HeaderBytes + (isBound ? 2 : BindBytes) + fields.Length > session.FrameBytesMax) return SendLong(session, state, community, number, fields);
        if (PacketBuffers.Rent() is not { } body) return false;
        try
        {
            // Index 255 is never confirmed: whoever has more communities than that names them each time.
            body[0] = index < 0 ? byte.MaxValue : (byte)index;
            if (!isBound) community.CopyTo(body.AsSpan(1));
            var offset = isBound ? 1 : 1 + CommunityId.Bytes;
            body[offset] = number;
            fields.CopyTo(body.AsSpan(offset + 1));
            return session.Send(isBound ? FrameType.Message : FrameType.MessageBind, body.AsSpan(0, offset + 1 + fields.Length));
        }
        finally { PacketBuffers.Return(); }
    }

    /// <summary>Keeps a message until the session opens or fails. False: too much waits already.</summary>
    public bool Keep(PublicKey key, Community community, byte number, MessageForm form, ReadOnlySpan<byte> fields)
    {
        _waiting ??= new Dictionary<PublicKey, Waiting>(PublicKey.Comparer);
        if (!_waiting.TryGetValue(key, out var waiting)) _waiting[key] = waiting = new Waiting();
        if (waiting.Messages.Count >= _table.Options.WaitingMessagesMax || waiting.Bytes + fields.Length > _table.Options.WaitingBytesMax)
        {
            _host.Counters.Reached(Cap.WaitingMessages);
            return false;
        }
        waiting.Messages.Add((community, number, form, fields.ToArray()));
        waiting.Bytes += fields.Length;
        return true;
    }

    /// <summary>What waited for that key goes out: in the session, plain, or nowhere.</summary>
    public void Release(PublicKey key, Session? session, bool plain)
    {
        if (_waiting is null || !_waiting.Remove(key, out var waiting)) return;
        foreach (var (community, number, form, fields) in waiting.Messages)
        {
            if (community.IsLeft) continue;
            if (session is not null) Send(session, community.CommunityId, number, fields);
            else if (plain && !community.InSessionsOnly && _host.Peers.Find(key) is { } peer) community.SendPlain(peer.Address, number, form, fields);
            else _host.Counters.Count(Refusal.NoSession);
        }
    }

    public bool ReceiveMessage(Session session, ReadOnlySpan<byte> body)
    {
        if (body.Length < 2) return false;
        // The index may be of a MESSAGE_BIND that was lost or overtaken: no fault of the peer's.
        var index = body[0];
        var at = session.Messages?.FindTheirs(index) ?? -1;
        if (at < 0) _table.Refuse(Refusal.UnknownCommunity);
        else Deliver(session, session.Messages!.Theirs[at].Id, body[1], body[2..]);
        return true;
    }

    public bool ReceiveBind(Session session, ReadOnlySpan<byte> body)
    {
        if (body.Length < BindBytes) return false;
        var id = new CommunityId(body.Slice(1, CommunityId.Bytes));
        if (body[0] < MessageState.IndexesMax)
        {
            var state = session.Messages ??= new MessageState();
            var index = body[0];
            var at = state.FindTheirs(index);
            if (at < 0) state.Theirs.Add((index, id));
            else state.Theirs[at] = (index, id);
            session.Send(FrameType.MessageBound, body[..1]);
        }
        if (session.IsOpen) Deliver(session, id, body[BindBytes - 1], body[BindBytes..]);
        return true;
    }

    public static bool ReceiveBound(Session session, ReadOnlySpan<byte> body)
    {
        if (body.Length != 1) return false;
        if (session.Messages is { } state && body[0] < state.Ours.Count) state.Confirmed[body[0] / 128] |= UInt128.One << (body[0] % 128);
        return true;
    }

    public bool ReceivePart(Session session, ReadOnlySpan<byte> body)
    {
        if (body.Length <= PartHeaderBytes) return false;
        var number = BinaryPrimitives.ReadUInt16BigEndian(body);
        var (total, part, partBytes) = (
            (int)BinaryPrimitives.ReadUInt16BigEndian(body[2..]), (int)body[4], (int)BinaryPrimitives.ReadUInt16BigEndian(body[5..]));
        var piece = body[PartHeaderBytes..];
        if (total < LongHeaderBytes || partBytes == 0 || piece.Length != Math.Min(partBytes, total - part * partBytes)) return false;
        var parts = (total + partBytes - 1) / partBytes;
        // A place of the whole length is taken at the first part: tiny parts would take much for little.
        if (parts > byte.MaxValue || (parts > 1 && partBytes < PartBytesMin)) return false;
        var state = session.Messages ??= new MessageState();
        state.Partial ??= [];
        var partial = state.Partial.Find(known => known.Number == number);
        if (partial is null)
        {
            if (!MakeRoom(state, total)) return true;
            partial = new PartialMessage(number, parts, total, _host.Now);
            state.Partial.Add(partial);
            _partialBytes += total;
        }
        if (partial.Have.Length != parts || partial.Bytes.Length != total) return false;
        if (partial.Have[part]) return true;
        partial.Have[part] = true;
        partial.Missing--;
        piece.CopyTo(partial.Bytes.AsSpan(part * partBytes));
        if (partial.Missing > 0) return true;
        Forget(state, partial);
        ReadOnlySpan<byte> whole = partial.Bytes;
        Deliver(session, new CommunityId(whole[..CommunityId.Bytes]), whole[CommunityId.Bytes], whole[LongHeaderBytes..]);
        return true;
    }

    /// <summary>A session ended: nothing of it is kept.</summary>
    public void Forget(Session session)
    {
        if (session.Messages is not { } state) return;
        while (state.Partial is [var partial, ..]) Forget(state, partial);
        session.Messages = null;
    }

    private static bool SendLong(Session session, MessageState state, CommunityId community, byte number, ReadOnlySpan<byte> fields)
    {
        var pieceBytes = session.FrameBytesMax - Frames.HeaderBytes - PartHeaderBytes;
        var total = LongHeaderBytes + fields.Length;
        var parts = (total + pieceBytes - 1) / pieceBytes;
        if (parts > byte.MaxValue || total > ushort.MaxValue) return false;
        if (PacketBuffers.Rent() is not { } whole) return false;
        try
        {
            community.CopyTo(whole);
            whole[CommunityId.Bytes] = number;
            fields.CopyTo(whole.AsSpan(LongHeaderBytes));
            if (PacketBuffers.Rent() is not { } body) return false;
            try
            {
                BinaryPrimitives.WriteUInt16BigEndian(body, unchecked(state.NextLong++));
                BinaryPrimitives.WriteUInt16BigEndian(body.AsSpan(2), (ushort)total);
                BinaryPrimitives.WriteUInt16BigEndian(body.AsSpan(5), (ushort)pieceBytes);
                for (var part = 0; part < parts; part++)
                {
                    body[4] = (byte)part;
                    var piece = whole.AsSpan(part * pieceBytes, Math.Min(pieceBytes, total - part * pieceBytes));
                    piece.CopyTo(body.AsSpan(PartHeaderBytes));
                    if (!session.Send(FrameType.MessagePart, body.AsSpan(0, PartHeaderBytes + piece.Length))) return false;
                }
                return true;
            }
            finally { PacketBuffers.Return(); }
        }
        finally { PacketBuffers.Return(); }
    }

    private void Deliver(Session session, CommunityId id, byte number, ReadOnlySpan<byte> fields)
    {
        if (_host.FindCommunity(id) is { IsAlwaysPlain: false } community) community.ReceiveInSession(session, number, fields);
        else _table.Refuse(Refusal.UnknownCommunity);
    }

    private bool MakeRoom(MessageState state, int bytes)
    {
        var now = _host.Now;
        for (var i = state.Partial!.Count - 1; i >= 0; i--)
            if (now - state.Partial[i].At > PartialFor) Forget(state, state.Partial[i]);
        if (state.Partial.Count >= MessageState.PartialMax) Forget(state, state.Partial[0]);
        if (_partialBytes + bytes <= _table.Options.ReassemblyBytesMax) return true;
        // Everybody's old pieces, before anybody's new ones are refused.
        foreach (var session in _table.All)
            if (session.Messages is { Partial: not null } other)
                for (var i = other.Partial.Count - 1; i >= 0; i--)
                    if (now - other.Partial[i].At > PartialFor) Forget(other, other.Partial[i]);
        if (_partialBytes + bytes <= _table.Options.ReassemblyBytesMax) return true;
        _host.Counters.Reached(Cap.Reassembly);
        return false;
    }

    private void Forget(MessageState state, PartialMessage partial)
    {
        if (state.Partial!.Remove(partial)) _partialBytes -= partial.Bytes.Length;
    }
}
