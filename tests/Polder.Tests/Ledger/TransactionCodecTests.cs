using System.Numerics;
using System.Text;
using System.Text.Json;
using Polder.Ledger.Blocks;
using Polder.Runtime;

namespace Polder.Tests.Ledger;

public sealed class TransactionCodecTests
{
    private static readonly JsonElement Vectors = LedgerVectors.Open("trustchain/trustchain_encoding.json");

    [Fact]
    public void What_py_writes_is_written_and_read()
    {
        foreach (var vector in Vectors.GetProperty("encode").EnumerateArray())
        {
            var value = LedgerVectors.Value(vector.GetProperty("value"));
            Assert.Equal(vector.Text("encoded"), Convert.ToHexStringLower(TransactionCodec.Encode(value)));
            foreach (var family in (TransactionFamily[])[TransactionFamily.Py, TransactionFamily.Strict])
            {
                Assert.True(TransactionCodec.TryDecode(vector.Hex("encoded"), family, out var back, out var end));
                Assert.Equal(LedgerVectors.Value(vector.GetProperty("decodes_to")), back);
                Assert.Equal(vector.Hex("encoded").Length, end);
            }
        }
    }

    [Theory]
    [InlineData("decode", TransactionFamily.Py)]
    [InlineData("kotlin_decode", TransactionFamily.Kotlin)]
    public void Each_family_reads_and_refuses_as_it_does(string list, TransactionFamily family)
    {
        foreach (var vector in Vectors.GetProperty(list).EnumerateArray())
        {
            var input = vector.Hex("input");
            var read = TransactionCodec.TryDecode(input, family, out var value, out var end);
            Assert.True(vector.GetProperty("ok").GetBoolean() == read, Encoding.Latin1.GetString(input));
            if (!read) continue;
            Assert.Equal(LedgerVectors.Value(vector.GetProperty("value")), value);
            Assert.Equal(vector.GetProperty("end_offset").GetInt32(), end);
        }
    }

    [Fact]
    public void What_Kotlin_writes_is_written()
    {
        var cases = Vectors.GetProperty("kotlin_encode").EnumerateArray().ToDictionary(vector => vector.Text("case"));
        static TransactionValue Text(string text) => TransactionValue.Text(text);
        static TransactionValue Whole(long value) => TransactionValue.Integer(value);
        Dictionary<string, TransactionValue> values = new()
        {
            ["Int 42"] = Whole(42), ["Int -7"] = Whole(-7), ["Long 42"] = TransactionValue.Long(42),
            ["BigInteger 2^70"] = TransactionValue.Integer(BigInteger.Pow(2, 70)), ["Float 4.2"] = TransactionValue.Single(4.2f),
            ["Float 1e21"] = TransactionValue.Single(1e21f), ["String ipv8"] = Text("ipv8"), ["String with unicorn"] = Text("hé 🦄"),
            ["true"] = TransactionValue.True, ["false"] = TransactionValue.False, ["null"] = TransactionValue.Null,
            ["list"] = TransactionValue.Sequence(TransactionKind.List, [Text("1"), Whole(2), TransactionValue.Long(3)]),
            ["set"] = TransactionValue.Sequence(TransactionKind.Set, [Text("a")]),
            ["map"] = TransactionValue.Dictionary(("foo", Text("bar")), ("moo", Text("milk"))),
            ["empty map"] = TransactionValue.Dictionary(),
            ["EuroToken transfer: amount BigInteger 100, balance Long 250"] =
                TransactionValue.Dictionary(("amount", Whole(100)), ("balance", TransactionValue.Long(250))),
            ["EuroToken checkpoint: balance Long 250"] = TransactionValue.Dictionary(("balance", TransactionValue.Long(250))),
            ["demo block"] = TransactionValue.Dictionary(("message", Text("hello"))),
        };
        foreach (var (name, value) in values)
            Assert.Equal(cases[name].Text("encoded"), Convert.ToHexStringLower(TransactionCodec.Encode(value, TransactionFamily.Kotlin)));
        foreach (var vector in cases.Values.Where(vector => vector.TryGetProperty("encoded", out _)))
        {
            Assert.True(TransactionCodec.TryDecode(vector.Hex("encoded"), TransactionFamily.Kotlin, out var value, out _));
            Assert.Equal(vector.Text("encoded"), Convert.ToHexStringLower(TransactionCodec.Encode(value, TransactionFamily.Kotlin)));
            Assert.True(TransactionCodec.TryDecode(vector.Hex("encoded"), TransactionFamily.Strict, out _, out _));
        }
        Assert.Throws<ArgumentException>(() => TransactionCodec.Encode(TransactionValue.Bytes([1]), TransactionFamily.Kotlin));
        Assert.Throws<ArgumentException>(() => TransactionCodec.Encode(TransactionValue.Float(1), TransactionFamily.Kotlin));
    }

    [Theory]
    [InlineData(0.0, "0.0")]
    [InlineData(-0.0, "-0.0")]
    [InlineData(10, "10.0")]
    [InlineData(123456789012345680.0, "1.2345678901234568e+17")]
    [InlineData(1234567890123456.0, "1234567890123456.0")]
    [InlineData(0.0001, "0.0001")]
    [InlineData(0.00001, "1e-05")]
    [InlineData(1.5e300, "1.5e+300")]
    [InlineData(5e-324, "5e-324")]
    public void Floats_look_as_Python_writes_them(double value, string text) => Assert.Equal(text, DecimalText.Python(value));

