using Polder.Net;
using Polder.Runtime;

namespace Polder.Ledger;

/// <summary>How fast new blocks may come: one bucket for each proved address, one for all others together.</summary>
internal sealed class BlockRates
{
    private const int AddressesMax = 4_096;

    private readonly Dictionary<Endpoint, TokenBucket> _proved = [];
    private TokenBucket _strangers;

    public bool TryTake(TimeSpan now, Endpoint from, bool isProved)
    {
        if (!isProved) return _strangers.TryTake(now, Limits.StrangersBlocksPerSecond, 2 * Limits.StrangersBlocksPerSecond);
        // Forgetting all of them now and then gives everybody one more burst, no more.
        if (_proved.Count >= AddressesMax) _proved.Clear();
        ref var bucket = ref System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrAddDefault(_proved, from, out _);
        return bucket.TryTake(now, Limits.PeerBlocksPerSecond, 2 * Limits.PeerBlocksPerSecond);
    }
}
