using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Polder.Benchmarks.Signatures;

/// <summary>Four elements of GF(2^255 - 19), one in each 64-bit lane of ten vectors: limbs of 26 and 25 bits by turns.</summary>
[StructLayout(LayoutKind.Sequential, Size = Limbs * 32)]
internal unsafe struct FieldLanes
{
    public const int Limbs = 10, Lanes = 4;
    /// <summary>Numbers of 64 bits that hold one element packed: two limbs in each.</summary>
    public const int PackedWords = Limbs / 2;

    private const MethodImplOptions Hot = MethodImplOptions.AggressiveOptimization;

    private Vector256<ulong> _limb0;

    public static FieldLanes Zero => default;
    public static FieldLanes One => Broadcast(BigInteger.One);

    /// <summary>The same element in all lanes.</summary>
    public static FieldLanes Broadcast(BigInteger value)
    {
        FieldLanes result = default;
        for (var lane = 0; lane < Lanes; lane++) result.Set(lane, value);
        return result;
    }

    /// <summary>One element into one lane. Below 2^255.</summary>
    public void Set(int lane, BigInteger value)
    {
        fixed (Vector256<ulong>* first = &_limb0)
        {
            var limbs = (ulong*)first;
            for (var i = 0; i < Limbs; i++)
            {
                var bits = BitsOf(i);
                limbs[i * Lanes + lane] = (ulong)(value & ((1u << bits) - 1));
                value >>= bits;
            }
        }
    }

    /// <summary>One element of 255 bits, little-endian, into one lane; the 256th bit is left out.</summary>
    public void Set(int lane, ReadOnlySpan<byte> bytes)
    {
        var words = MemoryMarshal.Cast<byte, ulong>(bytes);
        fixed (Vector256<ulong>* first = &_limb0)
        {
            var limbs = (ulong*)first;
            var at = 0;
            for (var i = 0; i < Limbs; i++)
            {
                var (word, shift, bits) = (at >> 6, at & 63, BitsOf(i));
                var value = words[word] >> shift;
                if (shift + bits > 64 && word < 3) value |= words[word + 1] << (64 - shift);
                limbs[i * Lanes + lane] = value & ((1ul << bits) - 1);
                at += bits;
            }
        }
    }

    /// <summary>One lane in its only form below p, little-endian, 32 bytes.</summary>
    public readonly void Write(int lane, Span<byte> bytes)
    {
        var h = stackalloc ulong[Limbs];
        fixed (Vector256<ulong>* first = &_limb0)
            for (var i = 0; i < Limbs; i++) h[i] = ((ulong*)first)[i * Lanes + lane];
        unchecked
        {
            for (var round = 0; round < 2; round++) Carry(h);
            var q = (h[0] + 19) >> 26;
            for (var i = 1; i < Limbs; i++) q = (h[i] + q) >> BitsOf(i);
            h[0] += 19 * q;
            for (var i = 0; i < Limbs - 1; i++)
            {
                h[i + 1] += h[i] >> BitsOf(i);
                h[i] &= (1ul << BitsOf(i)) - 1;
            }
            h[9] &= (1ul << 25) - 1;
            var words = MemoryMarshal.Cast<byte, ulong>(bytes);
            words[..4].Clear();
            var at = 0;
            for (var i = 0; i < Limbs; i++)
            {
                words[at >> 6] |= h[i] << (at & 63);
                if ((at & 63) + BitsOf(i) > 64) words[(at >> 6) + 1] |= h[i] >> (64 - (at & 63));
                at += BitsOf(i);
            }
        }
    }

    public readonly BigInteger Get(int lane)
    {
        Span<byte> bytes = stackalloc byte[32];
        Write(lane, bytes);
        return new BigInteger(bytes, isUnsigned: true);
    }

    public readonly bool IsZero(int lane)
    {
        Span<byte> bytes = stackalloc byte[32];
        Write(lane, bytes);
        return bytes.IndexOfAnyExcept((byte)0) < 0;
    }

    public readonly bool IsOdd(int lane)
    {
        Span<byte> bytes = stackalloc byte[32];
        Write(lane, bytes);
        return (bytes[0] & 1) != 0;
    }

    /// <summary>Not reduced: limbs grow by a bit.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Add(FieldLanes* result, FieldLanes* x, FieldLanes* y)
    {
        var r = (Vector256<ulong>*)result;
        var f = (Vector256<ulong>*)x;
        var g = (Vector256<ulong>*)y;
        for (var i = 0; i < Limbs; i++) r[i] = f[i] + g[i];
    }

