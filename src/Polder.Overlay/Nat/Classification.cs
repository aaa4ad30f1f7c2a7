using Polder.Net;

namespace Polder.Overlay.Nat;

/// <summary>What the votes say (OV-5.5).</summary>
/// <param name="Class">The class.</param>
/// <param name="IsSettled">Whether it rests on enough votes and, where one is needed, on a dial-back that was answered or failed.</param>
/// <param name="Outer">Where most see us; with changing ports, the newest.</param>
/// <param name="Step">From one new mapping to the next; 0 when not sequential.</param>
/// <param name="WindowFrom">First port of the block from which ports are drawn; 0 when unknown.</param>
/// <param name="WindowTo">Its last port.</param>
internal readonly record struct NatVerdict(NatClass Class, bool IsSettled, Endpoint? Outer, int Step = 0, int WindowFrom = 0, int WindowTo = 0);

/// <summary>Decides from others' words what we are behind. A rule: no clock, no network.</summary>
internal static class Classification
{
    /// <summary>
    /// <paramref name="local"/> is our own address in our network; <paramref name="strangersGetIn"/> what dial-backs showed,
    /// null while none is done.
    /// </summary>
    public static NatVerdict Judge(IReadOnlyList<NatReport> votes, Endpoint local, bool? strangersGetIn, NatOptions options)
    {
        if (votes.Count == 0) return new NatVerdict(NatClass.Unknown, false, null);
        var (common, commonVotes) = MostCommon(votes);
        // One network's word is no proof that all see the same (OV-5.6).
        if (votes.Count < options.VotesMin)
            return new NatVerdict(strangersGetIn == true ? NatClass.Full : NatClass.Unknown, false, common);
        // A single liar cannot make a steady address look unsteady: most decide.
        if (2 * commonVotes > votes.Count)
        {
            var isOwn = common == local;
            var @class = strangersGetIn == true ? isOwn ? NatClass.Open : NatClass.Full : NatClass.Filtered;
            return new NatVerdict(@class, strangersGetIn is not null, common);
        }
        var newestFirst = votes.OrderByDescending(static vote => vote.Since).ThenByDescending(static vote => vote.Seen.Port).ToList();
        var outer = newestFirst[0].Seen;
        if (HasSeveralAddresses(votes)) return new NatVerdict(NatClass.Pool, true, outer);
        var ports = new int[newestFirst.Count];
        for (var i = 0; i < ports.Length; i++) ports[^(i + 1)] = newestFirst[i].Seen.Port;
        var step = StepOf(ports, options.StepMax);
        if (step != 0) return new NatVerdict(NatClass.Sequential, true, outer, step);
        var (least, most) = (ports.Min(), ports.Max());
        if (ports.Length < options.WindowVotesMin || most - least > options.WindowMax) return new NatVerdict(NatClass.Random, true, outer);
        // What was seen lies inside the block; as much as lies between two neighbours may lie outside on each side.
        var margin = (most - least) / (ports.Length - 1) + 1;
        return new NatVerdict(NatClass.Random, true, outer, 0, Math.Max(1024, least - margin), Math.Min(65_535, most + margin));
    }

    /// <summary>
    /// The step of ports given in the order in which they were drawn; 0 when they are not sequential: at least 60 % of the
    /// differences small and of one sign, or all ports as close together as so few steps allow, in whatever order the answers came.
    /// The step is what all these differences are multiples of.
    /// </summary>
    public static int StepOf(ReadOnlySpan<int> ports, int stepMax)
    {
        if (ports.Length < 3) return 0;
        if (StepOfUnordered(ports, stepMax) is not 0 and var close) return close;
        var (up, down, upStep, downStep) = (0, 0, 0, 0);
        for (var i = 1; i < ports.Length; i++)
        {
            var difference = ports[i] - ports[i - 1];
            if (difference is 0 || Math.Abs(difference) > stepMax) continue;
            if (difference > 0) (up, upStep) = (up + 1, CommonDivisor(upStep, difference));
            else (down, downStep) = (down + 1, CommonDivisor(downStep, -difference));
        }
        var differences = ports.Length - 1;
        if (10 * up >= 6 * differences) return upStep;
        return 10 * down >= 6 * differences ? -downStep : 0;
    }

    /// <summary>Asked all at once, neighbours answer in any order: then only how close the ports lie tells.</summary>
    private static int StepOfUnordered(ReadOnlySpan<int> ports, int stepMax)
    {
        var sorted = ports.ToArray();
        Array.Sort(sorted);
        if (sorted[^1] - sorted[0] > stepMax * (ports.Length - 1)) return 0;
        var (step, isFalling) = (0, true);
        for (var i = 1; i < sorted.Length; i++)
        {
            step = CommonDivisor(step, sorted[i] - sorted[i - 1]);
            isFalling &= ports[i] < ports[i - 1];
        }
        // Nearly all count up: counting down must show without exception.
        return isFalling ? -step : step;
    }

    private static int CommonDivisor(int a, int b) => b == 0 ? a : CommonDivisor(b, a % b);

    private static (Endpoint Seen, int Votes) MostCommon(IReadOnlyList<NatReport> votes)
    {
        var best = (Seen: votes[0].Seen, Votes: 0, Last: TimeSpan.MinValue);
        foreach (var vote in votes)
        {
            var (count, last) = (0, TimeSpan.MinValue);
            foreach (var other in votes)
                if (other.Seen == vote.Seen) (count, last) = (count + 1, other.At > last ? other.At : last);
            // More than half: no other can be more common, and nearly always it is the first.
            if (2 * count > votes.Count) return (vote.Seen, count);
            if (count > best.Votes || (count == best.Votes && last > best.Last)) best = (vote.Seen, count, last);
        }
        return (best.Seen, best.Votes);
    }

    private static bool HasSeveralAddresses(IReadOnlyList<NatReport> votes)
    {
        var most = 0;
        foreach (var vote in votes)
        {
            var count = 0;
            foreach (var other in votes)
                if (other.Seen.SameAddress(vote.Seen)) count++;
            most = Math.Max(most, count);
        }
        return 4 * most <= 3 * votes.Count;
    }
}
