using System.Security.Cryptography;
using Polder.Cryptography;
using Polder.Identity;
using Polder.Wire;

namespace Polder.Overlay.Dht.IPv8;

/// <summary>
/// A value of IPv8's DHT, read from its bytes. A signed one binds its data to its signer but to no key: it can be copied to any other.
/// </summary>
/// <remarks><code>
/// unsigned  00 | data
/// signed    01 | data 2+n | version 4 | public key 2+74 | signature 64 over everything before it
/// </code></remarks>
/// <param name="Data">What was stored.</param>
/// <param name="Signer">Who signed it; null for an unsigned value.</param>
/// <param name="Version">Unix time in seconds by the signer's clock; 0 for an unsigned value.</param>
public readonly record struct DhtValue(ReadOnlyMemory<byte> Data, PublicKey? Signer, uint Version)
{
    private const byte Unsigned = 0, Signed = 1;

    /// <summary>Bytes of a signed value beyond its data.</summary>
    internal const int SignedOverheadBytes = 1 + 2 + 4 + 2 + KeyFormat.Bytes + Ed25519.SignatureBytes;

    /// <summary>An unsigned value in wire form.</summary>
    internal static byte[] Write(ReadOnlySpan<byte> data) => [Unsigned, .. data];

    /// <summary>A signed value in wire form.</summary>
    internal static byte[] Write(ReadOnlySpan<byte> data, uint version, KeyPair signer, ISignatures signatures)
    {
        var bytes = new byte[data.Length + SignedOverheadBytes];
        var writer = new WireWriter(bytes);
        writer.WriteByte(Signed);
        writer.WriteBytes16(data);
        writer.WriteUInt32(version);
        writer.WriteBytes16(signer.Public.Bytes);
        signatures.Sign(signer, bytes.AsSpan(0, writer.Position), writer.Reserve(Ed25519.SignatureBytes));
        return bytes;
    }

    /// <summary>Reads a value and checks its signature.</summary>
    internal static bool TryRead(ReadOnlySpan<byte> bytes, ISignatures signatures, out DhtValue value)
    {
        value = default;
        var reader = new WireReader(bytes);
        switch (reader.ReadByte())
        {
            case Unsigned when !reader.Failed:
                value = new DhtValue(bytes[1..].ToArray(), null, 0);
                return true;
            case Signed:
                var data = reader.ReadBytes16();
                var version = reader.ReadUInt32();
                var keyBytes = reader.ReadBytes16();
                var signedBytes = reader.Position;
                var signature = reader.ReadBytes(Ed25519.SignatureBytes);
                if (!reader.Finish() || !PublicKey.TryParse(keyBytes, out var key) || !signatures.Verify(key, bytes[..signedBytes], signature)) return false;
                value = new DhtValue(data.ToArray(), key, version);
                return true;
            default:
                return false;
        }
    }

    /// <summary>By what a storer tells values of one key apart: the signer's mid, or SHA-1 of an unsigned value.</summary>
    internal DhtId StorageId(ReadOnlySpan<byte> bytes)
    {
        if (Signer is not null) return DhtId.Of(Signer.Id);
        Span<byte> digest = stackalloc byte[DhtId.Bytes];
        SHA1.HashData(bytes, digest);
        return new DhtId(digest);
    }
}
