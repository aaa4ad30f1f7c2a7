using Polder.Cryptography;
using Polder.Identity;
using Polder.Net;
using Polder.Wire;

namespace Polder.Overlay.Nat;

/// <summary>What kind of address a node names.</summary>
internal enum CandidateKind : byte
{
    /// <summary>Its outer address by others' word.</summary>
    Outer = 1,
    /// <summary>Its address in its own network.</summary>
    Lan = 2,
    /// <summary>A port that its router mapped for it.</summary>
    Mapped = 3,
}

/// <summary>An address at which a node may be reached.</summary>
internal readonly record struct CandidateAddress(CandidateKind Kind, Endpoint Address);

/// <summary>
/// What one node tells another so that both can open their NATs at the same moment (Overlay §6.1). Signed for this one
/// recipient; sealed to it when a helper carries it.
/// </summary>
/// <remarks><code>
/// offset  size  field
///      0     1  version 01
///      1     1  class of the sender (NatClass)
///      2     1  flags: 01 behind two NATs
///      3     1  step of a sequential NAT, signed; 0 for none
///      4     2  first port of the block of a random NAT; 0 for unknown
///      6     2  last port of it
///      8     8  nonce: whoever probes the sender repeats it
///     16     8  the recipient's nonce that this answers; 0 in a first record
///     24     2  sockets that the sender opens for a birthday; 0 for none
///     26     1  n, at most 8
///     27  20·n  addresses: kind (1), then 19 bytes of address and port
///      .    74  public key of the sender
///      .    64  signature over "polder puncture 1", the recipient's node id (32), and all before
/// </code></remarks>
internal sealed record PunctureRecord(
    PublicKey Sender, NatClass Class, bool IsBehindTwo, int Step, int WindowFrom, int WindowTo, ulong Nonce, ulong Echo, int Sockets,
    IReadOnlyList<CandidateAddress> Addresses)
{
    public const int AddressesMax = 8;
    /// <summary>The largest record: 325 bytes.</summary>
    public const int BytesMax = HeadBytes + AddressesMax * AddressBytes + KeyFormat.Bytes + Ed25519.SignatureBytes;

    private const byte Version = 1, BehindTwoFlag = 1;
    private const int HeadBytes = 27, AddressBytes = 1 + FixedAddress.Bytes;
    private static ReadOnlySpan<byte> Label => "polder puncture 1"u8;

    /// <summary>The outer address, with the port that others saw last; null when the sender knows none.</summary>
    public Endpoint? Outer
    {
        get
        {
            foreach (var candidate in Addresses)
                if (candidate.Kind == CandidateKind.Outer) return candidate.Address;
            return null;
        }
    }

    /// <summary>Writes and signs it.</summary>
    public byte[] Sign(KeyPair sender, PublicKey recipient, ISignatures signatures)
    {
        var content = new byte[Label.Length + Hash256.Bytes + BytesMax];
        var writer = new WireWriter(content);
        writer.WriteBytes(Label);
        recipient.NodeId.CopyTo(writer.Reserve(Hash256.Bytes));
        var start = writer.Position;
        writer.WriteByte(Version);
        writer.WriteByte((byte)Class);
        writer.WriteByte(IsBehindTwo ? BehindTwoFlag : (byte)0);
        writer.WriteByte(unchecked((byte)(sbyte)Step));
        writer.WriteUInt16((ushort)WindowFrom);
        writer.WriteUInt16((ushort)WindowTo);
        writer.WriteUInt64(Nonce);
        writer.WriteUInt64(Echo);
        writer.WriteUInt16((ushort)Sockets);
        writer.WriteByte(checked((byte)Addresses.Count));
        foreach (var candidate in Addresses)
        {
            writer.WriteByte((byte)candidate.Kind);
            FixedAddress.Write(ref writer, candidate.Address);
        }
        writer.WriteBytes(sender.Public.Bytes);
        var signed = writer.Written;
        signatures.Sign(sender, signed, writer.Reserve(Ed25519.SignatureBytes));
        return content.AsSpan(start, writer.Position - start).ToArray();
    }

    /// <summary>Reads a record that was signed for <paramref name="recipient"/>; null when it was not, or is malformed.</summary>
    public static PunctureRecord? TryRead(ReadOnlySpan<byte> bytes, PublicKey recipient, ISignatures signatures)
    {
        if (bytes.Length > BytesMax || TryReadUnchecked(bytes) is not { } record) return null;
        Span<byte> signed = stackalloc byte[Label.Length + Hash256.Bytes + BytesMax];
        Label.CopyTo(signed);
        recipient.NodeId.CopyTo(signed[Label.Length..]);
        bytes[..^Ed25519.SignatureBytes].CopyTo(signed[(Label.Length + Hash256.Bytes)..]);
        signed = signed[..(Label.Length + Hash256.Bytes + bytes.Length - Ed25519.SignatureBytes)];
        return signatures.Verify(record.Sender, signed, bytes[^Ed25519.SignatureBytes..]) ? record : null;
    }

    /// <summary>Reads without looking at the signature.</summary>
    internal static PunctureRecord? TryReadUnchecked(ReadOnlySpan<byte> bytes)
    {
        var reader = new WireReader(bytes);
        reader.Require(reader.ReadByte() == Version, WireError.UnknownTag);
        var @class = reader.ReadByte();
        reader.Require(@class <= (byte)NatClass.Blocked, WireError.UnknownTag);
        var flags = reader.ReadByte();
        var step = unchecked((sbyte)reader.ReadByte());
        var (from, to) = (reader.ReadUInt16(), reader.ReadUInt16());
        reader.Require(from <= to);
        var (nonce, echo) = (reader.ReadUInt64(), reader.ReadUInt64());
        var sockets = reader.ReadUInt16();
        var count = reader.ReadByte();
        reader.Require(count <= AddressesMax, WireError.TooLong);
        reader.Require(nonce != 0);
        if (reader.Failed) return null;
        var addresses = new CandidateAddress[count];
        for (var i = 0; i < count; i++)
        {
            var kind = reader.ReadByte();
            reader.Require(kind is >= 1 and <= 3, WireError.UnknownTag);
            addresses[i] = new CandidateAddress((CandidateKind)kind, FixedAddress.Read(ref reader));
        }
        var key = reader.ReadBytes(KeyFormat.Bytes);
        reader.ReadBytes(Ed25519.SignatureBytes);
        if (!reader.Finish() || !PublicKey.TryParse(key, out var sender)) return null;
        return new PunctureRecord(sender, (NatClass)@class, (flags & BehindTwoFlag) != 0, step, from, to, nonce, echo, sockets, addresses);
    }
}
