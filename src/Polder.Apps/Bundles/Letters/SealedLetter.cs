using System.Security.Cryptography;
using Polder.Cryptography;
using Polder.Identity;
using Polder.Runtime;
using Polder.Wire;

namespace Polder.Apps.Bundles.Letters;

/// <summary>Why a letter was not opened.</summary>
internal enum LetterRefusal
{
    None,
    /// <summary>The bytes are no letter.</summary>
    Malformed,
    /// <summary>It is not for us, or was changed: nobody can tell which.</summary>
    NotForUs,
    /// <summary>Whoever is named as its sender did not sign it.</summary>
    BadSignature,
}

/// <summary>An opened letter, before it is given to anybody.</summary>
internal sealed record OpenedLetter(Letter Letter, DeliveryProof Proof, uint Expires);

/// <summary>Seals letters for their receivers and opens those for us. Rules only: no state, no clock.</summary>
/// <remarks><code>
/// X25519(ephemeral, receiver's box key) = shared
/// proof = HMAC-SHA-256(shared, "polder mail proof 1" | ephemeral | receiver's key (74));  lock = SHA-256(proof), 16 bytes
/// key   = HMAC-SHA-256(shared, "polder mail key 1"   | header (62) | receiver's key (74))
/// box   = ChaCha20-Poly1305(key, nonce 0, associated data: the header, text padded with zeros to its class)
///
/// text: offset  size  field
///            0     1  kind
///            1    64  sender's key without its 10-byte tag
///           65     8  made, milliseconds since 1970
///           73     8  number among the letters of this sender to this receiver
///           81   4+n  body
///         85+n    64  sender's Ed25519 signature over "polder letter 1" | receiver's key (74) | header (62) | the text before the signature
/// </code></remarks>
internal static class SealedLetter
{
    private const int FieldsBytes = 1 + KeyTail.Bytes + 8 + 8 + 4;

    /// <summary>Bytes of text beside the body.</summary>
    public const int OverheadBytes = FieldsBytes + Ed25519.SignatureBytes;

    private static ReadOnlySpan<byte> SigningContext => "polder letter 1"u8;

    public static byte[] Seal(NodeEnvironment environment, KeyPair sender, PublicKey receiver, LetterKind kind, ReadOnlySpan<byte> body, DateTimeOffset made, ulong number, uint expires, out DeliveryProof proof)
    {
        var (ciphers, sizeClass) = (environment.Ciphers, SizeClass.For(OverheadBytes + body.Length));
        var text = new byte[SizeClass.BytesOf(sizeClass)];
        var letter = new byte[Envelope.HeaderBytes + text.Length + Envelope.TagBytes];
        Span<byte> secret = stackalloc byte[32], ephemeral = stackalloc byte[32], shared = stackalloc byte[32], key = stackalloc byte[32];
        ciphers.MakeKey(environment.Random, secret, ephemeral);
        if (!ciphers.TryAgree(secret, receiver.BoxKey, shared)) throw new ArgumentException("Nothing can be sealed for this key.", nameof(receiver));
        proof = ProofOf(ciphers, shared, ephemeral, receiver);
        var envelope = new Envelope(sizeClass, expires, Envelope.HintOf(receiver, new Hash256(ephemeral)), proof.Lock, new Hash256(ephemeral));
        var header = letter.AsSpan(0, Envelope.HeaderBytes);
        envelope.Write(header);
        var writer = new WireWriter(text);
        writer.WriteByte(kind.Value);
        writer.WriteBytes(sender.Public.Bytes[KeyFormat.TagBytes..]);
        writer.WriteInt64(made.ToUnixTimeMilliseconds());
        writer.WriteUInt64(number);
        writer.WriteUInt32((uint)body.Length);
        writer.WriteBytes(body);
        var signed = ToSign(receiver, header, writer.Written);
        environment.Signatures.Sign(sender, signed, writer.Reserve(Ed25519.SignatureBytes));
        KeyOf(ciphers, shared, header, receiver, key);
        ciphers.Seal(key, 0, header, text, letter.AsSpan(Envelope.HeaderBytes));
        CryptographicOperations.ZeroMemory(secret);
        CryptographicOperations.ZeroMemory(shared);
        CryptographicOperations.ZeroMemory(key);
        return letter;
    }

