using Polder.Identity;
using Polder.Net;
using Polder.Overlay.Nat;
using Polder.Overlay.Sessions;

namespace Polder.Overlay.Connecting;

/// <summary>
/// Makes a session with a node wherever it is: at known addresses, through its NAT and ours with the help of common neighbours, or
/// through a relay while a direct way is looked for on (OV-6.9). Used on the node's loop.
/// </summary>
public sealed class Connector
{
    private const int ContactsMax = 512, AddressesMax = 8, HelpersAskedMax = 8, HintsMax = 3;
    private static readonly TimeSpan SourceTime = TimeSpan.FromSeconds(3), FreshFor = TimeSpan.FromSeconds(30), TakeOverTime = TimeSpan.FromSeconds(5),
        AskRelaysAgain = TimeSpan.FromSeconds(0.5);

    private readonly NodeHost _host;
    private readonly Dictionary<PublicKey, Contact> _contacts = new(PublicKey.Comparer);
    private readonly List<IContactSource> _sources = [];
    private readonly Punctures _punctures;

    internal Connector(NodeHost host)
    {
        _host = host;
        _punctures = new Punctures(host);
        _punctures.FoundByOther += OnFoundByOther;
        host.Sessions.Opened += OnOpened;
        host.Sessions.Moved += OnMoved;
        host.Sessions.Closed += OnClosed;
    }

    private NatOptions Options => _host.Options.Nat;

    /// <summary>How we are connected with everybody with whom we have a session or looked for one: a snapshot.</summary>
    public IReadOnlyList<ContactView> Contacts
    {
        get
        {
            var views = new List<ContactView>();
            foreach (var session in _host.Sessions.All) views.Add(ViewOf(session.Peer.Key, session));
            foreach (var contact in _contacts.Values)
                if (_host.Sessions.Find(contact.Key) is null) views.Add(ViewOf(contact.Key, null));
            return views;
        }
    }

    /// <summary>Asks this source too, for every key.</summary>
    public void Add(IContactSource source)
    {
        ArgumentNullException.ThrowIfNull(source);
        _sources.Add(source);
    }

    /// <summary>How we are connected with that key.</summary>
    public ContactView View(PublicKey key) => ViewOf(key, _host.Sessions.Find(key));

    /// <summary>
    /// The open session with that key, or a new one by whatever way works first; null when none does within
    /// <see cref="NatOptions.ConnectTime"/>. Cancelling gives null to this asker only; the search goes on for the others.
    /// </summary>
    public async Task<Session?> ConnectAsync(PublicKey key, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(key);
        if (key == _host.Identity.Public) return null;
        var contact = ContactOf(key);
        contact.IsWanted = true;
        contact.TouchedAt = _host.Now;
        if (_host.Sessions.Find(key) is { IsOpen: true } open) return open;
        if (contact.Search is null)
        {
            contact.Search = new TaskCompletionSource<Session?>();
            _host.Nat.Watch(SearchAsync(contact));
        }
        var search = contact.Search.Task;
        if (!cancel.CanBeCanceled) return await search;
        var cancelled = new TaskCompletionSource<Session?>();
        using (cancel.Register(() => _host.Environment.Loop.Post(() => cancelled.TrySetResult(null))))
            return await await Task.WhenAny(search, cancelled.Task);
    }

    internal Punctures Punctures => _punctures;

    internal bool IsWanted(Session session) =>
        (_contacts.TryGetValue(session.Peer.Key, out var contact) && contact.IsWanted) || _host.Relays.Needs(session);

    /// <summary>The path of a session is lost (OV-6.8): its other addresses, a new puncture, and a relay, all at once; what answers first is taken.</summary>
    internal void Repair(Session session)
    {
        var contact = ContactOf(session.Peer.Key);
        if (contact.IsRepairing || !session.IsOpen) return;
        contact.IsRepairing = true;
        _host.Nat.Watch(RepairAsync(contact, session));
    }

    /// <summary>Questions on the path of a session are not answered.</summary>
    internal void PathSilent(Session session)
    {
        if (Options.KeepsPathsOpen && IsWanted(session)) Repair(session);
    }

    internal void Stop() => _punctures.Stop();

