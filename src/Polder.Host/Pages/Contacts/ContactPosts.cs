using Polder.Apps.Contacts;
using Polder.Apps.Contacts.Pictures;
using Polder.Host.Api;
using Polder.Node.Operations;

namespace Polder.Host.Pages.Contacts;

/// <summary>What the forms of the contacts do. What worked ends in a redirect and a notice; what did not gives the form back with words beside the field.</summary>
internal sealed class ContactPosts(INodeOperations node, PageLoader loader, Notices notices)
{
    private const int FormBytesMax = 64 * 1024;

    public void Map(IEndpointRouteBuilder routes)
    {
        Post("/contacts/add", AddAsync);
        Post("/contacts/picture", PictureAsync, PngReader.FileBytesMax + FormBytesMax);
        Post("/contacts/read", ReadAsync, PngReader.FileBytesMax + FormBytesMax);
        Post("/contacts/code", SpeakAsync);
        Post("/contacts/code/stop", HushAsync);
        Post("/contacts/answer", AnswerAsync);
        Post("/contacts/change", ChangeAsync);
        Post("/contacts/remove", RemoveAsync);
        Post("/contacts/introduce", IntroduceAsync);
        Post("/contacts/name", NameAsync);
        Post("/contacts/import", ImportAsync, ContactFile.BytesMax + FormBytesMax);
        routes.MapGet("/contacts/card.png", (RequestDelegate)CardAsync);
        routes.MapGet("/contacts/export", (RequestDelegate)ExportAsync);

        void Post(string path, Func<HttpContext, IFormCollection, Task> handle, int bytesMax = FormBytesMax) =>
            routes.MapPost(path, (RequestDelegate)(context => Posts.TakeAsync(context, handle, bytesMax)));
    }

    private async Task AddAsync(HttpContext context, IFormCollection form)
    {
        var values = Typed(form, "text", "name", "verified");
        try { await AddAsync(context, values["text"], values).ConfigureAwait(false); }
        catch (OperationRefusedException refusal) { await AgainAsync(context, values, "text", refusal.Message).ConfigureAwait(false); }
    }

    private async Task PictureAsync(HttpContext context, IFormCollection form)
    {
        var values = Typed(form, "name", "verified");
        try { await AddAsync(context, ContactApi.Scan(await FileAsync(form, "picture", "Choose a picture first.", context.RequestAborted).ConfigureAwait(false)), values).ConfigureAwait(false); }
        catch (OperationRefusedException refusal) { await AgainAsync(context, values, "picture", refusal.Message).ConfigureAwait(false); }
    }

    /// <summary>For the camera: the text of a QR code in one picture of it, empty for none.</summary>
    private static async Task ReadAsync(HttpContext context, IFormCollection form)
    {
        var text = "";
        try { text = ContactApi.Scan(await FileAsync(form, "picture", "", context.RequestAborted).ConfigureAwait(false)); }
        catch (OperationRefusedException) { /* The next picture may show more. */ }
        context.Response.ContentType = "text/plain; charset=utf-8";
        context.Response.Headers.CacheControl = "no-store";
        await context.Response.WriteAsync(text, context.RequestAborted).ConfigureAwait(false);
    }

    private async Task AddAsync(HttpContext context, string text, Dictionary<string, string> values)
    {
        // Whoever was given a code looks for the first field there is.
        if (ContactText.Read(text).Kind == ContactTextKind.SpokenCode)
        {
            await node.Contacts.SpeakAsync(text, context.RequestAborted).ConfigureAwait(false);
            See(context, "/contacts#spoken");
            return;
        }
        var added = await node.Contacts.AddAsync(
            new PersonToAdd(text, values["name"] is { Length: > 0 } name ? name : null, values["verified"] == "1"), context.RequestAborted).ConfigureAwait(false);
        Redirect(context, ContactModel.Link(added.Person.PublicKey), new Notice("good", "Added.", added.Said));
    }

