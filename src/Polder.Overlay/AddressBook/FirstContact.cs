using Polder.Net;
using Polder.Overlay.Discovery;
using Polder.Overlay.Nat;

namespace Polder.Overlay.AddressBook;

/// <summary>
/// Finds the first peers without anybody's server, and keeps the address book (overlay.md §5.1, §8.2): anchors, book, lists, invitations and
/// meeting points are tried in parallel, each with its share. On the node's loop; <see cref="Look"/> gives a picture for faces.
/// </summary>
public sealed class FirstContact
{
    private static readonly TimeSpan ReachableInterval = TimeSpan.FromMinutes(1);

    private readonly NodeHost _host;
    private readonly AddressBookOptions _options;
    private readonly ContactSchedule _schedule;
    private readonly Anchors _anchors;
    private readonly Feelers _feelers;
    private readonly TriedAddresses _tried;
    private readonly long[] _attempts = new long[Enum.GetValues<ContactSource>().Length], _answered = new long[Enum.GetValues<ContactSource>().Length];
    private List<Endpoint>? _listed, _invited, _bundled;
    private MeetingPoints? _meeting;
    private IStateStore? _store;
    private AddressTable? _book;
    private bool _wasEnough, _pickTried, _loaded;
    private TimeSpan _saveDue, _reachableDue;
    private TimeSpan? _firstPeer, _enoughPeers;

    internal FirstContact(NodeHost host)
    {
        (_host, _options) = (host, host.Options.Book);
        _schedule = new ContactSchedule(_options);
        _anchors = new Anchors(host);
        _feelers = new Feelers(host);
        _tried = new TriedAddresses(host);
    }

    /// <summary>Whether other people's addresses are introduced to each other for overlays that we are not in (OV-5.1): null while nobody tested whether we can be reached from outside.</summary>
    /// <remarks>Told by the tests of reachability (dial-back): since when we are known to be reachable, or that we are not.</remarks>
    public bool? IsReachable { get; private set; }

    internal TimeSpan ReachableSince { get; private set; }

    /// <summary>What a dial-back came to (OV-5.7).</summary>
    public void Reachable(bool isReachable)
    {
        if (isReachable && IsReachable != true) ReachableSince = _host.Now;
        IsReachable = isReachable;
    }

    internal Anchors Anchors => _anchors;
    internal AddressTable? Book => _book;

    /// <summary>Adds a list of known public peers; lists add up.</summary>
    public void Add(BootstrapList list)
    {
        ArgumentNullException.ThrowIfNull(list);
        _listed ??= [];
        foreach (var address in list.Addresses)
        {
            if (_listed.Count >= _options.ListedMax) break;
            if (_host.MayWalkTo(address) && !_listed.Contains(address)) _listed.Add(address);
        }
        // Any order but the file's: whoever stands first in a list has no privilege.
        var shuffled = _listed.ToArray();
        _host.Environment.Random.Shuffle<Endpoint>(shuffled);
        _listed = [.. shuffled];
    }

    /// <summary>Adds a meeting point.</summary>
    public void Add(IMeetingPoint meetingPoint)
    {
        ArgumentNullException.ThrowIfNull(meetingPoint);
        (_meeting ??= new MeetingPoints(_host)).Add(meetingPoint);
    }

    /// <summary>An address that the owner's own act names (an invitation): tried first, and at once.</summary>
    internal void Invite(Endpoint address)
    {
        if (!_host.MayWalkTo(address)) return;
        _invited ??= [];
        if (!_invited.Contains(address))
        {
            if (_invited.Count >= 64) _invited.RemoveAt(0);
            _invited.Add(address);
        }
        Attempt(address, ContactSource.Invitation, walk: true);
    }

    /// <summary>Whether the owner's lists name this address: there a tracker with an old kind of key is believed.</summary>
    internal bool IsListed(Endpoint address) => _listed is not null && _listed.Contains(address);

    /// <summary>The network came up or changed: begin quickly again.</summary>
    internal void Restart()
    {
        _schedule.Restart(_host.Now);
        _tried.Clear();
        _wasEnough = false;
    }