    /// <summary>Not reduced: 2p is added, of which every limb is greater than any of a reduced <paramref name="y"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Subtract(FieldLanes* result, FieldLanes* x, FieldLanes* y)
    {
        var r = (Vector256<ulong>*)result;
        var f = (Vector256<ulong>*)x;
        var g = (Vector256<ulong>*)y;
        var (first, even, odd) = (Vector256.Create(0x7FFFFDAul), Vector256.Create(0x7FFFFFEul), Vector256.Create(0x3FFFFFEul));
        r[0] = f[0] + first - g[0];
        r[1] = f[1] + odd - g[1];
        for (var i = 2; i < Limbs; i += 2)
        {
            r[i] = f[i] + even - g[i];
            r[i + 1] = f[i + 1] + odd - g[i + 1];
        }
    }

    /// <summary>Brings limbs of up to 63 bits back to 26 and 25.</summary>
    [MethodImpl(Hot)]
    public static void Carry(FieldLanes* x)
    {
        var h = (Vector256<ulong>*)x;
        FieldProducts.Reduce(x, h[0], h[1], h[2], h[3], h[4], h[5], h[6], h[7], h[8], h[9]);
    }

    /// <summary>Lanes whose mask is all ones from <paramref name="y"/>, the others from <paramref name="x"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Select(FieldLanes* result, FieldLanes* x, FieldLanes* y, Vector256<ulong> mask)
    {
        var r = (Vector256<ulong>*)result;
        var f = (Vector256<ulong>*)x;
        var g = (Vector256<ulong>*)y;
        for (var i = 0; i < Limbs; i++) r[i] = Avx2.BlendVariable(f[i], g[i], mask);
    }

    /// <summary>The negative in lanes whose mask is all ones. <paramref name="x"/> is reduced.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void NegateWhere(FieldLanes* result, FieldLanes* x, Vector256<ulong> mask)
    {
        var r = (Vector256<ulong>*)result;
        var f = (Vector256<ulong>*)x;
        var (first, even, odd) = (Vector256.Create(0x7FFFFDAul), Vector256.Create(0x7FFFFFEul), Vector256.Create(0x3FFFFFEul));
        r[0] = Avx2.BlendVariable(f[0], first - f[0], mask);
        r[1] = Avx2.BlendVariable(f[1], odd - f[1], mask);
        for (var i = 2; i < Limbs; i += 2)
        {
            r[i] = Avx2.BlendVariable(f[i], even - f[i], mask);
            r[i + 1] = Avx2.BlendVariable(f[i + 1], odd - f[i + 1], mask);
        }
    }

    /// <summary>Four packed elements from four places, one into each lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Load(FieldLanes* result, ulong* a, ulong* b, ulong* c, ulong* d)
    {
        var r = (Vector256<ulong>*)result;
        var low = Vector256.Create(0xFFFF_FFFFul);
        var (w, x, y, z) = (Vector256.Load(a), Vector256.Load(b), Vector256.Load(c), Vector256.Load(d));
        var (wx0, wx1) = (Avx2.UnpackLow(w, x), Avx2.UnpackHigh(w, x));
        var (yz0, yz1) = (Avx2.UnpackLow(y, z), Avx2.UnpackHigh(y, z));
        var p0 = Avx2.Permute2x128(wx0, yz0, 0x20);
        var p1 = Avx2.Permute2x128(wx1, yz1, 0x20);
        var p2 = Avx2.Permute2x128(wx0, yz0, 0x31);
        var p3 = Avx2.Permute2x128(wx1, yz1, 0x31);
        var p4 = Vector256.Create(a[4], b[4], c[4], d[4]);
        (r[0], r[1]) = (p0 & low, Avx2.ShiftRightLogical(p0, 32));
        (r[2], r[3]) = (p1 & low, Avx2.ShiftRightLogical(p1, 32));
        (r[4], r[5]) = (p2 & low, Avx2.ShiftRightLogical(p2, 32));
        (r[6], r[7]) = (p3 & low, Avx2.ShiftRightLogical(p3, 32));
        (r[8], r[9]) = (p4 & low, Avx2.ShiftRightLogical(p4, 32));
    }

