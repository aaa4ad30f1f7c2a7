using Polder.Cryptography;
using Polder.Identity;
using Polder.Ledger.Blocks;
using Polder.Ledger.Records;
using Polder.Ledger.Reputation;
using Polder.Ledger.Stores;
using Polder.Ledger.Validation;
using Polder.Net;
using Polder.Node.Folders;
using Polder.Node.Runtime;
using Polder.Node.Storage;

namespace Polder.Node.Operations;

/// <summary>A data folder without a running node: identity, chain, trust and inbox can be read; nothing is changed.</summary>
public sealed class RestingNode : INodeOperations, IFraudOperations, ISurveyOperations, IDisposable
{
    private readonly DataFolder _folder;
    private readonly SqliteBlockStore? _database;
    private readonly IBlockStore _store;
    private readonly PublicKey _self;
    private readonly LedgerViews _views;
    private readonly TrustViews _trust;
    private readonly WorkGraphs _graphs;
    private readonly NameIndex _names;
    private readonly Lock _gate = new();
    private bool _graphsAreMade;

    private RestingNode(DataFolder folder, string? passphrase)
    {
        _folder = folder;
        _database = File.Exists(folder.DatabasePath) ? SqliteBlockStore.OpenReadOnly(folder.DatabasePath) : null;
        _store = _database is null ? new MemoryBlockStore() : _database;
        // The database knows whose it is, so a sealed key need not be opened.
        if (_database?.Owner is { } owner) _self = owner;
        else
        {
            using var pair = KeyFile.Read(folder.KeyPath, passphrase);
            _self = pair.Public;
        }
        var validator = new BlockValidator(Ed25519Signatures.Instance);
        validator.AddType(HelpClaim.BandwidthType, new BandwidthRules());
        _graphs = new WorkGraphs(_self, split: WorkSplits.AllCores);
        _views = new LedgerViews(_store, validator);
        _trust = new TrustViews(_store, _graphs, _self, _views.Fraud, TimeProvider.System);
        _names = new NameIndex(_store);
    }

    /// <summary>Opens a folder for reading.</summary>
    /// <param name="path">The data folder.</param>
    /// <param name="passphrase">Needed only when the key is sealed and no database stands beside it.</param>
    /// <exception cref="OperationRefusedException">No node ever lived there, or the folder cannot be used.</exception>
    public static RestingNode Open(string path, string? passphrase = null)
    {
        try
        {
            return DataFolder.Look(path) is { } folder
                ? new RestingNode(folder, passphrase)
                : throw new OperationRefusedException(RefusalKind.Unavailable, $"There is no node in {Path.GetFullPath(path)} yet. Make one: polder run --data {path}");
        }
        catch (NodeStartException problem) { throw new OperationRefusedException(RefusalKind.Conflict, problem.Message); }
    }

    /// <inheritdoc/>
    public Task<IdentityView> IdentityAsync(CancellationToken cancellation = default) =>
        Task.FromResult(new IdentityView(_self.ToString(), _self.Id.ToString(), _self.NodeId.ToString(), _self.ShortName));

    /// <inheritdoc/>
    public async Task<StatusView> StatusAsync(CancellationToken cancellation = default) => new(
        await IdentityAsync(cancellation).ConfigureAwait(false), "", null, null, false, 0, 0, 0, (int)(_store.Latest(_self.Bytes)?.Sequence ?? 0), _store.Count,
        Waiting().Count(), _store.Frauds().Count, 0, 0, _database?.SigningRefused,
        KeyFile.Exposure(_folder.KeyPath) is { } exposure ? [exposure] : [],
        [$"This node is not running. Start it: polder run --data {_folder.FullPath}"], new SortedDictionary<string, long>());

    /// <inheritdoc/>
    public Task<IReadOnlyList<PeerView>> PeersAsync(CancellationToken cancellation = default) => throw NotRunning("Peers are known to a running node only.");

    /// <inheritdoc/>
    public Task WalkToAsync(Endpoint endpoint, CancellationToken cancellation = default) => throw NotRunning("Only a running node can meet others.");

    /// <inheritdoc/>
    public Task<PeerName> ResolveAsync(string peer, CancellationToken cancellation = default) => Read(() => PeerNames.Of(Resolve(peer)));

    /// <inheritdoc/>
    public Task<RecordView> RecordAsync(RecordRequest request, CancellationToken cancellation = default) => throw NotRunning("Only a running node can sign records.");

    /// <inheritdoc/>
    public Task<IReadOnlyList<InboxItem>> InboxAsync(CancellationToken cancellation = default) => Read<IReadOnlyList<InboxItem>>(
        () => [.. Waiting().Select(block => LedgerViews.Item(block, HelpClaim.TryRead(block, out var claim) ? claim : null))]);

    /// <inheritdoc/>
    public Task<IReadOnlyList<InboxItem>> AnswerAsync(IReadOnlyList<string> ids, bool accept, CancellationToken cancellation = default) =>
        throw NotRunning("Only a running node can answer proposals.");

    /// <inheritdoc/>
    public Task<ChainView> ChainAsync(string? peer, int from = 1, int count = 500, CancellationToken cancellation = default) => Read(() =>
    {
        var owner = peer is null ? _self : Resolve(peer);
        return _views.Chain(owner, _views.Page(owner, from, count).Select(_views.View));
    });

    /// <inheritdoc/>
    public Task<BlockDetail> BlockAsync(string id, CancellationToken cancellation = default) => Read(() => _views.Detail(_views.Find(id, Resolve)));

    /// <inheritdoc/>
    public Task<IReadOnlyList<BlockView>> ImportAsync(IReadOnlyList<byte[]> packedBlocks, CancellationToken cancellation = default) =>
        throw NotRunning("Only a running node can take in blocks.");

