using Polder.Apps.Contacts;
using Polder.Apps.Contacts.Speaking;
using Polder.Identity;
using Polder.Overlay;
using Polder.Overlay.Invitations;

namespace Polder.Node.Operations;

/// <summary>The contacts of the running node in this process.</summary>
internal sealed class LocalContacts : IContactOperations
{
    private readonly PolderNode _node;
    private readonly LocalNode _local;
    private readonly NodeHost _host;

    /// <summary>On the node's loop.</summary>
    public LocalContacts(PolderNode node, LocalNode local)
    {
        (_node, _local, _host) = (node, local, node.Host);
        if (_host.Find<ContactBook>() is { } book) book.Changed += _ => local.Change();
        if (_host.Find<SpokenCodes>() is { } codes) codes.Changed += local.Change;
    }

    private ContactBook Book => _host.Find<ContactBook>() ?? throw Missing();
    private ContactService Service => _host.Find<ContactService>() ?? throw Missing();

    public Task<ContactBookView> BookAsync(CancellationToken cancellation = default) => _local.OnLoopAsync(() => new ContactBookView(
        PeerNames.Of(_node.Identity), Book.OwnName, [.. Book.All.Select(View)],
        [.. Book.Requests.Select(request => ContactViews.Of(request, NameOf))]), cancellation);

    public async Task<PersonView> ShowAsync(string who, CancellationToken cancellation = default)
    {
        var person = await _local.OnLoopAsync(() => View(Find(who)), cancellation).ConfigureAwait(false);
        var rows = await _local.TrustAsync(person.PublicKey, Polder.Ledger.Records.HelpClaim.Bytes, cancellation: cancellation).ConfigureAwait(false);
        var (score, share) = (rows is [var row, ..] ? row.Score : 0, ContactViews.ShareAt(person.Degree));
        return person with { Trust = new PersonTrust(score, share, score * share) };
    }

    public Task<ContactCardView> CardAsync(CancellationToken cancellation = default) =>
        _local.OnLoopAsync(() => ContactViews.Card(_node.Identity, Book.OwnName), cancellation);

    public Task<ContactCardView> NameOwnAsync(string name, CancellationToken cancellation = default) => _local.OnLoopAsync(async () =>
    {
        ContactViews.Check(await Book.NameOwnAsync(name));
        return ContactViews.Card(_node.Identity, Book.OwnName);
    }, cancellation);

    public Task<PersonAdded> AddAsync(PersonToAdd person, CancellationToken cancellation = default) => _local.OnLoopAsync(async () =>
    {
        // A name that cannot be is said before anything happens.
        if (person.Name is { Length: > 0 } wanted && !ContactNames.TryRead(wanted, out _)) ContactViews.Check(ContactRefusal.BadName);
        var text = ContactText.Read(person.Text);
        return text.Kind switch
        {
            ContactTextKind.Invitation => await TakeAsync(text.Text, person.Name, cancellation),
            ContactTextKind.Key => await AddKeyAsync(text.Key!, text.Name, person),
            ContactTextKind.SpokenCode => throw new OperationRefusedException(RefusalKind.BadInput,
                "This is a spoken code. Type it where both of you wait: polder contact code CODE, or \"By a spoken code\" on the page Contacts."),
            _ => throw new OperationRefusedException(RefusalKind.BadInput, text.Problem),
        };
    }, cancellation);

    public Task<PersonView> ChangeAsync(string who, PersonChange change, CancellationToken cancellation = default) => _local.OnLoopAsync(async () =>
    {
        var key = change is { Blocked: true } && Book.FindByName(who) is { Card: null, Several.Count: 0 } ? Stranger(who) : Find(who).Key;
        if (change.Blocked == true) ContactViews.Check(await Book.BlockAsync(key));
        if (change.Number is { } number)
        {
            if (!SafetyNumber.Matches(SafetyNumber.Of(_node.Identity, key), number))
                throw new OperationRefusedException(RefusalKind.Conflict,
                    "The numbers differ, so nothing was verified. Either one of you misread, or somebody stands between you with a forged key: compare again, face to face.");
            ContactViews.Check(await Book.VerifyAsync(key));
        }
        if (change.Name is { } name) ContactViews.Check(await Book.RenameAsync(key, name));
        if (change.Notes is { } notes) ContactViews.Check(await Book.NoteAsync(key, notes));
        if (change.Muted is { } muted) ContactViews.Check(await Book.MuteAsync(key, muted));
        if (change.Verified is { } verified) ContactViews.Check(await Book.VerifyAsync(key, verified));
        if (change.Blocked == false) ContactViews.Check(await Book.UnblockAsync(key));
        return View(Book.Find(key)!);
    }, cancellation);

