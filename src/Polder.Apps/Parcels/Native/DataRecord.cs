using System.Buffers.Binary;
using System.Text;
using Polder.Cryptography;

namespace Polder.Apps.Parcels.Native;

/// <summary>What a record of a native transfer says: its first byte.</summary>
internal enum DataRecordType : byte
{
    /// <summary>From the receiver: which leaves of an item are missing and present.</summary>
    Have = 1,
    /// <summary>From the sender: hashes of leaves.</summary>
    Hashes = 2,
    /// <summary>From the sender: the bytes of a leaf.</summary>
    Leaf = 3,
    /// <summary>From the receiver: an item is complete and under its name.</summary>
    ItemDone = 4,
    /// <summary>From the receiver: everything is.</summary>
    AllDone = 5,
    /// <summary>From both: it ends here, and why.</summary>
    Stop = 6,
}

/// <summary>Why a transfer stops (record 6).</summary>
internal enum StopCode : byte
{
    /// <summary>A person said so.</summary>
    Cancelled = 1,
    /// <summary>What came does not keep to the rules or is not what was offered.</summary>
    Breach = 2,
    /// <summary>A file changed since it was offered; the text begins with its number and a blank.</summary>
    ItemChanged = 3,
    /// <summary>The disk or a file refused.</summary>
    Disk = 4,
}

/// <summary>A record of a native transfer, read. Spans point into the record.</summary>
/// <remarks><code>
/// 1 have        item(4), run lengths (4 each)            2 hashes     item(4), first(4), 32 bytes each, at most 1,024
/// 3 leaf        item(4), index(4), bytes                 4 item done  item(4)
/// 5 all done    SHA256 over the wanted roots in order    6 stop       code(1), UTF-8 text of at most 500 bytes
/// </code></remarks>
internal readonly ref struct DataRecord
{
    /// <summary>Hashes in one record at most.</summary>
    public const int HashesMax = 1024;

    /// <summary>Bytes of a stop's text at most.</summary>
    public const int TextBytesMax = 500;

    /// <summary>Bytes before a leaf's own.</summary>
    public const int LeafHeaderBytes = 9;

    /// <summary>Bytes of a record at most: the largest leaf with its header.</summary>
    public const int BytesMax = LeafHeaderBytes + ContentName.LeafBytesMost;

    /// <summary>What it says.</summary>
    public DataRecordType Type { get; private init; }
    /// <summary>Of which item, for types 1 to 4.</summary>
    public int Item { get; private init; }
    /// <summary>The leaf, or the first of the hashes.</summary>
    public int Index { get; private init; }
    /// <summary>What follows: run lengths, hashes, a leaf's bytes, the final hash, or the text.</summary>
    public ReadOnlySpan<byte> Rest { get; private init; }
    /// <summary>Why it stops.</summary>
    public StopCode Code { get; private init; }

    /// <summary>Reads one; false for what breaks the form.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out DataRecord record)
    {
        record = default;
        if (bytes.IsEmpty || bytes.Length > BytesMax) return false;
        var type = (DataRecordType)bytes[0];
        var body = bytes[1..];
        switch (type)
        {
            case DataRecordType.Have:
                if (body.Length < 4 || body.Length % 4 != 0 || body.Length > 4 + 4 * LeafSet.RunsMax) return false;
                record = new DataRecord { Type = type, Item = Int(body), Rest = body[4..] };
                return record.Item >= 0;
            case DataRecordType.Hashes:
                if (body.Length < 8 + Hash256.Bytes || (body.Length - 8) % Hash256.Bytes != 0 || body.Length > 8 + HashesMax * Hash256.Bytes) return false;
                record = new DataRecord { Type = type, Item = Int(body), Index = Int(body[4..]), Rest = body[8..] };
                return record.Item >= 0 && record.Index is >= 0 and < ContentName.LeavesMax;
            case DataRecordType.Leaf:
                if (body.Length <= 8) return false;
                record = new DataRecord { Type = type, Item = Int(body), Index = Int(body[4..]), Rest = body[8..] };
                return record.Item >= 0 && record.Index is >= 0 and < ContentName.LeavesMax;
            case DataRecordType.ItemDone:
                if (body.Length != 4) return false;
                record = new DataRecord { Type = type, Item = Int(body) };
                return record.Item >= 0;
            case DataRecordType.AllDone:
                if (body.Length != Hash256.Bytes) return false;
                record = new DataRecord { Type = type, Rest = body };
                return true;
            case DataRecordType.Stop:
                if (body.Length is 0 or > 1 + TextBytesMax) return false;
                record = new DataRecord { Type = type, Code = (StopCode)body[0], Rest = body[1..] };
                return true;
            default:
                return false;
        }
    }

    /// <summary>The words of a stop, for people.</summary>
    public string Text => ItemPath.Escaped(Encoding.UTF8.GetString(Rest));

    /// <summary>Record 1.</summary>
    public static byte[] Have(int item, LeafSet here) => [(byte)DataRecordType.Have, .. Big(item), .. here.ToRuns()];

    /// <summary>Record 2.</summary>
    public static byte[] Hashes(int item, int first, ReadOnlySpan<Hash256> hashes)
    {
        var bytes = new byte[9 + hashes.Length * Hash256.Bytes];
        bytes[0] = (byte)DataRecordType.Hashes;
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(1), item);
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(5), first);
        for (var i = 0; i < hashes.Length; i++) hashes[i].CopyTo(bytes.AsSpan(9 + i * Hash256.Bytes));
        return bytes;
    }

    /// <summary>Writes the 9 bytes before a leaf's own (record 3).</summary>
    public static void WriteLeafHeader(Span<byte> to, int item, int leaf)
    {
        to[0] = (byte)DataRecordType.Leaf;
        BinaryPrimitives.WriteInt32BigEndian(to[1..], item);
        BinaryPrimitives.WriteInt32BigEndian(to[5..], leaf);
    }

    /// <summary>Record 4.</summary>
    public static byte[] ItemDone(int item) => [(byte)DataRecordType.ItemDone, .. Big(item)];

    /// <summary>Record 5.</summary>
    public static byte[] AllDone(Hash256 wanted) => [(byte)DataRecordType.AllDone, .. wanted.ToArray()];

    /// <summary>Record 6. A longer text is cut.</summary>
    public static byte[] Stop(StopCode code, string text)
    {
        var words = Encoding.UTF8.GetBytes(text);
        var length = Math.Min(words.Length, TextBytesMax);
        // Not within a letter.
        while (length < words.Length && length > 0 && (words[length] & 0xC0) == 0x80) length--;
        return [(byte)DataRecordType.Stop, (byte)code, .. words.AsSpan(0, length)];
    }

    /// <summary>SHA-256 over the wanted roots in order: what <see cref="DataRecordType.AllDone"/> confirms.</summary>
    public static Hash256 Confirmation(IEnumerable<Hash256> wantedRoots)
    {
        using var hash = System.Security.Cryptography.IncrementalHash.CreateHash(System.Security.Cryptography.HashAlgorithmName.SHA256);
        foreach (var root in wantedRoots) hash.AppendData(root.ToArray());
        return new Hash256(hash.GetHashAndReset());
    }

    private static int Int(ReadOnlySpan<byte> from) => BinaryPrimitives.ReadInt32BigEndian(from);

    private static byte[] Big(int number)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(bytes, number);
        return bytes;
    }
}
