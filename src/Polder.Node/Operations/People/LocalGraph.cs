using Polder.Apps.Contacts;
using Polder.Apps.Graphs;
using Polder.Graph.Model;
using Polder.Graph.Sea;
using Polder.Graph.Shared;
using Polder.Graph.Sync;

namespace Polder.Node.Operations.People;

/// <summary>The graph of the running node in this process.</summary>
internal sealed class LocalGraph : IGraphOperations
{
    private const int RecentMax = 2000, ChangesMax = 500;

    private readonly LocalNode _local;
    private readonly GraphHub _hub;
    private readonly Polder.Overlay.NodeHost _host;
    private readonly Queue<(long Number, GraphWrite Write)> _recent = new();
    private TaskCompletionSource _changed = new();
    private long _number;

    public LocalGraph(PolderNode node, LocalNode local)
    {
        (_local, _hub, _host) = (local, node.Graph, node.Host);
        node.Host.Environment.Loop.Post(() => Graph.Changed += Note);
    }

    /// <summary>Where it is served, once it is.</summary>
    public string? Address { get; set; }

    private SharedGraph Graph => _hub.Graph;

    public Task<GraphStatusView> LookAsync(CancellationToken cancellation = default) => _local.OnLoopAsync(() =>
    {
        var counts = _hub.Counts;
        return new GraphStatusView(Address, _hub.PeerId, [.. _hub.Peers.Select(static peer => new GraphPeerView(peer.Link.Name, peer.PeerId, peer.Following, peer.MessagesIn, peer.MessagesOut))],
            Graph.Store.Bytes, Graph.Applied, Graph.Refused, Graph.Held, counts.Healed, counts.MessagesIn);
    }, cancellation);

    public Task<GraphSoulsView> SoulsAsync(string prefix = "", string? after = null, int count = 100, CancellationToken cancellation = default) => _local.OnLoopAsync(() =>
    {
        var (souls, more) = (new List<string>(), false);
        Graph.Store.WalkSouls(After(prefix, after), backwards: false, soul =>
        {
            if (!soul.StartsWith(prefix, StringComparison.Ordinal)) return false;
            more = souls.Count >= Bounded(count);
            if (!more) souls.Add(soul);
            return !more;
        });
        return new GraphSoulsView(souls, more);
    }, cancellation);

    public Task<GraphNodeView> NodeAsync(string soul, string? key = null, string? after = null, int count = 200, CancellationToken cancellation = default) =>
        _local.OnLoopAsync(() => Node(soul, key, after, Bounded(count)), cancellation);

    public Task<GraphNodeView> HistoryAsync(string soul, string key, CancellationToken cancellation = default) => _local.OnLoopAsync(async () =>
    {
        await Graph.FlushAsync();
        return new GraphNodeView(soul, OwnerOf(soul), [.. Graph.Store.History(soul, key).Select(entry => View(new GraphWrite(soul, key, entry.State, entry.Value)))], false);
    }, cancellation);

    public Task<GraphNodeView> PutAsync(GraphPutRequest request, CancellationToken cancellation = default) => _local.OnLoopAsync(async () =>
    {
        if (!GraphValue.TryParse(request.Value, out var value)) throw Bad("That is no value: null, true, false, a number, a text in quotes, or {\"#\":\"soul\"}.");
        if (request.Key.Length == 0 || request.Key == "_") throw Bad("A key is needed; \"_\" is none.");
        GraphReference place;
        if (request.Alias is null)
        {
            if (request.Soul.Length == 0) throw Bad("A soul is needed.");
            place = Graph[request.Soul];
        }
        else
        {
            var root = Graph.As(await OpenAsync(request.Alias, request.Passphrase));
            place = request.Soul.Length == 0 ? root : root[request.Soul];
        }
        try { await place.PutAsync(request.Key, value); }
        catch (InvalidOperationException refused) { throw Bad($"The write is refused: {refused.Message}{(SoulOwner.Of(request.Soul) is null ? "" : " This soul belongs to an account: write with --as ALIAS and the path in its graph.")}"); }
        return Node(place.Soul, request.Key, null, 1);
    }, cancellation);

