using System.Text;
using Polder.Identity;
using Polder.Net;
using Polder.Overlay;
using Polder.Overlay.AddressBook;
using Polder.Overlay.Invitations;

namespace Polder.Apps.Contacts;

/// <summary>
/// The owner's book of people. It stands over the overlay's <see cref="ContactList"/>, which holds those who are preferred as neighbours: everybody in
/// the book who is not blocked. Every change is on the disk before its task completes with <see cref="ContactRefusal.None"/>. On the node's loop.
/// </summary>
public sealed class ContactBook
{
    /// <summary>People in the book, blocked ones included. More are refused.</summary>
    public const int ContactsMax = ContactList.ContactsMax;
    /// <summary>Bytes of the notes of one contact, in UTF-8.</summary>
    public const int NotesBytesMax = 4096;
    /// <summary>Bytes of notes that are kept all the same when two books are merged: no line is lost by that.</summary>
    public const int NotesBytesKeptMax = 4 * NotesBytesMax;
    /// <summary>People who wait for the owner's word. A further one takes the place of the oldest who came by itself.</summary>
    public const int RequestsMax = 64;
    /// <summary>Introductions followed back when a degree is counted; whoever is farther is as far as nobody.</summary>
    public const int DegreeMax = 8;

    private readonly NodeHost _host;
    private readonly ContactList _list;
    private readonly IStateStore? _store;
    private readonly Dictionary<PublicKey, ContactCard> _cards = new(PublicKey.Comparer);
    private readonly List<ContactRequest> _requests = [];
    // Whoever was sent away may ask again after a restart, not at every session.
    private readonly HashSet<PublicKey> _sentAway = new(PublicKey.Comparer);

    /// <summary>Loads what was kept. Offer the store and the contact list to the host before.</summary>
    public ContactBook(NodeHost host)
    {
        ArgumentNullException.ThrowIfNull(host);
        _host = host;
        _list = host.Find<ContactList>() ?? throw new InvalidOperationException("Offer a ContactList to the host first.");
        _store = host.Find<IStateStore>();
        if (_store?.Load(StatePart.ContactBook) is { } bytes && ContactBookFile.Read(bytes) is var (ownName, cards, requests))
        {
            OwnName = ownName;
            foreach (var card in cards) _cards[card.Key] = card;
            _requests.AddRange(requests);
        }
        Reconcile();
        _list.Changed += contact => _ = TakeAsync(contact);
    }

    /// <summary>Somebody was added, changed or removed: look again with <see cref="Find"/>.</summary>
    public event Action<PublicKey>? Changed;

    /// <summary>What the owner calls itself towards others; empty: nothing.</summary>
    public string OwnName { get; private set; } = "";

    /// <summary>Those who wait for the owner's word, the oldest first.</summary>
    public IReadOnlyList<ContactRequest> Requests => [.. _requests];

    /// <summary>Everybody, by name. Those who are blocked are among them.</summary>
    public IReadOnlyList<ContactCard> All =>
        [.. _cards.Values.OrderBy(static card => card.Name, StringComparer.OrdinalIgnoreCase).ThenBy(static card => card.Key)];

    /// <summary>The card of this key, or null.</summary>
    public ContactCard? Find(PublicKey key) => _cards.GetValueOrDefault(key);

    /// <summary>Whether nothing of this key is wanted.</summary>
    public bool IsBlocked(PublicKey key) => _cards.TryGetValue(key, out var card) && card.Blocked;

    /// <summary>
    /// Whom a text means: a whole name (case does not matter), a key in hex, a short name, or else the beginning of one of these (from two letters) where
    /// only one begins so. What people call themselves is never looked at: anybody can call himself anything.
    /// </summary>
    public ContactMatch FindByName(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return ContactSearch.Find(All, text);
    }

    /// <summary>
    /// How many handshakes away somebody is: 0 for the owner, 1 for whoever the owner verified or added by itself, one more than its introducer for
    /// others; null for strangers, for the blocked, and where the introducer is unknown, blocked or more than <see cref="DegreeMax"/> away.
    /// </summary>
    public int? Degree(PublicKey key) => ContactSearch.Degree(key, _host.Identity.Public, Find);

