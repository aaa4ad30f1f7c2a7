using System.Security.Cryptography;
using Polder.Identity;
using Polder.Net;
using Polder.Wire;

namespace Polder.Overlay.Dht.IPv8;

/// <summary>How IPv8's DHT makes its tokens: HMAC over key and address with its port.</summary>
internal static class TokenSecrets
{
    public const int SecretBytes = 32;

    public static DhtToken Tag(byte[] secret, PublicKey key, Endpoint address)
    {
        Span<byte> message = stackalloc byte[KeyFormat.Bytes + 19], digest = stackalloc byte[HMACSHA256.HashSizeInBytes];
        key.Bytes.CopyTo(message);
        var writer = new WireWriter(message[KeyFormat.Bytes..]);
        writer.WriteAddress(address);
        HMACSHA256.HashData(secret, message[..(KeyFormat.Bytes + writer.Position)], digest);
        return new DhtToken(new DhtId(digest[..DhtToken.Bytes]));
    }
}
