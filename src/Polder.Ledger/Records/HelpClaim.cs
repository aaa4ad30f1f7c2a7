using System.Text;
using Polder.Ledger.Blocks;

namespace Polder.Ledger.Records;

/// <summary>What one half block says about help: how much its signer gave to its counterparty, and got from it.</summary>
/// <param name="Gave">What the signer gave; 0 or more.</param>
/// <param name="Got">What the signer got; 0 or more. One of the two is above 0.</param>
/// <param name="Unit">In what: "bytes", or the word that was chosen.</param>
/// <param name="For">What the help was; may be empty.</param>
public readonly record struct HelpClaim(long Gave, long Got, string Unit, string For)
{
    /// <summary>The block type for bytes, shared with Tribler and AnyDex.</summary>
    public static ReadOnlySpan<byte> BandwidthType => "tribler_bandwidth"u8;

    /// <summary>The block type for every other unit.</summary>
    public static ReadOnlySpan<byte> HelpType => "polder_help"u8;

    /// <summary>The unit of <see cref="BandwidthType"/>.</summary>
    public const string Bytes = "bytes";

    /// <summary>Characters of a unit.</summary>
    public const int UnitCharactersMax = 32;

    /// <summary>Bytes of UTF-8 of what the help was.</summary>
    public const int ForBytesMax = 256;

    /// <summary>Whether blocks of this type are records of help.</summary>
    public static bool IsHelp(ReadOnlySpan<byte> type) => type.SequenceEqual(BandwidthType) || type.SequenceEqual(HelpType);

    /// <summary>Reads a block of either type; false for other types and for what does not add up by itself.</summary>
    public static bool TryRead(HalfBlock block, out HelpClaim claim)
    {
        ArgumentNullException.ThrowIfNull(block);
        claim = default;
        if (block.Type.SequenceEqual(BandwidthType))
        {
            if (BandwidthEntry.Read(block) is not { } entry) return false;
            claim = new HelpClaim(entry.Up, entry.Down, Bytes, entry.For);
            return true;
        }
        if (!block.Type.SequenceEqual(HelpType) || !TransactionCodec.TryDecode(block.Transaction, TransactionFamily.Strict, out var transaction, out _)) return false;
        if (transaction["gave"] is not { Kind: TransactionKind.Boolean } gave || transaction["amount"]?.AsUInt63 is not { } amount || amount == 0) return false;
        if (transaction["unit"]?.AsText is not { } unit || !IsUnit(unit) || transaction["for"]?.AsText is not { } what || !IsFor(what)) return false;
        // The agreement copies the proposal's transaction: "gave" always speaks of who proposed.
        var signerGave = gave.IsTrue == block.IsProposal;
        claim = new HelpClaim(signerGave ? amount : 0, signerGave ? 0 : amount, unit, what);
        return true;
    }

    /// <summary>Whether this may name a unit: 1 to 32 characters, none of them for control, not "bytes" in other letters.</summary>
    public static bool IsUnit(string unit) =>
        unit is { Length: > 0 and <= UnitCharactersMax } && !unit.Any(char.IsControl) && unit.Trim() == unit && !unit.Any(char.IsSurrogate)
        && !unit.Equals(Bytes, StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether this may say what the help was.</summary>
    public static bool IsFor(string what) => Encoding.UTF8.GetByteCount(what) <= ForBytesMax && !what.Any(char.IsControl);

    /// <summary>Whether the other half says the same from the other side.</summary>
    public bool Mirrors(HelpClaim other) => Gave == other.Got && Got == other.Gave && Unit == other.Unit;
}
