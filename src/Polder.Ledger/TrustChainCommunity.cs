using System.Buffers.Binary;
using System.Runtime.ExceptionServices;
using Polder.Identity;
using Polder.Ledger.Blocks;
using Polder.Ledger.Crawling;
using Polder.Ledger.Dissemination;
using Polder.Ledger.Fraud;
using Polder.Ledger.Messages;
using Polder.Ledger.Stores;
using Polder.Ledger.Validation;
using Polder.Net;
using Polder.Overlay;
using Polder.Overlay.AddressBook;
using Polder.Runtime;

namespace Polder.Ledger;

/// <summary>
/// TrustChain on the wire: takes blocks in, proposes, agrees by policy or by the owner's word, spreads, crawls and answers
/// crawls. Messages 1 to 7, all with global time; only the crawl request is signed, because blocks carry their own signatures.
/// </summary>
public sealed class TrustChainCommunity : Community
{
    private readonly BlockIntake _intake;
    private readonly Crawler _crawler;
    private readonly Proposals _proposals;
    private readonly ProposalSending _sending;
    private readonly Broadcasts _broadcasts;
    private readonly Eviction _eviction;
    private readonly Inbox _inbox;
    private readonly Agreements _agreements;
    private readonly CrawlPlan _plan;
    private readonly Witnesses _witnesses;
    private readonly Spreading _spreading;
    private readonly EvidenceSearch _evidence;
    private readonly BlockReception _reception;
    private readonly Replay _replay;
    private readonly byte[] _lengthExtra = new byte[4];

    /// <summary>The overlay of TrustChain.</summary>
    public static CommunityId Id { get; } = CommunityId.FromHex("5ad767b05ae592a02488272ca2a86b847d4562e1");

    /// <summary>The overlay of its test network.</summary>
    public static CommunityId TestNetworkId { get; } = CommunityId.FromHex("5e97ff4ef08998ee2fd2ce6b7a569cc4f7d27c37");

    /// <summary>Joins with the blocks of this store, which belongs to the caller.</summary>
    public TrustChainCommunity(CommunityContext context, IBlockStore store, TrustChainOptions? options = null)
        : base((options ?? new()).Community, context, MessageForm.GlobalTime)
    {
        ArgumentNullException.ThrowIfNull(store);
        Options = options ?? new();
        Store = store;
        Own = new OwnChain(Environment, Identity, store, Options);
        Validator = new BlockValidator(Environment.Signatures);
        _intake = new BlockIntake(store, Validator, Identity, Book, Options, Counters);
        _crawler = new Crawler(Environment, store, Options, Counters, Request, Leaving);
        _proposals = new Proposals(Identity);
        _replay = new Replay(this, _proposals);
        _broadcasts = new Broadcasts(this);
        _sending = new ProposalSending(this, _proposals, _broadcasts);
        _eviction = new Eviction(this);
        _inbox = new Inbox(store);
        _agreements = new Agreements(this, _inbox);
        _plan = new CrawlPlan(this, _crawler);
        _witnesses = new Witnesses(this);
        _spreading = new Spreading(this, _intake);
        _evidence = new EvidenceSearch(this, _crawler);
        _reception = new BlockReception(this, _intake, _crawler, _agreements, _plan, _witnesses, _spreading, _evidence);
        Survey = new Survey(this, _crawler, context.Host.Find<IStateStore>());
        _intake.Kept += OnKept;
        _intake.FraudFound += OnFraud;

        OnUnsigned<HalfBlockMessage>((from, message) => _reception.Receive(from, message.Block));
        On<CrawlRequest>(AnswerCrawl);
        OnUnsigned<CrawlResponse>(_reception.ReceiveCrawled);
        OnUnsigned<HalfBlockPair>((from, pair) => _reception.ReceivePair(from, pair.First, pair.Second));
        OnUnsigned<HalfBlockBroadcast>((from, message) =>
        {
            if (_reception.Receive(from, message.Block)) _broadcasts.Relay(message, from);
        });
        OnUnsigned<HalfBlockPairBroadcast>((from, pair) =>
        {
            if (_reception.ReceivePair(from, pair.First, pair.Second)) _broadcasts.Relay(pair, from);
        });
        OnUnsigned<EmptyCrawlResponse>((_, message) => _crawler.CountEmpty(message.CrawlId));
        On<BlockPush>(_spreading.Receive);
        On<FraudPush>(_spreading.Receive);
        On<NewsRequest>(_spreading.Receive);
        On<NewsList>(_spreading.Receive);
        On<NewsWanted>(_spreading.Receive);
        Every(Options.Dissemination.PullInterval, _spreading.Pull);
        Every(TimeSpan.FromSeconds(1), Tick);
    }

