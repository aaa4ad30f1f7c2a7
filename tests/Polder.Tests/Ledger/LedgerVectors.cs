using System.Globalization;
using System.Numerics;
using System.Text.Json;
using Polder.Ledger.Blocks;

namespace Polder.Tests.Ledger;

/// <summary>The golden data that concern the ledger.</summary>
internal static class LedgerVectors
{
    public static JsonElement Open(string name)
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Polder.slnx"))) folder = folder.Parent!;
        return JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder.FullName, "tests", "vectors", name))).RootElement;
    }

    public static byte[] Hex(this JsonElement element, string name) => Convert.FromHexString(element.GetProperty(name).GetString()!);

    public static string Text(this JsonElement element, string name) => element.GetProperty(name).GetString()!;

    public static HalfBlock Block(byte[] packed)
    {
        Assert.True(HalfBlock.TryUnpack(packed, out var block));
        return block;
    }

    /// <summary>The way the files write values: {"int": "1"}, {"text": "a"}, {"dict": [[key, value]]}, true, null.</summary>
    public static TransactionValue Value(JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Null: return TransactionValue.Null;
            case JsonValueKind.True: return TransactionValue.True;
            case JsonValueKind.False: return TransactionValue.False;
        }
        var property = element.EnumerateObject().Single();
        var value = property.Value;
        IReadOnlyList<TransactionValue> Items() => [.. value.EnumerateArray().Select(Value)];
        return property.Name switch
        {
            "int" or "BigInteger" => TransactionValue.Integer(BigInteger.Parse(value.GetString()!, CultureInfo.InvariantCulture)),
            "Long" => TransactionValue.Long(long.Parse(value.GetString()!, CultureInfo.InvariantCulture)),
            "float" => TransactionValue.Float(double.Parse(value.GetString()!, CultureInfo.InvariantCulture)),
            "Float" => TransactionValue.Single(float.Parse(value.GetString()!, CultureInfo.InvariantCulture)),
            "text" => TransactionValue.Text(value.GetString()!),
            "bytes" => TransactionValue.Bytes(Convert.FromHexString(value.GetString()!)),
            "list" => TransactionValue.Sequence(TransactionKind.List, Items()),
            "tuple" => TransactionValue.Sequence(TransactionKind.Tuple, Items()),
            "set" => TransactionValue.Sequence(TransactionKind.Set, Items()),
            "dict" => TransactionValue.Dictionary(
                [.. value.EnumerateArray().Select(pair => KeyValuePair.Create(Value(pair[0]), Value(pair[1])))]),
            _ => throw new NotSupportedException(property.Name),
        };
    }
}
