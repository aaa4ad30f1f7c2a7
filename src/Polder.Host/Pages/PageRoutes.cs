using Polder.Host.Pages.Chat;
using Polder.Host.Pages.Contacts;
using Polder.Host.Pages.Simulator;
using Polder.Node.Operations;

namespace Polder.Host.Pages;

/// <summary>Where the pages join the web application. WebFace calls both; everything in this folder is the pages' own.</summary>
/// <remarks>
/// Components are drawn to text by <see cref="PageRenderer"/> from models that <see cref="PageLoader"/> filled; there is no
/// circuit, no session and no form token. A post must prove that it comes from a page of ours (<see cref="Posts"/>).
/// </remarks>
internal static class PageRoutes
{
    /// <summary>Services of the pages.</summary>
    public static void AddPages(IServiceCollection services)
    {
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton<Notices>();
        services.AddSingleton<TrafficHistory>();
        services.AddHostedService(provider => provider.GetRequiredService<TrafficHistory>());
        services.AddSingleton<SimulationJobs>();
        services.AddSingleton<PageLoader>();
        services.AddSingleton<PageRenderer>();
        services.AddSingleton<LiveStream>();
        services.AddSingleton<Posts>();
        services.AddSingleton<ChatPosts>();
        services.AddSingleton<ContactPosts>();
        services.AddSingleton<Parcels.SendPosts>();
        services.AddSingleton<Graph.GraphPosts>();
    }

    /// <summary>Routes of the pages, their files, their streams and their posts.</summary>
    public static void MapPages(WebApplication application)
    {
        PageFiles.All.Map(application);
        var services = application.Services;
        var loader = services.GetRequiredService<PageLoader>();
        var notices = services.GetRequiredService<Notices>();

        Page("/", "home");
        Page("/peers", "peers");
        Page("/chain", "chain");
        Page("/trust", "trust");
        Page("/inbox", "inbox");
        Page("/doctor", "doctor");
        Page("/lab", "lab");
        Page("/simulation", "simulation");
        Page("/fraud", "fraud");
        Page("/network", "network");
        Page("/contacts", "contacts");
        Page("/join", "contacts");
        Page("/contact", "contact");
        services.GetRequiredService<ContactPosts>().Map(application);
        Page("/mailbag", "mailbag");
        application.MapGet("/mailbag/bundle", (RequestDelegate)(context => Api.MailApi.ExportAsync(context, services.GetRequiredService<INodeOperations>().Mail, "polder.bundle")));
        Page("/chat", "chat");
        Page("/send", "send");
        services.GetRequiredService<Parcels.SendPosts>().Map(application);
        Page("/graph", "graph");
        services.GetRequiredService<Graph.GraphPosts>().Map(application);
        services.GetRequiredService<ChatPosts>().Map(application);
        application.MapGet("/fraud/export", (RequestDelegate)(context => ExportFraudAsync(context, services.GetRequiredService<INodeOperations>())));
        Route("/block/{id}", context => loader.BlockAsync((string?)context.Request.RouteValues["id"] ?? "", context.RequestAborted));
        services.GetRequiredService<Posts>().Map(application);
        MapLive(application);
        // Whatever else is asked for gets a page in words, not a blank one.
        Task NothingAsync(HttpContext context) => AnswerAsync(context, () => throw new OperationRefusedException(
            RefusalKind.NotFound, $"There is no page at {context.Request.Path}."));
        application.MapFallback(NothingAsync);

        void Page(string path, string name) => Route(path, context => loader.LoadAsync(
            name, context.Request.Query, notices.Take(context.Request.Query["notice"]), context.RequestAborted));

        void Route(string path, Func<HttpContext, Task<IPageModel>> load)
        {
            Task HandleAsync(HttpContext context) => AnswerAsync(context, () => load(context));
            application.MapGet(path, HandleAsync);
        }
    }

