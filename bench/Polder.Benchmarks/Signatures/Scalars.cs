using System.Numerics;

namespace Polder.Benchmarks.Signatures;

/// <summary>Numbers modulo L, the order of the base point, as four 64-bit words, least first.</summary>
internal static unsafe class Scalars
{
    public const int Words = 4, WideWords = 8;

    private static readonly ulong[] Order = ToWords(Reference.L), TwiceOrder = ToWords(2 * Reference.L), Tail = ToWords(Reference.L - BigInteger.Pow(2, 252));

    /// <summary>Whether a number of 256 bits is below L.</summary>
    public static bool IsCanonical(ulong* x)
    {
        for (var i = Words - 1; i >= 0; i--)
            if (x[i] != Order[i]) return x[i] < Order[i];
        return false;
    }

    /// <summary>512 bits modulo L: 2^252 = -c three times over, with c = L - 2^252 of 125 bits.</summary>
    public static void Reduce(ulong* result, ulong* wide)
    {
        unchecked
        {
            // Products have a word more than they need.
            ulong* hi0 = stackalloc ulong[5], lo0 = stackalloc ulong[4], hi1 = stackalloc ulong[4], lo1 = stackalloc ulong[4], hi2 = stackalloc ulong[2], lo2 = stackalloc ulong[4];
            ulong* p = stackalloc ulong[9];
            Split(wide, 8, lo0, hi0, 5);
            fixed (ulong* c = Tail)
            {
                Multiply(p, hi0, 5, c, 2);
                (p[7], p[8]) = (0, 0);
                Split(p, 7, lo1, hi1, 3);
                Multiply(p, hi1, 3, c, 2);
                Split(p, 5, lo2, hi2, 1);
                Multiply(p, hi2, 1, c, 2);
                p[3] = 0;
            }
            fixed (ulong* twice = TwiceOrder) Add(lo0, twice);
            Add(lo0, lo2);
            Subtract(lo0, lo1);
            Subtract(lo0, p);
            fixed (ulong* order = Order)
                while (!IsCanonical(lo0)) Subtract(lo0, order);
            for (var i = 0; i < Words; i++) result[i] = lo0[i];
        }
    }

    /// <summary>A number of 128 bits times one of 256, modulo L.</summary>
    public static void MultiplySmall(ulong* result, ulong* small, ulong* x)
    {
        ulong* wide = stackalloc ulong[WideWords];
        Multiply(wide, x, 4, small, 2);
        (wide[6], wide[7]) = (0, 0);
        Reduce(result, wide);
    }

    /// <summary>The sum modulo L of two numbers below it.</summary>
    public static void AddModulo(ulong* result, ulong* x)
    {
        Add(result, x);
        fixed (ulong* order = Order)
            if (!IsCanonical(result)) Subtract(result, order);
    }

    /// <summary>Digits of <paramref name="bits"/> bits from -2^(bits-1) to 2^(bits-1) - 1, or the most positive in the last one.</summary>
    public static void Digits(ulong* x, int words, int bits, short* digits, int count)
    {
        unchecked
        {
            var carry = 0;
            for (var i = 0; i < count; i++)
            {
                var (at, shift) = (i * bits >> 6, i * bits & 63);
                var value = at < words ? x[at] >> shift : 0;
                if (shift + bits > 64 && at + 1 < words) value |= x[at + 1] << (64 - shift);
                var digit = (int)(value & ((1ul << bits) - 1)) + carry;
                carry = i < count - 1 && digit >= 1 << (bits - 1) ? 1 : 0;
                digits[i] = (short)(digit - (carry << bits));
            }
        }
    }

    private static void Split(ulong* x, int words, ulong* low, ulong* high, int highWords)
    {
        unchecked
        {
            for (var i = 0; i < 3; i++) low[i] = x[i];
            low[3] = x[3] & ((1ul << 60) - 1);
            for (var i = 0; i < highWords; i++) high[i] = x[i + 3] >> 60 | (i + 4 < words ? x[i + 4] << 4 : 0);
        }
    }

    private static void Multiply(ulong* result, ulong* x, int xWords, ulong* y, int yWords)
    {
        unchecked
        {
            for (var i = 0; i < xWords + yWords; i++) result[i] = 0;
            for (var i = 0; i < xWords; i++)
            {
                ulong carry = 0;
                for (var j = 0; j < yWords; j++)
                {
                    var high = Math.BigMul(x[i], y[j], out var low);
                    low += carry;
                    if (low < carry) high++;
                    var sum = result[i + j] + low;
                    if (sum < low) high++;
                    result[i + j] = sum;
                    carry = high;
                }
                result[i + yWords] = carry;
            }
        }
    }

    private static void Add(ulong* result, ulong* x)
    {
        unchecked
        {
            ulong carry = 0;
            for (var i = 0; i < Words; i++)
            {
                var sum = result[i] + x[i];
                var over = sum < x[i] ? 1ul : 0;
                result[i] = sum + carry;
                carry = over + (result[i] < carry ? 1ul : 0);
            }
        }
    }

    private static void Subtract(ulong* result, ulong* x)
    {
        unchecked
        {
            ulong borrow = 0;
            for (var i = 0; i < Words; i++)
            {
                var difference = result[i] - x[i];
                var under = result[i] < x[i] ? 1ul : 0;
                result[i] = difference - borrow;
                borrow = under + (difference < borrow ? 1ul : 0);
            }
        }
    }

    private static ulong[] ToWords(BigInteger value)
    {
        var words = new ulong[Words];
        for (var i = 0; i < Words; i++) words[i] = (ulong)(value >> (64 * i) & ulong.MaxValue);
        return words;
    }
}
