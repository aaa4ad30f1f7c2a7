using System.Buffers.Binary;
using Polder.Cryptography;

namespace Polder.Overlay.Content;

/// <summary>What a provider has of a content.</summary>
internal enum Holding : byte { Nothing = 0, All = 1, Part = 2, Busy = 3 }

/// <summary>The bytes of "polder/content/1" on a stream.</summary>
/// <remarks><code>
/// asker, once            name (32)
/// provider, once         holding (1): 0 nothing, 1 all, 2 a part, 3 busy; after 0 and 3 the stream ends
///                        after 1 and 2: size (8), root of the tree (32)
///                        after 2: a bit for each leaf that is there, (leaves + 7) / 8 bytes, lowest bit first
/// asker, each time       first leaf (4), how many (2): 1 to 64
/// provider, for each     leaf (4), bytes (2): 0 = not here; hashes beside its path (1), those hashes (32 each, from the leaf up), the bytes
/// </code></remarks>
internal static class ContentWire
{
    public const string ProtocolName = "polder/content/1";
    public const int SummaryBytes = 8 + Hash256.Bytes, AskBytes = 6, LeafHeaderBytes = 7, LeavesPerAsk = 64;

    public static void WriteSummary(Span<byte> bytes, ContentSummary summary)
    {
        BinaryPrimitives.WriteInt64BigEndian(bytes, summary.Size);
        summary.Root.CopyTo(bytes[8..]);
    }

    /// <summary>Null: no such content can be, or it is not what the name says.</summary>
    public static ContentSummary? ReadSummary(ReadOnlySpan<byte> bytes, ContentId id, long sizeMax)
    {
        if (bytes.Length != SummaryBytes) return null;
        var (size, root) = (BinaryPrimitives.ReadInt64BigEndian(bytes), new Hash256(bytes[8..]));
        if (size < 1 || size > sizeMax || ContentId.Of(size, root) != id) return null;
        return new ContentSummary(size, root);
    }

    public static void WriteAsk(Span<byte> bytes, int first, int count)
    {
        BinaryPrimitives.WriteUInt32BigEndian(bytes, (uint)first);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[4..], (ushort)count);
    }

    public static bool TryReadAsk(ReadOnlySpan<byte> bytes, int leaves, out int first, out int count)
    {
        (first, count) = (0, 0);
        if (bytes.Length != AskBytes) return false;
        var from = BinaryPrimitives.ReadUInt32BigEndian(bytes);
        count = BinaryPrimitives.ReadUInt16BigEndian(bytes[4..]);
        if (count is 0 or > LeavesPerAsk || from + (ulong)count > (ulong)leaves) return false;
        first = (int)from;
        return true;
    }

    public static void WriteLeafHeader(Span<byte> bytes, int leaf, int length, int path)
    {
        BinaryPrimitives.WriteUInt32BigEndian(bytes, (uint)leaf);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[4..], (ushort)length);
        bytes[6] = (byte)path;
    }

    /// <summary>False: not the leaf that was asked for, or not of its form.</summary>
    public static bool TryReadLeafHeader(ReadOnlySpan<byte> bytes, LeafTree tree, int wanted, out int length, out int path)
    {
        (length, path) = (0, 0);
        if (bytes.Length != LeafHeaderBytes || BinaryPrimitives.ReadUInt32BigEndian(bytes) != (uint)wanted) return false;
        length = BinaryPrimitives.ReadUInt16BigEndian(bytes[4..]);
        path = bytes[6];
        return length == 0 ? path == 0 : length == tree.Summary.LengthOf(wanted) && path == tree.PathLength(wanted);
    }
}
