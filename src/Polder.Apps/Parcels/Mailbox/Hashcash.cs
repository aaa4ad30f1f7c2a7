using System.Globalization;
using System.Numerics;
using System.Security.Cryptography;
using System.Text;

namespace Polder.Apps.Parcels.Mailbox;

/// <summary>A stamp of hashcash version 1: a text whose SHA-1 begins with so many zero bits. Some mailbox servers may ask for one when they are under attack.</summary>
internal static class Hashcash
{
    /// <summary>More bits than this are not worked for: about ten seconds.</summary>
    public const int BitsMax = 24;

    /// <summary>"1:BITS:YYMMDD:RESOURCE::RANDOM:COUNTER"; null when stopped.</summary>
    public static string? Mint(int bits, string resource, DateTimeOffset day, string random, CancellationToken stop)
    {
        if (bits is < 0 or > BitsMax) return null;
        var head = string.Create(CultureInfo.InvariantCulture, $"1:{bits}:{day:yyMMdd}:{resource}::{random}:");
        Span<byte> digest = stackalloc byte[SHA1.HashSizeInBytes];
        for (long counter = 0; !stop.IsCancellationRequested; counter++)
        {
            var stamp = head + counter.ToString("x", CultureInfo.InvariantCulture);
#pragma warning disable CA5350 // The stamp is defined with SHA-1; it protects nothing.
            SHA1.HashData(Encoding.UTF8.GetBytes(stamp), digest);
#pragma warning restore CA5350
            if (BitOperations.LeadingZeroCount(System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(digest)) >= bits) return stamp;
        }
        return null;
    }
}
