using Polder.Identity;

namespace Polder.Ledger.Reputation;

/// <summary>
/// Two-hop NetFlow of every peer towards one observer (reputation.md §2.3), kept up record by record. What reached the observer
/// (towards), what was got from it (away) and so every cap are always right. The score of one peer is a sum over its column; sums
/// of everybody are kept too, brought up to date a bounded piece at a time, and finished when somebody asks for all.
/// </summary>
internal sealed class TwoHopNetFlow
{
    /// <summary>Pairs that one record may touch to keep the sums of everybody up; the rest waits until they are asked for.</summary>
    private const int PairsPerRecordMax = 50_000;

    private readonly WorkGraph _graph;
    private readonly PublicKey _observerKey;
    private readonly double _alpha;
    private readonly Queue<int> _stale = new();
    private int _observer = -1, _count;

    // By number: C[j, i]; C[i, j] / alpha; F2'(j, i); F2'(i, j); the sums, and what of each intermediary is in them.
    private double[] _own = [], _served = [], _towards = [], _away = [], _flow = [], _passed = [];
    private bool[] _isStale = [];

    public TwoHopNetFlow(WorkGraph graph, PublicKey observer, double alpha, WorkSplit split)
    {
        (_graph, _observerKey, _alpha) = (graph, observer, alpha);
        Rebuild(split);
    }

    /// <summary>What the peer did for the observer itself.</summary>
    public double Own(int peer) => peer < _count ? _own[peer] : 0;

    /// <summary>F2'(j, i): all that reached the observer from the peer.</summary>
    public double Towards(int peer) => peer < _count ? _towards[peer] : 0;

    /// <summary>F2'(i, j): all that the peer got from the observer, whose work counts 1/alpha.</summary>
    public double Away(int peer) => peer < _count ? _away[peer] : 0;

    /// <summary>What the peer's own balance towards the observer allows at most.</summary>
    public double Cap(int peer) => peer < _count && peer != _observer ? Math.Max(0, _towards[peer] - _away[peer]) : 0;

    /// <summary>What may pass through an intermediary.</summary>
    public double Passes(int peer) => Math.Min(Own(peer), Cap(peer));

    /// <summary>The score of one peer.</summary>
    public double Score(int peer)
    {
        if (peer >= _count || peer == _observer || _observer < 0) return 0;
        var cap = Cap(peer);
        if (cap <= 0) return 0;
        var flow = _own[peer];
        var work = _graph.WorkOf(peer);
        var consumers = work.Consumers;
        var given = work.Given;
        for (var p = 0; p < consumers.Length; p++)
        {
            var k = consumers[p];
            if (_own[k] > 0) flow += Math.Min(given[p], Passes(k));
        }
        return Math.Min(cap, flow);
    }

    /// <summary>The scores of all peers, by number.</summary>
    public double[] Scores()
    {
        while (_stale.TryDequeue(out var k)) Renew(k);
        var scores = new double[_graph.Count];
        for (var j = 0; j < _count; j++) scores[j] = Math.Min(Cap(j), _flow[j]);
        return scores;
    }

    /// <summary>After a record came into the graph.</summary>
    public void Added(in GraphChange change)
    {
        var (d, s, before, after) = (change.Contributor, change.Consumer, (double)change.Before, (double)change.Before + change.Added);
        if (_observer < 0)
        {
            Rebuild(WorkSplit.None);
            return;
        }
        Widen();
        var i = _observer;
        if (s == i)
        {
            _own[d] = after;
            _towards[d] += after - before;
            _flow[d] += after - before;
            Doubt(d);
            foreach (var (j, amount) in new RowOf(_graph.WorkOf(d)))
            {
                if (j == i || amount <= before) continue;
                _towards[j] += Math.Min(amount, after) - Math.Min(amount, before);
                Doubt(j);
            }
        }
        else if (_own[s] > 0 && d != i)
        {
            _towards[d] += Math.Min(after, _own[s]) - Math.Min(before, _own[s]);
            _flow[d] += Math.Min(after, _passed[s]) - Math.Min(before, _passed[s]);
            Doubt(d);
        }
        if (d == i) Serve(s, before, after);
        else Take(d, s, before, after);
        Settle();
    }

