namespace Polder.Overlay;

/// <summary>To which addresses a node talks.</summary>
public enum AddressRules
{
    /// <summary>Never loopback; private addresses only where we are in a private network ourselves.</summary>
    Internet,
    /// <summary>Everything that can be sent to: for loopback, the laboratory and simulations, where all peers are on such addresses.</summary>
    Any,
}

/// <summary>
/// Every cap, rate and interval of the overlay that may be changed. Constants of the protocols are in
/// <see cref="OverlayLimits"/>.
/// </summary>
public sealed record OverlayOptions
{
    /// <summary>Our own DHT.</summary>
    public Dht.DhtOptions Dht { get; init; } = new();

    /// <summary>Caps on IPv8's DHT.</summary>
    public Dht.IPv8DhtOptions IPv8Dht { get; init; } = new();

    // Addresses

    /// <summary>To which addresses we talk. Default <see cref="AddressRules.Internet"/>; --loopback and the laboratory need <see cref="AddressRules.Any"/>.</summary>
    public AddressRules Addresses { get; init; } = AddressRules.Internet;

    /// <summary>Bits of an IPv4 network that counts as one neighbourhood, for rates and diversity. 0 to 32; default 24 (laboratory: 32).</summary>
    public int NarrowPrefixIPv4 { get; init => field = InRange(value, 0, 32); } = 24;

    /// <summary>The same for IPv6. 0 to 64; default 48.</summary>
    public int NarrowPrefixIPv6 { get; init => field = InRange(value, 0, 64); } = 48;

    /// <summary>Bits of an IPv4 network that counts as one provider, for diversity. 0 to 32; default 16 (laboratory: 24).</summary>
    public int WidePrefixIPv4 { get; init => field = InRange(value, 0, 32); } = 16;

    /// <summary>The same for IPv6. 0 to 64; default 32.</summary>
    public int WidePrefixIPv6 { get; init => field = InRange(value, 0, 64); } = 32;

    /// <summary>How long somebody's word about our outer address counts. At least 1 s; default 5 min (OV-5.5).</summary>
    public TimeSpan AddressReportLifetime { get; init => field = AtLeast(value, Second); } = TimeSpan.FromMinutes(5);

    // Tables

    /// <summary>Peers known by key. 8 to 100,000; default 2,000 (OV-4.5).</summary>
    public int PeersMax { get; init => field = InRange(value, 8, 100_000); } = 2_000;

    /// <summary>Peers up to which those that a community would miss are kept alive too; above it only neighbours. 1 to 10,000; default 200 (OV-4.5).</summary>
    public int ConnectedMax { get; init => field = InRange(value, 1, 10_000); } = 200;

    /// <summary>Requests waiting for an answer, of all communities. 16 to 32,768; default 4,096 (OV-4.5).</summary>
    public int RequestsMax { get; init => field = InRange(value, 16, 32_768); } = 4_096;

    /// <summary>Introduction-requests waiting for an answer, in one community. 16 to 32,768; default 512.</summary>
    public int IntroductionsMax { get; init => field = InRange(value, 16, 32_768); } = 512;

    /// <summary>Heard-of addresses of one community. 8 to 100,000; default 1,024.</summary>
    public int CandidatesMax { get; init => field = InRange(value, 8, 100_000); } = 1_024;

    /// <summary>Keys remembered as discouraged. 1 to 100,000; default 1,024.</summary>
    public int DiscouragedMax { get; init => field = InRange(value, 1, 100_000); } = 1_024;

    /// <summary>Addresses to begin with or come back to. 8 to 10,000; default 512.</summary>
    public int BootstrapMax { get; init => field = InRange(value, 8, 10_000); } = 512;

    /// <summary>Peers kept in the cache for the next start. 1 to 10,000; default 1,024.</summary>
    public int CachedPeersMax { get; init => field = InRange(value, 1, 10_000); } = 1_024;

    /// <summary>Hashed slots that count strangers' packets; memory is taken when a slot is first used. 32 to 1,048,576; default 65,536 (OV-4.3). A simulation of many nodes takes 256.</summary>
    public int SourceSlots { get; init => field = InRange(value, 32, 1 << 20); } = 65_536;

    /// <summary>Packets in the replay filter. 64 to 1,048,576; default 65,536 (OV-4.8).</summary>
    public int ReplayEntriesMax { get; init => field = InRange(value, 64, 1 << 20); } = 65_536;

