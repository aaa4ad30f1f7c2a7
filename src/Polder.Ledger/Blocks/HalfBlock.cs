using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using Polder.Cryptography;
using Polder.Identity;

namespace Polder.Ledger.Blocks;

/// <summary>
/// One signed entry of a personal chain. Two half blocks of two chains that point at each other are one agreed record.
/// The packed bytes are kept as received, because hash and signature are over them; fields are read from them when asked.
/// </summary>
/// <remarks><code>
/// offset  size  field
///      0    74  public key      owner of the chain
///     74     4  sequence        1 = first
///     78    74  link key        counterparty; any bytes: 74 × '0' is "any counterparty"
///    152     4  link sequence   0 in a proposal; the proposal's number in an agreement
///    156    32  previous hash   32 × '0' in the first block
///    188    64  signature       over all of this with 64 × '0' in its place
///    252   4+n  type            bytes, ASCII by good custom
///  256+n   4+m  transaction     see TransactionCodec, or JSON
///      –     8  timestamp       milliseconds since 1970
/// </code>Big-endian. The hash is SHA-256 over all bytes, the real signature included.</remarks>
public sealed class HalfBlock : IEquatable<HalfBlock>
{
    internal const int SequenceOffset = KeyFormat.Bytes;
    internal const int LinkKeyOffset = SequenceOffset + 4;
    internal const int LinkSequenceOffset = LinkKeyOffset + KeyFormat.Bytes;
    internal const int PreviousHashOffset = LinkSequenceOffset + 4;
    internal const int SignatureOffset = PreviousHashOffset + Hash256.Bytes;
    internal const int TypeOffset = SignatureOffset + Ed25519.SignatureBytes;

    /// <summary>Bytes of a block with empty type and transaction.</summary>
    public const int BytesMin = TypeOffset + 4 + 4 + 8;

    /// <summary>The number of a chain's first block.</summary>
    public const uint GenesisSequence = 1;

    /// <summary>The link sequence of a proposal: not known yet.</summary>
    public const uint UnknownSequence = 0;

    private readonly byte[] _packed;
    private PublicKey? _owner;
    private Hash256 _hash;
    private bool _hashed;

    private HalfBlock(byte[] packed) => _packed = packed;

    /// <summary>What stands in the first block where others have the hash of their predecessor: 32 ASCII zeros.</summary>
    public static Hash256 GenesisHash { get; } = new("00000000000000000000000000000000"u8);

    /// <summary>The link key of a block that anybody may take: 74 ASCII zeros.</summary>
    public static ReadOnlySpan<byte> AnyCounterparty => "00000000000000000000000000000000000000000000000000000000000000000000000000"u8;

    /// <summary>What is signed in the signature's own place: 64 ASCII zeros.</summary>
    public static ReadOnlySpan<byte> EmptySignature => "0000000000000000000000000000000000000000000000000000000000000000"u8;

    /// <summary>Reads exactly one block; copies the bytes. False for anything too short, too long or with lengths that do not add up.</summary>
    public static bool TryUnpack(ReadOnlySpan<byte> packed, [NotNullWhen(true)] out HalfBlock? block)
    {
        block = TryMeasure(packed, out var bytes) && bytes == packed.Length ? new HalfBlock(packed.ToArray()) : null;
        return block is not null;
    }

    /// <summary>Reads a block whose bytes nobody else will change: no copy is made.</summary>
    internal static bool TryAdopt(byte[] packed, [NotNullWhen(true)] out HalfBlock? block)
    {
        block = TryMeasure(packed, out var bytes) && bytes == packed.Length ? new HalfBlock(packed) : null;
        return block is not null;
    }

    /// <summary>How many bytes the block at the start of <paramref name="data"/> takes; false when it does not end in there.</summary>
    public static bool TryMeasure(ReadOnlySpan<byte> data, out int bytes)
    {
        bytes = 0;
        if (data.Length < BytesMin) return false;
        var rest = (uint)(data.Length - BytesMin);
        var type = BinaryPrimitives.ReadUInt32BigEndian(data[TypeOffset..]);
        if (type > rest) return false;
        var transaction = BinaryPrimitives.ReadUInt32BigEndian(data[(TypeOffset + 4 + (int)type)..]);
        if (transaction > rest - type) return false;
        bytes = BytesMin + (int)type + (int)transaction;
        return true;
    }

