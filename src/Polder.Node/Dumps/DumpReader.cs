using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Polder.Cryptography;
using Polder.Identity;
using Polder.Ledger.Blocks;
using Polder.Ledger.Stores;

namespace Polder.Node.Dumps;

/// <summary>One line of a dump: a block or a proof.</summary>
/// <param name="Line">From 1.</param>
/// <param name="Block">The block; null for a proof.</param>
/// <param name="Fraud">The proof; null for a block.</param>
public readonly record struct DumpEntry(long Line, HalfBlock? Block, FraudProof? Fraud);

/// <summary>
/// Reads dumps of ours and of others: CSV with a heading, newline-delimited JSON, COPY text (bare, or in the SQL around it), lines
/// of hex. Blocks are taken whole from a column <c>packed</c> (or pack, block, database), in hex or base64; where there is none, they
/// are put together from the columns of py-ipv8's and kotlin-ipv8's databases. Other columns are passed over. Holds one line in
/// memory. What cannot be read is a <see cref="DumpException"/> with its line.
/// </summary>
public sealed class DumpReader(Stream stream)
{
    private static readonly string[] PackedNames = [DumpColumns.Packed, "pack", "block", "database"];
    private static readonly (string Field, string[] Names)[] PartNames =
    [
        ("public_key", ["public_key"]), ("sequence", ["sequence_number", "sequence"]), ("link_public_key", ["link_public_key"]),
        ("link_sequence", ["link_sequence_number", "link_sequence"]), ("previous_hash", ["previous_hash"]), ("signature", ["signature"]),
        ("type", ["type"]), ("transaction", ["tx", "transaction"]), ("timestamp", ["block_timestamp", "timestamp"]),
    ];

    private readonly DumpLines _lines = new(stream);
    private readonly ArrayBufferWriter<byte> _joined = new();
    private byte[][] _fields = new byte[16][];
    private int[] _lengths = new int[16];
    private int _count;
    private int _kind = -1, _packed = -1, _second = -1, _proposal = -1;
    private int[]? _parts;

    private enum Form { Unknown, Csv, Json, Copy, Hex }

    /// <summary>Bytes of the stream read so far, for progress.</summary>
    public long Bytes => _lines.Bytes;

    /// <summary>What the stream turned out to be, in words; null before the first line.</summary>
    public string? FoundForm { get; private set; }

    /// <summary>Whether a line that cannot be read is passed over and counted; otherwise it ends the reading.</summary>
    public bool SkipsBroken { get; init; }

    /// <summary>Lines passed over.</summary>
    public long Broken { get; private set; }

    /// <summary>The first line passed over, and why.</summary>
    public (long Line, string Problem)? FirstBroken { get; private set; }

    /// <summary>Every block and proof, in order.</summary>
    /// <exception cref="DumpException">A line cannot be read.</exception>
    public IEnumerable<DumpEntry> Read()
    {
        var form = Form.Unknown;
        var isOver = false;
        while (!isOver)
        {
            DumpEntry? entry;
            try
            {
                if (!_lines.TryRead(out var line)) break;
                if (line.IsEmpty || line[0] == '#') continue;
                if (form == Form.Unknown)
                {
                    form = FormOf(line);
                    if (form == Form.Csv)
                    {
                        SplitCsv(line);
                        Heading([.. Enumerable.Range(0, _count).Select(Text)]);
                        continue;
                    }
                    if (form == Form.Copy && _kind < 0 && _packed < 0 && line.Contains((byte)'\t')) Heading([.. DumpColumns.All.Select(static column => column.Name)]);
                }
                entry = form switch
                {
                    Form.Csv => Csv(line),
                    Form.Json => Json(line),
                    Form.Copy => Copy(line, ref isOver),
                    _ => new DumpEntry(_lines.Number, Block(line, DumpColumns.Packed), null),
                };
            }
            catch (DumpException problem) when (SkipsBroken && (form is Form.Json or Form.Hex || _packed >= 0 || _parts is not null))
            {
                Broken++;
                FirstBroken ??= (problem.Line, problem.Message);
                continue;
            }
            if (entry is { } found) yield return found;
        }
    }