    internal void Start()
    {
        _store = _host.Find<IStateStore>();
        _anchors.Load(_store);
        var bytes = _store?.Load(StatePart.AddressBook);
        if (bytes is not null) _book = AddressBookFile.Read(bytes, _host.Options, _host.UnixSeconds, _host.MayWalkTo);
        _loaded = true;
        // The cache of peers of the last run: tried addresses, and the anchors among them.
        if (_host.Find<IPeerCache>() is { } cache)
            foreach (var peer in cache.Load())
            {
                if (!_host.MayWalkTo(peer.Address)) continue;
                var heard = (uint)Math.Clamp(peer.LastIn.ToUnixTimeSeconds(), 1, _host.UnixSeconds);
                TheBook.Restore(new AddressEntry(peer.Address, SourceGroup.Of(peer.Address, _host.Options), true, heard, heard, 0, 0));
                if (peer.IsAnchor) _anchors.Add(peer.Key, peer.Address, heard);
            }
        _schedule.Restart(_host.Now);
        _saveDue = _host.Now + _options.SaveInterval;
        // When somebody is reachable at all, the first tenth of a second should not be lost to the beat.
        if (_host.IsNetworkUp) Step();
    }

    internal void Stop()
    {
        if (!_loaded) return;
        _anchors.Update(_store);
        Save();
    }

    /// <summary>Tries what is due. Returns whether the next look should come soon.</summary>
    internal bool Step()
    {
        var now = _host.Now;
        if (now >= _saveDue)
        {
            _saveDue = now + _options.SaveInterval;
            Save();
        }
        if (now >= _reachableDue)
        {
            _reachableDue = now + ReachableInterval;
            if (_host.Nat.View.DialBack is var state and (DialBackState.GotThrough or DialBackState.DidNotGetThrough)) Reachable(state == DialBackState.GotThrough);
        }
        if (!_host.IsNetworkUp) return false;
        if (!(IsLooking = !IsEnough()))
        {
            if (IsReachable == true) _meeting?.Announce(now);
            return false;
        }
        _meeting?.Ask(now);
        for (var due = _schedule.Due(now); due > 0 && Next(now) is var (address, source) && _host.MayWalkNow(); due--)
        {
            _schedule.Spend(source, now);
            Attempt(address, source, walk: false);
        }
        return _schedule.IsQuick(now);
    }

    /// <summary>Whether too few peers of our own choosing, or too few networks, are met yet.</summary>
    internal bool IsLooking { get; private set; } = true;

    /// <summary>Whether there are enough peers of our own choosing in enough networks; when all were lost, the search begins anew.</summary>
    private bool IsEnough()
    {
        var options = _host.Options;
        // Looked at with every beat, so without memory of its own; where more networks are wanted than fit, sixteen will do.
        Span<Endpoint> networks = stackalloc Endpoint[Math.Min(_options.EnoughNetworks, 16)];
        var (chosen, vouched, count) = (0, 0, 0);
        foreach (var peer in _host.Peers.All)
        {
            // Whoever came to us proves nothing about where we are: an attacker who knocks often enough would end the search (threat (c) of
            // §8.1). One vouched for counts beside one that we chose, no more: friends of an attacker vouch for each other.
            if (!peer.IsValidated || !(peer.ChosenByUs || peer.IsVouchedFor)) continue;
            if (peer.ChosenByUs) chosen++;
            else vouched++;
            if (count < networks.Length && peer.Address.Network(options.WidePrefixIPv4, options.WidePrefixIPv6) is var network
                && !networks[..count].Contains(network)) networks[count++] = network;
            var peers = chosen + Math.Min(chosen, vouched);
            if (peers >= _options.EnoughPeers && (count == networks.Length || peers >= options.NeighboursWanted))
            {
                _enoughPeers ??= _host.Now;
                return _wasEnough = true;
            }
        }
        if (chosen == 0 && _wasEnough) Restart();
        return false;
    }

    private (Endpoint Address, ContactSource Source)? Next(TimeSpan now)
    {
        // The least served of those that may go and have something.
        Span<ContactSource> order = [ContactSource.Invitation, ContactSource.Anchors, ContactSource.AddressBook, ContactSource.Lists, ContactSource.Bundle, ContactSource.MeetingPoint];
        for (var i = 2; i < order.Length; i++)
            for (var j = i; j > 1 && _schedule.Load(order[j]) < _schedule.Load(order[j - 1]); j--)
                (order[j], order[j - 1]) = (order[j - 1], order[j]);
        foreach (var source in order)
            if (_schedule.Allows(source, now) && NextOf(source, now) is { } address) return (address, source);
        return null;
    }

