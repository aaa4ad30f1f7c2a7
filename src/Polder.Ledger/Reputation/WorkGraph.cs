using Polder.Identity;

namespace Polder.Ledger.Reputation;

/// <summary>What a record changed in a graph.</summary>
/// <param name="Contributor">Number of who helped.</param>
/// <param name="Consumer">Number of who was helped.</param>
/// <param name="Before">What the one had done for the other before.</param>
/// <param name="Added">What came to it.</param>
/// <param name="GotBefore">What the consumer had got from anybody before.</param>
internal readonly record struct GraphChange(int Contributor, int Consumer, long Before, long Added, long GotBefore);

/// <summary>What is known of a peer in sums.</summary>
/// <param name="Gave">What it did for anybody.</param>
/// <param name="Got">What it got from anybody.</param>
/// <param name="Records">Agreed records in which it took part.</param>
/// <param name="Unconfirmed">What it says that it got, and nobody confirmed.</param>
public readonly record struct PeerSums(double Gave, double Got, int Records, double Unconfirmed);

/// <summary>
/// Who did how much for whom, in one unit: the records that this node holds, summed up by pair, peers by number. The records
/// themselves stay in the block store. Amounts only; totals carried inside blocks count for nothing (reputation.md §1).
/// Some 28 bytes a pair of peers, and two bits a record for taking none twice.
/// </summary>
/// <param name="unit">In what is counted.</param>
public sealed class WorkGraph(string unit)
{
    /// <summary>The largest record that enters.</summary>
    public const long RecordMax = 1L << 40;

    private readonly Dictionary<PublicKey, int> _numberOf = new(PublicKey.Comparer);
    private readonly List<PublicKey> _keys = [];
    private readonly List<PeerWork> _work = [];
    private readonly List<NumberSet> _proposals = [];
    private readonly HashSet<int> _removed = [];
    private double[] _gave = [], _unconfirmed = [];
    private int[] _recordCounts = [];

    /// <summary>In what is counted.</summary>
    public string Unit { get; } = unit;

    /// <summary>Rises with every change.</summary>
    public long Version { get; private set; }

    /// <summary>Records that were taken in, less those of removed peers.</summary>
    public long RecordCount { get; private set; }

    /// <summary>Pairs of peers of whom one did something for the other.</summary>
    public long PairCount { get; private set; }

    /// <summary>Everybody with a record, in the order of the first.</summary>
    public IEnumerable<PublicKey> Peers
    {
        get
        {
            for (var i = 0; i < _keys.Count; i++)
                if (!_removed.Contains(i)) yield return _keys[i];
        }
    }

    /// <summary>What one did for the other, summed up.</summary>
    public long Work(PublicKey contributor, PublicKey consumer) =>
        Find(contributor) is { } from && Find(consumer) is { } to ? _work[to].From(from) : 0;

    /// <summary>What is known of a peer in sums; all 0 for whoever is unknown or was removed.</summary>
    public PeerSums SumsOf(PublicKey peer) => Find(peer) is { } number ? SumsOf(number) : default;

    /// <summary>Whether the peer was taken out as a proven cheater.</summary>
    public bool IsRemoved(PublicKey peer) => Find(peer) is { } number && _removed.Contains(number);

    /// <summary>
    /// Adds a record. Refuses (false) amounts out of range, work for oneself, anybody who was removed, and a record that was
    /// added before: its proposer and place name it.
    /// </summary>
    public bool Add(in WorkRecord record) => TryAdd(record, out _);

    internal bool TryAdd(in WorkRecord record, out GraphChange change)
    {
        change = default;
        if (record.Amount is < 1 or > RecordMax || record.Contributor == record.Consumer) return false;
        var (from, to) = (Number(record.Contributor), Number(record.Consumer));
        if (_removed.Contains(from) || _removed.Contains(to) || !IsNew(from, to, record.ProposalSequence, record.Proposer == record.Consumer)) return false;
        var row = _work[to];
        var (gotBefore, pairs) = (row.Got, row.Contributors.Length);
        var (before, added) = row.AddFrom(from, record.Amount);
        _work[from].AddTo(to, added);
        _gave[from] += added;
        _recordCounts[from]++;
        _recordCounts[to]++;
        PairCount += row.Contributors.Length - pairs;
        RecordCount++;
        Version++;
        change = new GraphChange(from, to, before, added, gotBefore);
        return true;
    }

