using Polder.Graph.Model;
using Polder.Graph.Sea;
using Polder.Graph.Sync;

namespace Polder.Graph.Shared;

/// <summary>One author's value of a key of a shared object.</summary>
/// <param name="Key">The key.</param>
/// <param name="State">When it was written, by its author's clock; milliseconds since 1970.</param>
/// <param name="Value">What was written; null where it was deleted.</param>
/// <param name="Author">Whose copy it is in: a SEA public key.</param>
public readonly record struct SharedValue(string Key, double State, GraphValue Value, string Author);

/// <summary>
/// An object that several people share, as the GUN paper has it: each author writes a signed copy into an own graph, "~pub/shared/NAME",
/// and nobody can touch another's; a reader merges the copies of those whom he trusts. Two readers who trust the same people see the same. On the loop.
/// </summary>
public sealed class SharedObject
{
    private readonly SharedGraph _graph;
    private readonly SeaPair? _author;
    private readonly Func<IEnumerable<string>> _trusted;

    /// <summary>A shared object as one reader sees it.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="name">Its name, the same for all.</param>
    /// <param name="author">Who writes here; null for somebody who reads only.</param>
    /// <param name="trusted">Public keys whose copies count, asked anew at each reading: a fixed list, <see cref="Permissions.Writers"/>,
    /// <see cref="Group.Members"/> or <see cref="TrustWeb.Trusted"/>. The author's own copy counts always.</param>
    public SharedObject(SharedGraph graph, string name, SeaPair? author, Func<IEnumerable<string>> trusted)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(trusted);
        (_graph, Name, _author, _trusted) = (graph, name, author, trusted);
    }

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>Where an author's copy lies.</summary>
    public static string SoulOf(string author, string name) => $"~{author}/shared/{name}";

    /// <summary>Whose copies count now, each once.</summary>
    public IReadOnlyList<string> Authors => [.. (_author is null ? [] : (IEnumerable<string>)[_author.Pub]).Concat(_trusted()).Distinct(StringComparer.Ordinal)];

    /// <summary>The value that wins among the trusted authors: the latest, and of equally late ones the greater by text. Null where nobody wrote, or the winner deleted it.</summary>
    public GraphValue? Get(string key) => Winner(Versions(key)) is { } winner && !winner.Value.IsNull ? winner.Value : default(GraphValue?);

    /// <summary>What each trusted author says of a key, in no particular order.</summary>
    public IReadOnlyList<SharedValue> Versions(string key)
    {
        var versions = new List<SharedValue>();
        foreach (var author in Authors)
            if (_graph.Find(SoulOf(author, Name), key) is { } entry) versions.Add(Open(author, key, entry));
        return versions;
    }

    /// <summary>All keys with the values that win, in text order, deleted ones left out.</summary>
    public IReadOnlyList<SharedValue> GetAll()
    {
        var winners = new SortedDictionary<string, SharedValue>(Comparer<string>.Create(string.CompareOrdinal));
        foreach (var version in Everything())
            if (!winners.TryGetValue(version.Key, out var best) || Wins(version, best)) winners[version.Key] = version;
        return [.. winners.Values.Where(static winner => !winner.Value.IsNull)];
    }

    /// <summary>Every trusted copy, key by key.</summary>
    internal IEnumerable<SharedValue> Everything()
    {
        foreach (var author in Authors)
        {
            var copy = new List<SharedValue>();
            _graph.Walk(SoulOf(author, Name), "", backwards: false, (key, entry) =>
            {
                copy.Add(Open(author, key, entry));
                return true;
            });
            foreach (var value in copy) yield return value;
        }
    }

    /// <summary>The own copy's value of a key.</summary>
    internal GraphValue? Own(string key) => Copy.Get(key);

    /// <summary>Writes into the own copy, later than everything that is seen there; completes when it is durable.</summary>
    /// <exception cref="InvalidOperationException">There is no author here, or the graph refuses the write.</exception>
    public Task PutAsync(string key, GraphValue value) => PutAsync([new(key, value)]);

    /// <summary>Writes several keys with one state.</summary>
    public Task PutAsync(IReadOnlyList<KeyValuePair<string, GraphValue>> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        foreach (var (key, _) in values)
            foreach (var version in Versions(key)) _graph.Clock.Pass(version.State);
        return Copy.PutAsync(values);
    }

    /// <summary>Who writes here, or null.</summary>
    internal SeaPair? Author => _author;

    private GraphReference Copy => _graph.As(_author ?? throw new InvalidOperationException("Whoever writes needs a key pair; this object was opened for reading."))["shared"][Name];

    private SharedValue Open(string author, string key, in GraphEntry entry) =>
        new(key, entry.State, SignedValue.Read(new GraphWrite(SoulOf(author, Name), key, entry.State, entry.Value))?.Value ?? GraphValue.Null, author);

    private static SharedValue? Winner(IReadOnlyList<SharedValue> versions)
    {
        SharedValue? best = null;
        foreach (var version in versions)
            if (best is null || Wins(version, best.Value)) best = version;
        return best;
    }

    // A total order: the last word decides what no two readers may decide differently.
    private static bool Wins(in SharedValue one, in SharedValue other)
    {
        if (one.State != other.State) return one.State > other.State;
        var tie = GraphValue.CompareTie(one.Value, other.Value);
        return tie > 0 || (tie == 0 && string.CompareOrdinal(one.Author, other.Author) > 0);
    }
}