    public Task<GraphEntriesView> EntriesAsync(string prefix = "", string? afterSoul = null, string? afterKey = null, int count = 1000, CancellationToken cancellation = default) => _local.OnLoopAsync(() =>
    {
        var (entries, more, limit) = (new List<GraphEntryView>(), false, Bounded(count));
        Graph.Store.WalkSouls(afterSoul ?? prefix, backwards: false, soul =>
        {
            if (!soul.StartsWith(prefix, StringComparison.Ordinal)) return false;
            Graph.Walk(soul, soul == afterSoul && afterKey is not null ? afterKey + '\0' : "", backwards: false, (key, entry) =>
            {
                more = entries.Count >= limit;
                if (!more) entries.Add(new GraphEntryView(soul, key, entry.State, entry.Value.ToJson()));
                return !more;
            });
            return !more;
        });
        return new GraphEntriesView(entries, more);
    }, cancellation);

    public Task<GraphMergeView> MergeAsync(IReadOnlyList<GraphEntryView> entries, CancellationToken cancellation = default) => _local.OnLoopAsync(async () =>
    {
        var writes = new List<GraphWrite>(entries.Count);
        foreach (var entry in entries)
        {
            if (entry.Soul.Length == 0 || entry.Key == "_" || !double.IsFinite(entry.State) || !GraphValue.TryParse(entry.Value, out var value)
                || Math.Max(entry.Soul.Length, entry.Key.Length) > Graph.Options.NameCharactersMax || value.Weight > Graph.Options.ValueCharactersMax)
                throw Bad($"An entry of \"{entry.Soul}\" is malformed: a soul, a key, a state and a value are needed.");
            writes.Add(new GraphWrite(entry.Soul, entry.Key, entry.State, value));
        }
        var refusedBefore = Graph.Refused;
        var done = new TaskCompletionSource<MergeResult>();
        Graph.Merge(writes, null, done.SetResult);
        var result = await done.Task;
        await Graph.FlushAsync();
        var refused = (int)(Graph.Refused - refusedBefore);
        return new GraphMergeView(result.Applied, Math.Max(0, writes.Count - result.Applied - refused), refused, result.Error);
    }, cancellation);

    public Task<GraphChangesView> ChangesAsync(string prefix, long seen, CancellationToken cancellation = default) => _local.OnLoopAsync(async () =>
    {
        while (true)
        {
            if (seen < 0) return new GraphChangesView(_number, []);
            var changes = _recent.Where(change => change.Number > seen && change.Write.Soul.StartsWith(prefix, StringComparison.Ordinal)).Take(ChangesMax).ToList();
            if (changes.Count > 0) return new GraphChangesView(changes.Count == ChangesMax ? changes[^1].Number : _number, [.. changes.Select(static change => new GraphChangeView(change.Write.Soul, View(change.Write)))]);
            await _changed.Task.WaitAsync(cancellation);
        }
    }, cancellation);

    public Task<GraphAccountView> CreateAccountAsync(GraphAccountRequest request, CancellationToken cancellation = default) => _local.OnLoopAsync(async () =>
    {
        try
        {
            var pair = await Account.CreateAsync(Graph, request.Alias, request.Passphrase);
            return new GraphAccountView(request.Alias, pair.Pub, "~" + pair.Pub);
        }
        catch (ArgumentException problem) { throw Bad(problem.Message); }
    }, cancellation);

    public Task<GraphAccountView> OpenAccountAsync(GraphAccountRequest request, CancellationToken cancellation = default) => _local.OnLoopAsync(async () =>
    {
        var pair = await OpenAsync(request.Alias, request.Passphrase);
        try { if (request.NewPassphrase is { } changed) await Account.ChangePassphraseAsync(Graph, pair, changed); }
        catch (ArgumentException problem) { throw Bad(problem.Message); }
        return new GraphAccountView(request.Alias, pair.Pub, "~" + pair.Pub);
    }, cancellation);

