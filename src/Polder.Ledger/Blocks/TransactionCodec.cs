using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.Unicode;

namespace Polder.Ledger.Blocks;

/// <summary>Whose habits the codec follows. The bytes are one format; what is tolerated differs.</summary>
public enum TransactionFamily
{
    /// <summary>
    /// What we demand of a transaction before we sign it: exactly one value up to the last byte, plain decimal numbers, no
    /// key twice, UTF-8 that is UTF-8. Writes as <see cref="Py"/>.
    /// </summary>
    Strict,
    /// <summary>py-ipv8: white space and underscores in numbers, bytes behind the value are ignored; no key twice; "J" reads as integer and is never written.</summary>
    Py,
    /// <summary>
    /// kotlin-ipv8: the last of two equal keys wins, bad UTF-8 is replaced, "b" reads as text, a tuple as a list, a float has
    /// 4 bytes, "n" may have any count; cannot write bytes or 8-byte floats.
    /// </summary>
    Kotlin,
}

/// <summary>
/// The text-like encoding of transactions, version "a": one value as decimal count, type letter, data. Counts are characters
/// of numbers, bytes of text, items or pairs of containers. There is no canonical form: hashes are over the received bytes.
/// </summary>
/// <remarks>
/// Bounds of our own, in every family: nesting up to <see cref="DepthMax"/>, numbers up to <see cref="NumberBytesMax"/>
/// characters, and no value may reach behind the last byte (py lets a number at the very end be cut short).
/// </remarks>
public static class TransactionCodec
{
    /// <summary>Containers within containers.</summary>
    public const int DepthMax = 32;

    /// <summary>Characters of a number; Python's own limit for integers.</summary>
    public const int NumberBytesMax = 4300;

    /// <summary>Encodes a value. Throws where the family cannot say it.</summary>
    public static byte[] Encode(TransactionValue value, TransactionFamily family = TransactionFamily.Py)
    {
        var bytes = new List<byte>(64) { (byte)'a' };
        Write(bytes, value, family);
        return [.. bytes];
    }

    /// <summary>Decodes a transaction. False for whatever the family refuses; never throws.</summary>
    /// <param name="data">The bytes.</param>
    /// <param name="family">Whose leniency.</param>
    /// <param name="value">The value.</param>
    /// <param name="end">Where the value ends; py and Kotlin ignore what follows.</param>
    public static bool TryDecode(ReadOnlySpan<byte> data, TransactionFamily family, [NotNullWhen(true)] out TransactionValue? value, out int end)
    {
        value = null;
        end = 0;
        if (data is not [(byte)'a', ..]) return false;
        var reader = new Reader(data, family);
        value = reader.ReadValue(0);
        end = reader.Position;
        if (family == TransactionFamily.Strict && end != data.Length) value = null;
        return value is not null;
    }

    /// <summary>Decodes either encoding, told apart by the first byte ("a" or "{"), with what is readable by either family; for showing.</summary>
    public static bool TryDecodeAny(ReadOnlySpan<byte> data, [NotNullWhen(true)] out TransactionValue? value) =>
        data is [(byte)'{', ..] ? TransactionJson.TryDecode(data, out value)
        : TryDecode(data, TransactionFamily.Py, out value, out _) || TryDecode(data, TransactionFamily.Kotlin, out value, out _);

