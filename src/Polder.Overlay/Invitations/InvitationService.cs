using Polder.Identity;
using Polder.Net;
using Polder.Overlay.AddressBook;
using Polder.Overlay.Connecting;

namespace Polder.Overlay.Invitations;

/// <summary>What became of taking an invitation.</summary>
/// <param name="Refusal">None: both are contacts now. <see cref="InvitationRefusal.NotReached"/> and <see cref="InvitationRefusal.NotNow"/>: the node keeps trying.</param>
/// <param name="Message">A sentence for people.</param>
/// <param name="Contact">The new contact; null while there is none.</param>
public sealed record InvitationResult(InvitationRefusal Refusal, string Message, Contact? Contact);

/// <summary>An invitation made just now.</summary>
/// <param name="Id">What it is called in lists; not secret.</param>
/// <param name="Text">"PEER:…", to be given to one person. Secret.</param>
/// <param name="Expires">When it ends.</param>
/// <param name="Addresses">Own addresses in it.</param>
/// <param name="Helpers">Helpers in it.</param>
public sealed record InvitationMade(string Id, string Text, DateTimeOffset Expires, int Addresses, int Helpers);

/// <summary>An invitation that was given or taken.</summary>
/// <param name="Id">What it is called; not secret.</param>
/// <param name="IsOurs">Whether we made it; else we took it and its maker has not answered yet.</param>
/// <param name="Expires">When it ends.</param>
/// <param name="UsedBy">Who used it; null: nobody yet.</param>
/// <param name="Inviter">Who made it.</param>
public sealed record InvitationView(string Id, bool IsOurs, DateTimeOffset Expires, PublicKey? UsedBy, PublicKey Inviter);

/// <summary>
/// Makes invitations and takes those of others (Overlay §5.2). Whoever shows the token of an invitation becomes a contact on both sides
/// without a further question; it works once. On the node's loop.
/// </summary>
public sealed class InvitationService : IContactSource
{
    /// <summary>How long an invitation holds where nobody says otherwise.</summary>
    public static readonly TimeSpan LifetimeDefault = TimeSpan.FromDays(7);
    /// <summary>The longest that one may hold.</summary>
    public static readonly TimeSpan LifetimeMax = TimeSpan.FromDays(90);
    /// <summary>The shortest.</summary>
    public static readonly TimeSpan LifetimeMin = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan TakeTime = TimeSpan.FromSeconds(20), Look = TimeSpan.FromMilliseconds(50);

    private readonly NodeHost _host;
    private readonly ContactList _contacts;
    private readonly IStateStore? _store;
    private readonly List<GivenInvitation> _given = [];
    private readonly List<TakenInvitation> _taken = [];
    private readonly Dictionary<PublicKey, Invitation> _hints = new(PublicKey.Comparer);
    private InvitationCommunity? _community;

    /// <summary>Loads what was kept. Offer the store to the host before.</summary>
    public InvitationService(NodeHost host, ContactList contacts)
    {
        ArgumentNullException.ThrowIfNull(host);
        ArgumentNullException.ThrowIfNull(contacts);
        (_host, _contacts) = (host, contacts);
        _store = host.Find<IStateStore>();
        if (_store?.Load(StatePart.Invitations) is { } bytes && InvitationFile.Read(bytes) is var (given, taken))
            (_given, _taken) = (given, taken);
        Prune();
        host.Connector.Add(this);
        foreach (var taken1 in _taken) Hint(taken1);
        if (_given.Count + _taken.Count > 0) EnsureJoined();
    }

    /// <summary>Makes an invitation. Throws for a lifetime out of bounds; null when too many are open or the disk refused to keep the token.</summary>
    public Task<InvitationMade?> MakeAsync(TimeSpan? lifetime = null)
    {
        var holds = lifetime ?? LifetimeDefault;
        return holds >= LifetimeMin && holds <= LifetimeMax ? MakeNowAsync(holds)
            : throw new ArgumentOutOfRangeException(nameof(lifetime), lifetime, "An invitation holds from one minute to 90 days.");
    }

    private async Task<InvitationMade?> MakeNowAsync(TimeSpan holds)
    {
        Prune();
        if (_given.Count >= InvitationFile.GivenMax) return null;
        EnsureJoined();
        var now = _host.UnixSeconds;
        var random = _host.Environment.Random;
        var token = new InvitationToken(new UInt128(random.NextUInt64(), random.NextUInt64()));
        var invitation = new Invitation(
            _host.Identity.Public, now + (uint)holds.TotalSeconds, _host.Options.Network, OwnAddresses(), Helpers(), token);
        var bytes = invitation.Sign(_host.Identity, _host.Environment.Signatures);
        _given.Add(new GivenInvitation(token, now, invitation.Expires, null));
        if (!await SaveAsync())
        {
            _given.RemoveAll(one => one.Token == token);
            return null;
        }
        return new InvitationMade(
            Name(token), Invitation.ToText(bytes), DateTimeOffset.FromUnixTimeSeconds(invitation.Expires), invitation.Addresses.Count, invitation.Helpers.Count);
    }

