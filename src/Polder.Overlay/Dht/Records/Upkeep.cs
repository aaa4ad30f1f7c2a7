using Polder.Cryptography;
using Polder.Identity;
using Polder.Net;

namespace Polder.Overlay.Dht.Records;

/// <summary>
/// What a node's DHT does unasked: joins, looks at who is still there, searches what rests, hands records over to who came closer,
/// stores its own again. One timer for all, a little at each tick, so that nothing comes in storms.
/// </summary>
internal sealed class Upkeep
{
    private const int AdmittedMax = 64, HandOversPerTick = 8, JoinSearchesMax = 12, JoinSearchesVain = 2, TableUsable = 32;
    private static readonly TimeSpan SweepInterval = TimeSpan.FromSeconds(60), JoinRestMax = TimeSpan.FromMinutes(2);

    private readonly DhtCommunity _dht;
    private readonly Queue<Contact> _admitted = new();
    private TimeSpan _selfDue = TimeSpan.MaxValue, _sweepDue, _refreshJitterDue;
    private double _refreshJitter = 1;
    private bool _joining;
    private uint _puzzleWeek;
    private bool _solving;
    private Dictionary<Hash256, TimeSpan>? _handedOver;

    public Upkeep(DhtCommunity dht)
    {
        _dht = dht;
        Own = new OwnRecords(dht);
    }

    public OwnRecords Own { get; }

    /// <summary>The nonce that shows this week's work; 0 where none is asked for.</summary>
    public ulong PuzzleNonce { get; private set; }

    /// <summary>When the table had 32 entries for the first time, since the node was made.</summary>
    public TimeSpan? UsableAt { get; private set; }

    /// <summary>Whether the first search for ourselves is done.</summary>
    public bool HasJoined { get; private set; }

    public void Start()
    {
        Own.Load();
        SolvePuzzle();
    }

    /// <summary>Somebody new is in the table.</summary>
    public void Admitted(PublicKey key, Endpoint address)
    {
        if (UsableAt is null && _dht.Table.Count >= TableUsable) UsableAt = _dht.Time;
        if (!_dht.HoldsNothing)
        {
            if (_admitted.Count >= AdmittedMax) _admitted.Dequeue();
            _admitted.Enqueue(new Contact(key, address));
        }
        if (HasJoined || _joining) return;
        _joining = true;
        _ = Guarded(JoinAsync);
    }

    public async Task StepAsync()
    {
        var now = _dht.Time;
        SolvePuzzle();
        if (now >= _sweepDue)
        {
            _sweepDue = now + SweepInterval;
            if (!_dht.HoldsNothing) _dht.Held.RemoveExpired(now);
            _dht.Service.ForgetOld(now);
            if (_admitted.Count == 0) _admitted.TrimExcess();
            _dht.Rates.Tidy(now);
            if (_handedOver is { Count: > 0 })
                foreach (var (key, at) in _handedOver.ToArray())
                    if (now - at > _dht.Options.HandOverInterval) _handedOver.Remove(key);
        }
        if (_dht.Table.Count == 0) return;
        CheckStale();
        await HandOverAsync();
        if (now >= _selfDue)
        {
            PlanSelf();
            await _dht.SearchAsync(_dht.Table.Own, LookupGoal.Nodes, 1);
        }
        else await RefreshAsync(now);
        await Own.StepAsync();
    }

    /// <summary>
    /// Asks for ourselves on many paths, then for random ids, farthest first, until the table can be used: whoever is asked learns of us,
    /// and whoever answers is taken in.
    /// </summary>
    private async Task JoinAsync()
    {
        try
        {
            await _dht.SearchAsync(_dht.Table.Own, LookupGoal.Nodes, _dht.Options.PathsForContacts);
            PlanSelf();
            HasJoined = true;
            await FillAsync();
            await Own.StepAsync();
        }
        finally { _joining = false; }
        // Whoever was asked first may itself have come a moment ago, and know nobody: soon it does.
        for (var rest = TimeSpan.FromSeconds(1); _dht.Table.Count < TableUsable && rest < JoinRestMax; rest *= 2)
        {
            await Task.Delay(rest, _dht.World.Time, _dht.Ending);
            await FillAsync();
        }
    }

    /// <summary>Searches random ids, farthest first, until the table is full enough or this brings nobody new.</summary>
    private async Task FillAsync()
    {
        var vain = 0;
        for (var i = 0; _dht.Table.Count < 2 * TableUsable && !_dht.Ending.IsCancellationRequested; i += 2)
        {
            // Where few are known that can be because few are there: then searches bring nobody new, and it is enough.
            if (vain >= JoinSearchesVain || (i >= JoinSearchesMax && _dht.Table.Count >= TableUsable)) break;
            var (count, before) = (_dht.Table.BucketCount, _dht.Table.Count);
            await Task.WhenAll(SearchBucketAsync(i % count), SearchBucketAsync((i + 1) % count));
            vain = _dht.Table.Count > before ? 0 : vain + 1;
        }
    }

