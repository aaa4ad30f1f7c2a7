using System.Buffers.Binary;
using Polder.Cryptography;
using Polder.Identity;
using Polder.Runtime;

namespace Polder.Simulation;

/// <summary>
/// Stands in for X25519, SHA-256, HMAC and ChaCha20-Poly1305 in large worlds: keyed mixing under a secret of the world, of the same
/// sizes, a hundred times faster. Who lacks a secret cannot agree, forge or open inside the world, and no text is seen in a box; it is
/// no cryptography and proves nothing outside.
/// </summary>
public sealed class SimulatedSessionCrypto : ISessionCrypto
{
    private const int Bytes = 32, TagBytes = 16;

    private readonly ulong _a, _b;

    /// <summary>The stand-in of the world with this seed.</summary>
    public SimulatedSessionCrypto(ulong seed)
    {
        var secret = Prng.Derive(seed, "session ciphers");
        (_a, _b) = (secret.NextUInt64(), secret.NextUInt64());
    }

    /// <inheritdoc/>
    public void MakeKey(Prng random, Span<byte> secret, Span<byte> publicKey)
    {
        ArgumentNullException.ThrowIfNull(random);
        random.Fill(secret);
        PublicOf(secret, publicKey);
    }

    /// <inheritdoc/>
    public bool TryAgree(ReadOnlySpan<byte> secret, ReadOnlySpan<byte> publicKey, Span<byte> shared)
    {
        Span<byte> own = stackalloc byte[Bytes];
        PublicOf(secret, own);
        return Agree(own, publicKey, shared);
    }

    /// <inheritdoc/>
    public bool TryAgree(KeyPair own, ReadOnlySpan<byte> publicKey, Span<byte> shared)
    {
        ArgumentNullException.ThrowIfNull(own);
        return Agree(own.Public.BoxKey, publicKey, shared);
    }

    /// <inheritdoc/>
    public void Hash(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, Span<byte> digest)
    {
        var mixer = new Mixer(_a, _b);
        mixer.Add(first);
        mixer.Add(second);
        mixer.Write(digest);
    }

    /// <inheritdoc/>
    public void Mac(ReadOnlySpan<byte> key, ReadOnlySpan<byte> data, Span<byte> digest)
    {
        var mixer = new Mixer(_b, _a);
        mixer.Add(key);
        mixer.Add(data);
        mixer.Write(digest);
    }

    /// <inheritdoc/>
    public void Seal(ReadOnlySpan<byte> key, ulong counter, ReadOnlySpan<byte> associated, ReadOnlySpan<byte> text, Span<byte> box)
    {
        if (key.Length != Bytes || box.Length != text.Length + TagBytes) throw new ArgumentException("A key or box has the wrong length.");
        Cover(key, counter, text, box[..text.Length]);
        Tag(key, counter, associated, box[..text.Length], box[text.Length..]);
    }

    /// <inheritdoc/>
    public bool TryOpen(ReadOnlySpan<byte> key, ulong counter, ReadOnlySpan<byte> associated, ReadOnlySpan<byte> box, Span<byte> text)
    {
        if (box.Length < TagBytes) return false;
        if (key.Length != Bytes || text.Length != box.Length - TagBytes) throw new ArgumentException("A key or box has the wrong length.");
        Span<byte> tag = stackalloc byte[TagBytes];
        Tag(key, counter, associated, box[..^TagBytes], tag);
        if (!tag.SequenceEqual(box[^TagBytes..])) return false;
        Cover(key, counter, box[..^TagBytes], text);
        return true;
    }

    private void PublicOf(ReadOnlySpan<byte> secret, Span<byte> publicKey)
    {
        var mixer = new Mixer(_a ^ 1, _b);
        mixer.Add(secret);
        mixer.Write(publicKey);
    }

    /// <summary>The same for both sides, in whichever order; the world's secret makes it one that nobody else can compute.</summary>
    private bool Agree(ReadOnlySpan<byte> own, ReadOnlySpan<byte> other, Span<byte> shared)
    {
        if (other.Length != Bytes || !other.ContainsAnyExcept((byte)0)) return false;
        var mixer = new Mixer(_a, _b ^ 1);
        var ordered = own.SequenceCompareTo(other) < 0;
        mixer.Add(ordered ? own : other);
        mixer.Add(ordered ? other : own);
        mixer.Write(shared);
        return true;
    }

    private static void Tag(ReadOnlySpan<byte> key, ulong counter, ReadOnlySpan<byte> associated, ReadOnlySpan<byte> box, Span<byte> tag)
    {
        var mixer = new Mixer(counter, ~counter);
        mixer.Add(key);
        mixer.Add(associated);
        mixer.Add(box);
        mixer.Write(tag);
    }

    private static void Cover(ReadOnlySpan<byte> key, ulong counter, ReadOnlySpan<byte> from, Span<byte> to)
    {
        unchecked
        {
            var state = BinaryPrimitives.ReadUInt64LittleEndian(key) ^ (counter + 1) * 0x9E3779B97F4A7C15;
            var step = BinaryPrimitives.ReadUInt64LittleEndian(key[8..]) | 1;
            while (from.Length >= 8)
            {
                state = ulong.RotateLeft(state * 0xD6E8FEB86659FD93 + step, 31);
                BinaryPrimitives.WriteUInt64LittleEndian(to, BinaryPrimitives.ReadUInt64LittleEndian(from) ^ state);
                from = from[8..];
                to = to[8..];
            }
            for (var i = 0; i < from.Length; i++)
            {
                state = ulong.RotateLeft(state * 0xD6E8FEB86659FD93 + step, 31);
                to[i] = (byte)(from[i] ^ state);
            }
        }
    }

    /// <summary>Mixes pieces, each with its length, into two words.</summary>
    private ref struct Mixer(ulong a, ulong b)
    {
        private ulong _x = a, _y = b;

        public void Add(ReadOnlySpan<byte> bytes)
        {
            var length = (ulong)bytes.Length;
            while (bytes.Length >= 16)
            {
                Mix(BinaryPrimitives.ReadUInt64LittleEndian(bytes), BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]));
                bytes = bytes[16..];
            }
            Span<byte> rest = stackalloc byte[16];
            rest.Clear();
            bytes.CopyTo(rest);
            Mix(BinaryPrimitives.ReadUInt64LittleEndian(rest), BinaryPrimitives.ReadUInt64LittleEndian(rest[8..]) ^ length << 56);
        }

        public void Write(Span<byte> digest)
        {
            for (var i = 0; i < digest.Length; i += 8)
            {
                Mix((ulong)i + 0x5851F42D4C957F2D, 0x14057B7EF767814F);
                BinaryPrimitives.WriteUInt64LittleEndian(digest[i..], _x ^ _y);
            }
        }

        private void Mix(ulong first, ulong second)
        {
            unchecked
            {
                var high = Math.BigMul(_x ^ first | 1, _y + 0x9E3779B97F4A7C15, out var low);
                _x = ulong.RotateLeft(_x + high, 29) ^ low ^ second;
                _y = (ulong.RotateLeft(_y, 17) + second * 0xD6E8FEB86659FD93) ^ (first + high) * 0xC2B2AE3D27D4EB4F;
            }
        }
    }
}
