using System.Diagnostics.CodeAnalysis;
using Polder.Identity;
using Polder.Wire;

namespace Polder.Apps.Bundles.Letters;

/// <summary>A letter of somebody for somebody, neither of them us.</summary>
internal sealed class CarriedLetter
{
    private const int GivenMax = 16, FixedBytes = 1 + Envelope.HeaderBytes + KeyTail.Bytes + 1 + 1 + 1 + 4 + 4 + 1;

    public required LetterId Id { get; init; }
    public required Envelope Envelope { get; init; }
    /// <summary>Who gave it to us; it need not have written it.</summary>
    public required PublicKey Depositor { get; init; }
    /// <summary>Whether that was a contact, when it did.</summary>
    public required bool IsFriends { get; init; }
    /// <summary>When, in seconds since 1970.</summary>
    public required uint Since { get; init; }
    /// <summary>It is let go then, in seconds since 1970.</summary>
    public required uint Until { get; init; }
    /// <summary>Copies that are ours to hand on, this one included.</summary>
    public int Copies { get; set; }
    /// <summary>How often it may still change hands.</summary>
    public int Hops { get; init; }
    /// <summary>Who was given a copy: heads of node ids.</summary>
    public List<ulong> Given { get; } = [];

    /// <summary>Whether it is on the disk: before that it is shown to nobody.</summary>
    public bool IsKept { get; set; }

    /// <summary>When it came, on the node's clock; long ago for one of an earlier run.</summary>
    public TimeSpan HeldSince { get; init; } = TimeSpan.FromDays(-3650);

    public void NoteGiven(ulong node)
    {
        if (Given.Contains(node)) return;
        if (Given.Count == GivenMax) Given.RemoveAt(0);
        Given.Add(node);
    }

    /// <remarks><code>
    /// offset  size  field
    ///      0     1  version 01
    ///      1    62  envelope
    ///     63    64  depositor's key without its tag
    ///    127     1  the depositor was a contact
    ///    128     1  copies
    ///    129     1  hops left
    ///    130     4  taken, seconds since 1970
    ///    134     4  held until, seconds since 1970
    ///    138     1  given to n, at most 16
    ///    139    8n  first 8 bytes of their node ids
    /// </code></remarks>
    public byte[] Write()
    {
        var bytes = new byte[FixedBytes + 8 * Given.Count];
        var writer = new WireWriter(bytes);
        writer.WriteByte(1);
        Envelope.Write(writer.Reserve(Envelope.HeaderBytes));
        writer.WriteBytes(KeyTail.Of(Depositor));
        writer.WriteBoolean(IsFriends);
        writer.WriteByte((byte)Copies);
        writer.WriteByte((byte)Hops);
        writer.WriteUInt32(Since);
        writer.WriteUInt32(Until);
        writer.WriteByte((byte)Given.Count);
        foreach (var node in Given) writer.WriteUInt64(node);
        return bytes;
    }

    public static bool TryRead(ReadOnlySpan<byte> name, ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out CarriedLetter? letter)
    {
        letter = null;
        if (name.Length != LetterId.Bytes) return false;
        var reader = new WireReader(bytes);
        reader.Require(reader.ReadByte() == 1, WireError.UnknownTag);
        reader.Require(Envelope.TryReadHeader(reader.ReadBytes(Envelope.HeaderBytes), out var envelope));
        reader.Require(KeyTail.TryRead(reader.ReadBytes(KeyTail.Bytes), out var depositor), WireError.BadKey);
        var (isFriends, copies, hops, since, until, given) =
            (reader.ReadBoolean(), reader.ReadByte(), reader.ReadByte(), reader.ReadUInt32(), reader.ReadUInt32(), reader.ReadByte());
        reader.Require(given <= GivenMax, WireError.TooLong);
        if (reader.Failed) return false;
        var read = new CarriedLetter
        {
            Id = new LetterId(new(name)), Envelope = envelope!, Depositor = depositor!, IsFriends = isFriends, Copies = copies, Hops = hops, Since = since, Until = until,
            IsKept = true,
        };
        for (var i = 0; i < given && !reader.Failed; i++) read.Given.Add(reader.ReadUInt64());
        if (!reader.Finish()) return false;
        letter = read;
        return true;
    }
}
