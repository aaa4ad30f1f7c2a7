using System.Text.Json;
using System.Text.Json.Serialization;
using Polder.Node.Operations;

namespace Polder.Host.Api;

/// <summary>Body of POST /api/chat/send: files are paths of this machine.</summary>
internal sealed record ChatSendBody(string? Who, string? Text, string? Reply, IReadOnlyList<string>? Files);

/// <summary>Body of POST /api/chat/edit, /delete and /react.</summary>
internal sealed record ChatAimBody(string? Message, string? Text, string? Sign, bool? On);

/// <summary>Body of POST /api/chat/groups.</summary>
internal sealed record ChatGroupBody(string? Name, IReadOnlyList<string>? Members);

/// <summary>Body of POST /api/chat/groups/change.</summary>
internal sealed record ChatChangeBody(string? Group, string? Change, IReadOnlyList<string>? People, string? Name);

/// <summary>Body of POST /api/chat/fetch and /save.</summary>
internal sealed record ChatFileBody(string? Message, int? File, string? Folder);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, WriteIndented = false, NumberHandling = JsonNumberHandling.Strict)]
[JsonSerializable(typeof(IReadOnlyList<ChatListItem>))]
[JsonSerializable(typeof(IReadOnlyList<ChatMember>))]
[JsonSerializable(typeof(ChatPage))]
[JsonSerializable(typeof(IReadOnlyList<ChatFound>))]
[JsonSerializable(typeof(ChatSendBody))]
[JsonSerializable(typeof(ChatAimBody))]
[JsonSerializable(typeof(ChatGroupBody))]
[JsonSerializable(typeof(ChatChangeBody))]
[JsonSerializable(typeof(ChatFileBody))]
[JsonSerializable(typeof(TextBody))]
internal sealed partial class ChatJson : JsonSerializerContext;

/// <summary>The routes of <see cref="IChatOperations"/> (docs/api.md).</summary>
internal static class ChatApi
{
    public static void Map(WebApplication application, Func<IChatOperations> chat)
    {
        var json = ChatJson.Default;
        NodeApi.MapGet(application, "chat", json.IReadOnlyListChatListItem, (_, stop) => chat().ListAsync(stop));
        NodeApi.MapGet(application, "chat/people", json.IReadOnlyListChatMember, (_, stop) => chat().PeopleAsync(stop));
        NodeApi.MapGet(application, "chat/show", json.ChatPage, (query, stop) => chat().ShowAsync(
            NodeApi.Needed(query, "who"), Text(query, "before"), Text(query, "around"), NodeApi.Number(query, "count", 50, 500), query["seen"] == "true", stop));
        NodeApi.MapGet(application, "chat/search", json.IReadOnlyListChatFound, (query, stop) => chat().SearchAsync(
            NodeApi.Needed(query, "text"), Text(query, "who"), NodeApi.Number(query, "count", 50, 500), stop));
        NodeApi.MapPost(application, "chat/send", json.ChatSendBody, json.ChatMessage, (body, stop) => chat().SendAsync(
            Needed(body.Who, "who"), body.Text ?? "", body.Reply, [.. (body.Files ?? []).Select(static path => new ChatUpload(path, Path.GetFileName(path)))], stop));
        NodeApi.MapPost(application, "chat/edit", json.ChatAimBody, json.ChatMessage, (body, stop) => chat().EditAsync(Needed(body.Message, "message"), Needed(body.Text, "text"), stop));
        NodeApi.MapPost(application, "chat/delete", json.ChatAimBody, json.ChatMessage, (body, stop) => chat().DeleteAsync(Needed(body.Message, "message"), stop));
        NodeApi.MapPost(application, "chat/react", json.ChatAimBody, json.ChatMessage, (body, stop) =>
            chat().ReactAsync(Needed(body.Message, "message"), Needed(body.Sign, "sign"), body.On ?? true, stop));
        NodeApi.MapPost(application, "chat/groups", json.ChatGroupBody, json.ChatListItem, (body, stop) => chat().CreateGroupAsync(Needed(body.Name, "name"), body.Members ?? [], stop));
        NodeApi.MapPost(application, "chat/groups/change", json.ChatChangeBody, json.ChatPage, (body, stop) =>
            chat().ChangeGroupAsync(Needed(body.Group, "group"), Needed(body.Change, "change"), body.People ?? [], body.Name, stop));
        NodeApi.MapPost(application, "chat/accept", json.TextBody, json.ChatListItem, (body, stop) => chat().AcceptAsync(Needed(body.Text, "text"), stop));
        NodeApi.MapPost(application, "chat/fetch", json.ChatFileBody, json.ChatFile, (body, stop) => chat().FetchAsync(Needed(body.Message, "message"), body.File ?? 0, stop));
        NodeApi.MapPost(application, "chat/save", json.ChatFileBody, json.TextBody, async (body, stop) =>
            new TextBody(await chat().SaveFileAsync(Needed(body.Message, "message"), body.File ?? 0, Needed(body.Folder, "folder"), stop).ConfigureAwait(false)));
    }