    public Task<GraphTopicsView> TopicsAsync(CancellationToken cancellation = default) => _local.OnLoopAsync(Topics, cancellation);

    public Task<GraphTopicsView> ChangeTopicAsync(GraphTopicRequest request, CancellationToken cancellation = default) => _local.OnLoopAsync(() =>
    {
        if (request.Leave && !Share.Leave(request.Topic)) throw new OperationRefusedException(RefusalKind.NotFound, $"The topic \"{request.Topic}\" is not kept here. See polder graph topics.");
        if (!request.Leave && Share.Follow(request.Topic) is { } problem) throw Bad(problem);
        return Topics();
    }, cancellation);

    public Task<GraphCopiesView> CopiesAsync(string soul, string key, int? peers = null, string? contact = null, TimeSpan wait = default, CancellationToken cancellation = default) => _local.OnLoopAsync(async () =>
    {
        if (Graph.Find(soul, key) is null) throw new OperationRefusedException(RefusalKind.NotFound, $"There is nothing at {soul} under \"{key}\".");
        bool? met = null;
        if (contact is not null) met = await Share.WhenConfirmedByAsync(soul, key, ContactViews.Choose(_host.Find<ContactBook>()!.FindByName(contact), contact).Key, wait, cancellation);
        else if (peers is { } wanted) met = await Share.WhenOnAsync(soul, key, wanted, wait, cancellation);
        return new GraphCopiesView([.. Share.TopicsOf(soul)], [.. Share.HoldersOf(soul, key).Select(holder => Holder(new SharedTopicPeer(holder, _host.Sessions.Find(holder) is not null, true)))], met);
    }, cancellation);

    public Task<GraphSharesView> MakeSharesAsync(GraphSharesRequest request, CancellationToken cancellation = default) => _local.OnLoopAsync(async () =>
    {
        if (request.Needed < 2 || request.Needed > request.Count || request.Count > Recovery.SharesMax)
            throw Bad($"At least 2 shares are needed, no more than are made, and at most {Recovery.SharesMax} are made: for example --need 3 --of 5.");
        var pair = await OpenAsync(request.Alias, request.Passphrase);
        return new GraphSharesView(request.Needed, await Recovery.CreateAsync(Graph, pair, request.Needed, request.Count));
    }, cancellation);

    public Task<GraphAccountView> RecoverAsync(GraphRecoveryRequest request, CancellationToken cancellation = default) => _local.OnLoopAsync(async () =>
    {
        var pub = OnlyAccount(request.Alias);
        if (Recovery.Open(Graph, pub, request.Shares, out var problem) is not { } pair) throw Bad(problem!);
        try { await Account.ChangePassphraseAsync(Graph, pair, request.NewPassphrase); }
        catch (ArgumentException bad) { throw Bad(bad.Message); }
        return new GraphAccountView(Graph.As(pair).Get("alias")?.AsText ?? request.Alias, pair.Pub, "~" + pair.Pub);
    }, cancellation);

    public Task<GraphKnownKeysView> TrustAsync(GraphTrustRequest request, CancellationToken cancellation = default) => _local.OnLoopAsync(async () =>
    {
        var pair = await OpenAsync(request.Alias, request.Passphrase);
        var (web, pub) = (new TrustWeb(Graph, pair.Pub), request.PublicKey.TrimStart('~'));
        try { await (request.Name is { } name ? web.SayAsync(pair, pub, name) : web.WithdrawAsync(pair, pub)); }
        catch (ArgumentException problem) { throw Bad(problem.Message); }
        return request.Name is { } said ? Known(web, said) : new GraphKnownKeysView([]);
    }, cancellation);

