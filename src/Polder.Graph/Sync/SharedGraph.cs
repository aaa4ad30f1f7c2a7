using Polder.Graph.Merge;
using Polder.Graph.Model;
using Polder.Graph.Sea;
using Polder.Graph.Store;

namespace Polder.Graph.Sync;

/// <summary>What became of a message's writes.</summary>
/// <param name="Error">Why one of them was refused; the others count nevertheless.</param>
/// <param name="Applied">Writes that changed something.</param>
/// <param name="Held">Writes from the future that wait for their time.</param>
internal readonly record struct MergeResult(string? Error, int Applied, int Held);

/// <summary>
/// The graph of a node: every write, answer and held write goes through one merge (firewall, then <see cref="Ham"/>) into the store.
/// Lives on the loop; signatures are checked by workers meanwhile.
/// </summary>
public sealed class SharedGraph : IDisposable
{
    private const int ClaimsMax = 20_000, CountedNodesMax = 4096;
    private const string Busy = "Too many signatures to check at once; try again.", Full = "The store is full.", TooFar = "The state lies too far in the future.",
        TooManyHeld = "Too many writes from the future.", NodeFull = "The node has too many keys.", BlockedWriter = "The writer is blocked.";

    private readonly HeldWrites _held;
    private readonly Dictionary<string, int> _keyCounts = new(StringComparer.Ordinal);
    private readonly Expiry _expiry;
    private readonly GuestRoom _guests;
    private readonly long _started;
    private int _claims;

    /// <summary>A graph over a store; writes held before are taken up again.</summary>
    public SharedGraph(GraphEnvironment environment, IGraphStore store, GraphOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(environment);
        (Environment, Store, Options) = (environment, store ?? throw new ArgumentNullException(nameof(store)), options ?? new GraphOptions());
        Clock = new StateClock(environment.Time);
        _held = new HeldWrites(environment.Time, Clock, Options, store, Ripen);
        _started = environment.Time.GetTimestamp();
        _guests = new GuestRoom(store, Options, Remove);
        _expiry = new Expiry(environment.Time, Clock, store, Remove);
    }

    /// <summary>The limits.</summary>
    public GraphOptions Options { get; }

    /// <summary>Gives out the states of our own writes.</summary>
    public StateClock Clock { get; }

    internal GraphEnvironment Environment { get; }
    internal IGraphStore Store { get; }

    /// <summary>Told on the loop about every write that changed something, whoever wrote it.</summary>
    public event Action<GraphWrite>? Changed;

    /// <summary>The same, with what stood there before.</summary>
    internal event Action<GraphWrite, GraphEntry?>? Replaced;

    /// <summary>Told about entries that left the store without a successor: they had expired, or room was needed.</summary>
    internal event Action<GraphWrite>? Removed;

    /// <summary>Writes since the start that changed something.</summary>
    public long Applied { get; private set; }

    /// <summary>Writes since the start that were refused.</summary>
    public long Refused { get; private set; }

    /// <summary>Others' entries that had to go since the start, because room was needed.</summary>
    public long Evicted => _guests.Evicted;

    /// <summary>Writes from the future that wait.</summary>
    public int Held => _held.Count;

    /// <summary>The node of that soul.</summary>
    public GraphReference this[string soul] => new(this, soul ?? throw new ArgumentNullException(nameof(soul)), author: null);

    /// <summary>The graph of a user, whose writes are signed with this pair: <c>graph.As(pair)["profile"]</c> is "~pub/profile".</summary>
    public GraphReference As(SeaPair author) => new(this, "~" + (author ?? throw new ArgumentNullException(nameof(author))).Pub, author);

    /// <summary>The entry of one key, or null; what has expired is not there.</summary>
    public GraphEntry? Find(string soul, string key) => Store.Find(soul, key) is { } entry && !IsExpired(soul, entry) ? entry : null;

    /// <summary>Walks the keys of a node in text order until <paramref name="take"/> says false; see <see cref="IGraphStore.Walk"/>.</summary>
    public void Walk(string soul, string from, bool backwards, Func<string, GraphEntry, bool> take) =>
        Store.Walk(soul, from, backwards, (key, entry) => IsExpired(soul, entry) || take(key, entry));