    /// <summary>After somebody signed to have got help that nobody confirmed, or took it back.</summary>
    public void Claimed(int helper, int signer, double before, double after)
    {
        if (_observer < 0) return;
        Widen();
        if (signer == _observer) return;
        if (helper == _observer)
        {
            // Only the last step counts: the observer's own word is not needed for what somebody says against itself.
            _away[signer] += (after - before) / _alpha;
            Doubt(signer);
        }
        else if (_served[helper] > 0)
        {
            var signed = (double)_graph.WorkOf(signer).From(helper);
            _away[signer] += Math.Min(signed + after, _served[helper]) - Math.Min(signed + before, _served[helper]);
            Doubt(signer);
        }
        Settle();
    }

    /// <summary>Works everything out anew.</summary>
    public void Rebuild(WorkSplit split)
    {
        _stale.Clear();
        _count = _graph.Count;
        (_own, _served, _towards, _away, _flow, _passed, _isStale) =
            (new double[_count], new double[_count], new double[_count], new double[_count], new double[_count], new double[_count], new bool[_count]);
        _observer = _graph.Find(_observerKey) ?? -1;
        if (_observer < 0) return;
        var work = _graph.WorkOf(_observer);
        foreach (var (k, amount) in new RowOf(work)) _own[k] = amount;
        for (var p = 0; p < work.Consumers.Length; p++) _served[work.Consumers[p]] = work.Given[p] / _alpha;

        // From the near end when few pairs lie there, else each peer adds up its own: that can be spread.
        var (rows, columns) = (0L, 0L);
        foreach (var k in work.Contributors) rows += _graph.WorkOf(k).Contributors.Length;
        foreach (var k in work.Consumers) columns += _graph.WorkOf(k).Consumers.Length;
        var bounds = PageRank.Bounds(_graph, split.Parts);
        if (rows < _graph.PairCount / 4) PushRows(_towards, _own);
        else split.Run(split.Parts, part => PullColumns(_towards, _own, bounds[part], bounds[part + 1]));
        if (columns < _graph.PairCount / 4 || !_graph.Unconfirmed.IsEmpty)
        {
            for (var p = 0; p < work.Consumers.Length; p++) Spread(work.Consumers[p], 0, _served[work.Consumers[p]]);
            if (_graph.Unconfirmed.To(_observer) is { } claims)
                foreach (var (signer, claimed) in claims) _away[signer] += claimed / _alpha;
        }
        else split.Run(split.Parts, part => PullRows(WorkGraphLoader.Share(part, split.Parts, _count)));
        _stale.Clear();
        for (var k = 0; k < _count; k++) (_passed[k], _isStale[k]) = (Passes(k), false);
        if (rows < _graph.PairCount / 4) PushRows(_flow, _passed);
        else split.Run(split.Parts, part => PullColumns(_flow, _passed, bounds[part], bounds[part + 1]));
    }

    private void PushRows(double[] sums, double[] most)
    {
        foreach (var k in _graph.WorkOf(_observer).Contributors)
        {
            sums[k] += _own[k];
            foreach (var (j, amount) in new RowOf(_graph.WorkOf(k)))
                if (j != _observer) sums[j] += Math.Min(amount, most[k]);
        }
    }

    private void PullColumns(double[] sums, double[] most, int from, int to)
    {
        for (var j = from; j < to; j++)
        {
            if (j == _observer) continue;
            var work = _graph.WorkOf(j);
            var consumers = work.Consumers;
            var given = work.Given;
            var sum = _own[j];
            unchecked
            {
                for (var p = 0; p < consumers.Length; p++) sum += Math.Min(given[p], most[consumers[p]]);
            }
            sums[j] = sum;
        }
    }