    /// <summary>Withdraws an invitation that we made, or gives up one that we took. False when there is none of that name.</summary>
    public async Task<bool> WithdrawAsync(string id)
    {
        var count = _given.RemoveAll(one => Name(one.Token) == id && one.UsedBy is null)
            + _taken.RemoveAll(one => Read(one) is { } invitation && Name(invitation.Token) == id);
        return count > 0 && await SaveAsync();
    }

    /// <summary>
    /// Takes somebody's invitation: goes to its addresses and helpers at once, and shows the token. Answers within 20 s; where the inviter was
    /// not reached by then, the node keeps trying until the invitation expires.
    /// </summary>
    public async Task<InvitationResult> TakeAsync(string text, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(text);
        var refusal = Invitation.TryParse(text, _host.Environment.Signatures, out var invitation);
        if (invitation is null) return Refuse(refusal);
        if (invitation.Inviter == _host.Identity.Public) return Refuse(InvitationRefusal.Own);
        if (invitation.Network != _host.Options.Network) return Refuse(InvitationRefusal.ForeignNetwork);
        if (invitation.Expires <= _host.UnixSeconds) return Refuse(InvitationRefusal.Expired);
        Prune();
        EnsureJoined();
        if (!_taken.Exists(one => Read(one)?.Token == invitation.Token))
        {
            if (_taken.Count >= InvitationFile.TakenMax) return Refuse(InvitationRefusal.TooMany);
            var start = text.IndexOf(':', StringComparison.Ordinal) + 1;
            _taken.Add(new TakenInvitation(Base32.Decode(text.AsSpan(start), Invitation.BytesMax)!, _host.UnixSeconds));
            _hints[invitation.Inviter] = invitation;
            // Losing this line loses no more than the trying after a crash.
            _ = SaveAsync();
        }
        return await TryAsync(invitation, TakeTime, cancel);
    }

    /// <summary>What was given and taken and is not over. On the loop.</summary>
    public IReadOnlyList<InvitationView> List()
    {
        Prune();
        var views = _given.ConvertAll(one => new InvitationView(
            Name(one.Token), true, DateTimeOffset.FromUnixTimeSeconds(one.Expires), one.UsedBy, _host.Identity.Public));
        foreach (var one in _taken)
            if (Read(one) is { } invitation)
                views.Add(new InvitationView(Name(invitation.Token), false, DateTimeOffset.FromUnixTimeSeconds(invitation.Expires), null, invitation.Inviter));
        return views;
    }

    /// <summary>For the connector: where the inviters of invitations that we took may be, and who helps.</summary>
    public ValueTask<ContactHints?> FindAsync(PublicKey key)
    {
        if (!_hints.TryGetValue(key, out var invitation)) return ValueTask.FromResult<ContactHints?>(null);
        var helpers = new List<HelperHint>();
        // An invitation names helpers by their hash: the key is known once one has answered.
        foreach (var helper in invitation.Helpers)
            if (_host.Peers.FindAt(helper.Address) is { } peer && peer.Id == helper.Id) helpers.Add(new HelperHint(peer.Key, helper.Address));
        return ValueTask.FromResult<ContactHints?>(new ContactHints([.. invitation.Addresses.Where(_host.MayWalkTo)], helpers, []));
    }

    /// <summary>Somebody shows a token. Called by the community.</summary>
    internal async Task<RedeemVerdict> UseAsync(Peer peer, Redeem redeem)
    {
        var index = _given.FindIndex(one => one.Token.Id == redeem.TokenId);
        if (index < 0) return RedeemVerdict.Unknown;
        var given = _given[index];
        if (given.Token.ProofFor(_host.Identity.Public, peer.Key) != redeem.Proof) return RedeemVerdict.Unknown;
        // The same one again: the answer was lost on its way.
        if (given.UsedBy is { } user) return user == peer.Key ? RedeemVerdict.Accepted : RedeemVerdict.Used;
        if (given.Expires <= _host.UnixSeconds) return RedeemVerdict.Expired;
        _given[index] = given with { UsedBy = peer.Key };
        // First it is noted that the token is used, then it counts: after a crash nobody uses it a second time.
        if (!await SaveAsync())
        {
            index = _given.FindIndex(one => one.Token == given.Token);
            if (index >= 0) _given[index] = given;
            return RedeemVerdict.NotNow;
        }
        await _contacts.AddAsync(peer.Key, ContactOrigin.InvitedByUs, peer.Address);
        return RedeemVerdict.Accepted;
    }

    /// <summary>Tries again those whose inviter did not answer. Called by the community every 15 s.</summary>
    internal async Task KeepTryingAsync()
    {
        Prune();
        foreach (var taken in _taken.ToArray())
        {
            var age = _host.UnixSeconds - Math.Min(taken.Taken, _host.UnixSeconds);
            // Each round for ten minutes, then about every two.
            if (age > 600 && !_host.Environment.Random.Chance(0.125)) continue;
            if (Read(taken) is { } invitation) await TryAsync(invitation, TimeSpan.FromSeconds(10), default);
        }
    }

