using System.Buffers.Binary;
using System.Security.Cryptography;
using Polder.Apps.Bundles.Letters;
using Polder.Cryptography;
using Polder.Identity;
using Polder.Overlay.Discovery;
using Polder.Runtime;
using Polder.Wire;

namespace Polder.Apps.Bundles.Files;

/// <summary>Why a bundle is refused.</summary>
public enum MailBundleRefusal
{
    /// <summary>It is not.</summary>
    None,
    /// <summary>The bytes are no bundle.</summary>
    NotABundle,
    /// <summary>It was made by a newer program.</summary>
    NewerVersion,
    /// <summary>It belongs to another network.</summary>
    ForeignNetwork,
    /// <summary>It is sealed for somebody else.</summary>
    NotForUs,
    /// <summary>Bytes were changed or are missing.</summary>
    Damaged,
    /// <summary>It is longer than a bundle may be.</summary>
    TooLong,
}

/// <summary>A file with letters and what belongs to them, sealed and signed (docs/wire/mailbag.md).</summary>
/// <remarks><code>
/// offset  size  field
///      0     8  ASCII "PLDRBNDL"
///      8     1  version 01
///      9     1  form: 0 open, for whoever carries letters; 1 sealed for one
///     10    16  network id
///     26     8  hint of the receiver, as on letters; 0 in the open form
///     34    32  ephemeral X25519 key; random in the open form
///     66     …  chunks: length of the box 4, its top bit set in the last one; box: ChaCha20-Poly1305(key, nonce: number of the chunk from 0,
///               associated data: the 66 bytes and the byte 1 in the last chunk, 0 in others)
///
/// key, form 1: HMAC-SHA-256(X25519(ephemeral, receiver's box key), "polder bundle key 1" | the 66 bytes | receiver's key (74))
/// key, form 0: HMAC-SHA-256(the ephemeral field, "polder bundle open 1" | the 66 bytes): anybody can open it, nobody can change it unseen
///
/// text: records: type 1, length 4, body
///   1 maker      key without its tag 64, made 4 (seconds since 1970); the first one. In the open form the key is made for the file
///   2 letter     copies 1, hops left 1, the sealed letter
///   3 proof      head of a letter's name 8, proof 32
///   4 card       what the maker calls itself, UTF-8, at most 64 bytes
///   5 block      a half block of TrustChain, packed
///   6 addresses  number 2 (at most 500); addresses 7 or 19 each
///   7 end        Ed25519 signature 64 of the maker over "polder bundle 1" | the 66 bytes | receiver's key (74, form 1 only) | SHA-256 of all text
///                before this record; the last one
/// Other types are passed over: a newer program may know them.
/// </code></remarks>
internal static class BundleFormat
{
    public const int HeaderBytes = 66, ChunkTextBytes = 64 * 1024, TagBytes = 16, RecordHeaderBytes = 5;
    public const uint LastChunk = 0x8000_0000;
    public const long BytesMax = 512L << 20;
    public static int RecordBytesMax => Envelope.BytesMax + 2;

    public static ReadOnlySpan<byte> Magic => "PLDRBNDL"u8;

    /// <summary>Whether a file begins as a bundle does.</summary>
    public static bool IsBundle(ReadOnlySpan<byte> start) => start.StartsWith(Magic);

    public static byte[] WriteHeader(PublicKey? receiver, NetworkId network, Hash256 ephemeral)
    {
        var header = new byte[HeaderBytes];
        var writer = new WireWriter(header);
        writer.WriteBytes(Magic);
        writer.WriteByte(1);
        writer.WriteBoolean(receiver is not null);
        BinaryPrimitives.WriteUInt128BigEndian(writer.Reserve(16), network.Value);
        writer.WriteUInt64(receiver is null ? 0 : Envelope.HintOf(receiver, ephemeral));
        ephemeral.CopyTo(writer.Reserve(Hash256.Bytes));
        return header;
    }

    public static byte[] KeyOf(ISessionCrypto ciphers, ReadOnlySpan<byte> shared, ReadOnlySpan<byte> header, PublicKey? receiver)
    {
        byte[] text = receiver is null ? [.. "polder bundle open 1"u8, .. header] : [.. "polder bundle key 1"u8, .. header, .. receiver.Bytes];
        var key = new byte[32];
        ciphers.Mac(shared, text, key);
        return key;
    }

    public static byte[] Associated(ReadOnlySpan<byte> header, bool isLast) => [.. header, (byte)(isLast ? 1 : 0)];

    public static byte[] ToSign(ReadOnlySpan<byte> header, PublicKey? receiver, ReadOnlySpan<byte> digest) =>
        receiver is null ? [.. "polder bundle 1"u8, .. header, .. digest] : [.. "polder bundle 1"u8, .. header, .. receiver.Bytes, .. digest];

