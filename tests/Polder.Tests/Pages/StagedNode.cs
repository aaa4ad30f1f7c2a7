using Polder.Identity;
using Polder.Node.Operations;
using Endpoint = Polder.Net.Endpoint;

namespace Polder.Tests.Pages;

/// <summary>A node whose state is set by hand, for pages to show. Changing it under <see cref="Change"/> wakes those that wait.</summary>
internal sealed class StagedNode : INodeOperations
{
    public static DateTimeOffset Now { get; } = new(2026, 3, 2, 14, 3, 12, TimeSpan.Zero);

    private readonly Lock _gate = new();
    private long _version = 1;
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public static string KeyOf(int number) => "4c69624e61434c504b3a" + Convert.ToHexStringLower(Bytes(number, 64));
    public static string NameOf(string key) => PublicKey.TryParseHex(key, out var parsed) ? parsed.ShortName : throw new ArgumentException(key);
    public static PeerName PeerOf(int number) => new(KeyOf(number), NameOf(KeyOf(number)));

    public string Own { get; } = KeyOf(0);
    public List<PeerView> PeerList { get; } = [];
    public List<InboxItem> Inbox { get; } = [];
    public List<TrustView> Trust { get; } = [];
    public Dictionary<string, TrustExplanation> Reasons { get; } = [];
    public Dictionary<string, List<BlockView>> Chains { get; } = [];
    public List<FraudView> Frauds { get; } = [];
    public List<string> Warnings { get; } = [];
    public string? SigningRefused { get; set; }
    public bool Loopback { get; set; } = true;
    public long BytesIn { get; set; }
    public long BytesOut { get; set; }
    public Exception? RecordTrouble { get; set; }
    public List<RecordRequest> Recorded { get; } = [];
    public List<(string Id, bool Accept)> Answered { get; } = [];
    public List<Endpoint> Walked { get; } = [];
    public List<string> Crawled { get; } = [];
    public Host.FakeNetwork Net { get; } = new() { Doctor = Host.FakeNetwork.NewDoctor };
    public INetworkOperations Network => Net;
    public Host.FakeContacts Book { get; } = new(PeerOf(0));
    public IContactOperations Contacts => Book;
    public Host.FakeWatch Watch { get; } = new();
    public IFraudOperations Fraud => Watch;
    public ISurveyOperations Survey => Watch;
    public ILedgerOperations Ledger { get; } = new Host.FakeLedger();

