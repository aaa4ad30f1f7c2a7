using System.Diagnostics.CodeAnalysis;
using Polder.Identity;
using Polder.Wire;

namespace Polder.Apps.Bundles.Letters;

/// <summary>What its sender is still to be told of a letter that arrived here.</summary>
[Flags]
internal enum ReceiptDue : byte
{
    None = 0,
    /// <summary>That it arrived.</summary>
    Delivered = 1,
    /// <summary>The owner saw it.</summary>
    WasSeen = 2,
    /// <summary>That the owner saw it.</summary>
    Seen = 4,
}

/// <summary>A letter that arrived here and was handled: so that it is not handled twice, and its sender learns of it.</summary>
internal sealed class ReceivedLetter
{
    public required LetterId Id { get; init; }
    public required PublicKey From { get; init; }
    public required uint Expires { get; init; }
    public required DeliveryProof Proof { get; init; }
    public ReceiptDue Due { get; set; }
    /// <summary>When its sender was told last, on the node's clock; nobody knows after a restart.</summary>
    public TimeSpan? ToldAt { get; set; }

    /// <remarks><code>
    /// offset  size  field
    ///      0     1  version 01
    ///      1    64  sender's key without its tag
    ///     65     4  expires, seconds since 1970
    ///     69    32  proof
    ///    101     1  1: its arrival is to be told; 2: it was seen; 4: that is to be told
    /// </code></remarks>
    public byte[] Write()
    {
        var bytes = new byte[102];
        var writer = new WireWriter(bytes);
        writer.WriteByte(1);
        writer.WriteBytes(KeyTail.Of(From));
        writer.WriteUInt32(Expires);
        Proof.Value.CopyTo(writer.Reserve(LetterId.Bytes));
        writer.WriteByte((byte)Due);
        return bytes;
    }

    public static bool TryRead(ReadOnlySpan<byte> name, ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out ReceivedLetter? letter)
    {
        letter = null;
        if (name.Length != LetterId.Bytes) return false;
        var reader = new WireReader(bytes);
        reader.Require(reader.ReadByte() == 1, WireError.UnknownTag);
        reader.Require(KeyTail.TryRead(reader.ReadBytes(KeyTail.Bytes), out var from), WireError.BadKey);
        var expires = reader.ReadUInt32();
        var proof = reader.ReadBytes(LetterId.Bytes);
        var due = reader.ReadByte();
        reader.Require(due <= 7);
        if (!reader.Finish()) return false;
        letter = new ReceivedLetter { Id = new LetterId(new(name)), From = from!, Expires = expires, Proof = new DeliveryProof(new(proof)), Due = (ReceiptDue)due };
        return true;
    }
}