    private Form FormOf(ReadOnlySpan<byte> line)
    {
        var form = line[0] == '{' ? Form.Json
            : IsSql(line) || line.Contains((byte)'\t') ? Form.Copy
            : line.Length >= 2 * HalfBlock.BytesMin && IsHex(line) ? Form.Hex
            : line.Contains((byte)',') || Named(line) ? Form.Csv
            : throw Bad("this is no dump of a ledger: it should begin with a heading of CSV, a JSON object, COPY … FROM stdin; or a block in hex");
        FoundForm = form switch { Form.Json => "newline-delimited JSON", Form.Copy => "PostgreSQL COPY text", Form.Csv => "CSV", _ => "lines of hex" };
        return form;
    }

    private static bool Named(ReadOnlySpan<byte> line) => PackedNames.Contains(Encoding.UTF8.GetString(line).Trim('"'), StringComparer.OrdinalIgnoreCase);

    private static bool IsSql(ReadOnlySpan<byte> line)
    {
        foreach (var word in (ReadOnlySpan<string>)["COPY ", "CREATE ", "SET ", "BEGIN", "--", "SELECT ", "\\restrict", "ALTER ", "DROP "])
            if (line.Length >= word.Length && Encoding.ASCII.GetString(line[..word.Length]).Equals(word, StringComparison.OrdinalIgnoreCase)) return true;
        return false;
    }

    private void Heading(string[] names)
    {
        _kind = Find(DumpColumns.Kind);
        _second = Find(DumpColumns.Second);
        _proposal = Find(DumpColumns.Proposal);
        _packed = PackedNames.Select(Find).FirstOrDefault(static at => at >= 0, -1);
        if (_packed >= 0) return;
        var parts = PartNames.Select(part => part.Names.Select(Find).FirstOrDefault(static at => at >= 0, -1)).ToArray();
        var missing = PartNames.Where((_, i) => parts[i] < 0).Select(static part => part.Names[0]).ToList();
        if (missing.Count > 0)
            throw Bad($"there is no column \"{DumpColumns.Packed}\" with whole blocks, and to put them together {string.Join(", ", missing)} {(missing.Count == 1 ? "is" : "are")} missing. The columns are: {string.Join(", ", names.Take(20))}");
        _parts = parts;

        int Find(string name) => Array.FindIndex(names, known => known.Trim().Equals(name, StringComparison.OrdinalIgnoreCase));
    }

    // ---- CSV ----

    private DumpEntry? Csv(ReadOnlySpan<byte> line)
    {
        var first = _lines.Number;
        // A field in quotation marks may go on in the next line.
        if (line.Count((byte)'"') % 2 != 0)
        {
            _joined.ResetWrittenCount();
            _joined.Write(line);
            while (_joined.WrittenSpan.Count((byte)'"') % 2 != 0)
            {
                if (_joined.WrittenCount > DumpColumns.LineBytesMax || !_lines.TryRead(out var more))
                    throw new DumpException(first, "a quotation mark opens here and nothing closes it");
                _joined.Write("\n"u8);
                _joined.Write(more);
            }
            line = _joined.WrittenSpan;
        }
        SplitCsv(line);
        return Row(first);
    }

    private void SplitCsv(ReadOnlySpan<byte> line)
    {
        _count = 0;
        while (true)
        {
            var field = NextField();
            if (line is [(byte)'"', ..])
            {
                var at = 1;
                for (; at < line.Length; at++)
                {
                    if (line[at] != '"') Put(field, line[at]);
                    else if (at + 1 < line.Length && line[at + 1] == '"') Put(field, line[at++]);
                    else break;
                }
                line = line[Math.Min(line.Length, at + 1)..];
                if (!line.IsEmpty && line[0] != ',') throw Bad($"field {field + 1} goes on behind its closing quotation mark");
            }
            else
            {
                var end = line.IndexOf((byte)',');
                Put(field, end < 0 ? line : line[..end]);
                line = end < 0 ? default : line[end..];
            }
            if (line.IsEmpty) return;
            line = line[1..];
            if (!line.IsEmpty) continue;
            NextField();
            return;
        }
    }

