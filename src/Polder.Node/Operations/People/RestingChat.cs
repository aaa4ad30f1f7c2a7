using Polder.Apps.Bundles.Letters;
using Polder.Apps.Chat;
using Polder.Apps.Contacts;
using Polder.Identity;
using Polder.Node.Chat;

namespace Polder.Node.Operations;

/// <summary>The chat of a folder at rest: it can be read and searched.</summary>
internal sealed class RestingChat(string folder, PublicKey self, Func<string, OperationRefusedException> notRunning) : IChatOperations
{
    public Task<IReadOnlyList<ChatListItem>> ListAsync(CancellationToken cancellation = default) => Task.FromResult(Read((views, _, _) => views.List(), []));

    public Task<IReadOnlyList<ChatMember>> PeopleAsync(CancellationToken cancellation = default) =>
        Task.FromResult<IReadOnlyList<ChatMember>>([.. Names().Select(static one => new ChatMember(one.Key.ToString(), one.Value, false, false)).OrderBy(static one => one.Name, StringComparer.OrdinalIgnoreCase)]);

    public Task<ChatPage> ShowAsync(string who, string? before = null, string? around = null, int count = 50, bool seen = false, CancellationToken cancellation = default) =>
        Task.FromResult(Read((views, store, names) =>
        {
            EventOrder? Place(string? id) => id is null ? null : EventId.TryParse(id, out var parsed) && store.Find(parsed) is { } stored ? stored.Order
                : throw new OperationRefusedException(RefusalKind.NotFound, "There is no such message.");
            return views.Page(Find(store, names, who), Place(before), Place(around), Math.Clamp(count, 1, LocalChat.CountMax));
        }, null) ?? throw Unknown(who));

    public Task<IReadOnlyList<ChatFound>> SearchAsync(string text, string? who = null, int count = 50, CancellationToken cancellation = default) =>
        Task.FromResult(Read((views, store, names) => LocalChat.Search(views, store, text, who is null ? null : Find(store, names, who).Id, count), []));

    public Task<ChatMessage> SendAsync(string who, string text, string? reply = null, IReadOnlyList<ChatUpload>? files = null, CancellationToken cancellation = default) =>
        throw notRunning("Only a running node can send.");
    public Task<ChatMessage> EditAsync(string message, string text, CancellationToken cancellation = default) => throw notRunning("Only a running node can send.");
    public Task<ChatMessage> DeleteAsync(string message, CancellationToken cancellation = default) => throw notRunning("Only a running node can send.");
    public Task<ChatMessage> ReactAsync(string message, string sign, bool on, CancellationToken cancellation = default) => throw notRunning("Only a running node can send.");
    public Task<ChatListItem> CreateGroupAsync(string name, IReadOnlyList<string> members, CancellationToken cancellation = default) => throw notRunning("Only a running node can make a group.");
    public Task<ChatPage> ChangeGroupAsync(string group, string change, IReadOnlyList<string> people, string? name = null, CancellationToken cancellation = default) =>
        throw notRunning("Only a running node can change a group.");
    public Task<ChatListItem> AcceptAsync(string who, CancellationToken cancellation = default) => throw notRunning("Only a running node can accept.");
    public Task<ChatFile> FetchAsync(string message, int file, CancellationToken cancellation = default) => throw notRunning("Only a running node can fetch.");
    public Task<ChatFileContent> OpenFileAsync(string message, int file, CancellationToken cancellation = default) => throw notRunning("Files are read by a running node.");
    public Task<string> SaveFileAsync(string message, int file, string folder, CancellationToken cancellation = default) => throw notRunning("Files are read by a running node.");

    private T Read<T>(Func<ChatViews, IChatStore, Dictionary<PublicKey, string>, T> read, T nothing)
    {
        var path = Path.Combine(folder, SqliteChatStore.FileName);
        if (!File.Exists(path)) return nothing;
        using var store = SqliteChatStore.Open(path);
        var names = Names();
        var groups = new Dictionary<ConversationId, GroupHistory?>();
        return read(new ChatViews(store, self, key => names.GetValueOrDefault(key) ?? key.ShortName, Group, static _ => LetterState.Unknown, static _ => null), store, names);

        GroupHistory? Group(ConversationId id)
        {
            if (groups.TryGetValue(id, out var known)) return known;
            var history = new GroupHistory();
            foreach (var stored in store.Changes(id))
                if (ChatEvent.TryRead(stored.Raw, out var chat) && GroupChange.TryRead(chat.Content, out var change)) history.Add(chat, change);
            return groups[id] = history.Count == 0 ? null : history;
        }
    }

    private Dictionary<PublicKey, string> Names()
    {
        try { return ContactBookFile.Read(File.ReadAllBytes(Path.Combine(folder, "contacts.book")))?.Cards.ToDictionary(static card => card.Key, static card => card.Name) ?? []; }
        catch (IOException) { return []; }
    }

    private static Conversation Find(IChatStore store, Dictionary<PublicKey, string> names, string who)
    {
        var found = store.Conversations().Where(one => one.Id.ToString() == who || (one.Kind == ConversationKind.Group
            ? string.Equals(one.Name, who, StringComparison.OrdinalIgnoreCase)
            : one.Peer!.ToString() == who || one.Peer.ShortName == who || string.Equals(names.GetValueOrDefault(one.Peer), who, StringComparison.OrdinalIgnoreCase))).ToList();
        return found.Count == 1 ? found[0] : throw Unknown(who);
    }

    private static OperationRefusedException Unknown(string who) =>
        new(RefusalKind.NotFound, $"There is no conversation with \"{who}\" in this folder, or more than one. All of them: polder chat list");
}