    private static void Write(List<byte> bytes, TransactionValue value, TransactionFamily family)
    {
        switch (value.Kind)
        {
            case TransactionKind.Null: bytes.AddRange("0n"u8); break;
            case TransactionKind.Boolean: bytes.AddRange(value.IsTrue ? "0T"u8 : "0F"u8); break;
            case TransactionKind.Integer: WriteNumber('i', value.AsInteger!.Value.ToString(CultureInfo.InvariantCulture)); break;
            case TransactionKind.Long:
                WriteNumber(family == TransactionFamily.Kotlin ? 'J' : 'i', value.AsInteger!.Value.ToString(CultureInfo.InvariantCulture));
                break;
            case TransactionKind.Float or TransactionKind.Bytes when family == TransactionFamily.Kotlin:
                throw new ArgumentException("Kotlin peers can write neither bytes nor 8-byte floats into a transaction.", nameof(value));
            case TransactionKind.Float or TransactionKind.Single:
                var single = value.Kind == TransactionKind.Single;
                var number = value.AsNumber!.Value;
                WriteNumber('f', family == TransactionFamily.Kotlin ? DecimalText.Jvm((float)number) : DecimalText.Python(number, single));
                break;
            case TransactionKind.Text: WriteBytes('s', Encoding.UTF8.GetBytes(value.AsText!)); break;
            case TransactionKind.Bytes: WriteBytes('b', value.AsBytes); break;
            case TransactionKind.Dictionary:
                WriteHead('d', value.Pairs.Count);
                foreach (var (key, item) in value.Pairs)
                {
                    Write(bytes, key, family);
                    Write(bytes, item, family);
                }
                break;
            default:
                var letter = value.Kind switch { TransactionKind.Set => 'L', TransactionKind.Tuple when family != TransactionFamily.Kotlin => 't', _ => 'l' };
                WriteHead(letter, value.Items.Count);
                foreach (var item in value.Items) Write(bytes, item, family);
                break;
        }

        void WriteHead(char letter, int count) =>
            bytes.AddRange(Encoding.ASCII.GetBytes(count.ToString(CultureInfo.InvariantCulture) + letter));

        void WriteNumber(char letter, string text) => WriteBytes(letter, Encoding.ASCII.GetBytes(text));

        void WriteBytes(char letter, ReadOnlySpan<byte> data)
        {
            WriteHead(letter, data.Length);
            bytes.AddRange(data);
        }
    }

