using Polder.Identity;
using Polder.Ledger;
using Polder.Ledger.Blocks;
using Polder.Ledger.Messages;
using Polder.Ledger.Records;
using Polder.Overlay;

namespace Polder.Simulation.Scenarios;

/// <summary>
/// Somebody in the ledger's overlay who walks and answers introductions like anybody, signs whatever the scenario says, and
/// answers crawls with what suits the asker.
/// </summary>
internal sealed class Cheater : Community
{
    private readonly KeyPair _key;
    private readonly Dictionary<PublicKey, List<HalfBlock>> _shownTo = new(PublicKey.Comparer);

    public Cheater(SimulatedNode node, CommunityContext context) : base(TrustChainCommunity.Id, context, MessageForm.GlobalTime)
    {
        _key = node.Identity;
        OnUnsigned<HalfBlockMessage>((_, message) => Proposals.Add(message.Block));
        On<CrawlRequest>((peer, request) =>
        {
            var blocks = _shownTo.GetValueOrDefault(peer.Key) ?? [];
            if (!request.Key.Span.SequenceEqual(_key.Public.Bytes) || blocks.Count == 0) SendUnsigned(peer.Address, new EmptyCrawlResponse(request.CrawlId));
            else
                for (var i = 0; i < blocks.Count; i++)
                    SendUnsigned(peer.Address, new CrawlResponse(blocks[i], request.CrawlId, (uint)i + 1, (uint)blocks.Count));
        });
    }

    /// <summary>Blocks that came by themselves.</summary>
    public List<HalfBlock> Proposals { get; } = [];

    /// <summary>Signs any block at all.</summary>
    public HalfBlock Sign(uint sequence, PublicKey link, uint linkSequence, HalfBlock? previous, BandwidthEntry entry) =>
        Sign(_key, sequence, link, linkSequence, previous, entry);

    /// <summary>Signs any block at all with any key that one has.</summary>
    public HalfBlock Sign(KeyPair key, uint sequence, PublicKey link, uint linkSequence, HalfBlock? previous, BandwidthEntry entry) =>
        HalfBlock.Create(Environment.Signatures, key, new BlockFields
        {
            Sequence = sequence, LinkKey = link.Bytes, LinkSequence = linkSequence,
            PreviousHash = previous?.Hash ?? HalfBlock.GenesisHash, Type = HelpClaim.BandwidthType, Transaction = entry.Encode(json: false),
            Timestamp = (ulong)Environment.Time.GetUtcNow().ToUnixTimeMilliseconds(),
        });

    /// <summary>Shows a block to one node, and from now on answers its crawls accordingly.</summary>
    public void Show(SimulatedNode to, HalfBlock block)
    {
        if (!_shownTo.TryGetValue(to.Identity.Public, out var blocks)) _shownTo[to.Identity.Public] = blocks = [];
        blocks.Add(block);
        SendUnsigned(to.PublicEndpoint, new HalfBlockMessage(block));
    }

    /// <summary>Sends a block without keeping it.</summary>
    public void Throw(SimulatedNode at, HalfBlock block) => SendUnsigned(at.PublicEndpoint, new HalfBlockMessage(block));
}
