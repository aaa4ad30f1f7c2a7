using System.Security.Cryptography;
using Polder.Cryptography;
using Polder.Identity;

namespace Polder.Node.Folders;

/// <summary>
/// The file that holds a node's private key, mode 0600. Plain it is IPv8's own form (74 bytes, as py-ipv8 writes it);
/// sealed it is "POLDERKEY1\n" and a <see cref="PassphraseBox"/>.
/// </summary>
public static class KeyFile
{
    private const int FileBytesMax = 4096;

    private static ReadOnlySpan<byte> SealedTag => "POLDERKEY1\n"u8;

    /// <summary>A new identity from the system's randomness.</summary>
    public static KeyPair Create()
    {
        Span<byte> entropy = stackalloc byte[KeyPair.EntropyBytes];
        RandomNumberGenerator.Fill(entropy);
        var pair = KeyPair.FromEntropy(entropy);
        CryptographicOperations.ZeroMemory(entropy);
        return pair;
    }

    /// <summary>Writes the key, sealed when there is a passphrase. The caller keeps the pair.</summary>
    public static void Write(string path, KeyPair pair, string? passphrase = null)
    {
        var content = Encode(pair, passphrase);
        DurableFile.Write(path, content);
        CryptographicOperations.ZeroMemory(content);
    }

    /// <summary>
    /// Writes the same key anew, sealed under another passphrase or plain: a crash leaves the old file or the new one, whole, and it is
    /// mode 0600. Only its owner may: written by somebody else (root), the file would be theirs, and the node could not read it.
    /// </summary>
    /// <exception cref="NodeStartException">Another user's file, a wrong passphrase, or the disk refuses.</exception>
    public static void Reseal(string path, string? oldPassphrase, string? newPassphrase)
    {
        if (FileOwner.IsAnothers(path))
            throw new NodeStartException($"{path} belongs to another user. Only its owner may seal or unseal it.");
        using var pair = Read(path, oldPassphrase);
        try { Write(path, pair, newPassphrase); }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new NodeStartException($"{path} cannot be written: {problem.Message} It is as it was.", problem);
        }
    }

    /// <summary>Reads a key file, plain or sealed. The caller disposes the pair.</summary>
    /// <exception cref="NodeStartException">Missing, damaged, sealed without or with a wrong passphrase.</exception>
    public static KeyPair Read(string path, string? passphrase = null)
    {
        byte[] content;
        try
        {
            if (new FileInfo(path) is { Exists: true, Length: > FileBytesMax })
                throw new NodeStartException($"{path} is too long to be a key file.");
            content = File.ReadAllBytes(path);
        }
        catch (Exception problem) when (problem is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new NodeStartException($"There is no key file {path}.", problem);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new NodeStartException($"The key file {path} cannot be read: {problem.Message}", problem);
        }
        try { return Decode(content, passphrase, path); }
        finally { CryptographicOperations.ZeroMemory(content); }
    }

    /// <summary>Whether the file is sealed under a passphrase.</summary>
    public static bool IsSealed(string path)
    {
        if (!File.Exists(path)) return false;
        using var stream = File.OpenRead(path);
        Span<byte> start = stackalloc byte[SealedTag.Length];
        return stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false) == start.Length && start.SequenceEqual(SealedTag);
    }

    /// <summary>A warning in words when others may read the file; null when all is well.</summary>
    public static string? Exposure(string path)
    {
        const UnixFileMode others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;
        return OperatingSystem.IsWindows() || !File.Exists(path) || (File.GetUnixFileMode(path) & others) == 0
            ? null
            : $"Other users of this machine may read your private key. Type: chmod 600 {path}";
    }

    /// <summary>The bytes of a key file, to be kept in a backup too. The caller overwrites them.</summary>
    internal static byte[] Encode(KeyPair pair, string? passphrase)
    {
        var secret = pair.Export();
        if (string.IsNullOrEmpty(passphrase)) return secret;
        Span<byte> entropy = stackalloc byte[40];
        RandomNumberGenerator.Fill(entropy);
        var box = PassphraseBox.Seal(secret, passphrase, entropy);
        CryptographicOperations.ZeroMemory(secret);
        return [.. SealedTag, .. box];
    }

    /// <summary>Reads what <see cref="Encode"/> made.</summary>
    internal static KeyPair Decode(ReadOnlySpan<byte> content, string? passphrase, string name)
    {
        if (KeyPair.TryImport(content, out var plain)) return plain;
        if (!content.StartsWith(SealedTag))
            throw new NodeStartException(
                $"{name} is no key file that Polder knows (74 bytes that begin with LibNaCLSK:, or sealed by Polder). Put your backup of it in its place.");
        if (string.IsNullOrEmpty(passphrase))
            throw new NodeStartException($"{name} is sealed. Give its passphrase in the environment variable POLDER_PASSPHRASE.");
        if (PassphraseBox.TryOpen(content[SealedTag.Length..], passphrase) is not { } secret)
            throw new NodeStartException($"Wrong passphrase for {name} (or the file is damaged).");
        try
        {
            return KeyPair.TryImport(secret, out var pair) ? pair : throw new NodeStartException($"{name} opened, but holds no key.");
        }
        finally { CryptographicOperations.ZeroMemory(secret); }
    }
}
