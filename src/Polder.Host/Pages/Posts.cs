using Microsoft.AspNetCore.Http.Features;
using Polder.Host.Pages.Simulator;
using Polder.Ledger.Fraud;
using Polder.Node.Operations;
using Endpoint = Polder.Net.Endpoint;

namespace Polder.Host.Pages;

/// <summary>
/// What forms do. A post that worked ends in a redirect and a notice; one that did not gives the form back with what was typed
/// and words beside the field.
/// </summary>
internal sealed class Posts(INodeOperations node, PageLoader loader, Notices notices, SimulationJobs jobs)
{
    /// <summary>How long a page waits for the other's signature; later it comes by itself.</summary>
    public static readonly TimeSpan RecordWait = TimeSpan.FromSeconds(1.5);
    /// <summary>How long a page waits for a chain; what comes later is shown all the same.</summary>
    public static readonly TimeSpan CrawlWait = TimeSpan.FromSeconds(8);
    /// <summary>Letters of "for what", at most.</summary>
    public const int ForLettersMax = 200;
    private const int BodyBytesMax = 64 * 1024;
    /// <summary>The longest bundle that the page takes (a form is kept whole before it is looked at); the command line takes longer ones.</summary>
    private const int BundleBytesMax = 100 << 20;

    public void Map(IEndpointRouteBuilder routes)
    {
        Post("/record", RecordAsync);
        Post("/peers", JoinAsync);
        Post("/inbox/{id}", AnswerAsync);
        Post("/crawl", CrawlAsync);
        Post("/invitation", InviteAsync);
        Post("/simulation", SimulateAsync);
        Post("/simulation/stop", StopSimulationAsync);
        Post("/network/crawl", SurveyAsync);
        Post("/fraud", FraudAsync, FraudFile.BytesMax + BodyBytesMax);
        Post("/mailbag/bundle", BundleAsync, BundleBytesMax + BodyBytesMax);

        void Post(string path, Func<HttpContext, IFormCollection, Task> handle, int bytesMax = BodyBytesMax) =>
            routes.MapPost(path, (RequestDelegate)(context => TakeAsync(context, handle, bytesMax)));
    }

    /// <summary>
    /// Only a browser on a page of ours may post: it names the page's origin (the gate has compared it) or says that the request
    /// is same-origin. A form token would prove the same and need a key and a cookie.
    /// </summary>
    internal static async Task<bool> IsOursAsync(HttpContext context)
    {
        if (context.Request.Headers.Origin.Count == 1 || context.Request.Headers["Sec-Fetch-Site"] == "same-origin") return true;
        await PageRoutes.AnswerAsync(context, () => throw new OperationRefusedException(RefusalKind.BadInput,
            "A form was sent without saying where it comes from, so it was not taken. Scripts use the local API: docs/api.md.")).ConfigureAwait(false);
        return false;
    }

