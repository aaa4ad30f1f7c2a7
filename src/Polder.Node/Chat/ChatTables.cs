using Polder.Apps.Bundles.Letters;
using Polder.Apps.Chat;
using Polder.Cryptography;
using Polder.Identity;
using Polder.Node.Storage;

namespace Polder.Node.Chat;

/// <summary>The statements of chat.db that are about conversations, events and what is searched; those about ways are in <see cref="ChatWays"/>.</summary>
internal sealed class ChatTables : IDisposable
{
    private const string Columns = "event, conversation, author, kind, clock, time, sequence, first, epoch, target, arrived, hidden, raw, body, ordinal";

    private readonly ChatNumbers _numbers;
    private readonly ChatWays _ways;
    private readonly Statement _conversations, _conversation, _put, _insert, _find, _known, _pageNewest, _page, _pageFrom, _aimed, _changes, _by, _numbered, _last, _first, _clock,
        _count, _hide, _word;
    private readonly Database _database;

    public ChatTables(Database database)
    {
        _database = database;
        _numbers = new ChatNumbers(database);
        _ways = new ChatWays(database, _numbers);
        const string fields = "name, kind, peer, title, standing, read_clock, read_time, read_event, activity, is_foreign";
        _conversations = database.Prepare($"SELECT {fields} FROM conversations WHERE kind <> 0");
        _conversation = database.Prepare($"SELECT {fields} FROM conversations WHERE name = ?1 AND kind <> 0");
        _put = database.Prepare("""
            UPDATE conversations SET kind = ?2, peer = ?3, title = ?4, standing = ?5, read_clock = ?6, read_time = ?7, read_event = ?8, activity = ?9, is_foreign = ?10
            WHERE id = ?1
            """);
        _insert = database.Prepare("""
            INSERT INTO events (event, conversation, author, kind, clock, time, sequence, first, epoch, target, arrived, hidden, shown, raw, body)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)
            """);
        _find = database.Prepare($"SELECT {Columns} FROM events WHERE event = ?1");
        _known = database.Prepare("SELECT ordinal FROM events WHERE event = ?1");
        _pageNewest = database.Prepare($"SELECT {Columns} FROM events WHERE conversation = ?1 AND shown = 1 ORDER BY clock DESC, time DESC, event DESC LIMIT ?2");
        _page = database.Prepare($"""
            SELECT {Columns} FROM events WHERE conversation = ?1 AND shown = 1 AND (clock, time, event) < (?3, ?4, ?5) ORDER BY clock DESC, time DESC, event DESC LIMIT ?2
            """);
        _pageFrom = database.Prepare($"""
            SELECT {Columns} FROM events WHERE conversation = ?1 AND shown = 1 AND (clock, time, event) >= (?3, ?4, ?5) ORDER BY clock, time, event LIMIT ?2
            """);
        _aimed = database.Prepare($"SELECT {Columns} FROM events WHERE target = ?1 AND hidden = 0 AND kind <> 1");
        _changes = database.Prepare($"SELECT {Columns} FROM events WHERE conversation = ?1 AND kind > 100 ORDER BY clock, time, event");
        _by = database.Prepare($"SELECT {Columns} FROM events WHERE conversation = ?1 AND author = ?2 AND sequence > 0 AND sequence BETWEEN ?3 AND ?4 ORDER BY sequence LIMIT ?5");
        _numbered = database.Prepare("SELECT sequence, first FROM events WHERE conversation = ?1 AND author = ?2 AND sequence > 0 ORDER BY sequence, first");
        _last = database.Prepare("SELECT sequence FROM events WHERE conversation = ?1 AND author = ?2 AND sequence > 0 ORDER BY sequence DESC LIMIT 1");
        _first = database.Prepare("SELECT min(sequence) FROM events WHERE conversation = ?1 AND author = ?2 AND sequence > 0 AND epoch = ?3");
        _clock = database.Prepare("SELECT clock FROM events WHERE conversation = ?1 ORDER BY clock DESC LIMIT 1");
        _count = database.Prepare("""
            SELECT count(*) FROM (SELECT 1 FROM events WHERE conversation = ?1 AND shown = 1 AND (clock, time, event) > (?2, ?3, ?4) AND kind <= 1 AND author <> ?5 LIMIT ?6)
            """);
        _hide = database.Prepare("UPDATE events SET hidden = ?2, shown = (?2 = 0 AND (kind <= 1 OR (kind > 100 AND kind <> 108))) WHERE event = ?1");
        _word = database.Prepare("INSERT OR IGNORE INTO words (word, ordinal) VALUES (?1, ?2)");
    }

    public IReadOnlyList<Conversation> Conversations()
    {
        var all = new List<Conversation>();
        while (_conversations.Step()) all.Add(ReadConversation(_conversations));
        return all;
    }

    public Conversation? Conversation(ConversationId id)
    {
        if (!_conversation.Bind(1, id.ToArray()).Step()) return null;
        var found = ReadConversation(_conversation);
        _conversation.Reset();
        return found;
    }

