using System.Security.Cryptography;
using Polder.Apps.Parcels.Codes;
using Polder.Cryptography;

namespace Polder.Apps.Parcels.Native;

/// <summary>What our own way derives beside Magic Wormhole's keys: whom a run is with, how both meet again, and the keys of the records.</summary>
internal static class RunKeys
{
    /// <summary>What a code's run is for: a run cannot be carried over to another sender.</summary>
    public static string Identity(ReadOnlySpan<byte> senderKey) => "polder.send/1|" + Convert.ToHexStringLower(senderKey);

    /// <summary>Under which name both meet again, 16 bytes.</summary>
    public static byte[] ResumeId(WormholeKeys run) => run.Derive("polder-send/resume-id"u8, 16);

    /// <summary>By what both know each other when they meet again, 32 bytes.</summary>
    public static byte[] ResumeSecret(WormholeKeys run) => run.Derive("polder-send/resume"u8, 32);

    /// <summary>The transit key of a new meeting, from the old secret and what both agreed on now.</summary>
    public static Hash256 Again(ReadOnlySpan<byte> secret, ReadOnlySpan<byte> shared) =>
        new(HKDF.DeriveKey(HashAlgorithmName.SHA256, [.. secret, .. shared], Hash256.Bytes, [], "polder-send/again"u8.ToArray()));

    /// <summary>The proof of who meets again: 'A' is the sender, 'B' the receiver; the sender's X25519 key goes first.</summary>
    public static byte[] AgainProof(ReadOnlySpan<byte> secret, bool sender, ReadOnlySpan<byte> senderKey, ReadOnlySpan<byte> receiverKey) =>
        HMACSHA256.HashData(secret, [(byte)(sender ? 'A' : 'B'), .. senderKey, .. receiverKey]);
}
