using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Polder.Benchmarks.Signatures;

/// <summary>
/// Products of four pairs of elements of GF(2^255 - 19) at a time, ten limbs of 26 and 25 bits by turns, one element in each 64-bit lane.
/// </summary>
/// <remarks>
/// Limbs of inputs stay below 2^27.6 (a sum of two reduced elements, or a difference with 2p added); those of results are below 2^26 + 2^13.
/// So 38 f g summed ten times stays below 2^64, and 19 g below 2^32.
/// </remarks>
internal static unsafe class FieldProducts
{
    private const MethodImplOptions Hot = MethodImplOptions.AggressiveOptimization;

    /// <remarks>Row by row: ten sums and one factor stay in the sixteen registers, the other factor comes from memory.</remarks>
    [MethodImpl(Hot), SkipLocalsInit]
    public static void Multiply(FieldLanes* result, FieldLanes* x, FieldLanes* y)
    {
        var f = (Vector256<uint>*)x;
        var g = (Vector256<uint>*)y;
        // 19 g1 … 19 g9, g0 … g9: what row i takes for sum k lies at 9 + k - i.
        Vector256<uint>* e = stackalloc Vector256<uint>[19];
        var nineteen = Vector256.Create(19u);
        e[0] = Avx2.Multiply(g[1], nineteen).AsUInt32();
        e[1] = Avx2.Multiply(g[2], nineteen).AsUInt32();
        e[2] = Avx2.Multiply(g[3], nineteen).AsUInt32();
        e[3] = Avx2.Multiply(g[4], nineteen).AsUInt32();
        e[4] = Avx2.Multiply(g[5], nineteen).AsUInt32();
        e[5] = Avx2.Multiply(g[6], nineteen).AsUInt32();
        e[6] = Avx2.Multiply(g[7], nineteen).AsUInt32();
        e[7] = Avx2.Multiply(g[8], nineteen).AsUInt32();
        e[8] = Avx2.Multiply(g[9], nineteen).AsUInt32();
        e[9] = g[0];
        e[10] = g[1];
        e[11] = g[2];
        e[12] = g[3];
        e[13] = g[4];
        e[14] = g[5];
        e[15] = g[6];
        e[16] = g[7];
        e[17] = g[8];
        e[18] = g[9];
        var a = f[0];
        var h0 = Avx2.Multiply(a, e[9]);
        var h1 = Avx2.Multiply(a, e[10]);
        var h2 = Avx2.Multiply(a, e[11]);
        var h3 = Avx2.Multiply(a, e[12]);
        var h4 = Avx2.Multiply(a, e[13]);
        var h5 = Avx2.Multiply(a, e[14]);
        var h6 = Avx2.Multiply(a, e[15]);
        var h7 = Avx2.Multiply(a, e[16]);
        var h8 = Avx2.Multiply(a, e[17]);
        var h9 = Avx2.Multiply(a, e[18]);
        a = f[1];
        var b = Avx2.Add(a, a);
        h0 += Avx2.Multiply(b, e[8]);
        h1 += Avx2.Multiply(a, e[9]);
        h2 += Avx2.Multiply(b, e[10]);
        h3 += Avx2.Multiply(a, e[11]);
        h4 += Avx2.Multiply(b, e[12]);
        h5 += Avx2.Multiply(a, e[13]);
        h6 += Avx2.Multiply(b, e[14]);
        h7 += Avx2.Multiply(a, e[15]);
        h8 += Avx2.Multiply(b, e[16]);
        h9 += Avx2.Multiply(a, e[17]);
        a = f[2];
        h0 += Avx2.Multiply(a, e[7]);
        h1 += Avx2.Multiply(a, e[8]);
        h2 += Avx2.Multiply(a, e[9]);
        h3 += Avx2.Multiply(a, e[10]);
        h4 += Avx2.Multiply(a, e[11]);
        h5 += Avx2.Multiply(a, e[12]);
        h6 += Avx2.Multiply(a, e[13]);
        h7 += Avx2.Multiply(a, e[14]);
        h8 += Avx2.Multiply(a, e[15]);
        h9 += Avx2.Multiply(a, e[16]);
        a = f[3];
        b = Avx2.Add(a, a);
        h0 += Avx2.Multiply(b, e[6]);
        h1 += Avx2.Multiply(a, e[7]);
        h2 += Avx2.Multiply(b, e[8]);
        h3 += Avx2.Multiply(a, e[9]);
        h4 += Avx2.Multiply(b, e[10]);
        h5 += Avx2.Multiply(a, e[11]);
        h6 += Avx2.Multiply(b, e[12]);
        h7 += Avx2.Multiply(a, e[13]);
        h8 += Avx2.Multiply(b, e[14]);
        h9 += Avx2.Multiply(a, e[15]);
        a = f[4];
        h0 += Avx2.Multiply(a, e[5]);
        h1 += Avx2.Multiply(a, e[6]);
        h2 += Avx2.Multiply(a, e[7]);
        h3 += Avx2.Multiply(a, e[8]);
        h4 += Avx2.Multiply(a, e[9]);
        h5 += Avx2.Multiply(a, e[10]);
        h6 += Avx2.Multiply(a, e[11]);
        h7 += Avx2.Multiply(a, e[12]);
        h8 += Avx2.Multiply(a, e[13]);
        h9 += Avx2.Multiply(a, e[14]);
        a = f[5];
        b = Avx2.Add(a, a);
        h0 += Avx2.Multiply(b, e[4]);
        h1 += Avx2.Multiply(a, e[5]);
        h2 += Avx2.Multiply(b, e[6]);
        h3 += Avx2.Multiply(a, e[7]);
        h4 += Avx2.Multiply(b, e[8]);
        h5 += Avx2.Multiply(a, e[9]);
        h6 += Avx2.Multiply(b, e[10]);
        h7 += Avx2.Multiply(a, e[11]);
        h8 += Avx2.Multiply(b, e[12]);
        h9 += Avx2.Multiply(a, e[13]);
        a = f[6];
        h0 += Avx2.Multiply(a, e[3]);
        h1 += Avx2.Multiply(a, e[4]);
        h2 += Avx2.Multiply(a, e[5]);
        h3 += Avx2.Multiply(a, e[6]);
        h4 += Avx2.Multiply(a, e[7]);
        h5 += Avx2.Multiply(a, e[8]);
        h6 += Avx2.Multiply(a, e[9]);
        h7 += Avx2.Multiply(a, e[10]);
        h8 += Avx2.Multiply(a, e[11]);
        h9 += Avx2.Multiply(a, e[12]);
        a = f[7];
        b = Avx2.Add(a, a);
        h0 += Avx2.Multiply(b, e[2]);
        h1 += Avx2.Multiply(a, e[3]);
        h2 += Avx2.Multiply(b, e[4]);
        h3 += Avx2.Multiply(a, e[5]);
        h4 += Avx2.Multiply(b, e[6]);
        h5 += Avx2.Multiply(a, e[7]);
        h6 += Avx2.Multiply(b, e[8]);
        h7 += Avx2.Multiply(a, e[9]);
        h8 += Avx2.Multiply(b, e[10]);
        h9 += Avx2.Multiply(a, e[11]);
        a = f[8];
        h0 += Avx2.Multiply(a, e[1]);
        h1 += Avx2.Multiply(a, e[2]);
        h2 += Avx2.Multiply(a, e[3]);
        h3 += Avx2.Multiply(a, e[4]);
        h4 += Avx2.Multiply(a, e[5]);
        h5 += Avx2.Multiply(a, e[6]);
        h6 += Avx2.Multiply(a, e[7]);
        h7 += Avx2.Multiply(a, e[8]);
        h8 += Avx2.Multiply(a, e[9]);
        h9 += Avx2.Multiply(a, e[10]);
        a = f[9];
        b = Avx2.Add(a, a);
        h0 += Avx2.Multiply(b, e[0]);
        h1 += Avx2.Multiply(a, e[1]);
        h2 += Avx2.Multiply(b, e[2]);
        h3 += Avx2.Multiply(a, e[3]);
        h4 += Avx2.Multiply(b, e[4]);
        h5 += Avx2.Multiply(a, e[5]);
        h6 += Avx2.Multiply(b, e[6]);
        h7 += Avx2.Multiply(a, e[7]);
        h8 += Avx2.Multiply(b, e[8]);
        h9 += Avx2.Multiply(a, e[9]);
        Reduce(result, h0, h1, h2, h3, h4, h5, h6, h7, h8, h9);
    }

