using Polder.Identity;
using Polder.Ledger;
using Polder.Ledger.Blocks;
using Polder.Ledger.Messages;
using Polder.Ledger.Records;
using Polder.Ledger.Stores;
using Polder.Overlay;
using Polder.Runtime;

namespace Polder.Simulation.Scenarios;

/// <summary>How a gossiper is hostile.</summary>
internal enum Hostility
{
    /// <summary>Takes everything and passes nothing on.</summary>
    Drops,
    /// <summary>Passes everything on when it is old.</summary>
    Delays,
    /// <summary>Passes on changed blocks and proofs against honest people, and names news that are none.</summary>
    Forges,
    /// <summary>Pushes valid blocks, and valid proofs, of keys that it makes up by the hundred.</summary>
    Floods,
}

/// <summary>A full node that takes its place among the neighbours of the honest, and spreads news badly.</summary>
internal sealed class HostileGossiper : Community
{
    private static readonly TimeSpan DelayMin = TimeSpan.FromSeconds(15), DelayMore = TimeSpan.FromSeconds(30);
    private readonly SimulatedNode _node;
    private readonly Hostility _how;
    private readonly Prng _chance;
    /// <summary>Places in chains that it did its worst with. Once each: two forgers would else forge each other's forgeries for ever.</summary>
    private readonly HashSet<(PublicKey Key, uint Sequence, bool IsProof)> _done = [];

    public HostileGossiper(SimulatedNode node, CommunityContext context, Hostility how) : base(TrustChainCommunity.Id, context, MessageForm.GlobalTime)
    {
        (_node, _how, _chance) = (node, how, Prng.Derive(node.World.Seed, "hostile/" + node.Name));
        OnUnsigned<HalfBlockMessage>((_, _) => { });
        On<CrawlRequest>((_, _) => { });
        On<BlockPush>(Receive);
        On<FraudPush>(Receive);
        On<NewsRequest>((peer, _) => Send(peer, new NewsList(1, 1, 1, _how == Hostility.Forges ? [_chance.NextUInt64()] : [], [])));
        On<NewsList>((_, _) => { });
        On<NewsWanted>((_, _) => { });
        if (how == Hostility.Floods) Every(TimeSpan.FromMilliseconds(250), Flood);
    }

    /// <summary>Messages that it sent to spread something.</summary>
    public int Sent { get; private set; }

    private void Receive(Peer from, BlockPush push)
    {
        if (!IsFirst(push.Blocks[0], isProof: false)) return;
        if (_how == Hostility.Delays) Later(() => Everybody(new BlockPush(push.Hops, push.Blocks)));
        if (_how != Hostility.Forges || Changed(push.Blocks[0]) is not { } changed) return;
        Everybody(new BlockPush(byte.MaxValue, [changed]));
        Everybody(new FraudPush(new FraudProof(FraudKind.DoubleSign, push.Blocks[0], changed)));
    }

    private void Receive(Peer from, FraudPush push)
    {
        if (!IsFirst(push.Proof.First, isProof: true)) return;
        if (_how == Hostility.Delays) Later(() => Everybody(push));
        if (_how == Hostility.Forges && Changed(push.Proof.First) is { } changed) Everybody(new FraudPush(push.Proof with { Second = changed }));
    }

    private bool IsFirst(HalfBlock block, bool isProof) =>
        PublicKey.TryParse(block.PublicKey, out var key) && _done.Add((key, block.Sequence, isProof));

    private void Flood()
    {
        for (var i = 0; i < 5; i++)
        {
            var key = NewKey();
            var blocks = new HalfBlock[2];
            for (var j = 0; j < 2; j++)
                blocks[j] = HalfBlock.Create(Environment.Signatures, key, new BlockFields
                {
                    Sequence = 1, LinkKey = _node.Identity.Public.Bytes, LinkSequence = 0, PreviousHash = HalfBlock.GenesisHash, Type = HelpClaim.BandwidthType,
                    Transaction = new BandwidthEntry(0, (1 << 20) + j, 0, (1 << 20) + j, "").Encode(json: false), Timestamp = (ulong)_chance.Next(int.MaxValue),
                });
            Everybody(new BlockPush(byte.MaxValue, [blocks[0]]));
            if (i == 0) Everybody(new FraudPush(new FraudProof(FraudKind.DoubleSign, blocks[0], blocks[1])));
        }
    }

    private KeyPair NewKey()
    {
        Span<byte> entropy = stackalloc byte[KeyPair.EntropyBytes];
        _chance.Fill(entropy);
        return KeyPair.FromEntropy(entropy);
    }

    private static HalfBlock? Changed(HalfBlock block)
    {
        var packed = block.Packed.ToArray();
        packed[^1] ^= 1;
        return HalfBlock.TryUnpack(packed, out var changed) ? changed : null;
    }

    private void Everybody<T>(T message) where T : struct, Wire.IMessage<T>
    {
        foreach (var peer in Peers.ToArray())
        {
            if (!peer.IsPolder) continue;
            Sent++;
            Send(peer, message);
        }
    }

    private void Later(Action work)
    {
        var starts = _node.Starts;
        _node.World.At(_node.World.Now + DelayMin + _chance.NextDuration(DelayMore), () =>
        {
            if (_node.IsRunning && _node.Starts == starts) _node.Run(work);
        });
    }
}
