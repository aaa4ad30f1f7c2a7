using Polder.Graph.Exchange;
using Polder.Graph.Model;
using Polder.Graph.Sync;
using Polder.Identity;

namespace Polder.Apps.Graphs;

/// <summary>A topic that this node keeps together with others, and who has what of it.</summary>
internal sealed class SharedTopic : IDisposable
{
    private readonly Dictionary<PublicKey, PeerCopies> _copies = new(PublicKey.Comparer);

    public SharedTopic(SharedGraph graph, string name)
    {
        Index = new TopicIndex(graph, name);
        Index.Changed += Note;
    }

    public string Name => Index.Name;
    public TopicIndex Index { get; }
    public IReadOnlyCollection<PeerCopies> Copies => _copies.Values;

    public PeerCopies Of(PublicKey peer)
    {
        if (!_copies.TryGetValue(peer, out var copies)) _copies.Add(peer, copies = new PeerCopies(peer));
        return copies;
    }

    public void Dispose() => Index.Dispose();

    private void Note(GraphWrite write)
    {
        if (_copies.Count == 0) return;
        var place = EntryHash.Place(write.Soul, write.Key);
        foreach (var copies in _copies.Values) copies.Changed(place);
    }
}
