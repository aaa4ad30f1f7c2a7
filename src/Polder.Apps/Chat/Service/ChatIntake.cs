using Polder.Apps.Bundles;
using Polder.Apps.Bundles.Letters;
using Polder.Identity;

namespace Polder.Apps.Chat;

/// <summary>What arrives. Everything in a letter but its sender's key is untrusted; a letter is kept, or refused, as a whole.</summary>
internal sealed class ChatIntake(ChatParts parts, ChatService service)
{
    private const int AsksMax = 5, OpenAsksMax = 256, AnsweredMax = 1024;
    private static readonly TimeSpan AskFirst = TimeSpan.FromSeconds(30), AnswerInterval = TimeSpan.FromSeconds(5);

    private readonly Dictionary<ConversationId, Ask> _asks = [];
    private readonly Dictionary<PublicKey, DateTimeOffset> _answered = [];
    private readonly Dictionary<ConversationId, int> _tellings = [];

    private IChatStore Store => parts.Store;
    private PublicKey Self => parts.Identity.Public;

    /// <summary>Events that could not be believed, since the start.</summary>
    public long Refused { get; private set; }

    /// <summary>Takes a letter: true when all that is worth keeping of it is on the disk.</summary>
    public async Task<bool> TakeAsync(Letter letter)
    {
        if (!ChatLetter.TryRead(letter.Body.Span, out var events, out var wanted))
        {
            // Nobody honest writes it, and it will not get better: it is done with.
            Refused++;
            return true;
        }
        if (wanted is not null)
        {
            await AnswerAsync(letter.From, wanted);
            return true;
        }
        var (touched, arrived, room) = (new HashSet<ConversationId>(), new List<StoredEvent>(), true);
        foreach (var chat in events)
            room &= chat.Header.Class == EventClass.Pair ? TakePair(chat, letter, touched, arrived) : TakeGroup(chat, letter.From, letter.Id, touched, arrived);
        // What was held may stand on what just came.
        foreach (var id in touched.ToArray())
            if (events.Any(static chat => chat.Header.Class == EventClass.Change)) TakeHeld(id, touched, arrived);
        try { await Store.FlushAsync(); }
        catch (IOException) { return false; }
        foreach (var stored in arrived) service.RaiseArrived(stored);
        foreach (var id in touched) service.Raise(id);
        if (_tellings.Count > 0) service.Start();
        return room;
    }

    private bool TakePair(ChatEvent chat, Letter letter, HashSet<ConversationId> touched, List<StoredEvent> arrived)
    {
        var id = ConversationId.OfPair(Self, letter.From);
        // The letter's seal says who wrote; the event has to say the same.
        if (chat.Header.Author != letter.From || letter.From == Self || chat.Conversation != id || !MessageContent.TryRead(chat.Content, out var content))
        {
            Refused++;
            return true;
        }
        var conversation = Store.Find(id);
        if (conversation is null)
        {
            if (Store.Conversations().Count >= ChatLimits.ConversationsMax) return false;
            conversation = new Conversation(id, ConversationKind.Pair, letter.From, "", Standing(letter.From), default, service.NowMilliseconds);
        }
        Keep(conversation with { Foreign = false }, StoredEvent.Of(chat, content, null, service.NowMilliseconds, false), letter.Id, touched, arrived);
        return true;
    }

    private ConversationStanding Standing(PublicKey from) => parts.People.IsContact(from) ? ConversationStanding.Open : ConversationStanding.Asked;

    private void Keep(Conversation conversation, StoredEvent stored, LetterId letter, HashSet<ConversationId> touched, List<StoredEvent> arrived)
    {
        if (!Store.Add(stored))
        {
            Store.NoteLetter(stored.Conversation, stored.Id, letter);
            return;
        }
        Store.Put(conversation with { Activity = stored.Arrived });
        Store.NoteLetter(stored.Conversation, stored.Id, letter);
        touched.Add(stored.Conversation);
        arrived.Add(stored);
    }

    // False: there is no room to hold it.
    private bool TakeGroup(ChatEvent chat, PublicKey from, LetterId letter, HashSet<ConversationId> touched, List<StoredEvent> arrived)
    {
        if (Store.Find(chat.Id) is not null)
        {
            if (chat.Header.Class == EventClass.Group) Store.NoteLetter(chat.Conversation, chat.Id, letter);
            return true;
        }
        if (!chat.IsSignedBy(parts.Signatures))
        {
            Refused++;
            return true;
        }
        return TakeChecked(chat, from, letter, touched, arrived);
    }

    private bool TakeChecked(ChatEvent chat, PublicKey from, LetterId letter, HashSet<ConversationId> touched, List<StoredEvent> arrived) =>
        chat.Header.Class == EventClass.Change ? TakeChange(chat, from, letter, touched) : TakeMessage(chat, from, letter, touched, arrived);