    [MethodImpl(Hot), SkipLocalsInit]
    public static void Square(FieldLanes* result, FieldLanes* x)
    {
        var f = (Vector256<uint>*)x;
        // 19 f5 … 19 f9.
        Vector256<uint>* n = stackalloc Vector256<uint>[5];
        var nineteen = Vector256.Create(19u);
        n[0] = Avx2.Multiply(f[5], nineteen).AsUInt32();
        n[1] = Avx2.Multiply(f[6], nineteen).AsUInt32();
        n[2] = Avx2.Multiply(f[7], nineteen).AsUInt32();
        n[3] = Avx2.Multiply(f[8], nineteen).AsUInt32();
        n[4] = Avx2.Multiply(f[9], nineteen).AsUInt32();
        var a = f[0];
        var b = Avx2.Add(a, a);
        var h0 = Avx2.Multiply(a, f[0]);
        var h1 = Avx2.Multiply(b, f[1]);
        var h2 = Avx2.Multiply(b, f[2]);
        var h3 = Avx2.Multiply(b, f[3]);
        var h4 = Avx2.Multiply(b, f[4]);
        var h5 = Avx2.Multiply(b, f[5]);
        var h6 = Avx2.Multiply(b, f[6]);
        var h7 = Avx2.Multiply(b, f[7]);
        var h8 = Avx2.Multiply(b, f[8]);
        var h9 = Avx2.Multiply(b, f[9]);
        a = f[1];
        b = Avx2.Add(a, a);
        var c = Avx2.Add(b, b);
        h2 += Avx2.Multiply(b, f[1]);
        h3 += Avx2.Multiply(b, f[2]);
        h4 += Avx2.Multiply(c, f[3]);
        h5 += Avx2.Multiply(b, f[4]);
        h6 += Avx2.Multiply(c, f[5]);
        h7 += Avx2.Multiply(b, f[6]);
        h8 += Avx2.Multiply(c, f[7]);
        h9 += Avx2.Multiply(b, f[8]);
        h0 += Avx2.Multiply(c, n[4]);
        a = f[2];
        b = Avx2.Add(a, a);
        h4 += Avx2.Multiply(a, f[2]);
        h5 += Avx2.Multiply(b, f[3]);
        h6 += Avx2.Multiply(b, f[4]);
        h7 += Avx2.Multiply(b, f[5]);
        h8 += Avx2.Multiply(b, f[6]);
        h9 += Avx2.Multiply(b, f[7]);
        h0 += Avx2.Multiply(b, n[3]);
        h1 += Avx2.Multiply(b, n[4]);
        a = f[3];
        b = Avx2.Add(a, a);
        c = Avx2.Add(b, b);
        h6 += Avx2.Multiply(b, f[3]);
        h7 += Avx2.Multiply(b, f[4]);
        h8 += Avx2.Multiply(c, f[5]);
        h9 += Avx2.Multiply(b, f[6]);
        h0 += Avx2.Multiply(c, n[2]);
        h1 += Avx2.Multiply(b, n[3]);
        h2 += Avx2.Multiply(c, n[4]);
        a = f[4];
        b = Avx2.Add(a, a);
        h8 += Avx2.Multiply(a, f[4]);
        h9 += Avx2.Multiply(b, f[5]);
        h0 += Avx2.Multiply(b, n[1]);
        h1 += Avx2.Multiply(b, n[2]);
        h2 += Avx2.Multiply(b, n[3]);
        h3 += Avx2.Multiply(b, n[4]);
        a = f[5];
        b = Avx2.Add(a, a);
        c = Avx2.Add(b, b);
        h0 += Avx2.Multiply(b, n[0]);
        h1 += Avx2.Multiply(b, n[1]);
        h2 += Avx2.Multiply(c, n[2]);
        h3 += Avx2.Multiply(b, n[3]);
        h4 += Avx2.Multiply(c, n[4]);
        a = f[6];
        b = Avx2.Add(a, a);
        h2 += Avx2.Multiply(a, n[1]);
        h3 += Avx2.Multiply(b, n[2]);
        h4 += Avx2.Multiply(b, n[3]);
        h5 += Avx2.Multiply(b, n[4]);
        a = f[7];
        b = Avx2.Add(a, a);
        c = Avx2.Add(b, b);
        h4 += Avx2.Multiply(b, n[2]);
        h5 += Avx2.Multiply(b, n[3]);
        h6 += Avx2.Multiply(c, n[4]);
        a = f[8];
        b = Avx2.Add(a, a);
        h6 += Avx2.Multiply(a, n[3]);
        h7 += Avx2.Multiply(b, n[4]);
        a = f[9];
        b = Avx2.Add(a, a);
        h8 += Avx2.Multiply(b, n[4]);
        Reduce(result, h0, h1, h2, h3, h4, h5, h6, h7, h8, h9);
    }