    /// <summary>How long a packet is surely remembered as handled. At least 1 s; default 60 s (OV-4.8).</summary>
    public TimeSpan ReplayGeneration { get; init => field = AtLeast(value, Second); } = TimeSpan.FromSeconds(60);

    /// <summary>Overlays named in a similarity list. 1 to 60; default 40.</summary>
    public int OverlaysListedMax { get; init => field = InRange(value, 1, 60); } = 40;

    // Introducing for communities that do not run here (OV-5.1)

    /// <summary>Whether strangers of other communities are introduced to each other. Default true.</summary>
    public bool IntroducesForeign { get; init; } = true;

    /// <summary>Whether we do so also while nobody has tested yet whether we can be reached from outside. Default true.</summary>
    public bool IntroducesForeignUntested { get; init; } = true;

    /// <summary>How long we must be known to be reachable before we do so, once it was tested. Default 1 h (OV-5.1).</summary>
    public TimeSpan IntroducesForeignAfter { get; init => field = AtLeast(value, TimeSpan.Zero); } = TimeSpan.FromHours(1);

    /// <summary>Such communities. 1 to 10,000; default 200.</summary>
    public int ForeignCommunitiesMax { get; init => field = InRange(value, 1, 10_000); } = 200;

    /// <summary>Strangers in one of them. 16 to 10,000; default 100.</summary>
    public int ForeignPeersMax { get; init => field = InRange(value, 16, 10_000); } = 100;

    /// <summary>How long a stranger is introduced after its last request. At least 1 s; default 10 min.</summary>
    public TimeSpan ForeignLifetime { get; init => field = AtLeast(value, Second); } = TimeSpan.FromMinutes(10);

    // Walking

    /// <summary>Time between two steps while there is something to find. At least 10 ms; default 500 ms.</summary>
    public TimeSpan StepInterval { get; init => field = AtLeast(value, TimeSpan.FromMilliseconds(10)); } = TimeSpan.FromMilliseconds(500);

    /// <summary>Time between two steps while there is nothing to find. At least 10 ms; default 2 s.</summary>
    public TimeSpan IdleInterval { get; init => field = AtLeast(value, TimeSpan.FromMilliseconds(10)); } = TimeSpan.FromSeconds(2);

    /// <summary>Steps of a community's walk that may bring nobody new before it slows down. 1 to 10,000; default 40, so some twenty seconds.</summary>
    public int StepsInVain { get; init => field = InRange(value, 1, 10_000); } = 40;

    /// <summary>The longest rest between two steps of such a walk in a community with fewer than eight peers. From 10 ms; default 5 s.</summary>
    public TimeSpan WalkRestMaxOfFew { get; init => field = AtLeast(value, TimeSpan.FromMilliseconds(10)); } = TimeSpan.FromSeconds(5);

    /// <summary>The longest rest between two steps of a walk that brings nobody new. From 10 ms; default 30 s.</summary>
    public TimeSpan WalkRestMax { get; init => field = AtLeast(value, TimeSpan.FromMilliseconds(10)); } = TimeSpan.FromSeconds(30);

    /// <summary>A community walks while it has fewer peers than this. 0 to 10,000; default 20.</summary>
    public int WalkTarget { get; init => field = InRange(value, 0, 10_000); } = 20;

    /// <summary>With fewer peers than this a community walks to an introduced address at once, without waiting for the next step. 0 to 10,000; default 8.</summary>
    public int WalksAtOnceBelow { get; init => field = InRange(value, 0, 10_000); } = 8;

    /// <summary>From here on our responses say "full". 1 to 10,000; default 30.</summary>
    public int PeersWanted { get; init => field = InRange(value, 1, 10_000); } = 30;

    /// <summary>Walks of one community under way at the same time. 1 to 100; default 5.</summary>
    public int WalksMax { get; init => field = InRange(value, 1, 100); } = 5;

    /// <summary>Walks of all communities. 0.1 to 10,000 a second; default 10 (OV-5.2).</summary>
    public double WalksPerSecond { get; init => field = InRange(value, 0.1, 10_000); } = 10;

    /// <summary>Walks at once after a rest. 1 to 10,000; default 40.</summary>
    public double WalksBurst { get; init => field = InRange(value, 1, 10_000); } = 40;

