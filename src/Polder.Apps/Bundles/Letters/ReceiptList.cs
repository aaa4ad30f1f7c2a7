using Polder.Wire;

namespace Polder.Apps.Bundles.Letters;

/// <summary>The body of a letter of kind 0: what became of letters of the one it is sent to. Sealed and signed as every letter is.</summary>
/// <remarks><code>
/// offset  size  field
///      0     2  number n, 1 to 1024
///      2   33n  letter 32, stage 1: 2 delivered, 3 seen
/// </code></remarks>
internal static class ReceiptList
{
    public const int Max = 1024;

    public static byte[] Write(IReadOnlyList<(LetterId Id, LetterStage Stage)> receipts)
    {
        var bytes = new byte[2 + receipts.Count * (LetterId.Bytes + 1)];
        var writer = new WireWriter(bytes);
        writer.WriteUInt16((ushort)receipts.Count);
        foreach (var (id, stage) in receipts)
        {
            id.Hash.CopyTo(writer.Reserve(LetterId.Bytes));
            writer.WriteByte((byte)stage);
        }
        return bytes;
    }

    /// <summary>Null: not of this form.</summary>
    public static IReadOnlyList<(LetterId Id, LetterStage Stage)>? Read(ReadOnlySpan<byte> bytes)
    {
        var reader = new WireReader(bytes);
        var count = reader.ReadUInt16();
        reader.Require(count is > 0 and <= Max && bytes.Length == 2 + count * (LetterId.Bytes + 1));
        if (reader.Failed) return null;
        var receipts = new List<(LetterId, LetterStage)>(count);
        for (var i = 0; i < count && !reader.Failed; i++)
        {
            var id = new LetterId(new(reader.ReadBytes(LetterId.Bytes)));
            var stage = reader.ReadByte();
            reader.Require(stage is (byte)LetterStage.Delivered or (byte)LetterStage.Seen, WireError.UnknownTag);
            receipts.Add((id, (LetterStage)stage));
        }
        return reader.Finish() ? receipts : null;
    }
}