    /// <summary>How it is set.</summary>
    public TrustChainOptions Options { get; }

    /// <summary>The blocks.</summary>
    public IBlockStore Store { get; }

    /// <summary>The rules that blocks are judged by; rules of further types are added before the start.</summary>
    public BlockValidator Validator { get; }

    /// <summary>The node's own chain.</summary>
    public OwnChain Own { get; }

    /// <summary>What was done.</summary>
    public LedgerCounters Counters { get; } = new();

    /// <summary>Fetching everybody's chains; begun by <see cref="TrustChainOptions.Survey"/> or by its Begin.</summary>
    public Survey Survey { get; }

    /// <summary>Proposals to us that wait for the owner's word, oldest first.</summary>
    public IReadOnlyList<HalfBlock> Waiting => _inbox.Waiting;

    /// <summary>Own proposals that wait for their other half.</summary>
    public int ProposalsOpen => _proposals.Count;

    /// <summary>Completes when all blocks of the store were gone through after the start.</summary>
    public Task Replayed => _replay.Done;

    /// <summary>Whether <see cref="BlockKnown"/> tells of a block that was held before the start.</summary>
    internal bool IsReplaying { get; private set; }

    /// <summary>
    /// Raised for every block held: for those of the store once after the start, in order, and for new ones when they are kept
    /// or signed. A block that comes during the start may be told of twice. Of a store with more than
    /// <see cref="Limits.ReplayedBlocksMax"/> blocks only our own and those that name us are told at the start.
    /// </summary>
    public event Action<HalfBlock>? BlockKnown;

    /// <summary>Raised when a fraud was proven.</summary>
    public event Action<FraudProof>? FraudFound;

    /// <summary>Raised when anything that is shown to people may have changed.</summary>
    public event Action? Changed;

    // ---- What the owner does ----

    /// <summary>Says who decides about proposals of this type. Before the start.</summary>
    public void SetPolicy(ReadOnlySpan<byte> type, IAgreementPolicy policy) => _agreements.SetPolicy(type, policy);

    /// <summary>
    /// Signs a proposal and sends it again and again until it is answered. Many may be on their way; they share commits to disk.
    /// </summary>
    /// <exception cref="SigningRefusedException">The own chain is in doubt, the counterparty is a proven cheater, or too many wait.</exception>
    public Proposal Propose(PublicKey to, ReadOnlySpan<byte> type, ReadOnlySpan<byte> transaction)
    {
        ArgumentNullException.ThrowIfNull(to);
        if (Store.FraudOf(to.Bytes) is not null)
            throw new SigningRefusedException($"{to.ShortName} has provably cheated: two blocks that exclude each other carry its signature. Nothing is signed with it.");
        if (_proposals.Count >= Limits.ProposalsOpenMax)
            throw new SigningRefusedException($"{Limits.ProposalsOpenMax} proposals wait for an answer. Wait until some are answered.");
        var block = Own.Sign(to.Bytes, HalfBlock.UnknownSequence, type, transaction);
        var proposal = to == Identity.Public ? new Proposal(block) : _proposals.Add(block);
        _intake.Announce(block);
        Go(_sending.FirstAsync(proposal));
        return proposal;
    }

    /// <summary>The open proposal with this number of our own chain, to wait for; null when it was answered or never open.</summary>
    public Proposal? OpenProposal(uint sequence) => _proposals.Find(sequence);