    /// <summary>Builds and signs a block.</summary>
    public static HalfBlock Create(ISignatures signatures, KeyPair key, in BlockFields fields)
    {
        var packed = new byte[BytesMin + fields.Type.Length + fields.Transaction.Length];
        key.Public.Bytes.CopyTo(packed);
        BinaryPrimitives.WriteUInt32BigEndian(packed.AsSpan(SequenceOffset), fields.Sequence);
        if (fields.LinkKey.Length != KeyFormat.Bytes) throw new ArgumentException("A link key has 74 bytes.", nameof(fields));
        fields.LinkKey.CopyTo(packed.AsSpan(LinkKeyOffset));
        BinaryPrimitives.WriteUInt32BigEndian(packed.AsSpan(LinkSequenceOffset), fields.LinkSequence);
        fields.PreviousHash.CopyTo(packed.AsSpan(PreviousHashOffset));
        EmptySignature.CopyTo(packed.AsSpan(SignatureOffset));
        var rest = packed.AsSpan(TypeOffset);
        BinaryPrimitives.WriteUInt32BigEndian(rest, (uint)fields.Type.Length);
        fields.Type.CopyTo(rest[4..]);
        rest = rest[(4 + fields.Type.Length)..];
        BinaryPrimitives.WriteUInt32BigEndian(rest, (uint)fields.Transaction.Length);
        fields.Transaction.CopyTo(rest[4..]);
        BinaryPrimitives.WriteUInt64BigEndian(packed.AsSpan(packed.Length - 8), fields.Timestamp);

        Span<byte> signature = stackalloc byte[Ed25519.SignatureBytes];
        signatures.Sign(key, packed, signature);
        signature.CopyTo(packed.AsSpan(SignatureOffset));
        return new HalfBlock(packed) { _owner = key.Public };
    }

    /// <summary>The block as it goes over the wire and into the store.</summary>
    public ReadOnlyMemory<byte> Packed => _packed;

    /// <summary>SHA-256 of <see cref="Packed"/>; computed once.</summary>
    public Hash256 Hash
    {
        get
        {
            if (_hashed) return _hash;
            _hash = Hash256.Of(_packed);
            _hashed = true;
            return _hash;
        }
    }

    /// <summary>The 74 bytes of the chain's owner, as received.</summary>
    public ReadOnlySpan<byte> PublicKey => _packed.AsSpan(0, KeyFormat.Bytes);

    /// <summary>The owner, when its key has IPv8's normal form; no valid block has another.</summary>
    public PublicKey? Owner
    {
        get
        {
            if (_owner is null && Identity.PublicKey.TryParse(PublicKey, out var owner)) _owner = owner;
            return _owner;
        }
        internal set => _owner = value;
    }

    /// <summary>Its number in the chain, from 1.</summary>
    public uint Sequence => BinaryPrimitives.ReadUInt32BigEndian(_packed.AsSpan(SequenceOffset));

    /// <summary>The 74 bytes of the counterparty, as received: any bytes.</summary>
    public ReadOnlySpan<byte> LinkKey => _packed.AsSpan(LinkKeyOffset, KeyFormat.Bytes);

    /// <summary>0 in a proposal, the number of the proposal in an agreement.</summary>
    public uint LinkSequence => BinaryPrimitives.ReadUInt32BigEndian(_packed.AsSpan(LinkSequenceOffset));

    /// <summary>Hash of the block before, or <see cref="GenesisHash"/>.</summary>
    public Hash256 PreviousHash => new(_packed.AsSpan(PreviousHashOffset, Hash256.Bytes));

    /// <summary>The 64 bytes of the signature.</summary>
    public ReadOnlySpan<byte> Signature => _packed.AsSpan(SignatureOffset, Ed25519.SignatureBytes);

    /// <summary>The type as bytes, as received and hashed.</summary>
    public ReadOnlySpan<byte> Type => _packed.AsSpan(TypeOffset + 4, TypeLength);

    /// <summary>The type as text for people: what is no printable ASCII is shown as \xNN.</summary>
    public string TypeText => Printable(Type);

    /// <summary>The transaction as bytes, as received and hashed.</summary>
    public ReadOnlySpan<byte> Transaction => _packed.AsSpan(TypeOffset + 8 + TypeLength, _packed.Length - BytesMin - TypeLength);

    /// <summary>When it was signed by its signer's clock: milliseconds since 1970. Any number.</summary>
    public ulong Timestamp => BinaryPrimitives.ReadUInt64BigEndian(_packed.AsSpan(_packed.Length - 8));

