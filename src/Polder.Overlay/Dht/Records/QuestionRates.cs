using Polder.Identity;
using Polder.Overlay.Refusals;

namespace Polder.Overlay.Dht.Records;

/// <summary>Counts questions of peers in windows of five seconds, in a small table of hashed counters: no entry a peer, no growth.</summary>
internal sealed class QuestionRates(SipHash hash, int max)
{
    private const int Slots = 256;
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(5);

    private ushort[]? _counts;
    private TimeSpan _since;

    public bool TryTake(PublicKey key, TimeSpan now)
    {
        if (_counts is null) _counts = new ushort[Slots];
        else if (now - _since >= Window) Array.Clear(_counts);
        if (now - _since >= Window) _since = now;
        ref var count = ref _counts[(int)(hash.Of(key.Bytes) % Slots)];
        if (count >= max) return false;
        count++;
        return true;
    }
}