    private async Task SearchAsync(Contact contact)
    {
        var search = contact.Search!;
        using var over = new CancellationTokenSource();
        try
        {
            var hints = HintsAsync(contact.Key);
            var peer = _host.Peers.Find(contact.Key);
            var tried = new HashSet<Endpoint>();
            if (peer is not null)
                foreach (var address in peer.Addresses.Take(AddressesMax)) _host.Nat.Watch(TryAddressAsync(contact, address, tried, over.Token));
            _host.Nat.Watch(TryHintsAsync(contact, hints, tried, over.Token));
            // A neighbour who answered just now answers again; anybody else may need help, and the sooner the better.
            var isFresh = peer is { IsValidated: true, LastIn: { } last } && _host.Now - last < FreshFor;
            var punctured = PunctureAsync(contact, hints, isFresh ? Options.RelayAfter : TimeSpan.Zero, over.Token);
            _host.Nat.Watch(RelayAsync(contact, hints, over.Token));
            _host.Nat.Watch(FinishAsync(punctured));
            await Task.WhenAny(search.Task, Delay(Options.ConnectTime));
        }
        finally
        {
            Cancel(over);
            contact.Search = null;
            search.TrySetResult(_host.Sessions.Find(contact.Key));
        }

        async Task FinishAsync(Task<FoundPath?> punctured)
        {
            if (await punctured is not { } found) return;
            await TakeAsync(contact, found);
        }
    }

    /// <summary>A way is open: the session moves there, or is made there.</summary>
    private async Task TakeAsync(Contact contact, FoundPath found)
    {
        contact.Remember(found.Path, found.Origin);
        var isNew = _host.Sessions.Find(contact.Key) is null;
        // While the handshake was under way here, it may have come to an end elsewhere, through a relay: this way is still the better one.
        if ((_host.Sessions.Find(contact.Key) ?? await _host.Sessions.OpenAsync(contact.Key, found.Path)) is not { } session) return;
        if (IsBetter(found.Path, session.Path) || (!isNew && _host.Nat.IsSuspect(session))) session.TryPath(found.Path);
    }

    private async Task TryAddressAsync(Contact contact, Endpoint address, HashSet<Endpoint> tried, CancellationToken cancel)
    {
        if (tried.Count >= AddressesMax || !_host.MayWalkTo(address) || !tried.Add(address)) return;
        var what = $"address {address}";
        var attempt = contact.Begin(_host.Now, what);
        _host.Nat.NoteWritten(address);
        var session = await _host.Sessions.OpenAsync(contact.Key, new DirectPath(_host, address), cancel);
        var isThere = session?.Path is DirectPath path && path.Remote == address;
        if (isThere) contact.Remember(session!.Path, PathOrigin.Direct);
        contact.End(attempt, what, isThere ? "answered" : session is not null || cancel.IsCancellationRequested ? "another way was faster" : "no answer", _host.Now);
    }

    private async Task TryHintsAsync(Contact contact, Task<ContactHints?> hints, HashSet<Endpoint> tried, CancellationToken cancel)
    {
        if (await hints is not { } known || cancel.IsCancellationRequested) return;
        foreach (var address in known.Addresses.Take(AddressesMax)) _host.Nat.Watch(TryAddressAsync(contact, address, tried, cancel));
    }

    /// <summary>What all sources know, together; null when none knows anything.</summary>
    private async Task<ContactHints?> HintsAsync(PublicKey key)
    {
        var asked = new List<Task<ContactHints?>>();
        foreach (var source in _sources) asked.Add(source.FindAsync(key).AsTask());
        if (asked.Count == 0) return null;
        var (addresses, helpers, relays) = (new List<Endpoint>(), new List<HelperHint>(), new List<RelayReservation>());
        var deadline = Delay(SourceTime);
        while (asked.Count > 0)
        {
            if (await Task.WhenAny([.. asked, deadline]) is not Task<ContactHints?> done) break;
            asked.Remove(done);
            if (await done is not { } hints) continue;
            addresses.AddRange(hints.Addresses);
            helpers.AddRange(hints.Helpers);
            relays.AddRange(hints.Relays);
        }
        return addresses.Count + helpers.Count + relays.Count == 0 ? null : new ContactHints(addresses, helpers, relays);
    }

