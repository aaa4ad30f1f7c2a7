using Polder.Runtime;

namespace Polder.Simulation.Experiments;

/// <summary>Walks of one observer that are kept up record by record (reputation.md §4.2), with a count of what that costs.</summary>
internal sealed class IncrementalWalks
{
    private readonly List<int>[] _walks;
    private readonly HashSet<int>[] _through;
    private readonly List<(int Contributor, double Amount)>[] _rows;
    private readonly double[] _sums;
    private readonly double _stop;
    private readonly Prng _chance;

    public IncrementalWalks(int peers, int observer, int walks, double stop, Prng chance)
    {
        (_stop, _chance, _sums) = (stop, chance, new double[peers]);
        _rows = [.. Enumerable.Range(0, peers).Select(static _ => new List<(int, double)>())];
        _through = [.. Enumerable.Range(0, peers).Select(static _ => new HashSet<int>())];
        _walks = [.. Enumerable.Range(0, walks).Select(_ => new List<int> { observer })];
        for (var walk = 0; walk < walks; walk++) _through[observer].Add(walk);
    }

    /// <summary>Walks that came to a peer.</summary>
    public int HitsOf(int peer) => _through[peer].Count;

    /// <summary>Adds work; answers how many steps were drawn anew. The increment decides: q = w / (S + w).</summary>
    public int Add(int contributor, int consumer, double amount)
    {
        var q = amount / (_sums[consumer] + amount);
        _sums[consumer] += amount;
        _rows[consumer].Add((contributor, amount));
        var drawn = 0;
        // In order of their numbers, so that the same seed gives the same walks.
        foreach (var walk in _through[consumer].Order().ToList())
        {
            var nodes = _walks[walk];
            for (var place = 0; place < nodes.Count; place++)
            {
                if (nodes[place] != consumer || !_chance.Chance(q)) continue;
                Cut(walk, place + 1);
                drawn++;
                // The whole decision at this peer is drawn anew: to stop, or to go to the new one.
                if (!_chance.Chance(_stop)) drawn += Go(walk, contributor);
                break;
            }
        }
        return drawn;
    }

    private void Cut(int walk, int length)
    {
        var nodes = _walks[walk];
        var tail = nodes.GetRange(length, nodes.Count - length);
        nodes.RemoveRange(length, tail.Count);
        foreach (var node in tail)
            if (!nodes.Contains(node)) _through[node].Remove(walk);
    }

    private int Go(int walk, int to)
    {
        var steps = 0;
        for (var at = to; ;)
        {
            _walks[walk].Add(at);
            _through[at].Add(walk);
            steps++;
            if (_rows[at].Count == 0 || _chance.Chance(_stop)) return steps;
            var left = _chance.NextDouble() * _sums[at];
            var next = _rows[at][^1].Contributor;
            foreach (var (contributor, amount) in _rows[at])
            {
                if ((left -= amount) >= 0) continue;
                next = contributor;
                break;
            }
            at = next;
        }
    }
}
