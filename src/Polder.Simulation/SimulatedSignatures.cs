using System.Buffers.Binary;
using Polder.Cryptography;
using Polder.Identity;
using Polder.Runtime;

namespace Polder.Simulation;

/// <summary>
/// Stands in for Ed25519 in large worlds: a hash of message and public key under a secret of the world, 64 bytes, a
/// hundred times faster. Only <see cref="Sign"/>, which wants the whole key pair, makes signatures that verify, so nobody
/// inside the world can sign for somebody else. It is no cryptography and proves nothing outside.
/// </summary>
public sealed class SimulatedSignatures : ISignatures
{
    private readonly ulong _a, _b, _c, _d;

    /// <summary>The stand-in of the world with this seed.</summary>
    public SimulatedSignatures(ulong seed)
    {
        var secret = Prng.Derive(seed, "signatures");
        (_a, _b, _c, _d) = (secret.NextUInt64(), secret.NextUInt64(), secret.NextUInt64(), secret.NextUInt64());
    }

    /// <inheritdoc/>
    public void Sign(KeyPair key, ReadOnlySpan<byte> message, Span<byte> signature)
    {
        if (signature.Length != Ed25519.SignatureBytes) throw new ArgumentException("A signature has 64 bytes.", nameof(signature));
        Fill(key.Public, message, signature);
    }

    /// <inheritdoc/>
    public bool Verify(PublicKey key, ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature)
    {
        if (signature.Length != Ed25519.SignatureBytes) return false;
        Span<byte> expected = stackalloc byte[Ed25519.SignatureBytes];
        Fill(key, message, expected);
        return signature.SequenceEqual(expected);
    }

    private void Fill(PublicKey key, ReadOnlySpan<byte> message, Span<byte> signature)
    {
        ulong x = _a, y = _b;
        Absorb(key.Bytes, ref x, ref y);
        Absorb(message, ref x, ref y);
        for (var i = 0; i < Ed25519.SignatureBytes; i += 8)
        {
            Mix(_c, unchecked(_d + (ulong)i), ref x, ref y);
            BinaryPrimitives.WriteUInt64LittleEndian(signature[i..], x ^ y);
        }
    }

    private static void Absorb(ReadOnlySpan<byte> bytes, ref ulong x, ref ulong y)
    {
        var length = (ulong)bytes.Length;
        while (bytes.Length >= 16)
        {
            Mix(BinaryPrimitives.ReadUInt64LittleEndian(bytes), BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]), ref x, ref y);
            bytes = bytes[16..];
        }
        Span<byte> rest = stackalloc byte[16];
        rest.Clear();
        bytes.CopyTo(rest);
        Mix(BinaryPrimitives.ReadUInt64LittleEndian(rest), BinaryPrimitives.ReadUInt64LittleEndian(rest[8..]) ^ length << 56, ref x, ref y);
    }

    private static void Mix(ulong first, ulong second, ref ulong x, ref ulong y)
    {
        unchecked
        {
            // Full 64 × 64 products, both halves kept; the additions keep a zero word from wiping the state.
            var high = Math.BigMul(x ^ first | 1, y + 0x9E3779B97F4A7C15, out var low);
            x = ulong.RotateLeft(x + high, 29) ^ low ^ second;
            y = (ulong.RotateLeft(y, 17) + second * 0xD6E8FEB86659FD93) ^ (first + high) * 0xC2B2AE3D27D4EB4F;
        }
    }
}