    /// <summary>Chance of a step to ask for a new introduction though there are untried addresses. 0 to 1; default 50/256.</summary>
    public double WalkResetChance { get; init => field = InRange(value, 0, 1); } = 50.0 / 256;

    /// <summary>Chance that such an introduction is asked of a bootstrap address rather than of a peer: heals partitions. 0 to 1; default 5 %.</summary>
    public double BootstrapChance { get; init => field = InRange(value, 0, 1); } = 0.05;

    /// <summary>Whether edges are walked as well. Default true.</summary>
    public bool WalksEdges { get; init; } = true;

    /// <summary>Peers on an edge. 1 to 16; default 4.</summary>
    public int EdgeLength { get; init => field = InRange(value, 1, 16); } = 4;

    /// <summary>Neighbours from which edges start. 1 to 100; default 6.</summary>
    public int EdgeNeighbours { get; init => field = InRange(value, 1, 100); } = 6;

    /// <summary>When an unanswered walk is repeated, since its beginning. Rising; default 0.1, 0.3 and 0.9 s (OV-6.1).</summary>
    public IReadOnlyList<TimeSpan> WalkRepeats { get; init; } =
        [TimeSpan.FromMilliseconds(100), TimeSpan.FromMilliseconds(300), TimeSpan.FromMilliseconds(900)];

    /// <summary>A walk unanswered for so long no longer counts as under way. At least 100 ms; default 3 s.</summary>
    public TimeSpan AnswerTime { get; init => field = AtLeast(value, TimeSpan.FromMilliseconds(100)); } = TimeSpan.FromSeconds(3);

    /// <summary>How long the answer to an introduction-request is still taken as asked for. At least 1 s; default 10 s.</summary>
    public TimeSpan IntroductionLifetime { get; init => field = AtLeast(value, Second); } = TimeSpan.FromSeconds(10);

    /// <summary>How long a heard-of address is worth a try. At least 1 s; default 30 s (OV-6.1).</summary>
    public TimeSpan CandidateLifetime { get; init => field = AtLeast(value, Second); } = TimeSpan.FromSeconds(30);

    /// <summary>Longest rest of a heard-of address where nobody answers; it doubles from <see cref="AnswerTime"/>. At least 1 s; default 1 min.</summary>
    public TimeSpan CandidateRestMax { get; init => field = AtLeast(value, Second); } = TimeSpan.FromMinutes(1);

    /// <summary>First wait after an unanswered attempt at a bootstrap address; it doubles. At least 100 ms; default 1 s (OV-6.1).</summary>
    public TimeSpan BootstrapInterval { get; init => field = AtLeast(value, TimeSpan.FromMilliseconds(100)); } = TimeSpan.FromSeconds(1);

    /// <summary>Longest such wait. At least 1 s; default 30 s (OV-5.2).</summary>
    public TimeSpan BootstrapIntervalMax { get; init => field = AtLeast(value, Second); } = TimeSpan.FromSeconds(30);

    /// <summary>How long a peer that fell silent is tried again. At least 1 s; default 1 h.</summary>
    public TimeSpan RememberFor { get; init => field = AtLeast(value, Second); } = TimeSpan.FromHours(1);

    /// <summary>Time between two savings of the peer cache. At least 1 s; default 60 s.</summary>
    public TimeSpan CacheSaveInterval { get; init => field = AtLeast(value, Second); } = TimeSpan.FromSeconds(60);

    // Local network

    /// <summary>Which network announcements in the local network belong to. Default 0, the common one.</summary>
    public Discovery.NetworkId Network { get; init; }

    /// <summary>Time between two announcements after the first four, ± 20 %. At least 1 s; default 60 s (OV-5.1).</summary>
    public TimeSpan LanInterval { get; init => field = AtLeast(value, Second); } = TimeSpan.FromSeconds(60);

    /// <summary>Over which time the answers to an announcement are spread. Default 200 ms (OV-5.1).</summary>
    public TimeSpan LanAnswerSpread { get; init => field = AtLeast(value, TimeSpan.Zero); } = TimeSpan.FromMilliseconds(200);

    // Liveness

    /// <summary>Time between two looks at who is silent. At least 100 ms; default 5 s.</summary>
    public TimeSpan ChurnInterval { get; init => field = AtLeast(value, TimeSpan.FromMilliseconds(100)); } = TimeSpan.FromSeconds(5);