    /// <summary>Brings sums of products back to limbs of 26 and 25 bits: two chains of carries side by side, then the fold 2^255 = 19.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Reduce(FieldLanes* result, Vector256<ulong> h0, Vector256<ulong> h1, Vector256<ulong> h2, Vector256<ulong> h3, Vector256<ulong> h4, Vector256<ulong> h5, Vector256<ulong> h6, Vector256<ulong> h7, Vector256<ulong> h8, Vector256<ulong> h9)
    {
        var (even, odd) = (Vector256.Create((1ul << 26) - 1), Vector256.Create((1ul << 25) - 1));
        h1 += Avx2.ShiftRightLogical(h0, 26); h0 &= even;
        h5 += Avx2.ShiftRightLogical(h4, 26); h4 &= even;
        h2 += Avx2.ShiftRightLogical(h1, 25); h1 &= odd;
        h6 += Avx2.ShiftRightLogical(h5, 25); h5 &= odd;
        h3 += Avx2.ShiftRightLogical(h2, 26); h2 &= even;
        h7 += Avx2.ShiftRightLogical(h6, 26); h6 &= even;
        h4 += Avx2.ShiftRightLogical(h3, 25); h3 &= odd;
        h8 += Avx2.ShiftRightLogical(h7, 25); h7 &= odd;
        h5 += Avx2.ShiftRightLogical(h4, 26); h4 &= even;
        h9 += Avx2.ShiftRightLogical(h8, 26); h8 &= even;
        var top = Avx2.ShiftRightLogical(h9, 25); h9 &= odd;
        h0 += top + Avx2.ShiftLeftLogical(top, 1) + Avx2.ShiftLeftLogical(top, 4);
        h6 += Avx2.ShiftRightLogical(h5, 25); h5 &= odd;
        h1 += Avx2.ShiftRightLogical(h0, 26); h0 &= even;
        var r = (Vector256<ulong>*)result;
        r[0] = h0;
        r[1] = h1;
        r[2] = h2;
        r[3] = h3;
        r[4] = h4;
        r[5] = h5;
        r[6] = h6;
        r[7] = h7;
        r[8] = h8;
        r[9] = h9;
    }
}
