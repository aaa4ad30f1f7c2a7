using System.Text;
using Polder.Graph.Model;
using Polder.Runtime;

namespace Polder.Graph.Sync;

/// <summary>One connected gun peer: what it follows, what it was asked, what waits to be sent to it. On the loop.</summary>
public sealed class GraphPeer : IGraphOrigin
{
    private const int BatchCharactersMax = 9000;

    private readonly NodeLoop _loop;
    private readonly List<string> _outgoing = [];
    private bool _flushing;
    private TokenBucket _relayed;

    internal GraphPeer(IGraphLink link, NodeLoop loop) => (Link, _loop) = (link, loop);

    /// <summary>The connection.</summary>
    public IGraphLink Link { get; }

    /// <summary>The name that it gave itself ("pid"), once it has; nobody vouches for it.</summary>
    public string? PeerId { get; internal set; }

    /// <summary>Whether it is connected.</summary>
    public bool IsOpen { get; internal set; } = true;

    /// <summary>Messages that came from it.</summary>
    public long MessagesIn { get; internal set; }

    /// <summary>Messages sent to it.</summary>
    public long MessagesOut { get; private set; }

    /// <summary>Nodes and ranges that it follows.</summary>
    public int Following => Followed.Count + SoulRanges.Count;

    /// <summary>Souls that it asked for, each with the keys, or null for the whole node; in the order of asking.</summary>
    internal Dictionary<string, FollowedKeys> Followed { get; } = new(StringComparer.Ordinal);
    internal Queue<string> FollowedInOrder { get; } = new();

    /// <summary>Ranges of souls that it follows.</summary>
    internal List<(Lexical Souls, Lexical? Keys)> SoulRanges { get; } = [];

    /// <summary>Souls that it was asked back for on this connection.</summary>
    internal HashSet<string> AskedBack { get; } = new(StringComparer.Ordinal);

    /// <summary>Queues a message. Those of one turn of the loop leave together.</summary>
    internal void Send(string message)
    {
        if (!IsOpen) return;
        MessagesOut++;
        _outgoing.Add(message);
        if (_flushing) return;
        _flushing = true;
        _loop.Post(Flush);
    }

    bool IGraphOrigin.IsGuest => !Link.IsLocal;

    bool IGraphOrigin.IsTrusted => false;

    internal bool MayRelay(TimeSpan now) => _relayed.TryTake(now, perSecond: 200, burst: 2000);

    private void Flush()
    {
        _flushing = false;
        if (!IsOpen) _outgoing.Clear();
        if (_outgoing.Count == 0) return;
        if (_outgoing.Count == 1) Link.Send(_outgoing[0]);
        else
        {
            var batch = new StringBuilder(Math.Min(BatchCharactersMax, 256 * _outgoing.Count));
            foreach (var message in _outgoing)
            {
                if (batch.Length > 0 && batch.Length + message.Length > BatchCharactersMax) SendBatch(batch);
                batch.Append(batch.Length == 0 ? '[' : ',').Append(message);
            }
            SendBatch(batch);
        }
        _outgoing.Clear();
    }

    private void SendBatch(StringBuilder batch)
    {
        Link.Send(batch.Append(']').ToString());
        batch.Clear();
    }
}

/// <summary>What of a node is followed.</summary>
internal sealed class FollowedKeys
{
    /// <summary>The whole node.</summary>
    public bool All { get; set; }
    public HashSet<string>? Keys { get; private set; }
    public List<Lexical>? Ranges { get; private set; }

    private const int RangesMax = 16;

    public void Add(Lexical? key)
    {
        if (key is null) All = true;
        else if (key is { Exact: { } exact, Prefix: null }) (Keys ??= new(StringComparer.Ordinal)).Add(exact);
        else if (Ranges is null || (Ranges.Count < RangesMax && !Ranges.Contains(key))) (Ranges ??= []).Add(key);
    }

    public bool Has(string key) => All || (Keys is not null && Keys.Contains(key)) || (Ranges is not null && Ranges.Exists(range => range.Selects(key)));
}
