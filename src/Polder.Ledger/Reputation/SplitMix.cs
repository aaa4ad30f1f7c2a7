using System.Buffers.Binary;
using Polder.Cryptography;
using Polder.Identity;

namespace Polder.Ledger.Reputation;

/// <summary>
/// Randomness of walks: splitmix64 (Steele, Lea, Flood, 2014). Every walk, and every change of it, has a stream of its own that
/// begins at H(observer, walk, version), so that anybody can replay it (reputation.md §4.4).
/// </summary>
internal struct SplitMix(ulong state)
{
    private ulong _state = state;

    /// <summary>Where the streams of an observer begin: SHA-256 of its key and the seed, the first 8 bytes.</summary>
    public static ulong Root(PublicKey observer, ulong seed)
    {
        Span<byte> bytes = stackalloc byte[KeyFormat.Bytes + 8];
        observer.Bytes.CopyTo(bytes);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[KeyFormat.Bytes..], seed);
        return Hash256.Of(bytes).Head;
    }

    /// <summary>The stream of one walk at one version.</summary>
    public static SplitMix Of(ulong root, int walk, long version) => new(unchecked(Mix(Mix(root + (ulong)walk * 0x9E3779B97F4A7C15) + (ulong)version * 0xD1B54A32D192ED03)));

    public ulong Next()
    {
        unchecked
        {
            return Mix(_state += 0x9E3779B97F4A7C15);
        }
    }

    /// <summary>True with this probability.</summary>
    public bool Chance(double probability) => (Next() >> 11) * (1.0 / (1ul << 53)) < probability;

    private static ulong Mix(ulong z)
    {
        unchecked
        {
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
            return z ^ (z >> 31);
        }
    }
}
