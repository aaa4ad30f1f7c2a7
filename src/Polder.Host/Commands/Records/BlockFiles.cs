using System.Text;
using System.Text.Json;
using Polder.Host.Api;
using Polder.Node.Operations;

namespace Polder.Host.Commands.Records;

/// <summary>Collects packed blocks from files that others made: JSON with hex under known keys, or lines of hex.</summary>
internal static class BlockFiles
{
    private const int FileBytesMax = 64 * 1024 * 1024;
    // A half block without its transaction: two keys, two numbers, hash, signature, type length, time.
    private const int BlockBytesMin = 2 * 74 + 4 + 4 + 32 + 64;
    private static readonly string[] Keys = ["pack", "packed", "block", "database"];

    /// <summary>Reads the blocks of a file, or of standard input for "-".</summary>
    public static async Task<IReadOnlyList<byte[]>> ReadAsync(string path, CancellationToken cancellation)
    {
        var blocks = Collect(Encoding.UTF8.GetString(await ReadBytesAsync(path, cancellation).ConfigureAwait(false)), path);
        if (blocks.Count == 0) throw Bad($"{path} holds no blocks: neither hex under {string.Join(", ", Keys.Select(k => $"\"{k}\""))} nor lines of hex.");
        if (blocks.Count > NodeApi.ImportBlocksMax) throw Bad($"{path} holds {blocks.Count} blocks; at most {NodeApi.ImportBlocksMax} at once.");
        return blocks;
    }

    /// <summary>Reads a whole file, or standard input for "-"; a file of more than 64 MB is refused.</summary>
    public static async Task<byte[]> ReadBytesAsync(string path, CancellationToken cancellation)
    {
        try
        {
            if (path == "-")
            {
                using var input = Console.OpenStandardInput();
                using var all = new MemoryStream();
                await input.CopyToAsync(all, cancellation).ConfigureAwait(false);
                return all.ToArray();
            }
            if (new FileInfo(path) is { Exists: true, Length: > FileBytesMax }) throw Bad($"{path} is larger than {FileBytesMax / 1024 / 1024} MB.");
            return await File.ReadAllBytesAsync(path, cancellation).ConfigureAwait(false);
        }
        catch (Exception problem) when (problem is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new OperationRefusedException(RefusalKind.NotFound, $"There is no file {path}.");
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw Bad($"{path} cannot be read: {problem.Message}");
        }
    }

    /// <summary>The blocks in a text, in order, each once.</summary>
    public static IReadOnlyList<byte[]> Collect(string text, string name = "the text") => [.. CollectNamed(text, name).Select(static entry => entry.Packed)];

    /// <summary>The blocks in a text, in order, each once, with what the JSON object around each is called ("name" or "case").</summary>
    public static IReadOnlyList<(string? Name, byte[] Packed)> CollectNamed(string text, string name)
    {
        var (blocks, seen) = (new List<(string? Name, byte[] Packed)>(), new HashSet<string>(StringComparer.OrdinalIgnoreCase));
        var trimmed = text.AsSpan().TrimStart('\uFEFF').TrimStart();
        if (trimmed.Length > 0 && trimmed[0] is '{' or '[')
        {
            try
            {
                using var json = JsonDocument.Parse(trimmed.ToString(), new JsonDocumentOptions { AllowTrailingCommas = true, CommentHandling = JsonCommentHandling.Skip });
                Walk(json.RootElement, json.RootElement.ValueKind == JsonValueKind.Array, null);
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
                if (!Take(hex, null)) throw Bad($"Line {line} of {name} is no block in hex.");
            }
        }
        return blocks;

        void Walk(JsonElement element, bool wanted, string? title)
        {
            switch (element.ValueKind)
            {
                case JsonValueKind.Object:
                    title = TitleOf(element) ?? title;
                    foreach (var property in element.EnumerateObject())
                        Walk(property.Value, Keys.Contains(property.Name, StringComparer.OrdinalIgnoreCase), title);
                    break;
                case JsonValueKind.Array:
                    foreach (var item in element.EnumerateArray()) Walk(item, wanted, title);
                    break;
                case JsonValueKind.String when wanted:
                    Take(element.GetString()!, title);
                    break;
                default:
                    break;
            }
        }

        bool Take(string hex, string? title)
        {
            if (hex.Length < 2 * BlockBytesMin || hex.Length % 2 != 0 || !hex.All(char.IsAsciiHexDigit)) return false;
            if (seen.Add(hex)) blocks.Add((title, Convert.FromHexString(hex)));
            return true;
        }
    }

    private static string? TitleOf(JsonElement entry)
    {
        foreach (var name in (string[])["name", "case"])
            if (entry.TryGetProperty(name, out var title) && title.ValueKind == JsonValueKind.String) return title.GetString();
        return null;
    }

    private static OperationRefusedException Bad(string words) => new(RefusalKind.BadInput, words);
}
