using Polder.Cryptography;

namespace Polder.Overlay.Dht.Records;

/// <summary>
/// How many nodes there are, by how densely ids lie (OV-8.5): around us, and around random targets. Where ours lie four times as
/// densely as elsewhere, somebody crowds us.
/// </summary>
internal sealed class NetworkSize
{
    private const int Kept = 8;
    private readonly double[] _elsewhere = new double[Kept];
    private int _count;

    public static double Of(ulong distanceOfFarthest, int count) =>
        count == 0 ? 0 : distanceOfFarthest == 0 ? count : Math.Max(count, count / (distanceOfFarthest / Math.Pow(2, 64)));

    /// <summary>The median around random targets; 0 while none was searched.</summary>
    public double Elsewhere
    {
        get
        {
            var count = Math.Min(_count, Kept);
            if (count == 0) return 0;
            Span<double> sorted = stackalloc double[Kept];
            _elsewhere.AsSpan(0, count).CopyTo(sorted);
            sorted[..count].Sort();
            return sorted[count / 2];
        }
    }

    public void Heard(in Hash256 target, IReadOnlyList<LookupNode> closest)
    {
        if (closest.Count < 8) return;
        _elsewhere[_count++ % Kept] = Of(closest[^1].Distance, closest.Count);
        if (_count >= 2 * Kept) _count -= Kept;
        _ = target;
    }
}
