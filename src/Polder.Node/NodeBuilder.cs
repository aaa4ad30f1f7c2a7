using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Polder.Apps;
using Polder.Apps.Bundles.Stores;
using Polder.Apps.Chat;
using Polder.Cryptography;
using Polder.Graph;
using Polder.Graph.Sync;
using Polder.Identity;
using Polder.Ledger;
using Polder.Ledger.Fraud;
using Polder.Ledger.Records;
using Polder.Ledger.Stores;
using Polder.Net;
using Polder.Node.Bundles;
using Polder.Node.Chat;
using Polder.Node.ContentFiles;
using Polder.Node.Folders;
using Polder.Node.Graph;
using Polder.Node.Lan;
using Polder.Node.PortMapping;
using Polder.Node.Runtime;
using Polder.Node.Storage;
using Polder.Node.Udp;
using Polder.Overlay;
using Polder.Overlay.AddressBook;
using Polder.Overlay.Content;
using Polder.Overlay.Dht;
using Polder.Overlay.Dht.IPv8;
using Polder.Overlay.Discovery;
using Polder.Overlay.Invitations;
using Polder.Overlay.Sessions;
using Polder.Overlay.Tags;
using Polder.Runtime;

namespace Polder.Node;

/// <summary>Puts a node together on this machine's network and disk:
/// <c>await using var node = await new NodeBuilder(options).Join(context => new HelloCommunity(context)).StartAsync();</c></summary>
public sealed class NodeBuilder
{
    private readonly NodeOptions _options;
    private readonly List<Action<NodeHost>> _joins = [];
    private ILoggerFactory _log = NullLoggerFactory.Instance;
    private TrustChainOptions _ledger = new();

    /// <summary>A node with these options; the defaults without.</summary>
    public NodeBuilder(NodeOptions? options = null) => _options = options ?? new NodeOptions();

    /// <summary>Joins a community at the start, after the node's own.</summary>
    public NodeBuilder Join<T>(Func<CommunityContext, T> make) where T : Community
    {
        ArgumentNullException.ThrowIfNull(make);
        _joins.Add(host => host.Join(make));
        return this;
    }

    /// <summary>Switches on a module at the start.</summary>
    public NodeBuilder With(INodeModule module)
    {
        ArgumentNullException.ThrowIfNull(module);
        _joins.Add(module.Join);
        return this;
    }

    /// <summary>Where logs go; nowhere by default.</summary>
    public NodeBuilder LogTo(ILoggerFactory log)
    {
        _log = log ?? throw new ArgumentNullException(nameof(log));
        return this;
    }

    /// <summary>Changes how the ledger is set.</summary>
    public NodeBuilder WithLedger(TrustChainOptions options)
    {
        _ledger = options ?? throw new ArgumentNullException(nameof(options));
        return this;
    }

