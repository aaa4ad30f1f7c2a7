using System.Runtime.ExceptionServices;
using Polder.Apps.Bundles;
using Polder.Apps.Chat.PeerChat;
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
        var files = new ChatFiles(node, chat);
        node.Offer(files);
        var foreign = new PeerChatService(node, chat, files, node.Join(static context => new PeerChatCommunity(context)));
        node.Offer(foreign);
        node.Offer(new ChatPulse(node, chat, foreign));
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
    private int _beats;

    public ChatPulse(NodeHost node, ChatService chat, PeerChatService foreign)
    {
        _timer = node.Environment.Time.CreateTimer(_ => _ = BeatAsync(), null, TimeSpan.FromSeconds(1), Interval);

        async Task BeatAsync()
        {
            try
            {
                await chat.TickAsync();
                node.Find<ChatFiles>()?.FetchWaiting();
                if (++_beats % 3 == 0) foreign.Tick();
            }
            // Our own mistake: the loop tells it as any other.
            catch (Exception problem) { node.Environment.Loop.Post(ExceptionDispatchInfo.Capture(problem).Throw); }
        }
    }

    public void Stop() => _timer.Dispose();
}