    /// <summary>A village: peers near and far, a chain, trust, two proposals, a fraud.</summary>
    public static StagedNode Village()
    {
        var node = new StagedNode { Loopback = false, BytesIn = 61 << 20, BytesOut = 38 << 20 };
        double[] ways = [.4, 14, 22, 24, 31, 36, 41, 58, 77, 96];
        for (var i = 0; i < ways.Length; i++)
            node.PeerList.Add(Peer(i + 1, ways[i], i == 0 ? ["94.210.4.18:7759", "192.168.1.31:7759"] : i == 1 ? ["[2a02:a451:8::31]:8090"] : [$"145.94.22.{i}:8090"]));
        node.PeerList.Add(new PeerView(null, null, ["31.20.101.7:49152"], false, null, null, 6, [], false));
        node.PeerList.Add(new PeerView(null, null, ["188.91.3.240:8090"], false, null, null, 14, [], false));
        (int Peer, int Direct, int Through, int Records)[] rows = [(1, 25, 54, 6), (4, 38, 14, 9), (2, 20, 11, 4), (7, 0, 19, 3), (10, 6, 8, 2), (5, 12, 0, 1), (9, 0, 8, 2), (6, 0, 0, 1)];
        foreach (var (peer, direct, through, records) in rows)
        {
            var (key, name) = PeerOf(peer);
            var trust = new TrustView(key, name, (long)(direct + through) << 20, "bytes", records, 90 << 20, 30 << 20, Direct: direct << 20);
            node.Trust.Add(trust);
            node.Reasons[key + " bytes"] = Why(trust, direct, through, node.Own);
        }
        var hours = new TrustView(KeyOf(3), PeerOf(3).Name, 3, "hours", 1, 3, 0);
        node.Trust.Add(hours);
        node.Reasons[hours.PublicKey + " hours"] = new TrustExplanation(hours, 3, 3, [], [], "It gave you 3 hours.");

        (int Peer, bool Gave, string What, string Other)[] blocks =
        [
            (5, false, "12 MB from", "valid"), (1, true, "15 MB to", "valid"), (8, true, "40 MB to", "invalid"), (2, true, "1 answers to", "partial-previous"),
            (4, false, "120 MB from", "valid"), (1, true, "25 MB to", ""),
        ];
        for (var i = 0; i < 18; i++)
        {
            var (peer, gave, what, other) = blocks[i < 12 ? i % 2 : i - 12];
            if (i == 8) continue;
            node.AddPair(i + 1, peer, gave, $"{what} {PeerOf(peer).Name} for {(gave ? "storing a file" : "passing on bytes")}", other, i == 17 ? "partial-next" : "valid");
        }
        var one = Block(KeyOf(8), 22, node.Own, 15, "40 MB", false, "double-sign", 90);
        node.Frauds.Add(new FraudView(PeerOf(8), "double-sign", one,
            one with { Hash = Hash(991), LinkKey = KeyOf(9), LinkSequence = 9, Summary = "900 MB to " + PeerOf(9).Name, Time = Now.AddMinutes(-4) }));
        node.Inbox.Add(Item(1, "7f3a21c9", 25 << 20, "bytes", false, "storing a file", 2));
        node.Inbox.Add(Item(3, "02bd94e1", 1, "answers", true, "answering a question", 18));
        node.Net.Doctor = Checked();
        return node;
    }

    /// <summary>A doctor's word on a node behind a common router.</summary>
    private static DoctorView Checked()
    {
        ConnectionView Way(int peer, string state, string path, string? address, int? relay, string why, params AttemptView[] attempts) => new(
            PeerOf(peer), state, path, address, relay is { } number ? PeerOf(number) : null, state == "encrypted" ? 10 + 7.5 * peer : null, why, "", attempts);
        return new DoctorView(
            "E", "Others reach this node with a little help.",
            "Your router opens a door for whoever this node has written to, and keeps the same address for everybody. So two nodes that want to meet send at the same moment, and a common neighbour says when.",
            ["Allow port mapping (UPnP or NAT-PMP) in your router's settings: then others reach this node without help.",
             "Keep this node running: after an hour it helps others, and more of them know it."],
            [new EvidenceView(PeerOf(2).Name, "145.94.22.1:8090", "94.210.4.18:7759", 12), new EvidenceView(PeerOf(4).Name, "2.58.7.2:8090", "94.210.4.18:7759", 40),
             new EvidenceView(PeerOf(7).Name, "188.91.3.240:8090", "94.210.4.18:7759", 71)],
            new DialBackView(false, 95, "A stranger called and did not get through: the router lets in answers only."),
            new MappingView("94.210.4.18:7759", 60, 42, "The router answered neither PCP nor NAT-PMP nor UPnP.", null),
            [Way(1, "encrypted", "LAN", "192.168.1.31:7759", null, "It is in your own network.", new AttemptView("LAN", "connected", 600)),
             Way(2, "encrypted", "simultaneous", "145.94.22.1:8090", null, "Both routers opened because both sides sent at the same moment.", new AttemptView("simultaneous", "connected", 1200)),
             Way(3, "encrypted", "relayed", "2.58.7.2:8090", 2, "Both routers make a new gap for everybody; nobody can guess both.", new AttemptView("predicted", "no answer", 30), new AttemptView("relayed", "connected", 60)),
             Way(4, "plain", "direct", "145.94.22.3:8090", null, "A plain IPv8 peer: it knows no encryption.")],
            [new SourceView("anchors", 8, 8, 6, ""), new SourceView("address book", 311, 12, 5, ""), new SourceView("local network", null, 4, 1, ""),
             new SourceView("invitations", 1, 1, 1, ""), new SourceView("listed by you", 0, 0, 0, "none"), new SourceView("meeting point", null, 0, 0, "not available in this version")],
            new DiversityView(24, 17, 16, 86400 * 3, 87700, null));
    }

