using Polder.Apps.Bundles.Letters;
using Polder.Cryptography;
using Polder.Identity;

namespace Polder.Apps.Chat;

/// <summary>What of a <see cref="MemoryChatStore"/> survives a crash: the writes that were flushed.</summary>
internal sealed class MemoryChatPlatter
{
    public List<Action<MemoryChatStore>> Written { get; } = [];
}

/// <summary>Conversations in memory, for tests and simulations. It forgets, at a crash, exactly what was not flushed.</summary>
internal sealed class MemoryChatStore : IChatStore
{
    private readonly MemoryChatPlatter _platter;
    private readonly Func<int, Task<int>>? _commit;
    private readonly List<Action<MemoryChatStore>> _open = [];
    private readonly Dictionary<ConversationId, Conversation> _conversations = [];
    private readonly Dictionary<EventId, StoredEvent> _events = [];
    private readonly Dictionary<ConversationId, SortedDictionary<EventOrder, EventId>> _orders = [];
    private readonly Dictionary<EventId, List<EventId>> _aims = [];
    private readonly Dictionary<EventId, List<Delivery>> _deliveries = [];
    private readonly Dictionary<EventId, Hash256> _secrets = [];
    private readonly Dictionary<EventId, (ConversationId Conversation, HeldEvent Event)> _held = [];
    private readonly List<(ConversationId Conversation, EventId Event, LetterId Letter)> _letters = [];
    private readonly Dictionary<(string, PublicKey), EventId> _foreign = [];
    private Task _flushed = Task.CompletedTask;

    /// <param name="platter">What is there already, and where flushed writes go.</param>
    /// <param name="commit">Asked before so many writes are called safe, answers how many are; null for a disk that never fails.</param>
    public MemoryChatStore(MemoryChatPlatter? platter = null, Func<int, Task<int>>? commit = null)
    {
        (_platter, _commit) = (platter ?? new MemoryChatPlatter(), commit);
        foreach (var write in _platter.Written) write(this);
    }

    public IReadOnlyList<Conversation> Conversations() => [.. _conversations.Values];
    public Conversation? Find(ConversationId id) => _conversations.GetValueOrDefault(id);
    public void Put(Conversation conversation) => Write(store => store._conversations[conversation.Id] = conversation);

    public bool Add(StoredEvent stored)
    {
        if (_events.ContainsKey(stored.Id)) return false;
        Write(store =>
        {
            store._events[stored.Id] = stored;
            if (!store._orders.TryGetValue(stored.Conversation, out var order)) store._orders[stored.Conversation] = order = [];
            order[stored.Order] = stored.Id;
            if (stored.Target.IsNone || stored.Kind == (byte)MessageKind.Text) return;
            if (!store._aims.TryGetValue(stored.Target, out var aims)) store._aims[stored.Target] = aims = [];
            aims.Add(stored.Id);
        });
        return true;
    }

    public StoredEvent? Find(EventId id) => _events.GetValueOrDefault(id);

    public IReadOnlyList<StoredEvent> Page(ConversationId conversation, EventOrder? before, int count) =>
        [.. InOrder(conversation).Reverse().Where(one => one.IsShown && (before is null || one.Order < before.Value)).Take(count)];

    public IReadOnlyList<StoredEvent> PageFrom(ConversationId conversation, EventOrder from, int count) =>
        [.. InOrder(conversation).Where(one => one.IsShown && one.Order >= from).Take(count)];

    public IReadOnlyList<StoredEvent> AimedAt(EventId target) =>
        _aims.TryGetValue(target, out var aims) ? [.. aims.Select(id => _events[id]).Where(static one => !one.Hidden)] : [];

    public IReadOnlyList<StoredEvent> Changes(ConversationId conversation) => [.. InOrder(conversation).Where(static one => one.Kind > StoredKind.Change)];

    public IReadOnlyList<StoredEvent> By(ConversationId conversation, PublicKey author, uint from, uint to, int count) =>
        [.. InOrder(conversation).Where(one => one.Author == author && one.Sequence >= Math.Max(1, from) && one.Sequence <= to).OrderBy(static one => one.Sequence).Take(count)];

    public IReadOnlyList<(uint Sequence, uint First)> Numbers(ConversationId conversation, PublicKey author) =>
        [.. InOrder(conversation).Where(one => one.Author == author && one.Sequence > 0).Select(static one => (one.Sequence, one.First)).Order()];

    public uint LastSequence(ConversationId conversation, PublicKey author) =>
        InOrder(conversation).Where(one => one.Author == author).Select(static one => one.Sequence).DefaultIfEmpty().Max();

    public uint FirstSequence(ConversationId conversation, PublicKey author, EventId epoch) =>
        InOrder(conversation).Where(one => one.Author == author && one.Sequence > 0 && one.Epoch == epoch).Select(static one => one.Sequence).DefaultIfEmpty().Min();

    public ulong LastClock(ConversationId conversation) => InOrder(conversation).LastOrDefault()?.Order.Clock ?? 0;