    private Endpoint? NextOf(ContactSource source, TimeSpan now)
    {
        switch (source)
        {
            case ContactSource.Anchors:
                foreach (var anchor in _anchors.All)
                    if (IsDue(anchor.Address, now)) return anchor.Address;
                return null;
            case ContactSource.AddressBook:
                if (_book is null) return null;
                // Half tried, half new; where one kind is used up, the other.
                _pickTried = !_pickTried;
                return Pick(_pickTried) ?? Pick(!_pickTried);
            case ContactSource.Invitation: return _tried.Pick(_invited, now);
            case ContactSource.Lists: return _tried.Pick(_listed, now);
            case ContactSource.Bundle: return _tried.Pick(_bundled, now);
            default: return _tried.Pick(_meeting?.Found, now);
        }

        Endpoint? Pick(bool tried) => _book.Pick(tried, _host.Environment.Random, entry => IsDue(entry.Address, now) && (tried || entry.Failures < 3));
    }

    /// <summary>Whether nobody is known there and it was not tried lately.</summary>
    internal bool IsDue(Endpoint address, TimeSpan now) => _tried.IsDue(address, now);

    private void Attempt(Endpoint address, ContactSource source, bool walk)
    {
        if (_tried.Begin(address, source)) _book?.Failed(address, drop: false);
        _attempts[(int)source]++;
        _book?.Attempted(address, _host.UnixSeconds);
        // A public peer on a list may be a plain tracker, which answers in the overlay that it is asked for. All others are in Discovery,
        // which tells what we share.
        var discovery = _host.Communities.Count > 0 ? _host.Communities[0] : null;
        if (walk) discovery?.Introductions.WalkTo(address, alive: true);
        else if (source != ContactSource.Lists) discovery?.Introductions.Knock(address);
        else
            foreach (var community in _host.Communities)
                if (community.Walks) community.Introductions.Knock(address);
    }

    /// <summary>A peer told us of an address, in answer to a question of ours.</summary>
    internal void Heard(Endpoint address, Peer teller)
    {
        if (!IsWorthKeeping(address) || !MayTell(teller)) return;
        TheBook.Add(address, SourceGroup.Of(teller.Address, _host.Options), _host.UnixSeconds);
    }

    /// <summary>At most so many addresses an hour from one peer, counted from its first.</summary>
    private bool MayTell(Peer teller)
    {
        var hour = (uint)(_host.Now.TotalHours - teller.TellsSince.TotalHours);
        if (teller.Told == 0 || hour >= 1) (teller.TellsSince, teller.Told) = (_host.Now, 0);
        if (teller.Told >= _options.PerPeerAndHour) return false;
        teller.Told++;
        return true;
    }

    /// <summary>A peer answered a question of ours at this address. Whether we had tried the address of our own accord.</summary>
    internal bool Answered(Peer peer, Endpoint address)
    {
        _firstPeer ??= _host.Now;
        _feelers.Answered(address);
        var tried = _tried.Answered(address);
        if (tried is { IsFirst: true, Source: var source }) _answered[(int)source]++;
        // Only whom we chose is tried: whoever knocks at our door cannot fill the book with himself.
        if ((tried is not null || peer.ChosenByUs) && IsWorthKeeping(address))
            TheBook.Answered(address, SourceGroup.Of(address, _host.Options), _host.UnixSeconds);
        return tried is not null;
    }

    private bool IsWorthKeeping(Endpoint address) => _host.MayWalkTo(address)
        && (_host.Options.Addresses == AddressRules.Any || !(address.IsPrivate || address.IsLinkLocal || address.IsLoopback));

    /// <summary>Contacts one address that we only heard of (OV-7.4). Whether there was one.</summary>
    internal bool Feel() => _book is not null && _host.IsNetworkUp && _feelers.Feel(_book);

    /// <summary>An address that a feeler knocks at: not tried again for a while.</summary>
    internal void NoteFeeler(Endpoint address) => _tried.Note(address);