    /// <inheritdoc/>
    public Task<CrawlView> CrawlAsync(string peer, CancellationToken cancellation = default) => throw NotRunning("Only a running node can ask others.");

    /// <inheritdoc/>
    public Task<IReadOnlyList<TrustView>> TrustAsync(
        string? peer = null, string? unit = null, string? by = null, int top = 1000, CancellationToken cancellation = default) => Read(() =>
    {
        MakeGraphs();
        return _trust.Trust(peer is null ? null : Resolve(peer), unit, by, top);
    });

    /// <inheritdoc/>
    public Task<TrustExplanation> WhyAsync(string peer, string? unit = null, string? by = null, CancellationToken cancellation = default) => Read(() =>
    {
        MakeGraphs();
        return _trust.Why(Resolve(peer), unit, by);
    });

    /// <inheritdoc/>
    public Task<IReadOnlyList<FraudView>> FraudsAsync(CancellationToken cancellation = default) => Read(_views.Frauds);

    /// <inheritdoc/>
    public IFraudOperations Fraud => this;

    /// <inheritdoc/>
    public ISurveyOperations Survey => this;

    Task<IReadOnlyList<FraudDetail>> IFraudOperations.ListAsync(int count, CancellationToken cancellation) => Read(() => FraudViews.List(_store, count));

    Task<FraudDocument> IFraudOperations.ExportAsync(string peer, CancellationToken cancellation) => Read(() => FraudViews.Export(_store, Resolve(peer)));

    Task<FraudCheckView> IFraudOperations.CheckAsync(byte[] file, CancellationToken cancellation) =>
        Read(() => FraudViews.Check(file, proof => _store.FraudOf(proof.Culprit) is not null, out _));

    Task<FraudCheckView> IFraudOperations.ImportAsync(byte[] file, CancellationToken cancellation) =>
        throw NotRunning("Only a running node takes in proofs. To check one without a node: polder fraud check FILE.");

    Task<CrawlProgressView> ISurveyOperations.ProgressAsync(CancellationToken cancellation) => throw NotRunning("Only a running node fetches chains.");

    Task<CrawlProgressView> ISurveyOperations.RunAsync(bool run, CancellationToken cancellation) => throw NotRunning("Only a running node fetches chains.");

    Task<NetworkStatisticsView> ISurveyOperations.StatisticsAsync(CancellationToken cancellation) => Read(() => SurveyViews.Of(_store, TimeProvider.System.GetUtcNow()));

    /// <inheritdoc/>
    public IContactOperations Contacts => new RestingContacts(_folder.FullPath, _self, NotRunning);

    /// <inheritdoc/>
    public IChatOperations Chat => new RestingChat(_folder.FullPath, _self, NotRunning);

    /// <inheritdoc/>
    public IParcelOperations Parcels => new RestingParcels(_folder.FullPath, NotRunning);

    /// <inheritdoc/>
    public INetworkOperations Network => new RestingNetwork(NotRunning);

    /// <inheritdoc/>
    public ILedgerOperations Ledger => new RestingLedger(this);

    internal Task<LedgerStatsView> StatsAsync() => Read(() => new LedgerFigures(_store, _views, _names).Stats("sqlite", null, new Polder.Ledger.TrustChainOptions().BlocksMax));

    internal Task<LedgerSearchView> SearchAsync(string text) => Read(() => new LedgerFigures(_store, _views, _names).Search(text, [_self]));

    internal OperationRefusedException NotRunningFor(string why) => NotRunning(why);

    /// <inheritdoc/>
    public async Task<long> WaitForChangeAsync(long seen, CancellationToken cancellation = default)
    {
        // Nothing changes in a folder at rest.
        if (seen >= 1) await Task.Delay(Timeout.Infinite, cancellation).ConfigureAwait(false);
        return 1;
    }

    /// <inheritdoc/>
    public void Dispose() => _database?.Dispose();

    private OperationRefusedException NotRunning(string why) =>
        new(RefusalKind.Unavailable, $"{why} No node is running on {_folder.FullPath}. Start it: polder run --data {_folder.FullPath}");

    // One connection, one reader at a time.
    private Task<T> Read<T>(Func<T> work)
    {
        lock (_gate)
        {
            try { return Task.FromResult(work()); }
            catch (IOException problem) { throw new OperationRefusedException(RefusalKind.Conflict, problem.Message); }
        }
    }

    private PublicKey Resolve(string text) => PeerNames.Resolve(text, [_self, .. _names.Find(text, PeerNames.CandidatesMax)]);

    private IEnumerable<HalfBlock> Waiting()
    {
        foreach (var block in _store.Naming(_self.Bytes))
        {
            if (!block.IsProposal || !block.LinkKey.SequenceEqual(_self.Bytes) || block.PublicKey.SequenceEqual(_self.Bytes)) continue;
            if (_store.IsRefused(block.Hash) || _store.FraudOf(block.PublicKey) is not null || IsAnswered(block)) continue;
            yield return block;
        }
    }

    private bool IsAnswered(HalfBlock proposal)
    {
        foreach (var linking in _store.LinkingTo(proposal.PublicKey, proposal.Sequence, proposal.Sequence, 64))
            if (linking.PublicKey.SequenceEqual(_self.Bytes)) return true;
        return false;
    }

    private void MakeGraphs()
    {
        if (_graphsAreMade) return;
        _graphsAreMade = true;
        foreach (var proof in _store.Frauds()) _graphs.Remove(proof.Culprit);
        if (_store.Count > Polder.Ledger.Limits.ReplayedBlocksMax) _graphs.Load(_store);
        else foreach (var block in _store.All()) _graphs.Add(block);
    }
}
