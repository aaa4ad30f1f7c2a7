using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Polder.Cryptography;
using Polder.Identity;
using Polder.Net;
using Polder.Overlay.Discovery;
using Polder.Wire;

namespace Polder.Overlay.Invitations;

/// <summary>A secret that makes an invitation work once: 16 random bytes.</summary>
/// <param name="Value">The bytes as a big-endian number.</param>
public readonly record struct InvitationToken(UInt128 Value)
{
    /// <summary>Its size.</summary>
    public const int Bytes = 16;

    /// <summary>What the token is called where it may be seen: first 8 bytes of SHA-256 of "polder/invitation/id" and the token.</summary>
    public ulong Id
    {
        get
        {
            Span<byte> input = stackalloc byte[20 + Bytes];
            "polder/invitation/id"u8.CopyTo(input);
            BinaryPrimitives.WriteUInt128BigEndian(input[20..], Value);
            return Hash256.Of(input).Head;
        }
    }

    /// <summary>
    /// Shows the inviter that this key holds the token, without telling it to listeners: first 16 bytes of HMAC-SHA-256 with the token over
    /// "polder/invitation/use", the inviter's and the user's key.
    /// </summary>
    public UInt128 ProofFor(PublicKey inviter, PublicKey user)
    {
        ArgumentNullException.ThrowIfNull(inviter);
        ArgumentNullException.ThrowIfNull(user);
        Span<byte> key = stackalloc byte[Bytes], input = stackalloc byte[21 + 2 * KeyFormat.Bytes], hash = stackalloc byte[32];
        BinaryPrimitives.WriteUInt128BigEndian(key, Value);
        "polder/invitation/use"u8.CopyTo(input);
        inviter.Bytes.CopyTo(input[21..]);
        user.Bytes.CopyTo(input[(21 + KeyFormat.Bytes)..]);
        HMACSHA256.HashData(key, input, hash);
        return BinaryPrimitives.ReadUInt128BigEndian(hash);
    }

    // A secret is in no log.
    private bool PrintMembers(System.Text.StringBuilder text) => text.Append(System.Globalization.CultureInfo.InvariantCulture, $"Id = {Id:x16}") is not null;
}

/// <summary>Somebody who can pass punctures on to the inviter.</summary>
/// <param name="Id">SHA-1 of its key.</param>
/// <param name="Address">Where it is.</param>
public readonly record struct InvitationHelper(PeerId Id, Endpoint Address);

