using Polder.Graph.Model;
using Polder.Graph.Wire;

namespace Polder.Graph.Sync;

/// <summary>
/// Heals what gun.js loses: a client never sends what it wrote while it was offline, but it answers reads. So whoever asks for a soul
/// is asked for it in return, whoever comes back is asked for what it touched before, and links in the answers are followed. Once for
/// each soul and connection, bounded.
/// </summary>
internal sealed class AskBack(SharedGraph graph, Followers followers, Func<string> newId)
{
    private const int TouchedAsked = 2_000, OpenMax = 100_000;

    private readonly Dictionary<string, GraphPeer> _open = new(StringComparer.Ordinal);
    private readonly Queue<string> _inOrder = new();

    public long Asked { get; private set; }

    /// <summary>Writes that came in only because they were asked for.</summary>
    public long Healed { get; set; }

    /// <summary>Whether this id is a question of ours to that peer.</summary>
    public bool IsOurs(string id, GraphPeer peer) => _open.TryGetValue(id, out var asked) && asked == peer;

    /// <summary>Asks for a soul, if that was not done yet on this connection.</summary>
    public void Ask(GraphPeer peer, string soul)
    {
        if (!graph.Options.AskBack || soul.Length == 0 || peer.AskedBack.Count >= graph.Options.AskBacksMax || PrototypeNames.Has(soul) || !peer.AskedBack.Add(soul)) return;
        if (peer.PeerId is { } name) graph.Store.Touch(name, soul);
        var id = newId();
        _open[id] = peer;
        _inOrder.Enqueue(id);
        while (_inOrder.Count > OpenMax && _inOrder.TryDequeue(out var oldest)) _open.Remove(oldest);
        Asked++;
        peer.Send(MessageText.Ask(id, soul));
    }

    /// <summary>
    /// A peer has told its name: what it touched before is asked for, and followed for it again, since some clients (gun.js in Node) do not
    /// ask anew when they come back. What it touched since is noted.
    /// </summary>
    public void Named(GraphPeer peer)
    {
        if (!graph.Options.AskBack || peer.PeerId is not { } name) return;
        var before = graph.Store.Touched(name, TouchedAsked);
        foreach (var soul in peer.AskedBack) graph.Store.Touch(name, soul);
        foreach (var soul in before)
        {
            followers.Follow(peer, soul);
            Ask(peer, soul);
        }
    }

    /// <summary>A peer answered with what it holds: what we have newer, or it lacks of what it follows, goes back to it. Nothing else: an application is not told of keys that it did not ask for.</summary>
    public string? Missing(GraphPeer peer, IReadOnlyList<GraphWrite> theirs)
    {
        var put = new PutText();
        var has = theirs.ToDictionary(static write => (write.Soul, write.Key), static write => write.Entry);
        foreach (var soul in theirs.Select(static write => write.Soul).Distinct(StringComparer.Ordinal))
        {
            var followed = peer.Followed.GetValueOrDefault(soul);
            graph.Walk(soul, "", backwards: false, (key, entry) =>
            {
                if (key != "__proto__" && (has.TryGetValue((soul, key), out var held) ? Merge.Ham.Wins(held, entry) : followed is not null && followed.Has(key))) put.Add(soul, key, entry);
                return put.Weight < graph.Options.AnswerCharactersMax;
            });
        }
        return put.IsEmpty ? null : put.ToString();
    }

    /// <summary>A peer wrote: it may write there again while it is offline.</summary>
    public void Wrote(GraphPeer peer, IReadOnlyList<GraphWrite> writes)
    {
        if (!graph.Options.AskBack) return;
        foreach (var write in writes)
        {
            // It holds what it wrote; asking is for the next connection.
            if (peer.AskedBack.Count < graph.Options.AskBacksMax && peer.AskedBack.Add(write.Soul) && peer.PeerId is { } name) graph.Store.Touch(name, write.Soul);
        }
    }

    /// <summary>An answer to a question of ours: nodes that it links to and that we lack may be new as well.</summary>
    public void FollowLinks(GraphPeer peer, IReadOnlyList<GraphWrite> writes, IReadOnlySet<(string, string)> changed)
    {
        foreach (var write in writes)
        {
            if (Sea.SignedValue.LinkOf(write) is not { } soul) continue;
            if (changed.Contains((write.Soul, write.Key)) || graph.Store.CountKeys(soul) == 0) Ask(peer, soul);
        }
    }

    /// <summary>Forgets the questions to a peer that has gone.</summary>
    public static void Leave(GraphPeer peer) => peer.AskedBack.Clear();
}