    private async Task SpeakAsync(HttpContext context, IFormCollection form)
    {
        var values = Typed(form, "code");
        try
        {
            await node.Contacts.SpeakAsync(values["code"] is { Length: > 0 } code ? code : null, context.RequestAborted).ConfigureAwait(false);
            See(context, "/contacts#spoken");
        }
        catch (OperationRefusedException refusal) { await AgainAsync(context, values, "code", refusal.Message).ConfigureAwait(false); }
    }

    private async Task HushAsync(HttpContext context, IFormCollection form)
    {
        await node.Contacts.HushAsync(context.RequestAborted).ConfigureAwait(false);
        See(context, "/contacts#spoken");
    }

    private static void See(HttpContext context, string path)
    {
        context.Response.StatusCode = StatusCodes.Status303SeeOther;
        context.Response.Headers.Location = path;
    }

    private async Task AnswerAsync(HttpContext context, IFormCollection form)
    {
        try
        {
            var added = await node.Contacts.AnswerAsync(form["key"].ToString(), form["word"] == "accept", form["name"].ToString().Trim(), context.RequestAborted).ConfigureAwait(false);
            Redirect(context, added is null ? "/contacts" : ContactModel.Link(added.Person.PublicKey),
                added is null ? new Notice("", "Sent away.", "Nothing was told to that person.") : new Notice("good", "Accepted.", added.Said));
        }
        catch (OperationRefusedException refusal) { Redirect(context, "/contacts", new Notice("bad", "Not accepted.", refusal.Message)); }
    }

    private async Task ChangeAsync(HttpContext context, IFormCollection form)
    {
        var (who, stop) = (form["who"].ToString(), context.RequestAborted);
        bool? Flag(string field) => form[field].ToString() switch { "true" => true, "false" => false, _ => null };
        var change = new PersonChange(Field("name"), form["notes"] is { Count: > 0 } notes ? notes.ToString().ReplaceLineEndings("\n").TrimEnd() : null,
            Flag("blocked"), Flag("muted"), Flag("verified"), Field("number"));
        try
        {
            var person = await node.Contacts.ChangeAsync(who, change, stop).ConfigureAwait(false);
            Redirect(context, ContactModel.Link(person.PublicKey), new Notice("good", "Saved.", change switch
            {
                { Number: not null } => "The numbers are the same: verified.",
                { Verified: true } => "Verified.",
                { Verified: false } => "No longer verified.",
                { Blocked: true } => "Nothing of this person reaches you any more.",
                { Blocked: false } => "This person reaches you again.",
                { Muted: true } => "You hear this person without a signal.",
                { Notes: not null } => "Your notes are kept here only.",
                _ => $"You call this person {person.Name}.",
            }));
        }
        catch (OperationRefusedException refusal)
        {
            var field = change.Name is not null ? "name" : change.Number is not null ? "number" : change.Notes is not null ? "notes" : "";
            var state = new FormState(Typed(form, "name", "number", "notes").Where(pair => pair.Key == field).ToDictionary(),
                new Dictionary<string, string> { [field] = refusal.Message });
            await PageRoutes.AnswerAsync(context, () => loader.ContactAsync(who, state, field.Length == 0 ? new Notice("bad", "Not saved.", refusal.Message) : null, stop),
                StatusCodes.Status422UnprocessableEntity).ConfigureAwait(false);
        }

        string? Field(string name) => form[name].ToString().Trim() is { Length: > 0 } text ? text : form.ContainsKey(name) && name == "name" ? "" : null;
    }

    private async Task RemoveAsync(HttpContext context, IFormCollection form)
    {
        try
        {
            var person = await node.Contacts.RemoveAsync(form["who"].ToString(), context.RequestAborted).ConfigureAwait(false);
            Redirect(context, "/contacts", new Notice("", "Forgotten.", $"{person.Name} is not in your book any more."));
        }
        catch (OperationRefusedException refusal) { Redirect(context, "/contacts", new Notice("bad", "Nothing was changed.", refusal.Message)); }
    }

    private async Task IntroduceAsync(HttpContext context, IFormCollection form)
    {
        var who = form["who"].ToString();
        Notice said;
        try { said = new Notice("good", "Introduced.", (await node.Contacts.IntroduceAsync(who, form["to"].ToString(), context.RequestAborted).ConfigureAwait(false)).Said); }
        catch (OperationRefusedException refusal) { said = new Notice("bad", "Not introduced.", refusal.Message); }
        Redirect(context, ContactModel.Link(who), said);
    }

