using Polder.Cryptography;
using Polder.Identity;
using Polder.Ledger.Blocks;
using Polder.Ledger.Records;
using Polder.Ledger.Stores;
using Polder.Ledger.Validation;
using Polder.Runtime;

namespace Polder.Ledger;

/// <summary>What became of many blocks.</summary>
/// <param name="Kept">New and kept.</param>
/// <param name="Known">Here already.</param>
/// <param name="Invalid">Invalid; the last of them are in <see cref="IBlockStore.Refused"/>.</param>
public readonly record struct IngestResult(int Kept, int Known, int Invalid);

/// <summary>
/// Takes in many blocks: signatures and hashes are worked out in batches on the workers, the rest is judged on the loop in
/// order, and stored in groups. A block that follows the last one known of its chain, as nearly all do, is judged without a
/// look-up for its neighbours.
/// </summary>
public sealed class BlockIngest
{
    /// <summary>Blocks a batch.</summary>
    public const int BatchBlocks = 64;

    private const int UnflushedMax = 8_192;
    private const int RecentBlocks = 8;
    /// <summary>Agreements of one proposal that are looked through for the signer's own.</summary>
    private const int LinkingMax = 16;
    private const int LinksMax = 1 << 18;
    private const int ChainsMax = 65_536;

    private readonly NodeEnvironment _environment;
    private readonly IBlockStore _store;
    private readonly BlockValidator _validator;
    private readonly Action<HalfBlock>? _kept;
    private readonly Action<FraudProof>? _fraud;
    private readonly Action<HalfBlock, string>? _refused;
    private readonly Dictionary<PublicKey, Chain> _chains = new(PublicKey.Comparer);
    private readonly Dictionary<PublicKey, Chain>.AlternateLookup<ReadOnlySpan<byte>> _chainOf;
    private readonly HashSet<Link> _links = [];
    private readonly List<HalfBlock> _ready = new(BatchBlocks);
    private int _keptCount, _known, _invalid, _group;
    private Chain? _before, _last;

    /// <summary>Blocks go into this store by these rules.</summary>
    /// <param name="environment">Workers and signatures.</param>
    /// <param name="store">Where to.</param>
    /// <param name="validator">Rules, those of types included.</param>
    /// <param name="kept">Told of every block kept.</param>
    /// <param name="fraud">Told of every proof found; keeps it. Without it proofs go straight into the store.</param>
    /// <param name="refused">Told of every block that is not kept because something is wrong with it, and what, in words.</param>
    public BlockIngest(
        NodeEnvironment environment, IBlockStore store, BlockValidator validator, Action<HalfBlock>? kept = null, Action<FraudProof>? fraud = null,
        Action<HalfBlock, string>? refused = null)
    {
        (_environment, _store, _validator, _kept, _fraud, _refused) = (environment, store, validator, kept, fraud, refused);
        _chainOf = _chains.GetAlternateLookup<ReadOnlySpan<byte>>();
    }

    /// <summary>
    /// Takes all of them in, and completes when they are safe on disk. As many batches are verified at a time as the
    /// environment has workers. On the loop.
    /// </summary>
    public async Task<IngestResult> RunAsync(IEnumerable<HalfBlock> blocks)
    {
        ArgumentNullException.ThrowIfNull(blocks);
        (_keptCount, _known, _invalid) = (0, 0, 0);
        // Two batches a worker wait ready behind the one it has, so that none idles while the loop judges.
        var atOnce = 3 * _environment.Workers.Parallelism;
        var running = new Queue<(HalfBlock[] Batch, Task<ulong[]> Verified)>();
        var unflushed = 0;
        Task flushing = Task.CompletedTask;
        var signatures = _environment.Signatures;
        foreach (var chunk in blocks.Chunk(BatchBlocks))
        {
            running.Enqueue((chunk, _environment.Workers.RunAsync(() => Verify(chunk, signatures))));
            if (running.Count >= atOnce) await FinishAsync(running.Dequeue());
        }
        while (running.Count > 0) await FinishAsync(running.Dequeue());
        await _store.FlushAsync();
        return new IngestResult(_keptCount, _known, _invalid);

        async Task FinishAsync((HalfBlock[] Batch, Task<ulong[]> Verified) work)
        {
            var good = await work.Verified;
            for (var i = 0; i < work.Batch.Length; i++) Take(work.Batch[i], (good[i / 64] >> (i % 64) & 1) != 0);
            StoreReady();
            unflushed += work.Batch.Length;
            if (unflushed < UnflushedMax / 2) return;
            // One group is written while the next is verified; no more than two wait.
            await flushing;
            flushing = _store.FlushAsync();
            unflushed = 0;
        }
    }

