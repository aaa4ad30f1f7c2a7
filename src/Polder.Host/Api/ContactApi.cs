using System.Text.Json;
using System.Text.Json.Serialization;
using Polder.Apps.Contacts.Pictures;
using Polder.Apps.Contacts.Qr;
using Polder.Node.Operations;

namespace Polder.Host.Api;

/// <summary>Body of POST /api/contacts.</summary>
internal sealed record ContactBody(string? Text, string? Name, bool? Verified);

/// <summary>Body of POST /api/contacts/change: what is missing stays.</summary>
internal sealed record ContactChangeBody(string? Who, string? Name, string? Notes, bool? Blocked, bool? Muted, bool? Verified, string? Number);

/// <summary>A body that names a person.</summary>
internal sealed record WhoBody(string? Who);

/// <summary>Body of POST /api/contacts/introduce.</summary>
internal sealed record IntroduceBody(string? Who, string? To);

/// <summary>Body of POST /api/contacts/answer.</summary>
internal sealed record ContactAnswerBody(string? Key, bool? Accept, string? Name);

/// <summary>Answer of POST /api/contacts/answer: nobody, when it was sent away.</summary>
internal sealed record ContactAnswered(PersonAdded? Added);

/// <summary>Serializers of the contacts, made at compile time.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, WriteIndented = false, NumberHandling = JsonNumberHandling.Strict)]
[JsonSerializable(typeof(ContactBody))]
[JsonSerializable(typeof(ContactChangeBody))]
[JsonSerializable(typeof(WhoBody))]
[JsonSerializable(typeof(IntroduceBody))]
[JsonSerializable(typeof(ContactAnswerBody))]
[JsonSerializable(typeof(ContactAnswered))]
[JsonSerializable(typeof(ContactBookView))]
[JsonSerializable(typeof(IReadOnlyList<PersonView>))]
[JsonSerializable(typeof(ContactCardView))]
[JsonSerializable(typeof(PersonAdded))]
[JsonSerializable(typeof(ContactsImported))]
[JsonSerializable(typeof(IntroductionView))]
[JsonSerializable(typeof(SpokenView))]
internal sealed partial class ContactJson : JsonSerializerContext;

/// <summary>The routes of <see cref="IContactOperations"/> (docs/api.md).</summary>
internal static class ContactApi
{
    /// <summary>Adds the routes.</summary>
    public static void Map(WebApplication application, INodeOperations node)
    {
        var (json, common) = (ContactJson.Default, HostJson.Default);

        NodeApi.MapGet(application, "contacts", json.IReadOnlyListPersonView, async (_, stop) => (await node.Contacts.BookAsync(stop).ConfigureAwait(false)).People);
        NodeApi.MapGet(application, "contacts/book", json.ContactBookView, (_, stop) => node.Contacts.BookAsync(stop));
        NodeApi.MapGet(application, "contacts/show", json.PersonView, (query, stop) => node.Contacts.ShowAsync(NodeApi.Needed(query, "who"), stop));
        NodeApi.MapGet(application, "contacts/card", json.ContactCardView, (_, stop) => node.Contacts.CardAsync(stop));
        NodeApi.MapGet(application, "contacts/export", common.FileBody, async (query, stop) =>
            new FileBody(await node.Contacts.ExportAsync(query["shared"] == "true", stop).ConfigureAwait(false)));

        NodeApi.MapPost(application, "contacts", json.ContactBody, json.PersonAdded, (body, stop) =>
            node.Contacts.AddAsync(new PersonToAdd(Text(body.Text, "text"), body.Name, body.Verified ?? false), stop));
        NodeApi.MapPost(application, "contacts/change", json.ContactChangeBody, json.PersonView, (body, stop) => node.Contacts.ChangeAsync(
            Text(body.Who, "who"), new PersonChange(body.Name, body.Notes, body.Blocked, body.Muted, body.Verified, body.Number), stop));
        NodeApi.MapPost(application, "contacts/remove", json.WhoBody, json.PersonView, (body, stop) => node.Contacts.RemoveAsync(Text(body.Who, "who"), stop));
        NodeApi.MapPost(application, "contacts/introduce", json.IntroduceBody, json.IntroductionView, (body, stop) =>
            node.Contacts.IntroduceAsync(Text(body.Who, "who"), Text(body.To, "to"), stop));
        NodeApi.MapPost(application, "contacts/answer", json.ContactAnswerBody, json.ContactAnswered, async (body, stop) => new ContactAnswered(
            await node.Contacts.AnswerAsync(Text(body.Key, "key"), body.Accept ?? throw NodeApi.Bad("\"accept\" is missing: true or false."), body.Name, stop).ConfigureAwait(false)));
        NodeApi.MapGet(application, "contacts/code", json.SpokenView, (_, stop) => node.Contacts.SpokenAsync(stop));
        NodeApi.MapPost(application, "contacts/code", common.TextBody, json.SpokenView, (body, stop) => node.Contacts.SpeakAsync(body.Text is { Length: > 0 } code ? code : null, stop));
        NodeApi.MapPost(application, "contacts/code/stop", common.TextBody, json.SpokenView, (_, stop) => node.Contacts.HushAsync(stop));
        NodeApi.MapPost(application, "contacts/name", common.TextBody, json.ContactCardView, (body, stop) => node.Contacts.NameOwnAsync(body.Text ?? "", stop));
        NodeApi.MapPost(application, "contacts/import", common.FileBody, json.ContactsImported, (body, stop) => node.Contacts.ImportAsync(File(body), stop));
        NodeApi.MapPost(application, "contacts/scan", common.FileBody, common.TextBody, (body, _) => Task.FromResult(new TextBody(Scan(File(body)))));
    }

