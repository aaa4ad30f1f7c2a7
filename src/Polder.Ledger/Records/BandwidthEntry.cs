using Polder.Ledger.Blocks;

namespace Polder.Ledger.Records;

/// <summary>The transaction of a bandwidth block: what its signer gave and got, and the sums over all of its signer's blocks of this type.</summary>
/// <param name="Up">Bytes the signer gave.</param>
/// <param name="Down">Bytes the signer got.</param>
/// <param name="TotalUp">Sum of <paramref name="Up"/> over the signer's blocks of this type, this one included.</param>
/// <param name="TotalDown">Likewise of <paramref name="Down"/>.</param>
/// <param name="For">What the help was: an addition of ours, a fifth key; empty when there is none.</param>
public readonly record struct BandwidthEntry(long Up, long Down, long TotalUp, long TotalDown, string For)
{
    /// <summary>Reads either encoding; null when a number is missing, below 0 or above 2^63 − 1, or nothing was given nor got.</summary>
    public static BandwidthEntry? Read(HalfBlock block)
    {
        ArgumentNullException.ThrowIfNull(block);
        return Read(block.Transaction);
    }

    internal static BandwidthEntry? Read(ReadOnlySpan<byte> bytes)
    {
        if (!TransactionCodec.TryDecodeAny(bytes, out var transaction)) return null;
        if (transaction["up"]?.AsUInt63 is not { } up || transaction["down"]?.AsUInt63 is not { } down
            || transaction["total_up"]?.AsUInt63 is not { } totalUp || transaction["total_down"]?.AsUInt63 is not { } totalDown
            || (up == 0 && down == 0)) return null;
        var what = transaction["for"]?.AsText ?? "";
        return new BandwidthEntry(up, down, totalUp, totalDown, HelpClaim.IsFor(what) ? what : "");
    }

    /// <summary>The transaction's bytes: compact JSON, or TrustChain's own encoding.</summary>
    public byte[] Encode(bool json)
    {
        List<(string, TransactionValue)> pairs =
        [
            ("up", TransactionValue.Integer(Up)), ("down", TransactionValue.Integer(Down)),
            ("total_up", TransactionValue.Integer(TotalUp)), ("total_down", TransactionValue.Integer(TotalDown)),
        ];
        if (For.Length > 0) pairs.Add(("for", TransactionValue.Text(For)));
        var transaction = TransactionValue.Dictionary([.. pairs]);
        return json ? TransactionJson.Encode(transaction) : TransactionCodec.Encode(transaction);
    }
}
