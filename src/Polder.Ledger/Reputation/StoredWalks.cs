using Polder.Identity;
using Polder.Ledger.Reputation.Exact;

namespace Polder.Ledger.Reputation;

/// <summary>
/// Walks of one observer, kept and corrected with every record so that they are always as if drawn from the graph as it is
/// (reputation.md §4.2, after Bahmani, Chowdhury and Goel, 2010). Scores are counts over them.
/// </summary>
internal sealed class StoredWalks
{
    /// <summary>A walk ends here at the latest. At the smallest useful probability of stopping, 0.01, one in 10^43 would be longer.</summary>
    private const int StepsMax = 10_000;

    /// <summary>Above this share of walks that a removal cuts, all are drawn anew.</summary>
    private const double CutShareMax = 0.05;

    private readonly WorkGraph _graph;
    private readonly PublicKey _observerKey;
    private readonly double _stop;
    private readonly ulong _root;
    private readonly WorkSplit _split;
    private readonly Walk[] _walks;
    private readonly int[] _seen;
    private int[] _hits = [], _visits = [];
    private WalkList[] _through = [];
    private int[] _before = [];
    private int _observer = -1, _sweep;
    private bool _hasLists;
    private long _version;

    public StoredWalks(WorkGraph graph, PublicKey observer, double stop, int walks, ulong seed, WorkSplit? split = null)
    {
        (_graph, _observerKey, _stop, _root, _split) = (graph, observer, stop, SplitMix.Root(observer, seed), split ?? WorkSplit.None);
        (_walks, _seen) = (new Walk[walks], new int[walks]);
        Rebuild();
    }

    /// <summary>How many walks are kept.</summary>
    public int Count => _walks.Length;

    /// <summary>Hits of all peers but the observer, visits of all with it.</summary>
    public long OtherHits { get; private set; }

    /// <summary>Visits of all peers, the observer's own included.</summary>
    public long Visits { get; private set; }

    /// <summary>Visits of the observer.</summary>
    public long OwnVisits => _observer >= 0 && _observer < _visits.Length ? _visits[_observer] : 0;

    /// <summary>Rises when walks change.</summary>
    public long Version => _version;

    /// <summary>Walks that were cut and drawn on since the beginning; for figures.</summary>
    public long Redrawn { get; private set; }

    public int HitsOf(int peer) => peer < _hits.Length && peer != _observer ? _hits[peer] : 0;

    public int VisitsOf(int peer) => peer < _visits.Length && peer != _observer ? _visits[peer] : 0;

    /// <summary>Peers that some walk hits, in the order of their numbers.</summary>
    public IEnumerable<int> Hit
    {
        get
        {
            for (var j = 0; j < _hits.Length; j++)
                if (_hits[j] > 0 && j != _observer) yield return j;
        }
    }

    /// <summary>Through whom the walks to this peer run (§4.3): by the walks themselves, exactly as they are.</summary>
    public Neck NeckOf(int peer)
    {
        if (HitsOf(peer) == 0) return new Neck(0, -1);
        var touched = new List<int>();
        foreach (var w in Clean(peer))
        {
            ref var walk = ref _walks[w];
            for (var p = 1; p < walk.Length && walk.Nodes[p] != peer; p++)
            {
                var node = walk.Nodes[p];
                if (node == _observer || Array.IndexOf(walk.Nodes, node, 1, p - 1) >= 0) continue;
                if (_before[node]++ == 0) touched.Add(node);
            }
        }
        var best = new Neck(0, -1);
        foreach (var node in touched)
        {
            var share = (double)_before[node] / _hits[peer];
            if (share > best.Share || (share == best.Share && node < best.Via)) best = new Neck(share, node);
            _before[node] = 0;
        }
        return best;
    }

    /// <summary>After a record came into the graph: the decision at each visit of its consumer is drawn anew with probability q = w / (S + w).</summary>
    public void Added(in GraphChange change)
    {
        if (_observer < 0)
        {
            if (_graph.Find(_observerKey) is not null) Rebuild();
            return;
        }
        _version++;
        Widen();
        var (s, d) = (change.Consumer, change.Contributor);
        if (_hits[s] == 0 || change.Added == 0) return;
        var again = (double)change.Added / (change.GotBefore + change.Added);
        MakeLists();
        // All walks begin at the observer: its list need not be read. Where nobody comes twice, a walk need not be read to its end.
        var (isOwn, once) = (s == _observer, _visits[s] == _hits[s]);
        var through = isOwn ? default : Clean(s);
        for (var n = 0; n < (isOwn ? _walks.Length : through.Length); n++)
        {
            var w = isOwn ? n : through[n];
            var random = SplitMix.Of(_root, w, _version);
            ref var walk = ref _walks[w];
            for (var p = isOwn ? 0 : Next(walk, s, 0); p >= 0; p = once ? -1 : Next(walk, s, p + 1))
            {
                if (again < 1 && !random.Chance(again)) continue;
                Cut(ref walk, p + 1);
                Redrawn++;
                if (random.Chance(_stop)) break;
                Append(w, ref walk, d);
                Extend(w, ref walk, ref random);
                break;
            }
        }

        static int Next(in Walk walk, int node, int from)
        {
            var place = walk.Nodes.AsSpan(from, walk.Length - from).IndexOf(node);
            return place < 0 ? -1 : from + place;
        }
    }

