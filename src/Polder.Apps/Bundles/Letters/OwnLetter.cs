using System.Diagnostics.CodeAnalysis;
using Polder.Identity;
using Polder.Wire;

namespace Polder.Apps.Bundles.Letters;

/// <summary>A letter that we wrote, as long as its fate is of interest.</summary>
internal sealed class OwnLetter
{
    private const int CarrierBytes = KeyTail.Bytes + 1 + 4;

    public required LetterId Id { get; init; }
    public required PublicKey To { get; init; }
    public required LetterKind Kind { get; init; }
    public required Envelope Envelope { get; init; }
    /// <summary>Seconds since 1970.</summary>
    public required uint Made { get; init; }
    public required ulong Number { get; init; }
    /// <summary>What shows that the receiver opened it.</summary>
    public required DeliveryProof Proof { get; init; }
    public LetterStage Stage { get; set; }
    /// <summary>Copies that may still be given away.</summary>
    public int Copies { get; set; }
    /// <summary>When the stage was reached, seconds since 1970.</summary>
    public uint StageAt { get; set; }
    /// <summary>When it was last written into a file, seconds since 1970; 0 for never.</summary>
    public uint ExportedAt { get; set; }
    public List<(PublicKey Key, bool KnowsReceiver, uint Since)> Carriers { get; } = [];

    /// <summary>Whether it is on the disk: before that it is shown to nobody.</summary>
    public bool IsKept { get; set; }

    /// <summary>Never offered to anybody yet.</summary>
    public bool IsFresh { get; set; }

    /// <summary>When it was posted, on the node's clock; long ago for one of an earlier run.</summary>
    public TimeSpan Since { get; init; } = TimeSpan.FromDays(-3650);

    /// <summary>When its copies were last given out anew, on the node's clock.</summary>
    public TimeSpan SpreadAt { get; set; }

    public bool IsOpen => Stage is LetterStage.OnlyHere or LetterStage.WaitingWith;

    /// <remarks><code>
    /// offset  size  field
    ///      0     1  version 01
    ///      1    64  receiver's key without its tag
    ///     65     1  kind
    ///     66    62  envelope
    ///    128     4  made, seconds since 1970
    ///    132     8  number
    ///    140    32  proof
    ///    172     1  stage, 0 to 4
    ///    173     1  copies left
    ///    174     4  stage reached, seconds since 1970
    ///    178     4  last written into a file, seconds since 1970, or 0
    ///    182     1  carriers n, at most 16
    ///    183   69n  carriers: key without its tag 64, knows the receiver 1, since 4
    /// </code></remarks>
    public byte[] Write()
    {
        var bytes = new byte[183 + Carriers.Count * CarrierBytes];
        var writer = new WireWriter(bytes);
        writer.WriteByte(1);
        writer.WriteBytes(KeyTail.Of(To));
        writer.WriteByte(Kind.Value);
        Envelope.Write(writer.Reserve(Envelope.HeaderBytes));
        writer.WriteUInt32(Made);
        writer.WriteUInt64(Number);
        Proof.Value.CopyTo(writer.Reserve(LetterId.Bytes));
        writer.WriteByte((byte)Stage);
        writer.WriteByte((byte)Copies);
        writer.WriteUInt32(StageAt);
        writer.WriteUInt32(ExportedAt);
        writer.WriteByte((byte)Carriers.Count);
        foreach (var (key, knows, since) in Carriers)
        {
            writer.WriteBytes(KeyTail.Of(key));
            writer.WriteBoolean(knows);
            writer.WriteUInt32(since);
        }
        return bytes;
    }

    public static bool TryRead(ReadOnlySpan<byte> name, ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out OwnLetter? letter)
    {
        letter = null;
        if (name.Length != LetterId.Bytes) return false;
        var reader = new WireReader(bytes);
        reader.Require(reader.ReadByte() == 1, WireError.UnknownTag);
        reader.Require(KeyTail.TryRead(reader.ReadBytes(KeyTail.Bytes), out var to), WireError.BadKey);
        var kind = new LetterKind(reader.ReadByte());
        reader.Require(Envelope.TryReadHeader(reader.ReadBytes(Envelope.HeaderBytes), out var envelope));
        var (made, number) = (reader.ReadUInt32(), reader.ReadUInt64());
        var proof = reader.ReadBytes(LetterId.Bytes);
        var (stage, copies, at, exported, carriers) = (reader.ReadByte(), reader.ReadByte(), reader.ReadUInt32(), reader.ReadUInt32(), reader.ReadByte());
        reader.Require(stage <= (byte)LetterStage.Expired, WireError.UnknownTag);
        reader.Require(carriers <= MailLimits.CarriersMax, WireError.TooLong);
        if (reader.Failed) return false;
        var read = new OwnLetter
        {
            Id = new LetterId(new(name)), To = to!, Kind = kind, Envelope = envelope!, Made = made, Number = number, Proof = new DeliveryProof(new(proof)),
            Stage = (LetterStage)stage, Copies = copies, StageAt = at, ExportedAt = exported, IsKept = true,
        };
        for (var i = 0; i < carriers && !reader.Failed; i++)
        {
            reader.Require(KeyTail.TryRead(reader.ReadBytes(KeyTail.Bytes), out var carrier), WireError.BadKey);
            var (knows, since) = (reader.ReadBoolean(), reader.ReadUInt32());
            if (!reader.Failed) read.Carriers.Add((carrier!, knows, since));
        }
        if (!reader.Finish()) return false;
        letter = read;
        return true;
    }
}
