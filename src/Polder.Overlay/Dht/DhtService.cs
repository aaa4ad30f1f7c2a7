using Polder.Cryptography;
using Polder.Identity;
using Polder.Net;
using Polder.Overlay.Connecting;
using Polder.Overlay.Dht.Records;

namespace Polder.Overlay.Dht;

/// <summary>
/// What a node does with our DHT: get, put, find, and the contact records by which others reach it. <c>host.Find&lt;DhtService&gt;()</c>; used on
/// the node's loop. Searches throw only <see cref="OperationCanceledException"/>, when the node leaves the DHT.
/// </summary>
public sealed class DhtService : IContactSource
{
    private const int NothingMax = 256, PagesMax = 16;

    private readonly DhtCommunity _dht;
    private Dictionary<Hash256, TimeSpan>? _nothing;

    internal DhtService(DhtCommunity dht)
    {
        _dht = dht;
        dht.Upkeep.Own.Contact = WriteContact;
        dht.Node.Connector.Add(this);
    }

    /// <summary>At which relays we have a place; the parts that reserve them set it. For the contact record.</summary>
    public Func<IReadOnlyList<RelayReservation>>? Relays { get; set; }

    /// <summary>Further addresses of ours, such as a mapped port or IPv6; for the contact record.</summary>
    public Func<IReadOnlyList<Endpoint>>? FurtherAddresses { get; set; }

    /// <summary>Looks a key up: first here, then in the network.</summary>
    public Task<DhtFindings> GetAsync(Hash256 key) => GetAsync(key, LookupGoal.Record, _dht.Options.Paths);

    /// <summary>
    /// Looks up what people write: 64 hex digits are a key; 148 hex digits and "/salt" are somebody's record; other text is our own
    /// record of this salt.
    /// </summary>
    public Task<DhtFindings> GetAsync(string text) => GetAsync(KeyOf(text));

    /// <summary>The key that <see cref="GetAsync(string)"/> looks up.</summary>
    public Hash256 KeyOf(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        Span<byte> bytes = stackalloc byte[Hash256.Bytes];
        if (text.Length == 2 * Hash256.Bytes && Convert.FromHexString(text, bytes, out _, out _) == System.Buffers.OperationStatus.Done) return new Hash256(bytes);
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        if (slash == 2 * KeyFormat.Bytes && PublicKey.TryParseHex(text[..slash], out var publisher)) return DhtRecord.KeyOf(publisher, SaltOf(text[(slash + 1)..]));
        return DhtRecord.KeyOf(_dht.Self.Public, SaltOf(text));
    }

    /// <summary>Stores a value that nobody can change, of at most 1000 bytes (more throws); with <paramref name="keep"/>, again and again.</summary>
    public Task<DhtStored> PutAsync(ReadOnlyMemory<byte> value, bool keep = true, TimeSpan? life = null) =>
        PutAsync(new OwnRecord(RecordKind.Immutable, [], value.ToArray(), LifeOf(life), 0), keep);

    /// <summary>Stores our own record of this salt (at most 32 bytes of UTF-8), in the place of the one before; a value that is too long throws.</summary>
    public Task<DhtStored> PutAsync(string salt, ReadOnlyMemory<byte> value, bool keep = true, TimeSpan? life = null) =>
        PutAsync(new OwnRecord(RecordKind.Mutable, SaltOf(salt), value.ToArray(), LifeOf(life), _dht.Upkeep.Own.NextSequence()), keep);

    /// <summary>Says that we belong to a topic, with at most 256 bytes that the others see, until <see cref="Forget"/>.</summary>
    public Task<DhtStored> JoinAsync(string topic, ReadOnlyMemory<byte> value, TimeSpan? life = null) => JoinAsync(DhtRecord.KeyOfTopic(topic), value, life);

    /// <summary>Says that we belong to a topic.</summary>
    public Task<DhtStored> JoinAsync(Hash256 topic, ReadOnlyMemory<byte> value, TimeSpan? life = null) =>
        PutAsync(new OwnRecord(RecordKind.Membership, topic.ToArray(), value.ToArray(), LifeOf(life), _dht.Upkeep.Own.NextSequence()), keep: true);