    private bool TakeChange(ChatEvent chat, PublicKey from, LetterId letter, HashSet<ConversationId> touched)
    {
        if (!GroupChange.TryRead(chat.Content, out var change))
        {
            Refused++;
            return true;
        }
        var id = chat.Conversation;
        var history = service.Group(id);
        if (history is null)
        {
            if (change.Kind != ChangeKind.Create) return Hold(chat, from, letter);
            if (Store.Conversations().Count >= ChatLimits.ConversationsMax) return false;
            history = service.NewGroup(id);
        }
        switch (history.Add(chat, change))
        {
            case ChangeVerdict.Waits:
                return Hold(chat, from, letter);
            case ChangeVerdict.Added:
                break;
            default:
                Refused++;
                return true;
        }
        var stored = StoredEvent.Of(chat, change, service.NowMilliseconds);
        if (Store.Find(id) is null)
            Store.Put(new Conversation(id, ConversationKind.Group, from, change.Name, ConversationStanding.Asked, default, stored.Arrived));
        Store.Add(stored);
        if (change.OpenFor(parts.Identity) is { } secret) Store.PutSecret(id, chat.Id, secret);
        // Who brought us in is whom the invitation names.
        if (change.Kind == ChangeKind.Add && change.People.Any(one => one.Key == Self) && Store.Find(id) is { Standing: not ConversationStanding.Open } asked)
            Store.Put(asked with { Peer = chat.Header.Author, Activity = stored.Arrived });
        service.GroupChanged(id, history);
        if (change.Kind == ChangeKind.Add) TellNewcomers(id, history, history.Find(chat.Id)!);
        touched.Add(id);
        return true;
    }

    // Whoever was added beside a change of ours was told of that by nobody: the one who added it did not know it.
    private void TellNewcomers(ConversationId id, GroupHistory history, GroupNode added)
    {
        foreach (var own in history.InOrder)
        {
            if (own.Author != Self || !own.IsConcurrentWith(added)) continue;
            var told = Store.Deliveries(own.Id).Select(static delivery => delivery.To).ToHashSet();
            foreach (var one in added.Change.People)
            {
                if (one.Key == Self || !added.After.IsMember(one.Key) || !told.Add(one.Key)) continue;
                // A hostile admin names people without end.
                if (_tellings.GetValueOrDefault(id) >= ChatLimits.MembersMax) return;
                _tellings[id] = _tellings.GetValueOrDefault(id) + 1;
                Store.Put(new Delivery(own.Id, one.Key, null, LetterStage.OnlyHere));
            }
        }
    }

    private bool TakeMessage(ChatEvent chat, PublicKey from, LetterId letter, HashSet<ConversationId> touched, List<StoredEvent> arrived)
    {
        var id = chat.Conversation;
        var history = service.Group(id);
        if (history?.Find(chat.Header.Epoch) is not { } epoch) return (history?.IsRefused(chat.Header.Epoch) ?? false) || Hold(chat, from, letter);
        var conversation = Store.Find(id);
        if (conversation is null || !epoch.Change.BringsKey || !epoch.After.IsMember(chat.Header.Author))
        {
            Refused++;
            return true;
        }
        // Written for a time in which we were not there.
        if (!epoch.After.IsMember(Self)) return true;
        MessageContent? content = null;
        var body = Store.Secret(epoch.Id) is { } secret ? GroupCipher.TryOpen(secret, chat) : null;
        if (body is not null && !MessageContent.TryRead(body, out content))
        {
            Refused++;
            return true;
        }
        var hidden = !history.Counts(chat.Header.Author, chat.Header.Sequence, epoch.Id);
        Keep(conversation, StoredEvent.Of(chat, content, body, service.NowMilliseconds, hidden), letter, touched, arrived);
        if (chat.Header.Sequence > chat.Header.First && Store.By(id, chat.Header.Author, chat.Header.Sequence - 1, chat.Header.Sequence - 1, 1).Count == 0)
            Note(id, from);
        return true;
    }

    private bool Hold(ChatEvent chat, PublicKey from, LetterId letter)
    {
        Note(chat.Conversation, from);
        return Store.Hold(chat.Conversation, new HeldEvent(chat.Id, chat.Raw, from, letter));
    }

    // Clocks grow from parent to child: in their order one pass takes all that can be taken, however a hostile member has laid it out.
    private void TakeHeld(ConversationId id, HashSet<ConversationId> touched, List<StoredEvent> arrived)
    {
        if (service.Group(id) is not { } history) return;
        var all = new List<(HeldEvent Held, ChatEvent Chat)>();
        foreach (var held in Store.Held(id))
            if (ChatEvent.TryRead(held.Raw, out var chat)) all.Add((held, chat));
            else Store.Release(held.Id);
        foreach (var (held, chat) in all.OrderByDescending(static one => one.Chat.Header.Class).ThenBy(static one => one.Chat.Order))
        {
            if (!IsReady(history, chat)) continue;
            Store.Release(chat.Id);
            // Its signature was checked before it was held.
            TakeChecked(chat, held.From, held.Letter, touched, arrived);
        }
    }

