using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Polder.Benchmarks.Signatures;

/// <summary>Four points of edwards25519, one a lane, in extended coordinates: x = X/Z, y = Y/Z, T = XY/Z.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct PointLanes
{
    private const MethodImplOptions Hot = MethodImplOptions.AggressiveOptimization;

    /// <summary>Numbers of 64 bits in a packed point with all four coordinates, and in one made ready for addition: (y + x, y - x, 2dxy).</summary>
    public const int PackedWords = 4 * FieldLanes.PackedWords, ReadyWords = 16;

    public FieldLanes X, Y, Z, T;

    private static readonly FieldLanes TwiceD = FieldLanes.Broadcast(Reference.Mod(2 * Reference.D)), D = FieldLanes.Broadcast(Reference.D);
    private static readonly FieldLanes RootOfMinusOne = FieldLanes.Broadcast(Reference.RootOfMinusOne);

    public static PointLanes Identity => new() { X = FieldLanes.Zero, Y = FieldLanes.One, Z = FieldLanes.One, T = FieldLanes.Zero };

    public static PointLanes Broadcast((BigInteger X, BigInteger Y) point) => new()
    {
        X = FieldLanes.Broadcast(point.X), Y = FieldLanes.Broadcast(point.Y), Z = FieldLanes.One, T = FieldLanes.Broadcast(Reference.Mod(point.X * point.Y)),
    };

    /// <summary>Adds points with Z = 1 that were made ready. Seven products.</summary>
    [MethodImpl(Hot), SkipLocalsInit]
    public static void AddReady(PointLanes* p, FieldLanes* plus, FieldLanes* minus, FieldLanes* twiceDxy)
    {
        FieldLanes a, b, c, e, f, g;
        FieldLanes.Subtract(&a, &p->Y, &p->X);
        FieldProducts.Multiply(&a, &a, minus);
        FieldLanes.Add(&b, &p->Y, &p->X);
        FieldProducts.Multiply(&b, &b, plus);
        FieldProducts.Multiply(&c, &p->T, twiceDxy);
        FieldLanes.Add(&e, &p->Z, &p->Z);
        FieldLanes.Subtract(&f, &e, &c);
        FieldLanes.Add(&g, &e, &c);
        FieldLanes.Subtract(&e, &b, &a);
        FieldLanes.Add(&b, &b, &a);
        FieldProducts.Multiply(&p->X, &f, &e);
        FieldProducts.Multiply(&p->Y, &g, &b);
        FieldProducts.Multiply(&p->T, &b, &e);
        FieldProducts.Multiply(&p->Z, &f, &g);
    }

    /// <summary>Adds any points. Nine products.</summary>
    [MethodImpl(Hot), SkipLocalsInit]
    public static void Add(PointLanes* p, PointLanes* q)
    {
        FieldLanes a, b, c, e, f, g;
        fixed (FieldLanes* twiceD = &TwiceD) FieldProducts.Multiply(&c, &q->T, twiceD);
        FieldProducts.Multiply(&c, &c, &p->T);
        FieldLanes.Subtract(&a, &p->Y, &p->X);
        FieldLanes.Subtract(&b, &q->Y, &q->X);
        FieldProducts.Multiply(&a, &a, &b);
        FieldLanes.Add(&b, &p->Y, &p->X);
        FieldLanes.Add(&e, &q->Y, &q->X);
        FieldProducts.Multiply(&b, &b, &e);
        FieldProducts.Multiply(&e, &p->Z, &q->Z);
        FieldLanes.Add(&e, &e, &e);
        FieldLanes.Subtract(&f, &e, &c);
        FieldLanes.Add(&g, &e, &c);
        FieldLanes.Subtract(&e, &b, &a);
        FieldLanes.Add(&b, &b, &a);
        FieldProducts.Multiply(&p->X, &f, &e);
        FieldProducts.Multiply(&p->Y, &g, &b);
        FieldProducts.Multiply(&p->T, &b, &e);
        FieldProducts.Multiply(&p->Z, &f, &g);
    }

    /// <summary>Doubles so many times; T is right only after the last.</summary>
    [MethodImpl(Hot), SkipLocalsInit]
    public static void Double(PointLanes* p, int times)
    {
        FieldLanes a, b, e, f, g;
        for (var i = 1; i <= times; i++)
        {
            FieldLanes.Add(&e, &p->X, &p->Y);
            FieldProducts.Square(&e, &e);
            FieldProducts.Square(&a, &p->X);
            FieldProducts.Square(&b, &p->Y);
            FieldProducts.Square(&f, &p->Z);
            FieldLanes.Subtract(&g, &a, &b);
            FieldLanes.Add(&b, &a, &b);
            FieldLanes.Subtract(&e, &b, &e);
            FieldLanes.Add(&f, &f, &f);
            FieldLanes.Add(&f, &f, &g);
            FieldLanes.Carry(&f);
            FieldProducts.Multiply(&p->X, &e, &f);
            FieldProducts.Multiply(&p->Y, &g, &b);
            FieldProducts.Multiply(&p->Z, &g, &f);
            if (i == times) FieldProducts.Multiply(&p->T, &e, &b);
        }
    }

    /// <summary>
    /// Four encodings (RFC 8032, 5.1.3) to points with Z = 1; a bit for each lane that is a point. A number of p or more is taken modulo p, and
    /// x = 0 with the sign bit as x = 0: who wants it otherwise looks before.
    /// </summary>
    public static int Decode(PointLanes* p, ReadOnlySpan<byte> encodings)
    {
        for (var lane = 0; lane < FieldLanes.Lanes; lane++) p->Y.Set(lane, encodings.Slice(lane * 32, 32));
        p->Z = FieldLanes.One;
        FieldLanes u, v, v3, t, one = FieldLanes.One;
        FieldProducts.Square(&t, &p->Y);
        FieldLanes.Subtract(&u, &t, &one);
        FieldLanes.Carry(&u);
        fixed (FieldLanes* d = &D) FieldProducts.Multiply(&v, &t, d);
        FieldLanes.Add(&v, &v, &one);
        // x = u v^3 (u v^7)^((p - 5) / 8), or that times the root of -1.
        FieldProducts.Square(&v3, &v);
        FieldProducts.Multiply(&v3, &v3, &v);
        FieldProducts.Square(&t, &v3);
        FieldProducts.Multiply(&t, &t, &v);
        FieldProducts.Multiply(&t, &t, &u);
        FieldLanes.PowP58(&t, &t);
        FieldProducts.Multiply(&t, &t, &v3);
        FieldProducts.Multiply(&p->X, &t, &u);
        FieldProducts.Square(&t, &p->X);
        FieldProducts.Multiply(&t, &t, &v);
        FieldLanes difference, sum, turned;
        FieldLanes.Subtract(&difference, &t, &u);
        FieldLanes.Add(&sum, &t, &u);
        fixed (FieldLanes* root = &RootOfMinusOne) FieldProducts.Multiply(&turned, &p->X, root);
        var points = 0;
        ulong* turn = stackalloc ulong[FieldLanes.Lanes], negate = stackalloc ulong[FieldLanes.Lanes];
        for (var lane = 0; lane < FieldLanes.Lanes; lane++)
        {
            var direct = difference.IsZero(lane);
            if (direct || sum.IsZero(lane)) points |= 1 << lane;
            turn[lane] = direct ? 0 : ulong.MaxValue;
        }
        FieldLanes.Select(&p->X, &p->X, &turned, Vector256.Load(turn));
        for (var lane = 0; lane < FieldLanes.Lanes; lane++)
            negate[lane] = p->X.IsOdd(lane) != (encodings[lane * 32 + 31] & 0x80) > 0 ? ulong.MaxValue : 0;
        FieldLanes.NegateWhere(&p->X, &p->X, Vector256.Load(negate));
        FieldLanes.Carry(&p->X);
        FieldProducts.Multiply(&p->T, &p->X, &p->Y);
        return points;
    }

    /// <summary>Points with Z = 1, made ready for addition, to four places.</summary>
    public static void StoreReady(PointLanes* p, ulong* a, ulong* b, ulong* c, ulong* d)
    {
        const int Next = FieldLanes.PackedWords;
        FieldLanes t;
        FieldLanes.Add(&t, &p->Y, &p->X);
        FieldLanes.Store(&t, a, b, c, d);
        FieldLanes.Subtract(&t, &p->Y, &p->X);
        FieldLanes.Store(&t, a + Next, b + Next, c + Next, d + Next);
        fixed (FieldLanes* twiceD = &TwiceD) FieldProducts.Multiply(&t, &p->T, twiceD);
        FieldLanes.Store(&t, a + 2 * Next, b + 2 * Next, c + 2 * Next, d + 2 * Next);
    }

    /// <summary>Adds the ready points at four places, or their negatives where a mask is all ones. Seven products.</summary>
    [MethodImpl(Hot), SkipLocalsInit]
    public static void AddFrom(PointLanes* p, ulong* a, ulong* b, ulong* c, ulong* d, Vector256<ulong> negative)
    {
        const int Next = FieldLanes.PackedWords;
        FieldLanes plus, minus, t;
        // The negative of a point has y + x and y - x exchanged.
        var shift = negative & Vector256.Create((ulong)Next);
        var (na, nb, nc, nd) = (shift[0], shift[1], shift[2], shift[3]);
        FieldLanes.Load(&plus, a + na, b + nb, c + nc, d + nd);
        FieldLanes.Load(&minus, a + (Next - na), b + (Next - nb), c + (Next - nc), d + (Next - nd));
        FieldLanes.Load(&t, a + 2 * Next, b + 2 * Next, c + 2 * Next, d + 2 * Next);
        FieldLanes.NegateWhere(&t, &t, negative);
        AddReady(p, &plus, &minus, &t);
    }

    public static void Load(PointLanes* p, ulong* a, ulong* b, ulong* c, ulong* d)
    {
        for (var i = 0; i < 4; i++)
        {
            var at = i * FieldLanes.PackedWords;
            FieldLanes.Load(&p->X + i, a + at, b + at, c + at, d + at);
        }
    }

    public static void Store(PointLanes* p, ulong* a, ulong* b, ulong* c, ulong* d)
    {
        for (var i = 0; i < 4; i++)
        {
            var at = i * FieldLanes.PackedWords;
            FieldLanes.Store(&p->X + i, a + at, b + at, c + at, d + at);
        }
    }

    /// <summary>All points to Z = 1, with one inversion for all of them.</summary>
    public static void Normalise(PointLanes* points, int count)
    {
        var products = (FieldLanes*)NativeMemory.AlignedAlloc((nuint)(count * sizeof(FieldLanes)), 32);
        try
        {
            var running = FieldLanes.One;
            for (var i = 0; i < count; i++)
            {
                products[i] = running;
                FieldProducts.Multiply(&running, &running, &points[i].Z);
            }
            FieldLanes.Invert(&running, &running);
            FieldLanes inverse, one = FieldLanes.One;
            for (var i = count - 1; i >= 0; i--)
            {
                FieldProducts.Multiply(&inverse, &running, &products[i]);
                FieldProducts.Multiply(&running, &running, &points[i].Z);
                FieldProducts.Multiply(&points[i].X, &points[i].X, &inverse);
                FieldProducts.Multiply(&points[i].Y, &points[i].Y, &inverse);
                FieldProducts.Multiply(&points[i].T, &points[i].X, &points[i].Y);
                points[i].Z = one;
            }
        }
        finally { NativeMemory.AlignedFree(products); }
    }
}
