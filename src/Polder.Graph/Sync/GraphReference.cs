using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Polder.Graph.Model;
using Polder.Graph.Sea;

namespace Polder.Graph.Sync;

/// <summary>One change of a node.</summary>
/// <param name="Key">The key.</param>
/// <param name="State">What orders it.</param>
/// <param name="Value">The new value; in a user graph the signed one is opened already.</param>
public readonly record struct GraphChange(string Key, double State, GraphValue Value);

/// <summary>
/// A node of the graph, for code on the loop: <c>await graph["profile"].PutAsync("name", "Al")</c>, <c>graph["profile"].Get("name")</c>,
/// <c>await foreach (var change in graph["profile"].ChangesAsync(token))</c>. <c>graph["a"]["b"]</c> is the node "a/b", as gun.js names it.
/// </summary>
public sealed class GraphReference
{
    private const int ChangesMax = 10_000;

    private readonly SharedGraph _graph;
    private readonly SeaPair? _author;

    internal GraphReference(SharedGraph graph, string soul, SeaPair? author) => (_graph, Soul, _author) = (graph, soul, author);

    /// <summary>The soul.</summary>
    public string Soul { get; }

    /// <summary>The node below, by gun.js's convention.</summary>
    public GraphReference this[string name] => new(_graph, Soul + "/" + name, _author);

    /// <summary>The value of one key; null where there is none, a null value where it was deleted. Signed values are opened.</summary>
    public GraphValue? Get(string key) => _graph.Find(Soul, key) is { } entry ? Open(key, entry) : default(GraphValue?);

    /// <summary>All keys with their values, in text order, at most <paramref name="count"/>; deleted ones are left out.</summary>
    public IReadOnlyList<GraphChange> GetAll(int count = 10_000)
    {
        var all = new List<GraphChange>();
        _graph.Walk(Soul, "", backwards: false, (key, entry) =>
        {
            var value = Open(key, entry);
            if (!value.IsNull) all.Add(new GraphChange(key, entry.State, value));
            return all.Count < count;
        });
        return all;
    }

    /// <summary>Writes one key, now, and completes when it is durable. In a user graph it is signed by its author.</summary>
    /// <exception cref="InvalidOperationException">The firewall refuses it: a user graph of somebody else, for example.</exception>
    public Task PutAsync(string key, GraphValue value) => PutAsync([new(key, value)]);

    /// <summary>Writes several keys with one state.</summary>
    public async Task PutAsync(IReadOnlyList<KeyValuePair<string, GraphValue>> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        var state = _graph.Clock.Next();
        var writes = new List<GraphWrite>(values.Count);
        foreach (var (key, value) in values)
        {
            if (key is "_") throw new ArgumentException("\"_\" is no key.", nameof(values));
            if (_graph.Find(Soul, key) is { } before) _graph.Clock.Pass(before.State);
            state = Math.Max(state, _graph.Clock.Next());
        }
        foreach (var (key, value) in values)
        {
            var isPlain = _author is null || SoulOwner.Of(Soul) is null || (key == "pub" && Soul == "~" + _author.Pub);
            writes.Add(new GraphWrite(Soul, key, state, isPlain ? value : SignedValue.Sign(Soul, key, value, state, _author!)));
        }
        var done = new TaskCompletionSource<MergeResult>();
        // At once: whoever reads after this call, before it is durable, sees what was written.
        _graph.Merge(writes, null, done.SetResult, _author?.Pub);
        if ((await done.Task).Error is { } error) throw new InvalidOperationException(error);
        await _graph.FlushAsync();
    }

    /// <summary>Puts a new node into this one, as a member of a set; gives its soul.</summary>
    public async Task<string> AddAsync(IReadOnlyList<KeyValuePair<string, GraphValue>> values)
    {
        var name = RandomNames.Soul(_graph.Clock.Next(), _graph.Environment.Random);
        var soul = SoulOwner.Of(Soul) is { } owner ? $"~{owner}/{name}" : name;
        await new GraphReference(_graph, soul, _author).PutAsync(values);
        await PutAsync(soul, GraphValue.LinkTo(soul));
        return soul;
    }

    /// <summary>Changes from now on, whoever made them. A reader who stays behind too far loses the oldest, but of each key sees the latest.</summary>
    public async IAsyncEnumerable<GraphChange> ChangesAsync([EnumeratorCancellation] CancellationToken cancellation = default)
    {
        var channel = Channel.CreateBounded<GraphChange>(new BoundedChannelOptions(ChangesMax) { FullMode = BoundedChannelFullMode.DropOldest });
        void Note(GraphWrite write)
        {
            if (write.Soul == Soul) channel.Writer.TryWrite(new GraphChange(write.Key, write.State, Open(write.Key, write.Entry)));
        }
        _graph.Changed += Note;
        try
        {
            while (await channel.Reader.WaitToReadAsync(cancellation))
                while (channel.Reader.TryRead(out var change)) yield return change;
        }
        finally { _graph.Changed -= Note; }
    }

    private GraphValue Open(string key, in GraphEntry entry) =>
        SoulOwner.Of(Soul) is not null && SignedValue.Read(new GraphWrite(Soul, key, entry.State, entry.Value)) is { } signed ? signed.Value : entry.Value;
}