    /// <summary>One address of the book in a network where we have no neighbour, for OV-7.5; null when there is none.</summary>
    internal Endpoint? Elsewhere(HashSet<Endpoint> networks) => _book?.Pick(tried: true, _host.Environment.Random, entry =>
        IsDue(entry.Address, _host.Now) && !networks.Contains(entry.Address.Network(_host.Options.WidePrefixIPv4, _host.Options.WidePrefixIPv6)));

    /// <summary>Tries an address of the book now.</summary>
    internal void Knock(Endpoint address) => Attempt(address, ContactSource.AddressBook, walk: true);

    private AddressTable TheBook => _book ??= new AddressTable(_host.Options, _host.Environment.Random.NextUInt64(), _host.Environment.Random.NextUInt64());

    internal void Save()
    {
        if (_book is { Count: > 0 }) _ = _store?.SaveAsync(StatePart.AddressBook, AddressBookFile.Write(_book));
    }

    internal void UpdateAnchors() => _anchors.Update(_store);

    // ---- Bundles ----

    /// <summary>A signed file with addresses where somebody answered us, for another node. Anchors are not in it.</summary>
    public byte[] ExportBundle()
    {
        var addresses = new List<Endpoint>();
        foreach (var peer in _host.Peers.All)
            if (addresses.Count < _options.BundleMax && peer is { IsValidated: true, IsAnchor: false } && IsWorthKeeping(peer.Address)) addresses.Add(peer.Address);
        for (var i = 0; i < (_book?.Count ?? 0) && addresses.Count < _options.BundleMax; i++)
            if (_book![i] is { IsTried: true } entry && !addresses.Contains(entry.Address) && !_anchors.All.Any(anchor => anchor.Address == entry.Address))
                addresses.Add(entry.Address);
        return PeerBundle.Write(_host.Options.Network, _host.Identity, _host.UnixSeconds, addresses, _host.Environment.Signatures);
    }

    /// <summary>Takes the addresses of a bundle, under the rules for what one stranger tells.</summary>
    public BundleResult ImportBundle(ReadOnlySpan<byte> bytes)
    {
        var refusal = PeerBundle.TryRead(bytes, _host.Options.Network, _host.Environment.Signatures, out var bundle);
        if (bundle is null) return new BundleResult(refusal, PeerBundle.Explain(refusal), 0, 0);
        var source = SourceGroup.OfFile(bundle.Signer.NodeId.Head);
        var (taken, passed) = (0, 0);
        foreach (var address in bundle.Addresses)
        {
            if (taken < _options.PerPeerAndHour && IsWorthKeeping(address) && TheBook.Add(address, source, _host.UnixSeconds))
            {
                taken++;
                (_bundled ??= []).Add(address);
                if (_bundled.Count > 256) _bundled.RemoveAt(0);
            }
            else passed++;
        }
        // The owner wants them tried now, not when their turn in the book comes.
        if (taken > 0) Restart();
        return new BundleResult(BundleRefusal.None, $"{taken} new addresses were taken, {passed} passed over.", taken, passed);
    }

    /// <summary>How it stands. On the loop.</summary>
    public ContactView Look()
    {
        var sources = new List<ContactSourceView>();
        foreach (var source in Enum.GetValues<ContactSource>())
        {
            var known = source switch
            {
                ContactSource.Invitation => _invited?.Count ?? 0,
                ContactSource.Anchors => _anchors.All.Count,
                ContactSource.AddressBook => _book?.Count ?? 0,
                ContactSource.Lists => _listed?.Count ?? 0,
                ContactSource.Bundle => _bundled?.Count ?? 0,
                _ => _meeting?.Found.Count ?? 0,
            };
            var state = source == ContactSource.MeetingPoint && _meeting is null ? "not available" : known == 0 ? "empty" : "ready";
            sources.Add(new ContactSourceView(source, state, known, _attempts[(int)source], _answered[(int)source], ContactSchedule.ShareOf(source)));
        }
        return new ContactView(_host.IsNetworkUp, IsLooking, _firstPeer, _enoughPeers, _attempts.Sum(), sources,
            _book?.NewCount ?? 0, _book?.TriedCount ?? 0, _meeting?.Names ?? []);
    }
}