    public void Put(Conversation one)
    {
        var number = _numbers.AddConversation(one.Id);
        _put.Bind(1, number).Bind(2, (long)one.Kind);
        if (one.Peer is { } peer) _put.Bind(3, _numbers.AddPerson(peer));
        else _put.BindNothing(3);
        _put.Bind(4, one.Name).Bind(5, (long)one.Standing).Bind(6, (long)one.Read.Clock).Bind(7, (long)one.Read.Time).Bind(8, one.Read.Id.ToArray())
            .Bind(9, (long)one.Activity).Bind(10, one.Foreign ? 1 : 0).Run();
    }

    public bool Add(StoredEvent stored)
    {
        if (OrdinalOf(stored.Id) is not null) return false;
        _insert.Bind(1, stored.Id.ToArray()).Bind(2, _numbers.AddConversation(stored.Conversation)).Bind(3, _numbers.AddPerson(stored.Author)).Bind(4, stored.Kind)
            .Bind(5, (long)stored.Order.Clock).Bind(6, (long)stored.Order.Time).Bind(7, stored.Sequence).Bind(8, stored.First);
        BindId(_insert, 9, stored.Epoch);
        BindId(_insert, 10, stored.Target);
        _insert.Bind(11, (long)stored.Arrived).Bind(12, stored.Hidden ? 1 : 0).Bind(13, stored.IsShown ? 1 : 0).Bind(14, stored.Raw);
        if (stored.Body is { } body) _insert.Bind(15, body);
        else _insert.BindNothing(15);
        _insert.Run();
        Index(stored);
        return true;
    }

    public StoredEvent? Event(EventId id)
    {
        if (!_find.Bind(1, id.ToArray()).Step()) return null;
        var found = ReadEvent(_find);
        _find.Reset();
        return found;
    }

    public IReadOnlyList<StoredEvent> Page(ConversationId conversation, EventOrder? before, int count)
    {
        var number = _numbers.Conversation(conversation);
        return before is { } place ? All(Place(_page.Bind(1, number).Bind(2, count), 3, place)) : All(_pageNewest.Bind(1, number).Bind(2, count));
    }

    public IReadOnlyList<StoredEvent> PageFrom(ConversationId conversation, EventOrder from, int count) =>
        All(Place(_pageFrom.Bind(1, _numbers.Conversation(conversation)).Bind(2, count), 3, from));

    public IReadOnlyList<StoredEvent> AimedAt(EventId target) => All(_aimed.Bind(1, target.ToArray()));
    public IReadOnlyList<StoredEvent> Changes(ConversationId conversation) => All(_changes.Bind(1, _numbers.Conversation(conversation)));

    public IReadOnlyList<StoredEvent> By(ConversationId conversation, PublicKey author, uint from, uint to, int count) =>
        All(_by.Bind(1, _numbers.Conversation(conversation)).Bind(2, _numbers.Person(author)).Bind(3, from).Bind(4, to).Bind(5, count));

    public IReadOnlyList<(uint Sequence, uint First)> Numbers(ConversationId conversation, PublicKey author)
    {
        var all = new List<(uint, uint)>();
        _numbered.Bind(1, _numbers.Conversation(conversation)).Bind(2, _numbers.Person(author));
        while (_numbered.Step()) all.Add(((uint)_numbered.Number(0), (uint)_numbered.Number(1)));
        return all;
    }

    public uint LastSequence(ConversationId conversation, PublicKey author) =>
        (uint)One(_last.Bind(1, _numbers.Conversation(conversation)).Bind(2, _numbers.Person(author)));

    public uint FirstSequence(ConversationId conversation, PublicKey author, EventId epoch) =>
        (uint)One(_first.Bind(1, _numbers.Conversation(conversation)).Bind(2, _numbers.Person(author)).Bind(3, epoch.ToArray()));

    public ulong LastClock(ConversationId conversation) => (ulong)One(_clock.Bind(1, _numbers.Conversation(conversation)));

    public int CountAfter(ConversationId conversation, EventOrder place, PublicKey self, int most) =>
        (int)One(Place(_count.Bind(1, _numbers.Conversation(conversation)), 2, place).Bind(5, _numbers.Person(self)).Bind(6, most));

    public void Hide(EventId id, bool hidden) => _hide.Bind(1, id.ToArray()).Bind(2, hidden ? 1 : 0).Run();

    public IReadOnlyList<StoredEvent> Search(IReadOnlyList<string> words, ConversationId? conversation, int count)
    {
        if (words.Count == 0) return [];
        // The index gives whatever has a word that begins so; the newest by arrival come first.
        var each = string.Join(" INTERSECT ", words.Select((_, i) => $"SELECT ordinal FROM words WHERE word >= ?{2 * i + 1} AND word < ?{2 * i + 2}"));
        var where = conversation is null ? "" : " AND conversation = " + _numbers.Conversation(conversation.Value).ToString(System.Globalization.CultureInfo.InvariantCulture);
        using var search = _database.PrepareOnce(
            $"SELECT {Columns} FROM events WHERE ordinal IN ({each}) AND shown = 1 AND kind = 1{where} ORDER BY arrived DESC, clock DESC, time DESC, event DESC LIMIT {count}");
        for (var i = 0; i < words.Count; i++) search.Bind(2 * i + 1, words[i]).Bind(2 * i + 2, words[i] + "\U0010FFFF");
        return All(search);
    }

