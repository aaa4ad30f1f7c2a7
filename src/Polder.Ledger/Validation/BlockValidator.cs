using Polder.Cryptography;
using Polder.Identity;
using Polder.Ledger.Blocks;
using Polder.Ledger.Stores;

namespace Polder.Ledger.Validation;

/// <summary>Rules of one block type, beyond those of the chain. Pure.</summary>
public interface ITransactionRules
{
    /// <summary>What is wrong with this block's transaction, in words; null when nothing is.</summary>
    string? FaultOf(HalfBlock block, IBlockStore store);
}

/// <summary>
/// Judges one block against what is known (specification §4 and §5). Pure: reads the store, writes nothing; the caller keeps
/// the block, or the proof of fraud. The verdict may change as more becomes known.
/// </summary>
public sealed class BlockValidator
{
    /// <summary>Agreements of one proposal that are looked through for a second one of the same signer.</summary>
    private const int AgreementsScannedMax = 64;

    private readonly ISignatures _signatures;
    private readonly ValidationRules _rules;
    private readonly Dictionary<byte[], ITransactionRules> _ofType = new(KeyBytesComparer.Instance);
    private readonly Dictionary<byte[], ITransactionRules>.AlternateLookup<ReadOnlySpan<byte>> _typeLookup;

    /// <summary>A validator by these rules.</summary>
    public BlockValidator(ISignatures signatures, ValidationRules rules = ValidationRules.Polder)
    {
        (_signatures, _rules) = (signatures, rules);
        _typeLookup = _ofType.GetAlternateLookup<ReadOnlySpan<byte>>();
    }

    /// <summary>Adds rules for a type; they apply under <see cref="ValidationRules.Polder"/>.</summary>
    public void AddType(ReadOnlySpan<byte> type, ITransactionRules rules) => _typeLookup[type] = rules;

    /// <summary>Judges a block, its signature included.</summary>
    public Verdict Validate(HalfBlock block, IBlockStore store) => Validate(block, store, block.VerifySignature(_signatures));

    /// <summary>Judges a block whose signature was checked elsewhere.</summary>
    public Verdict Validate(HalfBlock block, IBlockStore store, bool signatureIsGood)
    {
        var previous = store.Before(block.PublicKey, block.Sequence);
        var next = store.After(block.PublicKey, block.Sequence);
        List<BlockFault>? faults = null;
        FraudProof? fraud = null;
        string? detail = null;

        CheckInvariants(block, signatureIsGood, _rules, ref faults);
        if (_rules != ValidationRules.Kotlin)
        {
            CheckKnown(block, store.Get(block.PublicKey, block.Sequence), ref faults, ref fraud);
            if (_rules == ValidationRules.Py) CheckLinkedAsPy(block, store, ref faults);
            else CheckLinked(block, store, signatureIsGood, ref faults, ref fraud);
        }
        CheckChain(block, previous, next, ref faults);
        if (_rules == ValidationRules.Polder && faults is null && _typeLookup.TryGetValue(block.Type, out var rules)
            && (detail = rules.FaultOf(block, store)) is not null)
            Add(ref faults, BlockFault.Transaction);

        if (faults is not null) return new Verdict(BlockLevel.Invalid, faults, fraud, detail);
        var level = LevelOf(block, previous, next);
        return fraud is null ? Verdict.Of(level) : new Verdict(level, [], fraud);
    }

    /// <summary>The rules of a type; null without any.</summary>
    internal ITransactionRules? RulesOf(ReadOnlySpan<byte> type) => _ofType.Count > 0 && _typeLookup.TryGetValue(type, out var rules) ? rules : null;

    internal bool HasTypeRules(ReadOnlySpan<byte> type) => _ofType.Count > 0 && _typeLookup.ContainsKey(type);

    /// <summary>The table of §4, step 1: what the nearest known neighbours say.</summary>
    internal static BlockLevel LevelOf(HalfBlock block, HalfBlock? previous, HalfBlock? next)
    {
        var direct = previous is not null && previous.Sequence == block.Sequence - 1;
        if (next is null)
            return direct || (previous is null && block.IsGenesis) ? BlockLevel.PartialNext : previous is null ? BlockLevel.NoInfo : BlockLevel.Partial;
        if (next.Sequence - 1 != block.Sequence)
            return direct || (previous is null && block.IsGenesis) ? BlockLevel.PartialNext : BlockLevel.Partial;
        return direct || (previous is null && block.IsGenesis) ? BlockLevel.Valid : BlockLevel.PartialPrevious;
    }

    /// <summary>Step 2: what can be seen from the block alone.</summary>
    internal static void CheckInvariants(HalfBlock block, bool signatureIsGood, ValidationRules rules, ref List<BlockFault>? faults)
    {
        if (block.Sequence < HalfBlock.GenesisSequence) Add(ref faults, BlockFault.SequenceBeforeGenesis);
        if (!PublicKey.HasRightForm(block.PublicKey)) Add(ref faults, BlockFault.BadPublicKey);
        else if (!signatureIsGood) Add(ref faults, BlockFault.BadSignature);
        if (!PublicKey.HasRightForm(block.LinkKey) && !block.IsSource) Add(ref faults, BlockFault.BadLinkKey);
        if (rules == ValidationRules.Py && block.IsToSelf) Add(ref faults, BlockFault.SelfSigned);
        var saysGenesis = block.PreviousHash == HalfBlock.GenesisHash;
        if (block.Sequence == HalfBlock.GenesisSequence && !saysGenesis) Add(ref faults, BlockFault.GenesisHashMissing);
        if (block.Sequence != HalfBlock.GenesisSequence && saysGenesis) Add(ref faults, BlockFault.GenesisHashMisplaced);
    }

