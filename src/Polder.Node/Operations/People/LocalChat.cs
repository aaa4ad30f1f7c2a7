using Polder.Apps.Bundles;
using Polder.Apps.Chat;
using Polder.Apps.Contacts;
using Polder.Cryptography;
using Polder.Identity;
using Polder.Overlay.Content;

namespace Polder.Node.Operations;

/// <summary>The chat of the running node in this process.</summary>
internal sealed class LocalChat : IChatOperations
{
    public const int CountMax = 500;

    private readonly PolderNode _node;
    private readonly LocalNode _local;
    private readonly ChatService? _chat;
    private readonly ChatFiles? _files;
    private readonly ChatViews? _views;

    /// <summary>On the node's loop.</summary>
    public LocalChat(PolderNode node, LocalNode local)
    {
        (_node, _local, _chat, _files) = (node, local, node.Host.Find<ChatService>(), node.Host.Find<ChatFiles>());
        if (_chat is null || _files is null) return;
        _views = new ChatViews(_chat.Store, _chat.Self, _chat.People.NameOf, _chat.Group, _chat.Letters.StateOf, LookAt);
        _chat.Changed += _ => local.Change();
    }

    private ChatService Chat => _chat ?? throw new OperationRefusedException(RefusalKind.Unavailable, "This node was started without its chat.");
    private ChatViews Views => _views ?? throw new OperationRefusedException(RefusalKind.Unavailable, "This node was started without its chat.");

    public Task<IReadOnlyList<ChatListItem>> ListAsync(CancellationToken cancellation = default) => OnLoopAsync(() => Task.FromResult(Views.List()), cancellation);

    public Task<IReadOnlyList<ChatMember>> PeopleAsync(CancellationToken cancellation = default) => OnLoopAsync(() => Task.FromResult<IReadOnlyList<ChatMember>>(
        [.. (_node.Host.Find<ContactBook>()?.All ?? []).Where(static card => !card.Blocked).Select(static card => new ChatMember(card.Key.ToString(), card.Name, false, false))]), cancellation);

    public Task<ChatPage> ShowAsync(string who, string? before = null, string? around = null, int count = 50, bool seen = false, CancellationToken cancellation = default) =>
        OnLoopAsync(async () =>
        {
            var conversation = Find(who);
            if (seen) await Chat.MarkReadAsync(conversation.Id);
            conversation = Chat.Store.Find(conversation.Id) ?? conversation;
            EventOrder? Place(string? id) => id is null ? null : FindMessage(id).Order;
            return Views.Page(conversation, Place(before), Place(around), Math.Clamp(count, 1, CountMax));
        }, cancellation);

    public async Task<ChatMessage> SendAsync(string who, string text, string? reply = null, IReadOnlyList<ChatUpload>? files = null, CancellationToken cancellation = default)
    {
        var attachments = new List<Attachment>();
        foreach (var file in files ?? []) attachments.Add(await SealAsync(file, cancellation).ConfigureAwait(false));
        return await OnLoopAsync(async () =>
        {
            var target = reply is null ? default : FindMessage(reply).Id;
            return Views.Message(await Chat.SendAsync(Find(who, make: true).Id, MessageContent.OfText(text, target, attachments)));
        }, cancellation).ConfigureAwait(false);
    }

    public Task<ChatMessage> EditAsync(string message, string text, CancellationToken cancellation = default) => AimAsync(message, id => MessageContent.OfEdit(id, text), cancellation);
    public Task<ChatMessage> DeleteAsync(string message, CancellationToken cancellation = default) => AimAsync(message, MessageContent.OfDelete, cancellation);
    public Task<ChatMessage> ReactAsync(string message, string sign, bool on, CancellationToken cancellation = default) =>
        AimAsync(message, id => MessageContent.OfReaction(id, sign.Trim(), on), cancellation);

    public Task<IReadOnlyList<ChatFound>> SearchAsync(string text, string? who = null, int count = 50, CancellationToken cancellation = default) =>
        OnLoopAsync(() => Task.FromResult(Search(Views, Chat.Store, text, who is null ? null : Find(who).Id, count)), cancellation);

