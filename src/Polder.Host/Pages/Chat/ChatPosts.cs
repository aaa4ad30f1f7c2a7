using System.Security.Cryptography;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;
using Polder.Node.Operations;

namespace Polder.Host.Pages.Chat;

/// <summary>What the forms of the page Chat do, and the files that it shows. Uploads of any size go through a file, never through memory.</summary>
internal sealed class ChatPosts(INodeOperations node, PageLoader loader)
{
    private const int FieldLettersMax = 64 * 1024, FieldsMax = 32, PartsMax = 64;
    private const long UploadBytesMax = 64L << 30;

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/chat/send", (RequestDelegate)SendAsync);
        Post("/chat/edit", (form, stop) => node.Chat.EditAsync(form["message"].ToString(), form["text"].ToString(), stop));
        Post("/chat/delete", (form, stop) => node.Chat.DeleteAsync(form["message"].ToString(), stop));
        Post("/chat/react", (form, stop) => node.Chat.ReactAsync(form["message"].ToString(), form["sign"].ToString(), form["on"] == "1", stop));
        Post("/chat/accept", (form, stop) => node.Chat.AcceptAsync(form["who"].ToString(), stop));
        Post("/chat/fetch", (form, stop) => node.Chat.FetchAsync(form["message"].ToString(), int.TryParse(form["file"], out var file) ? file : -1, stop));
        Post("/chat/change", (form, stop) => node.Chat.ChangeGroupAsync(
            form["who"].ToString(), form["change"].ToString(), form["person"] is { Count: > 0 } people && form["change"] != "leave" && form["change"] != "rename" ? [.. people.OfType<string>()] : [], form["name"], stop));
        routes.MapPost("/chat/group", (RequestDelegate)(context => DoAsync(context, async (form, stop) =>
            (await node.Chat.CreateGroupAsync(form["name"].ToString(), [.. form["member"].OfType<string>()], stop).ConfigureAwait(false)).Address)));
        routes.MapGet("/chat/file/{message}/{number:int}", (RequestDelegate)FileAsync);

