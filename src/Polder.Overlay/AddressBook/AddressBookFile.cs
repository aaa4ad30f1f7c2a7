using Polder.Cryptography;
using Polder.Net;
using Polder.Wire;

namespace Polder.Overlay.AddressBook;

/// <summary>
/// The address book as bytes. What is read is untrusted: every address is looked at like one that a stranger told, and takes its
/// place by the hash, whatever the file says.
/// </summary>
/// <remarks><code>
/// offset  size  field
///      0     8  ASCII "PLDRBOOK"
///      8     1  version 01
///      9     8  first half of the secret that places addresses
///     17     8  second half
///     25     4  number of entries
///     29     n  entries
///    29+n   32  SHA-256 of all before it
///
/// entry:   1  01: somebody answered there; 00: only heard of
///       7/19  address ("ip_address": 01 and IPv4, or 03 and IPv6, and the port)
///          8  network that told us (SourceGroup)
///          4  heard, seconds since 1970
///          4  answered, seconds since 1970; 0: never
///          1  attempts in vain
/// </code></remarks>
internal static class AddressBookFile
{
    public const byte Version = 1;
    private const int HeadBytes = 29, EntryBytesMax = 1 + 19 + 8 + 4 + 4 + 1, EntryBytesMin = 1 + 7 + 8 + 4 + 4 + 1;

    private static ReadOnlySpan<byte> Magic => "PLDRBOOK"u8;

    public static byte[] Write(AddressTable table)
    {
        var bytes = new byte[HeadBytes + table.Count * EntryBytesMax + Hash256.Bytes];
        var writer = new WireWriter(bytes);
        writer.WriteBytes(Magic);
        writer.WriteByte(Version);
        writer.WriteUInt64(table.Key0);
        writer.WriteUInt64(table.Key1);
        writer.WriteUInt32((uint)table.Count);
        for (var i = 0; i < table.Count; i++)
        {
            var entry = table[i];
            writer.WriteBoolean(entry.IsTried);
            writer.WriteAddress(entry.Address);
            writer.WriteUInt64(entry.Source.Value);
            writer.WriteUInt32(entry.Heard);
            writer.WriteUInt32(entry.Answered);
            writer.WriteByte(entry.Failures);
        }
        Hash256.Of(writer.Written).CopyTo(writer.Reserve(Hash256.Bytes));
        return bytes[..writer.Position];
    }

    /// <summary>Reads a book; null when the file is damaged or of another version. What does not fit its bucket is left out.</summary>
    /// <param name="bytes">The file.</param>
    /// <param name="options">Sizes; and what counts as one network.</param>
    /// <param name="now">Seconds since 1970: times after it are taken as now.</param>
    /// <param name="allowed">Whether we would ever knock at this address.</param>
    public static AddressTable? Read(ReadOnlySpan<byte> bytes, OverlayOptions options, uint now, Func<Endpoint, bool> allowed)
    {
        if (bytes.Length < HeadBytes + Hash256.Bytes) return null;
        var content = bytes[..^Hash256.Bytes];
        if (Hash256.Of(content) != new Hash256(bytes[^Hash256.Bytes..])) return null;
        var reader = new WireReader(content);
        reader.Require(reader.ReadBytes(Magic.Length).SequenceEqual(Magic) && reader.ReadByte() == Version, WireError.UnknownTag);
        var table = new AddressTable(options, reader.ReadUInt64(), reader.ReadUInt64());
        var count = reader.ReadUInt32();
        reader.Require(count * (long)EntryBytesMin <= reader.Remaining, WireError.Truncated);
        for (var i = 0u; i < count && !reader.Failed; i++)
        {
            var tried = reader.ReadBoolean();
            var address = reader.ReadAddress();
            var source = new SourceGroup(reader.ReadUInt64());
            var (heard, answered) = (Math.Min(reader.ReadUInt32(), now), Math.Min(reader.ReadUInt32(), now));
            var failures = reader.ReadByte();
            if (!reader.Failed && address.IsSendable && allowed(address))
                table.Restore(new AddressEntry(address, source, tried && answered > 0, heard, answered, 0, failures));
        }
        return reader.Finish() ? table : null;
    }
}