    /// <summary>Opens a letter that is for us.</summary>
    public static LetterRefusal TryOpen(NodeEnvironment environment, KeyPair own, ReadOnlySpan<byte> bytes, out OpenedLetter? opened)
    {
        opened = null;
        if (!Envelope.TryRead(bytes, out var envelope)) return LetterRefusal.Malformed;
        if (!envelope.IsFor(own.Public)) return LetterRefusal.NotForUs;
        var ciphers = environment.Ciphers;
        var header = bytes[..Envelope.HeaderBytes];
        Span<byte> shared = stackalloc byte[32], key = stackalloc byte[32];
        if (!ciphers.TryAgree(own, header[30..], shared)) return LetterRefusal.NotForUs;
        var proof = ProofOf(ciphers, shared, header[30..], own.Public);
        KeyOf(ciphers, shared, header, own.Public, key);
        var text = new byte[SizeClass.BytesOf(envelope.Class)];
        var isOpen = proof.Lock == envelope.Lock && ciphers.TryOpen(key, 0, header, bytes[Envelope.HeaderBytes..], text);
        CryptographicOperations.ZeroMemory(shared);
        CryptographicOperations.ZeroMemory(key);
        if (!isOpen) return LetterRefusal.NotForUs;
        var reader = new WireReader(text);
        var kind = new LetterKind(reader.ReadByte());
        if (!KeyTail.TryRead(reader.ReadBytes(KeyTail.Bytes), out var sender)) return LetterRefusal.Malformed;
        var made = reader.ReadInt64();
        var number = reader.ReadUInt64();
        var body = reader.ReadBytes32(MailLimits.BodyBytesMax);
        var end = reader.Position;
        var signature = reader.ReadBytes(Ed25519.SignatureBytes);
        reader.Require(!reader.ReadRest().ContainsAnyExcept((byte)0), WireError.TrailingBytes);
        reader.Require(made is > 0 and < 253_402_300_800_000);
        // One form for one letter: the smallest class that holds it.
        reader.Require(SizeClass.For(end + Ed25519.SignatureBytes) == envelope.Class);
        if (!reader.Finish()) return LetterRefusal.Malformed;
        if (!environment.Signatures.Verify(sender, ToSign(own.Public, header, text.AsSpan(0, end)), signature)) return LetterRefusal.BadSignature;
        var letter = new Letter(new LetterId(Hash256.Of(bytes)), sender, kind, body.ToArray(), DateTimeOffset.FromUnixTimeMilliseconds(made), number);
        opened = new OpenedLetter(letter, proof, envelope.Expires);
        return LetterRefusal.None;
    }

    private static DeliveryProof ProofOf(ISessionCrypto ciphers, ReadOnlySpan<byte> shared, ReadOnlySpan<byte> ephemeral, PublicKey receiver)
    {
        Span<byte> text = stackalloc byte[19 + 32 + KeyFormat.Bytes], proof = stackalloc byte[32];
        "polder mail proof 1"u8.CopyTo(text);
        ephemeral.CopyTo(text[19..]);
        receiver.Bytes.CopyTo(text[(19 + 32)..]);
        ciphers.Mac(shared, text, proof);
        return new DeliveryProof(new Hash256(proof));
    }

    private static void KeyOf(ISessionCrypto ciphers, ReadOnlySpan<byte> shared, ReadOnlySpan<byte> header, PublicKey receiver, Span<byte> key)
    {
        Span<byte> text = stackalloc byte[17 + Envelope.HeaderBytes + KeyFormat.Bytes];
        "polder mail key 1"u8.CopyTo(text);
        header.CopyTo(text[17..]);
        receiver.Bytes.CopyTo(text[(17 + Envelope.HeaderBytes)..]);
        ciphers.Mac(shared, text, key);
    }

    private static byte[] ToSign(PublicKey receiver, ReadOnlySpan<byte> header, ReadOnlySpan<byte> text) =>
        [.. SigningContext, .. receiver.Bytes, .. header, .. text];
}
