using System.Numerics;
using System.Security.Cryptography;

namespace Polder.Benchmarks.Signatures;

/// <summary>
/// The curve edwards25519 (RFC 8032) by the book, with big integers: slow, plain, and the referee of the fast code. Makes constants and the
/// hostile signatures that only who plays with torsion can make.
/// </summary>
internal static class Reference
{
    public static readonly BigInteger P = BigInteger.Pow(2, 255) - 19;
    /// <summary>Order of the base point; the curve has 8 L points.</summary>
    public static readonly BigInteger L = BigInteger.Pow(2, 252) + BigInteger.Parse("27742317777372353535851937790883648493", System.Globalization.CultureInfo.InvariantCulture);
    public static readonly BigInteger D = Mod(-121665 * Inverse(121666));
    public static readonly BigInteger RootOfMinusOne = BigInteger.ModPow(2, (P - 1) / 4, P);
    public static readonly (BigInteger X, BigInteger Y) Base = Decode(Encoded(Mod(4 * Inverse(5)), odd: false))!.Value;
    public static readonly (BigInteger X, BigInteger Y) Identity = (BigInteger.Zero, BigInteger.One);

    /// <summary>A point of order 8, found by taking the odd part out of points.</summary>
    public static readonly (BigInteger X, BigInteger Y) Torsion8 = FindTorsion();

    public static BigInteger Mod(BigInteger x) => (x % P + P) % P;

    public static BigInteger Inverse(BigInteger x) => BigInteger.ModPow(Mod(x), P - 2, P);

    public static (BigInteger X, BigInteger Y) Add((BigInteger X, BigInteger Y) a, (BigInteger X, BigInteger Y) b)
    {
        var k = Mod(D * a.X % P * b.X % P * a.Y % P * b.Y);
        return (Mod((a.X * b.Y + b.X * a.Y) * Inverse(1 + k)), Mod((a.Y * b.Y + a.X * b.X) * Inverse(1 - k)));
    }

    public static (BigInteger X, BigInteger Y) Negate((BigInteger X, BigInteger Y) a) => (Mod(-a.X), a.Y);

    /// <summary>In projective coordinates, so that only the end needs an inversion.</summary>
    public static (BigInteger X, BigInteger Y) Multiply(BigInteger k, (BigInteger X, BigInteger Y) a)
    {
        var (x, y, z) = (BigInteger.Zero, BigInteger.One, BigInteger.One);
        for (var i = (int)k.GetBitLength() - 1; i >= 0; i--)
        {
            (x, y, z) = AddProjective(x, y, z, x, y, z);
            if (!((k >> i) & 1).IsZero) (x, y, z) = AddProjective(x, y, z, a.X, a.Y, BigInteger.One);
        }
        var inverse = Inverse(z);
        return (Mod(x * inverse), Mod(y * inverse));
    }

    public static byte[] Encode((BigInteger X, BigInteger Y) a) => Encoded(a.Y, !a.X.IsEven);

    public static (BigInteger X, BigInteger Y)? Decode(ReadOnlySpan<byte> bytes)
    {
        var y = new BigInteger(bytes, isUnsigned: true) & ((BigInteger.One << 255) - 1);
        var odd = (bytes[31] & 0x80) != 0;
        var square = Mod((y * y - 1) * Inverse(D * y * y + 1));
        var x = BigInteger.ModPow(square, (P + 3) / 8, P);
        if (Mod(x * x - square) != 0) x = Mod(x * RootOfMinusOne);
        if (Mod(x * x - square) != 0) return null;
        return (x.IsEven == odd ? Mod(-x) : x, Mod(y));
    }

    /// <summary>SHA-512 (R, A, message) modulo L.</summary>
    public static BigInteger Challenge(ReadOnlySpan<byte> r, ReadOnlySpan<byte> a, ReadOnlySpan<byte> message) =>
        new BigInteger(SHA512.HashData([.. r, .. a, .. message]), isUnsigned: true) % L;

    /// <summary>A signature by secret number <paramref name="a"/> whose public key and R carry so much of the point of order 8: S B = R + h A still holds up to torsion.</summary>
    public static (byte[] Key, byte[] Signature) SignWithTorsion(BigInteger a, BigInteger r, int keyTorsion, int nonceTorsion, ReadOnlySpan<byte> message)
    {
        var key = Encode(Add(Multiply(a, Base), Multiply(keyTorsion, Torsion8)));
        var nonce = Encode(Add(Multiply(r, Base), Multiply(nonceTorsion, Torsion8)));
        var s = (r + Challenge(nonce, key, message) * a) % L;
        return (key, [.. nonce, .. ScalarBytes(s)]);
    }

    public static byte[] ScalarBytes(BigInteger value)
    {
        var bytes = new byte[32];
        value.TryWriteBytes(bytes, out _, isUnsigned: true);
        return bytes;
    }

    private static (BigInteger X, BigInteger Y, BigInteger Z) AddProjective(
        BigInteger x1, BigInteger y1, BigInteger z1, BigInteger x2, BigInteger y2, BigInteger z2)
    {
        var zz = Mod(z1 * z2);
        var square = Mod(zz * zz);
        var (xx, yy) = (Mod(x1 * x2), Mod(y1 * y2));
        var k = Mod(D * xx % P * yy);
        var (minus, plus) = (Mod(square - k), Mod(square + k));
        return (Mod(zz * minus % P * ((x1 + y1) * (x2 + y2) - xx - yy)), Mod(zz * plus % P * (yy + xx)), Mod(minus * plus));
    }

    private static byte[] Encoded(BigInteger y, bool odd)
    {
        var bytes = ScalarBytes(y);
        if (odd) bytes[31] |= 0x80;
        return bytes;
    }

    private static (BigInteger X, BigInteger Y) FindTorsion()
    {
        for (var y = 2; ; y++)
        {
            if (Decode(Encoded(y, odd: false)) is not { } point) continue;
            var torsion = Multiply(L, point);
            if (Multiply(4, torsion) != Identity) return torsion;
        }
    }
}