    /// <summary>One puncture, through up to three helpers that know the other. Gives the way that it opened.</summary>
    private async Task<FoundPath?> PunctureAsync(Contact contact, Task<ContactHints?>? hints, TimeSpan delay, CancellationToken cancel)
    {
        if (delay > TimeSpan.Zero) await Delay(delay);
        if (cancel.IsCancellationRequested || _punctures.Begin(contact.Key) is not { } puncture) return null;
        var attempt = contact.Begin(_host.Now, "puncture");
        var asked = new HashSet<PublicKey>();
        if (_host.Sessions.Find(contact.Key) is { Path.Kind: PathKind.Relayed } relayed) _punctures.TellDirectly(puncture, relayed);
        _host.Nat.Watch(AskHelpersAsync(contact, puncture, asked, cancel));
        if (hints is not null) _host.Nat.Watch(AskHintedAsync());
        var end = Delay(Options.PunctureLifetime);
        await Task.WhenAny(puncture.Found, end);
        var found = puncture.Found.IsCompleted ? await puncture.Found : null;
        if (puncture.Theirs is { } theirs) contact.Class = theirs.Class;
        contact.End(attempt, puncture.Theirs is null ? "puncture" : $"puncture ({puncture.Strategy})", Outcome(puncture, found), _host.Now);
        // Left to answer the other's probes until its time is over.
        if (found is null) _punctures.End(puncture);
        return found;

        async Task AskHintedAsync()
        {
            if (await hints is not { } known) return;
            var helpers = known.Helpers.Concat(known.Relays.Select(static place => new HelperHint(place.Relay, place.Address)));
            foreach (var helper in helpers.Take(2 * HintsMax))
            {
                if (puncture.IsOver || cancel.IsCancellationRequested || helper.Key == contact.Key || !asked.Add(helper.Key)) continue;
                if (await SessionAtAsync(helper.Key, helper.Address) is { } session && !puncture.IsOver) _punctures.Tell(puncture, session);
            }
        }
    }

    /// <summary>Asks neighbours one after the other, until enough of them passed the record on.</summary>
    private async Task AskHelpersAsync(Contact contact, Puncture puncture, HashSet<PublicKey> asked, CancellationToken cancel)
    {
        var refused = 0;
        void OnRefused(Session session, PublicKey key)
        {
            if (key == contact.Key && asked.Contains(session.Peer.Key)) refused++;
        }
        _punctures.Refused += OnRefused;
        try
        {
            // Again after a second: a lost datagram must not cost the puncture.
            for (var round = 0; round < 3 && !puncture.IsOver && puncture.Theirs is null; round++)
            {
                foreach (var helper in HelpersFor(contact.Key, asked))
                {
                    if (asked.Count - refused >= Options.HelpersMax || asked.Count >= HelpersAskedMax) break;
                    asked.Add(helper.Key);
                    _host.Nat.Watch(AskAsync(helper));
                }
                var end = _host.Now + TimeSpan.FromSeconds(1);
                var before = refused;
                while (_host.Now < end && refused == before && puncture.Theirs is null && !puncture.IsOver)
                    await Delay(TimeSpan.FromMilliseconds(50));
                if (cancel.IsCancellationRequested) return;
                if (refused == before && asked.Count < HelpersAskedMax && puncture.Theirs is null)
                    foreach (var key in asked.ToArray())
                        if (_host.Sessions.Find(key) is { } session) _punctures.Tell(puncture, session);
                if (refused > before) round--;
                if (asked.Count >= HelpersAskedMax && refused >= asked.Count) return;
            }
        }
        finally { _punctures.Refused -= OnRefused; }

        async Task AskAsync(Peer helper)
        {
            if (await _host.Nat.SessionWithAsync(helper) is { } session && !puncture.IsOver) _punctures.Tell(puncture, session);
            else asked.Remove(helper.Key);
        }
    }

    /// <summary>Neighbours that may know the other: those with a session first, relays among them, then the rest in random order.</summary>
    private List<Peer> HelpersFor(PublicKey other, HashSet<PublicKey> asked)
    {
        var helpers = new List<(Peer Peer, int Rank)>();
        foreach (var peer in _host.Peers.All)
            if (peer.IsValidated && peer.Key != other && !asked.Contains(peer.Key) && _host.Nat.IsFull(peer))
                helpers.Add((peer, (_host.Sessions.Find(peer) is { } session ? _host.Relays.Needs(session) ? 2 : 1 : 0) * 1024 + _host.Environment.Random.Next(1024)));
        helpers.Sort(static (a, b) => b.Rank.CompareTo(a.Rank));
        return [.. helpers.Take(HelpersAskedMax).Select(static helper => helper.Peer)];
    }

