using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Polder.Graph.Json;
using Polder.Runtime;

namespace Polder.Graph.Sea;

/// <summary>
/// The two key pairs of a SEA identity, both on P-256: one signs, the other agrees on secrets. Texts are base64url without padding;
/// public keys are "x.y", 43 characters each; private keys are the scalar (gun.md §11).
/// </summary>
/// <param name="Pub">Public signing key: the identity.</param>
/// <param name="Priv">Private signing key.</param>
/// <param name="EncryptionPub">Public agreement key ("epub").</param>
/// <param name="EncryptionPriv">Private agreement key ("epriv"); also the key under which one encrypts for oneself.</param>
public sealed record SeaPair(string Pub, string Priv, string EncryptionPub, string EncryptionPriv)
{
    /// <summary>Makes a pair from the node's own randomness.</summary>
    public static SeaPair Create(Prng random)
    {
        ArgumentNullException.ThrowIfNull(random);
        var (pub, priv) = P256.Create(random);
        var (epub, epriv) = P256.Create(random);
        return new SeaPair(pub, priv, epub, epriv);
    }

    /// <summary>The pair whose private keys these are; false where one is no key.</summary>
    public static bool TryDerive(string priv, string encryptionPriv, [NotNullWhen(true)] out SeaPair? pair)
    {
        pair = P256.TryDerive(priv) is { } pub && P256.TryDerive(encryptionPriv) is { } epub ? new SeaPair(pub, priv, epub, encryptionPriv) : null;
        return pair is not null;
    }

    /// <summary>JSON as gun.js exports it: pub, priv, epub, epriv.</summary>
    public string ToJson() => JsonText.Of(JsonItem.Object(
        ("pub", new JsonItem(Pub)), ("priv", new JsonItem(Priv)), ("epub", new JsonItem(EncryptionPub)), ("epriv", new JsonItem(EncryptionPriv))));

    /// <summary>Reads <see cref="ToJson"/>; the public keys must belong to the private ones.</summary>
    public static bool TryParse(string json, [NotNullWhen(true)] out SeaPair? pair)
    {
        pair = null;
        if (!JsonParser.TryParse(json, out var item) || item["priv"]?.AsText is not { } priv || item["epriv"]?.AsText is not { } epriv
            || !TryDerive(priv, epriv, out var derived) || derived.Pub != item["pub"]?.AsText || derived.EncryptionPub != item["epub"]?.AsText) return false;
        pair = derived;
        return true;
    }

    /// <summary>Never shows the private keys.</summary>
    public override string ToString() => Pub;
}

/// <summary>P-256 keys as texts.</summary>
internal static class P256
{
    private const int CoordinateBytes = 32, CoordinateCharacters = 43;

    private static readonly byte[] Order = Convert.FromHexString("FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551");

    public static (string Public, string Private) Create(Prng random)
    {
        var scalar = new byte[CoordinateBytes];
        do random.Fill(scalar);
        while (!IsScalar(scalar));
        var text = Base64Url.EncodeToString(scalar);
        CryptographicOperations.ZeroMemory(scalar);
        return (TryDerive(text)!, text);
    }

    /// <summary>The public key of a private one, or null.</summary>
    public static string? TryDerive(string priv)
    {
        if (Scalar(priv) is not { } scalar) return null;
        try
        {
            using var key = ECDsa.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, D = scalar });
            return Text(key.ExportParameters(false).Q);
        }
        catch (CryptographicException)
        {
            return null;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(scalar);
        }
    }

    /// <summary>Parameters of a public key, or null where the text is none. Whether the point is on the curve, the import tells.</summary>
    public static ECParameters? Public(string? pub) =>
        pub is { Length: 2 * CoordinateCharacters + 1 } && pub[CoordinateCharacters] == '.'
        && Coordinate(pub.AsSpan(0, CoordinateCharacters)) is { } x && Coordinate(pub.AsSpan(CoordinateCharacters + 1)) is { } y
            ? new ECParameters { Curve = ECCurve.NamedCurves.nistP256, Q = new ECPoint { X = x, Y = y } } : null;

    /// <summary>Parameters of a private key, or null.</summary>
    public static ECParameters? Private(string priv) =>
        Scalar(priv) is { } scalar ? new ECParameters { Curve = ECCurve.NamedCurves.nistP256, D = scalar } : null;

    private static byte[]? Scalar(string priv) =>
        priv is { Length: CoordinateCharacters } && Coordinate(priv) is { } scalar && IsScalar(scalar) ? scalar : null;

    private static byte[]? Coordinate(ReadOnlySpan<char> text)
    {
        Span<byte> bytes = stackalloc byte[CoordinateBytes + 1];
        return Base64Url.TryDecodeFromChars(text, bytes, out var written) && written == CoordinateBytes ? bytes[..CoordinateBytes].ToArray() : null;
    }

    private static bool IsScalar(ReadOnlySpan<byte> scalar) => scalar.SequenceCompareTo(Order) < 0 && scalar.ContainsAnyExcept((byte)0);

    private static string Text(in ECPoint point) => Base64Url.EncodeToString(point.X) + "." + Base64Url.EncodeToString(point.Y);
}