    /// <summary>On a worker: a bit for each good signature, and the hash worked out. Touches nothing but the blocks.</summary>
    private static ulong[] Verify(HalfBlock[] batch, ISignatures signatures)
    {
        var good = new ulong[(batch.Length + 63) / 64];
        PublicKey? last = null;
        for (var i = 0; i < batch.Length; i++)
        {
            var block = batch[i];
            // Blocks of one chain come together: one key object serves them all.
            if (last is not null && block.PublicKey.SequenceEqual(last.Bytes)) block.Owner = last;
            else last = block.Owner;
            if (!block.VerifySignature(signatures)) continue;
            good[i / 64] |= 1ul << (i % 64);
            _ = block.Hash;
        }
        return good;
    }

    private void Take(HalfBlock block, bool signatureIsGood)
    {
        if (block.Transaction.Length > Limits.TransactionBytesMax || block.Type.Length > Limits.TypeBytesMax)
        {
            _invalid++;
            _refused?.Invoke(block, $"it is larger than what is kept: a transaction has at most {Limits.TransactionBytesMax} bytes, a type {Limits.TypeBytesMax}");
            return;
        }
        if (signatureIsGood && ChainOf(block.PublicKey) is { } chain)
        {
            HalfBlock? proposal = null;
            if (Follows(block, chain) && (block.IsProposal ? block.Sequence > chain.LinkedTo : FitsProposal(block, chain, out proposal)) && IsPlain(block) && FitsType(block, proposal, chain))
            {
                chain.Append(block);
                _ready.Add(block);
                chain.ReadyIn = _group;
                _keptCount++;
                _kept?.Invoke(block);
                return;
            }
        }
        TakeSlowly(block, signatureIsGood);
    }

    private void TakeSlowly(HalfBlock block, bool signatureIsGood)
    {
        StoreReady();
        if (_store.Get(block.PublicKey, block.Sequence) is { } known && known.Equals(block))
        {
            _known++;
            return;
        }
        var verdict = _validator.Validate(block, _store, signatureIsGood);
        if (verdict.Fraud is { } fraud)
        {
            if (_fraud is not null) _fraud(fraud);
            else _store.AddFraud(fraud);
        }
        if (verdict.IsInvalid)
        {
            _invalid++;
            _store.AddRefused(new RefusedBlock(block, verdict.Reason));
            _refused?.Invoke(block, verdict.Reason);
            return;
        }
        _store.Add(block);
        _keptCount++;
        _kept?.Invoke(block);
        if (ChainOf(block.PublicKey) is { } chain && block.Sequence > chain.Length)
        {
            // Behind a gap nothing is sure of what came before it.
            if (block.Type.SequenceEqual(HelpClaim.BandwidthType)) chain.Totals = BandwidthRules.TotalsAfter(block, _store);
            else if (block.Sequence != chain.Length + 1) chain.Totals = null;
            chain.Append(block);
        }
        if (block.IsProposal || ChainOf(block.LinkKey) is not { } target) return;
        target.LinkedTo = Math.Max(target.LinkedTo, block.LinkSequence);
        if (ChainOf(block.PublicKey) is { } signer) _links.Add(new Link(signer, target, block.LinkSequence));
    }

    /// <summary>Whether nothing of the chain is known at or behind its place, and the block before it is the last one known.</summary>
    private static bool Follows(HalfBlock block, Chain chain) =>
        block.Sequence == chain.Length + 1ul && block.PreviousHash == (chain.Length == 0 ? HalfBlock.GenesisHash : chain.Tip);

    private bool AgreedBefore(HalfBlock block)
    {
        var linking = _store.LinkingTo(block.LinkKey, block.LinkSequence, block.LinkSequence, LinkingMax);
        foreach (var other in linking)
            if (other.PublicKey.SequenceEqual(block.PublicKey)) return true;
        return linking.Count == LinkingMax;
    }

    /// <summary>Whether the rules of its type surely find no fault: there are none, or its totals follow from those of the chain.</summary>
    private bool FitsType(HalfBlock block, HalfBlock? proposal, Chain chain)
    {
        if (_validator.RulesOf(block.Type) is not { } rules) return true;
        if (rules is not BandwidthRules || chain.Totals is not { } totals || !BandwidthRules.SurelyFollows(block, proposal, ref totals)) return false;
        chain.Totals = totals;
        return true;
    }

    private static bool IsPlain(HalfBlock block) => PublicKey.HasRightForm(block.LinkKey) || block.IsSource;