    /// <summary>Stores a record of ours no more; where it is, it ends by itself. False when we did not store it.</summary>
    public bool Forget(Hash256 key) => _dht.Upkeep.Own.Remove(key);

    /// <summary>148 hex digits: where that node is. Other text: who belongs to the topic of this name.</summary>
    public async Task<DhtFound> FindAsync(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (!PublicKey.TryParseHex(text, out var key)) return await MembersAsync(DhtRecord.KeyOfTopic(text), text);
        var found = await FindContactAsync(key);
        return new DhtFound(key.ShortName, [], found.Hints, found.Findings.Questions, found.Findings.Took);
    }

    /// <summary>Who belongs to a topic.</summary>
    public Task<DhtFound> MembersAsync(Hash256 topic) => MembersAsync(topic, topic.ToString());

    /// <summary>Where a node is, by its contact record; null when there is none.</summary>
    public async ValueTask<ContactHints?> FindAsync(PublicKey key)
    {
        ArgumentNullException.ThrowIfNull(key);
        // Nobody to ask yet: others know better than we do.
        if (_dht.Table.Count == 0) return null;
        return (await FindContactAsync(key)).Hints;
    }

    /// <summary>The nodes nearest to a key that answered, nearest first, at most 16.</summary>
    public async Task<IReadOnlyList<(PublicKey Key, Endpoint Address)>> NearestAsync(Hash256 key)
    {
        var lookup = await _dht.SearchAsync(key, LookupGoal.Nodes, _dht.Options.Paths);
        return [.. lookup.Closest(_dht.Options.BucketWidth).Select(static node => (node.Key, node.Address))];
    }

    /// <summary>The DHT as it is now.</summary>
    public DhtSnapshot Snapshot()
    {
        var (table, counters) = (_dht.Table, _dht.Counters);
        var nearest = new TableEntry[Math.Min(table.Count, _dht.Options.BucketWidth)];
        var count = table.Closest(table.Own, nearest);
        var (publishers, networks) = _dht.HoldsNothing ? (0, 0) : _dht.Held.AtCap;
        return new DhtSnapshot
        {
            TableSize = table.Count, Buckets = table.BucketCount,
            RecordsHeld = _dht.HoldsNothing ? 0 : _dht.Held.Count, RecordsMax = _dht.Options.RecordsMax,
            BytesHeld = _dht.HoldsNothing ? 0 : _dht.Held.BytesHeld, BytesMax = _dht.Options.StoreBytesMax,
            PublishersAtQuota = publishers, NetworksAtQuota = networks, RefusedByQuota = counters[StoreVerdict.Full],
            OwnRecords = _dht.Upkeep.Own.Count,
            SizeNearUs = count < 8 ? table.Count + 1 : NetworkSize.Of(nearest[count - 1].Key.NodeId.Head ^ table.Own.Head, count),
            SizeElsewhere = _dht.Size.Elsewhere,
            Searches = counters.Searches, SearchesFound = counters.SearchesFound, SearchesEmpty = counters.SearchesEmpty,
            PathsDisagreed = counters.PathsDisagreed,
            Contradictions = counters.Contradictions + (_dht.HoldsNothing ? 0 : _dht.Held.Contradictions.Count),
            Questions = (counters.Asked, counters.Answered), AnsweredOthers = counters.AnsweredOthers, BadRecords = counters.BadRecords,
            RoundTrip = _dht.RoundTrips.Median == 0 ? null : TimeSpan.FromMilliseconds(_dht.RoundTrips.Median),
            IsClient = _dht.IsClient, IsYoung = _dht.IsYoung, HasJoined = _dht.Upkeep.HasJoined, UsableAfter = _dht.Upkeep.UsableAt,
        };
    }

    /// <summary>The nodes of the table, nearest to us first, at most so many.</summary>
    public IReadOnlyList<DhtNode> Nodes(int max = 64)
    {
        var found = new TableEntry[Math.Min(_dht.Table.Count, Math.Max(0, max))];
        var count = _dht.Table.Closest(_dht.Table.Own, found);
        return [.. found.Take(count).Select(entry => new DhtNode(
            entry.Key, entry.Address, entry.RoundTrip == 0 ? null : TimeSpan.FromMilliseconds(entry.RoundTrip), _dht.Table.Own.CommonPrefix(entry.Key.NodeId)))];
    }