    /// <summary>Step 3: another block may be known under this number.</summary>
    private static void CheckKnown(HalfBlock block, HalfBlock? known, ref List<BlockFault>? faults, ref FraudProof? fraud)
    {
        if (known is null || known.Equals(block)) return;
        var wellSigned = faults is null || (!faults.Contains(BlockFault.BadSignature) && !faults.Contains(BlockFault.BadPublicKey));
        if (!block.LinkKey.SequenceEqual(known.LinkKey)) Add(ref faults, BlockFault.LinkKeyDiffersFromKnown);
        if (block.LinkSequence != known.LinkSequence) Add(ref faults, BlockFault.LinkSequenceDiffersFromKnown);
        if (block.PreviousHash != known.PreviousHash) Add(ref faults, BlockFault.PreviousHashDiffersFromKnown);
        if (!block.Signature.SequenceEqual(known.Signature)) Add(ref faults, BlockFault.SignatureDiffersFromKnown);
        if (!wellSigned) return;
        Add(ref faults, BlockFault.DoubleSign);
        fraud = new FraudProof(FraudKind.DoubleSign, known, block);
    }

    /// <summary>Step 4 as py has it: the oldest block that is linked either way decides.</summary>
    private static void CheckLinkedAsPy(HalfBlock block, IBlockStore store, ref List<BlockFault>? faults)
    {
        if (store.Linked(block, AgreementsScannedMax) is not [var linked, ..]) return;
        var mismatch = (!linked.PublicKey.SequenceEqual(block.LinkKey) && !block.IsSource)
            || (!linked.LinkKey.SequenceEqual(block.PublicKey) && !linked.IsSource);
        if (mismatch) Add(ref faults, BlockFault.LinkedKeyMismatch);
        else if (block.LinkSequence != linked.Sequence && block.Sequence != linked.LinkSequence) Add(ref faults, BlockFault.LinkedNumberMismatch);
        else if (!block.IsProposal && !linked.IsSource
            && store.Linked(linked, AgreementsScannedMax) is [var other, ..] && !other.Equals(block))
            Add(ref faults, BlockFault.DoubleCountersign);
    }

    /// <summary>
    /// Step 4 as we have it. An agreement is judged by the proposal it points at, a proposal by nobody: what others link to it
    /// is their doing. Two agreements of one signer for one proposal are proof against that signer, in whatever order the
    /// three blocks come.
    /// </summary>
    private static void CheckLinked(HalfBlock block, IBlockStore store, bool signatureIsGood, ref List<BlockFault>? faults, ref FraudProof? fraud)
    {
        if (block.IsProposal)
        {
            if (fraud is null && !block.IsSource) fraud = TwoAgreements(store.LinkingTo(block.PublicKey, block.Sequence, block.Sequence, AgreementsScannedMax), block.LinkKey);
            return;
        }
        if (store.Get(block.LinkKey, block.LinkSequence) is not { } proposal) return;
        if (proposal.IsSource) return;
        if (!proposal.LinkKey.SequenceEqual(block.PublicKey))
        {
            // Of a proven cheater we may hold another version than the one that was honestly agreed to: its doing, not the
            // agreer's, whose chain must not be torn by it (found by the simulator, scenario cheaters).
            if (store.FraudOf(block.LinkKey) is null) Add(ref faults, BlockFault.LinkedKeyMismatch);
            return;
        }
        foreach (var other in store.LinkingTo(block.LinkKey, block.LinkSequence, block.LinkSequence, AgreementsScannedMax))
        {
            if (other.SamePlace(block) || !other.PublicKey.SequenceEqual(block.PublicKey)) continue;
            Add(ref faults, BlockFault.DoubleCountersign);
            if (signatureIsGood) fraud ??= new FraudProof(FraudKind.DoubleCountersign, other, block);
            return;
        }
    }

    private static FraudProof? TwoAgreements(IReadOnlyList<HalfBlock> linking, ReadOnlySpan<byte> signer)
    {
        HalfBlock? first = null;
        foreach (var agreement in linking)
        {
            if (!agreement.PublicKey.SequenceEqual(signer)) continue;
            if (first is not null) return new FraudProof(FraudKind.DoubleCountersign, first, agreement);
            first = agreement;
        }
        return null;
    }

    /// <summary>Step 5: the direct neighbours.</summary>
    internal static void CheckChain(HalfBlock block, HalfBlock? previous, HalfBlock? next, ref List<BlockFault>? faults)
    {
        if (previous is not null && previous.Sequence == block.Sequence - 1 && previous.Hash != block.PreviousHash)
            Add(ref faults, BlockFault.PreviousHashMismatch);
        if (next is not null && next.Sequence - 1 == block.Sequence && next.PreviousHash != block.Hash)
            Add(ref faults, BlockFault.NextHashMismatch);
    }

    private static void Add(ref List<BlockFault>? faults, BlockFault fault) => (faults ??= []).Add(fault);
}
