namespace Polder.Benchmarks.Signatures;

/// <summary>What libsodium 1.0.18 to 1.0.21 asks of 32 bytes before it looks at the equation.</summary>
internal static class Encodings
{
    /// <summary>The y coordinates of points of order 1, 2, 4 and 8, and of 0 and 1 written as p and p + 1; the sign does not matter.</summary>
    private static readonly byte[][] SmallOrders = Make();

    /// <summary>y below p; the sign bit may be either.</summary>
    public static bool IsCanonical(ReadOnlySpan<byte> encoding) =>
        (encoding[31] & 0x7F) != 0x7F || encoding[1..31].ContainsAnyExcept((byte)0xFF) || encoding[0] < 0xED;

    public static bool HasSmallOrder(ReadOnlySpan<byte> encoding)
    {
        foreach (var small in SmallOrders)
            if (encoding[..31].SequenceEqual(small.AsSpan(0, 31)) && (encoding[31] & 0x7F) == small[31]) return true;
        return false;
    }

    private static byte[][] Make()
    {
        var ys = new List<System.Numerics.BigInteger> { Reference.P, Reference.P + 1 };
        for (var i = 0; i < 8; i++)
        {
            var y = Reference.Multiply(i, Reference.Torsion8).Y;
            if (!ys.Contains(y)) ys.Add(y);
        }
        return [.. ys.Select(Reference.ScalarBytes)];
    }
}
