namespace Polder.Ledger.Reputation.Exact;

/// <summary>
/// Membership by group trust after Levien's Advogato (reputation.md §2.4): capacity flows from the observer along whom it trusts,
/// one unit is spent on each member. How many false identities get in is bounded by the capacity of those who trust them. For
/// yes or no, never for ranking.
/// </summary>
public static class GroupMembership
{
    /// <summary>Capacities by distance from the observer, as in the deployed system; further away it is 1.</summary>
    public static IReadOnlyList<int> Capacities { get; } = [800, 200, 50, 12, 4, 2, 1];

    /// <summary>Who is in, by number; the observer is.</summary>
    public static bool[] Members(DenseGraph graph, int observer, IReadOnlyList<int>? capacities = null)
    {
        ArgumentNullException.ThrowIfNull(graph);
        var sizes = capacities ?? Capacities;
        var (n, distances) = (graph.Count, Distances(graph, observer));
        var (sink, network, spent) = (2 * n, new MaximumFlow(2 * n + 1), new int[n]);
        for (var v = 0; v < n; v++)
        {
            spent[v] = -1;
            if (distances[v] < 0) continue;
            var capacity = sizes.Count == 0 ? 1 : sizes[Math.Min(distances[v], sizes.Count - 1)];
            spent[v] = network.Add(2 * v, sink, 1);
            if (capacity > 1) network.Add(2 * v, 2 * v + 1, capacity - 1);
            // Trust runs from the consumer to the contributor.
            foreach (var contributor in graph.Contributors(v)) network.Add(2 * v + 1, 2 * contributor, double.PositiveInfinity);
        }
        network.Run(2 * observer, sink);
        var members = new bool[n];
        for (var v = 0; v < n; v++) members[v] = spent[v] >= 0 && network.FlowOver(spent[v]) > 0;
        return members;
    }

    private static int[] Distances(DenseGraph graph, int observer)
    {
        var distances = new int[graph.Count];
        Array.Fill(distances, -1);
        distances[observer] = 0;
        var queue = new Queue<int>([observer]);
        while (queue.TryDequeue(out var node))
        {
            foreach (var contributor in graph.Contributors(node))
            {
                if (distances[contributor] >= 0) continue;
                distances[contributor] = distances[node] + 1;
                queue.Enqueue(contributor);
            }
        }
        return distances;
    }
}
