using System.Runtime.ExceptionServices;
using Polder.Apps.Bundles;
using Polder.Apps.Contacts;
using Polder.Identity;
using Polder.Overlay;

namespace Polder.Apps.Chat;

/// <summary>Gives a node its chat: conversations of two and of groups, over the mail-bag. Join contacts and mail before.</summary>
public sealed class ChatModule : INodeModule
{
    /// <inheritdoc/>
    public string Name => "chat";

    /// <inheritdoc/>
    public void Join(NodeHost node)
    {
        ArgumentNullException.ThrowIfNull(node);
        var contacts = node.Find<ContactBook>() ?? throw new InvalidOperationException("The chat needs the contacts: join their module first.");
        var mailbag = node.Find<Mailbag>() ?? throw new InvalidOperationException("The chat needs the mail-bag: join its module first.");
        var chat = new ChatService(new ChatParts(
            node.Identity, node.Environment.Random, node.Environment.Signatures, node.Environment.Time,
            node.Find<IChatStore>() ?? new MemoryChatStore(), new MailbagLetters(mailbag), new ContactPeople(contacts)));
        node.Offer(chat);
        node.Offer(new ChatFiles(node, chat));
        node.Offer(new ChatPulse(node, chat));
    }
}

/// <summary>The owner's contacts, for the chat.</summary>
internal sealed class ContactPeople(ContactBook contacts) : IChatPeople
{
    public string NameOf(PublicKey key) => contacts.Find(key)?.Name ?? key.ShortName;
    public bool IsContact(PublicKey key) => contacts.Find(key) is { Blocked: false };
    public bool IsBlocked(PublicKey key) => contacts.IsBlocked(key);
}

/// <summary>Lets the chat do, every few seconds, what time brings. Ends with the node's loop.</summary>
internal sealed class ChatPulse
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);
    private readonly ITimer _timer;

    public ChatPulse(NodeHost node, ChatService chat)
    {
        _timer = node.Environment.Time.CreateTimer(_ => _ = BeatAsync(), null, TimeSpan.FromSeconds(1), Interval);

        async Task BeatAsync()
        {
            try
            {
                await chat.TickAsync();
                node.Find<ChatFiles>()?.FetchWaiting();
            }
            // Our own mistake: the loop tells it as any other.
            catch (Exception problem) { node.Environment.Loop.Post(ExceptionDispatchInfo.Capture(problem).Throw); }
        }
    }

    public void Stop() => _timer.Dispose();
}
