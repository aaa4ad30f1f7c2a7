using System.Buffers.Binary;
using System.Text;

namespace Polder.Apps.Parcels.Stock;

/// <summary>
/// A zip whose size is known before the first byte of a file is read: entries are stored, their checksums follow them. So a folder goes
/// out without a temporary copy.
/// </summary>
/// <remarks><code>
/// each entry    "PK\3\4" 45 flags(0808: UTF-8, data descriptor) 0 time date 0 -1 -1 nameLength 20 name zip64(1, 16, 0, 0) bytes
///               "PK\7\8" crc32 size(8) size(8)
/// then          central directory with zip64 sizes and offsets, zip64 end, its locator, end
/// </code></remarks>
internal sealed class ZipPlan
{
    private const int LocalFixed = 30, CentralFixed = 46, LocalExtra = 20, CentralExtra = 28, Descriptor = 24, Ends = 56 + 20 + 22;

    private readonly List<Planned> _entries = [];

    private readonly record struct Planned(ParcelEntry Entry, byte[] Name, long Offset);

    /// <param name="entries">What goes in, folders before what they hold.</param>
    /// <param name="nameOf">The entry's name inside the zip, without a slash at the end; null or "" leaves it out.</param>
    public ZipPlan(IEnumerable<ParcelEntry> entries, Func<ParcelEntry, string?> nameOf)
    {
        long offset = 0;
        foreach (var entry in entries)
        {
            if (nameOf(entry) is not { Length: > 0 } text) continue;
            var name = Encoding.UTF8.GetBytes(entry.IsFolder ? text + "/" : text);
            if (name.Length > ushort.MaxValue) throw new ParcelEndedException(ParcelResult.LocalProblem, $"The name of {entry.LocalPath} is too long to send.");
            _entries.Add(new Planned(entry, name, offset));
            offset += LocalFixed + name.Length + LocalExtra + entry.SizeBytes + Descriptor;
            CentralBytes += CentralFixed + name.Length + CentralExtra;
        }
        CentralOffset = offset;
    }

    /// <summary>Bytes of the whole zip.</summary>
    public long Bytes => CentralOffset + CentralBytes + Ends;

    /// <summary>Entries in order.</summary>
    public int Count => _entries.Count;

    private long CentralOffset { get; }
    private long CentralBytes { get; }

    public ParcelEntry Entry(int index) => _entries[index].Entry;

