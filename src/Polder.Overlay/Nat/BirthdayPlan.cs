using Polder.Runtime;

namespace Polder.Overlay.Nat;

/// <summary>
/// Which ports of a router with random mappings are probed, in which order (OV-6.5): the block in which its ports were seen
/// first, then all others; no port twice. Takes constant memory.
/// </summary>
internal sealed class BirthdayPlan
{
    /// <summary>The lowest port that routers give.</summary>
    public const int LeastPort = 1024;

    private readonly int _from, _count;
    private readonly ulong _start, _stride;
    private readonly BirthdayPlan? _rest;
    private readonly int _skipFrom, _skipTo;
    private int _given;

    /// <summary>A plan for the block from <paramref name="windowFrom"/> to <paramref name="windowTo"/>, both 0 when none is known.</summary>
    public BirthdayPlan(Prng random, int windowFrom = 0, int windowTo = 0) : this(random,
        windowFrom >= LeastPort && windowTo >= windowFrom ? windowFrom : LeastPort,
        windowFrom >= LeastPort && windowTo >= windowFrom ? windowTo : 65_535, 0, -1)
    {
        if (_count < 65_536 - LeastPort) _rest = new BirthdayPlan(random, LeastPort, 65_535, _from, _from + _count - 1);
    }

    private BirthdayPlan(Prng random, int from, int to, int skipFrom, int skipTo)
    {
        (_from, _count, _skipFrom, _skipTo) = (from, to - from + 1, skipFrom, skipTo);
        _start = (ulong)random.Next(_count);
        // A stride without a common divisor visits every port once.
        do _stride = (ulong)(1 + random.Next(Math.Max(1, _count - 1)));
        while (Divisor(_stride, (ulong)_count) != 1);
    }

    /// <summary>The next port, or null when all were given.</summary>
    public ushort? Next()
    {
        while (_given < _count)
        {
            var port = _from + (int)((_start + (ulong)_given++ * _stride) % (ulong)_count);
            if (port < _skipFrom || port > _skipTo) return (ushort)port;
        }
        return _rest?.Next();
    }

    /// <summary>Probability that <paramref name="probes"/> distinct ports of <paramref name="ports"/> hit one of <paramref name="sockets"/> mappings.</summary>
    public static double Chance(int sockets, int ports, int probes)
    {
        var miss = 1.0;
        for (var i = 0; i < probes && miss > 0; i++) miss *= Math.Max(0, 1 - (double)sockets / (ports - i));
        return 1 - miss;
    }

    private static ulong Divisor(ulong a, ulong b) => b == 0 ? a : Divisor(b, a % b);
}
