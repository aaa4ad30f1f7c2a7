using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Security.Cryptography;

namespace Polder.Benchmarks.Signatures;

/// <summary>
/// The batch equation: with random z of 127 bits, sum z (R + h A) = (sum z S) B, one multiplication of many points at once by buckets
/// (Pippenger), four windows in four lanes. One verdict for all; signers that come again cost one point together.
/// </summary>
/// <remarks>
/// Before the equation the same is asked of S, A and R as libsodium asks, R's canonical form included. What stays different is torsion:
/// libsodium's equation has no cofactor and must hold exactly, and the sum may hold although single ones are off by points of order 2, 4 or 8.
/// </remarks>
internal static unsafe class BatchEquation
{
    private const MethodImplOptions Hot = MethodImplOptions.AggressiveOptimization;
    private const int Lanes = FieldLanes.Lanes, LongBits = 253, ShortBits = 127;

    /// <param name="items">A batch.</param>
    /// <param name="cofactored">Multiplies the sum by eight before it is compared: deterministic about torsion, by accepting all of it.</param>
    /// <param name="random">Numbers nobody else can foresee.</param>
    public static bool Verify(ReadOnlySpan<SignedItem> items, bool cofactored = false, RandomNumberGenerator? random = null)
    {
        var keys = new Dictionary<byte[], int>(KeyComparer.Instance);
        foreach (var item in items) keys.TryAdd(item.Key, keys.Count);
        // Short ones first, then the keys, then the base point.
        var (shorts, count) = (items.Length, items.Length + keys.Count + 1);
        var points = (ulong*)NativeMemory.AlignedAlloc((nuint)((count + Lanes) * PointLanes.ReadyWords * sizeof(ulong)), 64);
        var scalars = (ulong*)NativeMemory.AllocZeroed((nuint)(count * Scalars.Words * sizeof(ulong)));
        try
        {
            if (!Take(items, keys, points, scalars, random)) return false;
            var window = WindowFor(count);
            PointLanes sum = PointLanes.Identity;
            SumWindows(points, scalars, shorts, count, window, &sum);
            if (cofactored) PointLanes.Double(&sum, 3);
            FieldLanes difference;
            FieldLanes.Subtract(&difference, &sum.Y, &sum.Z);
            return sum.X.IsZero(0) && difference.IsZero(0);
        }
        finally
        {
            NativeMemory.AlignedFree(points);
            NativeMemory.Free(scalars);
        }
    }

    /// <summary>Points, made ready, and their factors; false where a signature is refused whatever the equation says.</summary>
    private static bool Take(ReadOnlySpan<SignedItem> items, Dictionary<byte[], int> keys, ulong* points, ulong* scalars, RandomNumberGenerator? random)
    {
        var z = new byte[items.Length * 16];
        if (random is null) RandomNumberGenerator.Fill(z);
        else random.GetBytes(z);
        var encodings = new byte[(items.Length + keys.Count + 2 * Lanes) * 32];
        var baseScalar = scalars + (items.Length + keys.Count) * Scalars.Words;
        ulong* h = stackalloc ulong[Scalars.WideWords], s = stackalloc ulong[Scalars.Words], t = stackalloc ulong[Scalars.Words];
        for (var i = 0; i < items.Length; i++)
        {
            var item = items[i];
            item.Signature.AsSpan(32, 32).CopyTo(new Span<byte>(s, 32));
            var nonce = item.Signature.AsSpan(0, 32);
            if (!Scalars.IsCanonical(s) || Encodings.HasSmallOrder(nonce) || !Encodings.IsCanonical(nonce)) return false;
            LaneVerifier.Challenge(item, h);
            var factor = scalars + i * Scalars.Words;
            z.AsSpan(i * 16, 16).CopyTo(new Span<byte>(factor, 16));
            factor[1] &= ulong.MaxValue >> 1;
            Scalars.MultiplySmall(t, factor, h);
            Scalars.AddModulo(scalars + (items.Length + keys[item.Key]) * Scalars.Words, t);
            Scalars.MultiplySmall(t, factor, s);
            Scalars.AddModulo(baseScalar, t);
            nonce.CopyTo(encodings.AsSpan(i * 32));
        }
        foreach (var (key, index) in keys)
        {
            if (!Encodings.IsCanonical(key) || Encodings.HasSmallOrder(key)) return false;
            key.CopyTo(encodings, (items.Length + index) * 32);
        }
        // -B, so that all of it adds up to nothing.
        var negativeBase = PointLanes.Broadcast(Reference.Negate(Reference.Base));
        var last = points + (items.Length + keys.Count) * PointLanes.ReadyWords;
        PointLanes p;
        for (var i = 0; i < items.Length + keys.Count; i += Lanes)
        {
            var here = Math.Min(Lanes, items.Length + keys.Count - i);
            for (var j = here; j < Lanes; j++) encodings.AsSpan(i * 32, 32).CopyTo(encodings.AsSpan((i + j) * 32));
            if (PointLanes.Decode(&p, encodings.AsSpan(i * 32, Lanes * 32)) != 15) return false;
            var at = points + i * PointLanes.ReadyWords;
            PointLanes.StoreReady(&p, at, at + PointLanes.ReadyWords, at + 2 * PointLanes.ReadyWords, at + 3 * PointLanes.ReadyWords);
        }
        PointLanes.StoreReady(&negativeBase, last, last, last, last);
        return true;
    }

