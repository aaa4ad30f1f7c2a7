using Polder.Ledger.Stores;

namespace Polder.Ledger.Validation;

/// <summary>How much of the chain around a block is known, or that it is invalid.</summary>
public enum BlockLevel
{
    /// <summary>Both neighbours are known and fit.</summary>
    Valid,
    /// <summary>All before fits, the next is not known: the normal state of a fresh block.</summary>
    PartialNext,
    /// <summary>The next fits, the one before is not known.</summary>
    PartialPrevious,
    /// <summary>Neither direct neighbour is known, but others of the chain are.</summary>
    Partial,
    /// <summary>Nothing of the chain is known.</summary>
    NoInfo,
    /// <summary>Something is wrong.</summary>
    Invalid,
}

/// <summary>Whose rules judge a block.</summary>
public enum ValidationRules
{
    /// <summary>
    /// Ours: all that py checks, but blocks to oneself are legal, and a third party's block never makes another's invalid (in
    /// py whoever links to your proposal first can). The transaction rules of known types apply.
    /// </summary>
    Polder,
    /// <summary>py-ipv8 of December 2020, exactly.</summary>
    Py,
    /// <summary>kotlin-ipv8 of February 2025, exactly.</summary>
    Kotlin,
}

/// <summary>What was found about a block.</summary>
/// <param name="Level">How much is known, or invalid.</param>
/// <param name="Faults">What is wrong, in the order of the checks; empty unless invalid.</param>
/// <param name="Fraud">Proof of a fraud that this block brought to light; the culprit need not be its owner.</param>
/// <param name="Detail">What the rules of its type say, in words.</param>
public sealed record Verdict(BlockLevel Level, IReadOnlyList<BlockFault> Faults, FraudProof? Fraud = null, string? Detail = null)
{
    private static readonly Verdict[] Clean = [.. Enum.GetValues<BlockLevel>().Select(level => new Verdict(level, []))];

    /// <summary>The verdict on a block with nothing wrong.</summary>
    public static Verdict Of(BlockLevel level) => Clean[(int)level];

    /// <summary>Whether it may be kept.</summary>
    public bool IsInvalid => Level == BlockLevel.Invalid;

    /// <summary>"valid", "partial-next", … or what is wrong, in words.</summary>
    public string Reason => Level switch
    {
        BlockLevel.Valid => "valid",
        BlockLevel.PartialNext => "partial-next",
        BlockLevel.PartialPrevious => "partial-previous",
        BlockLevel.Partial => "partial",
        BlockLevel.NoInfo => "no-info",
        _ => string.Join("; ", Faults.Select(fault => fault == BlockFault.Transaction && Detail is not null ? Detail : BlockFaults.Words(fault))),
    };

    /// <summary>The faults as py-ipv8 words them.</summary>
    public IEnumerable<string> PyErrors => Faults.Select(BlockFaults.PyText);

    /// <summary>The faults as kotlin-ipv8 names them.</summary>
    public IEnumerable<string> KotlinErrors => Faults.Select(BlockFaults.KotlinName).OfType<string>();
}
