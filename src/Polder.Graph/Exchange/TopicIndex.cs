using Polder.Graph.Model;
using Polder.Graph.Sea;
using Polder.Graph.Sync;

namespace Polder.Graph.Exchange;

/// <summary>
/// What of the graph belongs to a topic, with its summary, kept up with every change. It is read from the store in small steps, so that the
/// loop stays free; what changes meanwhile counts once. When a link is taken back it is read anew, since what hung on it may not belong any more.
/// </summary>
internal sealed class TopicIndex : IDisposable
{
    private const int EntriesAStep = 400, SoulsAStep = 400, SoulsMax = 500_000;

    private readonly SharedGraph _graph;
    private readonly HashSet<string> _souls = new(StringComparer.Ordinal);
    private readonly Queue<string> _toRead = new();
    private readonly HashSet<string> _unread = new(StringComparer.Ordinal);
    private (string Soul, string? After)? _reading;
    private string? _lookedTo;
    private bool _isScheduled, _isDisposed;

    public TopicIndex(SharedGraph graph, string name)
    {
        (_graph, Name) = (graph, name);
        graph.Replaced += OnReplaced;
        graph.Removed += OnRemoved;
        Begin();
    }

    public string Name { get; }
    public TopicSummary Summary { get; } = new();

    /// <summary>Counts every change of the summary.</summary>
    public long Version { get; private set; }

    /// <summary>Whether everything has been read: before, the summary says nothing.</summary>
    public bool IsComplete { get; private set; }

    /// <summary>Whether there is more than one topic may hold; then it is not exchanged.</summary>
    public bool IsTooLarge { get; private set; }

    /// <summary>The souls that belong.</summary>
    public IReadOnlyCollection<string> Souls => _souls;

    /// <summary>Everything has been read.</summary>
    public event Action? Completed;

    /// <summary>A change in the topic.</summary>
    public event Action<GraphWrite>? Changed;

    /// <summary>Whether a soul belongs, by its name or because something that belongs links to it.</summary>
    public bool Contains(string soul) => soul.Length > 0 && (_souls.Contains(soul) || TopicName.Has(Name, soul));

    public void Dispose()
    {
        _isDisposed = true;
        _graph.Replaced -= OnReplaced;
        _graph.Removed -= OnRemoved;
    }

    /// <summary>All entries whose leaf is wanted, read in steps on the loop. Souls that come in meanwhile may be missing: the next round finds them.</summary>
    public async Task<List<GraphWrite>> CollectAsync(Func<ulong, bool> wanted)
    {
        var found = new List<GraphWrite>();
        var count = 0;
        foreach (var soul in _souls.ToList())
        {
            string? after = null;
            while (true)
            {
                var (more, taken, last) = (false, 0, after);
                _graph.Store.Walk(soul, after is null ? "" : after + '\0', backwards: false, (key, entry) =>
                {
                    if (taken >= EntriesAStep) return !(more = true);
                    taken++;
                    last = key;
                    if (wanted(EntryHash.Place(soul, key))) found.Add(new GraphWrite(soul, key, entry.State, entry.Value));
                    return true;
                });
                if ((count += taken + 1) >= EntriesAStep)
                {
                    count = 0;
                    await Task.Yield();
                    if (_isDisposed) return found;
                }
                if (!more) break;
                after = last;
            }
        }
        return found;
    }

    private void Begin()
    {
        _souls.Clear();
        _toRead.Clear();
        _unread.Clear();
        Summary.Clear();
        Version++;
        (_reading, _lookedTo, IsComplete) = (null, null, false);
        if (Name[0] != '~') AddSoul(Name);
        Schedule();
    }

    private void Schedule()
    {
        if (_isScheduled || _isDisposed) return;
        _isScheduled = true;
        _graph.Environment.Loop.Post(() =>
        {
            _isScheduled = false;
            if (!_isDisposed) Step();
        });
    }

    private void Step()
    {
        if (_reading is null && _toRead.TryDequeue(out var next)) Open(next);
        if (_reading is { } place) ReadSome(place.Soul, place.After);
        else if (!LookSome())
        {
            var before = IsComplete;
            IsComplete = true;
            if (!before) Completed?.Invoke();
            return;
        }
        Schedule();
    }

