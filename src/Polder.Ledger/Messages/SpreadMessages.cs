using System.Buffers.Binary;
using Polder.Ledger.Blocks;
using Polder.Ledger.Stores;
using Polder.Wire;

namespace Polder.Ledger.Messages;

/// <summary>Message 32, ours: "new blocks". Between full nodes, in sessions. Hops 0: the answer to <see cref="NewsWanted"/>, or not to be pushed on.</summary>
/// <remarks><code>
/// offset  size  field
///      0     1  hops     left; pushed on with one less while above 0
///      1     1  n        1 to 4
///      2     –  n blocks
/// </code></remarks>
public readonly record struct BlockPush(byte Hops, IReadOnlyList<HalfBlock> Blocks) : IMessage<BlockPush>
{
    /// <summary>Blocks of one message.</summary>
    public const int BlocksMax = 4;

    /// <inheritdoc/>
    public static byte Number => 32;

    /// <inheritdoc/>
    public static BlockPush Read(ref WireReader reader)
    {
        var hops = reader.ReadByte();
        var count = reader.ReadByte();
        reader.Require(count is > 0 and <= BlocksMax);
        if (reader.Failed) return default;
        var blocks = new HalfBlock[count];
        for (var i = 0; i < count && !reader.Failed; i++) blocks[i] = BlockWire.Read(ref reader);
        return new BlockPush(hops, blocks);
    }

    /// <inheritdoc/>
    public void Write(ref WireWriter writer)
    {
        if (Blocks.Count is 0 or > BlocksMax) throw new InvalidOperationException($"A push has 1 to {BlocksMax} blocks.");
        writer.WriteByte(Hops);
        writer.WriteByte((byte)Blocks.Count);
        foreach (var block in Blocks) writer.WriteBytes(block.Packed.Span);
    }
}

/// <summary>Message 33, ours: "a proof of fraud". Whoever gets one that is new and true passes it on.</summary>
/// <remarks><code>
/// offset  size  field
///      0     1  kind      1 double sign, 2 double countersign
///      1     1  has       1 when the proposal follows
///      2     –  two blocks, then the proposal to which both agree, where it is sent
/// </code></remarks>
public readonly record struct FraudPush(FraudProof Proof) : IMessage<FraudPush>
{
    /// <inheritdoc/>
    public static byte Number => 33;

    /// <inheritdoc/>
    public static FraudPush Read(ref WireReader reader)
    {
        var kind = (FraudKind)reader.ReadByte();
        var has = reader.ReadByte();
        reader.Require(has <= 1);
        var (first, second) = (BlockWire.Read(ref reader), BlockWire.Read(ref reader));
        var proposal = has == 1 ? BlockWire.Read(ref reader) : null;
        return new FraudPush(new FraudProof(kind, first, second) { Proposal = proposal });
    }

    /// <inheritdoc/>
    public void Write(ref WireWriter writer)
    {
        writer.WriteByte((byte)Proof.Kind);
        writer.WriteByte(Proof.Proposal is null ? (byte)0 : (byte)1);
        writer.WriteBytes(Proof.First.Packed.Span);
        writer.WriteBytes(Proof.Second.Packed.Span);
        if (Proof.Proposal is { } proposal) writer.WriteBytes(proposal.Packed.Span);
    }
}

/// <summary>Message 34, ours: "what is new with you since I asked last?"</summary>
/// <remarks><code>
/// offset  size  field
///      0     4  life      of the list that the positions are in, as the answer before said; 0 the first time
///      4     8  blocks    up to where the list of blocks is known
///     12     4  proofs    up to where the list of proofs is known
/// </code></remarks>
public readonly record struct NewsRequest(uint Life, ulong Blocks, uint Proofs) : IMessage<NewsRequest>
{
    /// <inheritdoc/>
    public static byte Number => 34;
    /// <inheritdoc/>
    public static NewsRequest Read(ref WireReader reader) => new(reader.ReadUInt32(), reader.ReadUInt64(), reader.ReadUInt32());

    /// <inheritdoc/>
    public void Write(ref WireWriter writer)
    {
        writer.WriteUInt32(Life);
        writer.WriteUInt64(Blocks);
        writer.WriteUInt32(Proofs);
    }
}

/// <summary>Message 35, ours: what is new, by 8 bytes each. Of blocks the newest, of proofs the oldest not known.</summary>
/// <remarks><code>
/// offset  size  field
///      0     4  life
///      4     8  blocks    the end of the list of blocks
///     12     4  proofs    up to where the list of proofs is told
///     16     1  n         at most 64
///     17    8n  first 8 bytes of the hash of each block
///      –     1  m         at most 32
///      –    8m  first 8 bytes of SHA-256 over each culprit's key
/// </code></remarks>
public readonly record struct NewsList(uint Life, ulong BlocksTo, uint ProofsTo, ulong[] Blocks, ulong[] Proofs) : IMessage<NewsList>
{
    /// <summary>Most of one message.</summary>
    public const int BlocksMax = 64, ProofsMax = 32;

    /// <inheritdoc/>
    public static byte Number => 35;

    /// <inheritdoc/>
    public static NewsList Read(ref WireReader reader) => new(
        reader.ReadUInt32(), reader.ReadUInt64(), reader.ReadUInt32(), SpreadWire.ReadHeads(ref reader, BlocksMax), SpreadWire.ReadHeads(ref reader, ProofsMax));

    /// <inheritdoc/>
    public void Write(ref WireWriter writer)
    {
        writer.WriteUInt32(Life);
        writer.WriteUInt64(BlocksTo);
        writer.WriteUInt32(ProofsTo);
        SpreadWire.WriteHeads(ref writer, Blocks, BlocksMax);
        SpreadWire.WriteHeads(ref writer, Proofs, ProofsMax);
    }
}

/// <summary>Message 36, ours: "give me these", answered by messages 32 and 33.</summary>
/// <remarks><code>
/// offset  size  field
///      0     1  n         at most 16
///      1    8n  blocks, as message 35 names them
///      –     1  m         at most 8
///      –    8m  proofs
/// </code></remarks>
public readonly record struct NewsWanted(ulong[] Blocks, ulong[] Proofs) : IMessage<NewsWanted>
{
    /// <summary>Most of one message.</summary>
    public const int BlocksMax = 16, ProofsMax = 8;

    /// <inheritdoc/>
    public static byte Number => 36;

    /// <inheritdoc/>
    public static NewsWanted Read(ref WireReader reader) =>
        new(SpreadWire.ReadHeads(ref reader, BlocksMax), SpreadWire.ReadHeads(ref reader, ProofsMax));

    /// <inheritdoc/>
    public void Write(ref WireWriter writer)
    {
        SpreadWire.WriteHeads(ref writer, Blocks, BlocksMax);
        SpreadWire.WriteHeads(ref writer, Proofs, ProofsMax);
    }
}

internal static class SpreadWire
{
    public static ulong[] ReadHeads(ref WireReader reader, int max)
    {
        var count = reader.ReadByte();
        reader.Require(count <= max, WireError.TooLong);
        var bytes = reader.ReadBytes(8 * count);
        if (reader.Failed || count == 0) return [];
        var heads = new ulong[count];
        for (var i = 0; i < count; i++) heads[i] = BinaryPrimitives.ReadUInt64BigEndian(bytes[(8 * i)..]);
        return heads;
    }

    public static void WriteHeads(ref WireWriter writer, ulong[] heads, int max)
    {
        if (heads.Length > max) throw new InvalidOperationException($"At most {max} at once.");
        writer.WriteByte((byte)heads.Length);
        foreach (var head in heads) writer.WriteUInt64(head);
    }
}