    public static PeerView Peer(int number, double? way, params string[] addresses) => new(
        KeyOf(number), PeerOf(number).Name, addresses.Length > 0 ? addresses : [$"127.0.0.1:{9000 + number}"], true, way, number % 20 + 1, number % 9 + 1, [], false);

    public static InboxItem Item(int from, string id, long? amount, string? unit, bool? theyGave, string purpose, int minutesAgo, string type = "polder_help") =>
        new(id, KeyOf(from), PeerOf(from).Name, amount, unit, theyGave, purpose, type, KeyOf(from) + ".31", Now.AddMinutes(-minutesAgo));

    public static BlockView Block(string owner, long sequence, string link, long linkSequence, string summary, bool valid = true, string reason = "valid", int minutesAgo = 3) =>
        new(owner, sequence, link, linkSequence, "tribler_bandwidth", Hash((int)sequence * 7 + owner[^1]), valid, reason, true, summary, Now.AddMinutes(-minutesAgo));

    private void AddPair(long sequence, int peer, bool proposal, string summary, string other, string reason)
    {
        var mine = Block(Own, sequence, KeyOf(peer), proposal ? 0 : 60 + sequence, summary, true, reason, (int)(18 - sequence) * 90 + 2) with { Paired = other.Length > 0 };
        Chains.TryAdd(Own, []);
        Chains[Own].Add(mine);
        if (other.Length == 0) return;
        Chains.TryAdd(KeyOf(peer), []);
        Chains[KeyOf(peer)].Add(Block(KeyOf(peer), 60 + sequence, Own, proposal ? sequence : 0, summary, other != "invalid",
            other == "invalid" ? "signed twice: another block with this number exists" : other));
    }

    private static TrustExplanation Why(TrustView trust, long direct, long through, string own)
    {
        var (me, peer) = (new PeerName(own, NameOf(own)), new PeerName(trust.PublicKey, trust.Name));
        TrustRecord Behind(PeerName from, PeerName to, long amount) =>
            new(from, to, amount, "bytes", "passing on bytes", from.PublicKey + ".19", to.PublicKey + ".44", Now.AddDays(-2));
        TrustPath Path(int over, long first, long second, long flow) => new(PeerOf(over), first << 20, second << 20, flow << 20, 12, 3,
            [Behind(peer, PeerOf(over), first << 19), Behind(peer, PeerOf(over), first << 18)], [Behind(PeerOf(over), me, second << 20)]);
        List<TrustPath> paths = through == 0 ? [] : [Path(4, through * 2 / 3, 64, through * 2 / 3), Path(7, 120, through - through * 2 / 3, through - through * 2 / 3)];
        var standing = new TrustStanding(direct + through << 20, 5 << 20, trust.Score, direct > 0 ? 4 : 0, paths.Count, through << 20, 0.31, 0.084, 0.97, PeerOf(4), true,
            "If it asked for 64 MB now, it would be served. Its work that reached this node still covers 79 MB, and this takes 64 MB of it.");
        return new TrustExplanation(trust, 200 << 20, direct << 20, paths,
            [.. direct > 0 ? [new TrustRecord(peer, me, direct << 20, "bytes", "storing a file", peer.PublicKey + ".27", own + ".12", Now.AddDays(-1))] : Array.Empty<TrustRecord>(),
             .. paths.Select(path => new TrustRecord(peer, path.Through, (long)path.First, "bytes", "passing on bytes", peer.PublicKey + ".19", path.Through.PublicKey + ".44", Now.AddDays(-2)))],
            paths.Count == 0 ? "All of it came straight to you." : "Its work runs to you through several channels. Each carries no more than its narrowest part.", standing);
    }