    internal static async Task TakeAsync(HttpContext context, Func<HttpContext, IFormCollection, Task> handle, int bytesMax)
    {
        if (!await IsOursAsync(context).ConfigureAwait(false)) return;
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size) size.MaxRequestBodySize = bytesMax;
        IFormCollection form;
        try
        {
            form = context.Request.HasFormContentType
                ? await context.Request.ReadFormAsync(context.RequestAborted).ConfigureAwait(false) : FormCollection.Empty;
        }
        catch (Exception problem) when (problem is BadHttpRequestException or InvalidDataException)
        {
            await PageRoutes.AnswerAsync(context, () => throw new OperationRefusedException(RefusalKind.BadInput,
                "The form was larger than this page makes it.")).ConfigureAwait(false);
            return;
        }
        await handle(context, form).ConfigureAwait(false);
    }

    private async Task RecordAsync(HttpContext context, IFormCollection form)
    {
        var stop = context.RequestAborted;
        var values = Typed(form, "direction", "amount", "unit", "peer", "for", "from");
        var errors = new Dictionary<string, string>();
        Units.TryParse(values["amount"], values["unit"], out var amount, out var unit, errors);
        var purpose = values["for"];
        if (purpose.Length == 0) errors["for"] = "Say what for, in a few words.";
        else if (purpose.Length > ForLettersMax) errors["for"] = $"At most {ForLettersMax} letters.";
        if (values["direction"] is not ("gave" or "got")) errors["direction"] = "Say whether you gave or got.";

        PeerName? peer = null;
        if (values["peer"].Length == 0) errors["peer"] = "Say with whom: a short name or a key.";
        else
        {
            try { peer = await node.ResolveAsync(values["peer"], stop).ConfigureAwait(false); }
            catch (OperationRefusedException refusal) { errors["peer"] = refusal.Message; }
        }

        Notice? failure = null;
        if (errors.Count == 0 && peer is not null)
        {
            try
            {
                var record = await node.RecordAsync(
                    new RecordRequest(peer.PublicKey, values["direction"] == "gave", amount, unit, purpose, RecordWait), stop).ConfigureAwait(false);
                var said = record.State == "agreed"
                    ? new Notice("good", "Agreed.", $"{peer.Name} has signed too. Both halves are in the books.", Words.BlockLink(record.Block), "See the block")
                    : new Notice("good", "Proposed.", $"Your half is signed and safe on disk. It becomes a record when {peer.Name} signs.",
                        Words.BlockLink(record.Block), "See the block");
                Redirect(context, "/chain", said);
                return;
            }
            catch (OperationRefusedException refusal) { failure = new Notice("bad", "Nothing was signed.", refusal.Message); }
        }
        var state = new FormState(values, errors);
        await PageRoutes.AnswerAsync(context, () => values["from"] == "peers"
                ? loader.PeersAsync(state, FormState.Empty, failure, stop)
                : loader.HomeAsync(state, FormState.Empty, null, failure, stop),
            StatusCodes.Status422UnprocessableEntity).ConfigureAwait(false);
    }

    private async Task JoinAsync(HttpContext context, IFormCollection form)
    {
        var stop = context.RequestAborted;
        var values = Typed(form, "address", "from");
        if (values["address"].StartsWith("peer:", StringComparison.OrdinalIgnoreCase))
        {
            await AcceptAsync(context, values).ConfigureAwait(false);
            return;
        }
        var (error, endpoint) = Address(values["address"]);
        if (error is null)
        {
            try
            {
                await node.WalkToAsync(endpoint, stop).ConfigureAwait(false);
                Redirect(context, "/peers", new Notice("", "Asked.", $"{endpoint} has a few seconds to answer. Whoever answers appears here."));
                return;
            }
            catch (OperationRefusedException refusal) { error = refusal.Message; }
        }
        await JoinAgainAsync(context, values, error).ConfigureAwait(false);
    }

    private Task JoinAgainAsync(HttpContext context, Dictionary<string, string> values, string error)
    {
        var state = new FormState(values, new Dictionary<string, string> { ["address"] = error });
        return PageRoutes.AnswerAsync(context, () => values["from"] == "home"
                ? loader.HomeAsync(FormState.Empty, state, true, null, context.RequestAborted)
                : loader.PeersAsync(FormState.Empty, state, null, context.RequestAborted),
            StatusCodes.Status422UnprocessableEntity);
    }

    private async Task AcceptAsync(HttpContext context, Dictionary<string, string> values)
    {
        try
        {
            var contact = await node.Network.AcceptInvitationAsync(values["address"], context.RequestAborted).ConfigureAwait(false);
            Redirect(context, "/peers", new Notice("good", "You are contacts.", $"{contact.Name} and this node know each other now.", "/doctor", "See how you are connected"));
        }
        catch (OperationRefusedException refusal) { await JoinAgainAsync(context, values, refusal.Message).ConfigureAwait(false); }
    }

    private async Task SimulateAsync(HttpContext context, IFormCollection form)
    {
        var values = Typed(form, SimulatorPosts.Fields);
        var errors = SimulatorPosts.Start(jobs, values);
        if (errors.Count > 0)
        {
            await PageRoutes.AnswerAsync(context, () => loader.SimulationAsync(values["study"], new FormState(values, errors), null, context.RequestAborted),
                StatusCodes.Status422UnprocessableEntity).ConfigureAwait(false);
            return;
        }
        // Small ones are done at once: then the next page has it all, with and without script.
        await jobs.WaitAsync(RecordWait).ConfigureAwait(false);
        SeeSimulation(context, values["study"]);
    }

    private async Task StopSimulationAsync(HttpContext context, IFormCollection form)
    {
        jobs.Stop();
        await jobs.WaitAsync(RecordWait).ConfigureAwait(false);
        SeeSimulation(context, form["study"].ToString());
    }

    private static void SeeSimulation(HttpContext context, string study)
    {
        context.Response.StatusCode = StatusCodes.Status303SeeOther;
        context.Response.Headers.Location = $"/simulation?study={Uri.EscapeDataString(SimulatorChoice.Find(study).Key)}#live-simulation";
    }

    // Drawn at once and not redirected to: an invitation in an address would stay in the browser's history.
    private Task InviteAsync(HttpContext context, IFormCollection form) =>
        PageRoutes.AnswerAsync(context, () => loader.InvitationAsync(context.RequestAborted));

    private async Task SurveyAsync(HttpContext context, IFormCollection form)
    {
        Notice said;
        try
        {
            var run = form["run"] == "true";
            await node.Survey.RunAsync(run, context.RequestAborted).ConfigureAwait(false);
            said = run ? new Notice("good", "It has begun.", "Everybody's chains come in, a few requests a second.") : new Notice("", "It has ended.", "What came is kept; it goes on from there.");
        }
        catch (OperationRefusedException refusal) { said = new Notice("bad", "Nothing was begun.", refusal.Message); }
        Redirect(context, "/network", said);
    }

    private async Task BundleAsync(HttpContext context, IFormCollection form)
    {
        var stop = context.RequestAborted;
        string problem;
        if (form.Files["file"] is not { Length: > 0 } file) problem = "Choose a file first: a bundle, as somebody gave it to you.";
        else
        {
            try
            {
                var stream = file.OpenReadStream();
                await using (stream.ConfigureAwait(false))
                {
                    var taken = await node.Mail.ImportAsync(stream, stop).ConfigureAwait(false);
                    var isNew = taken.Letters + taken.Carried + taken.Blocks + taken.Count > 0;
                    Redirect(context, "/mailbag", new Notice(isNew ? "good" : "", isNew ? "Taken in." : "Read.", taken.Words));
                    return;
                }
            }
            catch (OperationRefusedException refusal) { problem = refusal.Message; }
        }
        await PageRoutes.AnswerAsync(context, () => loader.MailbagAsync(problem, null, stop), StatusCodes.Status422UnprocessableEntity).ConfigureAwait(false);
    }

    // Drawn at once: the file is nowhere but in this request.
    private async Task FraudAsync(HttpContext context, IFormCollection form)
    {
        var stop = context.RequestAborted;
        var (check, kept, problem) = (default(FraudCheckView), false, default(string));
        if (form.Files["file"] is not { Length: > 0 } file) problem = "Choose a file first: a proof of fraud, as somebody gave it to you.";
        else if (file.Length > FraudFile.BytesMax) problem = $"This file is larger than a proof of fraud can be ({FraudFile.BytesMax / 1024} KB).";
        else
        {
            var content = new byte[file.Length];
            var stream = file.OpenReadStream();
            await using (stream.ConfigureAwait(false)) await stream.ReadExactlyAsync(content, stop).ConfigureAwait(false);
            try
            {
                check = await node.Fraud.CheckAsync(content, stop).ConfigureAwait(false);
                if (check.Proven && form["do"] == "keep")
                {
                    await node.Fraud.ImportAsync(content, stop).ConfigureAwait(false);
                    kept = true;
                }
            }
            catch (OperationRefusedException refusal) { problem = refusal.Message; }
        }
        await PageRoutes.AnswerAsync(context, () => loader.FraudAsync(check, kept, problem, null, stop),
            problem is null && check is { Proven: true } ? StatusCodes.Status200OK : StatusCodes.Status422UnprocessableEntity).ConfigureAwait(false);
    }

    /// <summary>What is wrong with an address, in words, or the address.</summary>
    internal static (string? Error, Endpoint Endpoint) Address(string text)
    {
        if (text.Length == 0) return ("Write host and port, for example 192.168.1.31:8090.", default);
        if (Endpoint.TryParse(text, out var endpoint))
            return endpoint.IsSendable ? (null, endpoint) : ("Nothing can be sent to this address.", default);
        var colon = text.LastIndexOf(':');
        if (colon < 0 || text.EndsWith(']')) return ("The port is missing: write it behind a colon, for example 192.168.1.31:8090.", default);
        if (!ushort.TryParse(text.AsSpan(colon + 1), out var port) || port == 0) return ("The port is a number from 1 to 65535.", default);
        return ("The host is not an address. Write numbers, for example 192.168.1.31:8090 or [2001:db8::1]:8090.", default);
    }

    private async Task AnswerAsync(HttpContext context, IFormCollection form)
    {
        var id = (string?)context.Request.RouteValues["id"] ?? "";
        var word = form["word"].ToString();
        Notice said;
        try
        {
            if (word is not ("accept" or "refuse"))
                throw new OperationRefusedException(RefusalKind.BadInput, "Say accept or refuse.");
            var answered = await node.AnswerAsync([id], word == "accept", context.RequestAborted).ConfigureAwait(false);
            if (answered.Count == 0) throw new OperationRefusedException(RefusalKind.NotFound, "This proposal does not wait any more.");
            var item = answered[0];
            said = word == "accept"
                ? new Notice("good", "Signed.", $"Your block agrees with block {Sequence(item.Block)} of {item.FromName}.", "/chain", "See it in your chain")
                : new Notice("", "Refused.", $"You signed nothing. {item.FromName} may propose again, with other words.");
        }
        catch (OperationRefusedException refusal) { said = new Notice("bad", "Nothing was signed.", refusal.Message); }
        Redirect(context, "/inbox", said);
    }

    private async Task CrawlAsync(HttpContext context, IFormCollection form)
    {
        var peer = form["peer"].ToString().Trim();
        Notice said;
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        patience.CancelAfter(CrawlWait);
        try
        {
            var crawl = await node.CrawlAsync(peer, patience.Token).ConfigureAwait(false);
            said = (crawl.Blocks, crawl.Complete) switch
            {
                (0, true) => new Notice("", "Nothing new.", "This node already holds the whole chain."),
                (0, false) => new Notice("wait", "Nothing came.", "The chain still has gaps here. Try again when its owner is there."),
                (var blocks, true) => new Notice("good", "Here it is.", $"{Words.Count(blocks, "block")} came; the chain has no gap."),
                var (blocks, _) => new Notice("wait", "A part came.", $"{Words.Count(blocks, "block")} came; some are still missing."),
            };
        }
        catch (OperationRefusedException refusal) { said = new Notice("bad", "No chain came.", refusal.Message); }
        catch (OperationCanceledException) when (!context.RequestAborted.IsCancellationRequested)
        {
            said = new Notice("wait", "Still asking.", "What comes appears here by itself.");
        }
        Redirect(context, Words.ChainLink(peer), said);
    }

    private static string Sequence(string block) => block[(block.LastIndexOf('.') + 1)..];

    private void Redirect(HttpContext context, string path, Notice notice)
    {
        context.Response.StatusCode = StatusCodes.Status303SeeOther;
        context.Response.Headers.Location = $"{path}{(path.Contains('?') ? '&' : '?')}notice={notices.Keep(notice)}";
    }

    private static Dictionary<string, string> Typed(IFormCollection form, params ReadOnlySpan<string> fields)
    {
        var values = new Dictionary<string, string>();
        foreach (var field in fields) values[field] = form[field].ToString().Trim();
        return values;
    }
}
