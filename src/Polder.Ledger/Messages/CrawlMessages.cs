using Polder.Identity;
using Polder.Wire;

namespace Polder.Ledger.Messages;

/// <summary>Message 2: "which blocks of this chain have you?" Signed. Two forms live in the network and cannot read each other; we read both.</summary>
/// <remarks><code>
/// offset  size  field
///      0    74  public key   whose chain
///     74  4|8  start        signed; below 0 counts from the end: −1 is the last
///      .  4|8  end          signed, included
///      .     4  crawl id     the answer repeats it
/// </code>86 bytes with bounds of 4 (py), 94 with bounds of 8 (Kotlin).</remarks>
/// <param name="Key">Whose chain.</param>
/// <param name="Start">First number.</param>
/// <param name="End">Last number.</param>
/// <param name="CrawlId">Repeated by the answer.</param>
/// <param name="Wide">Kotlin's form.</param>
public readonly record struct CrawlRequest(ReadOnlyMemory<byte> Key, long Start, long End, uint CrawlId, bool Wide) : IMessage<CrawlRequest>
{
    /// <summary>Bytes in py's form.</summary>
    public const int NarrowBytes = KeyFormat.Bytes + 4 + 4 + 4;
    /// <summary>Bytes in Kotlin's form.</summary>
    public const int WideBytes = KeyFormat.Bytes + 8 + 8 + 4;

    /// <inheritdoc/>
    public static byte Number => 2;

    /// <inheritdoc/>
    public static CrawlRequest Read(ref WireReader reader)
    {
        var wide = reader.Remaining >= WideBytes;
        var key = reader.ReadBytes(KeyFormat.Bytes).ToArray();
        return wide
            ? new CrawlRequest(key, reader.ReadInt64(), reader.ReadInt64(), reader.ReadUInt32(), true)
            : new CrawlRequest(key, reader.ReadInt32(), reader.ReadInt32(), reader.ReadUInt32(), false);
    }

    /// <inheritdoc/>
    public void Write(ref WireWriter writer)
    {
        writer.WriteBytes(Key.Span);
        if (Wide)
        {
            writer.WriteInt64(Start);
            writer.WriteInt64(End);
        }
        else
        {
            writer.WriteInt32((int)Math.Clamp(Start, int.MinValue, int.MaxValue));
            writer.WriteInt32((int)Math.Clamp(End, int.MinValue, int.MaxValue));
        }
        writer.WriteUInt32(CrawlId);
    }
}

/// <summary>Message 7: "none of those." Unsigned.</summary>
/// <remarks><code>
/// offset  size  field
///      0     4  crawl id
/// </code></remarks>
public readonly record struct EmptyCrawlResponse(uint CrawlId) : IMessage<EmptyCrawlResponse>
{
    /// <inheritdoc/>
    public static byte Number => 7;
    /// <inheritdoc/>
    public static EmptyCrawlResponse Read(ref WireReader reader) => new(reader.ReadUInt32());
    /// <inheritdoc/>
    public void Write(ref WireWriter writer) => writer.WriteUInt32(CrawlId);
}
