using Polder.Node.Operations;
using Endpoint = Polder.Net.Endpoint;

namespace Polder.Tests.Host;

/// <summary>A node that answers from memory and remembers what it was asked.</summary>
internal sealed class FakeNode : INodeOperations
{
    public const string Key = "4c69624e61434c504b3a" + "11223344556677889900aabbccddeeff11223344556677889900aabbccddeeff" + "ffeeddccbbaa00998877665544332211ffeeddccbbaa00998877665544332211";

    public static IdentityView Me { get; } = new(Key, new string('a', 40), new string('b', 64), "ab-cd-ef-gh-ij");
    public static DateTimeOffset Then { get; } = new(2026, 3, 2, 14, 3, 12, TimeSpan.Zero);

    public List<RecordRequest> Recorded { get; } = [];
    public List<(IReadOnlyList<string> Ids, bool Accept)> Answered { get; } = [];
    public List<Endpoint> Walked { get; } = [];
    public Exception? Trouble { get; set; }

    public static BlockView Block(long sequence, bool valid = true, string reason = "valid") =>
        new(Key, sequence, Key, 0, "tribler_bandwidth", new string('c', 64), valid, reason, true, "25 MB for storing a file", Then);

    public Task<IdentityView> IdentityAsync(CancellationToken cancellation = default) => Give(Me);
    public Task<StatusView> StatusAsync(CancellationToken cancellation = default) => Give(new StatusView(
        Me, "127.0.0.1:8090", null, null, true, 12, 1, 0, 2, 3, 1, 0, 100, 200, null, [], ["Open the page"], new Dictionary<string, long> { ["refused"] = 1 }));
    public Task<IReadOnlyList<PeerView>> PeersAsync(CancellationToken cancellation = default) => Give<IReadOnlyList<PeerView>>(
        [new PeerView(Key, "ab-cd-ef-gh-ij", ["127.0.0.1:8090"], true, 1.5, 3, 4, [], false), new PeerView(null, null, ["127.0.0.1:8091"], false, null, null, 1, [], false)]);
    public Task WalkToAsync(Endpoint endpoint, CancellationToken cancellation = default)
    {
        Walked.Add(endpoint);
        return Give(0);
    }
    public Task<PeerName> ResolveAsync(string peer, CancellationToken cancellation = default) =>
        peer == "nobody" ? throw new OperationRefusedException(RefusalKind.NotFound, "Nobody is known by \"nobody\". See: polder peers") : Give(new PeerName(Key, Me.Name));
    public async Task<RecordView> RecordAsync(RecordRequest request, CancellationToken cancellation = default)
    {
        await ResolveAsync(request.Peer, cancellation);
        Recorded.Add(request);
        return await Give(new RecordView(Key + ".7", "agreed"));
    }
    public Task<IReadOnlyList<InboxItem>> InboxAsync(CancellationToken cancellation = default) => Give<IReadOnlyList<InboxItem>>(
        [new InboxItem("3fa9c1d2", Key, Me.Name, 25 << 20, "bytes", true, "storing a file\e[2J", "tribler_bandwidth", Key + ".3", Then)]);
    public async Task<IReadOnlyList<InboxItem>> AnswerAsync(IReadOnlyList<string> ids, bool accept, CancellationToken cancellation = default)
    {
        Answered.Add((ids, accept));
        return await InboxAsync(cancellation);
    }
    public Task<ChainView> ChainAsync(string? peer, int from = 1, int count = 500, CancellationToken cancellation = default) =>
        Give(new ChainView(new PeerName(Key, Me.Name), 2, 0, [Block(1), Block(2, false, "invalid signature")], []));
    public Task<BlockDetail> BlockAsync(string id, CancellationToken cancellation = default) =>
        Give(new BlockDetail(Block(1), [Block(2)], new string('0', 64), new string('d', 128), "{}", "00"));
    public Task<IReadOnlyList<BlockView>> ImportAsync(IReadOnlyList<byte[]> packedBlocks, CancellationToken cancellation = default) =>
        Give<IReadOnlyList<BlockView>>([.. packedBlocks.Select((_, i) => Block(i + 1))]);
    public Task<CrawlView> CrawlAsync(string peer, CancellationToken cancellation = default) => Give(new CrawlView(11, true));
    public Task<IReadOnlyList<TrustView>> TrustAsync(
        string? peer = null, string? unit = null, string? by = null, int top = 1000, CancellationToken cancellation = default) =>
        Give<IReadOnlyList<TrustView>>([new TrustView(Key, Me.Name, 25 << 20, "bytes", 1, 25 << 20, 0)]);
    public Task<TrustExplanation> WhyAsync(string peer, string? unit = null, string? by = null, CancellationToken cancellation = default) =>
        Give(new TrustExplanation(new TrustView(Key, Me.Name, 25 << 20, "bytes", 1, 25 << 20, 0), 1, 2, [], [], "It gave you 25 MB."));
    public Task<IReadOnlyList<FraudView>> FraudsAsync(CancellationToken cancellation = default) =>
        Give<IReadOnlyList<FraudView>>([new FraudView(new PeerName(Key, Me.Name), "double-sign", Block(1), Block(1))]);
    public FakeNetwork Net { get; } = new();
    public FakeWatch Watch { get; } = new();
    public IFraudOperations Fraud => Watch;
    public ISurveyOperations Survey => Watch;
    public INetworkOperations Network => Net;
    public FakeContacts Book { get; } = new(new PeerName(Key, Me.Name)) { People = { FakeContacts.Person(Key, Me.Name, "Anna", "An\e[2J") } };
    public IContactOperations Contacts => Book;
    public ILedgerOperations Ledger { get; } = new FakeLedger();
    public Task<long> WaitForChangeAsync(long seen, CancellationToken cancellation = default) => Give(seen + 1);

    private Task<T> Give<T>(T value) => Trouble is null ? Task.FromResult(value) : throw Trouble;
}