    // ---- COPY ----

    private DumpEntry? Copy(ReadOnlySpan<byte> line, ref bool isOver)
    {
        if (_packed < 0 && _parts is null)
        {
            // The SQL before the data: only the list of columns matters.
            if (!IsSql(line) || !line.StartsWith("COPY "u8)) return null;
            var text = Encoding.UTF8.GetString(line);
            var (open, close) = (text.IndexOf('('), text.IndexOf(')'));
            Heading(open > 0 && close > open ? text[(open + 1)..close].Split(',', StringSplitOptions.TrimEntries) : [.. DumpColumns.All.Select(static column => column.Name)]);
            return null;
        }
        if (line.SequenceEqual("\\."u8))
        {
            isOver = true;
            return null;
        }
        _count = 0;
        foreach (var range in line.Split((byte)'\t'))
        {
            var field = NextField();
            var value = line[range];
            if (value.SequenceEqual("\\N"u8)) continue;
            for (var at = 0; at < value.Length; at++)
            {
                if (value[at] != '\\' || at + 1 == value.Length) Put(field, value[at]);
                else Put(field, value[++at] switch { (byte)'t' => (byte)'\t', (byte)'n' => (byte)'\n', (byte)'r' => (byte)'\r', var other => other });
            }
        }
        return Row(_lines.Number);
    }

    // ---- rows of CSV and COPY ----

    private DumpEntry Row(long line)
    {
        var kind = _kind >= 0 && _kind < _count ? Text(_kind) : DumpColumns.Block;
        if (_parts is { } parts) return new DumpEntry(line, Assemble(parts), null);
        if (_packed >= _count) throw Bad($"it has {_count} fields, and the block should be in field {_packed + 1}");
        var first = Block(Bytes(_packed), DumpColumns.Packed);
        if (kind is DumpColumns.Block or "") return new DumpEntry(line, first, null);
        if (_second < 0 || _second >= _count) throw Bad($"\"{Shown(kind)}\" needs two blocks; the second is missing");
        return new DumpEntry(line, null, Proof(kind, first, Block(Bytes(_second), DumpColumns.Second),
            _proposal >= 0 && _proposal < _count && _lengths[_proposal] > 0 ? Block(Bytes(_proposal), DumpColumns.Proposal) : null));

        ReadOnlySpan<byte> Bytes(int field) => _fields[field].AsSpan(0, _lengths[field]);
    }

