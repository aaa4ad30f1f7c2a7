namespace Polder.Apps.Contacts.Qr;

/// <summary>Reed-Solomon codes over GF(256) with the polynomial x^8+x^4+x^3+x^2+1 and roots α^0, α^1, … (ISO/IEC 18004, annex A).</summary>
internal static class ReedSolomon
{
    private static readonly byte[] Powers = new byte[510];
    private static readonly byte[] Logarithms = new byte[256];

    static ReedSolomon()
    {
        var value = 1;
        for (var i = 0; i < 255; i++)
        {
            (Powers[i], Powers[i + 255], Logarithms[value]) = ((byte)value, (byte)value, (byte)i);
            value <<= 1;
            if (value > 255) value ^= 0x11D;
        }
    }

    /// <summary>Corrects a block in place, of which the last <paramref name="check"/> bytes are check bytes. False when more than half as many are wrong.</summary>
    public static bool Correct(Span<byte> block, int check)
    {
        Span<byte> syndromes = stackalloc byte[check];
        var isClean = true;
        for (var i = 0; i < check; i++)
        {
            var sum = 0;
            foreach (var value in block) sum = Multiply(sum, Powers[i]) ^ value;
            syndromes[i] = (byte)sum;
            isClean &= sum == 0;
        }
        if (isClean) return true;

        // Berlekamp and Massey: the shortest register that makes the syndromes.
        Span<byte> locator = stackalloc byte[check + 1], previous = stackalloc byte[check + 1], saved = stackalloc byte[check + 1];
        locator[0] = previous[0] = 1;
        int errors = 0, shift = 1, last = 1;
        for (var i = 0; i < check; i++)
        {
            int difference = syndromes[i];
            for (var j = 1; j <= errors; j++) difference ^= Multiply(locator[j], syndromes[i - j]);
            if (difference == 0)
            {
                shift++;
                continue;
            }
            locator.CopyTo(saved);
            var factor = Divide(difference, last);
            for (var j = shift; j <= check; j++) locator[j] ^= (byte)Multiply(factor, previous[j - shift]);
            if (2 * errors > i)
            {
                shift++;
                continue;
            }
            saved.CopyTo(previous);
            (errors, last, shift) = (i + 1 - errors, difference, 1);
        }
        if (2 * errors > check) return false;

        // Forney: how much is wrong at each root of the locator.
        Span<byte> evaluator = stackalloc byte[check];
        for (var i = 0; i < check; i++)
        {
            var sum = 0;
            for (var j = 0; j <= Math.Min(i, errors); j++) sum ^= Multiply(locator[j], syndromes[i - j]);
            evaluator[i] = (byte)sum;
        }
        var found = 0;
        for (var position = 0; position < block.Length; position++)
        {
            // The inverse of α^position.
            var root = Powers[(255 - position % 255) % 255];
            if (Evaluate(locator[..(errors + 1)], root) != 0) continue;
            var slope = 0;
            for (var j = 1; j <= errors; j += 2) slope ^= Multiply(locator[j], Power(root, j - 1));
            if (slope == 0) return false;
            var wrong = Multiply(Powers[position % 255], Divide(Evaluate(evaluator, root), slope));
            block[block.Length - 1 - position] ^= (byte)wrong;
            found++;
        }
        return found == errors;
    }

    private static int Evaluate(ReadOnlySpan<byte> polynomial, int at)
    {
        var sum = 0;
        for (var i = polynomial.Length - 1; i >= 0; i--) sum = Multiply(sum, at) ^ polynomial[i];
        return sum;
    }

    private static int Power(int value, int exponent) => exponent == 0 ? 1 : Powers[Logarithms[value] * exponent % 255];

    private static int Multiply(int a, int b) => a == 0 || b == 0 ? 0 : Powers[Logarithms[a] + Logarithms[b]];

    private static int Divide(int a, int b) => a == 0 ? 0 : Powers[Logarithms[a] + 255 - Logarithms[b]];
}