    /// <summary>Changes the state and wakes those that wait.</summary>
    public void Change(Action<StagedNode> change)
    {
        lock (_gate)
        {
            change(this);
            _version++;
            _changed.SetResult();
            _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    public Task<IdentityView> IdentityAsync(CancellationToken cancellation = default) => Task.FromResult(Identity);

    private IdentityView Identity => new(Own, new string('a', 40), new string('b', 64), NameOf(Own));

    public Task<StatusView> StatusAsync(CancellationToken cancellation = default) => Look(() => new StatusView(
        Identity, "127.0.0.1:8090", Loopback ? null : "192.168.1.20:8090", Loopback ? null : "84.25.110.7:8090", Loopback, 22340,
        PeerList.Count(peer => peer.Verified), PeerList.Count(peer => !peer.Verified), (int)LengthOf(Own), Chains.Values.Sum(chain => chain.Count),
        Inbox.Count, Frauds.Count, BytesIn, BytesOut, SigningRefused, [.. Warnings], [], new Dictionary<string, long> { ["refused.Prefix"] = Frauds.Count * 3 }));

    private long LengthOf(string key) => Chains.TryGetValue(key, out var chain) && chain.Count > 0 ? chain.Max(block => block.Sequence) : 0;

    public Task<IReadOnlyList<PeerView>> PeersAsync(CancellationToken cancellation = default) => Look<IReadOnlyList<PeerView>>(() => [.. PeerList]);

    public Task WalkToAsync(Endpoint endpoint, CancellationToken cancellation = default) => Look(() => { Walked.Add(endpoint); return 0; });

    public Task<PeerName> ResolveAsync(string peer, CancellationToken cancellation = default) => Look(() =>
        PeerList.Where(known => known.Name is not null && (known.Name.StartsWith(peer, StringComparison.Ordinal) || known.PublicKey!.StartsWith(peer, StringComparison.Ordinal)))
            .Select(known => new PeerName(known.PublicKey!, known.Name!)).FirstOrDefault()
        ?? (peer == Own || peer == Identity.Name ? new PeerName(Own, Identity.Name)
        : throw new OperationRefusedException(RefusalKind.NotFound, $"Nobody is known by \"{peer}\".")));

    public async Task<RecordView> RecordAsync(RecordRequest request, CancellationToken cancellation = default)
    {
        if (RecordTrouble is not null) throw RecordTrouble;
        var peer = await ResolveAsync(request.Peer, cancellation);
        var sequence = LengthOf(Own) + 1;
        Change(node =>
        {
            node.Recorded.Add(request);
            node.Chains.TryAdd(Own, []);
            node.Chains[Own].Add(Block(Own, sequence, peer.PublicKey, 0, $"{request.Amount} {request.Unit} {(request.Gave ? "to" : "from")} {peer.Name} for {request.For}", true, "partial-next", 0) with { Paired = false });
        });
        return new RecordView($"{Own}.{sequence}", "proposed");
    }

    public Task<IReadOnlyList<InboxItem>> InboxAsync(CancellationToken cancellation = default) => Look<IReadOnlyList<InboxItem>>(() => [.. Inbox]);

    public Task<IReadOnlyList<InboxItem>> AnswerAsync(IReadOnlyList<string> ids, bool accept, CancellationToken cancellation = default)
    {
        List<InboxItem> answered = [];
        Change(node =>
        {
            answered = [.. node.Inbox.Where(item => ids.Count == 0 || ids.Contains(item.Id))];
            node.Inbox.RemoveAll(answered.Contains);
            node.Answered.AddRange(answered.Select(item => (item.Id, accept)));
        });
        return Task.FromResult<IReadOnlyList<InboxItem>>(answered);
    }

    public async Task<ChainView> ChainAsync(string? peer, int from = 1, int count = 500, CancellationToken cancellation = default)
    {
        var owner = peer is null ? new PeerName(Own, Identity.Name) : await ResolveAsync(peer, cancellation);
        return await Look(() =>
        {
            var chain = Chains.GetValueOrDefault(owner.PublicKey, []);
            return new ChainView(owner, LengthOf(owner.PublicKey), LengthOf(owner.PublicKey) - chain.Count,
                [.. chain.Where(block => block.Sequence >= from && block.Sequence < from + (long)count).OrderBy(block => block.Sequence)], []);
        });
    }

    public Task<BlockDetail> BlockAsync(string id, CancellationToken cancellation = default) => Look(() =>
    {
        var all = Chains.Values.SelectMany(chain => chain).ToList();
        var block = all.Find(block => block.Hash == id || $"{block.PublicKey}.{block.Sequence}" == id)
            ?? throw new OperationRefusedException(RefusalKind.NotFound, $"There is no block {id} here.");
        List<BlockView> linked = [.. all.Where(other => (other.PublicKey == block.LinkKey && other.LinkKey == block.PublicKey)
            && (other.LinkSequence == block.Sequence || (block.LinkSequence > 0 && other.Sequence == block.LinkSequence)))];
        return new BlockDetail(block, linked, Hash(5), Hash(6) + Hash(7), """{"up":41943040,"down":0,"total_up":125829120,"total_down":146800640}""", string.Concat(Enumerable.Range(10, 8).Select(Hash)));
    });

    public Task<IReadOnlyList<BlockView>> ImportAsync(IReadOnlyList<byte[]> packedBlocks, CancellationToken cancellation = default) => throw new NotSupportedException();

    public Task<CrawlView> CrawlAsync(string peer, CancellationToken cancellation = default) => Look(() => { Crawled.Add(peer); return new CrawlView(11, true); });

    public Task<IReadOnlyList<TrustView>> TrustAsync(
        string? peer = null, string? unit = null, string? by = null, int top = 1000, CancellationToken cancellation = default) =>
        Look<IReadOnlyList<TrustView>>(() => [.. Trust.Where(row => unit is null || row.Unit == unit)]);

    public Task<TrustExplanation> WhyAsync(string peer, string? unit = null, string? by = null, CancellationToken cancellation = default) => Look(() =>
        Reasons.GetValueOrDefault($"{peer} {unit}") ?? throw new OperationRefusedException(RefusalKind.NotFound, "No record leads from it to you."));

    public Task<IReadOnlyList<FraudView>> FraudsAsync(CancellationToken cancellation = default) => Look<IReadOnlyList<FraudView>>(() => [.. Frauds]);

    public async Task<long> WaitForChangeAsync(long seen, CancellationToken cancellation = default)
    {
        while (true)
        {
            Task changed;
            lock (_gate)
            {
                if (_version > seen) return _version;
                changed = _changed.Task;
            }
            await changed.WaitAsync(cancellation);
        }
    }

    private Task<T> Look<T>(Func<T> look)
    {
        lock (_gate)
        {
            try { return Task.FromResult(look()); }
            catch (OperationRefusedException refusal) { return Task.FromException<T>(refusal); }
        }
    }

    private static string Hash(int number) => Convert.ToHexStringLower(Bytes(number + 100_000, 32));

    private static byte[] Bytes(int number, int count)
    {
        var bytes = new byte[count];
        var state = unchecked((ulong)number * 0x9E3779B97F4A7C15 + 1);
        for (var i = 0; i < count; i++) bytes[i] = (byte)((state = unchecked(state * 6364136223846793005 + 1442695040888963407)) >> 56);
        return bytes;
    }
}
