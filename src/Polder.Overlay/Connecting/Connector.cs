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
    private const int ContactsMax = 512, AddressesMax = 8;
    private static readonly TimeSpan SourceTime = TimeSpan.FromSeconds(3), FreshFor = TimeSpan.FromSeconds(30), TakeOverTime = TimeSpan.FromSeconds(5);

    private readonly NodeHost _host;
    private readonly Dictionary<PublicKey, Contact> _contacts = new(PublicKey.Comparer);
    private readonly List<IContactSource> _sources = [];
    private readonly Punctures _punctures;
    private readonly PunctureSearch _helped;
    private readonly RelaySearch _relays;

    internal Connector(NodeHost host)
    {
        _host = host;
        _punctures = new Punctures(host);
        _helped = new PunctureSearch(host, _punctures);
        _relays = new RelaySearch(host, _punctures);
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
            var punctured = _helped.RunAsync(contact, hints, isFresh ? Options.RelayAfter : TimeSpan.Zero, over.Token);
            _host.Nat.Watch(_relays.RunAsync(contact, hints, path => TakeAsync(contact, path), over.Token));
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
                if (await _helped.RunAsync(contact, null, TimeSpan.Zero, default) is { } found && IsRelayed()) await TakeAsync(contact, found);
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
            _host.Nat.Watch(_relays.RunAsync(contact, hints, path => TakeAsync(contact, path), over.Token));
            if (await _helped.RunAsync(contact, hints, TimeSpan.Zero, over.Token) is { } found) await TakeAsync(contact, found);
            await Delay(TakeOverTime);
            Cancel(over);
        }
        finally { contact.IsRepairing = false; }
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
