using Polder.Cryptography;
using Polder.Identity;
using Polder.Node.PortMapping;
using Polder.Overlay;
using Polder.Overlay.AddressBook;
using Polder.Overlay.Dht;
using Polder.Overlay.Invitations;
using Polder.Overlay.Nat;
using Polder.Overlay.Tags;

namespace Polder.Node.Operations;

/// <summary>The network as the running node in this process sees it.</summary>
internal sealed class LocalNetwork(PolderNode node, LocalNode local) : INetworkOperations
{
    private const int EvidenceMax = 32, NodesMax = 16;

    private readonly NodeHost _host = node.Host;

    public Task<DoctorView> DoctorAsync(CancellationToken cancellation = default) => local.OnLoopAsync(Doctor, cancellation);

    public Task<ConnectionView> ConnectAsync(string peer, CancellationToken cancellation = default) => local.OnLoopAsync(async () =>
    {
        var key = local.Resolve(peer);
        if (key == node.Identity) throw new OperationRefusedException(RefusalKind.BadInput, "That is this node itself.");
        await _host.Connector.ConnectAsync(key, cancellation);
        return View(_host.Connector.View(key));
    }, cancellation);

    public Task<InvitationView> InviteAsync(TimeSpan lifetime, CancellationToken cancellation = default) => local.OnLoopAsync(async () =>
    {
        InvitationMade? made;
        try { made = await Service<InvitationService>().MakeAsync(lifetime); }
        catch (ArgumentOutOfRangeException problem) { throw Bad(problem); }
        if (made is null)
            throw new OperationRefusedException(RefusalKind.Conflict, "Too many invitations are open, or the disk did not take this one. Let some run out, or look at the disk.");
        return new InvitationView(made.Text, made.Expires, made.Addresses, made.Helpers);
    }, cancellation);

    public Task<ContactView> AcceptInvitationAsync(string text, CancellationToken cancellation = default) => local.OnLoopAsync(async () =>
    {
        var result = await Service<InvitationService>().TakeAsync(text, cancellation);
        if (result.Contact is { } contact) return View(contact);
        throw new OperationRefusedException(result.Refusal switch
        {
            InvitationRefusal.NotReached or InvitationRefusal.NotNow => RefusalKind.Unavailable,
            InvitationRefusal.Used or InvitationRefusal.Own or InvitationRefusal.TooMany => RefusalKind.Conflict,
            _ => RefusalKind.BadInput,
        }, result.Message);
    }, cancellation);

    public Task<IReadOnlyList<ContactView>> ContactsAsync(CancellationToken cancellation = default) =>
        local.OnLoopAsync<IReadOnlyList<ContactView>>(() => [.. Service<ContactList>().All.Select(View)], cancellation);

    public Task<DhtAnswer> DhtGetAsync(string key, CancellationToken cancellation = default) => local.OnLoopAsync(async () =>
    {
        try
        {
            var found = await Service<DhtService>().GetAsync(key);
            return new DhtAnswer(found.Key.ToString(), [.. found.Records.Select(View)], found.Questions, found.Took.TotalMilliseconds, found.PathsDisagree);
        }
        catch (ArgumentException problem) { throw Bad(problem); }
    }, cancellation);

    public Task<DhtStored> DhtPutAsync(DhtPut put, CancellationToken cancellation = default) => local.OnLoopAsync(async () =>
    {
        if (put is { Name: not null, Topic: not null }) throw new OperationRefusedException(RefusalKind.BadInput, "Either a name or a topic, not both.");
        var dht = Service<DhtService>();
        try
        {
            var stored = put switch
            {
                { Topic: { } topic } => await dht.JoinAsync(topic, put.Value, put.Lifetime),
                { Name: { } name } => await dht.PutAsync(name, put.Value, life: put.Lifetime),
                _ => await dht.PutAsync(put.Value, life: put.Lifetime),
            };
            if (stored.Holders == 0)
                throw new OperationRefusedException(RefusalKind.Unavailable, "Nobody keeps it: no node of the DHT answered. Is somebody there? See: polder peers");
            return new DhtStored(stored.Key.ToString(), stored.Holders, stored.Asked);
        }
        catch (ArgumentException problem) { throw Bad(problem); }
    }, cancellation);

