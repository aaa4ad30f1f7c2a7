using Polder.Apps.Bundles;
using Polder.Apps.Bundles.Letters;
using Polder.Identity;
using Polder.Net;
using Polder.Overlay;
using Polder.Overlay.Connecting;
using Polder.Overlay.Sessions;

namespace Polder.Apps.Contacts;

/// <summary>What became of an introduction.</summary>
public enum IntroductionState
{
    /// <summary>It lies in the other's book and waits for its owner's word.</summary>
    Arrived,
    /// <summary>The other is away; the card waits in the mail-bag, or in memory where the node has none.</summary>
    Waits,
    /// <summary>The other does not want it.</summary>
    NotWanted,
}

/// <summary>
/// What contacts say to each other by themselves: what they are called, whether they made sure of one another's keys, and who else is worth
/// knowing. Keeps in touch with those who are away. On the node's loop.
/// </summary>
public sealed class ContactService : IContactSource
{
    private const int LookedForAtOnce = 2, HintsMax = 256, WaitingMax = 64;
    private static readonly TimeSpan LookAgain = TimeSpan.FromMinutes(2), ReachTime = TimeSpan.FromSeconds(8), LookAtOnceAgain = TimeSpan.FromSeconds(5);

    private readonly NodeHost _host;
    private readonly ContactBook _book;
    private readonly ContactCommunity _community;
    private readonly Dictionary<PublicKey, TimeSpan> _lookedFor = new(PublicKey.Comparer);
    private readonly Dictionary<PublicKey, IReadOnlyList<Endpoint>> _hints = new(PublicKey.Comparer);
    private readonly List<(PublicKey To, byte[] Letter)> _waiting = [];
    private readonly Dictionary<PublicKey, (byte Flags, string Name, uint Epoch)> _told = new(PublicKey.Comparer);
    private readonly Dictionary<PublicKey, Hello> _said = new(PublicKey.Comparer);
    private Mailbag? _mail;
    private readonly HashSet<PublicKey> _telling = new(PublicKey.Comparer);
    // Of whom we know what it says of itself, since its card was made or we started.
    private readonly HashSet<PublicKey> _heard = new(PublicKey.Comparer);

    /// <summary>Joins its community. The host needs a <see cref="ContactBook"/>.</summary>
    public ContactService(NodeHost host)
    {
        ArgumentNullException.ThrowIfNull(host);
        _host = host;
        _book = host.Find<ContactBook>() ?? throw new InvalidOperationException("Offer a ContactBook to the host first.");
        _community = host.Join(context => new ContactCommunity(context, this));
        _book.Changed += OnChanged;
        host.Sessions.Opened += OnOpened;
        host.Peers.Added += OnAppeared;
        host.Connector.Add(this);
    }

