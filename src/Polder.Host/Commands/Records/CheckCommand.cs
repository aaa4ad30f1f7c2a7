using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Polder.Cryptography;
using Polder.Host.Api;
using Polder.Ledger.Blocks;
using Polder.Ledger.Stores;
using Polder.Ledger.Validation;
using Polder.Node.Operations;

namespace Polder.Host.Commands.Records;

/// <summary>
/// polder chain check: judges blocks of files by the rules alone. No node runs, no data folder is opened, nothing is kept. Each
/// case of a file of cases has a database of its own; the blocks of any other file are judged in their order, each beside those
/// before it.
/// </summary>
internal static class CheckCommand
{
    public static Command Create(SharedOptions shared, Surroundings surroundings)
    {
        var files = new Argument<string[]>("FILE")
        {
            Description = "Cases (objects with \"database\" and \"block\"), JSON with hex blocks, lines of hex, or one packed block. - reads standard input.",
            Arity = ArgumentArity.OneOrMore,
        };
        var command = new Command("check", "Say of each block or case in files whether it is valid, and why not. Needs no running node and keeps nothing.") { files };
        command.SetAction(async (parsed, stop) =>
        {
            var terminal = surroundings.Terminal;
            var verdicts = new List<CheckedBlock>();
            foreach (var file in parsed.GetValue(files)!)
                verdicts.AddRange(Check(await BlockFiles.ReadBytesAsync(file, stop).ConfigureAwait(false), file));
            if (parsed.GetValue(shared.Json))
            {
                terminal.Json((IReadOnlyList<CheckedBlock>)verdicts, HostJson.Default.IReadOnlyListCheckedBlock);
                return CommandLine.Done;
            }
            terminal.Table(["case", "chain", ">no", "valid", "why", "type", "hash"], verdicts.Select(verdict => (IReadOnlyList<string>)
            [
                Terminal.Clean(verdict.Case), NodeCommands.Short(verdict.PublicKey), verdict.Sequence.ToString(CultureInfo.InvariantCulture),
                verdict.Valid ? "yes" : "NO", verdict.Reason, Terminal.Clean(verdict.Type), verdict.Hash[..Math.Min(12, verdict.Hash.Length)],
            ]));
            terminal.Say();
            terminal.Say(string.Create(CultureInfo.InvariantCulture,
                $"{Words.Count(verdicts.Count, "case")}: {verdicts.Count(v => v.Valid)} valid, {verdicts.Count(v => !v.Valid)} not."));
            return CommandLine.Done;
        });
        return command;
    }

    /// <summary>Judges what a file holds.</summary>
    public static IReadOnlyList<CheckedBlock> Check(byte[] content, string file)
    {
        var validator = new BlockValidator(Ed25519Signatures.Instance);
        var name = Path.GetFileName(file);
        // One block as it goes over the wire; text never begins like a key and measures like a block.
        if (HalfBlock.TryUnpack(content, out var single)) return [Judge(validator, new MemoryBlockStore(), name, name, content, single)];
        var text = Encoding.UTF8.GetString(content);
        if (Cases(text, file) is { } cases) return [.. cases.Select(entry => JudgeCase(validator, name, entry))];
        var together = new MemoryBlockStore();
        var number = 0;
        return
        [
            .. BlockFiles.CollectNamed(text, file).Select(entry =>
            {
                number++;
                var title = entry.Name ?? string.Create(CultureInfo.InvariantCulture, $"block {number}");
                return Judge(validator, together, name, title, entry.Packed, HalfBlock.TryUnpack(entry.Packed, out var block) ? block : null);
            }),
        ];
    }

    /// <summary>The cases of a file in which each has a database of its own; null for any other file.</summary>
    private static List<GoldenCase>? Cases(string text, string file)
    {
        if (!text.AsSpan().TrimStart().StartsWith("{")) return null;
        try
        {
            using var json = JsonDocument.Parse(text);
            if (!json.RootElement.TryGetProperty("cases", out var cases) || cases.ValueKind != JsonValueKind.Array) return null;
            var found = new List<GoldenCase>();
            foreach (var entry in cases.EnumerateArray())
            {
                if (entry.ValueKind != JsonValueKind.Object || !entry.TryGetProperty("block", out var block) || block.ValueKind != JsonValueKind.String) return null;
                List<byte[]> database = [];
                if (entry.TryGetProperty("database", out var held) && held.ValueKind == JsonValueKind.Array)
                    foreach (var item in held.EnumerateArray()) database.Add(Hex(item, file));
                var title = entry.TryGetProperty("case", out var given) && given.ValueKind == JsonValueKind.String ? given.GetString()! : "case";
                found.Add(new GoldenCase(title, database, Hex(block, file)));
            }
            return found;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static byte[] Hex(JsonElement element, string file)
    {
        var hex = element.ValueKind == JsonValueKind.String ? element.GetString()! : "";
        if (hex.Length % 2 == 0 && hex.All(char.IsAsciiHexDigit)) return Convert.FromHexString(hex);
        throw new OperationRefusedException(RefusalKind.BadInput, $"A block in {file} is no hex.");
    }

    private static CheckedBlock JudgeCase(BlockValidator validator, string file, GoldenCase golden)
    {
        var store = new MemoryBlockStore();
        foreach (var held in golden.Database)
            if (HalfBlock.TryUnpack(held, out var known)) store.Add(known);
        return Judge(validator, store, file, golden.Title, golden.Block, HalfBlock.TryUnpack(golden.Block, out var block) ? block : null);
    }

    private static CheckedBlock Judge(BlockValidator validator, MemoryBlockStore store, string file, string title, byte[] packed, HalfBlock? block)
    {
        if (block is null)
            return new(file, title, "", 0, "", Hash256.Of(packed).ToString(), false, "unreadable", "these bytes are no block: too short, too long, or lengths that do not add up", null);
        var verdict = validator.Validate(block, store);
        if (!verdict.IsInvalid) store.Add(block);
        return new(file, title, Convert.ToHexStringLower(block.PublicKey), block.Sequence, block.TypeText, block.Hash.ToString(), !verdict.IsInvalid,
            JsonNamingPolicy.KebabCaseLower.ConvertName(verdict.Level.ToString()), verdict.Reason,
            verdict.Fraud is { } fraud ? JsonNamingPolicy.KebabCaseLower.ConvertName(fraud.Kind.ToString()) : null);
    }

    private sealed record GoldenCase(string Title, List<byte[]> Database, byte[] Block);
}

/// <summary>A verdict of polder chain check as scripts read it.</summary>
/// <param name="File">Name of the file.</param>
/// <param name="Case">What the file calls it.</param>
/// <param name="PublicKey">The signer in hex; empty when the bytes are no block.</param>
/// <param name="Sequence">Its number.</param>
/// <param name="Type">The block's type.</param>
/// <param name="Hash">Of the packed bytes.</param>
/// <param name="Valid">Whether a node would keep it.</param>
/// <param name="Level">valid, partial-next, partial-previous, partial, no-info, invalid or unreadable.</param>
/// <param name="Reason">In words.</param>
/// <param name="Fraud">double-sign or double-countersign, when it proves one.</param>
internal sealed record CheckedBlock(
    string File, string Case, string PublicKey, uint Sequence, string Type, string Hash, bool Valid, string Level, string Reason, string? Fraud);