    /// <summary>Opens folder, key, database and socket, and begins to walk. What is given back is disposed by the caller.</summary>
    /// <exception cref="NodeStartException">The node cannot start; the message says what to do.</exception>
    public async Task<PolderNode> StartAsync(CancellationToken cancellation = default)
    {
        var parts = new NodeParts();
        try
        {
            return await StartAsync(parts, cancellation).ConfigureAwait(false);
        }
        catch (SodiumMissingException problem)
        {
            await parts.DisposeAsync().ConfigureAwait(false);
            throw new NodeStartException(problem.Message, problem);
        }
        catch
        {
            await parts.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private async Task<PolderNode> StartAsync(NodeParts parts, CancellationToken cancellation)
    {
        var log = _log.CreateLogger("Polder.Node");
        var folder = parts.Folder = DataFolder.Open(_options.Data);
        var identity = parts.Identity = ReadOrCreateKey(folder);
        var loop = parts.Loop = new ThreadLoop(onError: problem => NodeLog.WorkFailed(log, problem));
        var socket = parts.Socket = UdpSocket.Bind(loop, _options.Port, _options.Loopback);
        var store = parts.Store = SqliteBlockStore.Open(folder.DatabasePath, identity.Public.Bytes, TimeProvider.System.GetUtcNow());
        if (store.SetAside is { } aside) NodeLog.DatabaseSetAside(log, aside, store.Salvaged);
        var mark = new ChainMark(folder.ChainMarkPath);
        var shared = _options.LedgerStore == NodeOptions.SqliteStore ? null
            : new SharedBlockStore(store, parts.Shared = PostgresBlockStore.Open(_options.LedgerStore), identity.Public);
        IBlockStore blocks = shared is null ? store : shared;
        var cache = parts.PeerCache = new PeerCacheFile(folder.PeerCachePath);

        var graphStore = parts.GraphStore = SqliteGraphStore.Open(Path.Combine(folder.FullPath, "graph.db"), loop);
        var state = parts.State = new StateFiles(folder.FullPath, loop);
        var mail = parts.Mail = SqliteMailStore.Open(folder.MailPath, loop, TimeProvider.System.GetUtcNow());
        if (mail.SetAside is { } mailAside) NodeLog.DatabaseSetAside(log, mailAside, 0);
        var content = OpenContent(Path.Combine(folder.FullPath, "content"), loop);
        var lists = new List<BootstrapList> { await PublicPeers.ResolveAsync(PublicPeers.Shipped, _options.Loopback, cancellation).ConfigureAwait(false) };
        foreach (var list in _options.Lists) lists.Add(await PublicPeers.LoadAsync(list, _options.Loopback, cancellation).ConfigureAwait(false));

        var joins = new List<Endpoint>();
        foreach (var address in _options.Join)
            joins.AddRange(await JoinAddress.ResolveAsync(address, _options.Loopback, cancellation).ConfigureAwait(false));

        var time = new LoopTimeProvider(TimeProvider.System, loop);
        var environment = new NodeEnvironment(
            loop, time, new EntropyPrng(), socket, new ThreadPoolWorkers(loop, _options.Workers), Ed25519Signatures.Instance)
        {
            ExtraSockets = new ExtraSockets(loop, _options.Loopback),
        };
        return await loop.InvokeAsync(() =>
        {
            var host = parts.Host = new NodeHost(environment, identity, _options.EffectiveOverlay, _log);
            if (!_options.Loopback && LanAddress.Find(socket.LocalEndpoint.Port) is { } lan) host.LanAddress = lan;
            host.Offer<IPeerCache>(cache);
            host.Offer<IStateStore>(state);
            host.Offer<IStickyKeyStore>(new StickyKeyFile(state));
            host.Offer<IContentStore>(content);
            host.Offer(blocks);
            var ledger = host.Join(context => new TrustChainCommunity(context, blocks, _ledger with
            {
                DiskBytesMax = _options.LedgerDiskMax ?? _ledger.DiskBytesMax,
                // What many share is not thrown away by one of them.
                BlocksMax = shared is not null ? long.MaxValue - Ledger.Limits.BlocksAboveMax : _options.LedgerBlocksMax ?? _ledger.BlocksMax,
                OwnChainUncertain = _ledger.OwnChainUncertain || store.SigningRefused is not null,
                OwnLengthAtLeast = Math.Max(Math.Max(_ledger.OwnLengthAtLeast, mark.Read()), shared?.SharedLength ?? 0),
                Survey = _ledger.Survey with { IsOn = _ledger.Survey.IsOn || _options.CrawlEverything },
                Dissemination = _options.SpreadBytesPerSecond is { } budget ? _ledger.Dissemination with { BytesPerSecond = budget } : _ledger.Dissemination,
            }));
            var records = new HelpRecords(ledger, identity.Public, WorkSplits.AllCores);
            if (_options.SignAnyway)
            {
                ledger.Own.SignAnyway();
                store.AllowSigning();
                mark.Lower(ledger.Own.FlushedTo);
            }
            host.Offer(ledger);
            host.Offer(records);
            var graph = parts.Graph = new SharedGraph(new GraphEnvironment(loop, time, environment.Random, environment.Workers), graphStore, new GraphOptions { StoreBytesMax = _options.GraphDiskMax, HistoryOf = _options.GraphHistory });
            host.Offer(graph);
            host.Offer(parts.GraphHub = new GraphHub(graph));
            var contacts = new ContactList(host);
            host.Offer(contacts);
            host.Offer(new InvitationService(host, contacts));
            host.Offer(new TagService(host));
            host.Offer<IChatStore>(parts.Chat = SqliteChatStore.Open(Path.Combine(folder.FullPath, SqliteChatStore.FileName), new ThreadPoolWorkers(loop)));
            host.Offer<IMailStore>(mail);
            host.Offer(_options.Mail);
            new AppsModule().Join(host);
            host.Join(static context => new IPv8DhtCommunity(context));
            var dht = host.Join(static context => new DhtCommunity(context));
            dht.Service.Relays = () => host.Relays.Reservations;
            _ = new ForkerRefusal(host, ledger);
            foreach (var list in lists) host.Contact.Add(list);
            foreach (var join in _joins) join(host);
            var node = new PolderNode(_options, parts, ledger, records, mark);
            foreach (var address in joins) host.WalkTo(address);
            host.Start();
            if (!_options.Loopback) parts.Watch = new NetworkWatch(host, socket.LocalEndpoint.Port);
            if (_options is { Loopback: false, Lan: true }) parts.Lan = LanNeighbours.TryStart(environment, identity.Public.NodeId.Head, host.WalkTo);
            if (_options is { Loopback: false, PortMapping: true }) MapPort(parts, host, loop, socket.LocalEndpoint.Port);
            return node;
        }).WaitAsync(cancellation).ConfigureAwait(false);
    }

    /// <summary>Asks the router for our port; whoever has a public address of his own needs none.</summary>
    private static void MapPort(NodeParts parts, NodeHost host, ThreadLoop loop, int port)
    {
        if (host.LanAddress is { IsIPv4: true } own && PublicAddress.IsPublic(own.ToIPEndPoint().Address)) return;
        var status = parts.PortStatus = new PortMappingStatus(host);
        host.Offer(status);
        parts.Ports = new PortMapper((ushort)port, state => loop.Post(() => status.Take(state)), TimeProvider.System);
    }

    private KeyPair ReadOrCreateKey(DataFolder folder)
    {
        if (File.Exists(folder.KeyPath)) return KeyFile.Read(folder.KeyPath, _options.Passphrase);
        if (File.Exists(folder.DatabasePath))
            throw new NodeStartException(
                $"{folder.FullPath} holds a database but no identity.key. Put your backup of the key back (polder restore), or use another folder: --data DIR.");
        var pair = KeyFile.Create();
        try { KeyFile.Write(folder.KeyPath, pair, _options.Passphrase); }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            pair.Dispose();
            throw new NodeStartException($"The key file {folder.KeyPath} cannot be written: {problem.Message}", problem);
        }
        return pair;
    }

    private static FileContentStore OpenContent(string path, ThreadLoop loop)
    {
        try { return FileContentStore.Open(path, new ThreadPoolWorkers(loop)); }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new NodeStartException($"The folder {path} for shared content cannot be used: {problem.Message}", problem);
        }
    }
}