    public void Put(Delivery delivery) => _ways.Put(OrdinalOf(delivery.Event) ?? throw new InvalidOperationException("There is no such event."), delivery);
    public IReadOnlyList<Delivery> Deliveries(EventId id) => OrdinalOf(id) is { } ordinal ? _ways.Deliveries(ordinal) : [];
    public IReadOnlyList<Delivery> Unposted(int count) => _ways.Unposted(count);
    public IReadOnlyList<Delivery> DeliveriesOf(LetterId letter) => _ways.DeliveriesOf(letter);
    public void PutSecret(ConversationId conversation, EventId epoch, Hash256 secret) => _ways.PutSecret(conversation, epoch, secret);
    public Hash256? Secret(EventId epoch) => _ways.Secret(epoch);
    public bool Hold(ConversationId conversation, HeldEvent held) => _ways.Hold(conversation, held);
    public IReadOnlyList<HeldEvent> Held(ConversationId conversation) => _ways.Held(conversation);
    public void Release(EventId id) => _ways.Release(id);
    public void NoteLetter(ConversationId conversation, EventId id, LetterId letter) => _ways.NoteLetter(conversation, id, letter);
    public IReadOnlyList<LetterId> TakeLetters(ConversationId conversation, EventOrder place) => _ways.TakeLetters(conversation, place);
    public void PutForeign(string name, PublicKey peer, EventId id) => _ways.PutForeign(name, peer, id);
    public EventId? FindForeign(string name, PublicKey peer) => _ways.FindForeign(name, peer);
    public string? ForeignName(EventId id) => _ways.ForeignName(id);

    public void Dispose() => _numbers.Clear();

    // An edit is found by its new words, at the message that it changes; the old ones stay, and whoever shows what was found looks again.
    private void Index(StoredEvent stored)
    {
        if (stored.Kind is not ((byte)MessageKind.Text or (byte)MessageKind.Edit) || stored.Content is not { } content) return;
        if (stored.Kind == (byte)MessageKind.Text)
        {
            var own = OrdinalOf(stored.Id)!.Value;
            foreach (var word in ChatWords.Of(content.Text)) _word.Bind(1, word).Bind(2, own).Run();
            // Edits may have come before what they change.
            foreach (var edit in AimedAt(stored.Id))
                if (edit.Kind == (byte)MessageKind.Edit && edit.Author == stored.Author && edit.Content is { } earlier)
                    foreach (var word in ChatWords.Of(earlier.Text)) _word.Bind(1, word).Bind(2, own).Run();
        }
        else if (OrdinalOf(stored.Target) is { } target && Event(stored.Target)!.Author == stored.Author)
            foreach (var word in ChatWords.Of(content.Text)) _word.Bind(1, word).Bind(2, target).Run();
    }

    private long? OrdinalOf(EventId id)
    {
        if (!_known.Bind(1, id.ToArray()).Step()) return null;
        var ordinal = _known.Number(0);
        _known.Reset();
        return ordinal;
    }

    private static long One(Statement statement)
    {
        if (!statement.Step()) return 0;
        var number = statement.Number(0);
        statement.Reset();
        return number;
    }

    private List<StoredEvent> All(Statement statement)
    {
        var all = new List<StoredEvent>();
        while (statement.Step()) all.Add(ReadEvent(statement));
        return all;
    }

    private static Statement Place(Statement statement, int index, EventOrder place) =>
        statement.Bind(index, (long)place.Clock).Bind(index + 1, (long)place.Time).Bind(index + 2, place.Id.ToArray());

    private static void BindId(Statement statement, int index, EventId id)
    {
        if (id.IsNone) statement.BindNothing(index);
        else statement.Bind(index, id.ToArray());
    }

    private static EventId Id(ReadOnlySpan<byte> bytes) => bytes.Length == EventId.Bytes ? new EventId(new Hash256(bytes)) : default;

    private StoredEvent ReadEvent(Statement row)
    {
        var id = Id(row.Blob(0));
        var body = row.Blob(13);
        return new StoredEvent(_numbers.ConversationOf(row.Number(1)), new EventOrder((ulong)row.Number(4), (ulong)row.Number(5), id), _numbers.PersonOf(row.Number(2)),
            (byte)row.Number(3), (uint)row.Number(6), (uint)row.Number(7), Id(row.Blob(8)), Id(row.Blob(9)), row.Blob(12).ToArray(), body.IsEmpty ? null : body.ToArray(),
            (ulong)row.Number(10), row.Number(11) != 0);
    }

    private Conversation ReadConversation(Statement row) => new(
        new ConversationId(new Hash256(row.Blob(0))), (ConversationKind)row.Number(1), row.Number(2) is > 0 and var peer ? _numbers.PersonOf(peer) : null, row.Text(3),
        (ConversationStanding)row.Number(4), new EventOrder((ulong)row.Number(5), (ulong)row.Number(6), Id(row.Blob(7))), (ulong)row.Number(8), row.Number(9) != 0);
}
