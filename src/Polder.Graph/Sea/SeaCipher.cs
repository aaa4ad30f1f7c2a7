using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Polder.Graph.Json;
using Polder.Runtime;

namespace Polder.Graph.Sea;

/// <summary>SEA's encryption: a key text and nine random bytes make an AES-256-GCM key; the nonce has fifteen bytes. Pure.</summary>
internal static class SeaCipher
{
    private const int SaltBytes = 9, NonceBytes = 15, NonceBytesMax = 64, SaltBytesMax = 64;

    /// <summary>Encrypts a value under a key text: <c>SEA{"ct":…,"iv":…,"s":…}</c>.</summary>
    public static string Encrypt(JsonItem value, string key, Prng random) => "SEA" + JsonText.Of(EncryptRaw(value, key, random));

    /// <summary>The same as an object, without the prefix.</summary>
    public static JsonItem EncryptRaw(JsonItem value, string key, Prng random)
    {
        var (salt, nonce) = (new byte[SaltBytes], new byte[NonceBytes]);
        random.Fill(salt);
        random.Fill(nonce);
        var sealedBytes = AesGcmAnyNonce.Encrypt(Key(key, salt), nonce, SeaText.Utf8(SeaText.Plain(value, sorted: true)));
        return JsonItem.Object(
            ("ct", new JsonItem(Convert.ToBase64String(sealedBytes))), ("iv", new JsonItem(Convert.ToBase64String(nonce))), ("s", new JsonItem(Convert.ToBase64String(salt))));
    }

    /// <summary>The value of an encrypted text, or null: wrong key, damaged, or none at all.</summary>
    public static JsonItem? TryDecrypt(string encrypted, string key) => TryDecrypt(SeaText.Parse(encrypted), key);

    /// <summary>The value of an encrypted object, or null.</summary>
    public static JsonItem? TryDecrypt(JsonItem item, string key)
    {
        if (item["ct"]?.AsText is not { } ct || item["iv"]?.AsText is not { } iv || item["s"]?.AsText is not { } s) return null;
        // Base64 now, characters up to U+00FF before 2019.
        return TryDecrypt(key, SeaText.FromBase64(ct), SeaText.FromBase64(iv), SeaText.FromBase64(s))
            ?? TryDecrypt(key, SeaText.FromLatin1(ct), SeaText.FromLatin1(iv), SeaText.FromLatin1(s));
    }

    private static JsonItem? TryDecrypt(string key, byte[]? sealedBytes, byte[]? nonce, byte[]? salt)
    {
        if (sealedBytes is null || nonce is not { Length: > 0 and <= NonceBytesMax } || salt is not { Length: <= SaltBytesMax }) return null;
        return AesGcmAnyNonce.TryDecrypt(Key(key, salt), nonce, sealedBytes) is { } plain ? SeaText.Parse(Encoding.UTF8.GetString(plain)) : null;
    }

    /// <summary>SHA-256 of the key text followed by the salt as Latin-1 text, all in UTF-8: salt bytes from 0x80 up become two.</summary>
    private static byte[] Key(string key, byte[] salt) => SeaText.Digest(key + Encoding.Latin1.GetString(salt));

    /// <summary>The secret of two pairs: x of the shared point as base64url, 43 characters; null where the other key is none.</summary>
    public static string? Secret(string theirEncryptionPub, SeaPair own)
    {
        if (P256.Public(theirEncryptionPub) is not { } theirs || P256.Private(own.EncryptionPriv) is not { } ours) return null;
        try
        {
            using var one = ECDiffieHellman.Create(ours);
            using var other = ECDiffieHellman.Create(theirs);
            return Base64Url.EncodeToString(one.DeriveRawSecretAgreement(other.PublicKey));
        }
        catch (CryptographicException)
        {
            return null;
        }
    }
}
