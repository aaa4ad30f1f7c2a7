using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Polder.Node.Operations;
using Endpoint = Polder.Net.Endpoint;

namespace Polder.Host.Api;

/// <summary>The local HTTP API: one route an operation (docs/api.md). <see cref="Gate"/> has checked host, origin and token.</summary>
internal static class NodeApi
{
    /// <summary>Longest wait for a counter-signature that a request may ask for.</summary>
    public static readonly TimeSpan WaitMax = TimeSpan.FromMinutes(5);
    /// <summary>How long GET /api/changes waits before it answers with the version that it knows.</summary>
    public static readonly TimeSpan ChangeWait = TimeSpan.FromSeconds(25);
    /// <summary>Blocks of one import.</summary>
    public const int ImportBlocksMax = 20_000;

    /// <summary>Adds the routes.</summary>
    public static void Map(WebApplication application, INodeOperations node)
    {
        var json = HostJson.Default;

        Get("identity", json.IdentityView, (_, stop) => node.IdentityAsync(stop));
        Get("status", json.StatusView, (_, stop) => node.StatusAsync(stop));
        Get("peers", json.IReadOnlyListPeerView, (_, stop) => node.PeersAsync(stop));
        Get("resolve", json.PeerName, (query, stop) => node.ResolveAsync(Needed(query, "peer"), stop));
        Get("inbox", json.IReadOnlyListInboxItem, (_, stop) => node.InboxAsync(stop));
        Get("chain", json.ChainView, (query, stop) =>
            node.ChainAsync(Text(query, "peer"), Number(query, "from", 1, int.MaxValue), Number(query, "count", 500, 5000), stop));
        Get("block", json.BlockDetail, (query, stop) => node.BlockAsync(Needed(query, "id"), stop));
        Get("trust", json.IReadOnlyListTrustView, (query, stop) => 
            node.TrustAsync(Text(query, "peer"), Text(query, "unit"), Text(query, "by"), Number(query, "top", 1000, 100_000), stop));
        Get("why", json.TrustExplanation, (query, stop) => node.WhyAsync(Needed(query, "peer"), Text(query, "unit"), Text(query, "by"), stop));
        Get("frauds", json.IReadOnlyListFraudView, (_, stop) => node.FraudsAsync(stop));
        Get("changes", json.ChangesView, async (query, stop) =>
        {
            var seen = Number(query, "seen", 0, long.MaxValue);
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
            patience.CancelAfter(ChangeWait);
            try { return new ChangesView(await node.WaitForChangeAsync(seen, patience.Token).ConfigureAwait(false)); }
            catch (OperationCanceledException) when (!stop.IsCancellationRequested) { return new ChangesView(seen); }
        });

        Post("peers/walk", json.WalkBody, json.WalkBody, async (body, stop) =>
        {
            if (!Endpoint.TryParse(body.Address ?? "", out var endpoint)) throw Bad($"\"{body.Address}\" is no address; an address is 127.0.0.1:8090 or [::1]:8090.");
            await node.WalkToAsync(endpoint, stop).ConfigureAwait(false);
            return new WalkBody(endpoint.ToString());
        });
        Post("records", json.RecordBody, json.RecordView, (body, stop) =>
        {
            var wait = body.WaitSeconds ?? 10;
            if (!(wait >= 0 && wait <= WaitMax.TotalSeconds)) throw Bad($"waitSeconds is a number from 0 to {WaitMax.TotalSeconds}.");
            return node.RecordAsync(new RecordRequest(
                body.Peer ?? throw Bad("\"peer\" is missing: a short name, a public key or the beginning of one."),
                body.Gave ?? throw Bad("\"gave\" is missing: true if this node helped the peer, false if the peer helped it."),
                body.Amount ?? throw Bad("\"amount\" is missing: a whole number above 0."),
                body.Unit ?? "bytes", body.For ?? "", TimeSpan.FromSeconds(wait)), stop);
        });
        Post("inbox", json.AnswerBody, json.IReadOnlyListInboxItem, (body, stop) =>
            node.AnswerAsync(body.Ids ?? [], body.Accept ?? throw Bad("\"accept\" is missing: true or false."), stop));
        Post("import", json.ImportBody, json.IReadOnlyListBlockView, (body, stop) =>
        {
            var blocks = body.Blocks ?? throw Bad("\"blocks\" is missing: a list of packed blocks as hex.");
            if (blocks.Count > ImportBlocksMax) throw Bad($"At most {ImportBlocksMax} blocks at once.");
            return node.ImportAsync([.. blocks.Select(Hex)], stop);
        });
        Post("crawl", json.CrawlBody, json.CrawlView, (body, stop) =>
            node.CrawlAsync(body.Peer ?? throw Bad("\"peer\" is missing: a short name, a public key or the beginning of one."), stop));
        NetworkApi.Map(application, node.Network);
        MailApi.Map(application, node.Mail);
        GraphApi.Map(application, node.Graph);
        ContactApi.Map(application, node);
        WatchApi.Map(application, node);
        LedgerApi.Map(application, node.Ledger);
        ChatApi.Map(application, () => node.Chat);
        ParcelApi.Map(application, () => node.Parcels);
        application.Map("/api/{**rest}", (RequestDelegate)(context => Answers.WriteErrorAsync(context, HttpStatusCode.NotFound,
            $"There is no {context.Request.Method} {context.Request.Path}; docs/api.md lists what there is.")));

        void Get<T>(string route, JsonTypeInfo<T> type, Func<IQueryCollection, CancellationToken, Task<T>> answer) =>
            MapGet(application, route, type, answer);

        void Post<TBody, T>(string route, JsonTypeInfo<TBody> bodyType, JsonTypeInfo<T> type, Func<TBody, CancellationToken, Task<T>> answer) =>
            MapPost(application, route, bodyType, type, answer);
    }

