using Polder.Apps.Bundles.Letters;
using Polder.Apps.Chat;
using Polder.Cryptography;
using Polder.Identity;
using Polder.Node.Storage;

namespace Polder.Node.Chat;

/// <summary>The statements of chat.db that are about how events travel: deliveries, letters, keys of groups, what waits.</summary>
internal sealed class ChatWays
{
    private readonly ChatNumbers _numbers;
    private readonly Statement _put, _of, _open, _byLetter, _putSecret, _secret, _hold, _heldCount, _isHeld, _held, _release, _note, _letters, _forget, _putForeign, _foreign, _foreignName;

    public ChatWays(Database database, ChatNumbers numbers)
    {
        _numbers = numbers;
        const string fields = "e.event, d.receiver, d.letter, d.stage FROM deliveries d JOIN events e ON e.ordinal = d.event";
        _put = database.Prepare("INSERT OR REPLACE INTO deliveries (event, receiver, letter, stage) VALUES (?1, ?2, ?3, ?4)");
        _of = database.Prepare($"SELECT {fields} WHERE d.event = ?1");
        _open = database.Prepare($"SELECT {fields} WHERE d.letter IS NULL ORDER BY d.event LIMIT ?1");
        _byLetter = database.Prepare($"SELECT {fields} WHERE d.letter = ?1");
        _putSecret = database.Prepare("INSERT OR REPLACE INTO secrets (epoch, conversation, secret) VALUES (?1, ?2, ?3)");
        _secret = database.Prepare("SELECT secret FROM secrets WHERE epoch = ?1");
        _hold = database.Prepare("INSERT OR IGNORE INTO held (event, conversation, raw, sender, letter) VALUES (?1, ?2, ?3, ?4, ?5)");
        _heldCount = database.Prepare("SELECT count(*) FROM held WHERE conversation = ?1");
        _isHeld = database.Prepare("SELECT 1 FROM held WHERE event = ?1");
        _held = database.Prepare("SELECT event, raw, sender, letter FROM held WHERE conversation = ?1 ORDER BY event");
        _release = database.Prepare("DELETE FROM held WHERE event = ?1");
        _note = database.Prepare("INSERT OR IGNORE INTO letters (event, letter, conversation) VALUES (?1, ?2, ?3)");
        _letters = database.Prepare("""
            SELECT l.event, l.letter FROM letters l JOIN events e ON e.event = l.event WHERE l.conversation = ?1 AND (e.clock, e.time, e.event) <= (?2, ?3, ?4)
            """);
        _forget = database.Prepare("DELETE FROM letters WHERE event = ?1 AND letter = ?2");
        _putForeign = database.Prepare("INSERT OR REPLACE INTO foreigners (name, peer, event) VALUES (?1, ?2, ?3)");
        _foreign = database.Prepare("SELECT event FROM foreigners WHERE name = ?1 AND peer = ?2");
        _foreignName = database.Prepare("SELECT name FROM foreigners WHERE event = ?1 LIMIT 1");
    }

    public void Put(long ordinal, Delivery delivery)
    {
        _put.Bind(1, ordinal).Bind(2, _numbers.AddPerson(delivery.To));
        if (delivery.Letter is { } letter) _put.Bind(3, letter.Hash.ToArray());
        else _put.BindNothing(3);
        _put.Bind(4, (long)delivery.Stage).Run();
    }

    public IReadOnlyList<Delivery> Deliveries(long ordinal) => [.. All(_of.Bind(1, ordinal)).OrderBy(static one => one.To)];
    public IReadOnlyList<Delivery> Unposted(int count) => All(_open.Bind(1, count));
    public IReadOnlyList<Delivery> DeliveriesOf(LetterId letter) => All(_byLetter.Bind(1, letter.Hash.ToArray()));

    public void PutSecret(ConversationId conversation, EventId epoch, Hash256 secret) =>
        _putSecret.Bind(1, epoch.ToArray()).Bind(2, _numbers.AddConversation(conversation)).Bind(3, secret.ToArray()).Run();

    public Hash256? Secret(EventId epoch) => OneHash(_secret.Bind(1, epoch.ToArray()));

    public bool Hold(ConversationId conversation, HeldEvent held)
    {
        if (_isHeld.Bind(1, held.Id.ToArray()).Step())
        {
            _isHeld.Reset();
            return true;
        }
        if (!_heldCount.Bind(1, conversation.ToArray()).Step()) return false;
        var count = _heldCount.Number(0);
        _heldCount.Reset();
        if (count >= ChatLimits.HeldMax) return false;
        _hold.Bind(1, held.Id.ToArray()).Bind(2, conversation.ToArray()).Bind(3, held.Raw).Bind(4, held.From.Bytes).Bind(5, held.Letter.Hash.ToArray()).Run();
        return true;
    }

    public IReadOnlyList<HeldEvent> Held(ConversationId conversation)
    {
        var all = new List<HeldEvent>();
        _held.Bind(1, conversation.ToArray());
        while (_held.Step())
            if (PublicKey.TryParse(_held.Blob(2), out var sender))
                all.Add(new HeldEvent(new EventId(new Hash256(_held.Blob(0))), _held.Blob(1).ToArray(), sender, new LetterId(new Hash256(_held.Blob(3)))));
        return all;
    }

    public void Release(EventId id) => _release.Bind(1, id.ToArray()).Run();

    public void NoteLetter(ConversationId conversation, EventId id, LetterId letter) =>
        _note.Bind(1, id.ToArray()).Bind(2, letter.Hash.ToArray()).Bind(3, _numbers.AddConversation(conversation)).Run();

