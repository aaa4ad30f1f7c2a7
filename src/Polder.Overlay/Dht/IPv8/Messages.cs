using Polder.Identity;
using Polder.Net;
using Polder.Wire;

namespace Polder.Overlay.Dht.IPv8;

/// <summary>Message 1: "are you there?" Fields: identifier (4).</summary>
internal readonly record struct PingRequest(uint Nonce) : IMessage<PingRequest>
{
    public static byte Number => 1;
    public static PingRequest Read(ref WireReader reader) => new(reader.ReadUInt32());
    public void Write(ref WireWriter writer) => writer.WriteUInt32(Nonce);
}

/// <summary>Message 2: the answer. Fields: identifier (4).</summary>
internal readonly record struct PingResponse(uint Nonce) : IMessage<PingResponse>, ICorrelated
{
    public static byte Number => 2;
    public ushort Identifier => unchecked((ushort)Nonce);
    public static PingResponse Read(ref WireReader reader) => new(reader.ReadUInt32());
    public void Write(ref WireWriter writer) => writer.WriteUInt32(Nonce);
}

/// <summary>Message 3: "keep these values."</summary>
/// <remarks><code>
/// offset  size  field
///      0     4  identifier
///      4    20  token        of a find-response of the receiver
///     24    20  target       the key
///     44     1  n            at most 8
///     45   2+x  value        n times, each at most 170 bytes (ValueFormat)
/// </code></remarks>
internal readonly record struct StoreRequest(uint Nonce, DhtToken Token, DhtId Target, byte[][] Values) : IMessage<StoreRequest>
{
    public static byte Number => 3;
    public static StoreRequest Read(ref WireReader reader) =>
        new(reader.ReadUInt32(), reader.ReadToken(), reader.ReadDhtId(), reader.ReadValues());
    public void Write(ref WireWriter writer)
    {
        writer.WriteUInt32(Nonce);
        writer.WriteToken(Token);
        writer.WriteDhtId(Target);
        writer.WriteValues(Values);
    }
}

/// <summary>Message 4: "kept" (or the token was good, at least). Fields: identifier (4).</summary>
internal readonly record struct StoreResponse(uint Nonce) : IMessage<StoreResponse>, ICorrelated
{
    public static byte Number => 4;
    public ushort Identifier => unchecked((ushort)Nonce);
    public static StoreResponse Read(ref WireReader reader) => new(reader.ReadUInt32());
    public void Write(ref WireWriter writer) => writer.WriteUInt32(Nonce);
}

/// <summary>Message 5: "who is near this key, or what is there?"</summary>
/// <remarks><code>
/// offset  size  field
///      0     4  identifier
///      4  7/19  lan          the sender's address in its network (ip_address)
///      .    20  target
///      .     4  offset       values to leave out
///      .     1  force nodes  not 0: nodes even if there are values
/// </code></remarks>
internal readonly record struct FindRequest(uint Nonce, Endpoint Lan, DhtId Target, uint Offset, bool ForceNodes) : IMessage<FindRequest>
{
    public static byte Number => 5;
    public static FindRequest Read(ref WireReader reader) =>
        new(reader.ReadUInt32(), reader.ReadAddress(), reader.ReadDhtId(), reader.ReadUInt32(), reader.ReadBoolean());
    public void Write(ref WireWriter writer)
    {
        writer.WriteUInt32(Nonce);
        writer.WriteAddress(Lan);
        writer.WriteDhtId(Target);
        writer.WriteUInt32(Offset);
        writer.WriteBoolean(ForceNodes);
    }
}

/// <summary>Message 6: values or nodes, and a token for storing here.</summary>
/// <remarks><code>
/// offset  size  field
///      0     4  identifier
///      4    20  token
///     24     1  n            values, at most 8
///      .   2+x  value        n times
///      .     1  m            nodes, at most 8
///      .  7/19  address      m times (ip_address), each followed by
///      .  2+74  public key
/// </code></remarks>
internal readonly record struct FindResponse(uint Nonce, DhtToken Token, byte[][] Values, NodeAddress[] Nodes) : IMessage<FindResponse>, ICorrelated
{
    public static byte Number => 6;
    public ushort Identifier => unchecked((ushort)Nonce);
    public static FindResponse Read(ref WireReader reader) =>
        new(reader.ReadUInt32(), reader.ReadToken(), reader.ReadValues(), reader.ReadNodes());
    public void Write(ref WireWriter writer)
    {
        writer.WriteUInt32(Nonce);
        writer.WriteToken(Token);
        writer.WriteValues(Values);
        writer.WriteNodes(Nodes);
    }
}

/// <summary>Message 7: "remember where I am." Fields: identifier (4), token (20), target (20), which must be the sender's mid.</summary>
internal readonly record struct StorePeerRequest(uint Nonce, DhtToken Token, DhtId Target) : IMessage<StorePeerRequest>
{
    public static byte Number => 7;
    public static StorePeerRequest Read(ref WireReader reader) => new(reader.ReadUInt32(), reader.ReadToken(), reader.ReadDhtId());
    public void Write(ref WireWriter writer)
    {
        writer.WriteUInt32(Nonce);
        writer.WriteToken(Token);
        writer.WriteDhtId(Target);
    }
}