    /// <summary>
    /// Adds somebody. Without a name it is called by its short name. <paramref name="alias"/> is what it calls itself, and only kept as such; where it is
    /// the name of another contact, and no name is given, nobody is added (<see cref="ContactRefusal.OtherKey"/>). Whoever is in the book stays as it is, but
    /// becomes verified where <paramref name="verified"/> says so; the answer is <see cref="ContactRefusal.Already"/> then.
    /// </summary>
    public async Task<ContactRefusal> AddAsync(
        PublicKey key, string? name = null, string? alias = null, bool verified = false, PublicKey? introducedBy = null, Endpoint address = default)
    {
        ArgumentNullException.ThrowIfNull(key);
        if (key == _host.Identity.Public) return ContactRefusal.OwnKey;
        if (_cards.TryGetValue(key, out var known))
        {
            if (known.Blocked) return ContactRefusal.Blocked;
            if (verified && !known.Verified && await PutAsync(known with { Verified = true }) is not ContactRefusal.None and var failed) return failed;
            return ContactRefusal.Already;
        }
        // Whatever door it comes through: nobody can be verified, or held to his word, by such a key.
        if (!key.IsSound()) return ContactRefusal.ForgedKey;
        if (_cards.Count >= ContactsMax) return ContactRefusal.Full;
        alias = ContactNames.Tame(alias);
        if (name is null && alias is not null && IsTaken(alias, key)) return ContactRefusal.OtherKey;
        if (!ContactNames.TryRead(name ?? FreeName(key), out var read)) return ContactRefusal.BadName;
        if (IsTaken(read, key)) return ContactRefusal.NameTaken;
        var card = new ContactCard
        {
            Key = key, Name = read, Alias = alias, Verified = verified, Since = Now,
            IntroducedBy = introducedBy == key || introducedBy == _host.Identity.Public ? null : introducedBy,
        };
        var refusal = await PutAsync(card);
        if (refusal != ContactRefusal.None) return refusal;
        await _list.AddAsync(key, ContactOrigin.Added, address, read);
        return ContactRefusal.None;
    }

    /// <summary>Gives somebody another name. Names are unique, whatever the case.</summary>
    public async Task<ContactRefusal> RenameAsync(PublicKey key, string name)
    {
        if (!_cards.TryGetValue(key, out var card)) return ContactRefusal.NotAContact;
        if (!ContactNames.TryRead(name, out var read)) return ContactRefusal.BadName;
        if (IsTaken(read, key)) return ContactRefusal.NameTaken;
        if (await PutAsync(card with { Name = read }) is not ContactRefusal.None and var refusal) return refusal;
        await _list.RenameAsync(key, read);
        return ContactRefusal.None;
    }

    /// <summary>Wants nothing of somebody any more; also of a stranger, who comes into the book for that.</summary>
    public async Task<ContactRefusal> BlockAsync(PublicKey key)
    {
        ArgumentNullException.ThrowIfNull(key);
        if (key == _host.Identity.Public) return ContactRefusal.OwnKey;
        if (!_cards.TryGetValue(key, out var card))
        {
            if (_cards.Count >= ContactsMax) return ContactRefusal.Full;
            card = new ContactCard { Key = key, Name = FreeName(key), Since = Now };
        }
        if (await PutAsync(card with { Blocked = true }) is not ContactRefusal.None and var refusal) return refusal;
        await _list.RemoveAsync(key);
        return ContactRefusal.None;
    }

    /// <summary>Takes a block back.</summary>
    public async Task<ContactRefusal> UnblockAsync(PublicKey key)
    {
        if (!_cards.TryGetValue(key, out var card)) return ContactRefusal.NotAContact;
        if (await PutAsync(card with { Blocked = false }) is not ContactRefusal.None and var refusal) return refusal;
        await _list.AddAsync(key, ContactOrigin.Added, default, card.Name);
        return ContactRefusal.None;
    }

    /// <summary>Lets somebody's messages arrive without a signal, or with one again.</summary>
    public Task<ContactRefusal> MuteAsync(PublicKey key, bool muted = true) => ChangeAsync(key, card => card with { Muted = muted });