    internal static IReadOnlyList<ChatFound> Search(ChatViews views, IChatStore store, string text, ConversationId? conversation, int count)
    {
        var words = ChatWords.Of(text);
        if (words.Count is 0 or > 16) throw new OperationRefusedException(RefusalKind.BadInput, "Search for one to sixteen words.");
        // What was edited is found by its old words too; shown is what it says now.
        return [.. store.Search(words, conversation, Math.Clamp(count, 1, CountMax) * 2)
            .Where(stored => stored.Content is { } content && ChatWords.Match(views.Fold(stored, content).Text, words))
            .Take(Math.Clamp(count, 1, CountMax)).Select(stored => new ChatFound(views.Item(store.Find(stored.Conversation)!), views.Message(stored)))];
    }

    public Task<ChatListItem> CreateGroupAsync(string name, IReadOnlyList<string> members, CancellationToken cancellation = default) => OnLoopAsync(async () =>
        Views.Item(await Chat.CreateGroupAsync(name, [.. members.Select(Person)])), cancellation);

    public Task<ChatPage> ChangeGroupAsync(string group, string change, IReadOnlyList<string> people, string? name = null, CancellationToken cancellation = default) => OnLoopAsync(async () =>
    {
        var conversation = Find(group);
        if (conversation.Kind != ConversationKind.Group) throw new OperationRefusedException(RefusalKind.BadInput, "That is a conversation of two, not a group.");
        var members = Chat.Group(conversation.Id)?.State.Members.Keys.ToList() ?? [];
        List<PublicKey> named = [.. people.Select(text => change == "add" ? Person(text) : Member(members, text))];
        if (change is "add" or "remove" or "promote" or "demote" && named.Count == 0) throw new OperationRefusedException(RefusalKind.BadInput, "Say who is meant.");
        switch (change)
        {
            case "add": await Chat.AddAsync(conversation.Id, named); break;
            case "remove": foreach (var one in named) await Chat.RemoveAsync(conversation.Id, one); break;
            case "promote" or "demote": foreach (var one in named) await Chat.PromoteAsync(conversation.Id, one, change == "promote"); break;
            case "rename": await Chat.RenameAsync(conversation.Id, name ?? ""); break;
            case "leave": await Chat.LeaveAsync(conversation.Id); break;
            default: throw new OperationRefusedException(RefusalKind.BadInput, $"\"{change}\" is nothing that can be done with a group: add, remove, promote, demote, rename or leave.");
        }
        return Views.Page(Chat.Store.Find(conversation.Id)!, null, null, 50);
    }, cancellation);

    public Task<ChatListItem> AcceptAsync(string who, CancellationToken cancellation = default) => OnLoopAsync(async () =>
    {
        var conversation = Find(who);
        await Chat.AcceptAsync(conversation.Id);
        return Views.Item(Chat.Store.Find(conversation.Id)!);
    }, cancellation);

    // ---- Files ----

    public Task<ChatFile> FetchAsync(string message, int file, CancellationToken cancellation = default) => OnLoopAsync(async () =>
    {
        var (stored, attachment) = FindFile(message, file);
        if (!(await _files!.LookAsync(attachment)).Here) _files.Fetch(stored, attachment);
        return Views.File(attachment, file);
    }, cancellation);

    public Task<ChatFileContent> OpenFileAsync(string message, int file, CancellationToken cancellation = default) => OnLoopAsync(async () =>
    {
        var (_, attachment) = FindFile(message, file);
        var content = await _node.Host.Content.Store.OpenAsync(attachment.Content);
        if (content is not { Tree.IsComplete: true } || content.Tree.Summary.Size != AttachmentCipher.SealedBytes(attachment.SizeBytes))
            throw new OperationRefusedException(RefusalKind.Conflict, "This file is not here yet. Fetch it first, and keep the node running until somebody who has it is there.");
        var first = await PartAsync(content, attachment, 0, cancellation);
        return new ChatFileContent(SafeFile.NameOf(attachment.Name), attachment.SizeBytes, SafeFile.PictureType(first), async (destination, stop) =>
        {
            for (var part = 0; part < AttachmentCipher.PartsOf(attachment.SizeBytes); part++)
                await destination.WriteAsync(await PartAsync(content, attachment, part, stop).ConfigureAwait(false), stop).ConfigureAwait(false);
        });
    }, cancellation);