    /// <summary>What stands before an entry's bytes.</summary>
    public byte[] Local(int index)
    {
        var (entry, name, _) = _entries[index];
        var bytes = new byte[LocalFixed + name.Length + LocalExtra];
        Span<byte> head = bytes;
        BinaryPrimitives.WriteUInt32LittleEndian(head, 0x04034b50);
        BinaryPrimitives.WriteUInt16LittleEndian(head[4..], 45);
        BinaryPrimitives.WriteUInt16LittleEndian(head[6..], 0x0808);
        BinaryPrimitives.WriteUInt32LittleEndian(head[10..], DosTime(entry.Modified));
        BinaryPrimitives.WriteUInt64LittleEndian(head[18..], ulong.MaxValue);
        BinaryPrimitives.WriteUInt16LittleEndian(head[26..], (ushort)name.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(head[28..], LocalExtra);
        name.CopyTo(head[LocalFixed..]);
        var extra = head[(LocalFixed + name.Length)..];
        BinaryPrimitives.WriteUInt16LittleEndian(extra, 1);
        BinaryPrimitives.WriteUInt16LittleEndian(extra[2..], 16);
        return bytes;
    }

    /// <summary>What stands behind an entry's bytes.</summary>
    public byte[] After(int index, uint crc)
    {
        var bytes = new byte[Descriptor];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, 0x08074b50);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(4), crc);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(8), _entries[index].Entry.SizeBytes);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(16), _entries[index].Entry.SizeBytes);
        return bytes;
    }

    /// <summary>An entry's place in the central directory.</summary>
    public byte[] Central(int index, uint crc)
    {
        var (entry, name, offset) = _entries[index];
        var bytes = new byte[CentralFixed + name.Length + CentralExtra];
        Span<byte> head = bytes;
        BinaryPrimitives.WriteUInt32LittleEndian(head, 0x02014b50);
        // Made on Unix: the upper half of the attributes is a mode.
        BinaryPrimitives.WriteUInt16LittleEndian(head[4..], (3 << 8) | 45);
        BinaryPrimitives.WriteUInt16LittleEndian(head[6..], 45);
        BinaryPrimitives.WriteUInt16LittleEndian(head[8..], 0x0808);
        BinaryPrimitives.WriteUInt32LittleEndian(head[12..], DosTime(entry.Modified));
        BinaryPrimitives.WriteUInt32LittleEndian(head[16..], crc);
        BinaryPrimitives.WriteUInt64LittleEndian(head[20..], ulong.MaxValue);
        BinaryPrimitives.WriteUInt16LittleEndian(head[28..], (ushort)name.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(head[30..], CentralExtra);
        var mode = entry.IsFolder ? 0x41EDu : entry.IsExecutable ? 0x81EDu : 0x81A4u;
        BinaryPrimitives.WriteUInt32LittleEndian(head[38..], (mode << 16) | (entry.IsFolder ? 0x10u : 0u));
        BinaryPrimitives.WriteUInt32LittleEndian(head[42..], uint.MaxValue);
        name.CopyTo(head[CentralFixed..]);
        var extra = head[(CentralFixed + name.Length)..];
        BinaryPrimitives.WriteUInt16LittleEndian(extra, 1);
        BinaryPrimitives.WriteUInt16LittleEndian(extra[2..], 24);
        BinaryPrimitives.WriteInt64LittleEndian(extra[4..], entry.SizeBytes);
        BinaryPrimitives.WriteInt64LittleEndian(extra[12..], entry.SizeBytes);
        BinaryPrimitives.WriteInt64LittleEndian(extra[20..], offset);
        return bytes;
    }

    /// <summary>What ends the zip.</summary>
    public byte[] End()
    {
        var bytes = new byte[Ends];
        Span<byte> end = bytes;
        BinaryPrimitives.WriteUInt32LittleEndian(end, 0x06064b50);
        BinaryPrimitives.WriteUInt64LittleEndian(end[4..], 44);
        BinaryPrimitives.WriteUInt16LittleEndian(end[12..], (3 << 8) | 45);
        BinaryPrimitives.WriteUInt16LittleEndian(end[14..], 45);
        BinaryPrimitives.WriteInt64LittleEndian(end[24..], Count);
        BinaryPrimitives.WriteInt64LittleEndian(end[32..], Count);
        BinaryPrimitives.WriteInt64LittleEndian(end[40..], CentralBytes);
        BinaryPrimitives.WriteInt64LittleEndian(end[48..], CentralOffset);
        var locator = end[56..];
        BinaryPrimitives.WriteUInt32LittleEndian(locator, 0x07064b50);
        BinaryPrimitives.WriteInt64LittleEndian(locator[8..], CentralOffset + CentralBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(locator[16..], 1);
        var last = end[76..];
        BinaryPrimitives.WriteUInt32LittleEndian(last, 0x06054b50);
        BinaryPrimitives.WriteUInt16LittleEndian(last[8..], ushort.MaxValue);
        BinaryPrimitives.WriteUInt16LittleEndian(last[10..], ushort.MaxValue);
        BinaryPrimitives.WriteUInt32LittleEndian(last[12..], uint.MaxValue);
        BinaryPrimitives.WriteUInt32LittleEndian(last[16..], uint.MaxValue);
        return bytes;
    }

    private static uint DosTime(DateTimeOffset time)
    {
        var year = Math.Clamp(time.Year, 1980, 2107);
        return (uint)(((year - 1980) << 25) | (time.Month << 21) | (time.Day << 16) | (time.Hour << 11) | (time.Minute << 5) | (time.Second / 2));
    }
}