    /// <summary>Notes that the owner made sure of the key, or takes that back.</summary>
    public Task<ContactRefusal> VerifyAsync(PublicKey key, bool verified = true) => ChangeAsync(key, card => card with { Verified = verified });

    /// <summary>Replaces the notes.</summary>
    public Task<ContactRefusal> NoteAsync(PublicKey key, string notes)
    {
        ArgumentNullException.ThrowIfNull(notes);
        return notes.Length > NotesBytesMax || Encoding.UTF8.GetByteCount(notes) > NotesBytesMax
            ? Task.FromResult(ContactRefusal.NotesTooLong) : ChangeAsync(key, card => card with { Notes = notes });
    }

    /// <summary>Notes what somebody says of itself: its alias, and whether it made sure of our key.</summary>
    public Task<ContactRefusal> HearAsync(PublicKey key, string? alias, bool verifiedByThem) =>
        ChangeAsync(key, card => card with { Alias = ContactNames.Tame(alias), VerifiedByThem = verifiedByThem });

    /// <summary>Forgets somebody. Whoever is blocked is forgotten too, and may come again.</summary>
    public async Task<ContactRefusal> RemoveAsync(PublicKey key)
    {
        if (!_cards.TryGetValue(key, out var card)) return ContactRefusal.NotAContact;
        _cards.Remove(key);
        if (!await SaveAsync())
        {
            _cards.TryAdd(key, card);
            return ContactRefusal.NotKept;
        }
        // After the book: a contact in the list alone would come back with the next start.
        if (!card.Blocked) await _list.RemoveAsync(key);
        Changed?.Invoke(key);
        return ContactRefusal.None;
    }

    /// <summary>Sets what the owner calls itself towards others; empty for nothing.</summary>
    public async Task<ContactRefusal> NameOwnAsync(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        var (before, read) = (OwnName, "");
        if (name.Trim().Length > 0 && !ContactNames.TryRead(name, out read!)) return ContactRefusal.BadName;
        OwnName = read;
        if (!await SaveAsync())
        {
            OwnName = before;
            return ContactRefusal.NotKept;
        }
        Changed?.Invoke(_host.Identity.Public);
        return ContactRefusal.None;
    }

    /// <summary>
    /// Somebody asks to be a contact, or is introduced: it waits for the owner's word. None also where it is in the book, or blocked, or its introducer is
    /// no contact: then nothing happens.
    /// </summary>
    public async Task<ContactRefusal> AskAsync(PublicKey key, string? alias, PublicKey? introducedBy = null, string? introducedAs = null)
    {
        ArgumentNullException.ThrowIfNull(key);
        if (key == _host.Identity.Public || _cards.ContainsKey(key)) return ContactRefusal.None;
        if (introducedBy is null && _sentAway.Contains(key)) return ContactRefusal.None;
        if (introducedBy is not null && (introducedBy == key || Find(introducedBy) is not { Blocked: false })) return ContactRefusal.None;
        if (!key.IsSound()) return ContactRefusal.ForgedKey;
        var at = _requests.FindIndex(request => request.Key == key);
        var before = at >= 0 ? _requests[at] : null;
        var request = new ContactRequest
        {
            Key = key, Alias = ContactNames.Tame(alias) ?? before?.Alias, IntroducedBy = before?.IntroducedBy ?? introducedBy, Since = before?.Since ?? Now,
            IntroducedAs = before?.IntroducedBy is null ? introducedBy is null ? null : ContactNames.Tame(introducedAs) ?? key.ShortName : before.IntroducedAs,
        };
        if (request == before) return ContactRefusal.None;
        ContactRequest? dropped = null;
        if (at >= 0) _requests[at] = request;
        else
        {
            if (_requests.Count >= RequestsMax)
            {
                var oldest = _requests.FindIndex(static one => one.IntroducedBy is null);
                // Those who are introduced stand for somebody we know; only their introducers can crowd each other out.
                if (oldest < 0 && introducedBy is null) return ContactRefusal.Full;
                dropped = _requests[Math.Max(oldest, 0)];
                _requests.Remove(dropped);
            }
            _requests.Add(request);
        }
        if (!await SaveAsync())
        {
            if (_requests.Remove(request) && (before ?? dropped) is { } old) _requests.Insert(0, old);
            return ContactRefusal.NotKept;
        }
        Changed?.Invoke(key);
        return ContactRefusal.None;
    }