/// <summary>Message 8: "I do." Fields: identifier (4).</summary>
internal readonly record struct StorePeerResponse(uint Nonce) : IMessage<StorePeerResponse>, ICorrelated
{
    public static byte Number => 8;
    public ushort Identifier => unchecked((ushort)Nonce);
    public static StorePeerResponse Read(ref WireReader reader) => new(reader.ReadUInt32());
    public void Write(ref WireWriter writer) => writer.WriteUInt32(Nonce);
}

/// <summary>Message 9: "where is this peer, and open its NAT for me." Fields: identifier (4), lan (7/19), target mid (20).</summary>
internal readonly record struct ConnectPeerRequest(uint Nonce, Endpoint Lan, DhtId Target) : IMessage<ConnectPeerRequest>
{
    public static byte Number => 9;
    public static ConnectPeerRequest Read(ref WireReader reader) => new(reader.ReadUInt32(), reader.ReadAddress(), reader.ReadDhtId());
    public void Write(ref WireWriter writer)
    {
        writer.WriteUInt32(Nonce);
        writer.WriteAddress(Lan);
        writer.WriteDhtId(Target);
    }
}

/// <summary>Message 10: where it is. Fields: identifier (4), nodes as in <see cref="FindResponse"/>.</summary>
internal readonly record struct ConnectPeerResponse(uint Nonce, NodeAddress[] Nodes) : IMessage<ConnectPeerResponse>, ICorrelated
{
    public static byte Number => 10;
    public ushort Identifier => unchecked((ushort)Nonce);
    public static ConnectPeerResponse Read(ref WireReader reader) => new(reader.ReadUInt32(), reader.ReadNodes());
    public void Write(ref WireWriter writer)
    {
        writer.WriteUInt32(Nonce);
        writer.WriteNodes(Nodes);
    }
}

/// <summary>A node as others tell of it. Its id is computed from both.</summary>
internal readonly record struct NodeAddress(Endpoint Address, PublicKey Key)
{
    public DhtId Id => DhtId.OfNode(Address, Key.Id);
}

/// <summary>Fields that several of these messages share.</summary>
internal static class MessageFields
{
    // The smallest of each on the wire: what a count may be at most is known before anything is allocated.
    private const int ValueBytesMin = 2, NodeBytesMin = 7 + 2;

    public static DhtId ReadDhtId(this ref WireReader reader) => reader.ReadBytes(DhtId.Bytes) is { Length: DhtId.Bytes } bytes ? new DhtId(bytes) : default;

    public static void WriteDhtId(this ref WireWriter writer, DhtId id) => id.CopyTo(writer.Reserve(DhtId.Bytes));

    public static DhtToken ReadToken(this ref WireReader reader) => reader.ReadBytes(DhtToken.Bytes) is { Length: DhtToken.Bytes } bytes ? new DhtToken(new DhtId(bytes)) : default;

    public static void WriteToken(this ref WireWriter writer, DhtToken token) => token.Content.CopyTo(writer.Reserve(DhtToken.Bytes));

    public static byte[][] ReadValues(this ref WireReader reader)
    {
        var count = reader.ReadByte();
        reader.Require(count * ValueBytesMin <= reader.Remaining, WireError.Truncated);
        reader.Require(count <= IPv8DhtLimits.ValuesMax, WireError.TooLong);
        if (reader.Failed || count == 0) return [];
        var values = new byte[count][];
        for (var i = 0; i < count; i++) values[i] = reader.ReadBytes16().ToArray();
        return values;
    }

    public static void WriteValues(this ref WireWriter writer, byte[][] values)
    {
        writer.WriteByte(checked((byte)values.Length));
        foreach (var value in values) writer.WriteBytes16(value);
    }

    /// <summary>Nodes with keys of a type that we cannot check are left out.</summary>
    public static NodeAddress[] ReadNodes(this ref WireReader reader)
    {
        var count = reader.ReadByte();
        reader.Require(count * NodeBytesMin <= reader.Remaining, WireError.Truncated);
        if (reader.Failed || count == 0) return [];
        var nodes = new NodeAddress[Math.Min((int)count, IPv8DhtLimits.NodesMax)];
        var kept = 0;
        for (var i = 0; i < count; i++)
        {
            var address = reader.ReadAddress();
            var bytes = reader.ReadBytes16();
            if (!reader.Failed && kept < nodes.Length && PublicKey.TryParse(bytes, out var key)) nodes[kept++] = new NodeAddress(address, key);
        }
        return reader.Failed ? [] : nodes[..kept];
    }

    public static void WriteNodes(this ref WireWriter writer, NodeAddress[] nodes)
    {
        writer.WriteByte(checked((byte)nodes.Length));
        foreach (var node in nodes)
        {
            writer.WriteAddress(node.Address);
            writer.WriteBytes16(node.Key.Bytes);
        }
    }
}

/// <summary>Leave to store at a node: 20 bytes that only it can read.</summary>
internal readonly record struct DhtToken(DhtId Content)
{
    public const int Bytes = DhtId.Bytes;
}
