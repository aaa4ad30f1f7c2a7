using Polder.Ledger.Reputation.Exact;
using Polder.Node.Operations;

namespace Polder.Host.Commands.Records;

/// <summary>Records of a file: names, graph and observer.</summary>
internal sealed class RecordCase
{
    private readonly Dictionary<double, ExactWalks> _walks = [];

    private RecordCase(string name, IReadOnlyList<string> names, DenseGraph graph, int observer) =>
        (Name, Names, Graph, Observer) = (name, names, graph, observer);

    public string Name { get; }

    /// <summary>Peers in the order of their names; their places are their numbers.</summary>
    public IReadOnlyList<string> Names { get; }

    public DenseGraph Graph { get; }
    public int Observer { get; }

    /// <summary>All expected visits for a probability of stopping, worked out once.</summary>
    public ExactWalks Walks(double stop) => _walks.TryGetValue(stop, out var known) ? known : _walks[stop] = new ExactWalks(Graph, stop);

    /// <summary>Numbers the peers and adds up the records.</summary>
    /// <exception cref="OperationRefusedException">No such observer, too many peers, or an amount that is none.</exception>
    public static RecordCase Of(string name, IEnumerable<(string Contributor, string Consumer, double Amount)> records, string? observer, int peersMax, IEnumerable<string>? more = null)
    {
        var rows = records.ToList();
        var names = rows.SelectMany(row => (string[])[row.Contributor, row.Consumer]).Concat(more ?? []).Distinct().Order(StringComparer.Ordinal).ToList();
        if (names.Count > peersMax)
            throw new OperationRefusedException(RefusalKind.BadInput, $"{name} has {names.Count} peers; exact scores are worked out for at most {peersMax}.");
        if (observer is null) throw new OperationRefusedException(RefusalKind.BadInput, $"{name} does not say from whose point of view. Add --observer NAME.");
        var numbers = names.Select((peer, i) => (peer, i)).ToDictionary(pair => pair.peer, pair => pair.i, StringComparer.Ordinal);
        if (!numbers.TryGetValue(observer, out var number))
            throw new OperationRefusedException(RefusalKind.BadInput, $"{name} has no record with \"{observer}\". There are: {string.Join(", ", names.Take(8))}{(names.Count > 8 ? " …" : "")}.");
        foreach (var row in rows)
            if (!(row.Amount > 0) || !double.IsFinite(row.Amount) || row.Contributor == row.Consumer)
                throw new OperationRefusedException(RefusalKind.BadInput, FormattableString.Invariant($"{name}: {row.Amount} from {row.Contributor} to {row.Consumer} is no record: amounts are above 0, between two peers."));
        return new RecordCase(name, names, DenseGraph.Of(names.Count, rows.Select(row => new WorkEdge(numbers[row.Contributor], numbers[row.Consumer], row.Amount))), number);
    }
}
