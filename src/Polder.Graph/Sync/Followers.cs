using Polder.Graph.Model;
using Polder.Graph.Wire;

namespace Polder.Graph.Sync;

/// <summary>Who follows what, and the pushes: changes of a node are gathered for a moment and sent to those who asked for it.</summary>
internal sealed class Followers : IDisposable
{
    private const int RangesPerPeerMax = 64;

    private readonly SharedGraph _graph;
    private readonly Dictionary<string, HashSet<GraphPeer>> _bySoul = new(StringComparer.Ordinal);
    private readonly HashSet<GraphPeer> _withRanges = [];
    private readonly Dictionary<string, HashSet<string>> _changed = new(StringComparer.Ordinal);
    private readonly Func<string> _newId;
    private ITimer? _timer;
    private bool _armed;

    public Followers(SharedGraph graph, Func<string> newId)
    {
        (_graph, _newId) = (graph, newId);
        graph.Changed += Note;
    }

    public long Pushed { get; private set; }

    /// <summary>From now on the peer is told about changes of what it asked for.</summary>
    public void Follow(GraphPeer peer, GetRequest get)
    {
        if (get.ExactSoul is { } soul) Follow(peer, soul, get.Key);
        else
        {
            if (peer.SoulRanges.Count < RangesPerPeerMax && !peer.SoulRanges.Contains((get.Soul, get.Key)))
            {
                peer.SoulRanges.Add((get.Soul, get.Key));
                _withRanges.Add(peer);
            }
        }
    }

    /// <summary>The same for one node, or keys of it.</summary>
    public void Follow(GraphPeer peer, string soul, Lexical? key = null)
    {
        if (!peer.Followed.TryGetValue(soul, out var keys))
        {
            while (peer.Followed.Count >= _graph.Options.SubscriptionsMax && peer.FollowedInOrder.TryDequeue(out var first)) Forget(peer, first);
            peer.Followed.Add(soul, keys = new FollowedKeys());
            peer.FollowedInOrder.Enqueue(soul);
            if (!_bySoul.TryGetValue(soul, out var peers)) _bySoul.Add(soul, peers = []);
            peers.Add(peer);
        }
        keys.Add(key);
    }

    public void Leave(GraphPeer peer)
    {
        foreach (var soul in peer.Followed.Keys) Remove(peer, soul);
        peer.Followed.Clear();
        peer.FollowedInOrder.Clear();
        peer.SoulRanges.Clear();
        _withRanges.Remove(peer);
    }

    /// <summary>The peers that follow a soul.</summary>
    public IEnumerable<GraphPeer> Of(string soul) => _bySoul.TryGetValue(soul, out var peers) ? peers : [];

    public void Dispose()
    {
        _graph.Changed -= Note;
        _timer?.Dispose();
    }

    private void Forget(GraphPeer peer, string soul)
    {
        Remove(peer, soul);
        peer.Followed.Remove(soul);
    }

    private void Remove(GraphPeer peer, string soul)
    {
        if (_bySoul.TryGetValue(soul, out var peers) && peers.Remove(peer) && peers.Count == 0) _bySoul.Remove(soul);
    }

    private void Note(GraphWrite write)
    {
        if (!_bySoul.ContainsKey(write.Soul) && _withRanges.Count == 0) return;
        // What harms gun.js's own objects is kept for those who ask for it by name.
        if (PrototypeNames.Has(write.Soul) || write.Key == "__proto__") return;
        if (!_changed.TryGetValue(write.Soul, out var keys)) _changed.Add(write.Soul, keys = new(StringComparer.Ordinal));
        keys.Add(write.Key);
        if (_armed) return;
        _armed = true;
        if (_timer is null) _timer = _graph.Environment.Time.CreateTimer(_ => Push(), null, _graph.Options.PushDelay, System.Threading.Timeout.InfiniteTimeSpan);
        else _timer.Change(_graph.Options.PushDelay, System.Threading.Timeout.InfiniteTimeSpan);
    }

    private void Push()
    {
        _armed = false;
        foreach (var (soul, keys) in _changed)
        {
            // Most follow whole nodes, so that one text serves them all.
            string? whole = null;
            if (_bySoul.TryGetValue(soul, out var peers))
            {
                foreach (var peer in peers)
                {
                    var followed = peer.Followed[soul];
                    if (followed.All) Send(peer, whole ??= Text(soul, keys, static (_, _) => true, 0));
                    else Send(peer, Text(soul, keys, static (key, of) => of.Has(key), followed));
                }
            }
            foreach (var peer in _withRanges)
            {
                if (peers is not null && peers.Contains(peer)) continue;
                foreach (var (souls, ranged) in peer.SoulRanges)
                {
                    if (!souls.Selects(soul)) continue;
                    Send(peer, Text(soul, keys, static (key, of) => of is null || of.Selects(key), ranged));
                    break;
                }
            }
        }
        _changed.Clear();
    }

    private void Send(GraphPeer peer, string put)
    {
        if (put.Length == 0) return;
        Pushed++;
        peer.Send(MessageText.Push(_newId(), put));
    }

    private string Text<T>(string soul, HashSet<string> keys, Func<string, T, bool> wanted, T of)
    {
        var put = new PutText();
        foreach (var key in keys)
            if (wanted(key, of) && _graph.Find(soul, key) is { } entry) put.Add(soul, key, entry);
        return put.IsEmpty ? "" : put.ToString();
    }
}
