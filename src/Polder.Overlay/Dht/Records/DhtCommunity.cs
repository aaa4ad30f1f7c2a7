using Polder.Cryptography;
using Polder.Identity;
using Polder.Net;
using Polder.Overlay.Dht.Records;
using Polder.Runtime;
using Polder.Wire;

namespace Polder.Overlay.Dht;

/// <summary>
/// Our own DHT (specification §10): what it answers, whom it knows, and the questions of its searches. What people and other parts of
/// the node want from it is in <see cref="Service"/>.
/// </summary>
public sealed class DhtCommunity : Community
{
    private const double ChecksPerSecond = 5, ChecksBurst = 20;
    private const int PaddedFindBytes = 400 - Packet.SignedBytesMin, FindBytes = 38;

    private readonly DhtAnswers _answers;
    private readonly Questions _questions;
    private readonly RoundTrips _roundTrips = new();
    private readonly Queue<Search> _waiting = new();
    private readonly Upkeep _upkeep;
    private IDhtStore? _store;
    private TokenBucket _checks;
    private int _searching;

    /// <summary>The 20 bytes that its packets begin with.</summary>
    public static CommunityId Id { get; } = CommunityId.FromName("polder/dht/1"u8);

    /// <summary>Joins our DHT, with <see cref="OverlayOptions.Dht"/>, and offers <see cref="DhtService"/> to the node.</summary>
    public DhtCommunity(CommunityContext context) : base(Id, context)
    {
        ArgumentNullException.ThrowIfNull(context);
        Options = context.Options.Dht;
        var all = context.Options;
        Table = new ContactTable(Identity.Public.NodeId, Options, (all.NarrowPrefixIPv4, all.NarrowPrefixIPv6, all.WidePrefixIPv4, all.WidePrefixIPv6));
        _answers = new DhtAnswers(this, Host);
        Rates = new QuestionRates(Host.Hash, Options.QuestionsPerPeer);
        _questions = new Questions(Host, OnLate, OnEnded);
        _upkeep = new Upkeep(this);
        Service = new DhtService(this);
        Host.Offer(Service);
        On<Find>(_answers.OnFind);
        On<Found>(OnFound);
        On<Store>(_answers.OnStore);
        On<Stored>(OnStored);
        Every(Options.Tick, _upkeep.StepAsync);
    }

    /// <summary>Searching, storing, and what there is to see.</summary>
    public DhtService Service { get; }

    internal DhtOptions Options { get; }
    internal ContactTable Table { get; }
    internal DhtCounters Counters { get; } = new();
    internal NetworkSize Size { get; } = new();
    internal QuestionRates Rates { get; }
    internal RoundTrips RoundTrips => _roundTrips;
    internal Upkeep Upkeep => _upkeep;
    internal IDhtStore Held => _store ??= Host.Find<IDhtStore>() ?? new MemoryDhtStore(Table.Own, Options);
    internal bool HoldsNothing => _store is null || _store.Count == 0;
    internal NodeEnvironment World => Environment;
    internal KeyPair Self => Identity;
    internal TimeSpan Time => Now;
    internal CancellationToken Ending => Leaving;
    internal NodeHost Node => Host;
    internal int Seconds => (int)Now.TotalSeconds;

    /// <summary>Behind a NAT that lets nobody in, or none at all: looks up, and is in nobody's table (OV-10.6).</summary>
    internal bool IsClient => Host.Nat.Class is Nat.NatClass.Sequential or Nat.NatClass.Random or Nat.NatClass.Pool or Nat.NatClass.Blocked;

    internal bool IsYoung => Now < Options.ClientFor;

    /// <inheritdoc/>
    protected internal override bool InSessionsOnly => Options.InSessionsOnly && Host.Options.Sessions.Enabled;

    /// <inheritdoc/>
    protected override void Start()
    {
        _upkeep.Start();
        Leaving.Register(_questions.End);
    }

