using System.Security.Cryptography;

namespace Polder.Graph.Sea;

/// <summary>SEA's proof of work: PBKDF2 with HMAC-SHA-256. Slow on purpose; belongs on a worker.</summary>
internal static class SeaWork
{
    public const int Iterations = 100_000, Bytes = 64;

    /// <summary>The key derived from a passphrase, base64.</summary>
    public static string Derive(string data, string salt, int iterations = Iterations, int bytes = Bytes) =>
        Convert.ToBase64String(Rfc2898DeriveBytes.Pbkdf2(SeaText.Utf8(data), SeaText.Utf8(salt), iterations, HashAlgorithmName.SHA256, bytes));

    /// <summary>A plain digest, base64.</summary>
    public static string Digest(string data) => Convert.ToBase64String(SeaText.Digest(data));
}
