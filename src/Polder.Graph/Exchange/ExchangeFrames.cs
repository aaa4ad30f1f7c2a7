using System.Buffers.Binary;
using Polder.Graph.Model;
using Polder.Wire;

namespace Polder.Graph.Exchange;

/// <summary>Frames between our own nodes (docs/wire/graph-exchange.md). A frame is its type (1 byte), the length of its body (4), the body.</summary>
internal enum ExchangeFrame : byte
{
    /// <summary>Which topics the sender keeps: 2 bytes count, 8 each, see TagOf.</summary>
    Topics = 1,
    /// <summary>8 tag, 64 × 16 hashes of branches.</summary>
    Branches = 2,
    /// <summary>8 tag, 1 count, and for each: 1 branch, 64 × 16 leaves. Those that differ.</summary>
    Leaves = 3,
    /// <summary>8 tag, 2 count, and for each leaf that differs: 2 leaf, 4 count, and for each entry: 8 place, 8 first bytes of its hash.</summary>
    Places = 4,
    /// <summary>8 tag, 4 count, 8 each: places whose entries the sender wants.</summary>
    Want = 5,
    /// <summary>8 tag, 4 number, 4 count, and for each entry: 2+n soul, 2+n key, 8 state, 4+n value as JSON.</summary>
    Entries = 6,
    /// <summary>4 number: the entries of that frame are durable here, or here is something later.</summary>
    Kept = 7,
    /// <summary>8 tag: what you summed up is what is here.</summary>
    Level = 8,
}

/// <summary>An entry as the summary knows it.</summary>
internal readonly record struct PlaceAndHash(ulong Place, ulong Hash);

/// <summary>Reads and writes the bodies of frames. Pure; what is malformed gives null, and ends the conversation.</summary>
internal static class ExchangeFrames
{
    public const int HeaderBytes = 5, BodyBytesMax = 8 * 1024 * 1024, TopicsMax = 256, EntryBytesWanted = 192 * 1024, PlacesMax = 200_000;

    private const int BranchBytes = 16 * TopicSummary.LeavesPerBranch;

    /// <summary>A topic as two peers name it to each other: who does not know the name learns nothing. First 8 bytes of SHA-256 over "polder graph topic", both keys in order, the name.</summary>
    public static ulong TagOf(string topic, ReadOnlySpan<byte> oneKey, ReadOnlySpan<byte> otherKey)
    {
        var isInOrder = oneKey.SequenceCompareTo(otherKey) < 0;
        var name = OrderedText.Encode(topic);
        byte[] bytes = [.. "polder graph topic"u8, .. isInOrder ? oneKey : otherKey, .. isInOrder ? otherKey : oneKey, .. name];
        return BinaryPrimitives.ReadUInt64BigEndian(System.Security.Cryptography.SHA256.HashData(bytes));
    }

    public static byte[] Topics(IReadOnlyList<ulong> tags)
    {
        var body = new byte[2 + 8 * tags.Count];
        var writer = new WireWriter(body);
        writer.WriteUInt16((ushort)tags.Count);
        foreach (var tag in tags) writer.WriteUInt64(tag);
        return body;
    }

    public static List<ulong>? ReadTopics(ReadOnlySpan<byte> body)
    {
        var reader = new WireReader(body);
        var count = reader.ReadUInt16();
        if (count > TopicsMax || reader.Remaining != 8 * count) return null;
        var tags = new List<ulong>(count);
        for (var i = 0; i < count; i++) tags.Add(reader.ReadUInt64());
        return reader.Finish() ? tags : null;
    }

    public static byte[] Branches(ulong tag, ReadOnlySpan<UInt128> branches)
    {
        var body = new byte[8 + BranchBytes];
        BinaryPrimitives.WriteUInt64BigEndian(body, tag);
        Write(branches, body.AsSpan(8));
        return body;
    }

    public static UInt128[]? ReadBranches(ReadOnlySpan<byte> body) => body.Length == 8 + BranchBytes ? Hashes(body[8..]) : null;

    public static byte[] Leaves(ulong tag, IReadOnlyList<(int Branch, UInt128[] Leaves)> branches)
    {
        var body = new byte[9 + branches.Count * (1 + BranchBytes)];
        BinaryPrimitives.WriteUInt64BigEndian(body, tag);
        body[8] = (byte)branches.Count;
        var at = 9;
        foreach (var (branch, leaves) in branches)
        {
            body[at] = (byte)branch;
            Write(leaves, body.AsSpan(at + 1));
            at += 1 + BranchBytes;
        }
        return body;
    }

    public static List<(int Branch, UInt128[] Leaves)>? ReadLeaves(ReadOnlySpan<byte> body)
    {
        if (body.Length < 9 || body.Length != 9 + body[8] * (1 + BranchBytes) || body[8] > TopicSummary.Branches) return null;
        var branches = new List<(int, UInt128[])>(body[8]);
        for (var at = 9; at < body.Length; at += 1 + BranchBytes)
        {
            if (body[at] >= TopicSummary.Branches) return null;
            branches.Add((body[at], Hashes(body.Slice(at + 1, BranchBytes))));
        }
        return branches;
    }

