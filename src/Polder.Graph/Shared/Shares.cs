using System.Buffers.Text;
using System.Security.Cryptography;
using Polder.Runtime;

namespace Polder.Graph.Shared;

/// <summary>
/// Splits a secret into N shares of which any M give it back and M − 1 say nothing about it (Shamir 1979, byte by byte over GF(2^8) with
/// the polynomial of AES). Pure.
/// </summary>
/// <remarks><code>
/// a share as text: "share-" and base64url of
/// offset  size  field
///      0     4  tag: which secret it belongs to, by the caller
///      4     1  how many are needed
///      5     1  its number, from 1
///      6     n  its bytes, as many as the secret has
///    6+n     4  first bytes of the SHA-256 of all before: tells a slip of the pen
/// </code></remarks>
internal static class Shares
{
    public const int CountMax = 30, TagBytes = 4, SecretBytesMax = 64;

    private const string Prefix = "share-";
    private const int HeaderBytes = TagBytes + 2, CheckBytes = 4;

    /// <summary>Splits; one text a share.</summary>
    public static IReadOnlyList<string> Split(ReadOnlySpan<byte> secret, int needed, int count, ReadOnlySpan<byte> tag, Prng random)
    {
        if (needed < 2 || needed > count || count > CountMax) throw new ArgumentOutOfRangeException(nameof(needed), $"At least two shares are needed, and at most {CountMax} are made.");
        ArgumentOutOfRangeException.ThrowIfGreaterThan(secret.Length, SecretBytesMax, nameof(secret));
        var coefficients = new byte[needed * secret.Length];
        random.Fill(coefficients);
        secret.CopyTo(coefficients);
        var shares = new List<string>(count);
        var share = new byte[HeaderBytes + secret.Length + CheckBytes];
        for (var number = 1; number <= count; number++)
        {
            tag[..TagBytes].CopyTo(share);
            (share[TagBytes], share[TagBytes + 1]) = ((byte)needed, (byte)number);
            for (var i = 0; i < secret.Length; i++)
            {
                byte sum = 0;
                // Horner, from the highest power; the secret is the constant term.
                for (var power = needed - 1; power >= 0; power--) sum = (byte)(Multiply(sum, (byte)number) ^ coefficients[power * secret.Length + i]);
                share[HeaderBytes + i] = sum;
            }
            Check(share).CopyTo(share.AsSpan(^CheckBytes..));
            shares.Add(Prefix + Base64Url.EncodeToString(share));
        }
        CryptographicOperations.ZeroMemory(coefficients);
        return shares;
    }

    /// <summary>Puts shares together; null with the reason where that does not work.</summary>
    public static byte[]? Join(IReadOnlyList<string> texts, ReadOnlySpan<byte> tag, out string? problem)
    {
        var shares = new Dictionary<byte, byte[]>();
        problem = null;
        foreach (var text in texts)
        {
            if (Read(text.Trim()) is not { } share) return Fail($"\"{Shorten(text)}\" is no share, or a character of it is wrong.", out problem);
            if (!share.AsSpan(0, TagBytes).SequenceEqual(tag[..TagBytes])) return Fail($"\"{Shorten(text)}\" is a share of something else, or of an earlier split.", out problem);
            if (shares.Count > 0 && (share[TagBytes] != shares.Values.First()[TagBytes] || share.Length != shares.Values.First().Length)) return Fail("The shares are of different splits.", out problem);
            shares[share[TagBytes + 1]] = share;
        }
        var needed = shares.Count == 0 ? 2 : shares.Values.First()[TagBytes];
        if (shares.Count < needed) return Fail($"{needed} different shares are needed, {shares.Count} are here.", out problem);
        var points = shares.Values.Take(needed).ToList();
        var secret = new byte[points[0].Length - HeaderBytes - CheckBytes];
        foreach (var point in points)
        {
            byte weight = 1;
            // Lagrange at 0: the product of x' / (x' − x), where minus is exclusive or.
            foreach (var other in points)
                if (other != point) weight = Multiply(weight, Multiply(other[TagBytes + 1], Inverse((byte)(other[TagBytes + 1] ^ point[TagBytes + 1]))));
            for (var i = 0; i < secret.Length; i++) secret[i] ^= Multiply(weight, point[HeaderBytes + i]);
        }
        return secret;

        static byte[]? Fail(string words, out string? problem)
        {
            problem = words;
            return null;
        }
    }

    private static string Shorten(string text) => text.Length <= 16 ? text : text[..16] + "…";

    private static byte[]? Read(string text)
    {
        if (!text.StartsWith(Prefix, StringComparison.Ordinal) || text.Length > 4 * SecretBytesMax) return null;
        var bytes = new byte[Base64Url.GetMaxDecodedLength(text.Length)];
        if (!Base64Url.IsValid(text.AsSpan(Prefix.Length)) || !Base64Url.TryDecodeFromChars(text.AsSpan(Prefix.Length), bytes, out var length) || length <= HeaderBytes + CheckBytes) return null;
        var share = bytes[..length];
        return Check(share).SequenceEqual(share.AsSpan(^CheckBytes..)) && share[TagBytes] >= 2 && share[TagBytes + 1] >= 1 ? share : null;
    }

    private static byte[] Check(ReadOnlySpan<byte> share) => SHA256.HashData(share[..^CheckBytes])[..CheckBytes];

    private static byte Multiply(byte x, byte y)
    {
        var product = 0;
        // The same steps whatever the bytes are.
        for (var bit = 0; bit < 8; bit++)
        {
            product ^= -((y >> bit) & 1) & (x << bit);
        }
        for (var bit = 14; bit >= 8; bit--) product ^= -((product >> bit) & 1) & (0x11B << (bit - 8));
        return (byte)product;
    }

    private static byte Inverse(byte x)
    {
        byte power = 1;
        // x^254
        for (var i = 0; i < 254; i++) power = Multiply(power, x);
        return power;
    }
}
