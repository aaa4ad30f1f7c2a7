using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Security.Cryptography;

namespace Polder.Benchmarks.Signatures;

/// <summary>
/// Verifies one by one, four at a time: S B - h A is worked out for four signatures in four lanes, from tables of multiples that are made
/// once for a key and kept, and its encoding compared with R byte by byte. The same equation and the same rules as libsodium 1.0.18: no
/// random number, no torsion that could cancel.
/// </summary>
/// <remarks>Bound: the keys kept, 16 KiB each. Not for more than one thread at a time.</remarks>
internal sealed unsafe class LaneVerifier(int keysMax) : IDisposable
{
    private const int Lanes = FieldLanes.Lanes, KeyDigits = 64, BaseDigits = 32;

    private readonly Dictionary<byte[], KeyTable?> _tables = new(KeyComparer.Instance);

    /// <summary>Tables made so far.</summary>
    public int TablesMade { get; private set; }

    /// <summary>A verdict for each.</summary>
    public void Verify(ReadOnlySpan<SignedItem> items, Span<bool> good)
    {
        good[..items.Length].Clear();
        MakeTables(items);
        var worth = new List<int>(items.Length);
        var digits = (short*)NativeMemory.Alloc((nuint)(items.Length * (KeyDigits + BaseDigits) * sizeof(short)));
        var sums = (PointLanes*)NativeMemory.AlignedAlloc((nuint)((items.Length + Lanes - 1) / Lanes * sizeof(PointLanes)), 32);
        try
        {
            for (var i = 0; i < items.Length; i++)
                if (_tables[items[i].Key] is not null && Prepare(items[i], digits + worth.Count * (KeyDigits + BaseDigits))) worth.Add(i);
            if (worth.Count == 0) return;
            var groups = (worth.Count + Lanes - 1) / Lanes;
            for (var group = 0; group < groups; group++) Sum(items, worth, digits, group, sums + group);
            PointLanes.Normalise(sums, groups);
            Span<byte> encoded = stackalloc byte[32];
            for (var i = 0; i < worth.Count; i++)
            {
                var p = sums + i / Lanes;
                p->Y.Write(i % Lanes, encoded);
                if (p->X.IsOdd(i % Lanes)) encoded[31] |= 0x80;
                good[worth[i]] = encoded.SequenceEqual(items[worth[i]].Signature.AsSpan(0, 32));
            }
        }
        finally
        {
            NativeMemory.Free(digits);
            NativeMemory.AlignedFree(sums);
        }
    }

    public void Dispose()
    {
        foreach (var table in _tables.Values) table?.Dispose();
        _tables.Clear();
    }

    /// <summary>False where libsodium refuses before the equation; else the digits of h, then those of S.</summary>
    private static bool Prepare(SignedItem item, short* digits)
    {
        ulong* h = stackalloc ulong[Scalars.WideWords], s = stackalloc ulong[Scalars.Words];
        item.Signature.AsSpan(32, 32).CopyTo(new Span<byte>(s, 32));
        if (!Scalars.IsCanonical(s) || Encodings.HasSmallOrder(item.Signature.AsSpan(0, 32))) return false;
        Challenge(item, h);
        Scalars.Digits(h, Scalars.Words, KeyTable.KeyBits, digits, KeyDigits);
        Scalars.Digits(s, Scalars.Words, KeyTable.BaseBits, digits + KeyDigits, BaseDigits);
        return true;
    }

    /// <summary>SHA-512 (R, A, message) modulo L.</summary>
    public static void Challenge(SignedItem item, ulong* h)
    {
        var length = 64 + item.Message.Length;
        Span<byte> input = length <= 1024 ? stackalloc byte[1024] : new byte[length];
        item.Signature.AsSpan(0, 32).CopyTo(input);
        item.Key.CopyTo(input[32..]);
        item.Message.CopyTo(input[64..]);
        SHA512.HashData(input[..length], new Span<byte>(h, 64));
        Scalars.Reduce(h, h);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Sum(ReadOnlySpan<SignedItem> items, List<int> worth, short* digits, int group, PointLanes* sum)
    {
        Of(items, worth, digits, group * Lanes, out var t0, out var d0);
        Of(items, worth, digits, group * Lanes + 1, out var t1, out var d1);
        Of(items, worth, digits, group * Lanes + 2, out var t2, out var d2);
        Of(items, worth, digits, group * Lanes + 3, out var t3, out var d3);
        var fixedTable = KeyTable.OfBase;
        *sum = PointLanes.Identity;
        for (var step = KeyTable.Steps - 1; step >= 0; step--)
        {
            for (var j = 0; j < KeyTable.Positions; j++)
            {
                var i = j * KeyTable.Steps + step;
                PointLanes.AddFrom(sum, t0.At(j, d0[i]), t1.At(j, d1[i]), t2.At(j, d2[i]), t3.At(j, d3[i]), Signs(d0[i], d1[i], d2[i], d3[i]));
            }
            if ((step & 1) == 0)
                for (var j = 0; j < KeyTable.Positions; j++)
                {
                    var i = KeyDigits + 2 * j + step / 2;
                    PointLanes.AddFrom(sum, fixedTable.At(j, d0[i]), fixedTable.At(j, d1[i]), fixedTable.At(j, d2[i]), fixedTable.At(j, d3[i]), Signs(d0[i], d1[i], d2[i], d3[i]));
                }
            if (step > 0) PointLanes.Double(sum, KeyTable.KeyBits);
        }
    }

    private static Vector256<ulong> Signs(int a, int b, int c, int d) => Vector256.Create((long)a >> 63, (long)b >> 63, (long)c >> 63, (long)d >> 63).AsUInt64();

    /// <summary>Beyond the last one the first stands in.</summary>
    private void Of(ReadOnlySpan<SignedItem> items, List<int> worth, short* digits, int i, out KeyTable table, out short* own)
    {
        if (i >= worth.Count) i = 0;
        table = _tables[items[worth[i]].Key]!;
        own = digits + i * (KeyDigits + BaseDigits);
    }

    private void MakeTables(ReadOnlySpan<SignedItem> items)
    {
        if (_tables.Count > keysMax) Dispose();
        var missing = new List<byte[]>();
        foreach (var item in items)
            if (_tables.TryAdd(item.Key, null)) missing.Add(item.Key);
        Span<byte> four = stackalloc byte[Lanes * 32];
        for (var i = 0; i < missing.Count; i += Lanes)
        {
            var count = Math.Min(Lanes, missing.Count - i);
            for (var j = 0; j < Lanes; j++) missing[i + (j < count ? j : 0)].CopyTo(four[(j * 32)..]);
            var made = KeyTable.MakeNegated(four, count);
            for (var j = 0; j < count; j++) _tables[missing[i + j]] = made[j];
            TablesMade += count;
        }
    }
}
