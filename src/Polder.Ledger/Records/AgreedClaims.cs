using System.Runtime.CompilerServices;
using Polder.Ledger.Blocks;
using Polder.Ledger.Reputation;

namespace Polder.Ledger.Records;

/// <summary>
/// Which two half blocks make an agreed record, and what it says: the one rule for graphs and for every store
/// (reputation.md §1.1, steps 1 and 2). Pure.
/// </summary>
internal static class AgreedClaims
{
    private const int DigitsMax = 18;

    /// <summary>What a block that may be half of a record claims; false for every other block.</summary>
    public static bool TryClaim(HalfBlock block, out HelpClaim claim)
    {
        claim = default;
        var type = block.Type;
        if (type.SequenceEqual(HelpClaim.BandwidthType))
        {
            if (block.IsSource || block.IsToSelf) return false;
            // Nearly all blocks of a crawl are of this type and of one form; reading that form costs a tenth of the decoder.
            if (TryPlainBandwidth(block.Transaction, out var up, out var down))
            {
                claim = new HelpClaim(up, down, HelpClaim.Bytes, "");
                return up > 0 || down > 0;
            }
            return HelpClaim.TryRead(block, out claim);
        }
        return type.SequenceEqual(HelpClaim.HelpType) && !block.IsSource && !block.IsToSelf && HelpClaim.TryRead(block, out claim);
    }

    /// <summary>Whether proposal and agreement say the same: mirrored, or as a plain copy.</summary>
    public static bool Agree(in HelpClaim proposal, in HelpClaim agreement) =>
        proposal.Unit == agreement.Unit
        && ((proposal.Gave == agreement.Got && proposal.Got == agreement.Gave) || (proposal.Gave == agreement.Gave && proposal.Got == agreement.Got));

    /// <summary>Whether an amount enters a graph.</summary>
    public static bool Counts(long amount) => amount is > 0 and <= WorkGraph.RecordMax;

    /// <summary>
    /// "up", "down", "total_up", "total_down" in this order and nothing else, as compact JSON or in TrustChain's encoding, with
    /// numbers of at most 18 digits. False means "look closer", not "wrong".
    /// </summary>
    internal static bool TryPlainBandwidth(ReadOnlySpan<byte> data, out long up, out long down) => TryPlainBandwidth(data, out up, out down, out _, out _);

    /// <summary>The same with the totals.</summary>
    internal static bool TryPlainBandwidth(ReadOnlySpan<byte> data, out long up, out long down, out long totalUp, out long totalDown)
    {
        up = down = totalUp = totalDown = 0;
        if (data is [(byte)'{', ..])
        {
            var at = data;
            return Skip(ref at, "{\"up\":"u8) && Digits(ref at, out up) && Skip(ref at, ",\"down\":"u8) && Digits(ref at, out down)
                && Skip(ref at, ",\"total_up\":"u8) && Digits(ref at, out totalUp) && Skip(ref at, ",\"total_down\":"u8) && Digits(ref at, out totalDown)
                && at is [(byte)'}'];
        }
        var rest = data;
        return Skip(ref rest, "a4d2sup"u8) && Counted(ref rest, out up) && Skip(ref rest, "4sdown"u8) && Counted(ref rest, out down)
            && Skip(ref rest, "8stotal_up"u8) && Counted(ref rest, out totalUp) && Skip(ref rest, "10stotal_down"u8) && Counted(ref rest, out totalDown) && rest.IsEmpty;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool Skip(ref ReadOnlySpan<byte> at, ReadOnlySpan<byte> word)
    {
        if (!at.StartsWith(word)) return false;
        at = at[word.Length..];
        return true;
    }

    private static bool Counted(ref ReadOnlySpan<byte> at, out long value)
    {
        value = 0;
        if (!Digits(ref at, out var count) || count is < 1 or > DigitsMax || at.Length < 1 + count || at[0] is not ((byte)'i' or (byte)'J')) return false;
        var digits = at.Slice(1, (int)count);
        at = at[(1 + (int)count)..];
        return Digits(ref digits, out value) && digits.IsEmpty;
    }

    private static bool Digits(ref ReadOnlySpan<byte> at, out long value)
    {
        value = 0;
        var length = 0;
        for (; length < at.Length && length < DigitsMax && char.IsAsciiDigit((char)at[length]); length++) value = value * 10 + (at[length] - '0');
        // More digits, and a leading zero, which means something else in either encoding, are the decoder's.
        if (length == 0 || (length > 1 && at[0] == '0') || (length < at.Length && char.IsAsciiDigit((char)at[length]) && length == DigitsMax)) return false;
        at = at[length..];
        return true;
    }
}