    /// <summary>A peer silent for so long is pinged. At least 1 s; default 27.5 s (IPv8).</summary>
    public TimeSpan InactiveAfter { get; init => field = AtLeast(value, Second); } = TimeSpan.FromSeconds(27.5);

    /// <summary>A peer silent for so long is forgotten. At least 1 s; default 57.5 s (IPv8).</summary>
    public TimeSpan DropAfter { get; init => field = AtLeast(value, Second); } = TimeSpan.FromSeconds(57.5);

    /// <summary>Time between two pings to one peer. At least 100 ms; default 10 s.</summary>
    public TimeSpan PingInterval { get; init => field = AtLeast(value, TimeSpan.FromMilliseconds(100)); } = TimeSpan.FromSeconds(10);

    /// <summary>How long a pong counts. At least 100 ms; default 5 s (IPv8).</summary>
    public TimeSpan PingTime { get; init => field = AtLeast(value, TimeSpan.FromMilliseconds(100)); } = TimeSpan.FromSeconds(5);

    /// <summary>Time between two similarity-requests to one peer. At least 1 s; default 60 s.</summary>
    public TimeSpan SimilarityInterval { get; init => field = AtLeast(value, Second); } = TimeSpan.FromSeconds(60);

    /// <summary>How long an address counts as proved after it last answered. At least 1 s; default 10 min.</summary>
    public TimeSpan ValidationLifetime { get; init => field = AtLeast(value, Second); } = TimeSpan.FromMinutes(10);

    /// <summary>Time between two tests of one peer's new address. At least 100 ms; default 1 s (OV-3.13).</summary>
    public TimeSpan ProbeInterval { get; init => field = AtLeast(value, TimeSpan.FromMilliseconds(100)); } = TimeSpan.FromSeconds(1);

    // Neighbours (OV-7)

    /// <summary>Neighbours. 1 to 200; default 30.</summary>
    public int NeighboursWanted { get; init => field = InRange(value, 1, 200); } = 30;

    /// <summary>Of these, taken for their short round trip. 0 to 200; default 8.</summary>
    public int NearestMax { get; init => field = InRange(value, 0, 200); } = 8;

    /// <summary>Of these, anchors: known longest, never shown to others. 0 to 200; default 4.</summary>
    public int AnchorsMax { get; init => field = InRange(value, 0, 200); } = 4;

    /// <summary>Of these, taken because they share overlays with us. 0 to 200; default 4.</summary>
    public int SharedMax { get; init => field = InRange(value, 0, 200); } = 4;

    /// <summary>Of these, taken by the place of their id, which nobody can aim for; only those that we addressed first. 0 to 200; default 8.</summary>
    public int RandomMax { get; init => field = InRange(value, 0, 200); } = 8;

    /// <summary>Of these, taken because the DHT needs them, or for being close to our own id. 0 to 200; default 6.</summary>
    public int NeedMax { get; init => field = InRange(value, 0, 200); } = 6;

    /// <summary>Of these, brought in from networks that had none. 0 to 200; default 2.</summary>
    public int FreshMax { get; init => field = InRange(value, 0, 200); } = 2;

    /// <summary>Time between two replacements of the worst neighbour by one from elsewhere. At least 1 s; default 10 min (OV-7.5).</summary>
    public TimeSpan ReplaceInterval { get; init => field = AtLeast(value, Second); } = TimeSpan.FromMinutes(10);

    /// <summary>Packets a second from a peer whose score fell below a tenth by its misdeeds. Above 0; default 1 (OV-7.3).</summary>
    public double ChargedPacketsPerSecond { get; init => field = InRange(value, 0.01, 1e9); } = 1;

    /// <summary>How long a peer is ignored whose misdeeds brought its score to nothing. At least 1 s; default 24 h (OV-7.3).</summary>
    public TimeSpan ClosedFor { get; init => field = AtLeast(value, Second); } = TimeSpan.FromHours(24);

    /// <summary>The address book and first contact.</summary>
    public AddressBook.AddressBookOptions Book { get; init; } = new();

    /// <summary>Places kept for peers that we addressed first. 0 to 200; default 16.</summary>
    public int ChosenByUsMin { get; init => field = InRange(value, 0, 200); } = 16;

    /// <summary>Neighbours of one narrow network. 1 to 200; default 2.</summary>
    public int PerNarrowPrefixMax { get; init => field = InRange(value, 1, 200); } = 2;

