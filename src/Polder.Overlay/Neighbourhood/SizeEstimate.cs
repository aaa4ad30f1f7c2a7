using System.Buffers.Binary;
using Polder.Overlay.Refusals;

namespace Polder.Overlay.Neighbourhood;

/// <summary>
/// How many nodes there seem to be, by how densely their ids lie (overlay.md §8.5). Where the ids next to ours are much denser than those around
/// random places, somebody makes keys to crowd us. A rule. It sees only the ids that we know, so both figures are of the known part of the
/// network; the ratio is what counts. The DHT may give ids that it looked up, which makes both absolute.
/// </summary>
internal static class SizeEstimate
{
    private const int Closest = 16, Places = 8;

    /// <summary>Both estimates; null with fewer than 32 ids.</summary>
    public static (double? Nearest, double? Random) Of(IReadOnlyList<ulong> heads, ulong own, SipHash secret)
    {
        if (heads.Count < 2 * Closest) return (null, null);
        Span<double> estimates = stackalloc double[Places];
        Span<byte> number = stackalloc byte[9];
        number[0] = (byte)'e';
        for (var i = 0; i < Places; i++)
        {
            BinaryPrimitives.WriteInt64BigEndian(number[1..], i);
            estimates[i] = Around(heads, secret.Of(number));
        }
        estimates.Sort();
        return (Around(heads, own), (estimates[Places / 2 - 1] + estimates[Places / 2]) / 2);
    }

    // The 16th closest of N uniform ids lies at about 16/N of the space.
    private static double Around(IReadOnlyList<ulong> heads, ulong place)
    {
        var distances = new ulong[heads.Count];
        for (var i = 0; i < distances.Length; i++) distances[i] = heads[i] ^ place;
        Array.Sort(distances);
        return Closest / (Math.Max(1, distances[Closest - 1]) / Math.Pow(2, 64));
    }
}
