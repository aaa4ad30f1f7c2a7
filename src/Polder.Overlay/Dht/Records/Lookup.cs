using Polder.Cryptography;
using Polder.Identity;
using Polder.Net;

namespace Polder.Overlay.Dht.Records;

internal enum AskState : byte
{
    New,
    Asked,
    /// <summary>It took longer than it should; somebody else is asked as well, and its answer still counts.</summary>
    Late,
    Answered,
    Failed,
}

/// <summary>A node of a search.</summary>
internal sealed class LookupNode(PublicKey key, Endpoint address, ulong distance)
{
    public PublicKey Key { get; } = key;
    public Endpoint Address { get; } = address;

    /// <summary>The first 64 bits of its distance to the target.</summary>
    public ulong Distance { get; } = distance;

    public AskState State { get; set; }

    /// <summary>The paths on which it was heard of, one bit each.</summary>
    public byte KnownBy { get; set; }

    /// <summary>The path that asked it: the only one (OV-8.4).</summary>
    public byte AskedBy { get; set; }

    /// <summary>What is known of its round trip, in milliseconds; 0 for nothing.</summary>
    public ushort RoundTrip { get; set; }

    public ulong Token { get; set; }
    public bool HasRecords { get; set; }

    /// <summary>Records that it says to have, and how many of them came.</summary>
    public byte Total { get; set; }
    public byte Given { get; set; }
    public bool IsClient { get; set; }
}

/// <summary>What a search is for.</summary>
internal enum LookupGoal : byte
{
    /// <summary>The nodes nearest to the target.</summary>
    Nodes,
    /// <summary>The record there: one verified copy if it cannot be changed, copies on two paths if it can.</summary>
    Record,
    /// <summary>Everything there, of many publishers.</summary>
    Entries,
}

/// <summary>
/// A search on d disjoint paths: whom to ask next, when it is over, and what was found. Each path asks the nearest that it heard of
/// and that no path has asked; it rests when its k nearest have been asked by somebody. A rule: no clock, no wire.
/// </summary>
internal sealed class Lookup
{
    private const int NodesMax = 256, HoldersForEntries = 4;

    private readonly List<LookupNode> _nodes = [];
    private readonly Dictionary<PublicKey, LookupNode> _byKey = new(PublicKey.Comparer);
    private readonly DhtOptions _options;
    private readonly int[] _inFlight;
    private readonly List<DhtRecord> _records = [];
    private byte _pathsWithRecord;
    private int _turn;

    public Lookup(Hash256 target, LookupGoal goal, int paths, DhtOptions options)
    {
        (Target, Goal, _options) = (target, goal, options);
        Paths = Math.Clamp(paths, 1, 8);
        _inFlight = new int[Paths];
    }

    public Hash256 Target { get; }
    public LookupGoal Goal { get; }
    public int Paths { get; }
    public int Questions { get; private set; }
    public int Answers { get; private set; }
    public int LatePending { get; private set; }
    public int Holders { get; private set; }

    /// <summary>Records found, each verified, the newest of each publisher; two of one publisher when they contradict each other.</summary>
    public IReadOnlyList<DhtRecord> Records => _records;

    /// <summary>Seconds that the best copy still lives.</summary>
    public uint RemainingMax { get; private set; }

    /// <summary>Two values under one sequence number, both signed: proof against their publisher.</summary>
    public (DhtRecord First, DhtRecord Second)? Contradiction { get; private set; }

    /// <summary>Whether paths that ended by themselves disagree on what is there.</summary>
    public bool PathsDisagree { get; private set; }

    /// <summary>Whether it is not worth while to wait for those who are late: a record is there, or as many nodes as a bucket holds.</summary>
    public bool HasEnough => Goal == LookupGoal.Nodes ? Answers >= _options.BucketWidth : _records.Count > 0;

    /// <summary>What was looked for is found.</summary>
    public bool IsSatisfied { get; private set; }

    /// <summary>Nothing can be asked any more and nobody owes an answer in time.</summary>
    public bool IsExhausted => InFlight == 0 && !CanAsk();

    public int InFlight
    {
        get
        {
            var sum = 0;
            foreach (var count in _inFlight) sum += count;
            return sum;
        }
    }

    /// <summary>The nodes that we know at the start, nearest first, dealt out to the paths in turn.</summary>
    public void Start(ReadOnlySpan<TableEntry> known)
    {
        for (var i = 0; i < known.Length; i++)
            Add(known[i].Key, known[i].Address, (byte)(1 << (i % Paths)), known[i].RoundTrip);
    }

