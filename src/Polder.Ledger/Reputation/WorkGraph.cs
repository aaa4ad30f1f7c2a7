using Polder.Identity;

namespace Polder.Ledger.Reputation;

/// <summary>One agreed record of help, as both signed it.</summary>
/// <param name="Contributor">Who helped.</param>
/// <param name="Consumer">Who was helped.</param>
/// <param name="Amount">How much.</param>
/// <param name="Proposer">Who proposed: one of the two.</param>
/// <param name="ProposalSequence">Number of the proposal in the proposer's chain.</param>
/// <param name="AgreementSequence">Number of the agreement in the other's chain.</param>
/// <param name="Timestamp">By the proposer's clock, milliseconds since 1970.</param>
public readonly record struct WorkRecord(
    PublicKey Contributor, PublicKey Consumer, long Amount, PublicKey Proposer, uint ProposalSequence, uint AgreementSequence, ulong Timestamp);

/// <summary>
/// Who did how much for whom, in one unit: the records that this node holds, summed up by pair. Amounts only; totals carried
/// inside blocks count for nothing (reputation.md §1).
/// </summary>
public sealed class WorkGraph(string unit)
{
    /// <summary>The largest record that enters.</summary>
    public const long RecordMax = 1L << 40;

    private readonly Dictionary<PublicKey, int> _indexOf = new(PublicKey.Comparer);
    private readonly List<Node> _nodes = [];
    private readonly List<WorkRecord> _records = [];

    /// <summary>In what is counted.</summary>
    public string Unit { get; } = unit;

    /// <summary>Rises with every change.</summary>
    public long Version { get; private set; }

    /// <summary>Everybody with a record, in the order of the first.</summary>
    public IEnumerable<PublicKey> Peers
    {
        get
        {
            foreach (var node in _nodes)
                if (!node.IsRemoved) yield return node.Key;
        }
    }

    /// <summary>Records, oldest first.</summary>
    public IReadOnlyList<WorkRecord> Records => _records;

    /// <summary>What one did for the other, summed up.</summary>
    public long Work(PublicKey contributor, PublicKey consumer) =>
        _indexOf.TryGetValue(contributor, out var from) && _indexOf.TryGetValue(consumer, out var to) ? _nodes[to].From.GetValueOrDefault(from) : 0;

    /// <summary>What somebody did for anybody, got from anybody, in how many records, and what it says it got that nobody confirmed.</summary>
    public (double Gave, double Got, int Records, double Unconfirmed) SumsOf(PublicKey peer)
    {
        if (!_indexOf.TryGetValue(peer, out var index)) return default;
        var node = _nodes[index];
        return (node.Gave, node.Got, node.Records, node.Unconfirmed);
    }

    /// <summary>Adds a record. Refuses (false) amounts out of range, work for oneself, and anybody who was removed.</summary>
    public bool Add(in WorkRecord record)
    {
        if (record.Amount is < 1 or > RecordMax || record.Contributor == record.Consumer) return false;
        var (from, to) = (Index(record.Contributor), Index(record.Consumer));
        if (_nodes[from].IsRemoved || _nodes[to].IsRemoved) return false;
        _records.Add(record);
        var (contributor, consumer) = (_nodes[from], _nodes[to]);
        consumer.From[from] = Sum(consumer.From.GetValueOrDefault(from), record.Amount);
        contributor.To[to] = Sum(contributor.To.GetValueOrDefault(to), record.Amount);
        contributor.Gave += record.Amount;
        contributor.Records++;
        consumer.Got += record.Amount;
        consumer.Records++;
        Version++;
        return true;
    }

    /// <summary>A proposal that nobody confirmed counts only against its signer: it got something, and nobody is credited.</summary>
    public void AddUnconfirmed(PublicKey signer, long amount)
    {
        _nodes[Index(signer)].Unconfirmed += amount;
        Version++;
    }

    /// <summary>Takes out a proven cheater: all of its records, both ways, and all that come later.</summary>
    public void Remove(PublicKey culprit)
    {
        var index = Index(culprit);
        var node = _nodes[index];
        if (node.IsRemoved) return;
        node.IsRemoved = true;
        foreach (var (other, amount) in node.From)
        {
            _nodes[other].To.Remove(index);
            _nodes[other].Gave -= amount;
        }
        foreach (var (other, amount) in node.To)
        {
            _nodes[other].From.Remove(index);
            _nodes[other].Got -= amount;
        }
        foreach (var record in _records)
        {
            if (record.Contributor == culprit) _nodes[_indexOf[record.Consumer]].Records--;
            else if (record.Consumer == culprit) _nodes[_indexOf[record.Contributor]].Records--;
        }
        node.From.Clear();
        node.To.Clear();
        (node.Gave, node.Got, node.Records, node.Unconfirmed) = (0, 0, 0, 0);
        _records.RemoveAll(record => record.Contributor == culprit || record.Consumer == culprit);
        Version++;
    }

    internal int Count => _nodes.Count;
    internal PublicKey KeyOf(int index) => _nodes[index].Key;
    internal bool IsRemoved(int index) => _nodes[index].IsRemoved;
    internal int? Find(PublicKey peer) => _indexOf.TryGetValue(peer, out var index) ? index : null;

    /// <summary>Contributors of a consumer, with amounts.</summary>
    internal Dictionary<int, long> From(int consumer) => _nodes[consumer].From;

    /// <summary>Consumers of a contributor, with amounts.</summary>
    internal Dictionary<int, long> To(int contributor) => _nodes[contributor].To;

    private int Index(PublicKey key)
    {
        if (_indexOf.TryGetValue(key, out var index)) return index;
        _nodes.Add(new Node(key));
        return _indexOf[key] = _nodes.Count - 1;
    }

    private static long Sum(long a, long b) => a > long.MaxValue - b ? long.MaxValue : a + b;

    private sealed class Node(PublicKey key)
    {
        public PublicKey Key => key;
        public Dictionary<int, long> From { get; } = [];
        public Dictionary<int, long> To { get; } = [];
        public bool IsRemoved { get; set; }
        public double Gave { get; set; }
        public double Got { get; set; }
        public double Unconfirmed { get; set; }
        public int Records { get; set; }
    }
}