    /// <summary>Neighbours of one wide network. 1 to 200; default 4.</summary>
    public int PerWidePrefixMax { get; init => field = InRange(value, 1, 200); } = 4;

    /// <summary>Time between two choices. At least 1 s; default 30 s.</summary>
    public TimeSpan ChoiceInterval { get; init => field = AtLeast(value, Second); } = TimeSpan.FromSeconds(30);

    /// <summary>Time between two feelers. At least 1 s; default 2 min (OV-7.4).</summary>
    public TimeSpan FeelerInterval { get; init => field = AtLeast(value, Second); } = TimeSpan.FromMinutes(2);

    // Refusals (OV-4)

    /// <summary>Bytes that an unproved address gets for each byte it sent. 1 to 1,000; default 3 (OV-4.1).</summary>
    public int AmplificationFactor { get; init => field = InRange(value, 1, 1_000); } = 3;

    /// <summary>Time over which these are counted. At least 1 s; default 10 s.</summary>
    public TimeSpan AmplificationWindow { get; init => field = AtLeast(value, Second); } = TimeSpan.FromSeconds(10);

    /// <summary>Packets a second from one unproved address. Above 0; default 20.</summary>
    public double StrangerPacketsPerSecond { get; init => field = InRange(value, 0.01, 1e9); } = 20;

    /// <summary>Its burst. At least 1; default 40.</summary>
    public double StrangerPacketsBurst { get; init => field = InRange(value, 1, 1e9); } = 40;

    /// <summary>Packets a second from the unproved addresses of one narrow network. Above 0; default 100.</summary>
    public double NetworkPacketsPerSecond { get; init => field = InRange(value, 0.01, 1e9); } = 100;

    /// <summary>Its burst. At least 1; default 200.</summary>
    public double NetworkPacketsBurst { get; init => field = InRange(value, 1, 1e9); } = 200;

    /// <summary>Packets a second from all unproved addresses. Above 0; default 2,000.</summary>
    public double StrangersPacketsPerSecond { get; init => field = InRange(value, 0.01, 1e9); } = 2_000;

    /// <summary>Its burst. At least 1; default 4,000.</summary>
    public double StrangersPacketsBurst { get; init => field = InRange(value, 1, 1e9); } = 4_000;

    /// <summary>Packets a second from one proved peer. Above 0; default 100.</summary>
    public double PeerPacketsPerSecond { get; init => field = InRange(value, 0.01, 1e9); } = 100;

    /// <summary>Its burst. At least 1; default 200.</summary>
    public double PeerPacketsBurst { get; init => field = InRange(value, 1, 1e9); } = 200;

    /// <summary>Share of one core for checking strangers' signatures. 0.001 to 1,000 (above 1: no limit in practice); default 0.2 (OV-4.4).</summary>
    public double StrangersSignatureShare { get; init => field = InRange(value, 0.001, 1_000); } = 0.2;

    /// <summary>What checking one signature is taken to cost. At least 1 µs; default 65 µs.</summary>
    public TimeSpan SignatureCheckCost { get; init => field = AtLeast(value, TimeSpan.FromMicroseconds(1)); } = TimeSpan.FromMicroseconds(65);

    /// <summary>How much of that budget may be spent at once. At least 1 ms; default 250 ms.</summary>
    public TimeSpan SignatureBurst { get; init => field = AtLeast(value, TimeSpan.FromMilliseconds(1)); } = TimeSpan.FromMilliseconds(250);

    /// <summary>How long we must know a neighbour before we open our NAT at its word. Default 10 s (OV-4.2).</summary>
    public TimeSpan PunctureAcquaintance { get; init => field = AtLeast(value, TimeSpan.Zero); } = TimeSpan.FromSeconds(10);

    /// <summary>Time between two punctures towards one address. At least 10 ms; default 5 s.</summary>
    public TimeSpan PunctureIntervalPerTarget { get; init => field = AtLeast(value, TimeSpan.FromMilliseconds(10)); } = TimeSpan.FromSeconds(5);

    /// <summary>Punctures a second at one neighbour's word. Above 0; default 2.</summary>
    public double PuncturesPerSecondPerRequester { get; init => field = InRange(value, 0.01, 1e6); } = 2;

    /// <summary>Punctures a second in all. Above 0; default 10.</summary>
    public double PuncturesPerSecond { get; init => field = InRange(value, 0.01, 1e6); } = 10;

