namespace Polder.Node.Operations;

/// <summary>
/// Conversations of two and of groups (docs/chat.md). "Who" is a contact's name, a key, a short name, the name of a group, or the id of a
/// conversation. Refusals are <see cref="OperationRefusedException"/>, as everywhere.
/// </summary>
public interface IChatOperations
{
    /// <summary>All conversations, the one that something was said in last first.</summary>
    Task<IReadOnlyList<ChatListItem>> ListAsync(CancellationToken cancellation = default);

    /// <summary>The contacts that one can talk with, by name; blocked ones are not among them.</summary>
    Task<IReadOnlyList<ChatMember>> PeopleAsync(CancellationToken cancellation = default);

    /// <summary>A page of a conversation: the newest messages, those before one, or those around one.</summary>
    /// <param name="who">Which conversation.</param>
    /// <param name="before">Only what stands before this message.</param>
    /// <param name="around">What stands around this message.</param>
    /// <param name="count">So many messages, at most 500.</param>
    /// <param name="seen">Whether the owner sees them now: then their senders are told.</param>
    /// <param name="cancellation">Stops it.</param>
    Task<ChatPage> ShowAsync(string who, string? before = null, string? around = null, int count = 50, bool seen = false, CancellationToken cancellation = default);

    /// <summary>Says something. When it answers, the message is on the disk.</summary>
    /// <param name="who">To whom.</param>
    /// <param name="text">The text; may be empty where there are files.</param>
    /// <param name="reply">The message that it answers.</param>
    /// <param name="files">Files of this machine; each is sealed and kept for its receivers before the message goes.</param>
    /// <param name="cancellation">Stops it.</param>
    Task<ChatMessage> SendAsync(string who, string text, string? reply = null, IReadOnlyList<ChatUpload>? files = null, CancellationToken cancellation = default);

    /// <summary>Changes the text of a message of the owner.</summary>
    Task<ChatMessage> EditAsync(string message, string text, CancellationToken cancellation = default);

    /// <summary>Takes a message of the owner back. Whoever has read it has read it.</summary>
    Task<ChatMessage> DeleteAsync(string message, CancellationToken cancellation = default);

    /// <summary>Puts a sign under a message, or takes it back.</summary>
    Task<ChatMessage> ReactAsync(string message, string sign, bool on, CancellationToken cancellation = default);

    /// <summary>Messages in which, for every word asked for, a word begins so; the newest first. In one conversation, or in all.</summary>
    Task<IReadOnlyList<ChatFound>> SearchAsync(string text, string? who = null, int count = 50, CancellationToken cancellation = default);

    /// <summary>Makes a group.</summary>
    Task<ChatListItem> CreateGroupAsync(string name, IReadOnlyList<string> members, CancellationToken cancellation = default);

    /// <summary>Changes a group: "add", "remove", "promote" or "demote" people, "rename" it, or "leave" it.</summary>
    Task<ChatPage> ChangeGroupAsync(string group, string change, IReadOnlyList<string> people, string? name = null, CancellationToken cancellation = default);

    /// <summary>Says yes to an invitation, or to a stranger.</summary>
    Task<ChatListItem> AcceptAsync(string who, CancellationToken cancellation = default);

    /// <summary>Fetches a file of a message; goes on where it stopped.</summary>
    Task<ChatFile> FetchAsync(string message, int file, CancellationToken cancellation = default);

    /// <summary>The bytes of a file that is here.</summary>
    Task<ChatFileContent> OpenFileAsync(string message, int file, CancellationToken cancellation = default);

    /// <summary>Writes a file of a message into a folder of this machine, never over another, and gives its path.</summary>
    Task<string> SaveFileAsync(string message, int file, string folder, CancellationToken cancellation = default);
}
