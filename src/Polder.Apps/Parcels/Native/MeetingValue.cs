using System.Buffers.Binary;
using Polder.Cryptography;
using Polder.Net;

namespace Polder.Apps.Parcels.Native;

/// <summary>What a sender leaves in the DHT under a rendezvous: its key for this code, and where it is. Signed by that key.</summary>
/// <remarks><code>
/// offset  size  field
///      0     1  version, 1
///      1    32  key: Ed25519, made for this code only
///     33     8  issued, Unix seconds
///     41     1  flags: bit 0, the publisher of the record takes session streams for it
///     42     1  endpoints, 0 to 4
///     43   n·7  each: 4, IPv4 address (4), port (2)
///     or n·19        6, IPv6 address (16), port (2)
///    end    64  signature over "polder-send-meeting/1" ‖ rendezvous ‖ all before
/// </code></remarks>
internal sealed record MeetingValue(byte[] Key, long IssuedUnixSeconds, bool TakesSessions, IReadOnlyList<Endpoint> Endpoints)
{
    /// <summary>Bytes at most.</summary>
    public const int BytesMax = 200;

    /// <summary>How long it is believed.</summary>
    public static readonly TimeSpan Life = TimeSpan.FromHours(1);

    /// <summary>When it is renewed.</summary>
    public static readonly TimeSpan Renewal = TimeSpan.FromMinutes(20);

    private const int EndpointsMax = 4;

    private static ReadOnlySpan<byte> Domain => "polder-send-meeting/1"u8;

    /// <summary>Its bytes, signed with the secret of its key (64 bytes).</summary>
    public byte[] Write(ReadOnlySpan<byte> meeting, ReadOnlySpan<byte> secret)
    {
        Span<byte> buffer = stackalloc byte[BytesMax];
        buffer[0] = 1;
        Key.CopyTo(buffer[1..33]);
        BinaryPrimitives.WriteInt64BigEndian(buffer[33..], IssuedUnixSeconds);
        buffer[41] = (byte)(TakesSessions ? 1 : 0);
        var (at, count) = (43, 0);
        foreach (var endpoint in Endpoints.Take(EndpointsMax))
        {
            buffer[at++] = (byte)(endpoint.IsIPv4 ? 4 : 6);
            at += endpoint.WriteAddress(buffer[at..]);
            BinaryPrimitives.WriteUInt16BigEndian(buffer[at..], endpoint.Port);
            at += 2;
            count++;
        }
        buffer[42] = (byte)count;
        Ed25519.Sign(secret, Signed(meeting, buffer[..at]), buffer.Slice(at, Ed25519.SignatureBytes));
        return buffer[..(at + Ed25519.SignatureBytes)].ToArray();
    }

    /// <summary>Reads one that was left under this rendezvous; null for what is malformed, forged, or older than its life.</summary>
    public static MeetingValue? TryRead(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> meeting, DateTimeOffset now)
    {
        if (bytes.Length is < 43 + Ed25519.SignatureBytes or > BytesMax || bytes[0] != 1 || bytes[41] > 1 || bytes[42] > EndpointsMax) return null;
        var (at, endpoints) = (43, new List<Endpoint>(bytes[42]));
        for (var i = 0; i < bytes[42]; i++)
        {
            if (at >= bytes.Length) return null;
            var length = bytes[at++] switch { 4 => 4, 6 => 16, _ => 0 };
            if (length == 0 || at + length + 2 > bytes.Length) return null;
            var port = BinaryPrimitives.ReadUInt16BigEndian(bytes[(at + length)..]);
            endpoints.Add(Endpoint.FromBytes(bytes.Slice(at, length), port));
            at += length + 2;
        }
        if (bytes.Length != at + Ed25519.SignatureBytes) return null;
        var issued = BinaryPrimitives.ReadInt64BigEndian(bytes[33..]);
        var age = now.ToUnixTimeSeconds() - (decimal)issued;
        // A clock may go wrong by ten minutes.
        if (age > (decimal)Life.TotalSeconds + 600 || age < -600) return null;
        var key = bytes.Slice(1, 32);
        if (!Ed25519.Verify(key, Signed(meeting, bytes[..at]), bytes[at..])) return null;
        return new MeetingValue(key.ToArray(), issued, bytes[41] == 1, endpoints);
    }

    private static byte[] Signed(ReadOnlySpan<byte> meeting, ReadOnlySpan<byte> value) => [.. Domain, .. meeting, .. value];
}