    /// <summary>One sentence for people.</summary>
    public static string Explain(MailBundleRefusal refusal) => refusal switch
    {
        MailBundleRefusal.None => "The bundle was taken.",
        MailBundleRefusal.NewerVersion => "This bundle was made by a newer Polder. Update the program.",
        MailBundleRefusal.ForeignNetwork => "This bundle belongs to another network than this node.",
        MailBundleRefusal.NotForUs => "This bundle is sealed for somebody else: only the one it was made for can open it. Nothing was taken.",
        MailBundleRefusal.Damaged => "This bundle is damaged, or somebody changed it: its seals do not fit. Nothing was taken; ask for it again.",
        MailBundleRefusal.TooLong => "This file is longer than a bundle may be (512 MB). Nothing was taken.",
        _ => "This is no bundle of Polder, or its beginning is damaged.",
    };
}

internal enum BundleRecord : byte { Maker = 1, Letter = 2, Proof = 3, Card = 4, Block = 5, Addresses = 6, End = 7 }

/// <summary>Makes the bytes of a bundle, piece by piece: memory for one chunk is enough for any length.</summary>
internal sealed class BundleWriter : IDisposable
{
    private readonly NodeEnvironment _environment;
    private readonly KeyPair _signer;
    private readonly PublicKey? _receiver;
    private readonly byte[] _header, _key;
    private readonly IncrementalHash _digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly MemoryStream _text = new();
    private readonly Action<byte[]> _write;
    private ulong _chunk;

    /// <param name="environment">What computes.</param>
    /// <param name="signer">Who makes it.</param>
    /// <param name="receiver">For whom; null for the open form.</param>
    /// <param name="network">Its network.</param>
    /// <param name="made">When, seconds since 1970.</param>
    /// <param name="write">Takes the bytes in order.</param>
    public BundleWriter(NodeEnvironment environment, KeyPair signer, PublicKey? receiver, NetworkId network, uint made, Action<byte[]> write)
    {
        (_environment, _signer, _receiver, _write) = (environment, signer, receiver, write);
        Span<byte> secret = stackalloc byte[32], ephemeral = stackalloc byte[32], shared = stackalloc byte[32];
        environment.Ciphers.MakeKey(environment.Random, secret, ephemeral);
        if (receiver is null) ephemeral.CopyTo(shared);
        else if (!environment.Ciphers.TryAgree(secret, receiver.BoxKey, shared)) throw new ArgumentException("Nothing can be sealed for this key.", nameof(receiver));
        _header = BundleFormat.WriteHeader(receiver, network, new Hash256(ephemeral));
        _key = BundleFormat.KeyOf(environment.Ciphers, shared, _header, receiver);
        CryptographicOperations.ZeroMemory(secret);
        CryptographicOperations.ZeroMemory(shared);
        write(_header);
        var maker = new byte[KeyTail.Bytes + 4];
        KeyTail.Of(signer.Public).CopyTo(maker);
        BinaryPrimitives.WriteUInt32BigEndian(maker.AsSpan(KeyTail.Bytes), made);
        Add(BundleRecord.Maker, maker);
    }

    public void Add(BundleRecord type, ReadOnlySpan<byte> body)
    {
        Span<byte> head = stackalloc byte[BundleFormat.RecordHeaderBytes];
        head[0] = (byte)type;
        BinaryPrimitives.WriteUInt32BigEndian(head[1..], (uint)body.Length);
        if (type != BundleRecord.End)
        {
            _digest.AppendData(head);
            _digest.AppendData(body);
        }
        _text.Write(head);
        _text.Write(body);
        while (_text.Length > BundleFormat.ChunkTextBytes) WriteChunk(BundleFormat.ChunkTextBytes, isLast: false);
    }

    /// <summary>Signs and ends it.</summary>
    public void End()
    {
        Span<byte> digest = stackalloc byte[32], signature = stackalloc byte[Ed25519.SignatureBytes];
        _digest.GetCurrentHash(digest);
        _environment.Signatures.Sign(_signer, BundleFormat.ToSign(_header, _receiver, digest), signature);
        Add(BundleRecord.End, signature);
        WriteChunk((int)_text.Length, isLast: true);
    }

    public void Dispose()
    {
        CryptographicOperations.ZeroMemory(_key);
        _digest.Dispose();
        _text.Dispose();
    }

    private void WriteChunk(int length, bool isLast)
    {
        var text = _text.ToArray();
        var chunk = new byte[4 + length + BundleFormat.TagBytes];
        BinaryPrimitives.WriteUInt32BigEndian(chunk, (uint)(length + BundleFormat.TagBytes) | (isLast ? BundleFormat.LastChunk : 0));
        _environment.Ciphers.Seal(_key, _chunk++, BundleFormat.Associated(_header, isLast), text.AsSpan(0, length), chunk.AsSpan(4));
        _text.SetLength(0);
        _text.Write(text.AsSpan(length));
        _write(chunk);
    }
}

/// <summary>Who made a bundle, and when, by its clock.</summary>
internal sealed record BundleMaker(PublicKey Key, uint Made, bool IsOpen);

/// <summary>
/// Opens a bundle piece by piece. What it gives may be used only when <see cref="IsWhole"/> is true in the end: read the file once to check it and once
/// more to take it.
/// </summary>
internal sealed class BundleReader : IDisposable
{
    private readonly NodeEnvironment _environment;
    private readonly PublicKey? _receiver;
    private readonly byte[] _header, _key;
    private readonly IncrementalHash _digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private byte[] _rest = [];
    private ulong _chunk;
    private bool _lastSeen;

