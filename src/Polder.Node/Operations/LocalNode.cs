using Polder.Apps.Contacts;
using Polder.Identity;
using Polder.Ledger;
using Polder.Ledger.Blocks;
using Polder.Ledger.Records;
using Polder.Net;
using Polder.Node.Folders;
using Polder.Overlay;

namespace Polder.Node.Operations;

/// <summary>A running node in this process. Hops onto the node's loop for every question; may be called from any thread.</summary>
internal sealed class LocalNode : INodeOperations, IDisposable
{
    private const int ImportedPerTurn = 50;
    private const int AskedForChainMax = 3;
    private const int AnsweredTogetherMax = 1000;
    private static readonly TimeSpan PulseInterval = TimeSpan.FromSeconds(2);

    private readonly PolderNode _node;
    private readonly NodeHost _host;
    private readonly TrustChainCommunity _ledger;
    private readonly LedgerViews _views;
    private readonly LocalWatch _watch;
    private readonly TrustViews _trust;
    private readonly NameIndex _names;
    private readonly CancellationTokenSource _stopping = new();
    private readonly ITimer _pulse;
    private readonly Lock _changeGate = new();
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _version = 1, _receivedAtPulse;

    /// <summary>On the node's loop.</summary>
    public LocalNode(PolderNode node)
    {
        (_node, _host, _ledger) = (node, node.Host, node.Ledger);
        _views = new LedgerViews(_ledger.Store, _ledger.Validator);
        _trust = new TrustViews(_ledger.Store, node.Records.Graphs, node.Identity, _views.Fraud, _host.Environment.Time,
            key => _host.Find<ContactBook>()?.Degree(key) is >= 1 and var degree ? degree : null);
        _names = new NameIndex(_ledger.Store);
        Network = new LocalNetwork(node, this);
        Chat = new LocalChat(node, this);
        Contacts = new LocalContacts(node, this);
        _watch = new LocalWatch(node, this);
        Ledger = new LocalLedger(node, this, new LedgerFigures(_ledger.Store, _views, _names));
        if (_host.Find<Apps.Bundles.Mailbag>() is { } mail) mail.StateChanged += _ => Change();
        _ledger.Changed += Change;
        _host.Peers.Added += _ => Change();
        _host.Peers.Removed += _ => Change();
        // Round trips and "heard seconds ago" change with every datagram: shown every other second at most.
        _pulse = _host.Environment.Time.CreateTimer(_ => Pulse(), null, PulseInterval, PulseInterval);
    }

    public Task<IdentityView> IdentityAsync(CancellationToken cancellation = default) => Task.FromResult(Identity(_node.Identity));

    public Task<StatusView> StatusAsync(CancellationToken cancellation = default) => OnLoopAsync(Status, cancellation);

    public Task<IReadOnlyList<PeerView>> PeersAsync(CancellationToken cancellation = default) => OnLoopAsync<IReadOnlyList<PeerView>>(() =>
    {
        var now = _host.Now;
        var known = _host.Peers.All.OrderByDescending(peer => peer.IsValidated).ThenByDescending(peer => peer.LastIn ?? TimeSpan.MinValue).ThenBy(peer => peer.Key);
        var heard = _host.AddressesHeard.Order().Select(address => new PeerView(null, null, [address.ToString()], false, null, null, null, [], false));
        return [.. known.Select(peer => View(peer, now)), .. heard];
    }, cancellation);

    public Task WalkToAsync(Endpoint endpoint, CancellationToken cancellation = default) => OnLoopAsync(() =>
    {
        if (!endpoint.IsSendable) throw new OperationRefusedException(RefusalKind.BadInput, $"{endpoint} is no address of one machine.");
        if (_node.Options.Loopback && !endpoint.IsLoopback)
            throw new OperationRefusedException(RefusalKind.BadInput, $"This node is confined to this machine (--loopback), and {endpoint} is elsewhere.");
        _host.WalkTo(endpoint);
        return true;
    }, cancellation);

    public Task<PeerName> ResolveAsync(string peer, CancellationToken cancellation = default) => OnLoopAsync(() => PeerNames.Of(Resolve(peer)), cancellation);

