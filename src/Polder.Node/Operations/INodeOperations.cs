using Polder.Net;

namespace Polder.Node.Operations;

/// <summary>
/// What people and programs do with a node: the one seam behind the command line, the local HTTP API and the pages. Three
/// implementations: a running node in this process, a running node behind its local API, and a data folder at rest.
/// Views are immutable snapshots, so no page ever touches live state. A request that cannot be met throws
/// <see cref="OperationRefusedException"/>, whose message says what to do.
/// </summary>
public interface INodeOperations
{
    /// <summary>Who this node is.</summary>
    Task<IdentityView> IdentityAsync(CancellationToken cancellation = default);

    /// <summary>How it is doing: addresses, counts, warnings, what to do next.</summary>
    Task<StatusView> StatusAsync(CancellationToken cancellation = default);

    /// <summary>Everybody this node knows, proved ones first, then by last word from them.</summary>
    Task<IReadOnlyList<PeerView>> PeersAsync(CancellationToken cancellation = default);

    /// <summary>Walks to an address, as <c>--join</c> does at the start.</summary>
    Task WalkToAsync(Endpoint endpoint, CancellationToken cancellation = default);

    /// <summary>The one peer that a short name, a public key, or the beginning of either means. Ambiguous and unknown names are refused.</summary>
    Task<PeerName> ResolveAsync(string peer, CancellationToken cancellation = default);

    /// <summary>Proposes a record of help. Waits up to <see cref="RecordRequest.Wait"/> for the other's signature.</summary>
    Task<RecordView> RecordAsync(RecordRequest request, CancellationToken cancellation = default);

    /// <summary>Proposals that wait for the owner's word, oldest first.</summary>
    Task<IReadOnlyList<InboxItem>> InboxAsync(CancellationToken cancellation = default);

    /// <summary>Accepts or refuses proposals by id; an empty list means all that wait. Returns those that were answered.</summary>
    Task<IReadOnlyList<InboxItem>> AnswerAsync(IReadOnlyList<string> ids, bool accept, CancellationToken cancellation = default);

    /// <summary>A page of somebody's chain as we hold it, validated now, lowest sequence number first. <paramref name="peer"/> null: our own.</summary>
    Task<ChainView> ChainAsync(string? peer, int from = 1, int count = 500, CancellationToken cancellation = default);

    /// <summary>One block with both halves, by "HEX.SEQ" or by hash.</summary>
    Task<BlockDetail> BlockAsync(string id, CancellationToken cancellation = default);

    /// <summary>Checks packed blocks made elsewhere, in order, and keeps those that are not invalid. One verdict a block.</summary>
    Task<IReadOnlyList<BlockView>> ImportAsync(IReadOnlyList<byte[]> packedBlocks, CancellationToken cancellation = default);

    /// <summary>Asks a peer for its chain and counts what is new.</summary>
    Task<CrawlView> CrawlAsync(string peer, CancellationToken cancellation = default);

    /// <summary>
    /// The ranking from my own point of view, highest score first, at most <paramref name="top"/> rows a unit; with
    /// <paramref name="peer"/>, that peer alone. <paramref name="by"/> is a <see cref="TrustKind"/>'s name, by default the first.
    /// </summary>
    Task<IReadOnlyList<TrustView>> TrustAsync(string? peer = null, string? unit = null, string? by = null, int top = 1000, CancellationToken cancellation = default);

    /// <summary>The records and paths behind a score.</summary>
    Task<TrustExplanation> WhyAsync(string peer, string? unit = null, string? by = null, CancellationToken cancellation = default);

    /// <summary>Proven frauds: two blocks of one chain with one number, or two agreements for one proposal.</summary>
    Task<IReadOnlyList<FraudView>> FraudsAsync(CancellationToken cancellation = default);

    /// <summary>Its place in the network: how it is connected, invitations, the DHT, tags.</summary>
    INetworkOperations Network { get; }

    /// <summary>Frauds field by field, and as files.</summary>
    IFraudOperations Fraud { get; }

    /// <summary>The network as a whole, and fetching everybody's chains.</summary>
    ISurveyOperations Survey { get; }

    /// <summary>The ledger as a whole: figures, many blocks at once, searches.</summary>
    ILedgerOperations Ledger { get; }

    /// <summary>Conversations.</summary>
    IChatOperations Chat => throw new OperationRefusedException(RefusalKind.Unavailable, "This node has no chat.");

    /// <summary>Letters: what waits for whom and where, what is carried for others, bundles.</summary>
    People.IMailOperations Mail => People.RestingMail.Instance;

    /// <summary>The graph that gun.js applications share.</summary>
    People.IGraphOperations Graph => People.RestingGraph.Instance;

    /// <summary>The owner's book of people.</summary>
    IContactOperations Contacts => throw new OperationRefusedException(RefusalKind.Unavailable, "This node has no contacts.");

    /// <summary>Files sent by a spoken code.</summary>
    IParcelOperations Parcels => throw new OperationRefusedException(RefusalKind.Unavailable, "This node sends no files.");

    /// <summary>Completes when anything shown changed after <paramref name="seen"/>; gives the new version. The first call passes 0.</summary>
    Task<long> WaitForChangeAsync(long seen, CancellationToken cancellation = default);
}

/// <summary>A request that cannot be met. <see cref="Exception.Message"/> is for people: what is wrong and what to do.</summary>
/// <param name="kind">For exit codes and HTTP status.</param>
/// <param name="message">What is wrong and what to do.</param>
public sealed class OperationRefusedException(RefusalKind kind, string message) : Exception(message)
{
    /// <summary>For exit codes and HTTP status.</summary>
    public RefusalKind Kind => kind;
}

/// <summary>Why a request was refused.</summary>
public enum RefusalKind
{
    /// <summary>The input is malformed (HTTP 400, exit code 2).</summary>
    BadInput,
    /// <summary>There is no such peer, block or proposal (HTTP 404, exit code 3).</summary>
    NotFound,
    /// <summary>The node's state forbids it: signing refused, a fraud is known, a folder is in use (HTTP 409, exit code 4).</summary>
    Conflict,
    /// <summary>Nobody answered in time, or no node is running (HTTP 503, exit code 5).</summary>
    Unavailable,
}
