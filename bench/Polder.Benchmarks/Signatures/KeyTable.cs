using System.Runtime.InteropServices;

namespace Polder.Benchmarks.Signatures;

/// <summary>Multiples of a point, for multiplication without a doubling for each bit: 1 to 2^(bits-1) times 2^(16 j) P, for j = 0 to 15.</summary>
internal sealed unsafe class KeyTable : IDisposable
{
    /// <summary>Distances between the positions, in bits; positions; steps of four bits between two positions.</summary>
    public const int PositionBits = 16, Positions = 16, Steps = 4;
    /// <summary>Multiples kept for a key: digits of four bits. 16 KiB a key.</summary>
    public const int KeyBits = 4;
    /// <summary>And for the base point: digits of eight bits. 256 KiB.</summary>
    public const int BaseBits = 8;

    public readonly ulong* Entries;
    private readonly int _multiples;

    private KeyTable(int multiples)
    {
        _multiples = multiples;
        // One more that stays the neutral element: the digit 0.
        Entries = (ulong*)NativeMemory.AlignedAlloc((nuint)(Bytes(multiples)), 64);
    }

    public static int Bytes(int multiples) => Positions * multiples * PointLanes.ReadyWords * sizeof(ulong);

    /// <summary>The neutral element, made ready.</summary>
    public static ulong* Neutral { get; } = MakeNeutral();

    /// <summary>The base point's.</summary>
    public static KeyTable OfBase { get; } = Make(PointLanes.Broadcast(Reference.Base), BaseBits, 1)[0];

    /// <summary>
    /// Tables of the negatives of up to four public keys: -A is what verification adds. Null where libsodium refuses the key whatever was
    /// signed: not canonical, of small order, not on the curve.
    /// </summary>
    public static KeyTable?[] MakeNegated(ReadOnlySpan<byte> keys, int count)
    {
        PointLanes p;
        var points = PointLanes.Decode(&p, keys);
        FieldLanes.NegateWhere(&p.X, &p.X, System.Runtime.Intrinsics.Vector256<ulong>.AllBitsSet);
        FieldLanes.Carry(&p.X);
        FieldProducts.Multiply(&p.T, &p.X, &p.Y);
        var tables = Make(p, KeyBits, count);
        var result = new KeyTable?[count];
        for (var i = 0; i < count; i++)
        {
            if ((points >> i & 1) != 0 && Encodings.IsCanonical(keys.Slice(i * 32, 32)) && !Encodings.HasSmallOrder(keys.Slice(i * 32, 32))) result[i] = tables[i];
            else tables[i].Dispose();
        }
        return result;
    }

    public void Dispose() => NativeMemory.AlignedFree(Entries);

    public ulong* At(int position, int digit) => digit == 0 ? Neutral : Entries + (position * _multiples + Math.Abs(digit) - 1) * PointLanes.ReadyWords;

    private static KeyTable[] Make(PointLanes p, int bits, int count)
    {
        var multiples = 1 << (bits - 1);
        var tables = new KeyTable[FieldLanes.Lanes];
        for (var i = 0; i < tables.Length; i++) tables[i] = i < count ? new KeyTable(multiples) : tables[0];
        var all = (PointLanes*)NativeMemory.AlignedAlloc((nuint)(Positions * multiples * sizeof(PointLanes)), 32);
        try
        {
            var at = all;
            for (var position = 0; position < Positions; position++)
            {
                *at = p;
                for (var i = 1; i < multiples; i++)
                {
                    at[i] = at[i - 1];
                    if (i == 1) PointLanes.Double(at + i, 1);
                    else PointLanes.Add(at + i, &p);
                }
                at += multiples;
                if (position < Positions - 1) PointLanes.Double(&p, PositionBits);
            }
            PointLanes.Normalise(all, Positions * multiples);
            for (var i = 0; i < Positions * multiples; i++)
            {
                var word = i * PointLanes.ReadyWords;
                PointLanes.StoreReady(all + i, tables[0].Entries + word, tables[1].Entries + word, tables[2].Entries + word, tables[3].Entries + word);
            }
        }
        finally { NativeMemory.AlignedFree(all); }
        return tables;
    }

    private static ulong* MakeNeutral()
    {
        var words = (ulong*)NativeMemory.AlignedAlloc(PointLanes.ReadyWords * sizeof(ulong), 64);
        var p = PointLanes.Identity;
        PointLanes.StoreReady(&p, words, words, words, words);
        return words;
    }
}