    // ---- For the DHT itself ----

    /// <summary>Stores a record at the nodes nearest to its key.</summary>
    internal async Task<DhtStored> PublishAsync(DhtRecord record, TimeSpan life)
    {
        var paths = record.Kind == RecordKind.Contact ? _dht.Options.PathsForContacts : _dht.Options.Paths;
        var lookup = await _dht.SearchAsync(record.Key, LookupGoal.Nodes, paths);
        var holders = lookup.Closest(_dht.Options.BucketWidth);
        var remaining = (uint)life.TotalSeconds;
        var verdicts = await Task.WhenAll(holders.Select(node => _dht.StoreAtAsync(node.Key, node.Address, node.Token, record, remaining, isCache: false)));
        var kept = verdicts.Count(static verdict => verdict is StoreVerdict.Kept or StoreVerdict.Contradicts);
        // We are one of those who should have it.
        var isOurs = holders.Count < _dht.Options.BucketWidth || (_dht.Table.Own.Head ^ record.Key.Head) < holders[^1].Distance;
        if (isOurs && !_dht.IsClient && _dht.Keep(record, remaining, null, default, isCache: false) == StoreVerdict.Kept) kept++;
        _nothing?.Remove(record.Key);
        return new DhtStored(record.Key, kept, holders.Count);
    }

    internal void ForgetOld(TimeSpan now)
    {
        if (_nothing is not { Count: > 0 }) return;
        foreach (var (key, until) in _nothing.ToArray())
            if (until <= now) _nothing.Remove(key);
    }

    private async Task<DhtStored> PutAsync(OwnRecord own, bool keep)
    {
        var record = _dht.Upkeep.Own.Make(own);
        if (keep) _dht.Upkeep.Own.Add(own);
        var stored = await PublishAsync(record, own.Life);
        own.HoldersLast = stored.Holders;
        return stored;
    }

    private async Task<DhtFindings> GetAsync(Hash256 key, LookupGoal goal, int paths)
    {
        var began = _dht.Time;
        var here = Here(key);
        if (here.Count > 0 && here[0].Kind == RecordKind.Immutable) return new DhtFindings(key, here, null, false, 0, TimeSpan.Zero);
        if (here.Count == 0 && _nothing is not null && _nothing.TryGetValue(key, out var until) && began < until)
            return new DhtFindings(key, [], null, false, 0, TimeSpan.Zero);
        var lookup = await _dht.SearchAsync(key, goal, paths);
        var records = new List<DhtRecord>(lookup.Records);
        var contradiction = lookup.Contradiction;
        foreach (var record in here) Merge(records, record, ref contradiction);
        var questions = lookup.Questions;
        if (goal == LookupGoal.Entries) questions += await ReadPagesAsync(lookup, records);
        if (records.Count > 0)
        {
            _dht.Counters.SearchesFound++;
            KeepCopy(lookup);
        }
        else
        {
            _dht.Counters.SearchesEmpty++;
            Remember(key);
        }
        return new DhtFindings(key, records, contradiction, lookup.PathsDisagree, questions, _dht.Time - began);
    }

    private List<DhtRecord> Here(in Hash256 key)
    {
        if (_dht.HoldsNothing || _dht.Held.Get(key) is not { } held) return [];
        var now = _dht.Time;
        return [.. held.Where(one => one.ExpiresAt > now).Select(static one => one.Record)];
    }

    /// <summary>More entries than fit into one answer: the rest is asked for, page by page, of the two holders that have most.</summary>
    private async Task<int> ReadPagesAsync(Lookup lookup, List<DhtRecord> records)
    {
        var questions = 0;
        foreach (var holder in lookup.Holding().Where(static node => node.Total > node.Given).OrderByDescending(static node => node.Total).Take(2).ToList())
        {
            var given = holder.Given;
            for (var page = 0; page < PagesMax && given < holder.Total; page++)
            {
                questions++;
                if (await _dht.AskAsync(holder.Key, holder.Address, lookup.Target, FindFlags.Records, given) is not { Records.Length: > 0 } found) break;
                (DhtRecord, DhtRecord)? contradiction = null;
                foreach (var (record, _) in _dht.Verified(lookup.Target, found)) Merge(records, record, ref contradiction);
                given = (byte)Math.Min(byte.MaxValue, given + found.Records.Length);
            }
        }
        return questions;
    }