    public Task<DhtNodes> DhtFindAsync(string key, CancellationToken cancellation = default) => local.OnLoopAsync(async () =>
    {
        var dht = Service<DhtService>();
        var begun = _host.Now;
        if (key.Length == 2 * Hash256.Bytes && key.All(char.IsAsciiHexDigit))
        {
            var target = new Hash256(Convert.FromHexString(key));
            var nodes = await dht.NearestAsync(target);
            return new DhtNodes("the nodes closest to this key",
                [.. nodes.Take(NodesMax).Select(one => new DhtNodeView(PeerNames.Of(one.Key), one.Address.ToString(), target.CommonPrefix(one.Key.NodeId)))],
                null, [], 0, (_host.Now - begun).TotalMilliseconds);
        }
        var found = await dht.FindAsync(PeerKey(key)?.ToString() ?? key);
        return new DhtNodes(found.What, [], found.Hints is { } hints && PeerKey(key) is { } who
                ? new DhtContactView(PeerNames.Of(who), [.. hints.Addresses.Select(address => address.ToString())], [.. hints.Relays.Select(relay => relay.Relay.ShortName)]) : null,
            [.. found.Members.Select(member => new DhtMemberView(PeerNames.Of(member.Publisher), member.Value.ToArray()))], found.Questions, found.Took.TotalMilliseconds);
    }, cancellation);

    public Task<IReadOnlyList<TagView>> TagsAsync(CancellationToken cancellation = default) =>
        local.OnLoopAsync<IReadOnlyList<TagView>>(() => [.. Service<TagService>().Look().Select(View)], cancellation);

    public Task<TagView> JoinTagAsync(string name, double kilobytesPerSecond, int neighbours, CancellationToken cancellation = default) => local.OnLoopAsync(() =>
    {
        var tags = Service<TagService>();
        var budget = new TagBudget(kilobytesPerSecond, neighbours);
        var refusal = tags.Join(name, budget);
        if (refusal == TagRefusal.Joined) refusal = tags.Change(name, budget);
        Check(refusal);
        return View(tags.Look().First(tag => tag.Name == name));
    }, cancellation);

    public Task LeaveTagAsync(string name, CancellationToken cancellation = default) => local.OnLoopAsync(() =>
    {
        Check(Service<TagService>().Leave(name));
        return true;
    }, cancellation);

    public Task<byte[]> ExportPeersAsync(CancellationToken cancellation = default) => local.OnLoopAsync(_host.Contact.ExportBundle, cancellation);

    public Task<int> ImportPeersAsync(byte[] bundle, CancellationToken cancellation = default) => local.OnLoopAsync(() =>
    {
        var result = _host.Contact.ImportBundle(bundle);
        return result.Refusal == BundleRefusal.None ? result.Taken : throw new OperationRefusedException(RefusalKind.BadInput, result.Message);
    }, cancellation);

    private DoctorView Doctor()
    {
        var (self, contact, neighbourhood, loopback) = (_host.Nat.View, _host.Contact.Look(), _host.Neighbourhood.Look(), node.Options.Loopback);
        var connections = _host.Connector.Contacts.Select(View).ToList();
        var listed = connections.Select(one => one.Peer.PublicKey).ToHashSet();
        // Peers without sessions are reached too, plainly.
        connections.AddRange(_host.Peers.All.Where(peer => peer.IsValidated && !listed.Contains(peer.Key.ToString())).OrderBy(peer => peer.Key).Select(Plain));
        var mapping = _host.Find<PortMappingStatus>();
        return new DoctorView(
            self.Letter, DoctorWords.Headline(self, loopback, connections.Count), DoctorWords.Explanation(self, loopback),
            DoctorWords.Improvements(self, loopback, mapping is not null, connections.Count),
            [.. self.Votes.OrderBy(vote => vote.Age).Take(EvidenceMax).Select(vote => new EvidenceView(
                _host.Peers.FindAt(vote.Reporter)?.Key.ShortName ?? "somebody", vote.Reporter.ToString(), vote.Seen.ToString(), vote.Age.TotalSeconds))],
            self.DialBackAge is { } age ? new DialBackView(self.DialBack == DialBackState.GotThrough, age.TotalSeconds, DoctorWords.DialBack(self)) : null,
            new MappingView(self.Outer?.ToString(), self.MappingSurvives?.TotalSeconds, self.KeepAlive.TotalSeconds, DoctorWords.PortMapping(self, mapping is not null, mapping?.View.Trouble),
                self.Mapped?.External.ToString()),
            connections, [.. contact.Sources.Select(View), Lan()], Diversity(neighbourhood));
    }