    /// <summary>A proposal that nobody confirmed counts only against its signer: it got something, and nobody is credited.</summary>
    /// <param name="signer">Who says so.</param>
    /// <param name="helper">From whom it says to have got it.</param>
    /// <param name="amount">How much; below 0 when it is confirmed after all.</param>
    public void AddUnconfirmed(PublicKey signer, PublicKey helper, long amount)
    {
        ArgumentNullException.ThrowIfNull(signer);
        ArgumentNullException.ThrowIfNull(helper);
        if (signer == helper || amount is < -RecordMax or > RecordMax) return;
        var (consumer, contributor) = (Number(signer), Number(helper));
        if (_removed.Contains(consumer) || _removed.Contains(contributor)) return;
        Unconfirmed.Add(contributor, consumer, amount);
        _unconfirmed[consumer] += amount;
        Version++;
    }

    /// <summary>Takes out a proven cheater: all of its records, both ways, and all that come later.</summary>
    public void Remove(PublicKey culprit)
    {
        ArgumentNullException.ThrowIfNull(culprit);
        var number = Number(culprit);
        if (!_removed.Add(number)) return;
        var work = _work[number];
        foreach (var consumer in work.Consumers)
        {
            var (_, records) = _work[consumer].RemoveFrom(number);
            _recordCounts[consumer] -= records;
            RecordCount -= records;
        }
        for (var place = 0; place < work.Contributors.Length; place++)
        {
            var contributor = work.Contributors[place];
            _gave[contributor] -= _work[contributor].RemoveTo(number);
            _recordCounts[contributor] -= work.RecordCounts[place];
            RecordCount -= work.RecordCounts[place];
        }
        PairCount -= work.Consumers.Length + work.Contributors.Length;
        foreach (var (consumer, amount) in Unconfirmed.Remove(number)) _unconfirmed[consumer] -= amount;
        work.Clear();
        (_gave[number], _unconfirmed[number], _recordCounts[number]) = (0, 0, 0);
        Version++;
    }

    /// <summary>Begins to take in many records at once; see <see cref="WorkGraphLoader"/>.</summary>
    /// <param name="split">How the work is spread; null: on this thread.</param>
    public WorkGraphLoader Load(WorkSplit? split = null) => new(this, split ?? WorkSplit.None);

    /// <summary>Peers that have a number.</summary>
    internal int Count => _keys.Count;

    /// <summary>Claims that nobody confirmed.</summary>
    internal UnconfirmedClaims Unconfirmed { get; } = new();

    internal PublicKey KeyOf(int number) => _keys[number];
    internal bool IsRemoved(int number) => _removed.Count > 0 && _removed.Contains(number);
    internal int? Find(PublicKey peer) => _numberOf.TryGetValue(peer, out var number) ? number : null;
    internal PeerWork WorkOf(int number) => _work[number];
    internal double GaveOf(int number) => _gave[number];
    internal PeerSums SumsOf(int number) => new(_gave[number], _work[number].Got, _recordCounts[number], _unconfirmed[number]);

    /// <summary>The number of a peer, a new one if it is new.</summary>
    internal int Number(PublicKey key)
    {
        if (_numberOf.TryGetValue(key, out var known)) return known;
        var number = _keys.Count;
        _numberOf.Add(key, number);
        _keys.Add(key);
        _work.Add(new PeerWork());
        _proposals.Add(new NumberSet());
        if (number >= _gave.Length)
        {
            var size = Math.Max(4, number + number / 2);
            Array.Resize(ref _gave, size);
            Array.Resize(ref _unconfirmed, size);
            Array.Resize(ref _recordCounts, size);
        }
        return number;
    }

    /// <summary>Whether a record of this proposal was taken in.</summary>
    internal bool Has(PublicKey proposer, uint sequence) =>
        Find(proposer) is { } number && (_proposals[number].Contains((ulong)sequence << 1) || _proposals[number].Contains((ulong)sequence << 1 | 1));

    /// <summary>Notes that a record was taken in; false when it was before. One proposal can hold work in both directions.</summary>
    internal bool IsNew(int contributor, int consumer, uint sequence, bool proposedByConsumer) =>
        _proposals[proposedByConsumer ? consumer : contributor].Add((ulong)sequence << 1 | (proposedByConsumer ? 0u : 1u));

    /// <summary>After rows and columns were replaced in bulk.</summary>
    internal void Loaded(long newRecords, int[] newRecordsOf)
    {
        var pairs = 0L;
        for (var i = 0; i < _keys.Count; i++)
        {
            pairs += _work[i].Contributors.Length;
            _recordCounts[i] += newRecordsOf[i];
            var gave = 0.0;
            foreach (var given in _work[i].Given) gave += given;
            _gave[i] = gave;
        }
        (PairCount, RecordCount) = (pairs, RecordCount + newRecords);
        Version++;
    }
}
