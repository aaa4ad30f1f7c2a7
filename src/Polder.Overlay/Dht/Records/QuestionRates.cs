using System.Runtime.InteropServices;
using Polder.Identity;
using Polder.Overlay.Refusals;

namespace Polder.Overlay.Dht.Records;

/// <summary>Counts questions of peers in windows of five seconds, in a small table of hashed counters: no entry a peer, no growth.</summary>
internal sealed class QuestionRates(SipHash hash, int max)
{
    private const int Slots = 256;
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(5);

    // Bytes where they are enough, as they are by default: half the memory.
    private readonly bool _isNarrow = max <= byte.MaxValue;
    private byte[]? _counts;
    private TimeSpan _since;

    public bool TryTake(PublicKey key, TimeSpan now)
    {
        if (_counts is null) _counts = new byte[_isNarrow ? Slots : Slots * sizeof(ushort)];
        else if (now - _since >= Window) Array.Clear(_counts);
        if (now - _since >= Window) _since = now;
        var slot = (int)(hash.Of(key.Bytes) % Slots);
        if (_isNarrow)
        {
            if (_counts[slot] >= max) return false;
            _counts[slot]++;
            return true;
        }
        ref var count = ref MemoryMarshal.Cast<byte, ushort>(_counts.AsSpan())[slot];
        if (count >= max) return false;
        count++;
        return true;
    }

    /// <summary>Gives the counters back when their window is over.</summary>
    public void Tidy(TimeSpan now)
    {
        if (now - _since >= Window) _counts = null;
    }
}