    private SourceView Lan() => new("local network", null, 0, 0,
        node.Options.Loopback ? "not asked: this node stays on this machine" : node.Options.Lan ? "asked all the time" : "switched off");

    private static SourceView View(ContactSourceView source) => new(source.Source switch
    {
        ContactSource.Invitation => "invitations",
        ContactSource.Anchors => "anchors",
        ContactSource.AddressBook => "address book",
        ContactSource.Lists => "lists",
        ContactSource.Bundle => "bundles, from a file",
        _ => "meeting point elsewhere",
    }, source.Known, source.Attempts, source.Answered, source.Known > 0 && source.State == "ready" ? "" : source.State);

    private static DiversityView Diversity(Overlay.Neighbourhood.NeighbourhoodView view) => new(
        view.Neighbours.Count, view.WideNetworks, view.Neighbours.Count(one => one.ChosenByUs), view.OldestKnownFor?.TotalSeconds,
        (long?)(view.NetworkSizeByRandom ?? view.NetworkSizeByNearest),
        view.Crowding > 4 ? "Unusually many nodes stand close to this one: somebody may be trying to surround it."
        : view.PathsDisagree > 0.5 ? "Searches on different paths often disagree: somebody may be hiding records." : null);

    private ConnectionView View(Overlay.Connecting.ContactView view)
    {
        var now = _host.Now;
        return new ConnectionView(PeerNames.Of(view.Key), view.IsConnected ? view.IsSuspect ? "not answering" : "encrypted" : "unreachable",
            DoctorWords.Path(view.Origin), view.Remote?.ToString(), view.RelayedBy is { } relay ? PeerNames.Of(relay) : null,
            view.RoundTrip?.TotalMilliseconds, view.Why, view.WouldImprove,
            [.. view.Attempts.Reverse().Select(attempt => new AttemptView(attempt.What, attempt.Outcome.Length > 0 ? attempt.Outcome : "still trying", (now - attempt.At).TotalSeconds))]);
    }

    private static ConnectionView Plain(Peer peer) => new(PeerNames.Of(peer.Key), "plain", "direct", peer.Address.ToString(), null, peer.RoundTrip?.TotalMilliseconds,
        peer.IsPolder ? "Nothing has been said to it yet that needs a session." : "A plain IPv8 peer: it knows no sessions.", "", []);

    private ContactView View(Contact contact) => new(
        contact.Key.ToString(), contact.Name, DateTimeOffset.FromUnixTimeSeconds(contact.Since), _host.Sessions.Find(contact.Key) is not null);

    private DhtRecordView View(Overlay.Dht.DhtRecord record) => new(
        record.Kind.ToString().ToLowerInvariant(), record.Publisher is { } who ? PeerNames.Of(who) : null, (long)record.Sequence,
        record.ExpiryUnixSeconds == 0 ? null : Math.Max(0, record.ExpiryUnixSeconds - (double)_host.Environment.Time.GetUtcNow().ToUnixTimeSeconds()),
        record.Value.ToArray());

    private static TagView View(Overlay.Tags.TagView tag) => new(
        tag.Name, tag.Id.ToString(), tag.Budget.KilobytesPerSecond, tag.KilobytesPerSecond, tag.Budget.Neighbours,
        [.. tag.Neighbours.Select(key => key.ShortName)], tag.Members);

    private PublicKey? PeerKey(string text)
    {
        try { return local.Resolve(text); }
        catch (OperationRefusedException) { return PublicKey.TryParseHex(text, out var key) ? key : null; }
    }

    private static void Check(TagRefusal refusal)
    {
        if (refusal == TagRefusal.None) return;
        throw new OperationRefusedException(refusal switch
        {
            TagRefusal.NotJoined => RefusalKind.NotFound, TagRefusal.TooMany => RefusalKind.Conflict, _ => RefusalKind.BadInput,
        }, refusal.Explain());
    }

    private T Service<T>() where T : class =>
        _host.Find<T>() ?? throw new OperationRefusedException(RefusalKind.Unavailable, $"This node was started without its {typeof(T).Name}.");

    private static OperationRefusedException Bad(ArgumentException problem) => new(RefusalKind.BadInput, problem.Message.Split(" (Parameter", 2)[0]);
}
