using Polder.Apps.Bundles.Letters;
using Polder.Cryptography;
using Polder.Identity;

namespace Polder.Apps.Chat;

/// <summary>
/// Where conversations lie. Called on the loop. Reads see every write at once; a write survives a crash when a
/// <see cref="FlushAsync"/> that began after it has completed.
/// </summary>
internal interface IChatStore
{
    /// <summary>All conversations, in no order that anything may hang on.</summary>
    IReadOnlyList<Conversation> Conversations();

    Conversation? Find(ConversationId id);

    /// <summary>Adds a conversation, or replaces it.</summary>
    void Put(Conversation conversation);

    /// <summary>Keeps an event; false when it is known.</summary>
    bool Add(StoredEvent stored);

    StoredEvent? Find(EventId id);

    /// <summary>The shown events of a conversation below <paramref name="before"/>, newest first; null for the newest of all.</summary>
    IReadOnlyList<StoredEvent> Page(ConversationId conversation, EventOrder? before, int count);

    /// <summary>The shown events from <paramref name="from"/> on, itself included, oldest first.</summary>
    IReadOnlyList<StoredEvent> PageFrom(ConversationId conversation, EventOrder from, int count);

    /// <summary>The events that aim at one, hidden ones not.</summary>
    IReadOnlyList<StoredEvent> AimedAt(EventId target);

    /// <summary>The changes of a group, in their order.</summary>
    IReadOnlyList<StoredEvent> Changes(ConversationId conversation);

    /// <summary>An author's numbered events from a number to another, both included, hidden ones too.</summary>
    IReadOnlyList<StoredEvent> By(ConversationId conversation, PublicKey author, uint from, uint to, int count);

    /// <summary>The numbers of all that is here of an author, each with its first of the epoch, in order: light enough for long conversations.</summary>
    IReadOnlyList<(uint Sequence, uint First)> Numbers(ConversationId conversation, PublicKey author);

    /// <summary>The highest number of an author, 0 for none; hidden ones count.</summary>
    uint LastSequence(ConversationId conversation, PublicKey author);

    /// <summary>The author's lowest number in an epoch; 0 for none.</summary>
    uint FirstSequence(ConversationId conversation, PublicKey author, EventId epoch);

    /// <summary>The highest Lamport clock of a conversation.</summary>
    ulong LastClock(ConversationId conversation);

    /// <summary>How many shown messages of others stand behind a place; counted to <paramref name="most"/> at most.</summary>
    int CountAfter(ConversationId conversation, EventOrder place, PublicKey self, int most);

    /// <summary>Whether an event counts.</summary>
    void Hide(EventId id, bool hidden);

    /// <summary>Messages whose words begin with all the words asked for, newest first; in one conversation, or in all. What was edited since is found by both.</summary>
    IReadOnlyList<StoredEvent> Search(IReadOnlyList<string> words, ConversationId? conversation, int count);

    /// <summary>Adds or replaces a delivery.</summary>
    void Put(Delivery delivery);

    IReadOnlyList<Delivery> Deliveries(EventId id);

    /// <summary>What was never posted, oldest first.</summary>
    IReadOnlyList<Delivery> Unposted(int count);

    /// <summary>The deliveries that a letter carries.</summary>
    IReadOnlyList<Delivery> DeliveriesOf(LetterId letter);

    /// <summary>Keeps the secret of an epoch.</summary>
    void PutSecret(ConversationId conversation, EventId epoch, Hash256 secret);

    Hash256? Secret(EventId epoch);

    /// <summary>Keeps an event that waits for others; false when there is no room.</summary>
    bool Hold(ConversationId conversation, HeldEvent held);

    IReadOnlyList<HeldEvent> Held(ConversationId conversation);
    void Release(EventId id);

    /// <summary>A letter brought a message: to be told when the owner saw it.</summary>
    void NoteLetter(ConversationId conversation, EventId id, LetterId letter);

    /// <summary>The letters whose messages stand at or before a place, and were not taken before.</summary>
    IReadOnlyList<LetterId> TakeLetters(ConversationId conversation, EventOrder place);

    /// <summary>A message that came from another program's network, by its name there.</summary>
    void PutForeign(string name, PublicKey peer, EventId id);
    EventId? FindForeign(string name, PublicKey peer);
    string? ForeignName(EventId id);

    /// <summary>Done when everything written before survives a crash. Throws <see cref="IOException"/> when the disk refuses.</summary>
    Task FlushAsync();
}

