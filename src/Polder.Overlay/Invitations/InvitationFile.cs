using System.Buffers.Binary;
using Polder.Cryptography;
using Polder.Identity;
using Polder.Wire;

namespace Polder.Overlay.Invitations;

/// <summary>An invitation that we gave.</summary>
internal sealed record GivenInvitation(InvitationToken Token, uint Made, uint Expires, PublicKey? UsedBy);

/// <summary>An invitation that we took and whose inviter has not answered yet.</summary>
internal sealed record TakenInvitation(byte[] Bytes, uint Taken);

/// <summary>Given and taken invitations as bytes. The tokens are secrets: the file is the owner's only.</summary>
/// <remarks><code>
/// offset  size  field
///      0     8  ASCII "PLDRINVI"
///      8     1  version 01
///      9     1  number of given ones
///     10     n  given: token 16, made 4, expires 4, used 1, if used: key 74
///      .     1  number of taken ones
///      .     m  taken: when 4, the invitation 2 + n
///      .    32  SHA-256 of all before it
/// </code></remarks>
internal static class InvitationFile
{
    public const int GivenMax = 128, TakenMax = 32;

    public static byte[] Write(IReadOnlyList<GivenInvitation> given, IReadOnlyList<TakenInvitation> taken)
    {
        var bytes = new byte[11 + given.Count * (25 + KeyFormat.Bytes) + taken.Count * (6 + Invitation.BytesMax) + Hash256.Bytes];
        var writer = new WireWriter(bytes);
        writer.WriteBytes("PLDRINVI"u8);
        writer.WriteByte(1);
        writer.WriteByte((byte)given.Count);
        foreach (var one in given)
        {
            BinaryPrimitives.WriteUInt128BigEndian(writer.Reserve(InvitationToken.Bytes), one.Token.Value);
            writer.WriteUInt32(one.Made);
            writer.WriteUInt32(one.Expires);
            writer.WriteBoolean(one.UsedBy is not null);
            if (one.UsedBy is { } user) writer.WriteBytes(user.Bytes);
        }
        writer.WriteByte((byte)taken.Count);
        foreach (var one in taken)
        {
            writer.WriteUInt32(one.Taken);
            writer.WriteBytes16(one.Bytes);
        }
        Hash256.Of(writer.Written).CopyTo(writer.Reserve(Hash256.Bytes));
        return bytes[..writer.Position];
    }

    /// <summary>Reads both; null when the bytes are damaged.</summary>
    public static (List<GivenInvitation> Given, List<TakenInvitation> Taken)? Read(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 11 + Hash256.Bytes || Hash256.Of(bytes[..^Hash256.Bytes]) != new Hash256(bytes[^Hash256.Bytes..])) return null;
        var reader = new WireReader(bytes[..^Hash256.Bytes]);
        reader.Require(reader.ReadBytes(8).SequenceEqual("PLDRINVI"u8) && reader.ReadByte() == 1, WireError.UnknownTag);
        var (given, taken) = (new List<GivenInvitation>(), new List<TakenInvitation>());
        var count = reader.ReadByte();
        reader.Require(count <= GivenMax, WireError.TooLong);
        for (var i = 0; i < count && !reader.Failed; i++)
        {
            var token = reader.ReadBytes(InvitationToken.Bytes);
            var (made, expires) = (reader.ReadUInt32(), reader.ReadUInt32());
            PublicKey? user = null;
            if (reader.ReadBoolean()) reader.Require(PublicKey.TryParse(reader.ReadBytes(KeyFormat.Bytes), out user), WireError.BadKey);
            if (!reader.Failed) given.Add(new GivenInvitation(new InvitationToken(BinaryPrimitives.ReadUInt128BigEndian(token)), made, expires, user));
        }
        count = reader.ReadByte();
        reader.Require(count <= TakenMax, WireError.TooLong);
        for (var i = 0; i < count && !reader.Failed; i++)
        {
            var when = reader.ReadUInt32();
            var content = reader.ReadBytes16(Invitation.BytesMax);
            if (!reader.Failed) taken.Add(new TakenInvitation(content.ToArray(), when));
        }
        return reader.Finish() ? (given, taken) : null;
    }
}
