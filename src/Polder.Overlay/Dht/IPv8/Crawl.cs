using Polder.Identity;

namespace Polder.Overlay.Dht.IPv8;

/// <summary>A node of a crawl.</summary>
internal sealed class CrawlNode(NodeAddress node, CrawlNode? puncturer)
{
    public NodeAddress Node { get; } = node;
    public DhtId Id { get; } = node.Id;

    /// <summary>Who told of it and can open its NAT for us; null when it needs no help.</summary>
    public CrawlNode? Puncturer { get; set; } = puncturer;

    /// <summary>Its token for storing there; null while it has not answered.</summary>
    public DhtToken? Token { get; set; }

    public byte[][] Values { get; set; } = [];
}

/// <summary>The search for a key: whom to ask next, and what was found. A rule: it sends nothing.</summary>
internal sealed class Crawl
{
    private readonly PublicKey _self;
    private readonly List<CrawlNode> _todo = [];
    private readonly List<CrawlNode> _tried = [];
    private readonly HashSet<DhtId> _known = [];

    public Crawl(DhtId target, IEnumerable<RoutingNode> first, PublicKey self, bool forceNodes)
    {
        (Target, ForceNodes, _self) = (target, forceNodes, self);
        foreach (var node in first) Add(new NodeAddress(node.Address, node.Key), null);
    }

    public DhtId Target { get; }
    public bool ForceNodes { get; }
    public bool IsDone => _tried.Count >= IPv8DhtLimits.CrawlNodesMax || _todo.Count == 0;

    /// <summary>The next to ask, or null.</summary>
    public CrawlNode? Take()
    {
        if (IsDone) return null;
        var next = _todo[0];
        _todo.RemoveAt(0);
        _tried.Add(next);
        return next;
    }

    public void Answered(CrawlNode sender, in FindResponse response)
    {
        sender.Token = response.Token;
        // Whoever gives values gives no nodes; a value too long is no value.
        sender.Values = Array.FindAll(response.Values, static value => value.Length is > 0 and <= IPv8DhtLimits.ValueBytesMax);
        for (var i = 0; i < response.Nodes.Length; i++) Add(response.Nodes[i], i == 0 ? null : sender);
    }

    /// <summary>Those that answered, nearest first.</summary>
    public List<CrawlNode> Answerers()
    {
        var all = _tried.FindAll(static node => node.Token is not null);
        all.Sort((a, b) => a.Id.DistanceTo(Target).CompareTo(b.Id.DistanceTo(Target)));
        return all;
    }

    /// <summary>Values in rounds (the first of each answer, then the second…), without repetitions.</summary>
    public List<byte[]> MergedValues()
    {
        var merged = new List<byte[]>();
        var more = true;
        for (var round = 0; more; round++)
        {
            more = false;
            foreach (var node in _tried)
            {
                if (round >= node.Values.Length) continue;
                more = true;
                var value = node.Values[round];
                if (!merged.Exists(other => other.AsSpan().SequenceEqual(value))) merged.Add(value);
            }
        }
        return merged;
    }

    private void Add(NodeAddress node, CrawlNode? puncturer)
    {
        if (!node.Address.IsSendable || node.Key == _self) return;
        var found = new CrawlNode(node, puncturer);
        var distance = found.Id.DistanceTo(Target);
        if (_known.Contains(found.Id))
        {
            // A later teller is more likely to hold its hole open still.
            if (_todo.Find(other => other.Id == found.Id) is { } waiting) waiting.Puncturer = puncturer;
            return;
        }
        if (_todo.Count >= IPv8DhtLimits.CrawlBetterThan && distance > _todo[IPv8DhtLimits.CrawlBetterThan - 1].Id.DistanceTo(Target)) return;
        _known.Add(found.Id);
        var at = _todo.FindIndex(other => other.Id.DistanceTo(Target) > distance);
        _todo.Insert(at < 0 ? _todo.Count : at, found);
    }
}