    /// <summary>
    /// Merges writes: each on its own, so that one that is refused does not hold up the others. <paramref name="done"/> is called on the
    /// loop, at once where no signature is to be checked. It does not wait for the store: see <see cref="FlushAsync"/>.
    /// </summary>
    /// <param name="writes">What comes in.</param>
    /// <param name="origin">The connection it came from, for what is held for each; null for our own.</param>
    /// <param name="done">Told the result.</param>
    /// <param name="signedBy">Whose graph may be written without looking at signatures, since we made them just now; null for what comes in.</param>
    internal void Merge(IReadOnlyList<GraphWrite> writes, object? origin, Action<MergeResult> done, string? signedBy = null)
    {
        var tally = new Tally();
        List<SignatureClaim>? claims = null;
        var milliseconds = Clock.Milliseconds;
        foreach (var write in writes)
        {
            var before = Store.Find(write.Soul, write.Key);
            var decision = Ham.Decide(Clock.Present, before, write.Entry);
            var isHistory = decision == HamDecision.Keep && before is { } kept && write.State < kept.State && KeepsHistory(write.Soul);
            if (decision == HamDecision.Keep && !isHistory) continue;
            if (decision == HamDecision.Defer)
            {
                if (write.State - milliseconds > Options.Horizon.TotalMilliseconds) tally.Refuse(TooFar);
                else if (_held.TryHold(write, origin)) tally.Held++;
                else tally.Refuse(TooManyHeld);
                continue;
            }
            switch (Firewall.Check(write, milliseconds, out var error, out var claim))
            {
                case FirewallVerdict.Accepted when isHistory: Store.Archive(write); break;
                case FirewallVerdict.Accepted: Apply(write, before, origin, tally); break;
                case FirewallVerdict.Refused: tally.Refuse(error!); break;
                case FirewallVerdict.Claimed when signedBy is not null && claim!.Owner == signedBy && claim.CertificateOfWriter is null: Apply(write, before, origin, tally); break;
                case FirewallVerdict.Claimed: (claims ??= []).Add(claim!); break;
            }
        }
        if (claims is null) Finish();
        else if (_claims + claims.Count > ClaimsMax)
        {
            tally.Refuse(Busy);
            Finish();
        }
        else _ = VerifyAsync(claims);

        void Finish()
        {
            Refused += tally.Refused;
            done(tally.Result);
        }

        async Task VerifyAsync(List<SignatureClaim> claimed)
        {
            _claims += claimed.Count;
            string?[] errors;
            try { errors = await Environment.Workers.RunAsync(() => claimed.ConvertAll(static claim => claim.Verify()).ToArray()); }
            finally { _claims -= claimed.Count; }
            for (var i = 0; i < claimed.Count; i++)
            {
                var error = errors[i] ?? (IsBlocked(claimed[i]) ? BlockedWriter : null);
                if (error is not null) tally.Refuse(error);
                // Another write may have come meanwhile.
                else if (Store.Find(claimed[i].Write.Soul, claimed[i].Write.Key) is var present && Ham.Wins(present, claimed[i].Write.Entry)) Apply(claimed[i].Write, present, origin, tally);
                else if (KeepsHistory(claimed[i].Write.Soul)) Store.Archive(claimed[i].Write);
            }
            Finish();
        }
    }

    /// <summary>Completes on the loop when everything merged before is durable.</summary>
    public Task FlushAsync() => Store.FlushAsync();

    /// <summary>Stops the timers. What is held stays in the store.</summary>
    public void Dispose()
    {
        _held.Dispose();
        _expiry.Dispose();
    }

    private void Apply(in GraphWrite write, GraphEntry? before, object? origin, Tally tally)
    {
        var rank = origin is IGraphOrigin { IsGuest: true } guest ? guest.IsTrusted ? GraphRank.Contact : GraphRank.Stranger : GraphRank.Own;
        if (rank != GraphRank.Own && _guests.Refuse(write, rank, Environment.Time.GetElapsedTime(_started)) is { } refusal)
        {
            tally.Refuse(refusal);
            return;
        }
        if (origin is not null && Store.Bytes + write.Weight > Options.StoreBytesMax)
        {
            tally.Refuse(Full);
            return;
        }
        if (before is null && !CountKey(write.Soul))
        {
            tally.Refuse(NodeFull);
            return;
        }
        if (before is { } older && KeepsHistory(write.Soul)) Store.Archive(new GraphWrite(write.Soul, write.Key, older.State, older.Value));
        Store.Write(write, rank);
        _expiry.Note(write);
        tally.Applied++;
        Applied++;
        Changed?.Invoke(write);
        Replaced?.Invoke(write, before);
    }

    private bool KeepsHistory(string soul)
    {
        foreach (var topic in Options.HistoryOf)
            if (Exchange.TopicName.Has(topic, soul)) return true;
        return false;
    }

    /// <summary>Takes an entry out of the store.</summary>
    private void Remove(string soul, string key)
    {
        if (Store.Find(soul, key) is not { } entry) return;
        Store.Remove(soul, key);
        _keyCounts.Remove(soul);
        Removed?.Invoke(new GraphWrite(soul, key, entry.State, entry.Value));
    }

    private bool CountKey(string soul)
    {
        if (!_keyCounts.TryGetValue(soul, out var count))
        {
            if (_keyCounts.Count >= CountedNodesMax) _keyCounts.Clear();
            count = Store.CountKeys(soul);
        }
        if (count >= Options.NodeKeysMax) return false;
        _keyCounts[soul] = count + 1;
        return true;
    }

    private bool IsBlocked(SignatureClaim claim) =>
        claim.BlockSoul is { } soul && Find(soul, claim.Signed.Writer!) is { } entry
        && SignedValue.Read(new GraphWrite(soul, claim.Signed.Writer!, entry.State, entry.Value)) is { } signed
        && (signed.Value.AsBoolean == true || signed.Value.AsNumber == 1);

    private bool IsExpired(string soul, in GraphEntry entry) => Firewall.Lifetime(soul) is { } seconds && entry.State + seconds * 1000 < Clock.Milliseconds;

    private void Ripen(HeldWrite held) => Merge([held.Write], held.Origin, result =>
    {
        if (held.Ripe is { } told) told(result);
    });

    /// <summary>Told when a held write of this origin has ripened and is durable.</summary>
    internal void WhenRipe(IReadOnlyList<GraphWrite> writes, Action<MergeResult> ripe) => _held.WhenRipe(writes, ripe);

    private sealed class Tally
    {
        public int Applied, Held, Refused;
        private string? _error;

        public MergeResult Result => new(_error, Applied, Held);

        public void Refuse(string error)
        {
            _error ??= error;
            Refused++;
        }
    }
}
