using Polder.Apps.Bundles.Letters;
using Polder.Cryptography;
using Polder.Identity;
using Polder.Runtime;

namespace Polder.Apps.Chat;

/// <summary>What the owner asked for cannot be done; the message is for people.</summary>
internal sealed class ChatRefusedException(string message) : Exception(message);

/// <summary>What the chat works with.</summary>
/// <param name="Identity">Who we are.</param>
/// <param name="Random">Salts and keys.</param>
/// <param name="Signatures">How events of groups are signed.</param>
/// <param name="Time">Our clock, and timers on the loop.</param>
/// <param name="Store">Where conversations lie.</param>
/// <param name="Letters">How they travel.</param>
/// <param name="People">Whom the owner knows.</param>
internal sealed record ChatParts(
    KeyPair Identity, Prng Random, ISignatures Signatures, TimeProvider Time, IChatStore Store, ILetters Letters, IChatPeople People);

/// <summary>
/// Conversations of two and of groups. An event of ours is on the disk before it is posted, one of others before its receipt goes out. On the
/// node's loop. What arrives is taken by <see cref="ChatIntake"/>, what leaves goes through <see cref="ChatPost"/>.
/// </summary>
internal sealed class ChatService
{
    /// <summary>A group's new key is made at most so often in one sending; by then everybody would have to change the group at every step.</summary>
    private const int KeysAtOnceMax = 4;

    private readonly ChatParts _parts;
    private readonly ChatIntake _intake;
    private readonly ChatPost _post;
    private readonly Dictionary<ConversationId, GroupHistory> _groups = [];

    public ChatService(ChatParts parts)
    {
        _parts = parts;
        _post = new ChatPost(parts, Raise);
        _intake = new ChatIntake(parts, this);
        parts.Letters.Receive(_intake.TakeAsync);
    }

    /// <summary>Something of a conversation changed.</summary>
    public event Action<ConversationId>? Changed;

    /// <summary>A message of somebody else was kept.</summary>
    public event Action<StoredEvent>? Arrived;

    /// <summary>Sends what is to go by another network; null where there is none.</summary>
    public Func<Conversation, StoredEvent, Task<bool>>? SendForeign { get; set; }

    /// <summary>Whether somebody is reached by another network only.</summary>
    public Func<PublicKey, bool> IsForeign { get; set; } = static _ => false;

    public IChatStore Store => _parts.Store;
    public PublicKey Self => _parts.Identity.Public;
    public IChatPeople People => _parts.People;
    public ILetters Letters => _parts.Letters;
    public Prng Random => _parts.Random;

    /// <summary>Our clock, in milliseconds since 1970.</summary>
    public ulong NowMilliseconds => (ulong)Math.Clamp(_parts.Time.GetUtcNow().ToUnixTimeMilliseconds(), 0, (long)ChatLimits.TimeMax);

    /// <summary>Posts what was kept and never posted, in the background.</summary>
    public void Start() => _post.Begin();

    /// <summary>What time brings: letters that could not be posted, questions for what is missing. To be called every few seconds.</summary>
    public async Task TickAsync()
    {
        _post.Begin();
        await _intake.AskForMissingAsync();
        try { await Store.FlushAsync(); }
        catch (IOException) { /* Nobody was promised anything; the next flush tries again. */ }
    }

    /// <summary>The group of that name; null when it is none, or not known.</summary>
    public GroupHistory? Group(ConversationId id)
    {
        if (_groups.TryGetValue(id, out var known)) return known;
        var changes = Store.Changes(id);
        if (changes.Count == 0) return null;
        var history = new GroupHistory();
        foreach (var stored in changes)
            if (ChatEvent.TryRead(stored.Raw, out var chat) && GroupChange.TryRead(chat.Content, out var change)) history.Add(chat, change);
        return _groups[id] = history;
    }

    internal GroupHistory NewGroup(ConversationId id) => _groups[id] = new GroupHistory();

    /// <summary>The conversation with somebody, made when there is none.</summary>
    public Conversation With(PublicKey peer)
    {
        if (peer == Self) throw new ChatRefusedException("That is you. Notes to yourself are not kept here.");
        var id = ConversationId.OfPair(Self, peer);
        if (Store.Find(id) is { } known) return known;
        var made = new Conversation(id, ConversationKind.Pair, peer, "", ConversationStanding.Open, default, NowMilliseconds);
        Store.Put(made);
        return made;
    }

    // ---- Saying something ----