    private ref struct Reader(ReadOnlySpan<byte> data, TransactionFamily family)
    {
        private readonly ReadOnlySpan<byte> _data = data;

        public int Position { get; private set; } = 1;

        public TransactionValue? ReadValue(int depth)
        {
            if (!TryReadCount(out var count) || Position >= _data.Length) return null;
            var letter = _data[Position++];
            switch ((char)letter)
            {
                case 'T' or 'F': return count == 0 ? letter == 'T' ? TransactionValue.True : TransactionValue.False : null;
                case 'n': return count == 0 || family == TransactionFamily.Kotlin ? TransactionValue.Null : null;
                case 'i' or 'J' or 'f' or 's' or 'b':
                    if (count > _data.Length - Position) return null;
                    var bytes = _data.Slice(Position, count);
                    Position += count;
                    return ReadScalar((char)letter, bytes);
                case 'l' or 't' or 'L': return ReadItems((char)letter, count, depth + 1);
                case 'd': return ReadPairs(count, depth + 1);
                default: return null;
            }
        }

        private readonly TransactionValue? ReadScalar(char letter, ReadOnlySpan<byte> bytes)
        {
            switch (letter)
            {
                case 'i': return TryReadInteger(bytes, out var integer) ? TransactionValue.Integer(integer) : null;
                case 'J' when family == TransactionFamily.Py: return TryReadInteger(bytes, out var big) ? TransactionValue.Integer(big) : null;
                case 'J':
                    return TryReadInteger(bytes, out var number) && number >= long.MinValue && number <= long.MaxValue ? TransactionValue.Long((long)number) : null;
                case 'f' when family == TransactionFamily.Kotlin: return DecimalText.TryReadJvm(bytes, out var single) ? TransactionValue.Single(single) : null;
                case 'f': return DecimalText.TryReadPython(bytes, out var value) ? TransactionValue.Float(value) : null;
                case 'b' when family != TransactionFamily.Kotlin: return TransactionValue.Bytes(bytes);
                default:
                    // Kotlin replaces what is not UTF-8, and takes bytes for text.
                    return family == TransactionFamily.Kotlin || Utf8.IsValid(bytes) ? TransactionValue.Text(Encoding.UTF8.GetString(bytes)) : null;
            }
        }

        private TransactionValue? ReadItems(char letter, int count, int depth)
        {
            // An item has two bytes at least: a count that cannot be met is refused before anything is made.
            if (depth > DepthMax || count > (_data.Length - Position) / 2) return null;
            var items = new List<TransactionValue>(Math.Min(count, 16));
            var seen = letter == 'L' ? new HashSet<TransactionValue>() : null;
            for (var i = 0; i < count; i++)
            {
                if (ReadValue(depth) is not { } item) return null;
                if (seen is not null && family != TransactionFamily.Kotlin && !IsHashable(item)) return null;
                if (seen is null || seen.Add(AsPythonKey(item))) items.Add(item);
            }
            var kind = letter switch
            {
                'L' => TransactionKind.Set,
                't' when family != TransactionFamily.Kotlin => TransactionKind.Tuple,
                _ => TransactionKind.List,
            };
            return TransactionValue.Sequence(kind, items);
        }

        private TransactionValue? ReadPairs(int count, int depth)
        {
            if (depth > DepthMax || count > (_data.Length - Position) / 4) return null;
            var pairs = new List<KeyValuePair<TransactionValue, TransactionValue>>(Math.Min(count, 16));
            var places = new Dictionary<TransactionValue, int>();
            for (var i = 0; i < count; i++)
            {
                if (ReadValue(depth) is not { } key || ReadValue(depth) is not { } value) return null;
                if (family != TransactionFamily.Kotlin && !IsHashable(key)) return null;
                if (places.TryAdd(AsPythonKey(key), pairs.Count)) pairs.Add(new(key, value));
                else if (family != TransactionFamily.Kotlin) return null;
                else pairs[places[key]] = new(key, value);
            }
            return TransactionValue.Dictionary(pairs);
        }

        /// <summary>Python's dictionaries refuse containers that can change as keys.</summary>
        private static bool IsHashable(TransactionValue value) => value.Kind switch
        {
            TransactionKind.List or TransactionKind.Set or TransactionKind.Dictionary => false,
            TransactionKind.Tuple => value.Items.All(IsHashable),
            _ => true,
        };

        /// <summary>To Python 1, 1.0 and True are one key.</summary>
        private readonly TransactionValue AsPythonKey(TransactionValue value)
        {
            if (family == TransactionFamily.Kotlin) return value;
            if (value.Kind == TransactionKind.Boolean) return TransactionValue.Integer(value.IsTrue ? 1 : 0);
            if (value.Kind == TransactionKind.Long) return TransactionValue.Integer(value.AsInteger!.Value);
            return value.AsNumber is { } number && double.IsInteger(number) ? TransactionValue.Integer(new BigInteger(number)) : value;
        }

        private bool TryReadCount(out int count)
        {
            count = 0;
            var start = Position;
            while (Position < _data.Length && _data[Position] is >= (byte)'0' and <= (byte)'9')
            {
                if (Position - start >= 9) return false;
                count = count * 10 + (_data[Position++] - '0');
            }
            var digits = Position - start;
            return digits == 1 || (digits > 1 && (family != TransactionFamily.Strict || _data[start] != '0'));
        }

        private readonly bool TryReadInteger(ReadOnlySpan<byte> text, out BigInteger value)
        {
            value = default;
            if (text.Length > NumberBytesMax) return false;
            if (family == TransactionFamily.Py) text = DecimalText.TrimPython(text);
            var digits = text is [(byte)'-' or (byte)'+', ..] ? text[1..] : text;
            if (digits.IsEmpty || (family == TransactionFamily.Strict && text[0] == '+')) return false;
            var clean = new StringBuilder(text.Length);
            if (text[0] == '-') clean.Append('-');
            for (var i = 0; i < digits.Length; i++)
            {
                if (digits[i] is >= (byte)'0' and <= (byte)'9') clean.Append((char)digits[i]);
                else if (family != TransactionFamily.Py || digits[i] != '_' || i == 0 || i == digits.Length - 1 || digits[i + 1] == '_') return false;
            }
            return BigInteger.TryParse(clean.ToString(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value);
        }
    }
}
