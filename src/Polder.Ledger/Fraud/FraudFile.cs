using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Polder.Ledger.Blocks;
using Polder.Ledger.Stores;

namespace Polder.Ledger.Fraud;

/// <summary>
/// A proof of fraud as a file that anybody can check offline (docs/wire/fraud-proof.md): JSON with the blocks in full. Version 1.
/// Names and words in it are for people; only the blocks count.
/// </summary>
public static class FraudFile
{
    /// <summary>What "format" says.</summary>
    public const string Format = "polder-fraud";

    /// <summary>The version that is written.</summary>
    public const int Version = 1;

    /// <summary>Bytes of a file that is looked at. Two blocks as large as we keep take some 6 KB.</summary>
    public const int BytesMax = 256 * 1024;

    private const int BlockBytesMax = 32 * 1024;

    /// <summary>"double-sign" or "double-countersign".</summary>
    public static string NameOf(FraudKind kind) => kind == FraudKind.DoubleSign ? "double-sign" : "double-countersign";

    /// <summary>Writes a proof. It should be a true one; nothing is checked here.</summary>
    /// <exception cref="ArgumentException">A double countersign without its proposal.</exception>
    public static byte[] Write(FraudProof proof)
    {
        ArgumentNullException.ThrowIfNull(proof);
        if (proof.Kind == FraudKind.DoubleCountersign && proof.Proposal is null)
            throw new ArgumentException("The proposal to which both agree belongs to the proof.", nameof(proof));
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            writer.WriteStartObject();
            writer.WriteString("format", Format);
            writer.WriteNumber("version", Version);
            writer.WriteString("kind", NameOf(proof.Kind));
            writer.WriteString("culprit", Convert.ToHexStringLower(proof.Culprit));
            writer.WriteString("words", WordsOf(proof));
            writer.WriteString("first", Convert.ToHexStringLower(proof.First.Packed.Span));
            writer.WriteString("second", Convert.ToHexStringLower(proof.Second.Packed.Span));
            if (proof.Proposal is { } proposal) writer.WriteString("proposal", Convert.ToHexStringLower(proposal.Packed.Span));
            writer.WriteEndObject();
        }
        return [.. buffer.WrittenSpan, (byte)'\n'];
    }

    /// <summary>Reads a file. It is not checked whether it proves anything: <see cref="FraudRules"/> does that.</summary>
    /// <param name="content">The whole file.</param>
    /// <param name="proof">What it says; null when it says nothing that can be read.</param>
    /// <param name="error">What is wrong with it, in words.</param>
    public static bool TryRead(ReadOnlyMemory<byte> content, [NotNullWhen(true)] out FraudProof? proof, [NotNullWhen(false)] out string? error)
    {
        (proof, error) = (null, null);
        if (content.Length > BytesMax)
        {
            error = string.Create(CultureInfo.InvariantCulture, $"it is larger than a proof of fraud can be ({content.Length} bytes, at most {BytesMax})");
            return false;
        }
        if (content.Span.TrimStart(" \t\r\n"u8).IsEmpty)
        {
            error = "it is empty";
            return false;
        }
        if (!System.Text.Unicode.Utf8.IsValid(content.Span))
        {
            error = "it is no JSON: its bytes are no text";
            return false;
        }
        try
        {
            using var document = JsonDocument.Parse(content, new JsonDocumentOptions { MaxDepth = 4 });
            return TryRead(document.RootElement, out proof, out error);
        }
        // The second: text with halves of letters in it, which JSON can spell.
        catch (Exception problem) when (problem is JsonException or InvalidOperationException)
        {
            error = "it is no JSON, or was cut off; a proof of fraud is a text that begins with { and names its format \"polder-fraud\"";
            return false;
        }
    }

    /// <summary>What a proof says, in one sentence.</summary>
    public static string WordsOf(FraudProof proof)
    {
        ArgumentNullException.ThrowIfNull(proof);
        var name = proof.First.Owner?.ShortName ?? "A key";
        return proof.Kind == FraudKind.DoubleSign
            ? string.Create(CultureInfo.InvariantCulture, $"{name} signed two different blocks with the number {proof.First.Sequence} of one chain: each of two people was shown another one.")
            : string.Create(CultureInfo.InvariantCulture, $"{name} agreed twice, in its blocks {proof.First.Sequence} and {proof.Second.Sequence}, to one proposal that was made to it once.");
    }

    private static bool TryRead(JsonElement root, [NotNullWhen(true)] out FraudProof? proof, [NotNullWhen(false)] out string? error)
    {
        proof = null;
        if (root.ValueKind != JsonValueKind.Object || TextOf(root, "format") is not { } format)
        {
            error = "it is no proof of fraud: \"format\" is missing";
            return false;
        }
        if (format != Format)
        {
            error = $"it is no proof of fraud: its format is \"{Short(format)}\", not \"{Format}\"";
            return false;
        }
        if (!root.TryGetProperty("version", out var version) || version.ValueKind != JsonValueKind.Number || !version.TryGetInt32(out var number) || number < 1)
        {
            error = "its version is missing or no number";
            return false;
        }
        if (number > Version)
        {
            error = string.Create(CultureInfo.InvariantCulture, $"it is of version {number}, and this program reads version {Version}. A newer Polder can check it");
            return false;
        }
        var kindName = TextOf(root, "kind") ?? "";
        var kind = kindName == NameOf(FraudKind.DoubleSign) ? FraudKind.DoubleSign : kindName == NameOf(FraudKind.DoubleCountersign) ? FraudKind.DoubleCountersign : (FraudKind)0;
        if (kind == 0)
        {
            error = kindName.Length == 0 ? "it does not say of what kind the fraud is"
                : $"it is a proof of \"{Short(kindName)}\", a kind that this program does not know; it knows double-sign and double-countersign";
            return false;
        }
        if (!TryBlock(root, "first", out var first, out error) || !TryBlock(root, "second", out var second, out error)) return false;
        HalfBlock? proposal = null;
        if (root.TryGetProperty("proposal", out _) && !TryBlock(root, "proposal", out proposal, out error)) return false;
        var found = new FraudProof(kind, first, second) { Proposal = proposal };
        if (TextOf(root, "culprit") is { } culprit && !culprit.Equals(Convert.ToHexStringLower(found.Culprit), StringComparison.OrdinalIgnoreCase))
        {
            error = "it accuses another key than the one that owns its first block";
            return false;
        }
        proof = found;
        return true;
    }

    private static bool TryBlock(JsonElement root, string name, [NotNullWhen(true)] out HalfBlock? block, [NotNullWhen(false)] out string? error)
    {
        (block, error) = (null, null);
        if (TextOf(root, name) is not { } hex)
        {
            error = $"its \"{name}\" block is missing";
            return false;
        }
        if (hex.Length > 2 * BlockBytesMax)
        {
            error = string.Create(CultureInfo.InvariantCulture, $"its \"{name}\" block is larger than any block that is kept ({hex.Length / 2} bytes)");
            return false;
        }
        var packed = new byte[hex.Length / 2];
        if (Convert.FromHexString(hex, packed, out _, out _) != OperationStatus.Done)
        {
            error = $"its \"{name}\" block is no hex";
            return false;
        }
        if (HalfBlock.TryUnpack(packed, out block)) return true;
        error = $"the bytes of its \"{name}\" block are no block: too short, too long, or lengths that do not add up";
        return false;
    }

    private static string? TextOf(JsonElement root, string name) =>
        root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static string Short(string text)
    {
        var clean = new StringBuilder();
        foreach (var letter in text.AsSpan(0, Math.Min(40, text.Length))) clean.Append(letter is >= ' ' and <= '~' ? letter : '?');
        return clean.ToString();
    }
}