    private HalfBlock Assemble(int[] at)
    {
        var key = Key(0);
        var sequence = Number32(1);
        var linkKey = Key(2);
        var linkSequence = Number32(3);
        var previous = Bytes(4, Hash256.Bytes);
        var signature = Bytes(5, Ed25519.SignatureBytes);
        var type = Field(6).ToArray();
        // Bytes that are no text are given in hex behind \x by PostgreSQL.
        if (type is [(byte)'\\', (byte)'x', ..]) type = Decode(type, "type");
        var transaction = Decode(Field(7), "transaction");
        if (!ulong.TryParse(Field(8), NumberStyles.None, CultureInfo.InvariantCulture, out var timestamp)) throw Bad($"timestamp \"{Shown(Field(8))}\" is no number of milliseconds from 0 to 18446744073709551615");
        var packed = new byte[HalfBlock.BytesMin + type.Length + transaction.Length];
        key.CopyTo(packed, 0);
        BinaryPrimitives.WriteUInt32BigEndian(packed.AsSpan(HalfBlock.SequenceOffset), sequence);
        linkKey.CopyTo(packed, HalfBlock.LinkKeyOffset);
        BinaryPrimitives.WriteUInt32BigEndian(packed.AsSpan(HalfBlock.LinkSequenceOffset), linkSequence);
        previous.CopyTo(packed, HalfBlock.PreviousHashOffset);
        signature.CopyTo(packed, HalfBlock.SignatureOffset);
        BinaryPrimitives.WriteUInt32BigEndian(packed.AsSpan(HalfBlock.TypeOffset), (uint)type.Length);
        type.CopyTo(packed, HalfBlock.TypeOffset + 4);
        BinaryPrimitives.WriteUInt32BigEndian(packed.AsSpan(HalfBlock.TypeOffset + 4 + type.Length), (uint)transaction.Length);
        transaction.CopyTo(packed, HalfBlock.TypeOffset + 8 + type.Length);
        BinaryPrimitives.WriteUInt64BigEndian(packed.AsSpan(packed.Length - 8), timestamp);
        return HalfBlock.TryAdopt(packed, out var block) ? block : throw Bad("its fields make no block");

        ReadOnlySpan<byte> Field(int part) => at[part] < _count ? _fields[at[part]].AsSpan(0, _lengths[at[part]])
            : throw Bad($"it has {_count} fields, and {PartNames[part].Field} should be in field {at[part] + 1}");
        byte[] Key(int part) => Bytes(part, KeyFormat.Bytes);
        byte[] Bytes(int part, int length) => Decode(Field(part), PartNames[part].Field) is var bytes && bytes.Length == length ? bytes
            : throw Bad($"{PartNames[part].Field} has {bytes.Length} bytes instead of {length}");
        uint Number32(int part) => uint.TryParse(Field(part), NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value
            : throw Bad($"{PartNames[part].Field} \"{Shown(Field(part))}\" is no number from 0 to 4294967295");
    }

    // ---- JSON ----

    private DumpEntry Json(ReadOnlySpan<byte> line)
    {
        string kind = DumpColumns.Block;
        HalfBlock? first = null, second = null, proposal = null;
        var parts = new string?[PartNames.Length];
        try
        {
            var reader = new Utf8JsonReader(line, new JsonReaderOptions { MaxDepth = 8 });
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) throw Bad("it is no JSON object");
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var name = reader.GetString()!;
                reader.Read();
                if (reader.TokenType == JsonTokenType.String && name == DumpColumns.Kind) kind = reader.GetString()!;
                else if (reader.TokenType == JsonTokenType.String && PackedNames.Contains(name, StringComparer.OrdinalIgnoreCase)) first ??= Block(Value(ref reader), name);
                else if (reader.TokenType == JsonTokenType.String && name == DumpColumns.Second) second = Block(Value(ref reader), name);
                else if (reader.TokenType == JsonTokenType.String && name == DumpColumns.Proposal) proposal = Block(Value(ref reader), name);
                else if (reader.TokenType is JsonTokenType.String or JsonTokenType.Number && Array.FindIndex(PartNames, part => part.Names.Contains(name, StringComparer.OrdinalIgnoreCase)) is >= 0 and var part)
                    parts[part] = Encoding.UTF8.GetString(reader.TokenType == JsonTokenType.Number ? reader.ValueSpan : Value(ref reader));
                else reader.Skip();
            }
            if (reader.TokenType != JsonTokenType.EndObject || reader.Read()) throw Bad("something follows the JSON object");
        }
        catch (JsonException problem) { throw Bad($"it is no JSON (byte {problem.BytePositionInLine ?? 0})"); }
        catch (InvalidOperationException) { throw Bad("it holds text that is not UTF-8"); }
        if (first is null)
        {
            var missing = PartNames.Where((_, i) => parts[i] is null).Select(static part => part.Names[0]).ToList();
            if (missing.Count > 0) throw Bad($"there is no \"{DumpColumns.Packed}\" with a whole block, and to put it together {string.Join(", ", missing)} {(missing.Count == 1 ? "is" : "are")} missing");
            _count = 0;
            foreach (var part in parts) Put(NextField(), Encoding.UTF8.GetBytes(part!));
            first = Assemble([.. Enumerable.Range(0, parts.Length)]);
        }
        if (kind is DumpColumns.Block or "") return new DumpEntry(_lines.Number, first, null);
        return new DumpEntry(_lines.Number, null, Proof(kind, first, second ?? throw Bad($"\"{Shown(kind)}\" needs two blocks; \"{DumpColumns.Second}\" is missing"), proposal));