    private async Task NameAsync(HttpContext context, IFormCollection form)
    {
        try
        {
            var card = await node.Contacts.NameOwnAsync(form["name"].ToString(), context.RequestAborted).ConfigureAwait(false);
            Redirect(context, "/contacts", new Notice("good", "Saved.", card.Name.Length > 0 ? $"Your contacts see that you call yourself {card.Name}." : "You tell your contacts no name."));
        }
        catch (OperationRefusedException refusal) { await AgainAsync(context, Typed(form), "own", refusal.Message).ConfigureAwait(false); }
    }

    private async Task ImportAsync(HttpContext context, IFormCollection form)
    {
        try
        {
            var result = await node.Contacts.ImportAsync(
                await FileAsync(form, "file", "Choose a file first.", context.RequestAborted).ConfigureAwait(false), context.RequestAborted).ConfigureAwait(false);
            Redirect(context, "/contacts", new Notice("good", "Read in.", $"{result.Added} new, {result.Changed} changed, {result.Unchanged} as before."
                + (result.Own ? "" : $" The file was made by {result.By.Name}, so those who are new are not verified.")));
        }
        catch (OperationRefusedException refusal) { await AgainAsync(context, Typed(form), "file", refusal.Message).ConfigureAwait(false); }
    }

    private async Task CardAsync(HttpContext context)
    {
        try { await SendAsync(context, QrPicture.Png((await node.Contacts.CardAsync(context.RequestAborted).ConfigureAwait(false)).Text), "image/png", null).ConfigureAwait(false); }
        catch (OperationRefusedException refusal) { await PageRoutes.AnswerAsync(context, () => throw refusal).ConfigureAwait(false); }
    }

    private async Task ExportAsync(HttpContext context)
    {
        try
        {
            var shared = context.Request.Query["shared"] == "true";
            var file = await node.Contacts.ExportAsync(shared, context.RequestAborted).ConfigureAwait(false);
            await SendAsync(context, file, "application/json; charset=utf-8", shared ? "contacts-shared.json" : "contacts.json").ConfigureAwait(false);
        }
        catch (OperationRefusedException refusal) { await PageRoutes.AnswerAsync(context, () => throw refusal).ConfigureAwait(false); }
    }

    private static Task SendAsync(HttpContext context, byte[] content, string type, string? name)
    {
        context.Response.ContentType = type;
        context.Response.Headers.CacheControl = "no-store";
        if (name is not null) context.Response.Headers.ContentDisposition = $"attachment; filename=\"{name}\"";
        return context.Response.Body.WriteAsync(content, context.RequestAborted).AsTask();
    }

    private Task AgainAsync(HttpContext context, Dictionary<string, string> values, string field, string problem) => PageRoutes.AnswerAsync(context,
        () => loader.ContactsAsync(new FormState(values, new Dictionary<string, string> { [field] = problem }), null, context.RequestAborted),
        StatusCodes.Status422UnprocessableEntity);

    private void Redirect(HttpContext context, string path, Notice notice)
    {
        context.Response.StatusCode = StatusCodes.Status303SeeOther;
        context.Response.Headers.Location = $"{path}{(path.Contains('?') ? '&' : '?')}notice={notices.Keep(notice)}";
    }

    private static async Task<byte[]> FileAsync(IFormCollection form, string field, string missing, CancellationToken stop)
    {
        if (form.Files[field] is not { Length: > 0 } file) throw new OperationRefusedException(RefusalKind.BadInput, missing);
        var content = new byte[file.Length];
        var stream = file.OpenReadStream();
        await using (stream.ConfigureAwait(false)) await stream.ReadExactlyAsync(content, stop).ConfigureAwait(false);
        return content;
    }

    private static Dictionary<string, string> Typed(IFormCollection form, params ReadOnlySpan<string> fields)
    {
        var values = new Dictionary<string, string>();
        foreach (var field in fields) values[field] = form[field].ToString().Trim();
        return values;
    }
}
