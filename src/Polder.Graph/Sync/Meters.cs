using System.Runtime.InteropServices;
using Polder.Runtime;

namespace Polder.Graph.Sync;

/// <summary>What each of many, by name, may spend: so much a second, after a burst. Bounded: those that were idle longest are forgotten with the rest of their generation.</summary>
internal sealed class Meters(double perSecond, double burst)
{
    private const int GenerationMax = 10_000;

    private Dictionary<string, TokenBucket> _young = new(StringComparer.Ordinal), _old = new(StringComparer.Ordinal);

    public bool TryTake(string who, double amount, TimeSpan now)
    {
        if (!_young.ContainsKey(who))
        {
            if (_young.Count >= GenerationMax)
            {
                (_old, _young) = (_young, _old);
                _young.Clear();
            }
            _young[who] = _old.Remove(who, out var before) ? before : default;
        }
        return CollectionsMarshal.GetValueRefOrNullRef(_young, who).TryTake(now, perSecond, burst, amount);
    }
}
