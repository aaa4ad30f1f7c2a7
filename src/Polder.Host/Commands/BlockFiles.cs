using System.Text;
using System.Text.Json;
using Polder.Host.Api;
using Polder.Node.Operations;

namespace Polder.Host.Commands;

/// <summary>Collects packed blocks from files that others made: JSON with hex under known keys, or lines of hex.</summary>
internal static class BlockFiles
{
    private const int FileBytesMax = 64 * 1024 * 1024;
    // A half block without its transaction: two keys, two numbers, hash, signature, type length, time.
    private const int BlockBytesMin = 2 * 74 + 4 + 4 + 32 + 64;
    private static readonly string[] Keys = ["pack", "packed", "block", "database"];

    /// <summary>Reads a file, or standard input for "-".</summary>
    public static async Task<IReadOnlyList<byte[]>> ReadAsync(string path, CancellationToken cancellation)
    {
        string text;
        try
        {
            if (path == "-")
            {
                using var input = new StreamReader(Console.OpenStandardInput(), Encoding.UTF8);
                text = await input.ReadToEndAsync(cancellation).ConfigureAwait(false);
            }
            else
            {
                if (new FileInfo(path) is { Exists: true, Length: > FileBytesMax }) throw Bad($"{path} is larger than {FileBytesMax / 1024 / 1024} MB.");
                text = await File.ReadAllTextAsync(path, cancellation).ConfigureAwait(false);
            }
        }
        catch (Exception problem) when (problem is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new OperationRefusedException(RefusalKind.NotFound, $"There is no file {path}.");
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw Bad($"{path} cannot be read: {problem.Message}");
        }
        var blocks = Collect(text, path);
        if (blocks.Count == 0) throw Bad($"{path} holds no blocks: neither hex under {string.Join(", ", Keys.Select(k => $"\"{k}\""))} nor lines of hex.");
        if (blocks.Count > NodeApi.ImportBlocksMax) throw Bad($"{path} holds {blocks.Count} blocks; at most {NodeApi.ImportBlocksMax} at once.");
        return blocks;
    }

    /// <summary>The blocks in a text, in order, each once.</summary>
    public static IReadOnlyList<byte[]> Collect(string text, string name = "the text")
    {
        var (blocks, seen) = (new List<byte[]>(), new HashSet<string>(StringComparer.OrdinalIgnoreCase));
        var trimmed = text.AsSpan().TrimStart();
        if (trimmed.Length > 0 && trimmed[0] is '{' or '[')
        {
            try
            {
                using var json = JsonDocument.Parse(text, new JsonDocumentOptions { AllowTrailingCommas = true, CommentHandling = JsonCommentHandling.Skip });
                Walk(json.RootElement, wanted: json.RootElement.ValueKind == JsonValueKind.Array);
            }
            catch (JsonException problem)
            {
                throw Bad($"{name} begins like JSON and is none (line {(problem.LineNumber ?? 0) + 1}).");
            }
        }
        else
        {
            var line = 0;
            foreach (var raw in text.Split('\n'))
            {
                line++;
                var hex = raw.Trim();
                if (hex.Length == 0 || hex.StartsWith('#')) continue;
                if (!Take(hex)) throw Bad($"Line {line} of {name} is no block in hex.");
            }
        }
        return blocks;

        void Walk(JsonElement element, bool wanted)
        {
            switch (element.ValueKind)
            {
                case JsonValueKind.Object:
                    foreach (var property in element.EnumerateObject())
                        Walk(property.Value, wanted: Keys.Contains(property.Name, StringComparer.OrdinalIgnoreCase));
                    break;
                case JsonValueKind.Array:
                    foreach (var item in element.EnumerateArray()) Walk(item, wanted);
                    break;
                case JsonValueKind.String when wanted:
                    Take(element.GetString()!);
                    break;
                default:
                    break;
            }
        }

        bool Take(string hex)
        {
            if (hex.Length < 2 * BlockBytesMin || hex.Length % 2 != 0 || !hex.All(char.IsAsciiHexDigit)) return false;
            if (seen.Add(hex)) blocks.Add(Convert.FromHexString(hex));
            return true;
        }
    }

    private static OperationRefusedException Bad(string words) => new(RefusalKind.BadInput, words);
}
