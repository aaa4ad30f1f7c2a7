using System.Security.Cryptography;
using Polder.Identity;
using Polder.Net;

namespace Polder.Overlay.Dht.Records;

/// <summary>How our DHT makes leave to store (OV-10.3): HMAC over key and address without its port.</summary>
internal static class WriteTokens
{
    public const int SecretBytes = 16;

    public static ulong Tag(byte[] secret, PublicKey key, Endpoint address)
    {
        Span<byte> message = stackalloc byte[KeyFormat.Bytes + 16], digest = stackalloc byte[HMACSHA256.HashSizeInBytes];
        key.Bytes.CopyTo(message);
        // The port may change with a NAT's mapping; the machine does not.
        var length = KeyFormat.Bytes + address.WriteAddress(message[KeyFormat.Bytes..]);
        HMACSHA256.HashData(secret, message[..length], digest);
        return HashFields.HeadOf(digest);
    }
}
