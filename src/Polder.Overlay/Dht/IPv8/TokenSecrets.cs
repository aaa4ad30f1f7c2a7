using System.Security.Cryptography;
using Polder.Identity;
using Polder.Net;
using Polder.Runtime;
using Polder.Wire;

namespace Polder.Overlay.Dht.IPv8;

/// <summary>Gives and checks tokens: HMAC over key and address, with a secret that changes every five minutes; the last two count.</summary>
internal sealed class TokenSecrets(Prng random)
{
    private const int SecretBytes = 32;

    private byte[]? _now, _before;
    private TimeSpan _changedAt;

    public DhtToken Give(PublicKey key, Endpoint address, TimeSpan now)
    {
        Turn(now);
        return Of(_now!, key, address);
    }

    public bool IsGood(DhtToken token, PublicKey key, Endpoint address, TimeSpan now)
    {
        Turn(now);
        return token == Of(_now!, key, address) || (_before is not null && token == Of(_before, key, address));
    }

    private void Turn(TimeSpan now)
    {
        if (_now is not null && now - _changedAt < IPv8DhtLimits.SecretLife) return;
        _before = now - _changedAt < 2 * IPv8DhtLimits.SecretLife ? _now : null;
        _now = new byte[SecretBytes];
        random.Fill(_now);
        _changedAt = now;
    }

    private static DhtToken Of(byte[] secret, PublicKey key, Endpoint address)
    {
        Span<byte> message = stackalloc byte[KeyFormat.Bytes + 19], digest = stackalloc byte[HMACSHA256.HashSizeInBytes];
        key.Bytes.CopyTo(message);
        var writer = new WireWriter(message[KeyFormat.Bytes..]);
        writer.WriteAddress(address);
        HMACSHA256.HashData(secret, message[..(KeyFormat.Bytes + writer.Position)], digest);
        return new DhtToken(new DhtId(digest[..DhtToken.Bytes]));
    }
}
