namespace Polder.Ledger.Reputation.Exact;

/// <summary>Two peers worked for each other, each at a place of its own chain.</summary>
/// <param name="First">One peer.</param>
/// <param name="FirstSequence">Its place.</param>
/// <param name="Second">The other.</param>
/// <param name="SecondSequence">Its place.</param>
/// <param name="FirstGave">What the first did for the second.</param>
/// <param name="SecondGave">What the second did for the first.</param>
public readonly record struct Interaction(int First, long FirstSequence, int Second, long SecondSequence, double FirstGave, double SecondGave);

/// <summary>
/// Temporal PageRank (Otte, 2016; reputation.md §3.4): a walk over states (peer, sequence number), which can only go forward in
/// time. As many states as half blocks: for analysis of some thousand blocks.
/// </summary>
public static class TemporalPageRank
{
    /// <summary>Scores of all peers, by number, the observer's own included.</summary>
    /// <param name="peers">How many peers there are.</param>
    /// <param name="interactions">What happened, in any order.</param>
    /// <param name="observer">From whose point of view.</param>
    /// <param name="spread">True: the walk starts evenly at all of the observer's states; false: at its first.</param>
    /// <param name="damping">The probability of going on; 0.85 in the thesis.</param>
    public static double[] Scores(int peers, IReadOnlyList<Interaction> interactions, int observer, bool spread, double damping = 0.85)
    {
        ArgumentNullException.ThrowIfNull(interactions);
        if (!(damping is >= 0 and < 1)) throw new ArgumentOutOfRangeException(nameof(damping), damping, "Damping is from 0 to below 1.");
        var states = new SortedDictionary<(int Peer, long Sequence), int>();
        foreach (var (p, s, q, r, _, _) in interactions)
            foreach (var state in ((int, long)[])[(p, s), (p, s + 1), (q, r), (q, r + 1)]) states.TryAdd(state, 0);
        var owners = new int[states.Count];
        var next = 0;
        foreach (var state in states.Keys.ToList())
        {
            owners[next] = state.Peer;
            states[state] = next++;
        }

        var edges = new List<(int From, int To, double Weight)>();
        var sums = new double[owners.Length];
        foreach (var (p, s, q, r, firstGave, secondGave) in interactions)
        {
            Add((p, s), (p, s + 1), firstGave);
            Add((p, s), (q, r + 1), secondGave);
            Add((q, r), (q, r + 1), secondGave);
            Add((q, r), (p, s + 1), firstGave);
        }

        // Expected visits until a walk stops or finds no way on; shares of them are the stationary shares of the walk that returns.
        var own = new List<int>();
        for (var i = 0; i < owners.Length; i++)
            if (owners[i] == observer && (spread || own.Count == 0)) own.Add(i);
        var (total, now) = (new double[owners.Length], new double[owners.Length]);
        foreach (var start in own) now[start] = 1.0 / own.Count;
        for (var left = own.Count > 0 ? 1.0 : 0; left > 1e-18;)
        {
            var after = new double[owners.Length];
            foreach (var (from, to, weight) in edges) after[to] += damping * now[from] * weight / sums[from];
            left = 0;
            for (var i = 0; i < total.Length; i++)
            {
                total[i] += now[i];
                left += after[i];
            }
            now = after;
        }
        var scores = new double[peers];
        for (var i = 0; i < owners.Length; i++) scores[owners[i]] += total[i];
        return ExactWalks.Shares(scores, 0);

        void Add((int, long) from, (int, long) to, double weight)
        {
            if (weight <= 0) return;
            edges.Add((states[from], states[to], weight));
            sums[states[from]] += weight;
        }
    }
}