    public Task<PersonView> RemoveAsync(string who, CancellationToken cancellation = default) => _local.OnLoopAsync(async () =>
    {
        var card = Find(who);
        var view = View(card);
        ContactViews.Check(await Book.RemoveAsync(card.Key));
        return view;
    }, cancellation);

    public Task<PersonAdded?> AnswerAsync(string key, bool accept, string? name = null, CancellationToken cancellation = default) => _local.OnLoopAsync(async () =>
    {
        var who = Stranger(key);
        ContactViews.Check(await Book.AnswerAsync(who, accept, name is { Length: > 0 } ? name : null));
        if (!accept) return null;
        Service.Reach(who);
        var card = Book.Find(who)!;
        return new PersonAdded(View(card), $"{card.Name} is in your book now.");
    }, cancellation);

    public Task<IntroductionView> IntroduceAsync(string who, string to, CancellationToken cancellation = default) => _local.OnLoopAsync(async () =>
    {
        var (first, second) = (Find(who), Find(to));
        if (first.Key == second.Key) throw new OperationRefusedException(RefusalKind.BadInput, "That is the same person twice. Name two of your contacts.");
        var (refusal, toFirst, toSecond) = await Service.IntroduceAsync(first.Key, second.Key);
        ContactViews.Check(refusal);
        return new IntroductionView(new PeerName(first.Key.ToString(), first.Name), Word(toFirst), new PeerName(second.Key.ToString(), second.Name), Word(toSecond),
            $"{Sentence(first, second, toFirst)} {Sentence(second, first, toSecond)}");
    }, cancellation);

    public Task<byte[]> ExportAsync(bool shared = false, CancellationToken cancellation = default) =>
        _local.OnLoopAsync(() => Book.Export(shared).Write(_host.Identity, _host.Environment.Signatures), cancellation);

    public Task<ContactsImported> ImportAsync(byte[] file, CancellationToken cancellation = default) => _local.OnLoopAsync(async () =>
    {
        var read = ContactFile.TryRead(file, _host.Environment.Signatures, out var problem)
            ?? throw new OperationRefusedException(RefusalKind.BadInput, problem);
        var result = await Book.ImportAsync(read);
        ContactViews.Check(result.Refusal);
        return new ContactsImported(new PeerName(read.Owner.ToString(), NameOf(read.Owner)), read.Owner == _node.Identity, result.Added, result.Changed, result.Unchanged);
    }, cancellation);

    public Task<SpokenView> SpeakAsync(string? code = null, CancellationToken cancellation = default) => _local.OnLoopAsync(() =>
    {
        if (code is null) Codes.Make();
        else if (Codes.Take(code) is null)
            throw new OperationRefusedException(RefusalKind.BadInput, "This is no spoken code. One is a number and words, as in 7-crossover-clockwork: type it as it was said.");
        return Spoken();
    }, cancellation);

    public Task<SpokenView> SpokenAsync(CancellationToken cancellation = default) => _local.OnLoopAsync(Spoken, cancellation);

    public Task<SpokenView> HushAsync(CancellationToken cancellation = default) => _local.OnLoopAsync(() =>
    {
        Codes.Stop();
        return Spoken();
    }, cancellation);

    private SpokenCodes Codes => _host.Find<SpokenCodes>() ?? throw Missing();

