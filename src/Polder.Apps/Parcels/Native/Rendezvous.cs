using System.Buffers.Binary;
using System.Text;
using Polder.Cryptography;

namespace Polder.Apps.Parcels.Native;

/// <summary>
/// Under what two programs look for each other on the LAN and in the DHT, 20 bytes. Only the nameplate goes in, never the words: 16 to 24 bits are
/// searched in a second.
/// </summary>
internal static class Rendezvous
{
    /// <summary>Its size.</summary>
    public const int Bytes = 20;

    /// <summary>How near to midnight a neighbouring day counts, too.</summary>
    public static readonly TimeSpan NearMidnight = TimeSpan.FromMinutes(10);

    /// <summary>Number of the day: Unix time / 86,400, rounded down.</summary>
    public static long DayOf(DateTimeOffset at) => Math.DivRem(at.ToUnixTimeSeconds(), 86_400, out _);

    /// <summary>Of a nameplate on a day.</summary>
    public static byte[] Of(string nameplate, long day)
    {
        Span<byte> number = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(number, day);
        return First([.. "polder/send/1\0"u8, .. Encoding.UTF8.GetBytes(nameplate), 0, .. number]);
    }

    /// <summary>Under which the sender waits: today, and near midnight the neighbouring day.</summary>
    public static IReadOnlyList<byte[]> Of(string nameplate, DateTimeOffset now)
    {
        var day = DayOf(now);
        List<byte[]> all = [Of(nameplate, day)];
        if (DayOf(now + NearMidnight) != day) all.Add(Of(nameplate, day + 1));
        if (DayOf(now - NearMidnight) != day) all.Add(Of(nameplate, day - 1));
        return all;
    }

    /// <summary>Where both meet again after the line broke: the first 20 bytes are for LAN and DHT.</summary>
    public static byte[] OfResume(ReadOnlySpan<byte> id) => First([.. "polder/resume/1"u8, .. id]);

    /// <summary>The mailbox in which both meet again: hex of the first 16 bytes.</summary>
    public static string MailboxOfResume(ReadOnlySpan<byte> id) => Convert.ToHexStringLower(OfResume(id).AsSpan(0, 16));

    private static byte[] First(byte[] joined) => Hash256.Of(joined).ToArray()[..Bytes];
}