    /// <summary>Hears of a node on some paths.</summary>
    public void Add(PublicKey key, Endpoint address, byte paths, ushort roundTrip)
    {
        if (_byKey.TryGetValue(key, out var known))
        {
            known.KnownBy |= paths;
            return;
        }
        var distance = key.NodeId.Head ^ Target.Head;
        if (_nodes.Count >= NodesMax)
        {
            // The farthest that nobody asked goes; whoever was asked is needed for the end.
            var last = _nodes.FindLastIndex(static node => node.State == AskState.New);
            if (last < 0 || _nodes[last].Distance <= distance) return;
            _byKey.Remove(_nodes[last].Key);
            _nodes.RemoveAt(last);
        }
        var node = new LookupNode(key, address, distance) { KnownBy = paths, RoundTrip = roundTrip };
        int low = 0, high = _nodes.Count;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_nodes[middle].Distance <= distance) low = middle + 1;
            else high = middle;
        }
        _nodes.Insert(low, node);
        _byKey.Add(key, node);
    }

    /// <summary>The next to ask and on which path, or null. It counts as asked from now on.</summary>
    public LookupNode? Next()
    {
        if (IsSatisfied || Questions >= _options.QuestionsMax || InFlight >= _options.ParallelMax) return null;
        for (var i = 0; i < Paths; i++)
        {
            var path = (_turn + i) % Paths;
            if (_inFlight[path] >= _options.Parallel || Candidate(path) is not { } node) continue;
            _turn = path + 1;
            _inFlight[path]++;
            (node.State, node.AskedBy) = (AskState.Asked, (byte)path);
            Questions++;
            return node;
        }
        return null;
    }

    /// <summary>It should have answered by now.</summary>
    public void BecameLate(LookupNode node)
    {
        if (node.State != AskState.Asked) return;
        node.State = AskState.Late;
        _inFlight[node.AskedBy]--;
        LatePending++;
    }

    public void Failed(LookupNode node)
    {
        BecameLate(node);
        if (node.State != AskState.Late) return;
        node.State = AskState.Failed;
        LatePending--;
    }

    /// <summary>It answered. Records are verified before, contacts are added after.</summary>
    public void Answered(LookupNode node, ulong token, bool isClient, IReadOnlyList<(DhtRecord Record, uint Remaining)> records)
    {
        BecameLate(node);
        if (node.State != AskState.Late) return;
        LatePending--;
        Answers++;
        (node.State, node.Token, node.HasRecords, node.IsClient) = (AskState.Answered, token, records.Count > 0, isClient);
        foreach (var (record, remaining) in records) Merge(record, remaining);
        if (records.Count == 0) return;
        Holders++;
        _pathsWithRecord |= (byte)(1 << node.AskedBy);
        IsSatisfied = Goal switch
        {
            LookupGoal.Record => records[0].Record.Kind == RecordKind.Immutable
                || System.Numerics.BitOperations.PopCount(_pathsWithRecord) >= Math.Min(2, Paths),
            LookupGoal.Entries => Holders >= HoldersForEntries && System.Numerics.BitOperations.PopCount(_pathsWithRecord) >= Math.Min(2, Paths),
            _ => false,
        };
    }

    /// <summary>The nearest that answered, at most k.</summary>
    public List<LookupNode> Closest(int max)
    {
        var found = new List<LookupNode>(max);
        foreach (var node in _nodes)
        {
            if (found.Count == max) break;
            if (node is { State: AskState.Answered, IsClient: false }) found.Add(node);
        }
        return found;
    }

    /// <summary>Those that had something.</summary>
    public IEnumerable<LookupNode> Holding() => _nodes.Where(static node => node.HasRecords);

    /// <summary>The nearest holder, and the nearest node that answered and had nothing.</summary>
    public (LookupNode? Holder, LookupNode? Candidate) CacheCandidate() =>
        (_nodes.Find(static node => node.HasRecords), _nodes.Find(static node => node is { State: AskState.Answered, HasRecords: false, IsClient: false }));

    /// <summary>Call at the end: whether one path saw a record where another, that came as far, saw none.</summary>
    public void Conclude()
    {
        if (Goal == LookupGoal.Nodes || _pathsWithRecord == 0 || Paths == 1) return;
        var withoutRecord = 0;
        var nearest = _nodes.Find(static node => node.HasRecords)!.Distance;
        foreach (var node in _nodes)
            if (node.State == AskState.Answered && !node.HasRecords && node.Distance < nearest) withoutRecord |= 1 << node.AskedBy;
        PathsDisagree = (withoutRecord & ~_pathsWithRecord) != 0;
    }

    private bool CanAsk()
    {
        if (IsSatisfied || Questions >= _options.QuestionsMax) return false;
        for (var path = 0; path < Paths; path++)
            if (Candidate(path) is not null) return true;
        return false;
    }

    /// <summary>The next for a path among the k nearest that it heard of and that are not silent; of equals the quicker.</summary>
    private LookupNode? Candidate(int path)
    {
        var bit = 1 << path;
        var rank = 0;
        LookupNode? best = null;
        foreach (var node in _nodes)
        {
            if ((node.KnownBy & bit) == 0 || node.State is AskState.Late or AskState.Failed) continue;
            if (node is { State: AskState.Answered, IsClient: true }) continue;
            if (++rank > _options.BucketWidth) break;
            if (node.State != AskState.New) continue;
            if (best is null) best = node;
            // As good in bits: take the one that is known to be quicker.
            else if (System.Numerics.BitOperations.LeadingZeroCount(node.Distance) < System.Numerics.BitOperations.LeadingZeroCount(best.Distance)) break;
            else if (node.RoundTrip != 0 && (best.RoundTrip == 0 || node.RoundTrip < best.RoundTrip)) best = node;
        }
        return best;
    }

    private void Merge(DhtRecord record, uint remaining)
    {
        RemainingMax = Math.Max(RemainingMax, remaining);
        var at = _records.FindIndex(other => other.SamePlace(record));
        if (at < 0)
        {
            if (_records.Count < 256) _records.Add(record);
            return;
        }
        var known = _records[at];
        if (known.Contradicts(record)) Contradiction ??= (known, record);
        if (record.Sequence > known.Sequence) _records[at] = record;
    }
}
