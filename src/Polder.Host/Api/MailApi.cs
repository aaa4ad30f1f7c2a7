using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Http.Features;
using Polder.Node.Operations;
using Polder.Node.Operations.People;

namespace Polder.Host.Api;

/// <summary>The routes of <see cref="IMailOperations"/> (docs/api.md). Bundles travel as bytes, not as JSON.</summary>
internal static class MailApi
{
    /// <summary>What is in a bundle, as JSON, beside its bytes.</summary>
    public const string MadeHeader = "Polder-Bundle";

    public static void Map(WebApplication application, IMailOperations mail)
    {
        NodeApi.MapGet(application, "mailbag", HostJson.Default.MailbagView, (_, stop) => mail.LookAsync(stop));
        application.MapGet("/api/mailbag/bundle", (RequestDelegate)(context => ExportAsync(context, mail)));
        application.MapPost("/api/mailbag/bundle", (RequestDelegate)(context => TakeAsync(context, mail)));
    }

    private static Task TakeAsync(HttpContext context, IMailOperations mail) =>
        NodeApi.AnswerAsync(context, HostJson.Default.BundleTakenView, () => ImportAsync(context, mail));

    private static Task<BundleTakenView> ImportAsync(HttpContext context, IMailOperations mail)
    {
        // Nothing that a form elsewhere could send.
        if (context.Request.ContentType != "application/octet-stream") throw NodeApi.Bad("The body is the bundle itself, with Content-Type: application/octet-stream.");
        AllowLong(context);
        return mail.ImportAsync(context.Request.Body, context.RequestAborted);
    }

    /// <summary>Bundles may be longer than other requests.</summary>
    public static void AllowLong(HttpContext context)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit) limit.MaxRequestBodySize = IMailOperations.BundleBytesMax + (1 << 20);
    }

    /// <summary>Answers with a bundle: it is whole in a file of ours before the first byte goes out, so that a refusal can still be told.</summary>
    public static async Task ExportAsync(HttpContext context, IMailOperations mail, string? fileName = null)
    {
        try
        {
            var receiver = context.Request.Query["for"] is [{ Length: > 0 } text] ? text : null;
            var path = Path.Combine(Path.GetTempPath(), $"polder-{Guid.NewGuid():N}");
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Options = FileOptions.DeleteOnClose | FileOptions.Asynchronous };
            if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            var file = new FileStream(path, options);
            await using (file.ConfigureAwait(false))
            {
                var made = await mail.ExportAsync(receiver, file, context.RequestAborted).ConfigureAwait(false);
                file.Position = 0;
                context.Response.ContentType = "application/octet-stream";
                context.Response.ContentLength = file.Length;
                if (fileName is not null) context.Response.Headers.ContentDisposition = $"attachment; filename=\"{fileName}\"";
                context.Response.Headers[MadeHeader] = JsonSerializer.Serialize(made, HostJson.Default.BundleMadeView);
                await file.CopyToAsync(context.Response.Body, context.RequestAborted).ConfigureAwait(false);
            }
        }
        catch (OperationRefusedException refusal) when (!context.Response.HasStarted)
        {
            await Answers.WriteErrorAsync(context, Answers.StatusOf(refusal.Kind), refusal.Message).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // Whoever asked is gone, or the node stops.
        }
        catch (IOException problem) when (!context.Response.HasStarted)
        {
            await Answers.WriteErrorAsync(context, HttpStatusCode.Conflict, $"The bundle cannot be written: {problem.Message}").ConfigureAwait(false);
        }
    }
}