    [Theory]
    [InlineData(0f, "0.0")]
    [InlineData(100f, "100.0")]
    [InlineData(1234567f, "1234567.0")]
    [InlineData(12345678f, "1.2345678E7")]
    [InlineData(0.001f, "0.001")]
    [InlineData(0.00025f, "2.5E-4")]
    [InlineData(-1e10f, "-1.0E10")]
    public void Floats_look_as_the_JVM_writes_them(float value, string text) => Assert.Equal(text, DecimalText.Jvm(value));

    [Fact]
    public void The_order_of_keys_is_kept()
    {
        var bytes = "a3d1sz1i11sa1i21sm1i3"u8.ToArray();
        Assert.True(TransactionCodec.TryDecode(bytes, TransactionFamily.Strict, out var value, out _));
        Assert.Equal(["z", "a", "m"], value.Pairs.Select(pair => pair.Key.AsText!));
        Assert.Equal(bytes, TransactionCodec.Encode(value));
    }

    [Fact]
    public void Every_truncation_is_refused()
    {
        var lists = Vectors.GetProperty("encode").EnumerateArray().Concat(Vectors.GetProperty("kotlin_encode").EnumerateArray());
        foreach (var vector in lists.Where(vector => vector.TryGetProperty("encoded", out _)))
        {
            var bytes = vector.Hex("encoded");
            for (var length = 0; length < bytes.Length; length++)
                foreach (var family in Enum.GetValues<TransactionFamily>())
                    Assert.False(TransactionCodec.TryDecode(bytes.AsSpan(0, length), family, out _, out _));
        }
    }

    [Theory]
    [InlineData("a1i1x")]
    [InlineData("a01i1")]
    [InlineData("a2i+1")]
    [InlineData("a2i 1")]
    [InlineData("a3i1_0")]
    [InlineData("ai1")]
    [InlineData("a1T")]
    [InlineData("a2d1sa0n1sa0n")]
    [InlineData("a1d0l0n")]
    [InlineData("a1000000000l")]
    [InlineData("a99999999999999999999i1")]
    public void We_are_stricter_than_both(string text) =>
        Assert.False(TransactionCodec.TryDecode(Encoding.ASCII.GetBytes(text), TransactionFamily.Strict, out _, out _));

    [Fact]
    public void Deep_nesting_and_huge_counts_cost_nothing()
    {
        byte[][] attacks =
        [
            [(byte)'a', .. Enumerable.Repeat("1l"u8.ToArray(), 20000).SelectMany(part => part)],
            Encoding.ASCII.GetBytes("a999999999l" + new string('x', 1000)),
            Encoding.ASCII.GetBytes("a999999999d" + new string('x', 1000)),
            Encoding.ASCII.GetBytes("a60000i" + new string('9', 60000)),
            Encoding.ASCII.GetBytes("a60000f" + new string('9', 60000)),
        ];
        foreach (var attack in attacks)
            foreach (var family in Enum.GetValues<TransactionFamily>())
            {
                var before = GC.GetAllocatedBytesForCurrentThread();
                Assert.False(TransactionCodec.TryDecode(attack, family, out _, out _));
                Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 16 * attack.Length + 20_000);
            }
    }

    [Fact]
    public void Json_keeps_order_and_refuses_what_is_no_object()
    {
        var bytes = "{\"up\":0,\"down\":52428800,\"total_up\":0,\"total_down\":9223372036854775807,\"for\":\"a é\",\"x\":[1,2.5,true,null]}"u8.ToArray();
        Assert.True(TransactionJson.TryDecode(bytes, out var value));
        Assert.Equal(bytes, TransactionJson.Encode(value));
        for (var length = 0; length < bytes.Length; length++) Assert.False(TransactionJson.TryDecode(bytes.AsSpan(0, length), out _));
        foreach (var bad in (string[])["[]", "1", "{} ", "{\"a\":1,\"a\":2}", "{\"a\":\"\\ud800\"}", "{\"a\":01}", "{}{}", new string('{', 5000)])
            Assert.Equal(bad == "{} ", TransactionJson.TryDecode(Encoding.UTF8.GetBytes(bad), out _));
        Assert.False(TransactionJson.TryDecode([(byte)'{', (byte)'"', 0xFF, (byte)'"', (byte)':', (byte)'1', (byte)'}'], out _));
    }

    [Fact]
    public void Mutated_transactions_never_throw_and_what_is_read_can_be_written()
    {
        var random = new Prng(8812);
        byte[][] seeds = [.. Vectors.GetProperty("decode").EnumerateArray().Select(vector => vector.Hex("input")), "{\"a\":[1,{\"b\":\"c\"}],\"d\":1e5}"u8.ToArray()];
        for (var round = 0; round < 30_000; round++)
        {
            var bytes = random.Pick(seeds).ToList();
            for (var change = random.Next(1, 4); change > 0 && bytes.Count > 0; change--)
            {
                var at = random.Next(bytes.Count);
                switch (random.Next(4))
                {
                    case 0: bytes[at] = (byte)random.Next(256); break;
                    case 1: bytes.RemoveAt(at); break;
                    case 2: bytes.Insert(at, random.Pick((byte[])[.. "0123456789sdlLtbifJnTF{}[],:\""u8])); break;
                    default: bytes.InsertRange(at, random.Pick(seeds)); break;
                }
            }
            var data = bytes.ToArray();
            foreach (var family in Enum.GetValues<TransactionFamily>())
            {
                if (!TransactionCodec.TryDecode(data, family, out var value, out var end)) continue;
                Assert.InRange(end, 0, data.Length);
                _ = value.ToDisplayText();
                if (family != TransactionFamily.Kotlin) _ = TransactionCodec.Encode(value);
            }
            if (TransactionJson.TryDecode(data, out var json)) _ = json.ToDisplayText();
        }
    }
}