internal enum ConversationKind : byte
{
    Pair = 1,
    Group = 2,
}

internal enum ConversationStanding : byte
{
    Open = 1,
    /// <summary>Somebody brought us in, or a stranger wrote; the owner has not said yes yet.</summary>
    Asked = 2,
    /// <summary>We left, or were removed.</summary>
    Gone = 3,
}

/// <summary>A conversation as the list shows it.</summary>
/// <param name="Id">Its name.</param>
/// <param name="Kind">Of two or of a group.</param>
/// <param name="Peer">The other, of two; of a group who brought us in.</param>
/// <param name="Name">Of a group: its name.</param>
/// <param name="Standing">Whether the owner is in it.</param>
/// <param name="Read">Up to where the owner has read.</param>
/// <param name="Activity">When something was last said here, by our clock, in milliseconds since 1970.</param>
/// <param name="Foreign">The last word of the other came by PeerChat of the SuperApp: so do answers.</param>
internal sealed record Conversation(
    ConversationId Id, ConversationKind Kind, PublicKey? Peer, string Name, ConversationStanding Standing, EventOrder Read, ulong Activity, bool Foreign = false);

/// <summary>What kind of event is stored: messages by their kind, changes above <see cref="Change"/>.</summary>
internal static class StoredKind
{
    /// <summary>A message of the group that we cannot read.</summary>
    public const byte Unreadable = 0;
    public const byte Change = 100;

    public static bool IsMessage(byte kind) => kind is Unreadable or (byte)MessageKind.Text;
    public static bool IsShown(byte kind) => IsMessage(kind) || (kind > Change && kind != Change + (byte)ChangeKind.Rekey);
}

/// <summary>An event as it is kept.</summary>
/// <param name="Body">The content in clear; null where it is the part of <paramref name="Raw"/> behind the header, or cannot be read.</param>
/// <param name="Arrived">When it came, by our clock, in milliseconds since 1970.</param>
internal sealed record StoredEvent(
    ConversationId Conversation, EventOrder Order, PublicKey Author, byte Kind, uint Sequence, uint First, EventId Epoch, EventId Target,
    byte[] Raw, byte[]? Body, ulong Arrived, bool Hidden)
{
    public EventId Id => Order.Id;
    public bool IsShown => !Hidden && StoredKind.IsShown(Kind);

    /// <summary>The content of a message; null for changes and what cannot be read.</summary>
    public MessageContent? Content
    {
        get
        {
            if (Kind is StoredKind.Unreadable or > StoredKind.Change) return null;
            ReadOnlySpan<byte> bytes = Body is not null ? Body : Raw.AsSpan(EventHeader.Bytes);
            return MessageContent.TryRead(bytes, out var content) ? content : null;
        }
    }

    public GroupChange? ChangeContent =>
        Kind > StoredKind.Change && ChatEvent.TryRead(Raw, out var chat) && GroupChange.TryRead(chat.Content, out var change) ? change : null;

    public static StoredEvent Of(ChatEvent chat, MessageContent? content, byte[]? body, ulong arrived, bool hidden) => new(
        chat.Conversation, chat.Order, chat.Header.Author, content is null ? StoredKind.Unreadable : (byte)content.Kind, chat.Header.Sequence, chat.Header.First,
        chat.Header.Epoch, content?.Target ?? default, chat.Raw, body, arrived, hidden);

    public static StoredEvent Of(ChatEvent chat, GroupChange change, ulong arrived) => new(
        chat.Conversation, chat.Order, chat.Header.Author, (byte)(StoredKind.Change + (byte)change.Kind), 0, 0, default, default, chat.Raw, null, arrived, false);
}

/// <summary>An event that waits for what it stands on.</summary>
/// <param name="Id">Which.</param>
/// <param name="Raw">Its bytes, signature included.</param>
/// <param name="From">Who brought it.</param>
/// <param name="Letter">In which letter.</param>
internal sealed record HeldEvent(EventId Id, byte[] Raw, PublicKey From, LetterId Letter);

/// <summary>An event on its way to one person.</summary>
/// <param name="Event">Which.</param>
/// <param name="To">For whom.</param>
/// <param name="Letter">The letter that carries it; null while none was posted.</param>
/// <param name="Stage">How far it is known to have come.</param>
internal sealed record Delivery(EventId Event, PublicKey To, LetterId? Letter, LetterStage Stage);
