using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Polder.Node.Operations;
using Endpoint = Polder.Net.Endpoint;

namespace Polder.Host.Api;

/// <summary>A running node behind its local API: what the commands drive.</summary>
internal sealed class ApiNode : INodeOperations, IDisposable
{
    internal static readonly TimeSpan Short = TimeSpan.FromSeconds(30);
    internal static readonly TimeSpan Long = TimeSpan.FromMinutes(10);

    private readonly HttpClient _client;
    private readonly int _pid;

    /// <param name="file">Where the node is and what it wants to see.</param>
    public ApiNode(ApiFile file)
    {
        _pid = file.Pid;
        _client = new HttpClient(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false, UseCookies = false, ConnectTimeout = Short })
        {
            BaseAddress = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{file.Port}/api/")),
            Timeout = Timeout.InfiniteTimeSpan,
        };
        _client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", file.Token);
    }

    /// <summary>
    /// Whether the node is there and takes the token. A file may be left over from a node that was killed; but a node that is only slow on a
    /// busy machine is not said to be away, since a command would then work on its folder behind its back.
    /// </summary>
    /// <exception cref="OperationRefusedException">Its process lives and did not answer in time.</exception>
    public async Task<bool> IsThereAsync(CancellationToken cancellation, TimeSpan? patience = null)
    {
        try
        {
            using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            over.CancelAfter(patience ?? Short);
            using var response = await _client.GetAsync("identity", over.Token).ConfigureAwait(false);
            return response.IsSuccessStatusCode;
        }
        catch (HttpRequestException) { return false; }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            if (!IsAlive(_pid)) return false;
            throw new OperationRefusedException(RefusalKind.Unavailable,
                $"A node runs here (process {_pid}) and did not answer within {Short.TotalSeconds:0} seconds. Try again, or stop it if it hangs.");
        }
    }

    private static bool IsAlive(int pid)
    {
        try
        {
            using var process = Process.GetProcessById(pid);
            return !process.HasExited;
        }
        catch (ArgumentException) { return false; }
    }

    public Task<IdentityView> IdentityAsync(CancellationToken cancellation = default) =>
        GetAsync("identity", HostJson.Default.IdentityView, cancellation);
    public Task<StatusView> StatusAsync(CancellationToken cancellation = default) =>
        GetAsync("status", HostJson.Default.StatusView, cancellation);
    public Task<IReadOnlyList<PeerView>> PeersAsync(CancellationToken cancellation = default) =>
        GetAsync("peers", HostJson.Default.IReadOnlyListPeerView, cancellation);
    public Task WalkToAsync(Endpoint endpoint, CancellationToken cancellation = default) =>
        PostAsync("peers/walk", new WalkBody(endpoint.ToString()), HostJson.Default.WalkBody, HostJson.Default.WalkBody, Short, cancellation);
    public Task<PeerName> ResolveAsync(string peer, CancellationToken cancellation = default) =>
        GetAsync("resolve" + Query(("peer", peer)), HostJson.Default.PeerName, cancellation);
    public Task<RecordView> RecordAsync(RecordRequest request, CancellationToken cancellation = default) =>
        PostAsync("records",
            new RecordBody(request.Peer, request.Gave, request.Amount, request.Unit, request.For, request.Wait.TotalSeconds),
            HostJson.Default.RecordBody, HostJson.Default.RecordView, Short + request.Wait, cancellation);
    public Task<IReadOnlyList<InboxItem>> InboxAsync(CancellationToken cancellation = default) =>
        GetAsync("inbox", HostJson.Default.IReadOnlyListInboxItem, cancellation);
    public Task<IReadOnlyList<InboxItem>> AnswerAsync(IReadOnlyList<string> ids, bool accept, CancellationToken cancellation = default) =>
        PostAsync("inbox", new AnswerBody(ids, accept), HostJson.Default.AnswerBody, HostJson.Default.IReadOnlyListInboxItem, Short, cancellation);
    public Task<ChainView> ChainAsync(string? peer, int from = 1, int count = 500, CancellationToken cancellation = default) =>
        GetAsync("chain" + Query(("peer", peer), ("from", Text(from)), ("count", Text(count))), HostJson.Default.ChainView, cancellation);
    public Task<BlockDetail> BlockAsync(string id, CancellationToken cancellation = default) =>
        GetAsync("block" + Query(("id", id)), HostJson.Default.BlockDetail, cancellation);
    public async Task<IReadOnlyList<BlockView>> ImportAsync(IReadOnlyList<byte[]> packedBlocks, CancellationToken cancellation = default)
    {
        // In parts that stay well below what a request may carry.
        var verdicts = new List<BlockView>(packedBlocks.Count);
        for (var next = 0; next < packedBlocks.Count;)
        {
            var (part, letters) = (new List<string>(), 0L);
            while (next < packedBlocks.Count && (part.Count == 0 || letters + 2 * packedBlocks[next].Length < WebFace.BodyBytesMax / 4))
            {
                part.Add(Convert.ToHexStringLower(packedBlocks[next++]));
                letters += part[^1].Length;
            }
            verdicts.AddRange(await PostAsync("import", new ImportBody(part),
                HostJson.Default.ImportBody, HostJson.Default.IReadOnlyListBlockView, Long, cancellation).ConfigureAwait(false));
        }
        return verdicts;
    }
    public Task<CrawlView> CrawlAsync(string peer, CancellationToken cancellation = default) =>
        PostAsync("crawl", new CrawlBody(peer), HostJson.Default.CrawlBody, HostJson.Default.CrawlView, Long, cancellation);
    public Task<IReadOnlyList<TrustView>> TrustAsync(
        string? peer = null, string? unit = null, string? by = null, int top = 1000, CancellationToken cancellation = default) =>
        GetAsync("trust" + Query(("peer", peer), ("unit", unit), ("by", by), ("top", Text(top))), HostJson.Default.IReadOnlyListTrustView, cancellation);
    public Task<TrustExplanation> WhyAsync(string peer, string? unit = null, string? by = null, CancellationToken cancellation = default) =>
        GetAsync("why" + Query(("peer", peer), ("unit", unit), ("by", by)), HostJson.Default.TrustExplanation, cancellation);
    public Task<IReadOnlyList<FraudView>> FraudsAsync(CancellationToken cancellation = default) =>
        GetAsync("frauds", HostJson.Default.IReadOnlyListFraudView, cancellation);

    public INetworkOperations Network => new ApiNetwork(this);
    public Node.Operations.People.IMailOperations Mail => new ApiMail(this);
    public Node.Operations.People.IGraphOperations Graph => new ApiGraph(this);
    public ILedgerOperations Ledger => new ApiLedger(this);
    public IChatOperations Chat => new ApiChat(this);
    public IParcelOperations Parcels => new ApiParcels(this);
    public IContactOperations Contacts => new ApiContacts(this);

    public IFraudOperations Fraud => new ApiWatch(this);

    public ISurveyOperations Survey => new ApiWatch(this);

    public async Task<long> WaitForChangeAsync(long seen, CancellationToken cancellation = default)
    {
        while (true)
        {
            var answer = await GetAsync("changes" + Query(("seen", Text(seen))), HostJson.Default.ChangesView, cancellation, NodeApi.ChangeWait + Short).ConfigureAwait(false);
            if (answer.Version != seen) return answer.Version;
        }
    }

    public void Dispose() => _client.Dispose();

    internal Task<T> GetAsync<T>(string route, JsonTypeInfo<T> type, CancellationToken cancellation, TimeSpan? patience = null) =>
        AskAsync(stop => _client.GetAsync(route, stop), type, patience ?? Short, cancellation);

    internal Task<T> PostAsync<TBody, T>(
        string route, TBody body, JsonTypeInfo<TBody> bodyType, JsonTypeInfo<T> type, TimeSpan patience, CancellationToken cancellation) =>
        AskAsync(async stop =>
        {
            using var content = JsonContent.Create(body, bodyType);
            return await _client.PostAsync(route, content, stop).ConfigureAwait(false);
        }, type, patience, cancellation);

    /// <summary>Sends a stream and gives the answer.</summary>
    internal Task<T> SendAsync<T>(string route, Stream body, JsonTypeInfo<T> type, CancellationToken cancellation) => AskAsync(async stop =>
    {
        using var content = new StreamContent(body);
        content.Headers.ContentType = new System.Net.Http.Headers.MediaTypeHeaderValue("application/octet-stream");
        return await _client.PostAsync(route, content, stop).ConfigureAwait(false);
    }, type, Long, cancellation);

    /// <summary>Writes what the node answers into a stream; gives a header of the answer.</summary>
    internal async Task<string> FetchAsync(string route, string header, Stream to, CancellationToken cancellation)
    {
        try
        {
            using var response = await _client.GetAsync(route, HttpCompletionOption.ResponseHeadersRead, cancellation).ConfigureAwait(false);
            if (!response.IsSuccessStatusCode)
            {
                var words = await ErrorOfAsync(response, cancellation).ConfigureAwait(false);
                throw response.StatusCode == HttpStatusCode.InternalServerError ? new NodeFaultException(words) : new OperationRefusedException(Answers.KindOf(response.StatusCode), words);
            }
            await response.Content.CopyToAsync(to, cancellation).ConfigureAwait(false);
            return response.Headers.TryGetValues(header, out var values) ? values.First() : throw Broken("a header is missing");
        }
        catch (HttpRequestException problem)
        {
            throw new OperationRefusedException(RefusalKind.Unavailable, $"The node broke off the connection ({problem.Message}). Is it still running? Start it: polder run");
        }
    }

    private static async Task<T> AskAsync<T>(
        Func<CancellationToken, Task<HttpResponseMessage>> send, JsonTypeInfo<T> type, TimeSpan patience, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(patience);
        try
        {
            using var response = await send(limit.Token).ConfigureAwait(false);
            if (response.IsSuccessStatusCode)
                return await response.Content.ReadFromJsonAsync(type, limit.Token).ConfigureAwait(false) ?? throw Broken("an empty answer");
            var words = await ErrorOfAsync(response, limit.Token).ConfigureAwait(false);
            throw response.StatusCode switch
            {
                HttpStatusCode.InternalServerError => new NodeFaultException(words),
                HttpStatusCode.RequestEntityTooLarge => new OperationRefusedException(RefusalKind.BadInput, $"That is more than the node takes at once ({WebFace.BodyBytesMax / 1024 / 1024} MB)."),
                var status => new OperationRefusedException(Answers.KindOf(status), words),
            };
        }
        catch (HttpRequestException problem)
        {
            throw new OperationRefusedException(RefusalKind.Unavailable,
                problem.InnerException is SocketException { SocketErrorCode: SocketError.ConnectionRefused }
                    ? "The node stopped. Start it: polder run"
                    : $"The node broke off the connection ({problem.Message}). Is it still running? Start it: polder run");
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new OperationRefusedException(RefusalKind.Unavailable, $"The node did not answer within {patience.TotalSeconds:0} seconds.");
        }
        catch (JsonException problem)
        {
            throw Broken(problem.Message);
        }
    }

    private static async Task<string> ErrorOfAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        try
        {
            return (await response.Content.ReadFromJsonAsync(HostJson.Default.ErrorView, cancellation).ConfigureAwait(false))?.Error ?? Fallback();
        }
        catch (JsonException) { return Fallback(); }

        string Fallback() => $"The node answered with status {(int)response.StatusCode}.";
    }

    private static NodeFaultException Broken(string what) =>
        new($"The node's answer could not be read ({what}). Are the program and the running node of the same version? Restart it: polder run");

    internal static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    internal static string Query(params ReadOnlySpan<(string Name, string? Value)> parameters)
    {
        var query = "";
        foreach (var (name, value) in parameters)
            if (value is not null) query += (query.Length == 0 ? "?" : "&") + name + "=" + Uri.EscapeDataString(value);
        return query;
    }
}

/// <summary>The node, not its user, is at fault. The message is for people.</summary>
internal sealed class NodeFaultException(string message) : Exception(message);