    /// <summary>Adds a question.</summary>
    public static void MapGet<T>(
        WebApplication application, string route, JsonTypeInfo<T> type, Func<IQueryCollection, CancellationToken, Task<T>> answer)
    {
        Task HandleAsync(HttpContext context) => AnswerAsync(context, type, () => answer(context.Request.Query, context.RequestAborted));
        application.MapGet("/api/" + route, HandleAsync);
    }

    /// <summary>Adds a request that changes something.</summary>
    public static void MapPost<TBody, T>(
        WebApplication application, string route, JsonTypeInfo<TBody> bodyType, JsonTypeInfo<T> type, Func<TBody, CancellationToken, Task<T>> answer)
    {
        Task HandleAsync(HttpContext context) => AnswerAsync(context, type, () => TakeAsync(context, bodyType, answer));
        application.MapPost("/api/" + route, HandleAsync);
    }

    internal static async Task AnswerAsync<T>(HttpContext context, JsonTypeInfo<T> type, Func<Task<T>> answer)
    {
        try
        {
            var value = await answer().ConfigureAwait(false);
            await Answers.WriteAsync(context, value, type).ConfigureAwait(false);
        }
        catch (OperationRefusedException refusal)
        {
            await Answers.WriteErrorAsync(context, Answers.StatusOf(refusal.Kind), refusal.Message).ConfigureAwait(false);
        }
        catch (BadHttpRequestException problem)
        {
            await Answers.WriteErrorAsync(context, (HttpStatusCode)problem.StatusCode, problem.Message).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!context.RequestAborted.IsCancellationRequested)
        {
            await Answers.WriteErrorAsync(context, HttpStatusCode.ServiceUnavailable, "The node is stopping.").ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // Whoever asked is gone.
        }
        catch (Exception problem) when (!context.Response.HasStarted)
        {
            var file = CrashReport.Write(problem, $"{context.Request.Method} {context.Request.Path}");
            await Answers.WriteErrorAsync(context, HttpStatusCode.InternalServerError,
                $"This is a fault of the program, not yours. What happened is in {file}; please send it to the authors.").ConfigureAwait(false);
        }
    }

    private static async Task<T> TakeAsync<TBody, T>(
        HttpContext context, JsonTypeInfo<TBody> bodyType, Func<TBody, CancellationToken, Task<T>> answer)
    {
        var body = await ReadAsync(context, bodyType).ConfigureAwait(false);
        return await answer(body, context.RequestAborted).ConfigureAwait(false);
    }

    private static async Task<TBody> ReadAsync<TBody>(HttpContext context, JsonTypeInfo<TBody> type)
    {
        // Only JSON: what an HTML form elsewhere could send is none, so a browser would have to ask us first.
        if (!context.Request.HasJsonContentType()) throw Bad("The body must be JSON, with Content-Type: application/json.");
        try
        {
            return await JsonSerializer.DeserializeAsync(context.Request.Body, type, context.RequestAborted).ConfigureAwait(false)
                ?? throw Bad("The body is empty; it must be a JSON object.");
        }
        catch (JsonException problem)
        {
            throw Bad($"The body is not the JSON that was expected (line {(problem.LineNumber ?? 0) + 1}, {problem.Path ?? "$"}).");
        }
    }

    private static string? Text(IQueryCollection query, string name) => query[name] is [{ Length: > 0 } text] ? text : null;

    internal static string Needed(IQueryCollection query, string name) =>
        Text(query, name) ?? throw Bad($"The query parameter \"{name}\" is missing.");

    internal static int Number(IQueryCollection query, string name, int fallback, int max) =>
        (int)Number(query, name, fallback, (long)max, 1);

    private static long Number(IQueryCollection query, string name, long fallback, long max, long min = 0)
    {
        if (Text(query, name) is not { } text) return fallback;
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= min && number <= max
            ? number : throw Bad($"\"{name}\" must be a whole number from {min} to {max}.");
    }

    internal static byte[] Hex(string text)
    {
        try { return Convert.FromHexString(text); }
        catch (FormatException) { throw Bad("A block is not hex."); }
    }

    internal static OperationRefusedException Bad(string words) => new(RefusalKind.BadInput, words);
}