    /// <inheritdoc/>
    protected internal override void OnIntroduced(Peer peer)
    {
        ArgumentNullException.ThrowIfNull(peer);
        // An answer to a question of ours is what opens the table (OV-10.5).
        if (!Table.Contains(peer.Key)) Check(peer.Key, peer.Address);
    }

    // ---- Searching ----

    /// <summary>Searches; completes on the loop. Cancelled when the community is left.</summary>
    internal Task<Lookup> SearchAsync(in Hash256 target, LookupGoal goal, int paths)
    {
        var search = new Search(new Lookup(target, goal, paths, Options));
        if (_searching >= Options.SearchesMax) _waiting.Enqueue(search);
        else Begin(search);
        return search.Done.Task;
    }

    private void Begin(Search search)
    {
        _searching++;
        var lookup = search.Lookup;
        Span<TableEntry> known = new TableEntry[Math.Min(Table.Count, Math.Max(Options.BucketWidth, 2 * lookup.Paths))];
        var count = Table.Closest(lookup.Target, known);
        lookup.Start(known[..count]);
        Table.Used(lookup.Target, Seconds);
        Counters.Searches++;
        Go(search);
    }

    private void Go(Search search)
    {
        if (search.IsOver) return;
        var lookup = search.Lookup;
        while (lookup.Next() is { } node) Ask(search, node);
        // With nothing found yet, who is late is waited for: a newcomer may know but one, and that one may be slow.
        if (!lookup.IsSatisfied && !(lookup.IsExhausted && (lookup.LatePending == 0 || lookup.HasEnough))) return;
        search.IsOver = true;
        _searching--;
        lookup.Conclude();
        if (lookup.PathsDisagree) Counters.PathsDisagreed++;
        if (lookup.Contradiction is not null) Counters.Contradictions++;
        Environment.Loop.Post(() => search.Done.TrySetResult(lookup));
        if (_waiting.TryDequeue(out var next)) Begin(next);
    }

    private void Ask(Search search, LookupNode node)
    {
        var flags = FindFlags.Contacts | (search.Lookup.Goal == LookupGoal.Nodes ? FindFlags.None : FindFlags.Records);
        Ask(node.Key, node.Address, search.Lookup.Target, flags, 0, search, node, null);
    }

    /// <summary>Asks one node, outside a search; null when it does not answer in time.</summary>
    internal Task<Found?> AskAsync(PublicKey key, Endpoint address, in Hash256 target, FindFlags flags, byte skip = 0)
    {
        var waiter = new TaskCompletionSource<Found?>();
        Ask(key, address, target, flags, skip, null, null, waiter);
        return waiter.Task;
    }

    private void Ask(PublicKey key, Endpoint address, in Hash256 target, FindFlags flags, byte skip, Search? search, LookupNode? node, TaskCompletionSource<Found?>? waiter)
    {
        var question = Open(key, address, search, node, waiter, null);
        if (IsClient) flags |= FindFlags.Client;
        if (IsYoung) flags |= FindFlags.Young;
        // Where a session proves the sender's address, an answer may be as long as it likes.
        var padding = !InSessionsOnly && (flags & (FindFlags.Contacts | FindFlags.Records)) != 0 ? PaddedFindBytes - FindBytes : 0;
        Counters.Asked++;
        SendAt(key, address, new Find(question.Nonce, target, flags, skip, padding));
    }

    /// <summary>Asks a node to keep a record; null when it does not answer.</summary>
    internal Task<StoreVerdict?> StoreAtAsync(PublicKey key, Endpoint address, ulong token, DhtRecord record, uint remaining, bool isCache)
    {
        var waiter = new TaskCompletionSource<StoreVerdict?>();
        var question = Open(key, address, null, null, null, waiter);
        Counters.StoresAsked++;
        SendAt(key, address, new Store(question.Nonce, token, isCache, remaining, record.Memory));
        return waiter.Task;
    }