    /// <summary>The other way. Limbs are below 2^32.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(FieldLanes* from, ulong* a, ulong* b, ulong* c, ulong* d)
    {
        var f = (Vector256<ulong>*)from;
        var p0 = f[0] | Avx2.ShiftLeftLogical(f[1], 32);
        var p1 = f[2] | Avx2.ShiftLeftLogical(f[3], 32);
        var p2 = f[4] | Avx2.ShiftLeftLogical(f[5], 32);
        var p3 = f[6] | Avx2.ShiftLeftLogical(f[7], 32);
        var p4 = f[8] | Avx2.ShiftLeftLogical(f[9], 32);
        var (l01, h01) = (Avx2.UnpackLow(p0, p1), Avx2.UnpackHigh(p0, p1));
        var (l23, h23) = (Avx2.UnpackLow(p2, p3), Avx2.UnpackHigh(p2, p3));
        Avx2.Permute2x128(l01, l23, 0x20).Store(a);
        Avx2.Permute2x128(h01, h23, 0x20).Store(b);
        Avx2.Permute2x128(l01, l23, 0x31).Store(c);
        Avx2.Permute2x128(h01, h23, 0x31).Store(d);
        (a[4], b[4], c[4], d[4]) = (p4.GetElement(0), p4.GetElement(1), p4.GetElement(2), p4.GetElement(3));
    }

    /// <summary>x^(2^252 - 3), the heart of square roots.</summary>
    public static void PowP58(FieldLanes* result, FieldLanes* x)
    {
        FieldLanes t0, t1, t2;
        Chain(x, &t0, &t1, &t2);
        SquareTimes(&t0, &t0, 2);
        FieldProducts.Multiply(result, &t0, x);
    }

    /// <summary>x^(p - 2) = 1/x; 0 for 0.</summary>
    public static void Invert(FieldLanes* result, FieldLanes* x)
    {
        FieldLanes t0, t1, t2;
        Chain(x, &t0, &t1, &t2);
        SquareTimes(&t0, &t0, 5);
        // x^11 = x^9 x^2.
        FieldProducts.Square(&t1, x);
        FieldLanes x9;
        FieldProducts.Square(&x9, &t1);
        FieldProducts.Square(&x9, &x9);
        FieldProducts.Multiply(&x9, &x9, x);
        FieldProducts.Multiply(&t1, &x9, &t1);
        FieldProducts.Multiply(result, &t0, &t1);
    }

    /// <summary><paramref name="t0"/> = x^(2^250 - 1).</summary>
    private static void Chain(FieldLanes* x, FieldLanes* t0, FieldLanes* t1, FieldLanes* t2)
    {
        FieldLanes x2, x9, x11, e5, e10, e50;
        FieldProducts.Square(&x2, x);
        SquareTimes(t0, &x2, 2);
        FieldProducts.Multiply(&x9, t0, x);
        FieldProducts.Multiply(&x11, &x9, &x2);
        FieldProducts.Square(t0, &x11);
        FieldProducts.Multiply(&e5, t0, &x9);
        SquareTimes(t0, &e5, 5);
        FieldProducts.Multiply(&e10, t0, &e5);
        SquareTimes(t0, &e10, 10);
        FieldProducts.Multiply(t1, t0, &e10);
        SquareTimes(t0, t1, 20);
        FieldProducts.Multiply(t0, t0, t1);
        SquareTimes(t0, t0, 10);
        FieldProducts.Multiply(&e50, t0, &e10);
        SquareTimes(t0, &e50, 50);
        FieldProducts.Multiply(t1, t0, &e50);
        SquareTimes(t2, t1, 100);
        FieldProducts.Multiply(t0, t2, t1);
        SquareTimes(t0, t0, 50);
        FieldProducts.Multiply(t0, t0, &e50);
    }

    public static void SquareTimes(FieldLanes* result, FieldLanes* x, int times)
    {
        FieldProducts.Square(result, x);
        for (var i = 1; i < times; i++) FieldProducts.Square(result, result);
    }

    private static void Carry(ulong* h)
    {
        unchecked
        {
            for (var i = 0; i < Limbs - 1; i++)
            {
                h[i + 1] += h[i] >> BitsOf(i);
                h[i] &= (1ul << BitsOf(i)) - 1;
            }
            h[0] += 19 * (h[9] >> 25);
            h[9] &= (1ul << 25) - 1;
        }
    }

    private static int BitsOf(int limb) => (limb & 1) == 0 ? 26 : 25;
}
