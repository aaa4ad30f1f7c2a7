using System.Buffers.Binary;
using System.Numerics;
using Polder.Cryptography;

namespace Polder.Overlay.Dht.Records;

/// <summary>What an identity costs (OV-8.1): a hash of the id that begins with zeros, and a nonce that does so anew each week.</summary>
internal static class Puzzle
{
    private const long WeekSeconds = 7 * 24 * 3600;

    public static uint WeekOf(DateTimeOffset time) => (uint)Math.Max(0, time.ToUnixTimeSeconds() / WeekSeconds);

    public static bool HoldsForEver(in Hash256 id, int bits)
    {
        if (bits == 0) return true;
        Span<byte> bytes = stackalloc byte[Hash256.Bytes];
        id.CopyTo(bytes);
        return BitOperations.LeadingZeroCount(Hash256.Of(bytes).Head) >= bits;
    }

    /// <summary>Clocks may differ by a day (OV-4.7), and a week may just have turned: the weeks beside count too.</summary>
    public static bool HoldsThisWeek(in Hash256 id, ulong nonce, uint week, int bits) =>
        bits == 0 || Zeros(id, nonce, week) >= bits || Zeros(id, nonce, week - 1) >= bits || Zeros(id, nonce, week + 1) >= bits;

    /// <summary>Takes about 2^bits hashes: work for the workers.</summary>
    public static ulong Solve(Hash256 id, uint week, int bits)
    {
        for (ulong nonce = 0; ; nonce++)
            if (Zeros(id, nonce, week) >= bits) return nonce;
    }

    private static int Zeros(in Hash256 id, ulong nonce, uint week)
    {
        Span<byte> bytes = stackalloc byte[Hash256.Bytes + 12];
        id.CopyTo(bytes);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[Hash256.Bytes..], nonce);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[(Hash256.Bytes + 8)..], week);
        return BitOperations.LeadingZeroCount(Hash256.Of(bytes).Head);
    }
}