    public async Task<RecordView> RecordAsync(RecordRequest request, CancellationToken cancellation = default)
    {
        var proposal = await OnLoopAsync(() =>
        {
            try { return _node.Records.Propose(Resolve(request.Peer), request.Gave, request.Amount, request.Unit, request.For); }
            catch (ArgumentException problem) { throw new OperationRefusedException(RefusalKind.BadInput, problem.Message.Split(" (Parameter", 2)[0]); }
            catch (SigningRefusedException problem) { throw new OperationRefusedException(RefusalKind.Conflict, problem.Message); }
        }, cancellation).ConfigureAwait(false);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, _stopping.Token);
        if (!await proposal.Sent.WaitAsync(either.Token).ConfigureAwait(false))
        {
            var why = await OnLoopAsync(() => _ledger.Own.Refused, cancellation).ConfigureAwait(false);
            throw new OperationRefusedException(RefusalKind.Conflict,
                $"{why ?? "Writing to disk failed for a moment."} This record is kept in memory and goes out by itself as soon as it can be written; if the node stops before, it never was.");
        }
        try
        {
            await proposal.Answer.WaitAsync(request.Wait, either.Token).ConfigureAwait(false);
            return new RecordView(proposal.Block.Id, "agreed");
        }
        catch (TimeoutException) { return new RecordView(proposal.Block.Id, "proposed"); }
        catch (OperationCanceledException) when (!either.IsCancellationRequested) { return new RecordView(proposal.Block.Id, "proposed"); }
    }

    public Task<IReadOnlyList<InboxItem>> InboxAsync(CancellationToken cancellation = default) => OnLoopAsync<IReadOnlyList<InboxItem>>(
        () => [.. _node.Records.Inbox.Select(entry => LedgerViews.Item(entry.Proposal, entry.Claim))], cancellation);

    public Task<IReadOnlyList<InboxItem>> AnswerAsync(IReadOnlyList<string> ids, bool accept, CancellationToken cancellation = default) =>
        OnLoopAsync(() => AnswerOnLoopAsync(ids, accept), cancellation);

    public Task<ChainView> ChainAsync(string? peer, int from = 1, int count = 500, CancellationToken cancellation = default) => OnLoopAsync(async () =>
    {
        var owner = peer is null ? _node.Identity : Resolve(peer);
        var page = _views.Page(owner, from, count);
        var good = await VerifyAsync(page);
        return _views.Chain(owner, page.Select((block, i) => _views.View(block, good[i])));
    }, cancellation);

    public Task<BlockDetail> BlockAsync(string id, CancellationToken cancellation = default) =>
        OnLoopAsync(() => _views.Detail(_views.Find(id, Resolve)), cancellation);

    public Task<IReadOnlyList<BlockView>> ImportAsync(IReadOnlyList<byte[]> packedBlocks, CancellationToken cancellation = default) => OnLoopAsync(async () =>
    {
        var verdicts = new (HalfBlock? Block, string? Fault)[packedBlocks.Count];
        for (var i = 0; i < verdicts.Length; i++)
        {
            if (i % ImportedPerTurn == ImportedPerTurn - 1) await Task.Yield();
            cancellation.ThrowIfCancellationRequested();
            if (!HalfBlock.TryUnpack(packedBlocks[i], out var block)) continue;
            var verdict = _ledger.Import(block);
            verdicts[i] = (block, verdict.IsInvalid ? verdict.Reason : null);
        }
        await _ledger.Store.FlushAsync();
        // What was kept is judged again among all that came with it.
        var views = new List<BlockView>(verdicts.Length);
        for (var i = 0; i < verdicts.Length; i++)
        {
            if (i % ImportedPerTurn == ImportedPerTurn - 1) await Task.Yield();
            var (block, fault) = verdicts[i];
            views.Add(block is null ? LedgerViews.NoBlock(packedBlocks[i]) : fault is null ? _views.View(block) : _views.View(block, false, fault));
        }
        return (IReadOnlyList<BlockView>)views;
    }, cancellation);

    public Task<CrawlView> CrawlAsync(string peer, CancellationToken cancellation = default) => OnLoopAsync(async () =>
    {
        var owner = Resolve(peer);
        var owned = _host.Peers.Find(owner) is { IsValidated: true } there ? there : null;
        // Its owner is not here: others may hold its chain.
        IEnumerable<Peer> asked = owned is not null ? [owned] : _ledger.Peers.Where(other => other.IsValidated).Take(AskedForChainMax);
        var (blocks, answered, complete) = (0, false, false);
        foreach (var other in asked)
        {
            var result = await _ledger.CrawlAsync(other, owner);
            blocks += result.NewBlocks;
            answered |= result.Answered;
            complete |= result.Complete && _ledger.Store.CountOf(owner.Bytes) > 0 && _ledger.Store.LowestUnknown(owner.Bytes) > (_ledger.Store.Latest(owner.Bytes)?.Sequence ?? 0);
            if (complete) break;
        }
        if (!answered)
            throw new OperationRefusedException(RefusalKind.Unavailable, owned is not null
                ? $"{owner.ShortName} did not answer. Is it still running? See polder peers."
                : $"{owner.ShortName} is not connected, and nobody else here answered for it. Meet it first: polder run --join HOST:PORT");
        return new CrawlView(blocks, complete);
    }, cancellation);

    public Task<IReadOnlyList<TrustView>> TrustAsync(
        string? peer = null, string? unit = null, string? by = null, int top = 1000, CancellationToken cancellation = default) =>
        OnLoopAsync(() => _trust.Trust(peer is null ? null : Resolve(peer), unit, by, top), cancellation);

    public Task<TrustExplanation> WhyAsync(string peer, string? unit = null, string? by = null, CancellationToken cancellation = default) =>
        OnLoopAsync(() => _trust.Why(Resolve(peer), unit, by), cancellation);

    public Task<IReadOnlyList<FraudView>> FraudsAsync(CancellationToken cancellation = default) => OnLoopAsync(_views.Frauds, cancellation);

    public IChatOperations Chat { get; }

    public IContactOperations Contacts { get; }
    public INetworkOperations Network { get; }

    /// <inheritdoc/>
    public IParcelOperations Parcels => LocalParcels;

    private LocalParcels LocalParcels { get { lock (_parcelsGate) return _parcels ??= new LocalParcels(_node, Change); } }

    /// <summary>Stops what is being sent and received; it can be gone on with.</summary>
    internal async Task StopParcelsAsync()
    {
        if (_parcels is { } parcels) await parcels.DisposeAsync().ConfigureAwait(false);
    }

    private readonly Lock _parcelsGate = new();
    private LocalParcels? _parcels;
    public People.IGraphOperations Graph => LocalGraph;

    /// <summary>The graph of this process; the endpoint notes there where it is served.</summary>
    internal People.LocalGraph LocalGraph => field ??= new People.LocalGraph(_node, this);

    public People.IMailOperations Mail => field ??= new People.LocalMail(_node, this);

    public IFraudOperations Fraud => _watch;

    public ISurveyOperations Survey => _watch;

    public ILedgerOperations Ledger { get; }

    public async Task<long> WaitForChangeAsync(long seen, CancellationToken cancellation = default)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, _stopping.Token);
        while (true)
        {
            Task change;
            lock (_changeGate)
            {
                if (_version > seen) return _version;
                change = _changed.Task;
            }
            await change.WaitAsync(either.Token).ConfigureAwait(false);
        }
    }

    /// <summary>Runs work on the loop; a database that fails is a refusal, and a node that stops does not leave anybody waiting.</summary>
    public Task<T> OnLoopAsync<T>(Func<T> work, CancellationToken cancellation) => OnLoopAsync(() => Task.FromResult(work()), cancellation);

    /// <summary>Starts work on the loop.</summary>
    public async Task<T> OnLoopAsync<T>(Func<Task<T>> work, CancellationToken cancellation)
    {
        if (_stopping.IsCancellationRequested) throw Stopped();
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, _stopping.Token);
        try { return await _host.Environment.Loop.InvokeAsync(work).WaitAsync(either.Token).ConfigureAwait(false); }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested && !cancellation.IsCancellationRequested) { throw Stopped(); }
        catch (IOException problem) { throw new OperationRefusedException(RefusalKind.Conflict, problem.Message); }
    }

    /// <summary>Lets go of everybody who waits, and refuses whoever comes later.</summary>
    public void Dispose()
    {
        _pulse.Dispose();
        // Not disposed: whoever comes later still asks it, and it holds nothing of the system.
        _stopping.Cancel();
    }

    private static OperationRefusedException Stopped() => new(RefusalKind.Unavailable, "The node is stopping. Start it: polder run");

    private static IdentityView Identity(PublicKey key) => new(key.ToString(), key.Id.ToString(), key.NodeId.ToString(), key.ShortName);

    private StatusView Status()
    {
        var (store, socket, own) = (_node.Store, _node.Parts.Socket!, _ledger.Own);
        var verified = _host.Peers.All.Where(peer => peer.IsValidated).ToList();
        var uptime = _host.Now;
        var inbox = _ledger.Waiting.Count;
        var counters = new SortedDictionary<string, long>(StringComparer.Ordinal);
        foreach (var (name, value) in _host.Counters.ToDictionary()) counters[name] = value;
        foreach (var (name, value) in _ledger.Counters.ToDictionary()) counters[name] = value;
        if (socket.DroppedBehind > 0) counters["udp.droppedBehind"] = socket.DroppedBehind;
        if (socket.SendsRefused > 0) counters["udp.sendsRefused"] = socket.SendsRefused;
        if (_node.Parts.Loop!.Failures > 0) counters["loop.failures"] = _node.Parts.Loop.Failures;
        counters["store.commits"] = store.Commits;
        return new StatusView(
            Identity(_node.Identity), _node.UdpEndpoint.ToString(), _host.LanAddress.ToString(), _host.WanAddress?.ToString(),
            _node.Options.Loopback, uptime.TotalSeconds, verified.Count, _host.AddressesHeard.Count + _host.Peers.Count - verified.Count,
            (int)own.Length, store.Count, inbox, store.Frauds().Count, socket.BytesIn, socket.BytesOut, own.Refused,
            StatusWords.Warnings(own.Refused, store.WriteFailure, store.SetAside, store.Salvaged, KeyFile.Exposure(_node.KeyPath),
                socket.DroppedBehind, _host.Counters.Faults + _node.Parts.Loop.Failures),
            StatusWords.NextSteps(verified.Count, inbox, (int)own.Length, _node.Options.Loopback, _node.Options.Join.Count > 0, uptime,
                _node.Identity.ShortName, _node.UdpEndpoint.Port, verified.Count > 0 ? verified[0].Key.ShortName : null),
            counters);
    }

    private PeerView View(Peer peer, TimeSpan now) => new(
        peer.IsValidated ? peer.Key.ToString() : null, peer.IsValidated ? peer.Key.ShortName : null,
        [.. new[] { peer.Address }.Concat(peer.Addresses).Where(address => address.IsSendable).Distinct().Select(address => address.ToString())],
        peer.IsValidated, peer.RoundTrip?.TotalMilliseconds, (now - peer.LastIn)?.TotalSeconds, (now - peer.LastOut)?.TotalSeconds,
        [.. peer.Communities.Select(community => community.ToString())], _host.Peers.IsDiscouraged(peer.Key));

    /// <summary>Contacts by the owner's names for them come first; then everybody who is known by a key.</summary>
    internal PublicKey Resolve(string text) => Contact(text.Trim()) ?? PeerNames.Resolve(text, Met().Concat(_names.Find(text, PeerNames.CandidatesMax)));

    private PublicKey? Contact(string text) => _host.Find<ContactBook>()?.FindByName(text).Card is { } contact
        && (ContactNames.Same(contact.Name, text) || ContactNames.Same(contact.Key.ToString(), text)) ? contact.Key : null;

    /// <summary>The node itself and all peers of now; others are in the store.</summary>
    internal IEnumerable<PublicKey> Met()
    {
        yield return _node.Identity;
        foreach (var peer in _host.Peers.All) yield return peer.Key;
    }

    private async Task<IReadOnlyList<InboxItem>> AnswerOnLoopAsync(IReadOnlyList<string> ids, bool accept)
    {
        var inbox = _node.Records.Inbox;
        var chosen = ids.Count == 0 ? inbox.Take(AnsweredTogetherMax).ToList() : [.. ids.Select(id => Choose(id, inbox)).DistinctBy(entry => entry.Proposal.Hash)];
        var items = chosen.ConvertAll(entry => LedgerViews.Item(entry.Proposal, entry.Claim));
        try
        {
            // All are signed before the first is waited for: they share commits.
            await Task.WhenAll(chosen.Select(entry => accept ? _ledger.AgreeAsync(entry.Proposal) : _ledger.RefuseAsync(entry.Proposal)));
        }
        catch (SigningRefusedException problem) { throw new OperationRefusedException(RefusalKind.Conflict, problem.Message); }
        return items;
    }

    private static (HalfBlock Proposal, HelpClaim? Claim) Choose(string id, IReadOnlyList<(HalfBlock Proposal, HelpClaim? Claim)> inbox)
    {
        var wanted = id.Trim().ToLowerInvariant();
        var found = wanted.Length < 4 ? [] : inbox.Where(entry => entry.Proposal.Hash.ToString().StartsWith(wanted, StringComparison.Ordinal) || entry.Proposal.Id == wanted).ToList();
        return found.Count switch
        {
            1 => found[0],
            0 => throw new OperationRefusedException(RefusalKind.NotFound, $"No proposal \"{id}\" waits for your word. Those that do: polder inbox"),
            _ => throw new OperationRefusedException(RefusalKind.BadInput, $"\"{id}\" may be any of {found.Count} proposals. Give more digits."),
        };
    }

    /// <summary>Signatures are checked by workers, so that a long chain does not hold up the loop.</summary>
    private Task<bool[]> VerifyAsync(IReadOnlyList<HalfBlock> blocks)
    {
        var signatures = _host.Environment.Signatures;
        return _host.Environment.Workers.RunAsync(() => blocks.Select(block => block.VerifySignature(signatures)).ToArray());
    }

    private void Pulse()
    {
        if (_host.Counters.Received == _receivedAtPulse) return;
        _receivedAtPulse = _host.Counters.Received;
        Change();
    }

    internal void Change()
    {
        TaskCompletionSource told;
        lock (_changeGate)
        {
            _version++;
            (told, _changed) = (_changed, new(TaskCreationOptions.RunContinuationsAsynchronously));
        }
        told.TrySetResult();
    }
}