    /// <summary>The owner's word for somebody who waits: accepted under a name (its alias or its introducer's word is only a suggestion), or sent away.</summary>
    public async Task<ContactRefusal> AnswerAsync(PublicKey key, bool accept, string? name = null)
    {
        ArgumentNullException.ThrowIfNull(key);
        if (_requests.Find(one => one.Key == key) is not { } request) return ContactRefusal.NoRequest;
        if (accept) return await AddAsync(key, name, request.Alias, introducedBy: request.IntroducedBy);
        _requests.Remove(request);
        if (!await SaveAsync())
        {
            _requests.Add(request);
            return ContactRefusal.NotKept;
        }
        if (_sentAway.Count >= ContactsMax) _sentAway.Clear();
        _sentAway.Add(key);
        Changed?.Invoke(key);
        return ContactRefusal.None;
    }

    /// <summary>
    /// Takes in the contacts of a file: nobody loses a name, a note or a mark, and the same file again changes nothing. Whoever is new in another's file comes
    /// as introduced by its writer, where that is a contact. All or nothing.
    /// </summary>
    public async Task<ContactImport> ImportAsync(ContactFile file)
    {
        ArgumentNullException.ThrowIfNull(file);
        var own = file.Owner == _host.Identity.Public;
        var exporter = Find(file.Owner) is { Blocked: false } ? file.Owner : null;
        var before = _cards.ToDictionary(PublicKey.Comparer);
        var (added, changed, unchanged) = (new List<PublicKey>(), new List<PublicKey>(), 0);
        foreach (var theirs in file.Cards)
        {
            if (theirs.Key == _host.Identity.Public) continue;
            if (!theirs.Key.IsSound()) return Undo(ContactRefusal.ForgedKey);
            var next = _cards.TryGetValue(theirs.Key, out var mine) ? ContactMerge.Join(mine, theirs, own)
                : ContactMerge.Adopt(theirs, own, exporter, FreeName(theirs.Key, theirs.Name));
            if (next == mine) unchanged++;
            else (mine is null ? added : changed).Add(theirs.Key);
            _cards[theirs.Key] = next;
            if (Encoding.UTF8.GetByteCount(next.Notes) > NotesBytesKeptMax) return Undo(ContactRefusal.NotesTooLong);
            if (_cards.Count > ContactsMax) return Undo(ContactRefusal.Full);
        }
        if (own && OwnName.Length == 0) OwnName = file.OwnerName;
        if (added.Count + changed.Count > 0 && !await SaveAsync()) return Undo(ContactRefusal.NotKept);
        // What waits for one file is written once.
        await Task.WhenAll(added.Concat(changed).Select(FollowAsync));
        foreach (var key in added.Concat(changed)) Changed?.Invoke(key);
        return new ContactImport(ContactRefusal.None, added.Count, changed.Count, unchanged);

        ContactImport Undo(ContactRefusal refusal)
        {
            foreach (var key in added.Concat(changed))
                if (before.TryGetValue(key, out var card)) _cards[key] = card;
                else _cards.Remove(key);
            return new ContactImport(refusal, 0, 0, 0);
        }
    }

    /// <summary>The contacts for a file.</summary>
    /// <param name="shared">For somebody else: without notes, marks, blocked people and aliases that nobody meant to be passed on.</param>
    public ContactFile Export(bool shared = false) => new(_host.Identity.Public, OwnName, Now, shared
        ? [.. All.Where(static card => !card.Blocked).Select(static card => new ContactCard { Key = card.Key, Name = card.Name, Since = card.Since })] : All);

    /// <summary>The overlay's list follows a card.</summary>
    private Task FollowAsync(PublicKey key) => _cards.GetValueOrDefault(key) is not { Blocked: false } card ? _list.RemoveAsync(key)
        : _list.Find(key) is null ? _list.AddAsync(key, ContactOrigin.Added, default, card.Name) : Task.CompletedTask;