    /// <summary>After a peer was taken out of the graph: walks that went to it go elsewhere from the last peer before.</summary>
    public void Removed(int peer)
    {
        if (_observer < 0 || peer >= _hits.Length) return;
        _version++;
        if (peer == _observer)
        {
            Rebuild();
            return;
        }
        var cut = Clean(peer).ToArray();
        if (cut.Length > CutShareMax * _walks.Length)
        {
            Rebuild();
            return;
        }
        foreach (var w in cut)
        {
            var random = SplitMix.Of(_root, w, _version);
            ref var walk = ref _walks[w];
            Cut(ref walk, Array.IndexOf(walk.Nodes, peer, 0, walk.Length));
            Redrawn++;
            // It had decided to go on, only not to whom.
            var from = _graph.WorkOf(walk.Nodes[walk.Length - 1]);
            if (from.Got == 0) continue;
            Append(w, ref walk, from.Step(random.Next()));
            Extend(w, ref walk, ref random);
        }
    }

    /// <summary>Draws all walks anew.</summary>
    public void Rebuild()
    {
        _version++;
        (_hits, _visits, _through, _before, _hasLists) = ([], [], [], [], false);
        (OtherHits, Visits) = (0, 0);
        Array.Clear(_walks);
        Widen();
        _observer = _graph.Find(_observerKey) ?? -1;
        if (_observer < 0) return;
        _split.Run(_split.Parts, part => Draw(WorkGraphLoader.Share(part, _split.Parts, _walks.Length)));
        foreach (ref readonly var walk in _walks.AsSpan())
        {
            var nodes = walk.Nodes.AsSpan(0, walk.Length);
            for (var p = 0; p < nodes.Length; p++)
            {
                _visits[nodes[p]]++;
                if (!nodes[..p].Contains(nodes[p])) _hits[nodes[p]]++;
            }
            Visits += nodes.Length;
        }
        foreach (var hits in _hits) OtherHits += hits;
        OtherHits -= _hits[_observer];
    }

    /// <summary>Draws a range of walks; each has randomness of its own, so that ranges may be drawn at once.</summary>
    private void Draw((int From, int To) share)
    {
        var nodes = new int[StepsMax];
        for (var w = share.From; w < share.To; w++)
        {
            var random = SplitMix.Of(_root, w, _version);
            var length = 1;
            nodes[0] = _observer;
            while (length < StepsMax && !random.Chance(_stop))
            {
                var work = _graph.WorkOf(nodes[length - 1]);
                if (work.Got == 0) break;
                nodes[length++] = work.Step(random.Next());
            }
            _walks[w] = new Walk { Nodes = nodes.AsSpan(0, length).ToArray(), Length = length };
        }
    }

    /// <summary>The walks through each peer, made when the first of them has to be found.</summary>
    private void MakeLists()
    {
        if (_hasLists) return;
        _hasLists = true;
        for (var w = 0; w < _walks.Length; w++)
        {
            var nodes = _walks[w].Nodes.AsSpan(0, _walks[w].Length);
            for (var p = 1; p < nodes.Length; p++)
                if (nodes[p] != _observer && !nodes[..p].Contains(nodes[p])) _through[nodes[p]].Add(w);
        }
    }

    private void Extend(int w, ref Walk walk, ref SplitMix random)
    {
        while (walk.Length < StepsMax && !random.Chance(_stop))
        {
            var work = _graph.WorkOf(walk.Nodes[walk.Length - 1]);
            if (work.Got == 0) return;
            Append(w, ref walk, work.Step(random.Next()));
        }
    }

    private void Append(int w, ref Walk walk, int node)
    {
        var isFirst = walk.Length == 0 || Array.IndexOf(walk.Nodes, node, 0, walk.Length) < 0;
        if (walk.Nodes is null) walk.Nodes = new int[4];
        else if (walk.Length == walk.Nodes.Length) Array.Resize(ref walk.Nodes, 2 * walk.Length);
        walk.Nodes[walk.Length++] = node;
        _visits[node]++;
        Visits++;
        if (!isFirst) return;
        _hits[node]++;
        if (node == _observer) return;
        OtherHits++;
        ref var list = ref _through[node];
        list.Add(w);
        if (list.Count > 2 * _hits[node] + 32) _ = Clean(node);
    }

    private void Cut(ref Walk walk, int length)
    {
        while (walk.Length > length)
        {
            var node = walk.Nodes[--walk.Length];
            _visits[node]--;
            Visits--;
            if (Array.IndexOf(walk.Nodes, node, 0, walk.Length) >= 0) continue;
            _hits[node]--;
            if (node != _observer) OtherHits--;
        }
    }

    /// <summary>The walks through a peer, each once. Lists only grow; what is in them twice or no longer true goes when they are read.</summary>
    private ReadOnlySpan<int> Clean(int node)
    {
        MakeLists();
        ref var list = ref _through[node];
        _sweep++;
        var kept = 0;
        for (var k = 0; k < list.Count; k++)
        {
            var w = list.Items[k];
            ref var walk = ref _walks[w];
            if (_seen[w] == _sweep || Array.IndexOf(walk.Nodes, node, 0, walk.Length) < 0) continue;
            _seen[w] = _sweep;
            list.Items[kept++] = w;
        }
        list.Count = kept;
        // Whoever redraws these walks keeps this peer in each, so that nothing is added to the list meanwhile.
        return list.Items.AsSpan(0, kept);
    }

    private void Widen()
    {
        if (_graph.Count <= _hits.Length) return;
        var size = _graph.Count + _graph.Count / 4;
        Array.Resize(ref _hits, size);
        Array.Resize(ref _visits, size);
        Array.Resize(ref _through, size);
        Array.Resize(ref _before, size);
    }

    private struct Walk
    {
        public int[] Nodes;
        public int Length;
    }

    private struct WalkList
    {
        public int[] Items;
        public int Count;

        public void Add(int walk)
        {
            if (Items is null) Items = new int[4];
            else if (Count == Items.Length) Array.Resize(ref Items, 2 * Count);
            Items[Count++] = walk;
        }
    }
}