    private static int WindowFor(int points) => points switch { < 24 => 4, < 96 => 5, < 300 => 6, < 900 => 7, _ => 8 };

    [MethodImpl(Hot)]
    private static void SumWindows(ulong* points, ulong* scalars, int shorts, int count, int window, PointLanes* result)
    {
        var windows = (LongBits + window) / window;
        var shortWindows = (ShortBits + window) / window;
        var padded = (windows + Lanes - 1) / Lanes * Lanes;
        var digits = (short*)NativeMemory.AllocZeroed((nuint)(count * padded * sizeof(short)));
        var buckets = (1 << (window - 1)) + 1;
        var laneWords = buckets * PointLanes.PackedWords;
        var store = (ulong*)NativeMemory.AlignedAlloc((nuint)(Lanes * laneWords * sizeof(ulong)), 64);
        try
        {
            for (var i = 0; i < count; i++) Scalars.Digits(scalars + i * Scalars.Words, Scalars.Words, window, digits + i * padded, i < shorts ? shortWindows : windows);
            var perWindow = stackalloc ulong[Lanes * PointLanes.PackedWords];
            for (var first = padded - Lanes; first >= 0; first -= Lanes)
            {
                PointLanes group;
                SumGroup(points, digits + first, padded, first >= shortWindows ? shorts : 0, count, store, buckets, &group);
                PointLanes.Store(&group, perWindow, perWindow + PointLanes.PackedWords, perWindow + 2 * PointLanes.PackedWords, perWindow + 3 * PointLanes.PackedWords);
                for (var lane = Lanes - 1; lane >= 0; lane--)
                {
                    PointLanes.Double(result, window);
                    var at = perWindow + lane * PointLanes.PackedWords;
                    PointLanes one;
                    PointLanes.Load(&one, at, at, at, at);
                    PointLanes.Add(result, &one);
                }
            }
        }
        finally
        {
            NativeMemory.Free(digits);
            NativeMemory.AlignedFree(store);
        }
    }

    /// <summary>Four windows: each point into the bucket of its digit in each, then the sum of digit times bucket.</summary>
    [MethodImpl(Hot), SkipLocalsInit]
    private static void SumGroup(ulong* points, short* digits, int stride, int from, int count, ulong* store, int buckets, PointLanes* sum)
    {
        const int Words = PointLanes.PackedWords;
        var laneWords = buckets * Words;
        var s0 = store;
        var s1 = store + laneWords;
        var s2 = store + 2 * laneWords;
        var s3 = store + 3 * laneWords;
        PointLanes bucket = PointLanes.Identity;
        for (var i = 0; i < buckets; i++) PointLanes.Store(&bucket, s0 + i * Words, s1 + i * Words, s2 + i * Words, s3 + i * Words);
        for (var i = from; i < count; i++)
        {
            var d = digits + i * stride;
            int d0 = d[0], d1 = d[1], d2 = d[2], d3 = d[3];
            var b0 = s0 + Math.Abs(d0) * Words;
            var b1 = s1 + Math.Abs(d1) * Words;
            var b2 = s2 + Math.Abs(d2) * Words;
            var b3 = s3 + Math.Abs(d3) * Words;
            PointLanes.Load(&bucket, b0, b1, b2, b3);
            var p = points + i * PointLanes.ReadyWords;
            var negative = Vector256.Create((long)d0 >> 63, (long)d1 >> 63, (long)d2 >> 63, (long)d3 >> 63).AsUInt64();
            PointLanes.AddFrom(&bucket, p, p, p, p, negative);
            PointLanes.Store(&bucket, b0, b1, b2, b3);
        }
        PointLanes running = PointLanes.Identity;
        *sum = PointLanes.Identity;
        for (var i = buckets - 1; i > 0; i--)
        {
            PointLanes.Load(&bucket, s0 + i * Words, s1 + i * Words, s2 + i * Words, s3 + i * Words);
            PointLanes.Add(&running, &bucket);
            PointLanes.Add(sum, &running);
        }
    }
}