    private void Open(string soul)
    {
        _unread.Remove(soul);
        _reading = (soul, null);
    }

    private void ReadSome(string soul, string? after)
    {
        var (taken, more, last) = (0, false, after);
        _graph.Store.Walk(soul, after is null ? "" : after + '\0', backwards: false, (key, entry) =>
        {
            if (taken >= EntriesAStep) return !(more = true);
            taken++;
            last = key;
            Summary.Add(EntryHash.Place(soul, key), EntryHash.Of(soul, key, entry));
            if (SignedValue.LinkOf(new GraphWrite(soul, key, entry.State, entry.Value)) is { } link) AddSoul(link);
            return true;
        });
        if (taken > 0) Version++;
        _reading = more ? (soul, last) : null;
    }

    /// <summary>Looks through the names of souls: first those that begin with the topic's, then users' graphs. False when there is nothing more.</summary>
    private bool LookSome()
    {
        var users = Name[0] != '~';
        var from = _lookedTo ?? Name;
        if (from.Length == 0) return false;
        var (seen, last, inRange) = (0, (string?)null, true);
        var isAmongUsers = users && from[0] == '~';
        _graph.Store.WalkSouls(from, backwards: false, soul =>
        {
            if (seen++ >= SoulsAStep) return false;
            inRange = isAmongUsers ? soul[0] == '~' : soul.StartsWith(Name, StringComparison.Ordinal);
            if (!inRange) return false;
            last = soul;
            if (TopicName.Has(Name, soul)) AddSoul(soul);
            return true;
        });
        if (inRange && last is not null && seen > SoulsAStep) _lookedTo = last + '\0';
        // The texts of names go on after the topic's own with those of users; "~" comes last among what can be typed.
        else if (users && !isAmongUsers) _lookedTo = "~";
        else
        {
            _lookedTo = "";
            return _toRead.Count > 0;
        }
        return true;
    }

    private void AddSoul(string soul)
    {
        if (soul.Contains("<?", StringComparison.Ordinal)) return;
        if (_souls.Count >= SoulsMax)
        {
            IsTooLarge = true;
            return;
        }
        if (!_souls.Add(soul)) return;
        _toRead.Enqueue(soul);
        _unread.Add(soul);
        Schedule();
    }

    private bool IsCounted(string soul, string key)
    {
        if (_reading is { } place && place.Soul == soul) return place.After is { } after && string.CompareOrdinal(key, after) <= 0;
        return !_unread.Contains(soul);
    }

    private void OnReplaced(GraphWrite write, GraphEntry? before)
    {
        if (!_souls.Contains(write.Soul))
        {
            if (!TopicName.Has(Name, write.Soul)) return;
            AddSoul(write.Soul);
            Changed?.Invoke(write);
            return;
        }
        var oldLink = before is { } was ? SignedValue.LinkOf(new GraphWrite(write.Soul, write.Key, was.State, was.Value)) : null;
        var link = SignedValue.LinkOf(write);
        if (IsCounted(write.Soul, write.Key))
        {
            var place = EntryHash.Place(write.Soul, write.Key);
            if (before is { } old) Summary.Remove(place, EntryHash.Of(write.Soul, write.Key, old));
            Summary.Add(place, EntryHash.Of(write.Soul, write.Key, write.Entry));
            Version++;
        }
        if (link is not null) AddSoul(link);
        Changed?.Invoke(write);
        if (oldLink is not null && oldLink != link && !TopicName.Has(Name, oldLink)) Begin();
    }

    private void OnRemoved(GraphWrite was)
    {
        if (!_souls.Contains(was.Soul) || !IsCounted(was.Soul, was.Key)) return;
        Summary.Remove(EntryHash.Place(was.Soul, was.Key), EntryHash.Of(was.Soul, was.Key, was.Entry));
        Version++;
        if (SignedValue.LinkOf(was) is { } link && !TopicName.Has(Name, link)) Begin();
    }
}