    /// <summary>Says something. When the task completes it is on the disk, and on its way.</summary>
    public async Task<StoredEvent> SendAsync(ConversationId id, MessageContent content)
    {
        if (content.Fault is { } fault) throw new ChatRefusedException(fault);
        var conversation = Store.Find(id) ?? throw new ChatRefusedException("There is no such conversation.");
        if (!content.Target.IsNone) Check(conversation, content);
        if (conversation.Kind == ConversationKind.Pair && SendForeign is not null && !conversation.Foreign && Store.LastSequence(id, conversation.Peer!) == 0 && IsForeign(conversation.Peer!))
            conversation = conversation with { Foreign = true };
        if (conversation.Foreign && SendForeign is not null) CheckForeign(content);
        var stored = conversation.Kind == ConversationKind.Pair ? SayToOne(conversation, content) : SayToGroup(conversation, content);
        if (conversation.Standing == ConversationStanding.Asked) conversation = conversation with { Standing = ConversationStanding.Open };
        Store.Put(conversation with { Activity = stored.Arrived, Read = StoredKind.IsMessage(stored.Kind) && stored.Order > conversation.Read ? stored.Order : conversation.Read });
        await Store.FlushAsync();
        if (conversation is { Foreign: true, Kind: ConversationKind.Pair } && SendForeign is { } foreign) await foreign(conversation, stored);
        else await _post.PostAsync();
        Raise(id);
        return stored;
    }

    private static void CheckForeign(MessageContent content)
    {
        if (content.Kind != MessageKind.Text || content.Attachments.Count > 0)
            throw new ChatRefusedException("This contact uses the SuperApp, which takes texts from here, but no files, changes or reactions.");
        if (System.Text.Encoding.UTF8.GetByteCount(content.Text) > PeerChat.PeerChatService.TextBytesMax)
            throw new ChatRefusedException($"This contact uses the SuperApp, which takes at most {PeerChat.PeerChatService.TextBytesMax} bytes in one message.");
    }

    private void Check(Conversation conversation, MessageContent content)
    {
        if (Store.Find(content.Target) is not { Hidden: false } target || target.Conversation != conversation.Id || target.Kind != (byte)MessageKind.Text)
            throw new ChatRefusedException("The message that is meant is not in this conversation.");
        if (content.Kind is MessageKind.Edit or MessageKind.Delete && target.Author != Self)
            throw new ChatRefusedException("Only your own messages can be changed.");
    }

    private StoredEvent SayToOne(Conversation conversation, MessageContent content)
    {
        if (People.IsBlocked(conversation.Peer!)) throw new ChatRefusedException("You have blocked this contact. Unblock it first: polder contact unblock NAME.");
        var body = content.Write();
        var chat = ChatEvent.Make(Header(EventClass.Pair, conversation.Id, default, 1), body, _parts.Identity, _parts.Signatures);
        var stored = StoredEvent.Of(chat, content, null, NowMilliseconds, false);
        Store.Add(stored);
        if (!conversation.Foreign || SendForeign is null) Store.Put(new Delivery(chat.Id, conversation.Peer!, null, LetterStage.OnlyHere));
        return stored;
    }

    private StoredEvent SayToGroup(Conversation conversation, MessageContent content)
    {
        var history = GroupOf(conversation);
        var (epoch, secret) = KeyFor(conversation, history);
        var first = Store.FirstSequence(conversation.Id, Self, epoch.Id);
        var header = Header(EventClass.Group, conversation.Id, epoch.Id, first);
        var body = content.Write();
        var chat = ChatEvent.Make(header, GroupCipher.Seal(secret, header, body), _parts.Identity, _parts.Signatures);
        var stored = StoredEvent.Of(chat, content, body, NowMilliseconds, false);
        Store.Add(stored);
        foreach (var member in epoch.After.Members.Keys)
            if (member != Self) Store.Put(new Delivery(chat.Id, member, null, LetterStage.OnlyHere));
        return stored;
    }

    private EventHeader Header(EventClass kind, ConversationId id, EventId epoch, uint first)
    {
        var sequence = checked(Store.LastSequence(id, Self) + 1);
        return new EventHeader(kind, id, Self, sequence, first == 0 ? sequence : first, NextClock(id), NowMilliseconds, epoch, Salt());
    }

    private ulong NextClock(ConversationId id) => Math.Min(Store.LastClock(id) + 1, ChatLimits.ClockMax);

    private UInt128 Salt() => new(Random.NextUInt64(), Random.NextUInt64());

    private GroupHistory GroupOf(Conversation conversation)
    {
        var history = Group(conversation.Id) ?? throw new ChatRefusedException("There is no such group.");
        if (!history.State.IsMember(Self)) throw new ChatRefusedException("You are not a member of this group any more.");
        return history;
    }

