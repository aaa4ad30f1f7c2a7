using System.Buffers.Binary;
using Polder.Cryptography;

namespace Polder.Apps.Parcels.Transit;

/// <summary>Records of a bulk transfer.</summary>
/// <remarks><code>
/// offset  size  field
///      0     4  length of the rest, big-endian: 40 to 1 MiB + 40
///      4    24  nonce, a big-endian counter from 0
///     28    16  Poly1305 tag
///     44     n  ciphertext
/// </code></remarks>
internal static class TransitRecords
{
    /// <summary>Bytes that a record is longer than its text.</summary>
    public const int OverheadBytes = 4 + SecretBox.NonceBytes + SecretBox.TagBytes;
    /// <summary>Longest text of a record that we read. A length above is refused before anything is kept for it.</summary>
    public const int PlaintextBytesMax = 1 << 20;
    private const int RestBytesMin = SecretBox.NonceBytes + SecretBox.TagBytes;

    /// <summary>Seals record number <paramref name="number"/> into <paramref name="record"/>, 44 bytes longer than the text.</summary>
    public static void Seal(ReadOnlySpan<byte> key, ulong number, ReadOnlySpan<byte> plaintext, Span<byte> record)
    {
        BinaryPrimitives.WriteUInt32BigEndian(record, (uint)(plaintext.Length + RestBytesMin));
        var nonce = record.Slice(4, SecretBox.NonceBytes);
        WriteNonce(number, nonce);
        SecretBox.Seal(key, nonce, plaintext, record[(4 + SecretBox.NonceBytes)..]);
    }

    /// <summary>Bytes of the whole record that begins here: 0 while its length is not there, −1 for one that is refused.</summary>
    public static int Length(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 4) return 0;
        var rest = BinaryPrimitives.ReadUInt32BigEndian(bytes);
        return rest is < RestBytesMin or > PlaintextBytesMax + RestBytesMin ? -1 : (int)rest + 4;
    }

    /// <summary>Opens a whole record into a span 44 bytes shorter; false for another number, another key, or a changed bit.</summary>
    public static bool TryOpen(ReadOnlySpan<byte> key, ulong number, ReadOnlySpan<byte> record, Span<byte> plaintext)
    {
        Span<byte> nonce = stackalloc byte[SecretBox.NonceBytes];
        WriteNonce(number, nonce);
        return record.Slice(4, SecretBox.NonceBytes).SequenceEqual(nonce)
            && SecretBox.TryOpen(key, nonce, record[(4 + SecretBox.NonceBytes)..], plaintext);
    }

    private static void WriteNonce(ulong number, Span<byte> nonce)
    {
        nonce[..(SecretBox.NonceBytes - 8)].Clear();
        BinaryPrimitives.WriteUInt64BigEndian(nonce[(SecretBox.NonceBytes - 8)..], number);
    }
}
