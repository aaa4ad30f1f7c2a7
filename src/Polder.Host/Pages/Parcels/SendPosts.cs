using System.Text.Json;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;
using Polder.Host.Api;
using Polder.Node.Operations;
using Polder.Node.Parcels;

namespace Polder.Host.Pages.Parcels;

/// <summary>What the forms of the page Send do. Uploads of any size go to a folder of the node as they come, never through memory.</summary>
internal sealed class SendPosts(INodeOperations node, PageLoader loader)
{
    private const long UploadBytesMax = 1L << 40;
    private const int FilesMax = 10_000, CopyBytes = 256 * 1024;

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/send/files", (RequestDelegate)FilesAsync);
        Post("/send/receive", async (form, stop) => (await node.Parcels.ReceiveAsync(form["code"].ToString(), null, stop).ConfigureAwait(false)).Id);
        Post("/send/answer", async (form, stop) => (await node.Parcels.AnswerAsync(form["id"].ToString(), form["word"] == "accept", stop).ConfigureAwait(false)).Id);
        Post("/send/stop", async (form, stop) => (await node.Parcels.StopAsync(form["id"].ToString(), stop).ConfigureAwait(false)).Id);
        Post("/send/resume", async (form, stop) => (await node.Parcels.ResumeAsync(form["id"].ToString(), stop).ConfigureAwait(false)).Id);
        Post("/send/forget", async (form, stop) =>
        {
            await node.Parcels.ForgetAsync(form["id"].ToString(), stop).ConfigureAwait(false);
            return "";
        });
        routes.MapGet("/send/words", (RequestDelegate)(context =>
        {
            context.Response.ContentType = "application/json";
            return JsonSerializer.SerializeAsync(context.Response.Body, node.Parcels.Complete(context.Request.Query["typed"].ToString()), ParcelApiJson.Default.IReadOnlyListString, context.RequestAborted);
        }));

        void Post(string path, Func<IFormCollection, CancellationToken, Task<string>> act) => routes.MapPost(path, (RequestDelegate)(context => DoAsync(context, act)));
    }

    private async Task DoAsync(HttpContext context, Func<IFormCollection, CancellationToken, Task<string>> act)
    {
        if (!await Posts.IsOursAsync(context).ConfigureAwait(false)) return;
        IFormCollection form;
        try { form = context.Request.HasFormContentType ? await context.Request.ReadFormAsync(context.RequestAborted).ConfigureAwait(false) : FormCollection.Empty; }
        catch (Exception problem) when (problem is BadHttpRequestException or InvalidDataException) { form = FormCollection.Empty; }
        try { Go(context, await act(form, context.RequestAborted).ConfigureAwait(false)); }
        catch (OperationRefusedException refusal) { await AgainAsync(context, "code", form["code"].ToString(), refusal.Message).ConfigureAwait(false); }
    }

    private async Task FilesAsync(HttpContext context)
    {
        if (!await Posts.IsOursAsync(context).ConfigureAwait(false)) return;
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size) size.MaxRequestBodySize = UploadBytesMax;
        string? folder = null;
        try
        {
            try
            {
                folder = await node.Parcels.UploadFolderAsync(context.RequestAborted).ConfigureAwait(false);
                await TakeAsync(context, folder).ConfigureAwait(false);
            }
            catch (Exception problem) when (problem is BadHttpRequestException or InvalidDataException or IOException or UnauthorizedAccessException)
            {
                throw new OperationRefusedException(RefusalKind.BadInput, $"The files could not be taken: {problem.Message}");
            }
            string[] tops = [.. Directory.EnumerateFileSystemEntries(folder).Order(StringComparer.Ordinal)];
            if (tops.Length == 0) throw new OperationRefusedException(RefusalKind.BadInput, "Choose at least one file.");
            Go(context, (await node.Parcels.SendAsync(tops, null, context.RequestAborted).ConfigureAwait(false)).Id);
        }
        catch (OperationRefusedException refusal)
        {
            if (folder is not null) Remove(folder);
            await AgainAsync(context, "files", "", refusal.Message).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The browser went in the middle.
            if (folder is not null) Remove(folder);
        }
    }

    private static async Task TakeAsync(HttpContext context, string folder)
    {
        var stop = context.RequestAborted;
        if (!MediaTypeHeaderValue.TryParse(context.Request.ContentType, out var type) || HeaderUtilities.RemoveQuotes(type.Boundary).Value is not { Length: > 0 and <= 200 } boundary) return;
        var reader = new MultipartReader(boundary, context.Request.Body, CopyBytes);
        for (var files = 0; await reader.ReadNextSectionAsync(stop).ConfigureAwait(false) is { } section;)
        {
            if (!ContentDispositionHeaderValue.TryParse(section.ContentDisposition, out var head)) continue;
            var name = HeaderUtilities.RemoveQuotes(head.FileNameStar.HasValue ? head.FileNameStar : head.FileName).Value;
            // A form without a chosen file sends an empty one.
            if (string.IsNullOrEmpty(name)) continue;
            if (++files > FilesMax) throw new InvalidDataException($"more than {FilesMax} files at once. Pack them into one first, or use: polder send");
            // A browser names a file, or its path below a folder that was chosen; nothing else is a name here.
            if (ParcelWays.NameProblem(name) is { } problem) throw new InvalidDataException($"the name \"{SendModel.Name(name)}\" cannot travel: {problem}.");
            var path = Path.Combine(folder, name);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            var file = new FileStream(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None, Options = FileOptions.Asynchronous, BufferSize = 0 });
            await using (file.ConfigureAwait(false)) await section.Body.CopyToAsync(file, CopyBytes, stop).ConfigureAwait(false);
        }
    }

    private static void Remove(string folder)
    {
        try { Directory.Delete(folder, recursive: true); }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException) { }
    }

    private static void Go(HttpContext context, string id)
    {
        context.Response.StatusCode = StatusCodes.Status303SeeOther;
        context.Response.Headers.Location = id.Length == 0 ? "/send" : "/send#parcel-" + Uri.EscapeDataString(id);
    }

    private Task AgainAsync(HttpContext context, string field, string code, string problem) => PageRoutes.AnswerAsync(context, () => loader.SendAsync(
        new FormState(new Dictionary<string, string> { ["code"] = code }, new Dictionary<string, string> { [field] = problem }), null, context.RequestAborted),
        StatusCodes.Status422UnprocessableEntity);
}