    private void PlanSelf() => _selfDue = _dht.Time + _dht.Options.SelfInterval * (0.9 + 0.2 * _dht.World.Random.NextDouble());

    private async Task RefreshAsync(TimeSpan now)
    {
        if (now >= _refreshJitterDue)
        {
            _refreshJitterDue = now + _dht.Options.RefreshInterval;
            _refreshJitter = 0.9 + 0.2 * _dht.World.Random.NextDouble();
        }
        var unused = _dht.Table.Unused(_dht.Seconds - (int)(_dht.Options.RefreshInterval.TotalSeconds * _refreshJitter));
        if (unused < 0) return;
        _dht.Table.UsedBucket(unused, _dht.Seconds);
        await SearchBucketAsync(unused);
    }

    private async Task SearchBucketAsync(int bucket)
    {
        var lookup = await _dht.SearchAsync(_dht.Table.RandomIn(bucket, _dht.World.Random), LookupGoal.Nodes, 1);
        _dht.Size.Heard(lookup.Target, lookup.Closest(_dht.Options.BucketWidth));
    }

    private void CheckStale()
    {
        var options = _dht.Options;
        var perTick = 1 + (int)(2 * _dht.Table.Count * options.Tick.TotalSeconds / options.CheckedAfter.TotalSeconds);
        var stale = new List<Contact>();
        _dht.Table.Stale(_dht.Seconds - (int)options.CheckedAfter.TotalSeconds, stale, perTick);
        foreach (var contact in stale) _dht.Check(contact.Key, contact.Address);
    }

    /// <summary>
    /// Gives records to somebody who came closer to them than the farthest holder. Only the nearest holder that we know of does so (we), and
    /// each key rests half an hour afterwards.
    /// </summary>
    private async Task HandOverAsync()
    {
        var left = HandOversPerTick;
        var closest = new TableEntry[_dht.Options.BucketWidth];
        while (left > 0 && _admitted.TryDequeue(out var newcomer))
        {
            foreach (var key in _dht.Held.Keys.ToArray())
            {
                if (left <= 0) break;
                if (_handedOver is not null && _handedOver.TryGetValue(key, out var at) && _dht.Time - at < _dht.Options.HandOverInterval) continue;
                if (_dht.Held.Get(key) is not { } held || held.All(static one => one.IsCache)) continue;
                var count = _dht.Table.Closest(key, closest);
                var isAmong = false;
                var nearest = ulong.MaxValue;
                for (var i = 0; i < count; i++)
                {
                    if (closest[i].Key == newcomer.Key) isAmong = true;
                    else nearest = Math.Min(nearest, closest[i].Key.NodeId.Head ^ key.Head);
                }
                if (!isAmong || (_dht.Table.Own.Head ^ key.Head) > nearest) continue;
                left--;
                (_handedOver ??= [])[key] = _dht.Time;
                await GiveAsync(newcomer, key, held.ToArray());
            }
        }
    }

    private async Task GiveAsync(Contact to, Hash256 key, HeldRecord[] held)
    {
        if (await _dht.AskAsync(to.Key, to.Address, key, FindFlags.Records) is not { } found) return;
        var has = _dht.Verified(key, found);
        foreach (var one in held)
        {
            var remaining = (uint)Math.Max(0, (one.ExpiresAt - _dht.Time).TotalSeconds);
            if (one.IsCache || remaining == 0 || has.Any(other => other.Record.SamePlace(one.Record) && other.Record.Sequence >= one.Record.Sequence)) continue;
            _dht.Counters.HandedOver++;
            await _dht.StoreAtAsync(to.Key, to.Address, found.Token, one.Record, remaining, isCache: false);
        }
    }

    private void SolvePuzzle()
    {
        var bits = _dht.Options.WeeklyPuzzleBits;
        var week = Puzzle.WeekOf(_dht.World.Time.GetUtcNow());
        if (bits == 0 || _solving || week == _puzzleWeek) return;
        _solving = true;
        _ = Guarded(async () =>
        {
            var id = _dht.Table.Own;
            PuzzleNonce = await _dht.World.Workers.RunAsync(() => Puzzle.Solve(id, week, bits));
            (_puzzleWeek, _solving) = (week, false);
        });
    }

    private async Task Guarded(Func<Task> work)
    {
        try { await work(); }
        catch (OperationCanceledException) { /* The community is left. */ }
        // Background work has no caller to tell.
        catch (Exception problem) { _dht.Node.Fault(problem, _dht); }
    }
}