    /// <summary>Asks relays for a way: where the other holds a place, where we do, and those who passed records on.</summary>
    private async Task RelayAsync(Contact contact, Task<ContactHints?>? hints, CancellationToken cancel)
    {
        await Delay(Options.RelayAfter);
        var (begun, asked, pause) = (_host.Now, new HashSet<PublicKey>(PublicKey.Comparer) { contact.Key }, AskRelaysAgain);
        if (hints is not null) _host.Nat.Watch(AskHintedAsync());
        // One after the other: the first that grants is enough, and each pair is a place that others could use.
        for (var end = _host.Now + Options.ConnectTime; _host.Now < end && !IsDone();)
        {
            var relay = RelaysFor(contact.Key).Find(session => asked.Add(session.Peer.Key));
            if (relay is null)
            {
                await Delay(TimeSpan.FromMilliseconds(250));
                // Those who refused may know the other by now: a node that just came takes its places after two seconds.
                if (_host.Now - begun >= pause)
                {
                    (begun, pause) = (_host.Now, 2 * pause);
                    asked.Clear();
                    asked.Add(contact.Key);
                }
                continue;
            }
            await Task.WhenAny(AskAsync(relay, 0), Delay(TimeSpan.FromMilliseconds(400)));
        }

        bool IsDone() => cancel.IsCancellationRequested || _host.Sessions.Find(contact.Key) is { } session && !_host.Nat.IsSuspect(session);

        async Task AskHintedAsync()
        {
            if (await hints is not { } known) return;
            foreach (var place in known.Relays.Take(HintsMax))
                if (!IsDone() && place.Relay != _host.Identity.Public && asked.Add(place.Relay)
                    && await SessionAtAsync(place.Relay, place.Address) is { } session) _host.Nat.Watch(AskAsync(session, place.Token));
        }

        async Task AskAsync(Session relay, ulong token)
        {
            var what = $"relay {relay.Peer.Key.ShortName}";
            var attempt = contact.Begin(_host.Now, what);
            if (await _host.Relays.OpenAsync(relay, contact.Key, token) is not { } path)
            {
                contact.End(attempt, what, "refused, or no answer", _host.Now);
                return;
            }
            contact.End(attempt, what, "granted", _host.Now);
            if (!IsDone()) await TakeAsync(contact, new FoundPath(path, PathOrigin.Relayed));
        }
    }

    private List<Session> RelaysFor(PublicKey other)
    {
        var relays = new List<Session>();
        foreach (var session in _host.Sessions.All)
            if (session.IsOpen && session.Path.Kind != PathKind.Relayed && session.Peer.Key != other && (_host.Relays.Needs(session) || _punctures.IsHelper(session, other)))
                relays.Add(session);
        return relays.Count <= HelpersAskedMax ? relays : relays[..HelpersAskedMax];
    }

    /// <summary>While a session is relayed, a direct way is tried again and again, less and less often (OV-6.9).</summary>
    private async Task ImproveAsync(Contact contact)
    {
        contact.IsImproving = true;
        var began = _host.Now;
        try
        {
            foreach (var at in Options.DirectAttempts)
            {
                if (at == TimeSpan.Zero) continue;
                while (_host.Now - began < at)
                {
                    var wait = began + at - _host.Now;
                    // Timers count whole milliseconds: a wait below one is none, and virtual time would stand still here.
                    await Delay(wait + TimeSpan.FromMilliseconds(1));
                    if (!IsRelayed()) return;
                }
                if (await PunctureAsync(contact, null, TimeSpan.Zero, default) is { } found && IsRelayed()) await TakeAsync(contact, found);
                if (!IsRelayed()) return;
            }
        }
        finally { contact.IsImproving = false; }

        bool IsRelayed() => _host.Sessions.Find(contact.Key) is { IsOpen: true, Path.Kind: PathKind.Relayed };
    }

    private async Task RepairAsync(Contact contact, Session session)
    {
        try
        {
            using var over = new CancellationTokenSource();
            foreach (var address in session.Peer.Addresses.Concat(session.PeerAddresses).Distinct().Take(AddressesMax))
                if (_host.MayWalkTo(address)) session.TryPath(new DirectPath(_host, address));
            var hints = HintsAsync(contact.Key);
            _host.Nat.Watch(RelayAsync(contact, hints, over.Token));
            if (await PunctureAsync(contact, hints, TimeSpan.Zero, over.Token) is { } found) await TakeAsync(contact, found);
            await Delay(TakeOverTime);
            Cancel(over);
        }
        finally { contact.IsRepairing = false; }
    }

