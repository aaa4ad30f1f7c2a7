using Polder.Identity;

namespace Polder.Overlay.Dht.IPv8;

/// <summary>Counts queries for each key in windows of 5 s: 10 are allowed (IPv8's own rule, OV-4.3). Bounded; who does not fit is refused.</summary>
internal sealed class QueryRates
{
    private const int KeysMax = 4_096;

    private readonly Dictionary<PublicKey, int> _counts = new(PublicKey.Comparer);
    private TimeSpan _since;

    /// <summary>How long until the window ends.</summary>
    public TimeSpan Left(TimeSpan now) => _since + IPv8DhtLimits.QueriesWindow - now;

    public bool TryTake(PublicKey key, TimeSpan now)
    {
        if (now - _since >= IPv8DhtLimits.QueriesWindow)
        {
            _counts.Clear();
            _since = now;
        }
        var count = _counts.GetValueOrDefault(key);
        if (count >= IPv8DhtLimits.QueriesMax || (count == 0 && _counts.Count >= KeysMax)) return false;
        _counts[key] = count + 1;
        return true;
    }
}