    /// <summary>The first block of a chain, by its number or by what it says came before.</summary>
    public bool IsGenesis => Sequence == GenesisSequence || PreviousHash == GenesisHash;

    /// <summary>Whether it waits for somebody's agreement.</summary>
    public bool IsProposal => LinkSequence == UnknownSequence;

    /// <summary>Whether anybody, several included, may link to it.</summary>
    public bool IsSource => LinkKey.SequenceEqual(AnyCounterparty);

    /// <summary>A block to its own signer, as every SuperApp app makes them.</summary>
    public bool IsToSelf => LinkKey.SequenceEqual(PublicKey);

    /// <summary>"HEX.SEQ": key and number.</summary>
    public string Id => $"{Convert.ToHexStringLower(PublicKey)}.{Sequence}";

    /// <summary>"HEX.SEQ" of what the link fields point at.</summary>
    public string LinkedId => $"{Convert.ToHexStringLower(LinkKey)}.{LinkSequence}";

    /// <summary>The hash as a number mod 10^8: what py uses as the id of a crawl for this block.</summary>
    public uint HashNumber
    {
        get
        {
            Span<byte> digest = stackalloc byte[Hash256.Bytes];
            Hash.CopyTo(digest);
            ulong value = 0;
            foreach (var part in digest) value = ((value << 8) | part) % 100_000_000;
            return (uint)value;
        }
    }

    /// <summary>Whether this block's link fields point at that one.</summary>
    public bool LinksTo(HalfBlock other) => LinkSequence != UnknownSequence && LinkSequence == other.Sequence && LinkKey.SequenceEqual(other.PublicKey);

    /// <summary>Whether both are blocks of one chain with one number.</summary>
    public bool SamePlace(HalfBlock other) => Sequence == other.Sequence && PublicKey.SequenceEqual(other.PublicKey);

    /// <summary>Writes the bytes that are signed: the packed bytes with an empty signature.</summary>
    public void CopySignedBytes(Span<byte> destination)
    {
        _packed.CopyTo(destination);
        EmptySignature.CopyTo(destination[SignatureOffset..]);
    }

    /// <summary>Whether the signature is the owner's. False also for a key of the wrong form. Pure: may run on a worker.</summary>
    public bool VerifySignature(ISignatures signatures)
    {
        const int onStack = 2048;
        if (Owner is not { } owner) return false;
        Span<byte> signed = _packed.Length <= onStack ? stackalloc byte[_packed.Length] : new byte[_packed.Length];
        CopySignedBytes(signed);
        return signatures.Verify(owner, signed, Signature);
    }

    /// <inheritdoc/>
    public bool Equals(HalfBlock? other) => other is not null && (ReferenceEquals(this, other) || _packed.AsSpan().SequenceEqual(other._packed));

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as HalfBlock);

    /// <inheritdoc/>
    public override int GetHashCode() => Hash.GetHashCode();

    /// <summary>For logs: short name of the owner, number, type.</summary>
    public override string ToString() => $"{Owner?.ShortName ?? "?"}.{Sequence} {TypeText}";

    private int TypeLength => BinaryPrimitives.ReadInt32BigEndian(_packed.AsSpan(TypeOffset));

    private static string Printable(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder(bytes.Length);
        foreach (var value in bytes)
        {
            if (value is >= 0x20 and < 0x7F and not (byte)'\\') text.Append((char)value);
            else text.Append("\\x").Append(Convert.ToHexStringLower([value]));
        }
        return text.ToString();
    }
}

/// <summary>What a new block is made of, but for key and signature.</summary>
public readonly ref struct BlockFields
{
    /// <summary>Its number.</summary>
    public uint Sequence { get; init; }
    /// <summary>Counterparty, 74 bytes.</summary>
    public ReadOnlySpan<byte> LinkKey { get; init; }
    /// <summary>0 for a proposal.</summary>
    public uint LinkSequence { get; init; }
    /// <summary>Hash of the predecessor.</summary>
    public Hash256 PreviousHash { get; init; }
    /// <summary>Type, as bytes.</summary>
    public ReadOnlySpan<byte> Type { get; init; }
    /// <summary>Transaction, as bytes.</summary>
    public ReadOnlySpan<byte> Transaction { get; init; }
    /// <summary>Milliseconds since 1970.</summary>
    public ulong Timestamp { get; init; }
}