    private static bool IsReady(GroupHistory history, ChatEvent chat)
    {
        if (chat.Header.Class == EventClass.Group) return history.Find(chat.Header.Epoch) is not null || history.IsRefused(chat.Header.Epoch);
        return !GroupChange.TryRead(chat.Content, out var change) || change.Parents.Any(history.IsRefused) || !history.Missing(change).Any();
    }

    // ---- Asking for what is missing ----

    private sealed record Ask(DateTimeOffset Due, int Asked, PublicKey Of);

    private void Note(ConversationId id, PublicKey from)
    {
        if (_asks.Count < OpenAsksMax || _asks.ContainsKey(id)) _asks.TryAdd(id, new Ask(parts.Time.GetUtcNow() + AskFirst, 0, from));
    }

    /// <summary>Asks for what should have come meanwhile: first whoever showed that it has it, then any member.</summary>
    public async Task AskForMissingAsync()
    {
        var now = parts.Time.GetUtcNow();
        foreach (var (id, ask) in _asks.ToArray())
        {
            if (ask.Due > now) continue;
            if (Missing(id) is not { } wanted || ask.Asked >= AsksMax)
            {
                _asks.Remove(id);
                continue;
            }
            _asks[id] = ask with { Due = now + AskFirst * (1 << (ask.Asked + 1)), Asked = ask.Asked + 1 };
            var members = service.Group(id)?.State.Members.Keys.Where(key => key != Self).ToList() ?? [];
            var whom = ask.Asked == 0 || members.Count == 0 ? ask.Of : parts.Random.Pick(members);
            try { await parts.Letters.PostAsync(whom, ChatLetter.Write(wanted)); }
            catch (Exception problem) when (problem is IOException or MailRefusedException) { /* Asked again later. */ }
        }
    }

    private WantedEvents? Missing(ConversationId id)
    {
        var history = service.Group(id);
        var changes = new SortedSet<EventId>();
        foreach (var held in Store.Held(id))
        {
            if (!ChatEvent.TryRead(held.Raw, out var chat)) continue;
            if (chat.Header.Class == EventClass.Group) changes.Add(chat.Header.Epoch);
            else if (GroupChange.TryRead(chat.Content, out var change)) changes.UnionWith(change.Parents);
        }
        // The event that makes the group is named by it.
        if (history is null) changes.Add(new EventId(id.Hash));
        changes.RemoveWhere(change => history?.Find(change) is not null || Store.Find(change) is not null);
        var ranges = new List<EventRange>();
        foreach (var author in history?.State.Members.Keys.ToList() ?? [])
        {
            if (author == Self || ranges.Count == ChatLimits.RangesMax) continue;
            // Numbers are their author's word: the last one there is may be said, and twice.
            var next = 0ul;
            foreach (var (sequence, first) in Store.Numbers(id, author))
            {
                var from = Math.Max(first, next);
                if (sequence > from && ranges.Count < ChatLimits.RangesMax) ranges.Add(new EventRange(author, (uint)from, sequence - 1));
                next = sequence + 1ul;
            }
        }
        return changes.Count == 0 && ranges.Count == 0 ? null : new WantedEvents(id, [.. changes.Take(ChatLimits.RangesMax)], ranges);
    }

    private async Task AnswerAsync(PublicKey asker, WantedEvents wanted)
    {
        var now = parts.Time.GetUtcNow();
        if (service.Group(wanted.Conversation) is not { } history || !history.State.IsMember(asker)) return;
        if (_answered.TryGetValue(asker, out var last) && now - last < AnswerInterval) return;
        if (_answered.Count >= AnsweredMax) _answered.Clear();
        _answered[asker] = now;
        var (events, bytes) = (new List<byte[]>(), 0);
        foreach (var id in wanted.Changes)
            if (history.Find(id) is not null && Store.Find(id) is { } stored) Put(stored);
        foreach (var range in wanted.Ranges)
            foreach (var stored in Store.By(wanted.Conversation, range.Author, range.From, range.To, ChatLimits.EventsPerLetterMax))
                // Only what was written for it.
                if (history.Find(stored.Epoch)?.After.IsMember(asker) == true) Put(stored);
        if (events.Count == 0) return;
        try { await parts.Letters.PostAsync(asker, ChatLetter.Write(events)); }
        catch (Exception problem) when (problem is IOException or MailRefusedException) { /* It asks again. */ }

        void Put(StoredEvent stored)
        {
            if (events.Count == ChatLimits.EventsPerLetterMax || bytes + stored.Raw.Length + 4 > ChatLimits.LetterBytesMax) return;
            events.Add(stored.Raw);
            bytes += stored.Raw.Length + 4;
        }
    }
}