    private async Task<InvitationResult> TryAsync(Invitation invitation, TimeSpan time, CancellationToken cancel)
    {
        var end = _host.Now + time;
        foreach (var address in invitation.Addresses) _host.Contact.Invite(address);
        foreach (var helper in invitation.Helpers) _host.Contact.Invite(helper.Address);
        var last = InvitationRefusal.NotReached;
        var connectDue = _host.Now + TimeSpan.FromMilliseconds(500);
        Task? connecting = null;
        while (_host.Now < end && !cancel.IsCancellationRequested && _community is { IsLeft: false } community)
        {
            // The connector's other ways (helpers, relays) are asked when the addresses alone do not do at once.
            if (_host.Now >= connectDue && (connecting is null || connecting.IsCompleted))
            {
                connecting = _host.Connector.ConnectAsync(invitation.Inviter, cancel);
                connectDue = _host.Now + TimeSpan.FromSeconds(5);
            }
            if (_host.Peers.Find(invitation.Inviter) is { } peer && (peer.IsValidated || _host.Sessions.Find(peer) is not null))
            {
                var verdict = await community.RedeemAsync(peer, invitation.Token);
                switch (verdict)
                {
                    case RedeemVerdict.Accepted:
                        await _contacts.AddAsync(invitation.Inviter, ContactOrigin.InvitedUs, peer.Address);
                        await EndAsync(invitation);
                        return new InvitationResult(InvitationRefusal.None, "You are contacts now.", _contacts.Find(invitation.Inviter));
                    case RedeemVerdict.Used or RedeemVerdict.Expired or RedeemVerdict.Unknown:
                        await EndAsync(invitation);
                        return Refuse(verdict switch
                        {
                            RedeemVerdict.Used => InvitationRefusal.Used,
                            RedeemVerdict.Expired => InvitationRefusal.Expired,
                            _ => InvitationRefusal.Unknown,
                        });
                    case RedeemVerdict.NotNow:
                        last = InvitationRefusal.NotNow;
                        break;
                }
            }
            await Task.Delay(Look, _host.Environment.Time, CancellationToken.None);
        }
        return Refuse(last);
    }

    private async Task EndAsync(Invitation invitation)
    {
        _taken.RemoveAll(one => Read(one)?.Token == invitation.Token);
        await SaveAsync();
    }

    private List<Endpoint> OwnAddresses()
    {
        var found = new List<Endpoint>();
        if (_host.Nat.View.Mapped is { IsConfirmed: true } mapped) Offer(mapped.External);
        if (_host.WanAddress is { } outer) Offer(outer);
        Offer(_host.LanAddress);
        return found;

        void Offer(Endpoint address)
        {
            if (!address.IsSendable || found.Count >= Invitation.AddressesMax || found.Contains(address)) return;
            if (address.IsLoopback && _host.Options.Addresses != AddressRules.Any) return;
            found.Add(address);
        }
    }

    /// <summary>Neighbours that others can reach, of different networks, the best first. Anchors are shown to nobody.</summary>
    private List<InvitationHelper> Helpers()
    {
        var (found, networks, options) = (new List<InvitationHelper>(), new HashSet<Endpoint>(), _host.Options);
        foreach (var peer in _host.Peers.All.Where(static peer => peer is { IsValidated: true, IsAnchor: false, ChosenByUs: true })
            .OrderByDescending(_host.Neighbourhood.ScoreOf).ThenBy(static peer => peer.Key))
        {
            if (found.Count >= Invitation.HelpersMax) break;
            var address = peer.Address;
            if (options.Addresses != AddressRules.Any && (address.IsPrivate || address.IsLinkLocal || address.IsLoopback)) continue;
            if (networks.Add(address.Network(options.WidePrefixIPv4, options.WidePrefixIPv6))) found.Add(new InvitationHelper(peer.Id, address));
        }
        return found;
    }

    private void Prune()
    {
        // What expired is forgotten a day later, so that "expired" can still be said.
        var now = _host.UnixSeconds;
        _given.RemoveAll(one => one.Expires + 86_400u < now);
        _taken.RemoveAll(one => Read(one) is not { } invitation || invitation.Expires <= now);
    }

    private void Hint(TakenInvitation taken)
    {
        if (Read(taken) is { } invitation) _hints[invitation.Inviter] = invitation;
    }

    private void EnsureJoined() => _community ??= _host.Join(context => new InvitationCommunity(context, this));

    private Invitation? Read(TakenInvitation taken) =>
        Invitation.TryRead(taken.Bytes, _host.Environment.Signatures, out var invitation) == InvitationRefusal.None ? invitation : null;

    private Task<bool> SaveAsync() => _store?.SaveAsync(StatePart.Invitations, InvitationFile.Write(_given, _taken)) ?? Task.FromResult(true);

    private static string Name(InvitationToken token) => token.Id.ToString("x16", System.Globalization.CultureInfo.InvariantCulture);

    private static InvitationResult Refuse(InvitationRefusal refusal) => new(refusal, refusal.Explain(), null);
}