    /// <summary>Agrees to a proposal by the owner's word; completes with our half when it is safe on disk and sent.</summary>
    /// <exception cref="SigningRefusedException">It cannot be signed; the message says why.</exception>
    public Task<HalfBlock> AgreeAsync(HalfBlock proposal) => _agreements.ByOwnersWordAsync(proposal);

    internal bool IsAnsweredOrWaits(HalfBlock proposal) => _agreements.IsAnsweredOrWaits(proposal);

    /// <summary>Refuses a proposal for good; completes when that is safe on disk.</summary>
    public async Task RefuseAsync(HalfBlock proposal)
    {
        ArgumentNullException.ThrowIfNull(proposal);
        Store.AddRefusal(proposal.Hash);
        _inbox.Remove(proposal);
        Changed?.Invoke();
        await Store.FlushAsync();
    }

    /// <summary>Takes in a block that the owner brings from elsewhere: judged like any, but no limit of strangers holds.</summary>
    public Verdict Import(HalfBlock block)
    {
        ArgumentNullException.ThrowIfNull(block);
        _intake.Take(block, wanted: true, out var verdict);
        return verdict ?? Validator.Validate(block, Store);
    }

    /// <summary>Takes in a proof of fraud that the owner brings, if it proves anything.</summary>
    public FraudFault Import(FraudProof proof)
    {
        var fault = FraudRules.FaultOf(proof, Environment.Signatures);
        if (fault == FraudFault.None) _spreading.Take(proof);
        return fault;
    }

    /// <summary>Takes in many blocks that the owner brings from elsewhere, verified on the workers; completes when they are safe on disk.</summary>
    /// <param name="blocks">In any order.</param>
    /// <param name="refused">Told of every block that is not kept because something is wrong with it.</param>
    public async Task<IngestResult> ImportAsync(IEnumerable<HalfBlock> blocks, Action<HalfBlock, string>? refused = null)
    {
        var result = await new BlockIngest(Environment, Store, Validator, _intake.Announce, _intake.Keep, refused).RunAsync(blocks);
        Counters.Count(LedgerCount.BlocksKept, result.Kept);
        Counters.Count(LedgerCount.BlocksKnown, result.Known);
        Counters.Count(LedgerCount.BlocksInvalid, result.Invalid);
        Own.Refresh();
        return result;
    }

    /// <summary>Asks a peer for a whole chain, its own when none is named, and takes in what comes.</summary>
    public async Task<CrawlResult> CrawlAsync(Peer peer, PublicKey? chain = null)
    {
        ArgumentNullException.ThrowIfNull(peer);
        var result = await _crawler.ChainAsync(peer, (chain ?? peer.Key).Bytes.ToArray());
        await Store.FlushAsync();
        return result;
    }

    // ---- What comes in ----

    /// <inheritdoc/>
    protected override void Start()
    {
        Go(_replay.RunAsync());
        if (Options.Survey.IsOn) Survey.Begin();
    }

    /// <inheritdoc/>
    protected override void OnIntroduced(Peer peer)
    {
        _sending.Met(peer);
        _plan.Met(peer);
    }

    /// <inheritdoc/>
    protected override void OnForgotten(Peer peer)
    {
        _plan.Forget(peer);
        _spreading.Forget(peer);
    }

    /// <summary>The one signed message, the crawl request, has two forms in all the families there are, and both are read.</summary>
    protected override bool IsMalformedDishonest => true;

    /// <summary>The length of the own chain, 4 bytes, as py has it.</summary>
    protected override ReadOnlySpan<byte> IntroductionExtra
    {
        get
        {
            BinaryPrimitives.WriteUInt32BigEndian(_lengthExtra, Own.FlushedTo);
            return _lengthExtra;
        }
    }

    /// <inheritdoc/>
    protected override void OnIntroductionExtra(Peer peer, ReadOnlySpan<byte> extra)
    {
        if (extra.Length != 4) return;
        _crawler.LearnFromExtra(peer.Key);
        _plan.Told(peer, BinaryPrimitives.ReadUInt32BigEndian(extra));
    }