        void Post(string path, Func<IFormCollection, CancellationToken, Task> act) => routes.MapPost(path, (RequestDelegate)(context => DoAsync(context, async (form, stop) =>
        {
            await act(form, stop).ConfigureAwait(false);
            return form["who"].ToString();
        })));
    }

    private async Task DoAsync(HttpContext context, Func<IFormCollection, CancellationToken, Task<string>> act)
    {
        if (!await Posts.IsOursAsync(context).ConfigureAwait(false)) return;
        IFormCollection form;
        try { form = context.Request.HasFormContentType ? await context.Request.ReadFormAsync(context.RequestAborted).ConfigureAwait(false) : FormCollection.Empty; }
        catch (Exception problem) when (problem is BadHttpRequestException or InvalidDataException) { form = FormCollection.Empty; }
        try { Go(context, await act(form, context.RequestAborted).ConfigureAwait(false)); }
        catch (OperationRefusedException refusal) { await AgainAsync(context, form["who"].ToString(), form["text"].ToString(), form["message"], refusal.Message).ConfigureAwait(false); }
    }

    private async Task SendAsync(HttpContext context)
    {
        if (!await Posts.IsOursAsync(context).ConfigureAwait(false)) return;
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size) size.MaxRequestBodySize = UploadBytesMax;
        var (fields, uploads) = (new Dictionary<string, string>(StringComparer.Ordinal), new List<ChatUpload>());
        try
        {
            try { await ReadAsync(context, fields, uploads).ConfigureAwait(false); }
            catch (Exception problem) when (problem is BadHttpRequestException or InvalidDataException or IOException)
            {
                throw new OperationRefusedException(RefusalKind.BadInput, $"The files could not be taken: {problem.Message}");
            }
            // A text area speaks of lines as the web does.
            var text = fields.GetValueOrDefault("text", "").ReplaceLineEndings("\n").Trim();
            await node.Chat.SendAsync(fields.GetValueOrDefault("who", ""), text, fields.GetValueOrDefault("reply"), uploads, context.RequestAborted).ConfigureAwait(false);
            Go(context, fields.GetValueOrDefault("who", ""));
        }
        catch (OperationRefusedException refusal)
        {
            await AgainAsync(context, fields.GetValueOrDefault("who", ""), fields.GetValueOrDefault("text", ""), null, refusal.Message).ConfigureAwait(false);
        }
        finally
        {
            foreach (var upload in uploads) File.Delete(upload.Path);
        }
    }

    private static async Task ReadAsync(HttpContext context, Dictionary<string, string> fields, List<ChatUpload> uploads)
    {
        var stop = context.RequestAborted;
        if (!MediaTypeHeaderValue.TryParse(context.Request.ContentType, out var type) || HeaderUtilities.RemoveQuotes(type.Boundary).Value is not { Length: > 0 and <= 200 } boundary)
        {
            foreach (var (name, value) in await context.Request.ReadFormAsync(stop).ConfigureAwait(false)) fields[name] = value.ToString();
            return;
        }
        var reader = new MultipartReader(boundary, context.Request.Body);
        for (var parts = 0; await reader.ReadNextSectionAsync(stop).ConfigureAwait(false) is { } section; parts++)
        {
            if (parts >= PartsMax) throw new InvalidDataException("too many files at once.");
            if (!ContentDispositionHeaderValue.TryParse(section.ContentDisposition, out var head)) continue;
            var file = HeaderUtilities.RemoveQuotes(head.FileNameStar.HasValue ? head.FileNameStar : head.FileName).Value;
            if (!head.FileName.HasValue && !head.FileNameStar.HasValue)
            {
                if (fields.Count >= FieldsMax) continue;
                using var text = new StreamReader(section.Body, leaveOpen: true);
                var letters = new char[FieldLettersMax];
                var count = await text.ReadBlockAsync(letters, stop).ConfigureAwait(false);
                fields[HeaderUtilities.RemoveQuotes(head.Name).Value ?? ""] = new string(letters, 0, count);
                continue;
            }
            // A form without a chosen file sends an empty one.
            if (string.IsNullOrEmpty(file)) continue;
            var path = Path.Combine(Path.GetTempPath(), "polder-upload-" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(12)));
            uploads.Add(new ChatUpload(path, file));
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None, Options = FileOptions.Asynchronous };
            if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            var destination = new FileStream(path, options);
            await using (destination.ConfigureAwait(false)) await section.Body.CopyToAsync(destination, stop).ConfigureAwait(false);
        }
    }

    /// <summary>A file of a message. Only pictures, by their first bytes, are drawn; everything else is saved, and nothing in it can run.</summary>
    private async Task FileAsync(HttpContext context)
    {
        var (values, stop) = (context.Request.RouteValues, context.RequestAborted);
        ChatFileContent file;
        try { file = await node.Chat.OpenFileAsync((string?)values["message"] ?? "", int.TryParse((string?)values["number"], out var number) ? number : -1, stop).ConfigureAwait(false); }
        catch (OperationRefusedException refusal)
        {
            await PageRoutes.AnswerAsync(context, () => throw refusal).ConfigureAwait(false);
            return;
        }
        var headers = context.Response.Headers;
        headers.ContentSecurityPolicy = "default-src 'none'; sandbox";
        headers.CacheControl = "private, max-age=86400, immutable";
        context.Response.ContentLength = file.SizeBytes;
        var saved = file.PictureType is null || context.Request.Query["save"] == "1";
        context.Response.ContentType = saved ? "application/octet-stream" : file.PictureType;
        var disposition = new ContentDispositionHeaderValue(saved ? "attachment" : "inline");
        disposition.SetHttpFileName(file.Name);
        headers.ContentDisposition = disposition.ToString();
        try { await file.CopyAsync(context.Response.Body, stop).ConfigureAwait(false); }
        catch (Exception problem) when (problem is OperationCanceledException or OperationRefusedException) { context.Abort(); }
    }

    private static void Go(HttpContext context, string who)
    {
        context.Response.StatusCode = StatusCodes.Status303SeeOther;
        context.Response.Headers.Location = "/chat?with=" + Uri.EscapeDataString(who);
    }

    private Task AgainAsync(HttpContext context, string who, string text, string? message, string problem) => PageRoutes.AnswerAsync(
        context, () => loader.ChatAsync(who.Length == 0 ? null : who, null, null, null, message is { Length: > 0 } && context.Request.Path == "/chat/edit" ? message : null, null, text, problem, null, context.RequestAborted),
        StatusCodes.Status422UnprocessableEntity);
}