    private static void Merge(List<DhtRecord> records, DhtRecord record, ref (DhtRecord, DhtRecord)? contradiction)
    {
        var at = records.FindIndex(other => other.SamePlace(record));
        if (at < 0) records.Add(record);
        else if (records[at].Contradicts(record)) contradiction ??= (records[at], record);
        else if (record.Sequence > records[at].Sequence) records[at] = record;
    }

    /// <summary>The nearest node that was asked and had nothing gets a copy for a short while: the farther from the key, the shorter.</summary>
    private void KeepCopy(Lookup lookup)
    {
        if (lookup.Goal != LookupGoal.Record || lookup.Records.Count != 1) return;
        var (nearest, candidate) = lookup.CacheCandidate();
        if (nearest is null || candidate is null) return;
        var extraBits = System.Numerics.BitOperations.LeadingZeroCount(nearest.Distance) - System.Numerics.BitOperations.LeadingZeroCount(candidate.Distance);
        var life = Math.Min((uint)_dht.Options.CacheLifeMax.TotalSeconds, lookup.RemainingMax >> Math.Clamp(extraBits, 0, 31));
        if (life > 0) _ = _dht.StoreAtAsync(candidate.Key, candidate.Address, candidate.Token, lookup.Records[0], life, isCache: true);
    }

    private void Remember(in Hash256 key)
    {
        _nothing ??= [];
        if (_nothing.Count >= NothingMax) _nothing.Clear();
        _nothing[key] = _dht.Time + _dht.Options.NothingFor;
    }

    private async Task<(ContactHints? Hints, DhtFindings Findings)> FindContactAsync(PublicKey key)
    {
        var findings = await GetAsync(DhtRecord.KeyOfContact(key), LookupGoal.Record, _dht.Options.PathsForContacts);
        return (findings.Record is { } record ? ContactFormat.TryRead(record.Value.Span) : null, findings);
    }

    private async Task<DhtFound> MembersAsync(Hash256 topic, string name)
    {
        var findings = await GetAsync(topic, LookupGoal.Entries, _dht.Options.Paths);
        var members = findings.Records.Where(static record => record.Publisher is not null).OrderByDescending(static record => record.Sequence)
            .Select(static record => new DhtMember(record.Publisher!, record.Value)).ToList();
        return new DhtFound(name, members, null, findings.Questions, findings.Took);
    }

    private byte[] WriteContact()
    {
        var addresses = new List<Endpoint>();
        var own = _dht.Node.Own;
        Add(_dht.Node.Nat.View.Mapped is { IsConfirmed: true } mapped ? mapped.External : Endpoint.None);
        if (own.Told is { } told) Add(told);
        Add(own.Lan);
        foreach (var more in FurtherAddresses?.Invoke() ?? []) Add(more);
        IReadOnlyList<RelayReservation> relays = Relays?.Invoke() ?? [];
        return addresses.Count == 0 && relays.Count == 0 ? [] : ContactFormat.Write(addresses, relays);

        void Add(Endpoint address)
        {
            if (address.IsSendable && !addresses.Contains(address)) addresses.Add(address);
        }
    }

    private TimeSpan LifeOf(TimeSpan? life)
    {
        var wanted = life ?? _dht.Options.RecordLife;
        return wanted > TimeSpan.Zero && wanted <= _dht.Options.RecordLifeMax ? wanted
            : throw new ArgumentOutOfRangeException(nameof(life), wanted, $"A record lives at most {_dht.Options.RecordLifeMax}.");
    }

    private static byte[] SaltOf(string salt)
    {
        ArgumentNullException.ThrowIfNull(salt);
        var bytes = System.Text.Encoding.UTF8.GetBytes(salt);
        return bytes.Length <= DhtRecord.SaltBytesMax ? bytes : throw new ArgumentException($"A salt has at most {DhtRecord.SaltBytesMax} bytes.", nameof(salt));
    }
}