    /// <summary>
    /// Introduces two contacts to each other: each gets a signed card of the other, under the name by which the owner knows it, and decides for itself.
    /// </summary>
    public async Task<(ContactRefusal Refusal, IntroductionState ToFirst, IntroductionState ToSecond)> IntroduceAsync(PublicKey first, PublicKey second)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        if (_book.Find(first) is not { } one || _book.Find(second) is not { } two) return (ContactRefusal.NotAContact, default, default);
        if (first == second) return (ContactRefusal.Already, default, default);
        if (one.Blocked || two.Blocked) return (ContactRefusal.Blocked, default, default);
        var both = await Task.WhenAll(SendAsync(first, two), SendAsync(second, one));
        return (ContactRefusal.None, both[0], both[1]);
    }

    /// <summary>Tries to reach somebody now, after it was added.</summary>
    public void Reach(PublicKey key)
    {
        ArgumentNullException.ThrowIfNull(key);
        _lookedFor[key] = _host.Now;
        _community.Watch(_host.Connector.ConnectAsync(key));
    }

    /// <summary>From now on cards for those who are away go into the mail-bag, and those that come in it are taken.</summary>
    internal void UseMail(Mailbag mail)
    {
        _mail = mail;
        mail.Receive(LetterKinds.ContactCard, async letter => await TakeIntroductionAsync(letter.From, letter.Body) != Introduced.NotNow);
    }

    /// <summary>For the connector: where those who were introduced were lately.</summary>
    public ValueTask<ContactHints?> FindAsync(PublicKey key) => ValueTask.FromResult(
        _hints.TryGetValue(key, out var addresses) ? new ContactHints([.. addresses.Where(_host.MayWalkTo)], [], []) : null);

    /// <summary>Somebody says what it is called; false where that could not be noted. Called by the community.</summary>
    internal async Task<bool> HearAsync(PublicKey key, Hello hello)
    {
        if (_book.Find(key) is { } card)
        {
            if (card.Blocked) return true;
            if (await _book.HearAsync(key, hello.Alias, (hello.Flags & Hello.MadeSure) != 0) == ContactRefusal.NotKept) return false;
            _heard.Add(key);
            // It forgot us meanwhile, and added us again.
            if ((hello.Flags & Hello.Unheard) != 0) _told.Remove(key);
            if (_host.Sessions.Find(key) is { } session) Tell(session);
            return true;
        }
        // It may become a contact any moment: an invitation is noted on one side first.
        if (_said.Count >= HintsMax) _said.Clear();
        _said[key] = hello;
        return (hello.Flags & Hello.Asks) == 0 || await _book.AskAsync(key, hello.Alias) != ContactRefusal.NotKept;
    }

    /// <summary>A contact introduces somebody. Called by the community.</summary>
    internal async Task<byte> TakeIntroductionAsync(PublicKey from, ReadOnlyMemory<byte> letter)
    {
        if (_book.Find(from) is not { Blocked: false }) return Introduced.NotWanted;
        if (Introduction.TryRead(letter.Span, _host.Identity.Public, _host.Environment.Signatures) is not { } introduction || introduction.Introducer != from)
            return Introduced.NotWanted;
        if (_book.IsBlocked(introduction.Person) || !introduction.Person.IsSound()) return Introduced.NotWanted;
        if (_hints.Count >= HintsMax) _hints.Clear();
        _hints[introduction.Person] = introduction.Addresses;
        return await _book.AskAsync(introduction.Person, null, from, introduction.Name) == ContactRefusal.None ? Introduced.Taken : Introduced.NotNow;
    }

    /// <summary>Looks for some who are away. Called by the community every 15 s.</summary>
    internal void KeepInTouch()
    {
        if (!_host.IsNetworkUp) return;
        var looked = 0;
        foreach (var card in _book.All.OrderBy(card => _lookedFor.GetValueOrDefault(card.Key, TimeSpan.MinValue)))
        {
            if (card.Blocked) continue;
            if (_host.Sessions.Find(card.Key) is { } session)
            {
                Tell(session);
                continue;
            }
            if (looked == LookedForAtOnce || (_lookedFor.TryGetValue(card.Key, out var at) && _host.Now - at < LookAgain)) continue;
            Reach(card.Key);
            looked++;
        }
    }

    private async Task<IntroductionState> SendAsync(PublicKey to, ContactCard about)
    {
        List<Endpoint> addresses = [];
        if (_host.Peers.Find(about.Key) is { } known)
            foreach (var address in known.Addresses.Prepend(known.Address).Distinct())
                if (address.IsSendable && addresses.Count < Introduction.AddressesMax) addresses.Add(address);
        var letter = new Introduction(_host.Identity.Public, about.Key, _host.Environment.Time.GetUtcNow(), about.Name, addresses)
            .Sign(_host.Identity, to, _host.Environment.Signatures);
        var connecting = _host.Connector.ConnectAsync(to);
        if (await Task.WhenAny(connecting, Task.Delay(ReachTime, _host.Environment.Time)) == connecting && await connecting is { } session)
            switch (await _community.IntroduceAsync(session.Peer, letter))
            {
                case Introduced.Taken: return IntroductionState.Arrived;
                case Introduced.NotWanted: return IntroductionState.NotWanted;
            }
        if (_mail is { } mail)
        {
            // It outlives this run, and common friends carry it.
            try
            {
                await mail.PostAsync(to, LetterKinds.ContactCard, letter);
                return IntroductionState.Waits;
            }
            catch (Exception problem) when (problem is IOException or MailRefusedException) { /* Then it waits in memory. */ }
        }
        if (_waiting.Count >= WaitingMax) _waiting.RemoveAt(0);
        _waiting.Add((to, letter));
        return IntroductionState.Waits;
    }

    /// <summary>A contact shows up: what waits for it, or with it, need not wait for the next look.</summary>
    private void OnAppeared(Peer peer)
    {
        var key = peer.Key;
        if (_book.Find(key) is not { Blocked: false }) return;
        // Whoever comes with a handshake has its session in a moment.
        _host.Environment.Loop.Post(() =>
        {
            if (_community.IsLeft || _host.Sessions.Find(key) is not null || _book.Find(key) is not { Blocked: false }) return;
            if (!_lookedFor.TryGetValue(key, out var at) || _host.Now - at >= LookAtOnceAgain) Reach(key);
        });
    }

    private void OnOpened(Session session)
    {
        var key = session.Peer.Key;
        if (_book.Find(key) is not { Blocked: false }) return;
        Tell(session);
        foreach (var (to, letter) in _waiting.ToArray())
            if (to == key) _community.Watch(SendWaitingAsync(session.Peer, letter));
    }

    private async Task SendWaitingAsync(Peer peer, byte[] letter)
    {
        if (await _community.IntroduceAsync(peer, letter) is Introduced.Taken or Introduced.NotWanted) _waiting.RemoveAll(one => one.Letter == letter);
    }

    /// <summary>What we know or call ourselves changed: those concerned hear of it.</summary>
    private void OnChanged(PublicKey key)
    {
        if (_book.Find(key) is null)
        {
            _told.Remove(key);
            _heard.Remove(key);
        }
        else if (_said.Remove(key, out var hello)) _community.Watch(HearAsync(key, hello));
        foreach (var session in _host.Sessions.All.ToArray())
            if (key == _host.Identity.Public || session.Peer.Key == key) Tell(session);
    }

    /// <summary>Says hello where what we would say is not what was heard last.</summary>
    private void Tell(Session session)
    {
        var key = session.Peer.Key;
        if (_book.Find(key) is not { Blocked: false } card) return;
        var words = ((byte)(Hello.Asks | (card.Verified ? Hello.MadeSure : 0) | (_heard.Contains(key) ? 0 : Hello.Unheard)), _book.OwnName, session.Epoch);
        if (_told.GetValueOrDefault(key) == words || !_telling.Add(key)) return;
        _community.Watch(TellAsync(session, words));
    }

    private async Task TellAsync(Session session, (byte Flags, string Name, uint Epoch) words)
    {
        var key = session.Peer.Key;
        bool heard;
        try { heard = await _community.SayAsync(session.Peer, words.Flags, words.Name); }
        finally { _telling.Remove(key); }
        if (!heard) return;
        _told[key] = words;
        // It may have changed meanwhile.
        if (session.IsOpen) Tell(session);
    }
}