    public IReadOnlyList<LetterId> TakeLetters(ConversationId conversation, EventOrder place)
    {
        var taken = new List<(byte[] Event, Hash256 Letter)>();
        _letters.Bind(1, _numbers.Conversation(conversation)).Bind(2, (long)place.Clock).Bind(3, (long)place.Time).Bind(4, place.Id.ToArray());
        while (_letters.Step()) taken.Add((_letters.Blob(0).ToArray(), new Hash256(_letters.Blob(1))));
        foreach (var (id, letter) in taken) _forget.Bind(1, id).Bind(2, letter.ToArray()).Run();
        return [.. taken.Select(static one => new LetterId(one.Letter)).Distinct()];
    }

    public void PutForeign(string name, PublicKey peer, EventId id) => _putForeign.Bind(1, name).Bind(2, _numbers.AddPerson(peer)).Bind(3, id.ToArray()).Run();

    public EventId? FindForeign(string name, PublicKey peer) => OneHash(_foreign.Bind(1, name).Bind(2, _numbers.Person(peer))) is { } hash ? new EventId(hash) : null;

    public string? ForeignName(EventId id)
    {
        if (!_foreignName.Bind(1, id.ToArray()).Step()) return null;
        var name = _foreignName.Text(0);
        _foreignName.Reset();
        return name;
    }

    private static Hash256? OneHash(Statement statement)
    {
        if (!statement.Step()) return null;
        var hash = new Hash256(statement.Blob(0));
        statement.Reset();
        return hash;
    }

    private List<Delivery> All(Statement statement)
    {
        var all = new List<Delivery>();
        while (statement.Step())
            all.Add(new Delivery(new EventId(new Hash256(statement.Blob(0))), _numbers.PersonOf(statement.Number(1)),
                statement.Blob(2) is { Length: 32 } letter ? new LetterId(new Hash256(letter)) : null, (LetterStage)statement.Number(3)));
        return all;
    }
}

/// <summary>Keys and conversations by the small numbers that they have in the tables.</summary>
internal sealed class ChatNumbers
{
    private readonly Statement _addPerson, _person, _personOf, _addConversation, _conversation, _conversationOf;
    private readonly Dictionary<PublicKey, long> _people = [];
    private readonly Dictionary<long, PublicKey> _peopleBack = [];
    private readonly Dictionary<ConversationId, long> _conversations = [];
    private readonly Dictionary<long, ConversationId> _conversationsBack = [];

    public ChatNumbers(Database database)
    {
        _addPerson = database.Prepare("INSERT OR IGNORE INTO people (key) VALUES (?1)");
        _person = database.Prepare("SELECT id FROM people WHERE key = ?1");
        _personOf = database.Prepare("SELECT key FROM people WHERE id = ?1");
        _addConversation = database.Prepare("""
            INSERT OR IGNORE INTO conversations (name, kind, title, standing, read_clock, read_time, read_event, activity, is_foreign) VALUES (?1, 0, '', 0, 0, 0, x'', 0, 0)
            """);
        _conversation = database.Prepare("SELECT id FROM conversations WHERE name = ?1");
        _conversationOf = database.Prepare("SELECT name FROM conversations WHERE id = ?1");
    }

    /// <summary>The number of a key; 0, which nobody has, where it has none.</summary>
    public long Person(PublicKey key)
    {
        if (_people.TryGetValue(key, out var known)) return known;
        if (Number(_person.Bind(1, key.Bytes)) is not { } number) return 0;
        (_people[key], _peopleBack[number]) = (number, key);
        return number;
    }

    /// <summary>The number of a key, given to it where it has none.</summary>
    public long AddPerson(PublicKey key)
    {
        if (Person(key) is not 0 and var known) return known;
        _addPerson.Bind(1, key.Bytes).Run();
        return Person(key);
    }

    public PublicKey PersonOf(long number)
    {
        if (_peopleBack.TryGetValue(number, out var known)) return known;
        if (!_personOf.Bind(1, number).Step() || !PublicKey.TryParse(_personOf.Blob(0), out var key)) throw new StorageException(11, "chat.db names somebody whom it does not know.");
        _personOf.Reset();
        (_people[key], _peopleBack[number]) = (number, key);
        return key;
    }

    /// <summary>The number of a conversation; 0, which none has, where it has none: a stranger's question leaves nothing behind.</summary>
    public long Conversation(ConversationId id)
    {
        if (_conversations.TryGetValue(id, out var known)) return known;
        if (Number(_conversation.Bind(1, id.ToArray())) is not { } number) return 0;
        (_conversations[id], _conversationsBack[number]) = (number, id);
        return number;
    }

    /// <summary>The number of a conversation, given to it where it has none.</summary>
    public long AddConversation(ConversationId id)
    {
        if (Conversation(id) is not 0 and var known) return known;
        _addConversation.Bind(1, id.ToArray()).Run();
        return Conversation(id);
    }

    public ConversationId ConversationOf(long number)
    {
        if (_conversationsBack.TryGetValue(number, out var known)) return known;
        if (!_conversationOf.Bind(1, number).Step()) throw new StorageException(11, "chat.db names a conversation that it does not know.");
        var id = new ConversationId(new Hash256(_conversationOf.Blob(0)));
        _conversationOf.Reset();
        (_conversations[id], _conversationsBack[number]) = (number, id);
        return id;
    }

    public void Clear()
    {
        _people.Clear();
        _peopleBack.Clear();
        _conversations.Clear();
        _conversationsBack.Clear();
    }

    private static long? Number(Statement statement)
    {
        if (!statement.Step()) return null;
        var number = statement.Number(0);
        statement.Reset();
        return number;
    }
}