    private static string? Text(IQueryCollection query, string name) => query[name] is [{ Length: > 0 } text] ? text : null;
    private static string Needed(string? text, string name) => text is { Length: > 0 } ? text : throw NodeApi.Bad($"\"{name}\" is missing.");
}

/// <summary>The chat of a running node, behind its local API.</summary>
internal sealed class ApiChat(ApiNode node) : IChatOperations
{
    private static ChatJson Json => ChatJson.Default;

    public Task<IReadOnlyList<ChatListItem>> ListAsync(CancellationToken cancellation = default) => node.GetAsync("chat", Json.IReadOnlyListChatListItem, cancellation);
    public Task<IReadOnlyList<ChatMember>> PeopleAsync(CancellationToken cancellation = default) => node.GetAsync("chat/people", Json.IReadOnlyListChatMember, cancellation);
    public Task<ChatPage> ShowAsync(string who, string? before = null, string? around = null, int count = 50, bool seen = false, CancellationToken cancellation = default) =>
        node.GetAsync("chat/show" + ApiNode.Query(("who", who), ("before", before), ("around", around), ("count", ApiNode.Text(count)), ("seen", seen ? "true" : null)), Json.ChatPage, cancellation);
    public Task<IReadOnlyList<ChatFound>> SearchAsync(string text, string? who = null, int count = 50, CancellationToken cancellation = default) =>
        node.GetAsync("chat/search" + ApiNode.Query(("text", text), ("who", who), ("count", ApiNode.Text(count))), Json.IReadOnlyListChatFound, cancellation);
    public Task<ChatMessage> SendAsync(string who, string text, string? reply = null, IReadOnlyList<ChatUpload>? files = null, CancellationToken cancellation = default) =>
        node.PostAsync("chat/send", new ChatSendBody(who, text, reply, files?.Select(static file => file.Path).ToList()), Json.ChatSendBody, Json.ChatMessage, files is { Count: > 0 } ? ApiNode.Long : ApiNode.Short, cancellation);
    public Task<ChatMessage> EditAsync(string message, string text, CancellationToken cancellation = default) => AimAsync("edit", new ChatAimBody(message, text, null, null), cancellation);
    public Task<ChatMessage> DeleteAsync(string message, CancellationToken cancellation = default) => AimAsync("delete", new ChatAimBody(message, null, null, null), cancellation);
    public Task<ChatMessage> ReactAsync(string message, string sign, bool on, CancellationToken cancellation = default) => AimAsync("react", new ChatAimBody(message, null, sign, on), cancellation);
    public Task<ChatListItem> CreateGroupAsync(string name, IReadOnlyList<string> members, CancellationToken cancellation = default) =>
        node.PostAsync("chat/groups", new ChatGroupBody(name, members), Json.ChatGroupBody, Json.ChatListItem, ApiNode.Short, cancellation);
    public Task<ChatPage> ChangeGroupAsync(string group, string change, IReadOnlyList<string> people, string? name = null, CancellationToken cancellation = default) =>
        node.PostAsync("chat/groups/change", new ChatChangeBody(group, change, people, name), Json.ChatChangeBody, Json.ChatPage, ApiNode.Short, cancellation);
    public Task<ChatListItem> AcceptAsync(string who, CancellationToken cancellation = default) =>
        node.PostAsync("chat/accept", new TextBody(who), Json.TextBody, Json.ChatListItem, ApiNode.Short, cancellation);
    public Task<ChatFile> FetchAsync(string message, int file, CancellationToken cancellation = default) =>
        node.PostAsync("chat/fetch", new ChatFileBody(message, file, null), Json.ChatFileBody, Json.ChatFile, ApiNode.Short, cancellation);
    public Task<ChatFileContent> OpenFileAsync(string message, int file, CancellationToken cancellation = default) =>
        throw new OperationRefusedException(RefusalKind.BadInput, "Save the file to read it.");
    public async Task<string> SaveFileAsync(string message, int file, string folder, CancellationToken cancellation = default) =>
        (await node.PostAsync("chat/save", new ChatFileBody(message, file, folder), Json.ChatFileBody, Json.TextBody, ApiNode.Long, cancellation).ConfigureAwait(false)).Text ?? "";

    private Task<ChatMessage> AimAsync(string what, ChatAimBody body, CancellationToken cancellation) =>
        node.PostAsync("chat/" + what, body, Json.ChatAimBody, Json.ChatMessage, ApiNode.Short, cancellation);
}