    private BundleReader(NodeEnvironment environment, byte[] header, byte[] key, PublicKey? receiver) => (_environment, _header, _key, _receiver) = (environment, header, key, receiver);

    /// <summary>Null until its record came.</summary>
    public BundleMaker? Maker { get; private set; }

    /// <summary>The last chunk and the signature came, and all fits.</summary>
    public bool IsWhole { get; private set; }

    public static MailBundleRefusal TryOpen(NodeEnvironment environment, KeyPair own, NetworkId network, ReadOnlySpan<byte> header, out BundleReader? reader)
    {
        reader = null;
        if (!BundleFormat.IsBundle(header)) return MailBundleRefusal.NotABundle;
        if (header.Length < BundleFormat.HeaderBytes) return MailBundleRefusal.Damaged;
        header = header[..BundleFormat.HeaderBytes];
        if (header[8] > 1) return MailBundleRefusal.NewerVersion;
        if (header[8] != 1 || header[9] > 1) return MailBundleRefusal.Damaged;
        if (BinaryPrimitives.ReadUInt128BigEndian(header[10..]) != network.Value) return MailBundleRefusal.ForeignNetwork;
        var ephemeral = header[34..];
        Span<byte> shared = stackalloc byte[32];
        var isSealed = header[9] == 1;
        if (!isSealed) ephemeral.CopyTo(shared);
        else if (Envelope.HintOf(own.Public, new Hash256(ephemeral)) != BinaryPrimitives.ReadUInt64BigEndian(header[26..]) || !environment.Ciphers.TryAgree(own, ephemeral, shared))
            return MailBundleRefusal.NotForUs;
        var receiver = isSealed ? own.Public : null;
        reader = new BundleReader(environment, header.ToArray(), BundleFormat.KeyOf(environment.Ciphers, shared, header, receiver), receiver);
        CryptographicOperations.ZeroMemory(shared);
        return MailBundleRefusal.None;
    }

    /// <summary>Length of the box that a chunk's first four bytes announce; null: no such chunk.</summary>
    public static int? BoxBytes(ReadOnlySpan<byte> length)
    {
        var bytes = BinaryPrimitives.ReadUInt32BigEndian(length) & ~BundleFormat.LastChunk;
        return bytes is > BundleFormat.TagBytes and <= BundleFormat.ChunkTextBytes + BundleFormat.TagBytes ? (int)bytes : null;
    }

    /// <summary>Opens the next chunk and gives its whole records; false when something does not fit.</summary>
    public bool TryRead(ReadOnlySpan<byte> length, ReadOnlySpan<byte> box, List<(BundleRecord Type, byte[] Body)> records)
    {
        var isLast = (BinaryPrimitives.ReadUInt32BigEndian(length) & BundleFormat.LastChunk) != 0;
        if (_lastSeen || IsWhole) return false;
        _lastSeen = isLast;
        var text = new byte[_rest.Length + box.Length - BundleFormat.TagBytes];
        if (!_environment.Ciphers.TryOpen(_key, _chunk++, BundleFormat.Associated(_header, isLast), box, text.AsSpan(_rest.Length))) return false;
        _rest.CopyTo(text, 0);
        var at = 0;
        while (text.Length - at >= BundleFormat.RecordHeaderBytes)
        {
            var bodyBytes = BinaryPrimitives.ReadUInt32BigEndian(text.AsSpan(at + 1));
            if (bodyBytes > BundleFormat.RecordBytesMax) return false;
            var size = BundleFormat.RecordHeaderBytes + (int)bodyBytes;
            if (text.Length - at < size) break;
            if (!Take(text.AsSpan(at, size), records)) return false;
            at += size;
        }
        _rest = text[at..];
        return !isLast || (IsWhole && _rest.Length == 0);
    }

    public void Dispose()
    {
        CryptographicOperations.ZeroMemory(_key);
        _digest.Dispose();
    }

    private bool Take(ReadOnlySpan<byte> record, List<(BundleRecord Type, byte[] Body)> records)
    {
        var type = (BundleRecord)record[0];
        var body = record[BundleFormat.RecordHeaderBytes..];
        if (IsWhole) return false;
        if (Maker is null)
        {
            if (type != BundleRecord.Maker || body.Length != KeyTail.Bytes + 4 || !KeyTail.TryRead(body[..KeyTail.Bytes], out var maker)) return false;
            Maker = new BundleMaker(maker, BinaryPrimitives.ReadUInt32BigEndian(body[KeyTail.Bytes..]), _receiver is null);
        }
        else if (type == BundleRecord.End)
        {
            Span<byte> digest = stackalloc byte[32];
            _digest.GetCurrentHash(digest);
            IsWhole = _lastSeen && _environment.Signatures.Verify(Maker.Key, BundleFormat.ToSign(_header, _receiver, digest), body);
            return IsWhole;
        }
        else records.Add((type, body.ToArray()));
        _digest.AppendData(record);
        return true;
    }
}