    private void PullRows((int From, int To) share)
    {
        for (var j = share.From; j < share.To; j++)
        {
            if (j == _observer) continue;
            var sum = _served[j];
            foreach (var (k, amount) in new RowOf(_graph.WorkOf(j))) sum += Math.Min(amount, _served[k]);
            _away[j] = sum;
        }
    }

    /// <summary>The observer did more for somebody: so did all that this one did for others, from the observer's purse.</summary>
    private void Serve(int s, double before, double after)
    {
        _served[s] = after / _alpha;
        Spread(s, before / _alpha, after / _alpha);
    }

    private void Spread(int s, double before, double after)
    {
        _away[s] += after - before;
        Doubt(s);
        var work = _graph.WorkOf(s);
        var consumers = work.Consumers;
        var given = work.Given;
        var claims = _graph.Unconfirmed.To(s);
        for (var p = 0; p < consumers.Length; p++)
        {
            var j = consumers[p];
            double amount = given[p];
            if (claims is not null) amount += claims.GetValueOrDefault(j);
            if (j == _observer || amount <= before) continue;
            _away[j] += Math.Min(amount, after) - Math.Min(amount, before);
            Doubt(j);
        }
        if (claims is null) return;
        foreach (var (j, amount) in claims)
        {
            if (j == _observer || amount <= before || consumers.BinarySearch(j) >= 0) continue;
            _away[j] += Math.Min(amount, after) - Math.Min(amount, before);
            Doubt(j);
        }
    }

    /// <summary>Somebody got more from one whom the observer had served.</summary>
    private void Take(int d, int s, double before, double after)
    {
        if (s == _observer || _served[d] <= 0) return;
        double claimed = _graph.Unconfirmed.Of(d, s);
        _away[s] += Math.Min(after + claimed, _served[d]) - Math.Min(before + claimed, _served[d]);
        Doubt(s);
    }

    /// <summary>What may pass through this one can have changed.</summary>
    private void Doubt(int k)
    {
        if (_own[k] <= 0 || _isStale[k]) return;
        _isStale[k] = true;
        _stale.Enqueue(k);
    }

    private void Settle()
    {
        for (var pairs = 0; pairs <= PairsPerRecordMax && _stale.TryDequeue(out var k);) pairs += Renew(k);
    }

    private int Renew(int k)
    {
        _isStale[k] = false;
        var (before, after) = (_passed[k], Passes(k));
        if (before == after) return 1;
        _passed[k] = after;
        var row = new RowOf(_graph.WorkOf(k));
        foreach (var (j, amount) in row)
            if (j != _observer) _flow[j] += Math.Min(amount, after) - Math.Min(amount, before);
        return row.Length;
    }

    private void Widen()
    {
        if (_count == _graph.Count) return;
        _count = _graph.Count;
        if (_count <= _own.Length) return;
        var size = Math.Max(8, _count + _count / 4);
        Array.Resize(ref _own, size);
        Array.Resize(ref _served, size);
        Array.Resize(ref _towards, size);
        Array.Resize(ref _away, size);
        Array.Resize(ref _flow, size);
        Array.Resize(ref _passed, size);
        Array.Resize(ref _isStale, size);
    }

    /// <summary>Goes through a row by contributor and amount.</summary>
    internal ref struct RowOf(PeerWork work)
    {
        private readonly ReadOnlySpan<int> _contributors = work.Contributors;
        private readonly ReadOnlySpan<long> _until = work.Until;
        private int _place = -1;
        private long _before, _amount;

        public readonly int Length => _contributors.Length;
        public readonly RowOf GetEnumerator() => this;
        public readonly (int Contributor, double Amount) Current => (_contributors[_place], _amount);

        public bool MoveNext()
        {
            if (++_place >= _contributors.Length) return false;
            (_amount, _before) = (_until[_place] - _before, _until[_place]);
            return true;
        }
    }
}
