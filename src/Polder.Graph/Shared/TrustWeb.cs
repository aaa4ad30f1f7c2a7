using Polder.Graph.Model;
using Polder.Graph.Sea;
using Polder.Graph.Sync;

namespace Polder.Graph.Shared;

/// <summary>A key that somebody is known under.</summary>
/// <param name="Pub">The key.</param>
/// <param name="Distance">1: we say so ourselves; 2: somebody whom we know says so; and so on.</param>
/// <param name="Introducers">Those at the distance before who say so.</param>
public sealed record KnownKey(string Pub, int Distance, IReadOnlyList<string> Introducers);

/// <summary>
/// Who knows whom under what name: signed statements in everybody's own graph, "~pub/trust". An alias proves nothing, since anybody may
/// take any; a name is looked up from oneself outwards, over the statements of those whom one knows.
/// </summary>
/// <param name="graph">The graph.</param>
/// <param name="self">From whom the look starts.</param>
public sealed class TrustWeb(SharedGraph graph, string self)
{
    /// <summary>Farthest distance that is looked at.</summary>
    public const int DistanceMax = 3;

    private const int PeopleMax = 10_000, StatementsMax = 2_000;

    /// <summary>Says under what name we know a key.</summary>
    public Task SayAsync(SeaPair own, string pub, string name)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        return Say(own, pub, name);
    }

    /// <summary>Takes it back.</summary>
    public Task WithdrawAsync(SeaPair own, string pub) => Say(own, pub, GraphValue.Null);

    /// <summary>
    /// The keys that are known under a name at the nearest distance where any is: one, or several when those who know disagree, which is
    /// for the asker to decide. None: nobody within <see cref="DistanceMax"/> knows that name.
    /// </summary>
    public IReadOnlyList<KnownKey> Find(string name)
    {
        foreach (var (distance, statements) in Rings())
        {
            var found = statements.Where(one => string.Equals(one.Name, name, StringComparison.OrdinalIgnoreCase)).GroupBy(static one => one.Pub, StringComparer.Ordinal)
                .Select(one => new KnownKey(one.Key, distance, [.. one.Select(static statement => statement.By).Distinct(StringComparer.Ordinal)])).ToList();
            if (found.Count > 0) return [.. found.OrderByDescending(static one => one.Introducers.Count).ThenBy(static one => one.Pub, StringComparer.Ordinal)];
        }
        return [];
    }

    /// <summary>Everybody within a distance, ourselves first: whose copies of shared objects may count.</summary>
    public IEnumerable<string> Trusted(int distance = 1) =>
        [self, .. Rings().TakeWhile(ring => ring.Distance <= distance).SelectMany(static ring => ring.Statements).Select(static one => one.Pub).Where(pub => pub != self).Distinct(StringComparer.Ordinal)];

    private Task Say(SeaPair own, string pub, GraphValue name)
    {
        ArgumentNullException.ThrowIfNull(own);
        if (P256.Public(pub) is null) throw new ArgumentException("That is no public key of an account.");
        return graph.As(own)["trust"].PutAsync(pub, name);
    }

    private IEnumerable<(int Distance, List<(string By, string Pub, string Name)> Statements)> Rings()
    {
        var (seen, edge) = (new HashSet<string>(StringComparer.Ordinal) { self }, new List<string> { self });
        for (var distance = 1; distance <= DistanceMax && edge.Count > 0; distance++)
        {
            var (statements, next) = (new List<(string, string, string)>(), new List<string>());
            foreach (var by in edge)
                foreach (var one in graph[$"~{by}/trust"].GetAll(StatementsMax))
                {
                    if (one.Value.AsText is not { } name) continue;
                    statements.Add((by, one.Key, name));
                    if (seen.Count < PeopleMax && seen.Add(one.Key)) next.Add(one.Key);
                }
            yield return (distance, statements);
            edge = next;
        }
    }
}