/// <summary>
/// "Come and be my contact": who invites, where it may be, who can help, and a secret that works once (Overlay §5.2). As text it is
/// "PEER:" and base32; any case is read.
/// </summary>
/// <remarks><code>
/// offset  size  field
///      0     1  version 01
///      1    64  public key of the inviter, without its 10-byte tag
///     65     4  expiry, seconds since 1970
///     69     1  flags: 1 = the network id follows; others are 0
///    (70    16  network id, only where it is not 0)
///      .     1  number of own addresses, 0 to 4
///      .     n  addresses, 7 or 19 bytes each ("ip_address": 01 and IPv4, or 03 and IPv6, then the port)
///      .     1  number of helpers, 0 to 3
///      .     m  helpers: SHA-1 of the key 20, address 7 or 19
///      .    16  one-time token
///      .    64  Ed25519 signature over "polder/invitation/1" and all before it
/// </code>At most 300 bytes in all.</remarks>
/// <param name="Inviter">Who invites.</param>
/// <param name="Expires">When it ends, in seconds since 1970.</param>
/// <param name="Network">For which network.</param>
/// <param name="Addresses">Where the inviter may be.</param>
/// <param name="Helpers">Who can help to reach it.</param>
/// <param name="Token">The secret.</param>
public sealed record Invitation(
    PublicKey Inviter, uint Expires, NetworkId Network, IReadOnlyList<Endpoint> Addresses, IReadOnlyList<InvitationHelper> Helpers, InvitationToken Token)
{
    /// <summary>The largest invitation.</summary>
    public const int BytesMax = 300;
    /// <summary>Own addresses at most.</summary>
    public const int AddressesMax = 4;
    /// <summary>Helpers at most.</summary>
    public const int HelpersMax = 3;
    /// <summary>What the text begins with.</summary>
    public const string Scheme = "peer:";

    private const byte Version = 1;
    private const byte HasNetwork = 1;
    private const int BytesMin = 1 + KeyTail.Bytes + 4 + 1 + 1 + 1 + InvitationToken.Bytes + Ed25519.SignatureBytes;

    private static ReadOnlySpan<byte> Context => "polder/invitation/1"u8;

    /// <summary>The signed bytes. Helpers, then addresses, are left out from the end where they do not fit.</summary>
    public byte[] Sign(KeyPair inviter, ISignatures signatures)
    {
        ArgumentNullException.ThrowIfNull(inviter);
        ArgumentNullException.ThrowIfNull(signatures);
        if (inviter.Public != Inviter) throw new ArgumentException("Only the inviter signs its invitation.", nameof(inviter));
        var (addresses, helpers) = (Math.Min(Addresses.Count, AddressesMax), Math.Min(Helpers.Count, HelpersMax));
        while (Size(addresses, helpers) > BytesMax)
            if (helpers > 1 || addresses == 0) helpers--;
            else addresses--;
        var bytes = new byte[Size(addresses, helpers)];
        var writer = new WireWriter(bytes);
        writer.WriteByte(Version);
        writer.WriteBytes(Inviter.Bytes[KeyFormat.TagBytes..]);
        writer.WriteUInt32(Expires);
        writer.WriteByte(Network.Value != 0 ? HasNetwork : (byte)0);
        if (Network.Value != 0) BinaryPrimitives.WriteUInt128BigEndian(writer.Reserve(16), Network.Value);
        writer.WriteByte((byte)addresses);
        for (var i = 0; i < addresses; i++) writer.WriteAddress(Addresses[i]);
        writer.WriteByte((byte)helpers);
        for (var i = 0; i < helpers; i++)
        {
            Helpers[i].Id.CopyTo(writer.Reserve(PeerId.Bytes));
            writer.WriteAddress(Helpers[i].Address);
        }
        BinaryPrimitives.WriteUInt128BigEndian(writer.Reserve(InvitationToken.Bytes), Token.Value);
        signatures.Sign(inviter, Signed(writer.Written), writer.Reserve(Ed25519.SignatureBytes));
        return bytes;
    }

    /// <summary>The text of signed bytes: "PEER:…", which a QR code takes in its alphanumeric mode.</summary>
    public static string ToText(ReadOnlySpan<byte> bytes) => "PEER:" + Base32.Encode(bytes);

    /// <summary>Reads the text of an invitation. Says why not; time, network and owner are not looked at here.</summary>
    public static InvitationRefusal TryParse(ReadOnlySpan<char> text, ISignatures signatures, out Invitation? invitation)
    {
        invitation = null;
        text = text.Trim();
        if (!text.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)) return InvitationRefusal.NotAnInvitation;
        // Longer than any, with room for the white space that mail programs put in.
        if (text.Length > 4 * BytesMax) return InvitationRefusal.NotAnInvitation;
        return Base32.Decode(text[Scheme.Length..], BytesMax) is { } bytes ? TryRead(bytes, signatures, out invitation) : InvitationRefusal.Damaged;
    }

    /// <summary>Reads signed bytes. Says why not; time, network and owner are not looked at here.</summary>
    public static InvitationRefusal TryRead(ReadOnlySpan<byte> bytes, ISignatures signatures, out Invitation? invitation)
    {
        ArgumentNullException.ThrowIfNull(signatures);
        invitation = null;
        if (bytes.IsEmpty) return InvitationRefusal.Damaged;
        if (bytes[0] > Version && bytes.Length >= BytesMin) return InvitationRefusal.NewerVersion;
        if (bytes.Length is < BytesMin or > BytesMax || bytes[0] != Version) return InvitationRefusal.Damaged;
        if (!TryReadFields(bytes[..^Ed25519.SignatureBytes], out var read)) return InvitationRefusal.Damaged;
        if (!signatures.Verify(read.Inviter, Signed(bytes[..^Ed25519.SignatureBytes]), bytes[^Ed25519.SignatureBytes..])) return InvitationRefusal.Damaged;
        invitation = read;
        return InvitationRefusal.None;
    }

    private static bool TryReadFields(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out Invitation? invitation)
    {
        invitation = null;
        var reader = new WireReader(bytes);
        reader.ReadByte();
        if (!KeyTail.TryRead(reader.ReadBytes(KeyTail.Bytes), out var inviter)) return false;
        var expires = reader.ReadUInt32();
        var flags = reader.ReadByte();
        reader.Require((flags & ~HasNetwork) == 0);
        var network = (flags & HasNetwork) != 0 ? ReadUInt128(ref reader) : 0;
        var count = reader.ReadByte();
        reader.Require(count <= AddressesMax, WireError.TooLong);
        var addresses = new List<Endpoint>(AddressesMax);
        for (var i = 0; i < count && !reader.Failed; i++) addresses.Add(reader.ReadAddress());
        count = reader.ReadByte();
        reader.Require(count <= HelpersMax, WireError.TooLong);
        var helpers = new List<InvitationHelper>(HelpersMax);
        for (var i = 0; i < count && !reader.Failed; i++)
        {
            var id = reader.ReadBytes(PeerId.Bytes);
            var address = reader.ReadAddress();
            if (!reader.Failed) helpers.Add(new InvitationHelper(new PeerId(id), address));
        }
        var token = new InvitationToken(ReadUInt128(ref reader));
        if (!reader.Finish()) return false;
        invitation = new Invitation(inviter, expires, new NetworkId(network), addresses, helpers, token);
        return true;
    }

    private static UInt128 ReadUInt128(ref WireReader reader) =>
        reader.ReadBytes(16) is { Length: 16 } bytes ? BinaryPrimitives.ReadUInt128BigEndian(bytes) : 0;

    private static byte[] Signed(ReadOnlySpan<byte> content) => [.. Context, .. content];

    private int Size(int addresses, int helpers)
    {
        var size = BytesMin + (Network.Value != 0 ? 16 : 0);
        for (var i = 0; i < addresses; i++) size += Addresses[i].IsIPv4 ? 7 : 19;
        for (var i = 0; i < helpers; i++) size += PeerId.Bytes + (Helpers[i].Address.IsIPv4 ? 7 : 19);
        return size;
    }
}
