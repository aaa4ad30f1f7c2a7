using System.Security.Cryptography;
using Polder.Identity;
using Polder.Net;
using Polder.Runtime;

namespace Polder.Overlay.Dht.Records;

/// <summary>Leave to store here: HMAC over key and address under a secret that changes every five minutes; good for ten at most (OV-10.3).</summary>
internal sealed class WriteTokens(Prng random)
{
    private static readonly TimeSpan SecretLife = TimeSpan.FromMinutes(5);
    private const int SecretBytes = 16;

    private byte[]? _now, _before;
    private TimeSpan _changedAt;

    public ulong Give(PublicKey key, Endpoint address, TimeSpan now)
    {
        Turn(now);
        return Of(_now!, key, address);
    }

    public bool IsGood(ulong token, PublicKey key, Endpoint address, TimeSpan now)
    {
        Turn(now);
        return token == Of(_now!, key, address) || (_before is not null && token == Of(_before, key, address));
    }

    private void Turn(TimeSpan now)
    {
        if (_now is not null && now - _changedAt < SecretLife) return;
        _before = now - _changedAt < 2 * SecretLife ? _now : null;
        _now = new byte[SecretBytes];
        random.Fill(_now);
        _changedAt = now;
    }

    private static ulong Of(byte[] secret, PublicKey key, Endpoint address)
    {
        Span<byte> message = stackalloc byte[KeyFormat.Bytes + 16], digest = stackalloc byte[HMACSHA256.HashSizeInBytes];
        key.Bytes.CopyTo(message);
        // The port may change with a NAT's mapping; the machine does not.
        var length = KeyFormat.Bytes + address.WriteAddress(message[KeyFormat.Bytes..]);
        HMACSHA256.HashData(secret, message[..length], digest);
        return HashFields.HeadOf(digest);
    }
}