    /// <summary>How long a peer that broke the protocol is ignored. At least 1 s; default 1 h.</summary>
    public TimeSpan DiscouragedFor { get; init => field = AtLeast(value, Second); } = TimeSpan.FromHours(1);

    // Sessions (OV-3)

    /// <summary>Secure sessions between full nodes.</summary>
    public Sessions.SessionOptions Sessions { get; init; } = new();

    /// <summary>Streams in sessions (OV-9).</summary>
    public Streams.StreamOptions Streams { get; init; } = new();

    /// <summary>Content by name (OV-9.6).</summary>
    public Content.ContentOptions Content { get; init; } = new();

    // Through NATs (OV-5.3, OV-6)

    /// <summary>Finding out what we are behind, punctures, keep-alives.</summary>
    public Nat.NatOptions Nat { get; init; } = new();

    /// <summary>Relaying for others, and being relayed.</summary>
    public Relays.RelayOptions Relays { get; init; } = new();

    /// <summary>
    /// These options for peers that are all on this machine or in one small network (--loopback, laboratory, simulation): any address, and
    /// no rule that takes one network for one person.
    /// </summary>
    public OverlayOptions ForLaboratory() => this with
    {
        Addresses = AddressRules.Any, NarrowPrefixIPv4 = 32, WidePrefixIPv4 = 24,
        Dht = Dht.ForLaboratory(),
        Sessions = Sessions with { HandshakesPerSecondPerNetwork = 1_000 },
        PerNarrowPrefixMax = 200, PerWidePrefixMax = 200, NetworkPacketsPerSecond = 2_000, NetworkPacketsBurst = 4_000,
    };

    /// <summary>
    /// These options for worlds of up to 100,000 nodes in one process: few peers, small tables, rare upkeep; everything else as it is. A node
    /// with a DHT takes some 27 KB then (<c>polder bench simulator</c>).
    /// </summary>
    public OverlayOptions ForLargeWorlds() => this with
    {
        PeersMax = 24, ConnectedMax = 12, PeersWanted = 6, WalkTarget = Math.Min(WalkTarget, 4), NeighboursWanted = 6, ChosenByUsMin = 3,
        RequestsMax = 64, IntroductionsMax = 16, CandidatesMax = 16, BootstrapMax = 8, DiscouragedMax = 16, CachedPeersMax = 8,
        SourceSlots = 32, ReplayEntriesMax = 64, ForeignCommunitiesMax = 2, ForeignPeersMax = 16,
        InactiveAfter = TimeSpan.FromMinutes(5), DropAfter = TimeSpan.FromMinutes(11), IdleInterval = TimeSpan.FromSeconds(30), ChurnInterval = TimeSpan.FromSeconds(30),
        ChoiceInterval = TimeSpan.FromMinutes(5), FeelerInterval = TimeSpan.FromMinutes(30),
        Book = Book with { NewBuckets = 4, TriedBuckets = 2, BucketSize = 4, EnoughPeers = 3, EnoughNetworks = 2, AnchorsKept = 2 },
        Nat = Nat with { ReportsMax = 8 }, Dht = Dht.ForLargeWorlds(),
    };

    /// <summary>These options without rates: for measuring what the machine can do.</summary>
    public OverlayOptions WithoutRates() => this with
    {
        StrangerPacketsPerSecond = 1e9, StrangerPacketsBurst = 1e9, NetworkPacketsPerSecond = 1e9, NetworkPacketsBurst = 1e9,
        StrangersPacketsPerSecond = 1e9, StrangersPacketsBurst = 1e9, PeerPacketsPerSecond = 1e9, PeerPacketsBurst = 1e9,
        StrangersSignatureShare = 1_000,
        Sessions = Sessions.WithoutRates(),
    };

    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private static int InRange(int value, int from, int to) =>
        value >= from && value <= to ? value : throw new ArgumentOutOfRangeException(nameof(value), value, $"Allowed: {from} to {to}.");

    private static double InRange(double value, double from, double to) =>
        value >= from && value <= to ? value : throw new ArgumentOutOfRangeException(nameof(value), value, $"Allowed: {from} to {to}.");

    private static TimeSpan AtLeast(TimeSpan value, TimeSpan least) =>
        value >= least ? value : throw new ArgumentOutOfRangeException(nameof(value), value, $"At least {least}.");
}