    public int CountAfter(ConversationId conversation, EventOrder place, PublicKey self, int most) =>
        InOrder(conversation).Where(one => one.IsShown && StoredKind.IsMessage(one.Kind) && one.Author != self && one.Order > place).Take(most).Count();

    public void Hide(EventId id, bool hidden) => Write(store =>
    {
        if (store._events.TryGetValue(id, out var stored)) store._events[id] = stored with { Hidden = hidden };
    });

    public IReadOnlyList<StoredEvent> Search(IReadOnlyList<string> words, ConversationId? conversation, int count)
    {
        if (words.Count == 0) return [];
        return [.. _events.Values.Where(one => one.IsShown && one.Kind == (byte)MessageKind.Text && (conversation is null || one.Conversation == conversation))
            .Where(one => ChatWords.Match(one.Content?.Text ?? "", words)
                || AimedAt(one.Id).Any(aimed => aimed.Kind == (byte)MessageKind.Edit && aimed.Author == one.Author && ChatWords.Match(aimed.Content?.Text ?? "", words)))
            .OrderByDescending(static one => one.Arrived).ThenByDescending(static one => one.Order).Take(count)];
    }

    public void Put(Delivery delivery) => Write(store =>
    {
        if (!store._deliveries.TryGetValue(delivery.Event, out var all)) store._deliveries[delivery.Event] = all = [];
        var index = all.FindIndex(one => one.To == delivery.To);
        if (index < 0) all.Add(delivery);
        else all[index] = delivery;
    });

    public IReadOnlyList<Delivery> Deliveries(EventId id) => _deliveries.TryGetValue(id, out var all) ? [.. all.OrderBy(static one => one.To)] : [];

    public IReadOnlyList<Delivery> Unposted(int count) =>
        [.. _deliveries.Values.SelectMany(static all => all).Where(static one => one.Letter is null).OrderBy(one => _events[one.Event].Order).Take(count)];

    public IReadOnlyList<Delivery> DeliveriesOf(LetterId letter) => [.. _deliveries.Values.SelectMany(static all => all).Where(one => one.Letter == letter)];

    public void PutSecret(ConversationId conversation, EventId epoch, Hash256 secret) => Write(store => store._secrets[epoch] = secret);
    public Hash256? Secret(EventId epoch) => _secrets.TryGetValue(epoch, out var secret) ? secret : null;

    public bool Hold(ConversationId conversation, HeldEvent held)
    {
        if (_held.ContainsKey(held.Id)) return true;
        if (_held.Values.Count(one => one.Conversation == conversation) >= ChatLimits.HeldMax) return false;
        Write(store => store._held[held.Id] = (conversation, held));
        return true;
    }

    public IReadOnlyList<HeldEvent> Held(ConversationId conversation) =>
        [.. _held.Where(one => one.Value.Conversation == conversation).OrderBy(static one => one.Key).Select(static one => one.Value.Event)];

    public void Release(EventId id)
    {
        if (_held.ContainsKey(id)) Write(store => store._held.Remove(id));
    }

    public void NoteLetter(ConversationId conversation, EventId id, LetterId letter) => Write(store => store._letters.Add((conversation, id, letter)));

    public IReadOnlyList<LetterId> TakeLetters(ConversationId conversation, EventOrder place)
    {
        var taken = _letters.Where(one => one.Conversation == conversation && _events.TryGetValue(one.Event, out var stored) && stored.Order <= place).ToList();
        if (taken.Count > 0) Write(store => store._letters.RemoveAll(taken.Contains));
        return [.. taken.Select(static one => one.Letter).Distinct()];
    }

    public void PutForeign(string name, PublicKey peer, EventId id) => Write(store => store._foreign[(name, peer)] = id);
    public EventId? FindForeign(string name, PublicKey peer) => _foreign.TryGetValue((name, peer), out var id) ? id : null;
    public string? ForeignName(EventId id) => _foreign.Where(one => one.Value == id).Select(static one => one.Key.Item1).FirstOrDefault();

    public Task FlushAsync() => _open.Count == 0 ? _flushed : _flushed = FlushAsync(_flushed);

    private async Task FlushAsync(Task before)
    {
        try { await before; }
        catch (IOException) { /* Its own callers were told; this one tries again with everything. */ }
        var writes = _open.Count;
        var safe = _commit is null || writes == 0 ? writes : await _commit(writes);
        // All or nothing, as a transaction is: a torn write is none.
        if (safe < writes) throw new IOException("The write was torn.");
        _platter.Written.AddRange(_open.Take(writes));
        _open.RemoveRange(0, writes);
    }

    private void Write(Action<MemoryChatStore> write)
    {
        write(this);
        _open.Add(write);
    }

    private IEnumerable<StoredEvent> InOrder(ConversationId conversation) =>
        _orders.TryGetValue(conversation, out var order) ? order.Values.Select(id => _events[id]) : [];
}
