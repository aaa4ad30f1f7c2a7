using Polder.Graph.Wire;

namespace Polder.Graph.Sync;

/// <summary>
/// Passes reads on to other connected peers, three at a time: first to those who follow the soul, then, where we have nothing, to the
/// rest, until one answers with data. Answers find their way back by the id.
/// </summary>
internal sealed class ReadRelay(SharedGraph graph, Followers followers, HashSet<GraphPeer> peers) : IDisposable
{
    private const int PeersATurn = 3, OpenMax = 10_000;

    private readonly Dictionary<string, Relayed> _open = new(StringComparer.Ordinal);
    private readonly List<Relayed> _waiting = [];
    private ITimer? _timer;
    private bool _armed;

    public long Count { get; private set; }

    /// <summary>Passes a read on.</summary>
    /// <param name="from">Who asked.</param>
    /// <param name="message">What.</param>
    /// <param name="get">What, read.</param>
    /// <param name="hash">The hash of our own answer, if it has one.</param>
    /// <param name="found">Whether we had an answer: then only those who follow the soul are asked, since they may have newer.</param>
    public void Pass(GraphPeer from, GraphMessage message, GetRequest get, string? hash, bool found)
    {
        if (peers.Count < 2 || _open.Count >= OpenMax || (get.ExactSoul is { } soul && PrototypeNames.Has(soul))) return;
        var targets = Targets(from, message, get, toAll: !found);
        if (targets.Count == 0) return;
        var served = peers.Where(static peer => peer.PeerId is not null).Select(static peer => peer.PeerId!).Order(StringComparer.Ordinal);
        var relayed = new Relayed(message.Id!.Value.Text, MessageText.Relay(message.Id!.Value, get.Item, hash, served), targets);
        Count++;
        Turn(relayed);
        if (relayed.Targets.Count == 0) return;
        _open[relayed.Id] = relayed;
        _waiting.Add(relayed);
        Arm();
    }

    /// <summary>Somebody answered with data: nobody else is asked.</summary>
    public void Answered(string id) => _open.Remove(id);

    public void Dispose() => _timer?.Dispose();

    private Queue<GraphPeer> Targets(GraphPeer from, GraphMessage message, GetRequest get, bool toAll)
    {
        var targets = new Queue<GraphPeer>();
        var chosen = new HashSet<GraphPeer> { from };
        if (get.ExactSoul is { } soul) Choose(followers.Of(soul));
        if (toAll) Choose(peers);
        return targets;

        void Choose(IEnumerable<GraphPeer> candidates)
        {
            foreach (var peer in candidates)
            {
                if (targets.Count >= graph.Options.RelayPeersMax) return;
                if (chosen.Add(peer) && !Served(message, peer)) targets.Enqueue(peer);
            }
        }
    }

    private static bool Served(GraphMessage message, GraphPeer peer) =>
        message.Served is { } served && peer.PeerId is { } name && served.Split(',').Contains(name, StringComparer.Ordinal);

    private static void Turn(Relayed relayed)
    {
        for (var i = 0; i < PeersATurn && relayed.Targets.TryDequeue(out var peer); i++) peer.Send(relayed.Text);
    }

    private void Arm()
    {
        if (_armed || _waiting.Count == 0) return;
        _armed = true;
        if (_timer is null) _timer = graph.Environment.Time.CreateTimer(_ => TurnAll(), null, graph.Options.RelayTurn, System.Threading.Timeout.InfiniteTimeSpan);
        else _timer.Change(graph.Options.RelayTurn, System.Threading.Timeout.InfiniteTimeSpan);
    }

    private void TurnAll()
    {
        _armed = false;
        _waiting.RemoveAll(relayed =>
        {
            if (!_open.TryGetValue(relayed.Id, out var open) || open != relayed) return true;
            Turn(relayed);
            if (relayed.Targets.Count > 0) return false;
            _open.Remove(relayed.Id);
            return true;
        });
        Arm();
    }

    private sealed record Relayed(string Id, string Text, Queue<GraphPeer> Targets);
}
