using System.Buffers.Binary;
using Polder.Wire;

namespace Polder.Overlay.Invitations;

/// <summary>Message 1: "I hold this invitation of yours." Answered by <see cref="Redeemed"/>.</summary>
/// <remarks><code>
/// offset  size  field
///      0     2  identifier
///      2     8  id of the token
///     10    16  proof for the two keys (<see cref="InvitationToken.ProofFor"/>)
/// </code></remarks>
internal readonly record struct Redeem(ushort Identifier, ulong TokenId, UInt128 Proof) : IMessage<Redeem>, ICorrelated
{
    public static byte Number => 1;

    public static Redeem Read(ref WireReader reader) => new(reader.ReadUInt16(), reader.ReadUInt64(),
        reader.ReadBytes(16) is { Length: 16 } proof ? BinaryPrimitives.ReadUInt128BigEndian(proof) : 0);

    public void Write(ref WireWriter writer)
    {
        writer.WriteUInt16(Identifier);
        writer.WriteUInt64(TokenId);
        BinaryPrimitives.WriteUInt128BigEndian(writer.Reserve(16), Proof);
    }
}

/// <summary>What the inviter says.</summary>
internal enum RedeemVerdict : byte
{
    /// <summary>We are contacts now.</summary>
    Accepted = 0,
    /// <summary>Somebody else used it.</summary>
    Used = 1,
    /// <summary>Its time is over.</summary>
    Expired = 2,
    /// <summary>No such invitation.</summary>
    Unknown = 3,
    /// <summary>It cannot be noted down at present.</summary>
    NotNow = 4,
}

/// <summary>Message 2: the answer.</summary>
/// <remarks><code>
/// offset  size  field
///      0     2  identifier
///      2     1  verdict: 0 accepted, 1 used, 2 expired, 3 unknown, 4 not now
/// </code></remarks>
internal readonly record struct Redeemed(ushort Identifier, RedeemVerdict Verdict) : IMessage<Redeemed>, ICorrelated
{
    public static byte Number => 2;

    public static Redeemed Read(ref WireReader reader)
    {
        var identifier = reader.ReadUInt16();
        var verdict = reader.ReadByte();
        reader.Require(verdict <= (byte)RedeemVerdict.NotNow, WireError.UnknownTag);
        return new(identifier, (RedeemVerdict)verdict);
    }

    public void Write(ref WireWriter writer)
    {
        writer.WriteUInt16(Identifier);
        writer.WriteByte((byte)Verdict);
    }
}
