namespace Polder.Node.Operations.People;

/// <summary>What people and programs do with the node's graph: read, write, watch, take it along in files, and accounts.</summary>
public interface IGraphOperations
{
    /// <summary>Most souls, keys or entries that one call gives.</summary>
    const int CountMax = 1000;

    /// <summary>How it is doing.</summary>
    Task<GraphStatusView> LookAsync(CancellationToken cancellation = default);

    /// <summary>Souls that begin so, behind <paramref name="after"/>.</summary>
    Task<GraphSoulsView> SoulsAsync(string prefix = "", string? after = null, int count = 100, CancellationToken cancellation = default);

    /// <summary>A node's keys behind <paramref name="after"/>, or one key of it. A node that is not there has no keys.</summary>
    Task<GraphNodeView> NodeAsync(string soul, string? key = null, string? after = null, int count = 200, CancellationToken cancellation = default);

    /// <summary>Older values of a key, the latest first, where history is kept (graph.history).</summary>
    Task<GraphNodeView> HistoryAsync(string soul, string key, CancellationToken cancellation = default);

    /// <summary>Writes one key, durable before it answers.</summary>
    Task<GraphNodeView> PutAsync(GraphPutRequest request, CancellationToken cancellation = default);

    /// <summary>Stored entries behind a place, for a file.</summary>
    Task<GraphEntriesView> EntriesAsync(string prefix = "", string? afterSoul = null, string? afterKey = null, int count = 1000, CancellationToken cancellation = default);

    /// <summary>Merges entries of a file: what is newer counts, as everywhere. Durable before it answers.</summary>
    Task<GraphMergeView> MergeAsync(IReadOnlyList<GraphEntryView> entries, CancellationToken cancellation = default);

    /// <summary>Changes of souls that begin so; waits for one where there is none. The first call passes −1 and gets the number to go on with.</summary>
    Task<GraphChangesView> ChangesAsync(string prefix, long seen, CancellationToken cancellation = default);

    /// <summary>Makes an account.</summary>
    Task<GraphAccountView> CreateAccountAsync(GraphAccountRequest request, CancellationToken cancellation = default);

    /// <summary>Opens an account, and with a new passphrase puts its keys under that.</summary>
    Task<GraphAccountView> OpenAccountAsync(GraphAccountRequest request, CancellationToken cancellation = default);

    /// <summary>Topics that are kept together with other nodes.</summary>
    Task<GraphTopicsView> TopicsAsync(CancellationToken cancellation = default);

    /// <summary>Keeps a topic from now on, or no longer.</summary>
    Task<GraphTopicsView> ChangeTopicAsync(GraphTopicRequest request, CancellationToken cancellation = default);

    /// <summary>Where what stands at a key is besides here; with <paramref name="wait"/> it is waited for so many peers, or for a contact (name or key) to have it.</summary>
    Task<GraphCopiesView> CopiesAsync(string soul, string key, int? peers = null, string? contact = null, TimeSpan wait = default, CancellationToken cancellation = default);

    /// <summary>Makes recovery shares for an account: the recommended way back when a passphrase is lost.</summary>
    Task<GraphSharesView> MakeSharesAsync(GraphSharesRequest request, CancellationToken cancellation = default);

    /// <summary>Opens an account by shares and puts it under a new passphrase.</summary>
    Task<GraphAccountView> RecoverAsync(GraphRecoveryRequest request, CancellationToken cancellation = default);

    /// <summary>Says under what name an account knows a key, or takes it back.</summary>
    Task<GraphKnownKeysView> TrustAsync(GraphTrustRequest request, CancellationToken cancellation = default);

    /// <summary>Looks a name up over those whom an account knows.</summary>
    Task<GraphKnownKeysView> FindKeyAsync(string alias, string name, CancellationToken cancellation = default);
}

/// <summary>The graph where no node runs: closed.</summary>
internal sealed class RestingGraph : IGraphOperations
{
    public static RestingGraph Instance { get; } = new();

    public Task<GraphStatusView> LookAsync(CancellationToken cancellation = default) => throw NotRunning();
    public Task<GraphSoulsView> SoulsAsync(string prefix = "", string? after = null, int count = 100, CancellationToken cancellation = default) => throw NotRunning();
    public Task<GraphNodeView> NodeAsync(string soul, string? key = null, string? after = null, int count = 200, CancellationToken cancellation = default) => throw NotRunning();
    public Task<GraphNodeView> HistoryAsync(string soul, string key, CancellationToken cancellation = default) => throw NotRunning();
    public Task<GraphNodeView> PutAsync(GraphPutRequest request, CancellationToken cancellation = default) => throw NotRunning();
    public Task<GraphEntriesView> EntriesAsync(string prefix = "", string? afterSoul = null, string? afterKey = null, int count = 1000, CancellationToken cancellation = default) => throw NotRunning();
    public Task<GraphMergeView> MergeAsync(IReadOnlyList<GraphEntryView> entries, CancellationToken cancellation = default) => throw NotRunning();
    public Task<GraphChangesView> ChangesAsync(string prefix, long seen, CancellationToken cancellation = default) => throw NotRunning();
    public Task<GraphAccountView> CreateAccountAsync(GraphAccountRequest request, CancellationToken cancellation = default) => throw NotRunning();
    public Task<GraphAccountView> OpenAccountAsync(GraphAccountRequest request, CancellationToken cancellation = default) => throw NotRunning();
    public Task<GraphTopicsView> TopicsAsync(CancellationToken cancellation = default) => throw NotRunning();
    public Task<GraphTopicsView> ChangeTopicAsync(GraphTopicRequest request, CancellationToken cancellation = default) => throw NotRunning();
    public Task<GraphCopiesView> CopiesAsync(string soul, string key, int? peers = null, string? contact = null, TimeSpan wait = default, CancellationToken cancellation = default) => throw NotRunning();
    public Task<GraphSharesView> MakeSharesAsync(GraphSharesRequest request, CancellationToken cancellation = default) => throw NotRunning();
    public Task<GraphAccountView> RecoverAsync(GraphRecoveryRequest request, CancellationToken cancellation = default) => throw NotRunning();
    public Task<GraphKnownKeysView> TrustAsync(GraphTrustRequest request, CancellationToken cancellation = default) => throw NotRunning();
    public Task<GraphKnownKeysView> FindKeyAsync(string alias, string name, CancellationToken cancellation = default) => throw NotRunning();

    private static OperationRefusedException NotRunning() => new(RefusalKind.Unavailable, "Only a running node opens its graph. Start it: polder run");
}