    /// <summary>The text of the QR code in a picture.</summary>
    /// <exception cref="OperationRefusedException">There is none; the message says what to do.</exception>
    public static string Scan(byte[] file)
    {
        var picture = PngReader.TryRead(file, out var problem) ?? throw NodeApi.Bad(problem switch
        {
            PictureProblem.NotPng => "This is no PNG picture. Save it as PNG first; the page Contacts does that by itself for photographs.",
            PictureProblem.TooLarge => $"This picture is too large: at most {PngReader.FileBytesMax >> 20} MB and {PngReader.PixelsMax >> 20} million pixels.",
            PictureProblem.Interlaced => "This PNG is interlaced, and such are not read. Save it again without.",
            _ => "This picture is damaged.",
        });
        return QrReader.Read(picture) ?? throw NodeApi.Bad("No QR code was found in this picture. Take it straight from the front, whole, with a light edge around the code.");
    }

    private static byte[] File(FileBody body) => body.File is { Length: > 0 } file ? file : throw NodeApi.Bad("\"file\" is missing: the file as base64.");

    private static string Text(string? text, string name) => text is { Length: > 0 } ? text : throw NodeApi.Bad($"\"{name}\" is missing.");
}

/// <summary>The contacts of a running node behind its API.</summary>
internal sealed class ApiContacts(ApiNode node) : IContactOperations
{
    private static ContactJson Json => ContactJson.Default;

    public Task<ContactBookView> BookAsync(CancellationToken cancellation = default) => node.GetAsync("contacts/book", Json.ContactBookView, cancellation);
    public Task<PersonView> ShowAsync(string who, CancellationToken cancellation = default) =>
        node.GetAsync("contacts/show" + ApiNode.Query(("who", who)), Json.PersonView, cancellation);
    public Task<ContactCardView> CardAsync(CancellationToken cancellation = default) => node.GetAsync("contacts/card", Json.ContactCardView, cancellation);
    public Task<ContactCardView> NameOwnAsync(string name, CancellationToken cancellation = default) =>
        node.PostAsync("contacts/name", new TextBody(name), HostJson.Default.TextBody, Json.ContactCardView, ApiNode.Short, cancellation);
    public Task<PersonAdded> AddAsync(PersonToAdd person, CancellationToken cancellation = default) =>
        node.PostAsync("contacts", new ContactBody(person.Text, person.Name, person.Verified), Json.ContactBody, Json.PersonAdded, ApiNode.Short * 2, cancellation);
    public Task<PersonView> ChangeAsync(string who, PersonChange change, CancellationToken cancellation = default) => node.PostAsync("contacts/change",
        new ContactChangeBody(who, change.Name, change.Notes, change.Blocked, change.Muted, change.Verified, change.Number), Json.ContactChangeBody, Json.PersonView,
        ApiNode.Short, cancellation);
    public Task<PersonView> RemoveAsync(string who, CancellationToken cancellation = default) =>
        node.PostAsync("contacts/remove", new WhoBody(who), Json.WhoBody, Json.PersonView, ApiNode.Short, cancellation);
    public async Task<PersonAdded?> AnswerAsync(string key, bool accept, string? name = null, CancellationToken cancellation = default) =>
        (await node.PostAsync("contacts/answer", new ContactAnswerBody(key, accept, name), Json.ContactAnswerBody, Json.ContactAnswered, ApiNode.Short, cancellation).ConfigureAwait(false)).Added;
    public Task<IntroductionView> IntroduceAsync(string who, string to, CancellationToken cancellation = default) =>
        node.PostAsync("contacts/introduce", new IntroduceBody(who, to), Json.IntroduceBody, Json.IntroductionView, ApiNode.Short * 2, cancellation);
    public async Task<byte[]> ExportAsync(bool shared = false, CancellationToken cancellation = default) =>
        (await node.GetAsync("contacts/export" + (shared ? "?shared=true" : ""), HostJson.Default.FileBody, cancellation).ConfigureAwait(false)).File ?? [];
    public Task<ContactsImported> ImportAsync(byte[] file, CancellationToken cancellation = default) =>
        node.PostAsync("contacts/import", new FileBody(file), HostJson.Default.FileBody, Json.ContactsImported, ApiNode.Short, cancellation);
    public Task<SpokenView> SpeakAsync(string? code = null, CancellationToken cancellation = default) =>
        node.PostAsync("contacts/code", new TextBody(code), HostJson.Default.TextBody, Json.SpokenView, ApiNode.Short, cancellation);
    public Task<SpokenView> SpokenAsync(CancellationToken cancellation = default) => node.GetAsync("contacts/code", Json.SpokenView, cancellation);
    public Task<SpokenView> HushAsync(CancellationToken cancellation = default) =>
        node.PostAsync("contacts/code/stop", new TextBody(null), HostJson.Default.TextBody, Json.SpokenView, ApiNode.Short, cancellation);
}
