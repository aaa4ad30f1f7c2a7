using Polder.Node.Operations;

namespace Polder.Tests.Host;

/// <summary>A network that answers from memory and remembers what it was asked.</summary>
internal sealed class FakeNetwork : INetworkOperations
{
    public static PeerName Peer { get; } = new(FakeNode.Key, FakeNode.Me.Name);
    public List<string> Asked { get; } = [];
    public Exception? AcceptTrouble { get; set; }

    public DoctorView Doctor { get; set; } = new(
        "E", "Others reach this node with a little help.", "The router lets in only what was asked for, and a common neighbour helps both sides to ask at once.",
        ["Allow UPnP in the router's settings."],
        [new EvidenceView(Peer.Name, "198.51.100.7:8090", "203.0.113.7:40001", 12)],
        new DialBackView(false, 30, "Somebody new did not get through."), new MappingView("203.0.113.7:40001", 60, 42, "The router did not answer.", null),
        [Connection("encrypted", "simultaneous", null), Connection("encrypted", "relayed", Peer)],
        [new SourceView("anchors", 8, 3, 2, "good"), new SourceView("meeting point", null, 0, 0, "not available")],
        new DiversityView(12, 9, 8, 86400, 120000, null));

    /// <summary>What a node that has just started says.</summary>
    public static DoctorView NewDoctor { get; } = new(
        "?", "Not known yet how this node is connected.", "Three peers in different parts of the network have to say where they see it.", [], [], null,
        new MappingView(null, null, 25, "Not asked: this node stays on this machine.", null), [],
        [new SourceView("listed by you", 0, 0, 0, "")], new DiversityView(0, 0, 0, null, null, null));

    public List<ContactView> ContactList { get; } = [new ContactView(Peer.PublicKey, Peer.Name, FakeNode.Then, true)];

    public static ConnectionView Connection(string state, string path, PeerName? relay) => new(
        Peer, state, path, "198.51.100.7:8090", relay, 24.5, "Both sides sent at the same moment.", "", [new AttemptView(path, "connected", 61)]);

    public Task<DoctorView> DoctorAsync(CancellationToken cancellation = default) => Give("doctor", Doctor);
    public Task<ConnectionView> ConnectAsync(string peer, CancellationToken cancellation = default) => Give("connect " + peer, Connection("encrypted", "direct", null));
    public Task<InvitationView> InviteAsync(TimeSpan lifetime, CancellationToken cancellation = default) =>
        Give($"invite {lifetime.TotalHours}", new InvitationView("peer:" + string.Concat(Enumerable.Repeat("ABCDEFGHIJ234567", 24)), FakeNode.Then, 1, 1));
    public Task<ContactView> AcceptInvitationAsync(string text, CancellationToken cancellation = default) =>
        AcceptTrouble is not null ? throw AcceptTrouble : Give("accept " + text, new ContactView(Peer.PublicKey, Peer.Name, FakeNode.Then, true));
    public Task<IReadOnlyList<ContactView>> ContactsAsync(CancellationToken cancellation = default) =>
        Give<IReadOnlyList<ContactView>>("contacts", [.. ContactList]);
    public Task<DhtAnswer> DhtGetAsync(string key, CancellationToken cancellation = default) => Give("get " + key,
        new DhtAnswer(new string('e', 64), [new DhtRecordView("mutable", Peer, 3, 3600, [.. "hello\e[2J"u8])], 14, 120, true));
    public Task<DhtStored> DhtPutAsync(DhtPut put, CancellationToken cancellation = default) =>
        Give($"put {put.Value.Length} {put.Name} {put.Topic} {put.Lifetime.TotalHours}", new DhtStored(new string('e', 64), 16, 0));
    public Task<DhtNodes> DhtFindAsync(string key, CancellationToken cancellation = default) => Give("find " + key, new DhtNodes(
        "nodes", [new DhtNodeView(Peer, "198.51.100.7:8090", 11)], new DhtContactView(Peer, ["198.51.100.7:8090"], [Peer.Name]), [new DhtMemberView(Peer, [.. "I grow beans"u8])], 9, 80));
    public Task<IReadOnlyList<TagView>> TagsAsync(CancellationToken cancellation = default) => Give<IReadOnlyList<TagView>>("tags", [Tag("gardening", 4, 8)]);
    public Task<TagView> JoinTagAsync(string name, double kilobytesPerSecond, int neighbours, CancellationToken cancellation = default) =>
        Give($"join {name} {kilobytesPerSecond} {neighbours}", Tag(name, kilobytesPerSecond, neighbours));
    public Task LeaveTagAsync(string name, CancellationToken cancellation = default) => Give("leave " + name, 0);
    public Task<byte[]> ExportPeersAsync(CancellationToken cancellation = default) => Give<byte[]>("export", [1, 2, 3]);
    public Task<int> ImportPeersAsync(byte[] bundle, CancellationToken cancellation = default) => Give($"import {bundle.Length}", 2);

    private static TagView Tag(string name, double budget, int neighbours) => new(name, new string('a', 40), budget, 1.5, neighbours, [Peer.Name], 30);

    private Task<T> Give<T>(string asked, T value)
    {
        Asked.Add(asked);
        return Task.FromResult(value);
    }
}
