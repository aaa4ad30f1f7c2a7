using Polder.Ledger.Blocks;
using Polder.Wire;

namespace Polder.Ledger.Messages;

/// <summary>Message 1: one block, to its counterparty. Unsigned: the block carries its own signature.</summary>
/// <remarks><code>
/// offset  size  field
///      0     n  block    <see cref="HalfBlock"/>
/// </code></remarks>
public readonly record struct HalfBlockMessage(HalfBlock Block) : IMessage<HalfBlockMessage>
{
    /// <inheritdoc/>
    public static byte Number => 1;
    /// <inheritdoc/>
    public static HalfBlockMessage Read(ref WireReader reader) => new(BlockWire.Read(ref reader));
    /// <inheritdoc/>
    public void Write(ref WireWriter writer) => writer.WriteBytes(Block.Packed.Span);
}

/// <summary>Message 3: one block of an answer to a crawl. Unsigned.</summary>
/// <remarks><code>
/// offset  size  field
///      0     n  block
///      n     4  crawl id    the request's
///    n+4     4  index       from 1
///    n+8     4  total       blocks in this answer
/// </code></remarks>
public readonly record struct CrawlResponse(HalfBlock Block, uint CrawlId, uint Index, uint Total) : IMessage<CrawlResponse>
{
    /// <inheritdoc/>
    public static byte Number => 3;
    /// <inheritdoc/>
    public static CrawlResponse Read(ref WireReader reader) =>
        new(BlockWire.Read(ref reader), reader.ReadUInt32(), reader.ReadUInt32(), reader.ReadUInt32());

    /// <inheritdoc/>
    public void Write(ref WireWriter writer)
    {
        writer.WriteBytes(Block.Packed.Span);
        writer.WriteUInt32(CrawlId);
        writer.WriteUInt32(Index);
        writer.WriteUInt32(Total);
    }
}

/// <summary>Message 4: both halves of a record. Unsigned.</summary>
/// <remarks><code>
/// offset  size  field
///      0     n  block
///      n     m  block
/// </code></remarks>
public readonly record struct HalfBlockPair(HalfBlock First, HalfBlock Second) : IMessage<HalfBlockPair>
{
    /// <inheritdoc/>
    public static byte Number => 4;
    /// <inheritdoc/>
    public static HalfBlockPair Read(ref WireReader reader) => new(BlockWire.Read(ref reader), BlockWire.Read(ref reader));

    /// <inheritdoc/>
    public void Write(ref WireWriter writer)
    {
        writer.WriteBytes(First.Packed.Span);
        writer.WriteBytes(Second.Packed.Span);
    }
}

/// <summary>Message 5: a block for everybody. Unsigned.</summary>
/// <remarks><code>
/// offset  size  field
///      0     n  block
///      n     4  ttl      hops left; passed on with one less while above 1
/// </code></remarks>
public readonly record struct HalfBlockBroadcast(HalfBlock Block, uint Ttl) : IMessage<HalfBlockBroadcast>
{
    /// <inheritdoc/>
    public static byte Number => 5;
    /// <inheritdoc/>
    public static HalfBlockBroadcast Read(ref WireReader reader) => new(BlockWire.Read(ref reader), reader.ReadUInt32());

    /// <inheritdoc/>
    public void Write(ref WireWriter writer)
    {
        writer.WriteBytes(Block.Packed.Span);
        writer.WriteUInt32(Ttl);
    }
}

/// <summary>Message 6: both halves of a record for everybody. Unsigned.</summary>
/// <remarks><code>
/// offset  size  field
///      0     n  block
///      n     m  block
///    n+m     4  ttl
/// </code></remarks>
public readonly record struct HalfBlockPairBroadcast(HalfBlock First, HalfBlock Second, uint Ttl) : IMessage<HalfBlockPairBroadcast>
{
    /// <inheritdoc/>
    public static byte Number => 6;
    /// <inheritdoc/>
    public static HalfBlockPairBroadcast Read(ref WireReader reader) =>
        new(BlockWire.Read(ref reader), BlockWire.Read(ref reader), reader.ReadUInt32());

    /// <inheritdoc/>
    public void Write(ref WireWriter writer)
    {
        writer.WriteBytes(First.Packed.Span);
        writer.WriteBytes(Second.Packed.Span);
        writer.WriteUInt32(Ttl);
    }
}

internal static class BlockWire
{
    /// <summary>One block out of a message. After a failure it is null, and the message never reaches a handler.</summary>
    public static HalfBlock Read(ref WireReader reader)
    {
        var ahead = reader;
        if (!HalfBlock.TryMeasure(ahead.ReadRest(), out var bytes)) reader.Fail(WireError.Truncated);
        return HalfBlock.TryUnpack(reader.ReadBytes(bytes), out var block) ? block : null!;
    }
}