    public async Task<string> SaveFileAsync(string message, int file, string folder, CancellationToken cancellation = default)
    {
        var content = await OpenFileAsync(message, file, cancellation).ConfigureAwait(false);
        try
        {
            Directory.CreateDirectory(folder);
            for (var number = 1; number < 1000; number++)
            {
                var name = number == 1 ? content.Name : $"{Path.GetFileNameWithoutExtension(content.Name)} ({number}){Path.GetExtension(content.Name)}";
                var path = Path.Combine(Path.GetFullPath(folder), name);
                FileStream destination;
                try { destination = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None); }
                catch (IOException) when (File.Exists(path) || Directory.Exists(path)) { continue; }
                try
                {
                    await using (destination.ConfigureAwait(false)) await content.CopyAsync(destination, cancellation).ConfigureAwait(false);
                    return path;
                }
                catch
                {
                    // Nothing half-written under a name that looks whole.
                    File.Delete(path);
                    throw;
                }
            }
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new OperationRefusedException(RefusalKind.BadInput, $"The file cannot be written to {folder}: {problem.Message}");
        }
        throw new OperationRefusedException(RefusalKind.Conflict, $"{folder} has a thousand files of this name already.");
    }

    private async Task<Attachment> SealAsync(ChatUpload file, CancellationToken cancellation)
    {
        FileStream opened;
        try { opened = new FileStream(file.Path, FileMode.Open, FileAccess.Read, FileShare.Read, 1, useAsync: true); }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new OperationRefusedException(RefusalKind.BadInput, $"{file.Path} cannot be read: {problem.Message}");
        }
        await using var closing = opened.ConfigureAwait(false);
        if (opened.Length == 0) throw new OperationRefusedException(RefusalKind.BadInput, $"{file.Name} is empty.");
        // What others would not fetch is not sent: their limit is the same as ours unless somebody changed it.
        var most = _node.Host.Options.Content.ContentBytesMax;
        if (opened.Length > AttachmentCipher.SizeMax || AttachmentCipher.SealedBytes(opened.Length) > most)
            throw new OperationRefusedException(RefusalKind.BadInput, string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{file.Name} is larger than the {most / (double)(1 << 30):0.#} GB that a chat takes. Send it by a code: polder send PATH"));
        return await OnLoopAsync(async () =>
        {
            Span<byte> bytes = stackalloc byte[32];
            Chat.Random.Fill(bytes);
            var key = new Hash256(bytes);
            var sealing = new SealingStream(opened, key);
            try
            {
                return await _files!.KeepAsync(sealing, key, sealing.FileBytes, SafeFile.NameOf(file.Name), TypeOf(file.Name), cancellation)
                    ?? throw new OperationRefusedException(RefusalKind.Conflict, $"There is no room for {file.Name}: the node's folder for content is full, or the file changed while it was read.");
            }
            catch (IOException problem) { throw new OperationRefusedException(RefusalKind.BadInput, $"{file.Name} cannot be read: {problem.Message}"); }
        }, cancellation).ConfigureAwait(false);
    }

    private static string TypeOf(string name) => Path.GetExtension(name).ToLowerInvariant() switch
    {
        ".png" => "image/png", ".jpg" or ".jpeg" => "image/jpeg", ".gif" => "image/gif", ".webp" => "image/webp", _ => "application/octet-stream",
    };

    private async Task<byte[]> PartAsync(IStoredContent content, Attachment attachment, int number, CancellationToken cancellation)
    {
        var leaf = new byte[content.Tree.Summary.LengthOf(number)];
        var read = await _local.OnLoopAsync(async () => content.Tree.Has(number) && await content.ReadAsync(number, leaf), cancellation).ConfigureAwait(false);
        var part = new byte[leaf.Length - AttachmentCipher.TagBytes];
        using var cipher = AttachmentCipher.Cipher(attachment.Key);
        return read && AttachmentCipher.TryOpen(cipher, attachment.SizeBytes, number, leaf, part) ? part
            : throw new OperationRefusedException(RefusalKind.Conflict, "This file is damaged, or it was never sealed with the key in the message.");
    }

    private FileState? LookAt(Attachment attachment)
    {
        if (_files!.StateOf(attachment.Content) is { } known) return known;
        _ = LookAgainAsync();
        return null;

        async Task LookAgainAsync()
        {
            if ((await _files.LookAsync(attachment)).PartsHere > 0) _local.Change();
        }
    }

    // ---- Who and what is meant ----

    private Task<ChatMessage> AimAsync(string message, Func<EventId, MessageContent> content, CancellationToken cancellation) => OnLoopAsync(async () =>
    {
        var stored = FindMessage(message);
        await Chat.SendAsync(stored.Conversation, content(stored.Id));
        return Views.Message(Chat.Store.Find(stored.Id)!);
    }, cancellation);

    private StoredEvent FindMessage(string id) => EventId.TryParse(id, out var parsed) && Chat.Store.Find(parsed) is { IsShown: true } stored ? stored
        : throw new OperationRefusedException(RefusalKind.NotFound, "There is no such message.");

    private (StoredEvent Message, Attachment File) FindFile(string message, int file)
    {
        var stored = FindMessage(message);
        if (stored.Content is not { } content || Views.Fold(stored, content).Attachments is not { } files || file < 0 || file >= files.Count)
            throw new OperationRefusedException(RefusalKind.NotFound, "This message has no such file.");
        return (stored, files[file]);
    }

    private Conversation Find(string who, bool make = false)
    {
        if (ConversationId.TryParse(who, out var id) && Chat.Store.Find(id) is { } known) return known;
        var groups = Chat.Store.Conversations().Where(one => one.Kind == ConversationKind.Group && string.Equals(one.Name, who.Trim(), StringComparison.OrdinalIgnoreCase)).ToList();
        var contact = _node.Host.Find<ContactBook>()?.FindByName(who);
        if (groups.Count == 1 && contact?.Card is null) return groups[0];
        if (groups.Count > 1 || (groups.Count == 1 && contact?.Card is not null))
            throw new OperationRefusedException(RefusalKind.Conflict, $"\"{who}\" means more than one conversation. Say which by its id: polder chat list --json");
        return Chat.With(Person(who));
    }

    private PublicKey Person(string who)
    {
        var match = _node.Host.Find<ContactBook>()?.FindByName(who);
        if (match?.Card is { } card) return card.Key;
        if (match is { Several.Count: > 0 } several)
            throw new OperationRefusedException(RefusalKind.Conflict, $"\"{who}\" may mean {string.Join(" or ", several.Several.Take(5).Select(static one => one.Name))}. Say more of the name.");
        if (PublicKey.TryParseHex(who, out var key)) return key;
        try { return _local.Resolve(who); }
        catch (OperationRefusedException)
        {
            throw new OperationRefusedException(RefusalKind.NotFound, $"Nobody is called \"{who}\" here. Whom you know: polder contact list. To meet somebody: polder invite");
        }
    }

    private PublicKey Member(List<PublicKey> members, string who)
    {
        var found = members.Where(key => string.Equals(Chat.People.NameOf(key), who, StringComparison.OrdinalIgnoreCase) || key.ToString() == who || key.ShortName == who).ToList();
        return found.Count == 1 ? found[0] : Person(who);
    }

    private Task<T> OnLoopAsync<T>(Func<Task<T>> work, CancellationToken cancellation) => _local.OnLoopAsync(async () =>
    {
        try { return await work(); }
        catch (ChatRefusedException refusal) { throw new OperationRefusedException(RefusalKind.BadInput, refusal.Message); }
        catch (MailRefusedException refusal) { throw new OperationRefusedException(RefusalKind.Conflict, refusal.Message); }
        catch (IOException problem) { throw new OperationRefusedException(RefusalKind.Conflict, $"The disk did not take it: {problem.Message} It stands in memory and goes out as soon as the disk takes it; if the node stops before, it was never said."); }
    }, cancellation);
}
