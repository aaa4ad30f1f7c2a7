using Polder.Identity;
using Polder.Ledger;
using Polder.Ledger.Records;
using Polder.Net;
using Polder.Node.Folders;
using Polder.Node.Operations;
using Polder.Node.Storage;
using Polder.Overlay;

namespace Polder.Node;

/// <summary>
/// A running node. Its communities live on its loop: reach them through <see cref="InvokeAsync{T}(Func{T})"/>, or use
/// <see cref="Operations"/>, which may be called from anywhere. Disposing stops it with everything flushed.
/// </summary>
public sealed class PolderNode : IAsyncDisposable
{
    private static readonly TimeSpan MarkInterval = TimeSpan.FromSeconds(10);

    private readonly NodeParts _parts;
    private readonly ChainMark _mark;
    private readonly ITimer _marking;
    private readonly LocalNode _operations;
    private int _disposed;

    internal PolderNode(NodeOptions options, NodeParts parts, TrustChainCommunity ledger, HelpRecords records, ChainMark mark)
    {
        (Options, _parts, Ledger, Records, _mark) = (options, parts, ledger, records, mark);
        UdpEndpoint = parts.Socket!.LocalEndpoint;
        Identity = parts.Identity!.Public;
        _operations = new LocalNode(this);
        ledger.Changed += AllowSigningWhenSure;
        _marking = Host.Environment.Time.CreateTimer(_ => MarkLength(), null, MarkInterval, MarkInterval);
    }

    /// <summary>How it was set.</summary>
    public NodeOptions Options { get; }

    /// <summary>Who it is.</summary>
    public PublicKey Identity { get; }

    /// <summary>Where its socket is bound.</summary>
    public Endpoint UdpEndpoint { get; }

    /// <summary>What people and programs do with it; may be called from any thread.</summary>
    public INodeOperations Operations => _operations;

    /// <summary>The communities and peers. On the loop only.</summary>
    public NodeHost Host => _parts.Host!;

    /// <summary>The graph: application data that converges, shared with gun.js peers. On the loop only.</summary>
    public Polder.Graph.Sync.GraphHub Graph => _parts.GraphHub!;

    /// <summary>Where the graph is served to gun.js, noted by whoever serves it.</summary>
    public string? GraphAddress
    {
        get => _operations.LocalGraph.Address;
        set => _operations.LocalGraph.Address = value;
    }

    /// <summary>The own chain and everybody's blocks. On the loop only.</summary>
    public TrustChainCommunity Ledger { get; }

    /// <summary>Records of help. On the loop only.</summary>
    public HelpRecords Records { get; }

    internal NodeParts Parts => _parts;
    internal SqliteBlockStore Store => _parts.Store!;

    /// <summary>Where the blocks of others are: "sqlite" or "postgres".</summary>
    internal string StoreKind => Ledger.Store is SqliteBlockStore ? "sqlite" : "postgres";
    internal string DataPath => _parts.Folder!.FullPath;
    internal string KeyPath => _parts.Folder!.KeyPath;

    /// <summary>The community of that type; throws when none was joined.</summary>
    public T Community<T>() where T : Community =>
        Host.Communities.OfType<T>().FirstOrDefault() ?? throw new InvalidOperationException($"No {typeof(T).Name} was joined.");

    /// <summary>Runs work on the node's loop and gives back its result.</summary>
    public Task<T> InvokeAsync<T>(Func<T> work) => _operations.OnLoopAsync(work, default);

    /// <summary>Runs work on the node's loop.</summary>
    public Task InvokeAsync(Action work) => _operations.OnLoopAsync(() =>
    {
        work();
        return true;
    }, default);

    /// <summary>Starts work on the node's loop; its awaits stay there.</summary>
    public Task<T> InvokeAsync<T>(Func<Task<T>> work) => _operations.OnLoopAsync(work, default);

    /// <summary>Leaves the network, flushes everything and lets go of the folder. Less than three seconds.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0) return;
        await _operations.StopParcelsAsync().ConfigureAwait(false);
        _operations.Dispose();
        await _marking.DisposeAsync().ConfigureAwait(false);
        await _parts.Loop!.InvokeAsync(MarkLength).ConfigureAwait(false);
        await _parts.DisposeAsync().ConfigureAwait(false);
    }

    private void MarkLength() => _mark.Raise(Ledger.Own.FlushedTo);

    // The ledger asks the peers; once it is sure, the next start need not ask again.
    private void AllowSigningWhenSure()
    {
        if (Store.SigningRefused is not null && !Ledger.Own.NeedsRecovery && Ledger.Own.Refused is null) Store.AllowSigning();
    }
}
