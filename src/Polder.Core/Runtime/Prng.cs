using System.Buffers.Binary;
using System.Numerics;
using System.Text;
using Polder.Cryptography;

namespace Polder.Runtime;

/// <summary>
/// Random numbers that replay from a seed on any runtime: xoshiro256** (Blackman and Vigna, 2018). Nodes in production use a
/// subclass that draws from the system instead.
/// </summary>
public class Prng
{
    private ulong _a, _b, _c, _d;

    /// <summary>The stream of a seed; splitmix64 spreads the seed over the state.</summary>
    public Prng(ulong seed)
    {
        unchecked
        {
            ulong Next()
            {
                var z = seed += 0x9E3779B97F4A7C15;
                z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
                z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
                return z ^ (z >> 31);
            }
            (_a, _b, _c, _d) = (Next(), Next(), Next(), Next());
        }
    }

    /// <summary>A stream of its own for each name, so that adding one does not shift the others.</summary>
    public static Prng Derive(ulong seed, string name) => new(DeriveSeed(seed, name));

    /// <summary>The seed of the stream that <see cref="Derive"/> gives.</summary>
    public static ulong DeriveSeed(ulong seed, string name)
    {
        var bytes = new byte[8 + Encoding.UTF8.GetByteCount(name)];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, seed);
        Encoding.UTF8.GetBytes(name, bytes.AsSpan(8));
        return Hash256.Of(bytes).Head;
    }

    /// <summary>64 random bits.</summary>
    public virtual ulong NextUInt64()
    {
        unchecked
        {
            var result = BitOperations.RotateLeft(_b * 5, 7) * 9;
            var t = _b << 17;
            _c ^= _a;
            _d ^= _b;
            _b ^= _c;
            _a ^= _d;
            _c ^= t;
            _d = BitOperations.RotateLeft(_d, 45);
            return result;
        }
    }

    /// <summary>A number from 0 to <paramref name="limit"/> − 1, each equally likely.</summary>
    public int Next(int limit)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        // Lemire: the upper half of a 64 × 32 bit product; the bias is below 2^-32.
        return (int)(((UInt128)NextUInt64() * (uint)limit) >> 64);
    }

    /// <summary>A number from <paramref name="from"/> to <paramref name="to"/>, both included.</summary>
    public int Next(int from, int to) => from + Next(to - from + 1);

    /// <summary>A 16-bit number, as request identifiers are.</summary>
    public ushort NextUInt16() => (ushort)(NextUInt64() >> 48);

    /// <summary>A number in [0, 1).</summary>
    public double NextDouble() => (NextUInt64() >> 11) * (1.0 / (1ul << 53));

    /// <summary>A duration in [0, <paramref name="limit"/>).</summary>
    public TimeSpan NextDuration(TimeSpan limit) => limit * NextDouble();

    /// <summary>True with this probability.</summary>
    public bool Chance(double probability) => NextDouble() < probability;

    /// <summary>One of the items, which are at least one.</summary>
    public T Pick<T>(IReadOnlyList<T> items) => items[Next(items.Count)];

    /// <summary>Puts the items into a random order.</summary>
    public void Shuffle<T>(Span<T> items)
    {
        for (var i = items.Length - 1; i > 0; i--)
        {
            var j = Next(i + 1);
            (items[i], items[j]) = (items[j], items[i]);
        }
    }

    /// <summary>Fills the span with random bytes.</summary>
    public void Fill(Span<byte> bytes)
    {
        Span<byte> word = stackalloc byte[8];
        while (bytes.Length > 0)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(word, NextUInt64());
            var count = Math.Min(8, bytes.Length);
            word[..count].CopyTo(bytes);
            bytes = bytes[count..];
        }
    }
}
