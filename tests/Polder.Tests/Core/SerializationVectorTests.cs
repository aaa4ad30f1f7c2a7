using System.Globalization;
using System.Text.Json;
using Polder.Identity;
using Polder.Net;
using Polder.Tests.Overlay;
using Polder.Wire;

namespace Polder.Tests.Core;

/// <summary>py-ipv8's serialization formats, as far as our messages use them, both ways.</summary>
public sealed class SerializationVectorTests
{
    // Formats of overlays that are not ours to speak: floats, host names, and arrays in the machine's byte order.
    private static readonly HashSet<string> NotSpoken = ["f", "d", "varlenBx2", "arrayH-q", "arrayH-?"];

    [Fact]
    public void Every_format_that_we_speak_is_written_and_read_as_py_does()
    {
        var spoken = 0;
        foreach (var row in Vectors.Serialization.GetProperty("rows").EnumerateArray())
        {
            var (format, packed) = (row.GetProperty("format").GetString()!, row.Hex("packed"));
            if (NotSpoken.Contains(format) || (format == "address" && packed[0] == 2)) continue;
            var again = Again(format, row.GetProperty("value"), packed);
            Assert.Equal(Convert.ToHexStringLower(packed), again is null ? $"refused: {format}" : Convert.ToHexStringLower(again));
            Assert.Equal(row.GetProperty("size").GetInt32(), packed.Length);
            if (format != "raw") Fuzz.RefusesEveryTruncation(packed, part => Again(format, null, part) is not null);
            spoken++;
        }
        Assert.True(spoken > 15);
    }

    [Fact]
    public void What_py_refuses_we_refuse_and_more()
    {
        foreach (var row in Vectors.Serialization.GetProperty("errors").EnumerateArray())
            // The last one py takes, with an end behind the data; we look before we read.
            Assert.Null(Again(row.GetProperty("format").GetString()!, null, row.Hex("packed")));
    }

    /// <summary>Reads and writes again; null when it is refused. The value, where given, must be the one read.</summary>
    private static byte[]? Again(string format, JsonElement? value, byte[] packed)
    {
        var reader = new WireReader(packed);
        var buffer = new byte[256];
        var writer = new WireWriter(buffer);
        switch (format)
        {
            case "?": Check(reader.ReadBoolean(), value?.GetBoolean(), ref writer, static (ref w, v) => w.WriteBoolean(v)); break;
            case "B" or "bits": Check(reader.ReadByte(), format == "B" ? value?.GetByte() : null, ref writer, static (ref w, v) => w.WriteByte(v)); break;
            case "H": Check(reader.ReadUInt16(), value?.GetUInt16(), ref writer, static (ref w, v) => w.WriteUInt16(v)); break;
            case "I": Check(reader.ReadUInt32(), value?.GetUInt32(), ref writer, static (ref w, v) => w.WriteUInt32(v)); break;
            case "l": Check(reader.ReadInt32(), value?.GetInt32(), ref writer, static (ref w, v) => w.WriteInt32(v)); break;
            case "q": Check(reader.ReadInt64(), value?.GetInt64(), ref writer, static (ref w, v) => w.WriteInt64(v)); break;
            case "Q":
                Check(reader.ReadUInt64(), value is { } big ? ulong.Parse(big.GetString()!, CultureInfo.InvariantCulture) : null, ref writer,
                    static (ref w, v) => w.WriteUInt64(v));
                break;
            case "20s":
                var twenty = reader.ReadBytes(20);
                if (!reader.Failed) writer.WriteBytes(twenty);
                break;
            case "ipv4": Check(reader.ReadIPv4(), Endpoint(value), ref writer, static (ref w, v) => w.WriteIPv4(v)); break;
            case "ip_address" or "address": Check(reader.ReadAddress(), Endpoint(value), ref writer, static (ref w, v) => w.WriteAddress(v)); break;
            case "varlenH": writer.WriteBytes16(reader.ReadBytes16()); break;
            case "varlenI": writer.WriteBytes32(reader.ReadBytes32(100)); break;
            case "varlenHutf8":
                var text = reader.ReadUtf8();
                if (value is { } expected) Assert.Equal(expected.GetString(), text);
                writer.WriteUtf8(text);
                break;
            case "varlenHx20":
                var count = reader.ReadUInt16();
                writer.WriteUInt16(count);
                writer.WriteBytes(reader.ReadBytes(count * PeerId.Bytes));
                break;
            case "varlenH-list":
                var items = reader.ReadByte();
                writer.WriteByte(items);
                for (var i = 0; i < items; i++) writer.WriteBytes16(reader.ReadBytes16());
                break;
            case "raw": writer.WriteBytes(reader.ReadRest()); break;
            default: throw new NotSupportedException(format);
        }
        return reader.Finish() ? writer.Written.ToArray() : null;
    }

    private delegate void Write<T>(ref WireWriter writer, T value);

    private static void Check<T>(T read, T? expected, ref WireWriter writer, Write<T> write) where T : struct
    {
        if (expected is { } value) Assert.Equal(value, read);
        write(ref writer, read);
    }

    private static Endpoint? Endpoint(JsonElement? value) => value is { } pair
        ? Net.Endpoint.From(System.Net.IPAddress.Parse(pair[0].GetString()!), pair[1].GetInt32()) : null;
}