    private OpenQuestion Open(
        PublicKey key, Endpoint address, Search? search, LookupNode? node, TaskCompletionSource<Found?>? found, TaskCompletionSource<StoreVerdict?>? stored)
    {
        var now = Now;
        var question = new OpenQuestion(_questions.NewNonce(), key, address, now, now + PatienceWith(key), now + Options.AnswerTime)
        {
            Search = search, Node = node, FoundWaiter = found, StoredWaiter = stored,
        };
        _questions.Add(question);
        return question;
    }

    /// <summary>srtt + 4 rttvar of that node, else what 95 of 100 need; never less than 150 ms nor more than 1 s.</summary>
    private TimeSpan PatienceWith(PublicKey key)
    {
        var milliseconds = Table.TryGet(key, out var entry) ? entry.RoundTrip + 4 * entry.Variation : _roundTrips.High;
        var patience = milliseconds == 0 ? Options.PatienceMax : TimeSpan.FromMilliseconds(milliseconds);
        return patience < Options.PatienceMin ? Options.PatienceMin : patience > Options.PatienceMax ? Options.PatienceMax : patience;
    }

    private void OnLate(OpenQuestion question)
    {
        if (question.Search is not { IsOver: false } search) return;
        search.Lookup.BecameLate(question.Node!);
        Go(search);
    }

    private void OnEnded(OpenQuestion question)
    {
        Counters.Unanswered++;
        Table.Failed(question.Key);
        question.FoundWaiter?.TrySetResult(null);
        question.StoredWaiter?.TrySetResult(null);
        if (question.Search is not { IsOver: false } search) return;
        search.Lookup.Failed(question.Node!);
        Go(search);
    }

    private void OnFound(Peer peer, Found found)
    {
        if (_questions.Close(found.Nonce, peer.Key) is not { } question)
        {
            Host.Counters.Count(Refusal.Unasked);
            return;
        }
        var now = Now;
        var roundTrip = now - question.SentAt;
        _roundTrips.Add(roundTrip);
        Counters.Answered++;
        Take(question.Key, question.Address, roundTrip, found);
        if (question.FoundWaiter is { } waiter)
        {
            Environment.Loop.Post(() => waiter.TrySetResult(found));
            return;
        }
        if (question.Search is not { IsOver: false } search) return;
        var lookup = search.Lookup;
        var node = question.Node!;
        (node.Total, node.Given) = (found.Total, (byte)Math.Min(found.Records.Length, byte.MaxValue));
        lookup.Answered(node, found.Token, found.Flags.HasFlag(FindFlags.Client), Verified(lookup.Target, found));
        ReadContacts(lookup, node, found);
        Go(search);
    }

    /// <summary>Whoever answered is taken into the table, unless it does not want to be there or has not paid.</summary>
    private void Take(PublicKey key, Endpoint address, TimeSpan roundTrip, in Found found)
    {
        var isYoung = found.Flags.HasFlag(FindFlags.Young) && Table.Count >= Options.YoungTakenBelow;
        if (found.Flags.HasFlag(FindFlags.Client) || isYoung)
        {
            if (!isYoung) Table.Remove(key);
            return;
        }
        if (!Puzzle.HoldsForEver(key.NodeId, Options.StaticPuzzleBits)
            || !Puzzle.HoldsThisWeek(key.NodeId, found.Puzzle, Puzzle.WeekOf(Environment.Time.GetUtcNow()), Options.WeeklyPuzzleBits))
        {
            Counters.PuzzlesUnsolved++;
            return;
        }
        if (Table.Answered(key, address, roundTrip, Seconds)) _upkeep.Admitted(key, address);
    }

    /// <summary>Records of an answer that are what their key says and still live (OV-10.2).</summary>
    internal IReadOnlyList<(DhtRecord Record, uint Remaining)> Verified(in Hash256 target, in Found found)
    {
        if (found.Records.Length == 0) return [];
        var good = new List<(DhtRecord, uint)>(found.Records.Length);
        foreach (var (remaining, bytes) in found.Records)
        {
            if (remaining > 0 && DhtRecord.TryRead(bytes, Host.Options.Network, Environment.Signatures, out var record, KnownKey)
                && record.Key == target && IsTimely(record)) good.Add((record, remaining));
            else Counters.BadRecords++;
        }
        return good;
    }

