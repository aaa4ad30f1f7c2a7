namespace Polder.Apps.Bundles.Letters;

/// <summary>What a letter is about: a byte of an open table (<see cref="LetterKinds"/>). Only both ends know it.</summary>
/// <param name="Value">The byte.</param>
public readonly record struct LetterKind(byte Value)
{
    /// <inheritdoc/>
    public override string ToString() => LetterKinds.Name(this);
}

/// <summary>The table of kinds. Add a line for a new app; a number is never used again for something else.</summary>
public static class LetterKinds
{
    /// <summary>The mail-bag's own: receipts for letters.</summary>
    public static LetterKind Receipt => new(0);
    /// <summary>Chat: what two people or a group say.</summary>
    public static LetterKind Chat => new(1);
    /// <summary>A contact card.</summary>
    public static LetterKind ContactCard => new(2);
    /// <summary>Half blocks of TrustChain.</summary>
    public static LetterKind LedgerBlocks => new(3);

    /// <summary>A word for people.</summary>
    public static string Name(LetterKind kind) => kind.Value switch
    {
        0 => "receipt",
        1 => "message",
        2 => "contact card",
        3 => "ledger blocks",
        _ => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"kind {kind.Value}"),
    };
}