    private async Task<Session?> SessionAtAsync(PublicKey key, Endpoint address)
    {
        if (_host.Sessions.Find(key) is { } session) return session;
        if (key == _host.Identity.Public || !_host.MayWalkTo(address)) return null;
        _host.Nat.NoteWritten(address);
        return await _host.Sessions.OpenAsync(key, new DirectPath(_host, address));
    }

    private Task Delay(TimeSpan time) => Task.Delay(time, _host.Environment.Time);

    // Not CancelAsync: that runs what was registered on another thread, and this is the loop.
    private static void Cancel(CancellationTokenSource source) => source.Cancel();

    private static bool IsBetter(SessionPath candidate, SessionPath current) => candidate.Kind < current.Kind;

    private void OnFoundByOther(Puncture puncture, FoundPath found)
    {
        var contact = ContactOf(puncture.Other);
        contact.Remember(found.Path, found.Origin);
        contact.IsWanted = true;
        contact.Class = puncture.Theirs?.Class;
        // The other begins the handshake or the move; when its word is lost, our own works as well.
        if (_host.Sessions.Find(puncture.Other) is { } session && IsBetter(found.Path, session.Path)) session.TryPath(found.Path);
    }

    private void OnOpened(Session session)
    {
        if (!_contacts.TryGetValue(session.Peer.Key, out var contact))
        {
            if (session.Path.Kind == PathKind.Direct) return;
            contact = ContactOf(session.Peer.Key);
        }
        if (session.Path.Kind != PathKind.Direct) contact.IsWanted = true;
        contact.Search?.TrySetResult(session);
        if (session.Path.Kind == PathKind.Relayed && session.IsInitiator && !contact.IsImproving) _host.Nat.Watch(ImproveAsync(contact));
    }

    private void OnMoved(Session session, SessionPath before)
    {
        if (session.Path.Kind == PathKind.Relayed && session.IsInitiator && ContactOf(session.Peer.Key) is { IsImproving: false } contact) _host.Nat.Watch(ImproveAsync(contact));
    }

    private void OnClosed(Session session)
    {
        if (_contacts.TryGetValue(session.Peer.Key, out var contact)) (contact.IsWanted, contact.TouchedAt) = (false, _host.Now);
    }

    private static string Outcome(Puncture puncture, FoundPath? found)
    {
        if (found is not null) return $"got through after {puncture.ProbesSent} probes";
        if (puncture.Theirs is null) return "no helper reached it";
        if (puncture.Strategy == Strategy.Relay) return "these two routers cannot be punctured";
        return puncture.Hindrance.Length > 0 ? puncture.Hindrance : $"no probe got through ({puncture.ProbesSent} sent)";
    }

    private ContactView ViewOf(PublicKey key, Session? session)
    {
        var contact = _contacts.GetValueOrDefault(key);
        PathOrigin? origin = session is null ? null
            : session.Path.Kind == PathKind.Relayed ? PathOrigin.Relayed
            : contact?.OriginOf(session.Path) ?? (session.IsInitiator ? PathOrigin.Direct : PathOrigin.Incoming);
        var own = _host.Nat.Class;
        return new ContactView(
            key, session is { IsOpen: true }, session?.Path.Kind, origin, session?.Path.Remote, session?.Path.Relay?.Key,
            session is not null && _host.Nat.IsSuspect(session), session?.RoundTrip, contact?.Attempts ?? [],
            Advice.Why(origin, own, contact?.Class), Advice.WouldImprove(origin, own, contact?.Class));
    }

    private Contact ContactOf(PublicKey key)
    {
        if (_contacts.TryGetValue(key, out var known)) return known;
        if (_contacts.Count >= ContactsMax)
        {
            // The one untouched longest, without a session or a search, gives way.
            Contact? oldest = null;
            foreach (var contact in _contacts.Values)
                if (contact.Search is null && !contact.IsImproving && !contact.IsRepairing && (oldest is null || contact.TouchedAt < oldest.TouchedAt)) oldest = contact;
            if (oldest is not null) _contacts.Remove(oldest.Key);
        }
        return _contacts[key] = new Contact(key) { TouchedAt = _host.Now };
    }
}