    /// <summary>By its publisher's clock it may be over since a day, not longer (OV-4.7).</summary>
    internal bool IsTimely(DhtRecord record)
    {
        if (record.Publisher is null) return true;
        var now = (ulong)Math.Max(0, Environment.Time.GetUtcNow().ToUnixTimeSeconds());
        var slack = (ulong)TimeSpan.FromHours(24).TotalSeconds;
        return record.ExpiryUnixSeconds + slack >= now && record.ExpiryUnixSeconds <= now + slack + (ulong)Options.RecordLifeMax.TotalSeconds;
    }

    private void ReadContacts(Lookup lookup, LookupNode teller, in Found found)
    {
        var reader = new WireReader(found.Contacts);
        Span<byte> whole = stackalloc byte[KeyFormat.Bytes];
        KeyFormat.PublicTag.CopyTo(whole);
        var taken = new InlineNetworks();
        for (var i = 0; i < found.ContactCount; i++)
        {
            var address = reader.ReadAddress();
            reader.ReadBytes(Contact.KeyBytes).CopyTo(whole[KeyFormat.TagBytes..]);
            if (!Host.MayWalkTo(address) || whole.SequenceEqual(Identity.Public.Bytes)) continue;
            if (!taken.TryTake(Table.Narrow(address), Options.PerNarrowPrefixInAnswer)) continue;
            var key = KeyOf(whole);
            if (key is null || !Puzzle.HoldsForEver(key.NodeId, Options.StaticPuzzleBits)) continue;
            var known = Table.TryGet(key, out var entry);
            // Where it answered us is better than where others say.
            lookup.Add(key, known ? entry.Address : address, (byte)(1 << teller.AskedBy), known ? entry.RoundTrip : (ushort)0);
        }
    }

    internal PublicKey? KnownKey(ReadOnlySpan<byte> key) => KeyOf(key);

    private PublicKey? KeyOf(ReadOnlySpan<byte> key)
    {
        if (Host.Peers.Find(key) is { } peer) return peer.Key;
        return Host.Environment.TryParseKey(key, out var made) ? made : null;
    }

    // ---- Answers ----

    internal StoreVerdict Keep(DhtRecord record, uint remaining, PublicKey? writer, Endpoint address, bool isCache)
    {
        var max = isCache ? Options.CacheLifeMax : record.Kind == RecordKind.Contact ? Options.ContactLife : Options.RecordLifeMax;
        var life = TimeSpan.FromSeconds(Math.Min(remaining, (uint)max.TotalSeconds));
        return Held.Put(new HeldRecord(record, Now + life, writer, Table.Narrow(address), isCache), Now);
    }

    private void OnStored(Peer peer, Stored stored)
    {
        if (_questions.Close(stored.Nonce, peer.Key) is not { StoredWaiter: { } waiter }) return;
        Counters.Answered++;
        Environment.Loop.Post(() => waiter.TrySetResult(stored.Verdict));
    }

    // ---- Sending ----

    /// <summary>Asks a node whether it is there, if the rate allows; its answer puts it into the table.</summary>
    internal void Check(PublicKey key, Endpoint address)
    {
        if (!Host.MayWalkTo(address) || !_checks.TryTake(Now, ChecksPerSecond, ChecksBurst)) return;
        Ask(key, address, Table.Own, FindFlags.None, 0, null, null, null);
    }

    /// <summary>To somebody whose address is proved by the question that came, or by its place in our table.</summary>
    internal void Tell<T>(Peer peer, T message) where T : struct, IMessage<T>
    {
        var isProved = Table.TryGet(peer.Key, out var entry) && entry.Address == peer.Address;
        if (isProved) SendAt(peer.Key, peer.Address, message);
        else Send(peer, message);
    }
}
