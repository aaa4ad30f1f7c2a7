using Polder.Cryptography;
using Polder.Graph.Exchange;
using Polder.Wire;

namespace Polder.Apps.Graphs;

/// <summary>The topics that are kept, as bytes; what is read is untrusted.</summary>
/// <remarks><code>
/// offset  size  field
///      0     8  ASCII "PLDRGRPH"
///      8     1  version 01
///      9     1  number of topics
///     10   2+n  each: UTF-8
///       … 32  SHA-256 of all before it
/// </code></remarks>
internal static class GraphTopicsFile
{
    public static byte[] Write(IReadOnlyList<string> names)
    {
        var bytes = new byte[10 + names.Sum(static name => 2 + 3 * name.Length) + Hash256.Bytes];
        var writer = new WireWriter(bytes);
        writer.WriteBytes("PLDRGRPH"u8);
        writer.WriteByte(1);
        writer.WriteByte((byte)names.Count);
        foreach (var name in names) writer.WriteUtf8(name);
        Hash256.Of(writer.Written).CopyTo(writer.Reserve(Hash256.Bytes));
        return bytes[..writer.Position];
    }

    /// <summary>Reads them; empty when the bytes are damaged.</summary>
    public static IReadOnlyList<string> Read(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 10 + Hash256.Bytes || Hash256.Of(bytes[..^Hash256.Bytes]) != new Hash256(bytes[^Hash256.Bytes..])) return [];
        var reader = new WireReader(bytes[..^Hash256.Bytes]);
        reader.Require(reader.ReadBytes(8).SequenceEqual("PLDRGRPH"u8) && reader.ReadByte() == 1, WireError.UnknownTag);
        var count = reader.ReadByte();
        var names = new List<string>();
        for (var i = 0; i < count && !reader.Failed; i++)
        {
            var name = reader.ReadUtf8();
            if (!reader.Failed && TopicName.Check(name) is null) names.Add(name);
        }
        return reader.Finish() ? names : [];
    }
}