    private static async Task ExportFraudAsync(HttpContext context, INodeOperations node)
    {
        try
        {
            var document = await node.Fraud.ExportAsync(context.Request.Query["peer"].ToString(), context.RequestAborted).ConfigureAwait(false);
            context.Response.ContentType = "application/json; charset=utf-8";
            context.Response.Headers.ContentDisposition = $"attachment; filename=\"{document.FileName}\"";
            context.Response.Headers.CacheControl = "no-store";
            await context.Response.Body.WriteAsync(document.Content, context.RequestAborted).ConfigureAwait(false);
        }
        catch (OperationRefusedException refusal) { await AnswerAsync(context, () => throw refusal).ConfigureAwait(false); }
        catch (OperationCanceledException) { /* The browser went. */ }
    }

    private static void MapLive(WebApplication application)
    {
        var live = application.Services.GetRequiredService<LiveStream>();
        var stopping = application.Lifetime.ApplicationStopping;
        application.MapGet("/live/{page}", (RequestDelegate)(async context =>
        {
            var page = (string?)context.Request.RouteValues["page"] ?? "";
            if (!PageLoader.LiveNames.Contains(page))
            {
                context.Response.StatusCode = StatusCodes.Status404NotFound;
                return;
            }
            if (!live.TryEnter())
            {
                context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
                context.Response.Headers.RetryAfter = "10";
                return;
            }
            using var end = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping);
            try
            {
                await TypedResults.ServerSentEvents(live.EventsAsync(page, context.Request.Query, end.Token)).ExecuteAsync(context).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                // The browser went, or the node stops.
            }
            finally
            {
                live.Leave();
            }
        }));
    }

    /// <summary>Loads and draws a page; a refusal becomes a page in words.</summary>
    public static async Task AnswerAsync(HttpContext context, Func<Task<IPageModel>> load, int status = StatusCodes.Status200OK)
    {
        var services = context.RequestServices;
        IPageModel model;
        try
        {
            try { model = await load().ConfigureAwait(false); }
            catch (OperationRefusedException refusal)
            {
                status = (int)Api.Answers.StatusOf(refusal.Kind);
                model = await services.GetRequiredService<PageLoader>()
                    .ProblemAsync(TitleOf(refusal.Kind), refusal.Message, context.RequestAborted).ConfigureAwait(false);
            }
            var text = await services.GetRequiredService<PageRenderer>().PageAsync(model).ConfigureAwait(false);
            context.Response.StatusCode = status;
            context.Response.ContentType = "text/html; charset=utf-8";
            // What a node knows is nobody else's: not into a disk cache, and never an old picture after "back".
            context.Response.Headers.CacheControl = "no-store";
            await context.Response.WriteAsync(text, context.RequestAborted).ConfigureAwait(false);
        }
        catch (OperationCanceledException) { }
        // A node that stops cannot even draw the page that says so.
        catch (OperationRefusedException refusal) when (!context.Response.HasStarted)
        {
            context.Response.StatusCode = (int)Api.Answers.StatusOf(refusal.Kind);
            context.Response.ContentType = "text/plain; charset=utf-8";
            await context.Response.WriteAsync(refusal.Message, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception problem) when (!context.Response.HasStarted)
        {
            var file = CrashReport.Write(problem, $"{context.Request.Method} {context.Request.Path}");
            context.Response.StatusCode = StatusCodes.Status500InternalServerError;
            context.Response.ContentType = "text/plain; charset=utf-8";
            await context.Response.WriteAsync(
                $"This is a fault of the program, not yours. What happened is in {file}; please send it to the authors.", CancellationToken.None).ConfigureAwait(false);
        }
    }

    private static string TitleOf(RefusalKind kind) => kind switch
    {
        RefusalKind.NotFound => "Not here",
        RefusalKind.BadInput => "This cannot be read",
        RefusalKind.Conflict => "Not now",
        _ => "No answer",
    };
}
