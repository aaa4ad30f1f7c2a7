using Polder.Ledger.Reputation.Exact;
using Polder.Runtime;

namespace Polder.Simulation.Experiments;

/// <summary>Walks drawn from a graph, as the published experiments count them (reputation.md §3): stop first, then step in proportion to work.</summary>
internal sealed class RandomWalks
{
    private readonly DenseGraph _graph;
    private readonly double[][] _cumulative;

    public RandomWalks(DenseGraph graph)
    {
        _graph = graph;
        _cumulative = new double[graph.Count][];
        for (var i = 0; i < graph.Count; i++)
        {
            var amounts = graph.ContributorAmounts(i);
            var sums = _cumulative[i] = new double[amounts.Length];
            var sum = 0.0;
            for (var k = 0; k < amounts.Length; k++) sums[k] = sum += amounts[k];
        }
    }

    /// <summary>How many of the walks from one peer came to each other peer, and how often they were there.</summary>
    public (int[] Hits, int[] Visits) Count(int from, int walks, double stop, Prng chance)
    {
        var (hits, visits, last) = (new int[_graph.Count], new int[_graph.Count], new int[_graph.Count]);
        for (var walk = 1; walk <= walks; walk++)
        {
            var at = from;
            last[at] = walk;
            while (!chance.Chance(stop) && _cumulative[at] is { Length: > 0 } sums)
            {
                var place = Array.BinarySearch(sums, chance.NextDouble() * sums[^1]);
                at = _graph.Contributors(at)[Math.Min(sums.Length - 1, place < 0 ? ~place : place)];
                visits[at]++;
                if (last[at] == walk) continue;
                last[at] = walk;
                hits[at]++;
            }
        }
        return (hits, visits);
    }
}
