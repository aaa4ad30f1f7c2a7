namespace Polder.Ledger.Validation;

/// <summary>Something that is wrong with a block. Any fault makes it invalid.</summary>
public enum BlockFault
{
    /// <summary>The sequence number is 0.</summary>
    SequenceBeforeGenesis,
    /// <summary>The owner's key has not the form of a key.</summary>
    BadPublicKey,
    /// <summary>The signature is not the owner's.</summary>
    BadSignature,
    /// <summary>The counterparty's key is neither a key nor "any counterparty".</summary>
    BadLinkKey,
    /// <summary>A block to its own signer: a fault to py only.</summary>
    SelfSigned,
    /// <summary>The first block does not say so.</summary>
    GenesisHashMissing,
    /// <summary>A later block says that nothing came before.</summary>
    GenesisHashMisplaced,
    /// <summary>The known block with this number names another counterparty.</summary>
    LinkKeyDiffersFromKnown,
    /// <summary>The known block with this number links to another number.</summary>
    LinkSequenceDiffersFromKnown,
    /// <summary>The known block with this number has another predecessor.</summary>
    PreviousHashDiffersFromKnown,
    /// <summary>The known block with this number has another signature.</summary>
    SignatureDiffersFromKnown,
    /// <summary>Two blocks of one chain with one number, both well signed.</summary>
    DoubleSign,
    /// <summary>The linked block belongs to somebody else than the counterparty, or the proposal was addressed to somebody else.</summary>
    LinkedKeyMismatch,
    /// <summary>Neither of two linked blocks points at the other.</summary>
    LinkedNumberMismatch,
    /// <summary>A second agreement of the same signer for one proposal.</summary>
    DoubleCountersign,
    /// <summary>The previous hash is not that of the block before.</summary>
    PreviousHashMismatch,
    /// <summary>The block after does not point here.</summary>
    NextHashMismatch,
    /// <summary>The transaction breaks the rules of its type.</summary>
    Transaction,
}

/// <summary>Faults in words: the reference's own, and ours.</summary>
internal static class BlockFaults
{
    /// <summary>What py-ipv8 says.</summary>
    public static string PyText(BlockFault fault) => fault switch
    {
        BlockFault.SequenceBeforeGenesis => "Sequence number is prior to genesis",
        BlockFault.BadPublicKey => "Public key is not valid",
        BlockFault.BadSignature => "Invalid signature",
        BlockFault.BadLinkKey => "Linked public key is not valid",
        BlockFault.SelfSigned => "Self signed block",
        BlockFault.GenesisHashMissing => "Sequence number implies previous hash should be Genesis ID",
        BlockFault.GenesisHashMisplaced => "Sequence number implies previous hash should not be Genesis ID",
        BlockFault.LinkKeyDiffersFromKnown => "Link public key does not match known block",
        BlockFault.LinkSequenceDiffersFromKnown => "Link sequence number does not match known block",
        BlockFault.PreviousHashDiffersFromKnown => "Previous hash does not match known block",
        BlockFault.SignatureDiffersFromKnown => "Signature does not match known block",
        BlockFault.DoubleSign => "Double sign fraud",
        BlockFault.LinkedKeyMismatch => "Public key mismatch on linked block",
        BlockFault.LinkedNumberMismatch => "Sequence number mismatch on linked block",
        BlockFault.DoubleCountersign => "Double countersign fraud",
        BlockFault.PreviousHashMismatch => "Previous hash is not equal to the hash id of the previous block",
        BlockFault.NextHashMismatch => "Next hash is not equal to the hash id of the block",
        _ => fault.ToString(),
    };

    /// <summary>What kotlin-ipv8 says; null where it has no such check.</summary>
    public static string? KotlinName(BlockFault fault) => fault switch
    {
        BlockFault.SequenceBeforeGenesis => "INVALID_SEQUENCE_NUMBER",
        BlockFault.BadPublicKey => "INVALID_PUBLIC_KEY",
        BlockFault.BadSignature => "INVALID_SIGNATURE",
        BlockFault.BadLinkKey => "INVALID_LINK_PUBLIC_KEY",
        BlockFault.GenesisHashMissing => "INVALID_GENESIS_HASH",
        BlockFault.GenesisHashMisplaced => "INVALID_GENESIS_SEQUENCE_NUMBER",
        BlockFault.PreviousHashMismatch => "PREVIOUS_HASH_MISMATCH",
        BlockFault.NextHashMismatch => "NEXT_HASH_MISMATCH",
        _ => null,
    };

    /// <summary>What we tell people.</summary>
    public static string Words(BlockFault fault) => fault switch
    {
        BlockFault.SequenceBeforeGenesis => "its number is 0, chains begin at 1",
        BlockFault.BadPublicKey => "its owner's key is not a key",
        BlockFault.BadSignature => "the signature is not its owner's",
        BlockFault.BadLinkKey => "the counterparty's key is not a key",
        BlockFault.SelfSigned => "it is addressed to its own signer",
        BlockFault.GenesisHashMissing => "it is the first block and yet names one before it",
        BlockFault.GenesisHashMisplaced => "it is not the first block and yet names none before it",
        BlockFault.LinkKeyDiffersFromKnown => "the block known under this number has another counterparty",
        BlockFault.LinkSequenceDiffersFromKnown => "the block known under this number links to another number",
        BlockFault.PreviousHashDiffersFromKnown => "the block known under this number has another predecessor",
        BlockFault.SignatureDiffersFromKnown => "the block known under this number has another signature",
        BlockFault.DoubleSign => "fraud: its owner signed two different blocks with this number",
        BlockFault.LinkedKeyMismatch => "it agrees to a proposal that was made to somebody else",
        BlockFault.LinkedNumberMismatch => "it and its other half do not point at each other",
        BlockFault.DoubleCountersign => "fraud: its owner agreed twice to one proposal",
        BlockFault.PreviousHashMismatch => "the hash it gives for the block before is not that block's",
        BlockFault.NextHashMismatch => "the block after it names another predecessor",
        _ => "its transaction breaks the rules of its type",
    };
}