    /// <summary>
    /// The newest key that exactly those have who are members now; where there is none that we hold, a new one is made. So nobody who was
    /// removed can read what is written by anybody who knows of the removal.
    /// </summary>
    private (GroupNode Epoch, Hash256 Secret) KeyFor(Conversation conversation, GroupHistory history)
    {
        for (var i = 0; ; i++)
        {
            foreach (var epoch in history.FittingEpochs)
                if (Store.Secret(epoch.Id) is { } secret) return (epoch, secret);
            if (i == KeysAtOnceMax) throw new ChatRefusedException("The group changes too fast. Try again in a moment.");
            Change(conversation, history, ChangeKind.Rekey, "", [], [.. history.State.Members.Keys]);
        }
    }

    // ---- Groups ----

    /// <summary>Makes a group. Those who are invited find the invitation in their list.</summary>
    public async Task<Conversation> CreateGroupAsync(string name, IReadOnlyList<PublicKey> members)
    {
        name = CheckName(name);
        var people = members.Where(key => key != Self).Distinct().Select(static key => new Named(key, false, 0)).ToList();
        if (people.Count + 1 > ChatLimits.MembersMax) throw new ChatRefusedException($"A group has at most {ChatLimits.MembersMax} members.");
        var history = new GroupHistory();
        var secret = NewSecret();
        var change = new GroupChange(ChangeKind.Create, [], name, people, GroupCipher.Commitment(secret), Boxes(secret, [Self, .. people.Select(static one => one.Key)]));
        var header = new EventHeader(EventClass.Change, default, Self, 0, 0, 1, NowMilliseconds, default, Salt());
        var chat = ChatEvent.Make(header, change.Write(), _parts.Identity, _parts.Signatures);
        history.Add(chat, change);
        _groups[chat.Conversation] = history;
        var stored = StoredEvent.Of(chat, change, NowMilliseconds);
        var conversation = new Conversation(chat.Conversation, ConversationKind.Group, null, name, ConversationStanding.Open, stored.Order, stored.Arrived);
        Store.Put(conversation);
        Store.Add(stored);
        Store.PutSecret(conversation.Id, chat.Id, secret);
        foreach (var one in people) Store.Put(new Delivery(chat.Id, one.Key, null, LetterStage.OnlyHere));
        await DoneAsync(conversation.Id);
        return conversation;
    }

    public Task AddAsync(ConversationId id, IReadOnlyList<PublicKey> who, bool admin = false) => ChangeAsync(id, ChangeKind.Add, "", history =>
    {
        var people = who.Distinct().Where(key => !history.State.IsMember(key)).Select(key => new Named(key, admin, 0)).ToList();
        if (people.Count == 0) throw new ChatRefusedException("Everybody named is a member already.");
        if (history.State.Members.Count + people.Count > ChatLimits.MembersMax) throw new ChatRefusedException($"A group has at most {ChatLimits.MembersMax} members.");
        return people;
    });

    public Task RemoveAsync(ConversationId id, PublicKey who) => ChangeAsync(id, ChangeKind.Remove, "", history =>
        history.State.IsMember(who) ? [new Named(who, false, Store.LastSequence(id, who))] : throw new ChatRefusedException("That is no member of this group."));

    public Task PromoteAsync(ConversationId id, PublicKey who, bool admin) => ChangeAsync(id, admin ? ChangeKind.Promote : ChangeKind.Demote, "", history =>
        history.State.IsMember(who) ? [new Named(who, false, 0)] : throw new ChatRefusedException("That is no member of this group."));

    public Task RenameAsync(ConversationId id, string name) => ChangeAsync(id, ChangeKind.Rename, CheckName(name), static _ => []);

    public Task LeaveAsync(ConversationId id) => ChangeAsync(id, ChangeKind.Leave, "", _ => [new Named(Self, false, Store.LastSequence(id, Self))]);

    /// <summary>Says yes to a group or a stranger.</summary>
    public async Task AcceptAsync(ConversationId id)
    {
        if (Store.Find(id) is not { Standing: ConversationStanding.Asked } conversation) return;
        Store.Put(conversation with { Standing = ConversationStanding.Open });
        await Store.FlushAsync();
        Raise(id);
    }

    private async Task ChangeAsync(ConversationId id, ChangeKind kind, string name, Func<GroupHistory, IReadOnlyList<Named>> people)
    {
        var conversation = Store.Find(id) is { Kind: ConversationKind.Group } found ? found : throw new ChatRefusedException("There is no such group.");
        var history = GroupOf(conversation);
        if (kind is not (ChangeKind.Leave or ChangeKind.Rekey) && !history.State.IsAdmin(Self)) throw new ChatRefusedException("Only an admin of the group can do that.");
        var named = people(history);
        if (kind == ChangeKind.Remove && named[0].Key == Self) throw new ChatRefusedException("To go yourself, leave the group.");
        List<PublicKey> after = [.. history.State.Members.Keys];
        if (kind == ChangeKind.Add) after.AddRange(named.Select(static one => one.Key));
        if (kind == ChangeKind.Remove) after.RemoveAll(key => key == named[0].Key);
        Change(conversation, history, kind, name, named, after);
        await DoneAsync(id);
    }