        static ReadOnlySpan<byte> Value(ref Utf8JsonReader reader)
        {
            if (!reader.ValueIsEscaped) return reader.ValueSpan;
            return Encoding.UTF8.GetBytes(reader.GetString()!);
        }
    }

    // ---- blocks and proofs ----

    private FraudProof Proof(string kind, HalfBlock first, HalfBlock second, HalfBlock? proposal) =>
        new(kind switch
        {
            "double-sign" => FraudKind.DoubleSign,
            "double-countersign" => FraudKind.DoubleCountersign,
            _ => throw Bad($"\"{Shown(kind)}\" is neither block, double-sign nor double-countersign"),
        }, first, second) { Proposal = proposal };

    private HalfBlock Block(ReadOnlySpan<byte> text, string name) =>
        HalfBlock.TryAdopt(Decode(text, name), out var block) ? block
            : throw Bad($"\"{name}\" is no block: too short, too long, or lengths that do not add up");

    /// <summary>Bytes from hex, from PostgreSQL's \x hex, or from base64.</summary>
    private byte[] Decode(ReadOnlySpan<byte> text, string name)
    {
        if (text is [(byte)'\\', (byte)'x', ..]) text = text[2..];
        if (text.IsEmpty) return [];
        byte[] bytes;
        // Every key begins "4c" in hex and "T" in base64, so a block is never taken for the other.
        if (text.Length % 2 == 0 && IsHex(text))
        {
            bytes = new byte[text.Length / 2];
            return Convert.FromHexString(text, bytes, out _, out _) == OperationStatus.Done ? bytes : throw Bad($"\"{name}\" is no hex");
        }
        bytes = new byte[Base64.GetMaxDecodedFromUtf8Length(text.Length)];
        if (Base64.DecodeFromUtf8(text, bytes, out _, out var written) != OperationStatus.Done) throw Bad($"\"{name}\" is neither hex nor base64");
        return written == bytes.Length ? bytes : bytes[..written];
    }

    private static readonly SearchValues<byte> HexDigits = SearchValues.Create("0123456789abcdefABCDEF"u8);

    private static bool IsHex(ReadOnlySpan<byte> text) => !text.ContainsAnyExcept(HexDigits);

    // ---- fields ----

    private int NextField()
    {
        if (_count == _fields.Length)
        {
            if (_count >= 1024) throw Bad("it has more than 1,024 fields");
            Array.Resize(ref _fields, 2 * _count);
            Array.Resize(ref _lengths, 2 * _count);
        }
        _fields[_count] ??= new byte[256];
        _lengths[_count] = 0;
        return _count++;
    }

    private void Put(int field, byte value)
    {
        if (_lengths[field] == _fields[field].Length) Array.Resize(ref _fields[field], 2 * _fields[field].Length);
        _fields[field][_lengths[field]++] = value;
    }

    private void Put(int field, ReadOnlySpan<byte> value)
    {
        if (_fields[field].Length < value.Length) _fields[field] = new byte[value.Length * 2];
        value.CopyTo(_fields[field]);
        _lengths[field] = value.Length;
    }

    private string Text(int field) => Encoding.UTF8.GetString(_fields[field].AsSpan(0, _lengths[field]));

    private DumpException Bad(string words) => new(_lines.Number, words);

    private static string Shown(ReadOnlySpan<byte> text) => Shown(Encoding.UTF8.GetString(text));

    private static string Shown(string text) => text.Length <= 40 ? text : text[..37] + "…";
}