    private Task<ContactRefusal> ChangeAsync(PublicKey key, Func<ContactCard, ContactCard> change)
    {
        if (!_cards.TryGetValue(key, out var card)) return Task.FromResult(ContactRefusal.NotAContact);
        var next = change(card);
        return next == card ? Task.FromResult(ContactRefusal.None) : PutAsync(next);
    }

    private async Task<ContactRefusal> PutAsync(ContactCard card)
    {
        var before = _cards.GetValueOrDefault(card.Key);
        _cards[card.Key] = card;
        // Whoever is in the book waits for nothing.
        var waited = before is null && _requests.Find(one => one.Key == card.Key) is { } request && _requests.Remove(request) ? request : null;
        if (!await SaveAsync())
        {
            if (waited is not null) _requests.Add(waited);
            // Unless somebody changed it again meanwhile.
            if (ReferenceEquals(_cards.GetValueOrDefault(card.Key), card))
                if (before is null) _cards.Remove(card.Key);
                else _cards[card.Key] = before;
            return ContactRefusal.NotKept;
        }
        Changed?.Invoke(card.Key);
        return ContactRefusal.None;
    }

    /// <summary>Somebody came into the overlay's list by an invitation.</summary>
    private async Task TakeAsync(Contact contact)
    {
        if (!_cards.TryGetValue(contact.Key, out var card))
        {
            if (_cards.Count < ContactsMax) await PutAsync(CardOf(contact));
        }
        else if (card.Blocked) await _list.RemoveAsync(contact.Key);
        // Whoever showed the token of an invitation, or made one that we hold, proved its key to the person meant.
        else if (contact.Origin != ContactOrigin.Added && !card.Verified) await PutAsync(card with { Verified = true });
    }

    /// <summary>A crash between two files: what one of them knows, the other learns.</summary>
    private void Reconcile()
    {
        foreach (var contact in _list.All)
            if (!_cards.TryGetValue(contact.Key, out var card))
            {
                if (_cards.Count < ContactsMax) _cards.Add(contact.Key, CardOf(contact));
            }
            else if (card.Blocked) _ = _list.RemoveAsync(contact.Key);
        foreach (var card in _cards.Values.OrderBy(static card => card.Key).ToArray())
            if (!card.Blocked && _list.Find(card.Key) is null) _ = _list.AddAsync(card.Key, ContactOrigin.Added, default, card.Name);
    }

    private ContactCard CardOf(Contact contact) => new()
    {
        Key = contact.Key, Since = Seconds(contact.Since), Origin = contact.Origin, Verified = contact.Origin != ContactOrigin.Added,
        Name = ContactNames.TryRead(contact.Name, out var name) && !IsTaken(name, contact.Key) ? name : FreeName(contact.Key),
    };

    private bool IsTaken(string name, PublicKey by) => _cards.Values.Any(card => card.Key != by && ContactNames.Same(card.Name, name));

    /// <summary>The short name, with a number where somebody has the same: short names can be made to collide.</summary>
    private string FreeName(PublicKey key, string? wanted = null)
    {
        var name = wanted ??= key.ShortName;
        for (var number = 2; IsTaken(name, key); number++)
        {
            var end = $" {number}";
            name = wanted;
            while (Encoding.UTF8.GetByteCount(name) + end.Length > ContactNames.BytesMax) name = name[..^(char.IsLowSurrogate(name[^1]) ? 2 : 1)];
            name += end;
        }
        return name;
    }

    private DateTimeOffset Now => Seconds((uint)Math.Clamp(_host.Environment.Time.GetUtcNow().ToUnixTimeSeconds(), 0, uint.MaxValue));

    private static DateTimeOffset Seconds(uint unix) => DateTimeOffset.FromUnixTimeSeconds(unix);

    private Task<bool> SaveAsync() => ContactBookFile.Write(OwnName, All, _requests) is not { } bytes ? Task.FromResult(false)
        : _store?.SaveAsync(StatePart.ContactBook, bytes) ?? Task.FromResult(true);
}