    /// <summary>Whether the proposal that a block agrees to was made to its signer, who did not agree to it before; false where it must be looked at closely.</summary>
    private bool FitsProposal(HalfBlock block, Chain chain, out HalfBlock? proposal)
    {
        proposal = null;
        if (ChainOf(block.LinkKey) is not { } target) return false;
        target.LinkedTo = Math.Max(target.LinkedTo, block.LinkSequence);
        // Within this run nobody may agree twice, nor may who agreed before it: that can be only a signer of whom something was known,
        // and only to a number that was known or linked to.
        if (!_links.Add(new Link(chain, target, block.LinkSequence))) return false;
        if (!chain.IsNew && (block.LinkSequence <= target.LengthBefore || target.WasLinkedAhead) && AgreedBefore(block)) return false;
        if (block.LinkSequence > target.Length) return true;
        if (target.Recent(block.LinkSequence) is { } recent) return (proposal = recent).LinkKey.SequenceEqual(block.PublicKey);
        if (target.ReadyIn == _group) StoreReady();
        proposal = _store.Get(block.LinkKey, block.LinkSequence);
        return proposal is not null && proposal.LinkKey.SequenceEqual(block.PublicKey);
    }

    private void StoreReady()
    {
        if (_ready.Count == 0) return;
        _store.AddRange([.. _ready]);
        _ready.Clear();
        _group++;
    }

    private Chain? ChainOf(ReadOnlySpan<byte> key)
    {
        // Two chains that agree with each other come by turns: comparing is cheaper than hashing.
        if (_before is { } before && key.SequenceEqual(before.Owner.Bytes)) return before;
        if (_last is { } last && key.SequenceEqual(last.Owner.Bytes))
        {
            (_before, _last) = (_last, _before);
            return last;
        }
        if (FindOrRead(key) is not { } found) return null;
        (_before, _last) = (found, _before);
        return found;
    }

    private Chain? FindOrRead(ReadOnlySpan<byte> key)
    {
        if (_chainOf.TryGetValue(key, out var chain)) return chain;
        if (!PublicKey.TryParse(key, out var owner)) return null;
        if (_chains.Count >= ChainsMax || _links.Count >= LinksMax)
        {
            StoreReady();
            _chains.Clear();
            _links.Clear();
            (_before, _last) = (null, null);
        }
        var latest = _store.Latest(key);
        var linkedAhead = latest is { Sequence: uint.MaxValue } || _store.LinkingTo(key, (latest?.Sequence ?? 0) + 1, uint.MaxValue, 1).Count > 0;
        return _chains[owner] = new Chain
        {
            Totals = latest is null ? (0, 0) : BandwidthRules.TotalsAfter(latest, _store),
            Owner = owner,
            Length = latest?.Sequence ?? 0, LengthBefore = latest?.Sequence ?? 0, WasLinkedAhead = linkedAhead, Tip = latest?.Hash ?? HalfBlock.GenesisHash, IsNew = latest is null,
            LinkedTo = linkedAhead ? uint.MaxValue : 0,
        };
    }

    /// <summary>What has to be known of a chain to judge its next block.</summary>
    private sealed class Chain
    {
        private HalfBlock?[]? _recent;

        /// <summary>Whose it is.</summary>
        public required PublicKey Owner { get; init; }
        /// <summary>The highest number held.</summary>
        public uint Length { get; set; }
        /// <summary>The highest number that was held before this run.</summary>
        public uint LengthBefore { get; init; }
        /// <summary>Whether anybody linked to a number above that before this run.</summary>
        public bool WasLinkedAhead { get; init; }
        /// <summary>Its hash.</summary>
        public Hash256 Tip { get; set; }
        /// <summary>Nothing of it was held before.</summary>
        public bool IsNew { get; init; }
        /// <summary>Somebody links to a number up to this one: such a proposal may be the third block of a fraud.</summary>
        public uint LinkedTo { get; set; }
        /// <summary>The sums that its last block of bandwidth says, when they are surely those of the chain; null where it must be looked up.</summary>
        public (long Up, long Down)? Totals { get; set; }
        /// <summary>The group of writes in which a block of it waits.</summary>
        public int ReadyIn { get; set; } = -1;

        /// <summary>The block is held, and is the last one.</summary>
        public void Append(HalfBlock block)
        {
            (Length, Tip) = (block.Sequence, block.Hash);
            (_recent ??= new HalfBlock?[RecentBlocks])[block.Sequence % RecentBlocks] = block;
        }

        /// <summary>One of the last blocks appended here, if it is: agreements follow soon after their proposals.</summary>
        public HalfBlock? Recent(uint sequence) =>
            _recent?[sequence % RecentBlocks] is { } block && block.Sequence == sequence ? block : null;
    }

    private readonly record struct Link(Chain Signer, Chain Target, uint Sequence);
}