    private async Task DoneAsync(ConversationId id)
    {
        await Store.FlushAsync();
        await _post.PostAsync();
        Raise(id);
    }

    // Makes a change of ours, keeps it, and addresses it to whoever is concerned: newcomers get all that was before.
    private void Change(Conversation conversation, GroupHistory history, ChangeKind kind, string name, IReadOnlyList<Named> people, IReadOnlyList<PublicKey> keyFor)
    {
        if (history.Count >= ChatLimits.ChangesMax) throw new ChatRefusedException("This group has changed too often. Make a new one.");
        var brings = kind is ChangeKind.Add or ChangeKind.Remove or ChangeKind.Rekey;
        var secret = NewSecret();
        var before = history.State.Members.Keys.ToList();
        var change = new GroupChange(kind, history.Heads, name, people, brings ? GroupCipher.Commitment(secret) : default, brings ? Boxes(secret, keyFor) : []);
        var header = new EventHeader(EventClass.Change, conversation.Id, Self, 0, 0, NextClock(conversation.Id), NowMilliseconds, default, Salt());
        var chat = ChatEvent.Make(header, change.Write(), _parts.Identity, _parts.Signatures);
        var earlier = history.InOrder.Select(static node => node.Id).ToList();
        if (history.Add(chat, change) != ChangeVerdict.Added) throw new ChatRefusedException("You have no right to do that in this group.");
        var stored = StoredEvent.Of(chat, change, NowMilliseconds);
        Store.Add(stored);
        if (brings) Store.PutSecret(conversation.Id, chat.Id, secret);
        foreach (var member in before.Union(history.State.Members.Keys))
        {
            if (member == Self) continue;
            if (!before.Contains(member))
                foreach (var one in earlier) Store.Put(new Delivery(one, member, null, LetterStage.OnlyHere));
            Store.Put(new Delivery(chat.Id, member, null, LetterStage.OnlyHere));
        }
        GroupChanged(conversation.Id, history);
    }

    /// <summary>Brings what hangs on the members up to date: the group's name, whether we are in it, whose messages count.</summary>
    internal void GroupChanged(ConversationId id, GroupHistory history)
    {
        if (Store.Find(id) is { } conversation)
        {
            var standing = !history.State.IsMember(Self) ? ConversationStanding.Gone
                : conversation.Standing == ConversationStanding.Gone ? ConversationStanding.Asked : conversation.Standing;
            Store.Put(conversation with { Name = history.State.Name, Standing = standing });
        }
        // Also those whose removal turned out to be void: what was hidden by it counts again.
        foreach (var (who, seen) in history.EverRemoved)
            if (seen < uint.MaxValue)
                foreach (var stored in Store.By(id, who, seen + 1, uint.MaxValue, int.MaxValue))
                    if (stored.Hidden == history.Counts(who, stored.Sequence, stored.Epoch)) Store.Hide(stored.Id, !stored.Hidden);
    }

    private static string CheckName(string name)
    {
        name = name.Trim();
        if (name.Length == 0) throw new ChatRefusedException("A group needs a name.");
        return System.Text.Encoding.UTF8.GetByteCount(name) <= ChatLimits.GroupNameBytesMax ? name
            : throw new ChatRefusedException($"A group's name has at most {ChatLimits.GroupNameBytesMax} letters.");
    }

    private Hash256 NewSecret()
    {
        Span<byte> bytes = stackalloc byte[KeyBox.SecretBytes];
        Random.Fill(bytes);
        return new Hash256(bytes);
    }

    private List<GroupChange.Box> Boxes(Hash256 secret, IEnumerable<PublicKey> members) =>
        [.. members.Distinct().Select(member => new GroupChange.Box(member.NodeId.Head, KeyBox.Seal(member, secret, Random)))];

    // ---- Reading ----

    /// <summary>The owner has seen everything up to here: senders are told.</summary>
    public async Task MarkReadAsync(ConversationId id)
    {
        if (Store.Find(id) is not { } conversation || Store.Page(id, null, 1) is not [{ } newest]) return;
        var letters = Store.TakeLetters(id, newest.Order);
        if (letters.Count == 0 && newest.Order <= conversation.Read) return;
        Store.Put(conversation with { Read = newest.Order > conversation.Read ? newest.Order : conversation.Read });
        await Store.FlushAsync();
        // Whoever only looks at a stranger's request has not told it yet that anybody is here.
        if (conversation.Standing == ConversationStanding.Open) foreach (var letter in letters) Letters.MarkSeen(letter);
        Raise(id);
    }

    internal void Raise(ConversationId id) => Changed?.Invoke(id);
    internal void RaiseArrived(StoredEvent stored) => Arrived?.Invoke(stored);
}