    private void Request(Peer peer, CrawlRequest request)
    {
        // Ten blocks, ten that link to them, and a proof.
        Expect(peer, 2 * Limits.CrawlAnswerBlocksMax + 4);
        Send(peer, request);
    }

    private void AnswerCrawl(Peer peer, CrawlRequest request)
    {
        _crawler.Learn(peer.Key, request.Wide);
        Counters.Count(LedgerCount.CrawlsAnswered);
        var blocks = CrawlAnswers.For(request, Store, Own);
        if (blocks.Count == 0) SendUnsigned(peer.Address, new EmptyCrawlResponse(request.CrawlId));
        for (var i = 0; i < blocks.Count; i++)
            SendUnsigned(peer.Address, new CrawlResponse(blocks[i], request.CrawlId, (uint)i + 1, (uint)blocks.Count));
    }

    private void OnKept(HalfBlock block)
    {
        _eviction.Known(block);
        BlockKnown?.Invoke(block);
        Changed?.Invoke();
        if (_proposals.TakeAnswered(block) is { } answered) Go(_sending.CompleteAsync(answered, block));
        if (block.PublicKey.SequenceEqual(Own.Key) && !block.IsProposal && Store.Get(block.LinkKey, block.LinkSequence) is { } agreed) _inbox.Remove(agreed);
    }

    private void OnFraud(FraudProof fraud)
    {
        FraudFound?.Invoke(fraud);
        Changed?.Invoke();
        _broadcasts.Fraud(fraud);
        // With its proposal, or nobody could check it.
        if (Store.ProofAgainst(fraud.Culprit) is { } whole) _spreading.Proven(whole);
    }

    // ---- What goes out ----

    internal new TimeSpan Now => base.Now;
    internal new NodeEnvironment Environment => base.Environment;
    internal bool IsHere(Peer peer) => Peers.Contains(peer);
    internal Peer? FindAt(Endpoint address) => Book.FindAt(address);
    internal bool IsValidated(Endpoint address) => Book.IsValidated(address);
    internal Crawler Crawler => _crawler;
    internal bool TakeNews(Peer peer, HalfBlock block) => _reception.TakeNews(peer, block);
    internal void Announce(HalfBlock block) => _intake.Announce(block);
    internal void NotifyChanged() => Changed?.Invoke();
    internal void SendMessage<T>(Endpoint to, T message) where T : struct, Wire.IMessage<T> => SendUnsigned(to, message);
    internal static void ExpectFrom(Peer peer, int datagrams) => Expect(peer, datagrams);
    internal void SpreadPair(HalfBlock proposal, HalfBlock agreement, ReadOnlySpan<byte> exceptTo) => _broadcasts.Pair(proposal, agreement, exceptTo);
    internal void SendSigned<T>(Peer to, T message) where T : struct, Wire.IMessage<T> => Send(to, message);
    internal Spreading Spreading => _spreading;
    internal new CancellationToken Leaving => base.Leaving;
    internal void SendBlock(Endpoint to, HalfBlock block) => SendUnsigned(to, new HalfBlockMessage(block));

    /// <summary>Starts work whose end nobody waits for. What it throws is a bug of ours and surfaces on the loop.</summary>
    internal void Go(Task work)
    {
        if (work.IsCompletedSuccessfully) return;
        _ = WatchAsync();

        async Task WatchAsync()
        {
            try { await work; }
            catch (OperationCanceledException) { /* The community is left. */ }
            catch (Exception problem)
            {
                var thrown = ExceptionDispatchInfo.Capture(problem);
                Environment.Loop.Post(thrown.Throw);
            }
        }
    }

    private void Tick()
    {
        _sending.Resend();
        _witnesses.Tell();
        _eviction.Work();
        _plan.RecoverFromAll();
    }

    /// <summary>A block that was held before the start is taken in again.</summary>
    internal void Replay(HalfBlock block)
    {
        _eviction.Known(block);
        IsReplaying = true;
        BlockKnown?.Invoke(block);
        IsReplaying = false;
        _proposals.Replay(block);
        _proposals.TakeAnswered(block);
        _agreements.Replay(block);
    }
}
