using Polder.Cryptography;
using Polder.Identity;
using Polder.Net;
using Polder.Overlay.Discovery;
using Polder.Wire;

namespace Polder.Overlay.AddressBook;

/// <summary>Why a bundle is refused.</summary>
public enum BundleRefusal
{
    /// <summary>It is not.</summary>
    None,
    /// <summary>The bytes are no bundle of addresses, or are damaged.</summary>
    NotABundle,
    /// <summary>It was made by a newer program.</summary>
    NewerVersion,
    /// <summary>The signature does not fit: somebody changed it, or the file is damaged.</summary>
    BadSignature,
    /// <summary>It belongs to another network.</summary>
    ForeignNetwork,
}

/// <summary>
/// A signed file with addresses, to be carried to another node (on a stick, in a mail). Its signer vouches for nothing: the
/// addresses are taken like those that one peer told, under the same limits.
/// </summary>
/// <remarks><code>
/// offset  size  field
///      0     8  ASCII "PLDRPEER"
///      8     1  version 01
///      9    16  network id
///     25    64  public key of the signer, without its 10-byte tag
///     89     4  made, seconds since 1970
///     93     2  number of addresses, at most 500
///     95     n  addresses, 7 or 19 bytes each ("ip_address")
///    95+n   64  Ed25519 signature over all before it
/// </code></remarks>
/// <param name="Network">For which network.</param>
/// <param name="Signer">Who made it.</param>
/// <param name="Made">When, in seconds since 1970, by the maker's clock.</param>
/// <param name="Addresses">Where its maker met somebody.</param>
public sealed record PeerBundle(NetworkId Network, PublicKey Signer, uint Made, IReadOnlyList<Endpoint> Addresses)
{
    /// <summary>Addresses in one bundle.</summary>
    public const int EntriesMax = 500;

    /// <summary>The largest bundle.</summary>
    public const int BytesMax = 95 + EntriesMax * 19 + Ed25519.SignatureBytes;

    private const byte Version = 1;

    private static ReadOnlySpan<byte> Magic => "PLDRPEER"u8;

    /// <summary>The signed bytes.</summary>
    public static byte[] Write(NetworkId network, KeyPair signer, uint made, IReadOnlyList<Endpoint> addresses, ISignatures signatures)
    {
        ArgumentNullException.ThrowIfNull(signer);
        ArgumentNullException.ThrowIfNull(addresses);
        ArgumentNullException.ThrowIfNull(signatures);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(addresses.Count, EntriesMax);
        var bytes = new byte[BytesMax];
        var writer = new WireWriter(bytes);
        writer.WriteBytes(Magic);
        writer.WriteByte(Version);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt128BigEndian(writer.Reserve(16), network.Value);
        writer.WriteBytes(signer.Public.Bytes[KeyFormat.TagBytes..]);
        writer.WriteUInt32(made);
        writer.WriteUInt16((ushort)addresses.Count);
        foreach (var address in addresses) writer.WriteAddress(address);
        var signed = writer.Written;
        signatures.Sign(signer, signed, writer.Reserve(Ed25519.SignatureBytes));
        return bytes[..writer.Position];
    }

    /// <summary>Reads a bundle of this network, or says why it is refused.</summary>
    public static BundleRefusal TryRead(ReadOnlySpan<byte> bytes, NetworkId network, ISignatures signatures, out PeerBundle? bundle)
    {
        ArgumentNullException.ThrowIfNull(signatures);
        bundle = null;
        if (bytes.Length is < 95 + Ed25519.SignatureBytes or > BytesMax || !bytes.StartsWith(Magic)) return BundleRefusal.NotABundle;
        if (bytes[Magic.Length] != Version) return bytes[Magic.Length] > Version ? BundleRefusal.NewerVersion : BundleRefusal.NotABundle;
        var reader = new WireReader(bytes[..^Ed25519.SignatureBytes]);
        reader.ReadBytes(Magic.Length + 1);
        var id = new NetworkId(System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(reader.ReadBytes(16)));
        if (!KeyTail.TryRead(reader.ReadBytes(KeyTail.Bytes), out var signer)) return BundleRefusal.NotABundle;
        var made = reader.ReadUInt32();
        var count = reader.ReadUInt16();
        reader.Require(count <= EntriesMax, WireError.TooLong);
        var addresses = new List<Endpoint>();
        for (var i = 0; i < count && !reader.Failed; i++) addresses.Add(reader.ReadAddress());
        if (!reader.Finish()) return BundleRefusal.NotABundle;
        if (!signatures.Verify(signer, bytes[..^Ed25519.SignatureBytes], bytes[^Ed25519.SignatureBytes..])) return BundleRefusal.BadSignature;
        if (id != network) return BundleRefusal.ForeignNetwork;
        bundle = new PeerBundle(id, signer, made, addresses);
        return BundleRefusal.None;
    }

    /// <summary>A sentence for people.</summary>
    public static string Explain(BundleRefusal refusal) => refusal switch
    {
        BundleRefusal.None => "The addresses were taken.",
        BundleRefusal.NewerVersion => "This file was made by a newer Polder. Update the program.",
        BundleRefusal.BadSignature => "This file was changed or damaged on its way: its signature does not fit. Ask for it again.",
        BundleRefusal.ForeignNetwork => "This file belongs to another network than this node.",
        _ => "This is no file with addresses of Polder peers, or it is damaged.",
    };
}
