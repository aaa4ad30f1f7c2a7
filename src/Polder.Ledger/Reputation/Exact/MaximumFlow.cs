namespace Polder.Ledger.Reputation.Exact;

/// <summary>
/// Maximum flow by Dinic's algorithm (1970). Capacities are real numbers; a blocking flow empties at least one edge exactly, so
/// it ends for those too.
/// </summary>
internal sealed class MaximumFlow
{
    private readonly List<int> _to = [], _next = [];
    private readonly List<double> _capacity = [];
    private readonly int[] _first, _level, _current;
    private double[] _left = [];

    public MaximumFlow(int nodes)
    {
        (_first, _level, _current) = (new int[nodes], new int[nodes], new int[nodes]);
        Array.Fill(_first, -1);
    }

    /// <summary>Adds an edge and answers its number.</summary>
    public int Add(int from, int to, double capacity)
    {
        var edge = _to.Count;
        Half(from, to, capacity);
        Half(to, from, 0);
        return edge;

        void Half(int a, int b, double size)
        {
            _to.Add(b);
            _capacity.Add(size);
            _next.Add(_first[a]);
            _first[a] = _to.Count - 1;
        }
    }

    /// <summary>The maximum flow, of the empty network each time.</summary>
    public double Run(int source, int sink)
    {
        if (source == sink) return 0;
        if (_left.Length != _capacity.Count) _left = new double[_capacity.Count];
        _capacity.CopyTo(_left);
        var total = 0.0;
        while (FindLevels(source, sink))
        {
            Array.Copy(_first, _current, _first.Length);
            for (double pushed; (pushed = Push(source, sink, double.PositiveInfinity)) > 0;) total += pushed;
        }
        return total;
    }

    /// <summary>What flows over an edge after <see cref="Run"/>.</summary>
    public double FlowOver(int edge) => _left[edge ^ 1] - _capacity[edge ^ 1];

    private bool FindLevels(int source, int sink)
    {
        Array.Fill(_level, -1);
        _level[source] = 0;
        var queue = new Queue<int>();
        queue.Enqueue(source);
        while (queue.TryDequeue(out var node))
        {
            for (var edge = _first[node]; edge >= 0; edge = _next[edge])
            {
                if (_left[edge] <= 0 || _level[_to[edge]] >= 0) continue;
                _level[_to[edge]] = _level[node] + 1;
                queue.Enqueue(_to[edge]);
            }
        }
        return _level[sink] >= 0;
    }

    private double Push(int node, int sink, double most)
    {
        if (node == sink) return most;
        for (; _current[node] >= 0; _current[node] = _next[_current[node]])
        {
            var edge = _current[node];
            if (_left[edge] <= 0 || _level[_to[edge]] != _level[node] + 1) continue;
            var pushed = Push(_to[edge], sink, Math.Min(most, _left[edge]));
            if (pushed <= 0) continue;
            _left[edge] -= pushed;
            _left[edge ^ 1] += pushed;
            return pushed;
        }
        return 0;
    }
}
