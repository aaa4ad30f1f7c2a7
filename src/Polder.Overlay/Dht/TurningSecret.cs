using Polder.Identity;
using Polder.Net;
using Polder.Runtime;

namespace Polder.Overlay.Dht;

/// <summary>
/// Gives and checks leave to store here: a tag over key and address under a secret that changes every five minutes. The last two
/// secrets count, so leave lasts five to ten minutes.
/// </summary>
/// <param name="random">Where secrets come from.</param>
/// <param name="secretBytes">Length of a secret.</param>
/// <param name="tag">The tag, which differs between the DHTs.</param>
internal sealed class TurningSecret<TToken>(Prng random, int secretBytes, Func<byte[], PublicKey, Endpoint, TToken> tag) where TToken : IEquatable<TToken>
{
    private static readonly TimeSpan Life = TimeSpan.FromMinutes(5);

    private byte[]? _now, _before;
    private TimeSpan _changedAt;

    public TToken Give(PublicKey key, Endpoint address, TimeSpan now)
    {
        Turn(now);
        return tag(_now!, key, address);
    }

    public bool IsGood(TToken token, PublicKey key, Endpoint address, TimeSpan now)
    {
        Turn(now);
        return token.Equals(tag(_now!, key, address)) || (_before is not null && token.Equals(tag(_before, key, address)));
    }

    private void Turn(TimeSpan now)
    {
        if (_now is not null && now - _changedAt < Life) return;
        _before = now - _changedAt < 2 * Life ? _now : null;
        _now = new byte[secretBytes];
        random.Fill(_now);
        _changedAt = now;
    }
}