    public Task<GraphKnownKeysView> FindKeyAsync(string alias, string name, CancellationToken cancellation = default) =>
        _local.OnLoopAsync(() => Known(new TrustWeb(Graph, OnlyAccount(alias)), name), cancellation);

    private GraphShare Share => _host.Find<GraphShare>()!;

    private static GraphKnownKeysView Known(TrustWeb web, string name) => new([.. web.Find(name).Select(static key => new GraphKnownKeyView(key.Pub, key.Distance, key.Introducers))]);

    private GraphTopicsView Topics() => new([.. Share.Look().Select(topic => new GraphTopicView(
        topic.Name, topic.Souls, topic.Entries, topic.IsTooLarge ? "too large" : topic.IsRead ? "ready" : "reading", [.. topic.Peers.Select(Holder)]))]);

    private GraphHolderView Holder(SharedTopicPeer peer) =>
        new(peer.Key.ToString(), _host.Find<ContactBook>()?.Find(peer.Key) is { Blocked: false } card ? card.Name : null, peer.IsConnected, peer.WasLevel);

    private string OnlyAccount(string alias)
    {
        if (alias.StartsWith('~') && alias.Length > 1 && alias[1] != '@') return alias[1..];
        var links = Graph["~@" + alias].GetAll(3).Where(static link => link.Value.AsLink is ['~', not '@', ..]).ToList();
        return links.Count switch
        {
            1 => links[0].Value.AsLink![1..],
            0 => throw new OperationRefusedException(RefusalKind.NotFound, $"No account \"{alias}\" is known here. Keep it first: polder graph follow ~@{alias}"),
            _ => throw Bad($"Several accounts are called \"{alias}\". Say which: \"~\" and the public key, as in polder graph get ~@{alias}"),
        };
    }

    private async Task<SeaPair> OpenAsync(string alias, string? passphrase) =>
        await Account.LogInAsync(Graph, alias, passphrase ?? "")
        ?? throw new OperationRefusedException(RefusalKind.NotFound, Graph["~@" + alias].GetAll(1).Count == 0
            ? $"No account \"{alias}\" is known here. Make one (polder graph account create {alias}), or fetch it from a node that has it."
            : $"The passphrase opens no account \"{alias}\".");

    private GraphNodeView Node(string soul, string? key, string? after, int count)
    {
        var (keys, more) = (new List<GraphKeyView>(), false);
        if (key is not null)
        {
            if (Graph.Find(soul, key) is { } entry) keys.Add(View(new GraphWrite(soul, key, entry.State, entry.Value)));
        }
        else
        {
            Graph.Walk(soul, after is null ? "" : after + '\0', backwards: false, (name, entry) =>
            {
                more = keys.Count >= count;
                if (!more) keys.Add(View(new GraphWrite(soul, name, entry.State, entry.Value)));
                return !more;
            });
        }
        return new GraphNodeView(soul, OwnerOf(soul), keys, more);
    }

    private static GraphKeyView View(in GraphWrite write)
    {
        var signed = OwnerOf(write.Soul) is null ? null : SignedValue.Read(write);
        var value = signed?.Value ?? write.Value;
        return new GraphKeyView(write.Key, write.State, value.ToJson(), value.AsLink, signed is null ? null : signed.Writer ?? OwnerOf(write.Soul));
    }

    private static string? OwnerOf(string soul) => soul.StartsWith("~@", StringComparison.Ordinal) ? null : SoulOwner.Of(soul);

    private void Note(GraphWrite write)
    {
        _recent.Enqueue((++_number, write));
        if (_recent.Count > RecentMax) _recent.Dequeue();
        if (_changed.Task.IsCompleted) return;
        var told = _changed;
        _changed = new TaskCompletionSource();
        told.TrySetResult();
    }

    private static string After(string prefix, string? after) => after is null ? prefix : after + '\0';

    private static int Bounded(int count) => Math.Clamp(count, 1, IGraphOperations.CountMax);

    private static OperationRefusedException Bad(string words) => new(RefusalKind.BadInput, words);
}
