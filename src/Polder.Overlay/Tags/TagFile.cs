using Polder.Cryptography;
using Polder.Wire;

namespace Polder.Overlay.Tags;

/// <summary>The tags that are joined, as bytes; what is read is untrusted.</summary>
/// <remarks><code>
/// offset  size  field
///      0     8  ASCII "PLDRTAGS"
///      8     1  version 01
///      9     1  number of tags, at most 64
///     10     n  tags: bytes a second 4, neighbours 1, name 2 + UTF-8
///    10+n   32  SHA-256 of all before it
/// </code></remarks>
internal static class TagFile
{
    public static byte[] Write(IReadOnlyList<(string Name, TagBudget Budget)> tags)
    {
        var bytes = new byte[10 + tags.Count * (7 + TagName.BytesMax) + Hash256.Bytes];
        var writer = new WireWriter(bytes);
        writer.WriteBytes("PLDRTAGS"u8);
        writer.WriteByte(1);
        writer.WriteByte((byte)tags.Count);
        foreach (var (name, budget) in tags)
        {
            writer.WriteUInt32((uint)(budget.KilobytesPerSecond * 1_000));
            writer.WriteByte((byte)budget.Neighbours);
            writer.WriteUtf8(name);
        }
        Hash256.Of(writer.Written).CopyTo(writer.Reserve(Hash256.Bytes));
        return bytes[..writer.Position];
    }

    /// <summary>Reads tags; those with a bad name or budget are left out; empty when the bytes are damaged.</summary>
    public static IReadOnlyList<(string Name, TagBudget Budget)> Read(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 10 + Hash256.Bytes || Hash256.Of(bytes[..^Hash256.Bytes]) != new Hash256(bytes[^Hash256.Bytes..])) return [];
        var reader = new WireReader(bytes[..^Hash256.Bytes]);
        reader.Require(reader.ReadBytes(8).SequenceEqual("PLDRTAGS"u8) && reader.ReadByte() == 1, WireError.UnknownTag);
        var count = reader.ReadByte();
        reader.Require(count <= TagService.TagsMax, WireError.TooLong);
        var tags = new List<(string, TagBudget)>();
        for (var i = 0; i < count && !reader.Failed; i++)
        {
            var budget = new TagBudget(reader.ReadUInt32() / 1_000.0, reader.ReadByte());
            var name = reader.ReadUtf8(TagName.BytesMax);
            if (!reader.Failed && TagName.Check(name) == TagRefusal.None && budget.Check() == TagRefusal.None) tags.Add((name, budget));
        }
        return reader.Finish() ? tags : [];
    }
}