    private SpokenView Spoken()
    {
        if (Codes.Current is not { } code) return new SpokenView("", false, "none", null, "No code is open.");
        var person = code.Met is { } key && Book.Find(key) is { } card ? View(card) : null;
        return new SpokenView(code.Code, code.Made, code.State.ToString().ToLowerInvariant(), person, code.State switch
        {
            SpokenCodeState.Met => $"{person?.Name ?? "That person"} and you are contacts now, and both sides are verified.",
            SpokenCodeState.Spent => "A wrong code was tried, so this one is spent and nobody was added. Make a new one, and say it again.",
            SpokenCodeState.Expired => "Nobody came with the same code in time. Make a new one.",
            _ => code.Made ? "Say it to one person, who types it at its own node within a quarter of an hour." : "Looking for whoever has the same code.",
        });
    }

    private async Task<PersonAdded> TakeAsync(string text, string? name, CancellationToken cancellation)
    {
        var invitations = _host.Find<InvitationService>() ?? throw Missing();
        if (name is { Length: > 0 } && Book.All.FirstOrDefault(card => ContactNames.Same(card.Name, name)) is not null) ContactViews.Check(ContactRefusal.NameTaken);
        var result = await invitations.TakeAsync(text, cancellation);
        if (result.Contact is not { } contact)
            throw new OperationRefusedException(result.Refusal switch
            {
                InvitationRefusal.NotReached or InvitationRefusal.NotNow => RefusalKind.Unavailable,
                InvitationRefusal.Used or InvitationRefusal.Own or InvitationRefusal.TooMany => RefusalKind.Conflict,
                _ => RefusalKind.BadInput,
            }, result.Message);
        if (Book.IsBlocked(contact.Key)) ContactViews.Check(ContactRefusal.Blocked);
        // The book hears of it by the list; if it has not yet, it does now.
        await Book.AddAsync(contact.Key, verified: true);
        if (name is { Length: > 0 }) ContactViews.Check(await Book.RenameAsync(contact.Key, name));
        var card = Book.Find(contact.Key)!;
        return new PersonAdded(View(card), $"{card.Name} and you are contacts now, and both sides are verified.");
    }

    private async Task<PersonAdded> AddKeyAsync(PublicKey key, string? alias, PersonToAdd person)
    {
        var name = person.Name is { Length: > 0 } ? person.Name : null;
        var wasVerified = Book.Find(key)?.Verified ?? false;
        var refusal = await Book.AddAsync(key, name, alias, person.Verified);
        if (refusal == ContactRefusal.Already && person.Verified && !wasVerified)
            return new PersonAdded(View(Book.Find(key)!), $"{Book.Find(key)!.Name} was in your book, and is verified now.");
        ContactViews.Check(refusal);
        Service.Reach(key);
        var card = Book.Find(key)!;
        return new PersonAdded(View(card), $"{card.Name} is in your book. It is asked to add you too{(card.Verified ? "" : "; until you compare your numbers, its key is not verified")}.");
    }

    private ContactCard Find(string who) => ContactViews.Choose(Book.FindByName(who), who);

    /// <summary>Somebody who need not be in the book: by its whole key, or a name among those that the node knows.</summary>
    private PublicKey Stranger(string who) => PublicKey.TryParseHex(who.Trim(), out var key) ? key : _local.Resolve(who);

    private PersonView View(ContactCard card) => ContactViews.Of(card, _node.Identity, NameOf, Book.Degree(card.Key), _host.Sessions.Find(card.Key) is not null);

    private string NameOf(PublicKey key) => key == _node.Identity ? "you" : Book.Find(key)?.Name ?? key.ShortName;

    private static string Word(IntroductionState state) => state switch { IntroductionState.Arrived => "arrived", IntroductionState.Waits => "waits", _ => "not wanted" };

    private static string Sentence(ContactCard to, ContactCard about, IntroductionState state) => state switch
    {
        IntroductionState.Arrived => $"{to.Name} has the card of {about.Name} and decides for itself.",
        IntroductionState.Waits => $"{to.Name} is away: the card of {about.Name} goes out as soon as it is here.",
        _ => $"{to.Name} does not take the card of {about.Name}: you are not in its book.",
    };

    private static OperationRefusedException Missing() => new(RefusalKind.Unavailable, "This node was started without its contacts.");
}