    public static byte[] Places(ulong tag, IReadOnlyList<(int Leaf, List<PlaceAndHash> Entries)> leaves)
    {
        var body = new byte[10 + leaves.Sum(static leaf => 6 + 16 * leaf.Entries.Count)];
        var writer = new WireWriter(body);
        writer.WriteUInt64(tag);
        writer.WriteUInt16((ushort)leaves.Count);
        foreach (var (leaf, entries) in leaves)
        {
            writer.WriteUInt16((ushort)leaf);
            writer.WriteUInt32((uint)entries.Count);
            foreach (var (place, hash) in entries)
            {
                writer.WriteUInt64(place);
                writer.WriteUInt64(hash);
            }
        }
        return body;
    }

    public static List<(int Leaf, List<PlaceAndHash> Entries)>? ReadPlaces(ReadOnlySpan<byte> body)
    {
        var reader = new WireReader(body);
        _ = reader.ReadUInt64();
        var count = reader.ReadUInt16();
        if (count > TopicSummary.Leaves) return null;
        var leaves = new List<(int, List<PlaceAndHash>)>();
        for (var i = 0; i < count && !reader.Failed; i++)
        {
            var (leaf, entries) = (reader.ReadUInt16(), reader.ReadUInt32());
            if (leaf >= TopicSummary.Leaves || entries > PlacesMax || entries * 16L > reader.Remaining) return null;
            var list = new List<PlaceAndHash>((int)entries);
            for (var j = 0; j < entries; j++) list.Add(new PlaceAndHash(reader.ReadUInt64(), reader.ReadUInt64()));
            leaves.Add((leaf, list));
        }
        return reader.Finish() ? leaves : null;
    }

    public static byte[] Want(ulong tag, IReadOnlyList<ulong> places)
    {
        var body = new byte[12 + 8 * places.Count];
        var writer = new WireWriter(body);
        writer.WriteUInt64(tag);
        writer.WriteUInt32((uint)places.Count);
        foreach (var place in places) writer.WriteUInt64(place);
        return body;
    }

    public static HashSet<ulong>? ReadWant(ReadOnlySpan<byte> body)
    {
        var reader = new WireReader(body);
        _ = reader.ReadUInt64();
        var count = reader.ReadUInt32();
        if (count > PlacesMax || count * 8L != reader.Remaining) return null;
        var places = new HashSet<ulong>((int)count);
        for (var i = 0; i < count; i++) places.Add(reader.ReadUInt64());
        return reader.Finish() ? places : null;
    }

    public static byte[] Entries(ulong tag, uint number, IReadOnlyList<GraphWrite> entries)
    {
        var parts = new List<byte[]>(3 * entries.Count);
        var length = 16;
        foreach (var entry in entries)
        {
            byte[] soul = OrderedText.Encode(entry.Soul), key = OrderedText.Encode(entry.Key), value = OrderedText.Encode(entry.Value.ToJson());
            parts.AddRange([soul, key, value]);
            length += 16 + soul.Length + key.Length + value.Length;
        }
        var body = new byte[length];
        var writer = new WireWriter(body);
        writer.WriteUInt64(tag);
        writer.WriteUInt32(number);
        writer.WriteUInt32((uint)entries.Count);
        for (var i = 0; i < entries.Count; i++)
        {
            writer.WriteBytes16(parts[3 * i]);
            writer.WriteBytes16(parts[3 * i + 1]);
            writer.WriteUInt64(BitConverter.DoubleToUInt64Bits(entries[i].State));
            writer.WriteBytes32(parts[3 * i + 2]);
        }
        return body;
    }

    public static List<GraphWrite>? ReadEntries(ReadOnlySpan<byte> body, GraphOptions options, out uint number)
    {
        var reader = new WireReader(body);
        _ = reader.ReadUInt64();
        number = reader.ReadUInt32();
        var count = reader.ReadUInt32();
        var entries = new List<GraphWrite>();
        for (var i = 0; i < count && !reader.Failed; i++)
        {
            var (soul, key) = (OrderedText.Decode(reader.ReadBytes16()), OrderedText.Decode(reader.ReadBytes16()));
            var state = BitConverter.UInt64BitsToDouble(reader.ReadUInt64());
            var json = OrderedText.Decode(reader.ReadBytes32(BodyBytesMax));
            if (reader.Failed || soul.Length == 0 || key == "_" || !double.IsFinite(state) || Math.Max(soul.Length, key.Length) > options.NameCharactersMax
                || !GraphValue.TryParse(json, out var value) || value.Weight > options.ValueCharactersMax) return null;
            entries.Add(new GraphWrite(soul, key, state, value));
        }
        return reader.Finish() ? entries : null;
    }

    public static byte[] Kept(uint number)
    {
        var body = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(body, number);
        return body;
    }

    public static byte[] Level(ulong tag)
    {
        var body = new byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(body, tag);
        return body;
    }

    /// <summary>The tag of a frame about one topic; null where the body is too short.</summary>
    public static ulong? TagOf(ReadOnlySpan<byte> body) => body.Length < 8 ? null : BinaryPrimitives.ReadUInt64BigEndian(body);

    private static void Write(ReadOnlySpan<UInt128> hashes, Span<byte> to)
    {
        for (var i = 0; i < hashes.Length; i++) BinaryPrimitives.WriteUInt128BigEndian(to[(16 * i)..], hashes[i]);
    }

    private static UInt128[] Hashes(ReadOnlySpan<byte> bytes)
    {
        var hashes = new UInt128[bytes.Length / 16];
        for (var i = 0; i < hashes.Length; i++) hashes[i] = BinaryPrimitives.ReadUInt128BigEndian(bytes[(16 * i)..]);
        return hashes;
    }
}
