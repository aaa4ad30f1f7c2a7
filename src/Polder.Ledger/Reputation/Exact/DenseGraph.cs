namespace Polder.Ledger.Reputation.Exact;

/// <summary>
/// A small work graph of numbered peers, made once and never changed: what the exact algorithms and the experiments read.
/// Work is summed up by pair; it can be read from both ends (reputation.md §1.2: flows run from contributor to consumer, walks
/// from consumer to contributor).
/// </summary>
public sealed class DenseGraph
{
    private readonly Side _byConsumer, _byContributor;

    private DenseGraph(int count, List<WorkEdge> edges)
    {
        Count = count;
        Edges = edges;
        _byConsumer = new Side(count, edges, static edge => edge.Consumer, static edge => edge.Contributor);
        _byContributor = new Side(count, edges, static edge => edge.Contributor, static edge => edge.Consumer);
    }

    /// <summary>How many peers there are; they are numbered from 0.</summary>
    public int Count { get; }

    /// <summary>Every pair with work, once, by contributor and then by consumer.</summary>
    public IReadOnlyList<WorkEdge> Edges { get; }

    /// <summary>The graph of these records or edges; those of the same pair are added. Amounts that are not above 0 and work for oneself are left out.</summary>
    /// <param name="peers">How many peers there are.</param>
    /// <param name="records">Records, in any order.</param>
    /// <exception cref="ArgumentOutOfRangeException">A record names a peer that is not there, or an amount is not finite.</exception>
    public static DenseGraph Of(int peers, IEnumerable<WorkEdge> records)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(peers);
        ArgumentNullException.ThrowIfNull(records);
        var sums = new SortedDictionary<(int Contributor, int Consumer), double>();
        foreach (var (contributor, consumer, amount) in records)
        {
            if ((uint)contributor >= (uint)peers || (uint)consumer >= (uint)peers || !double.IsFinite(amount))
                throw new ArgumentOutOfRangeException(nameof(records), $"A record is of {amount} from {contributor} to {consumer}, among {peers} peers.");
            if (amount <= 0 || contributor == consumer) continue;
            sums[(contributor, consumer)] = sums.GetValueOrDefault((contributor, consumer)) + amount;
        }
        var edges = new List<WorkEdge>(sums.Count);
        foreach (var ((contributor, consumer), amount) in sums) edges.Add(new WorkEdge(contributor, consumer, amount));
        return new DenseGraph(peers, edges);
    }

    /// <summary>This graph with more records, and maybe more peers behind the last one.</summary>
    public DenseGraph With(IEnumerable<WorkEdge> records, int morePeers = 0) => Of(Count + morePeers, Edges.Concat(records));

    /// <summary>This graph without any work of or for some peers; they keep their numbers.</summary>
    public DenseGraph Without(params ReadOnlySpan<int> peers)
    {
        var gone = new HashSet<int>();
        foreach (var peer in peers) gone.Add(peer);
        return Of(Count, Edges.Where(edge => !gone.Contains(edge.Contributor) && !gone.Contains(edge.Consumer)));
    }

    /// <summary>What one did for the other in all.</summary>
    public double Work(int contributor, int consumer)
    {
        var row = _byConsumer.Peers(consumer);
        var place = row.BinarySearch(contributor);
        return place < 0 ? 0 : _byConsumer.Amounts(consumer)[place];
    }

    /// <summary>Who worked for this peer, by number: where a walk may go from it.</summary>
    public ReadOnlySpan<int> Contributors(int consumer) => _byConsumer.Peers(consumer);

    /// <summary>How much each of <see cref="Contributors"/> did.</summary>
    public ReadOnlySpan<double> ContributorAmounts(int consumer) => _byConsumer.Amounts(consumer);

    /// <summary>For whom this peer worked, by number.</summary>
    public ReadOnlySpan<int> Consumers(int contributor) => _byContributor.Peers(contributor);

    /// <summary>How much it did for each of <see cref="Consumers"/>.</summary>
    public ReadOnlySpan<double> ConsumerAmounts(int contributor) => _byContributor.Amounts(contributor);

    /// <summary>What this peer got from anybody.</summary>
    public double Got(int consumer) => _byConsumer.Sums[consumer];

    /// <summary>What this peer gave to anybody.</summary>
    public double Gave(int contributor) => _byContributor.Sums[contributor];

    /// <summary>One reading of the edges: lists by one end, sorted by the other.</summary>
    private readonly struct Side
    {
        private readonly int[] _starts, _peers;
        private readonly double[] _amounts;

        public Side(int count, List<WorkEdge> edges, Func<WorkEdge, int> end, Func<WorkEdge, int> other)
        {
            (_starts, _peers, _amounts, Sums) = (new int[count + 1], new int[edges.Count], new double[edges.Count], new double[count]);
            foreach (var edge in edges) _starts[end(edge) + 1]++;
            for (var i = 0; i < count; i++) _starts[i + 1] += _starts[i];
            var next = _starts.AsSpan(0, count).ToArray();
            // Edges come sorted by both numbers, so each list comes out sorted whichever end it is by.
            foreach (var edge in edges)
            {
                var place = next[end(edge)]++;
                (_peers[place], _amounts[place]) = (other(edge), edge.Amount);
                Sums[end(edge)] += edge.Amount;
            }
        }

        public double[] Sums { get; }
        public ReadOnlySpan<int> Peers(int end) => _peers.AsSpan(_starts[end].._starts[end + 1]);
        public ReadOnlySpan<double> Amounts(int end) => _amounts.AsSpan(_starts[end].._starts[end + 1]);
    }
}
