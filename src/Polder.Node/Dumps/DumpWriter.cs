using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Polder.Cryptography;
using Polder.Ledger.Blocks;
using Polder.Ledger.Records;
using Polder.Ledger.Stores;

namespace Polder.Node.Dumps;

/// <summary>Writes a ledger for other programs: blocks in the order they came, whole, beside what they say. Holds one line in memory.</summary>
public sealed class DumpWriter : IDisposable
{
    private const int BufferBytes = 1 << 20;

    private readonly Stream _stream;
    private readonly DumpFormat _format;
    private readonly bool _whole;
    private readonly byte[] _buffer = new byte[BufferBytes];
    private int _used;

    /// <summary>A dump into a stream, which stays the caller's.</summary>
    /// <param name="stream">Where to.</param>
    /// <param name="format">In which form.</param>
    /// <param name="whole">Whether the blocks themselves are in it; without them it cannot be imported again, and has half the size.</param>
    public DumpWriter(Stream stream, DumpFormat format, bool whole = true)
    {
        ArgumentNullException.ThrowIfNull(stream);
        (_stream, _format, _whole) = (stream, format, whole);
        var names = DumpColumns.All.Select(static column => column.Name);
        if (format == DumpFormat.Csv) Text(string.Join(',', names) + "\n");
        if (format != DumpFormat.Copy) return;
        Text($"CREATE TABLE IF NOT EXISTS polder_blocks ({string.Join(", ", DumpColumns.All.Select(static column => $"{column.Name} {column.SqlType}"))});\n");
        Text($"COPY polder_blocks ({string.Join(", ", names)}) FROM stdin;\n");
    }

    /// <summary>Bytes written so far.</summary>
    public long Bytes { get; private set; }

    /// <summary>Writes a block.</summary>
    public void Write(HalfBlock block)
    {
        ArgumentNullException.ThrowIfNull(block);
        Line(DumpColumns.Block, block, null, null);
    }

    /// <summary>Writes a proof of fraud: the line of its first block, with the others beside it.</summary>
    public void Write(FraudProof fraud)
    {
        ArgumentNullException.ThrowIfNull(fraud);
        Line(NameOf(fraud.Kind), fraud.First, fraud.Second, fraud.Proposal);
    }

    /// <summary>Writes the end and everything that is left.</summary>
    public void Finish()
    {
        if (_format == DumpFormat.Copy) Text("\\.\n");
        Send();
        _stream.Flush();
    }

    /// <summary>Sends on what is left.</summary>
    public void Dispose() => Send();

    internal static string NameOf(FraudKind kind) => kind == FraudKind.DoubleSign ? "double-sign" : "double-countersign";

    private void Line(string kind, HalfBlock block, HalfBlock? second, HalfBlock? proposal)
    {
        var isClaim = AgreedClaims.TryClaim(block, out var claim);
        Room(1024 + 8 * (block.Packed.Length + (second?.Packed.Length ?? 0) + (proposal?.Packed.Length ?? 0)) + (4 * claim.Unit?.Length ?? 0));
        Begin();
        Field("kind", kind, isFirst: true);
        Hex("public_key", block.PublicKey);
        Number("sequence", block.Sequence);
        Hex("link_public_key", block.LinkKey);
        Number("link_sequence", block.LinkSequence);
        Field("type", block.TypeText);
        Number("timestamp", block.Timestamp);
        Span<byte> hash = stackalloc byte[Hash256.Bytes];
        block.Hash.CopyTo(hash);
        Hex("hash", hash);
        if (isClaim)
        {
            Field("unit", claim.Unit!);
            Number("gave", (ulong)claim.Gave);
            Number("got", (ulong)claim.Got);
        }
        else
        {
            Nothing("unit");
            Nothing("gave");
            Nothing("got");
        }
        if (_whole) Base64("packed", block.Packed.Span);
        else Nothing("packed");
        if (_whole && second is not null) Base64("second", second.Packed.Span);
        else Nothing("second");
        if (_whole && proposal is not null) Base64("proposal", proposal.Packed.Span);
        else Nothing("proposal");
        End();
    }

    private void Begin()
    {
        if (_format == DumpFormat.Json) _buffer[_used++] = (byte)'{';
    }

    private void End()
    {
        if (_format == DumpFormat.Json) _buffer[_used++] = (byte)'}';
        _buffer[_used++] = (byte)'\n';
    }

    private bool Name(string name, bool isFirst = false)
    {
        if (!isFirst) _buffer[_used++] = _format == DumpFormat.Copy ? (byte)'\t' : (byte)',';
        if (_format != DumpFormat.Json) return true;
        _buffer[_used++] = (byte)'"';
        Raw(name);
        _buffer[_used++] = (byte)'"';
        _buffer[_used++] = (byte)':';
        return true;
    }

    private void Field(string name, string text, bool isFirst = false)
    {
        Name(name, isFirst);
        switch (_format)
        {
            case DumpFormat.Json:
                Quote();
                Raw(JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).ToString());
                Quote();
                break;
            case DumpFormat.Csv when text.AsSpan().IndexOfAny(",\"\r\n") >= 0 || (text.Length > 0 && (text[0] == ' ' || text[^1] == ' ')):
                Quote();
                Raw(text.Replace("\"", "\"\"", StringComparison.Ordinal));
                Quote();
                break;
            case DumpFormat.Copy when text.AsSpan().IndexOfAny("\\\t\r\n") >= 0:
                Raw(text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\t", "\\t", StringComparison.Ordinal)
                    .Replace("\r", "\\r", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal));
                break;
            default:
                Raw(text);
                break;
        }
    }

    private void Number(string name, ulong value)
    {
        Name(name);
        value.TryFormat(_buffer.AsSpan(_used), out var written, default, CultureInfo.InvariantCulture);
        _used += written;
    }

    private void Hex(string name, ReadOnlySpan<byte> bytes)
    {
        Name(name);
        if (_format == DumpFormat.Json) Quote();
        Convert.TryToHexStringLower(bytes, _buffer.AsSpan(_used), out var written);
        _used += written;
        if (_format == DumpFormat.Json) Quote();
    }

    private void Base64(string name, ReadOnlySpan<byte> bytes)
    {
        Name(name);
        if (_format == DumpFormat.Json) Quote();
        System.Buffers.Text.Base64.EncodeToUtf8(bytes, _buffer.AsSpan(_used), out _, out var written);
        _used += written;
        if (_format == DumpFormat.Json) Quote();
    }

    private void Nothing(string name)
    {
        // In JSON what is not there is left out.
        if (_format == DumpFormat.Json) return;
        Name(name);
        if (_format == DumpFormat.Copy) Raw("\\N");
    }

    private void Quote() => _buffer[_used++] = (byte)'"';

    private void Raw(string text) => _used += Encoding.UTF8.GetBytes(text, _buffer.AsSpan(_used));

    private void Text(string text)
    {
        Room(3 * text.Length);
        Raw(text);
    }

    private void Room(int bytes)
    {
        if (bytes > _buffer.Length) throw new InvalidOperationException("A block is larger than any that is kept.");
        if (_buffer.Length - _used < bytes) Send();
    }

    private void Send()
    {
        _stream.Write(_buffer, 0, _used);
        Bytes += _used;
        _used = 0;
    }
}
