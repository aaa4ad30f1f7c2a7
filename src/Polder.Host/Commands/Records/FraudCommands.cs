using System.CommandLine;
using System.Globalization;
using Polder.Host.Api;
using Polder.Ledger.Fraud;
using Polder.Node.Operations;

namespace Polder.Host.Commands.Records;

/// <summary>polder fraud: list, export, check, import.</summary>
internal static class FraudCommands
{
    public static Command Fraud(SharedOptions shared, Surroundings surroundings)
    {
        var command = new Command("fraud", "Proven frauds: somebody signed two different blocks where only one may be. Each is a file that anybody can check.");
        surroundings.Ask(command, shared, (node, _, json, stop) => ListAsync(surroundings.Terminal, node, json, stop));
        var list = new Command("list", "Those that this node knows.");
        surroundings.Ask(list, shared, (node, _, json, stop) => ListAsync(surroundings.Terminal, node, json, stop));
        command.Subcommands.Add(list);
        command.Subcommands.Add(Export(shared, surroundings));
        command.Subcommands.Add(Check(shared, surroundings));
        command.Subcommands.Add(Import(shared, surroundings));
        return command;
    }

    private static async Task<int> ListAsync(Terminal terminal, INodeOperations node, bool json, CancellationToken stop)
    {
        var frauds = await node.FraudsAsync(stop).ConfigureAwait(false);
        if (json) terminal.Json(frauds, HostJson.Default.IReadOnlyListFraudView);
        else if (frauds.Count == 0) terminal.Say("No fraud is known.");
        else
        {
            foreach (var fraud in frauds)
            {
                terminal.Say(string.Create(CultureInfo.InvariantCulture,
                    $"{terminal.Strong(fraud.Culprit.Name)} {(fraud.Kind == "double-sign" ? $"signed two different blocks with the number {fraud.First.Sequence}" : $"agreed twice to one proposal ({fraud.Kind})")}:"));
                terminal.Say($"  {fraud.First.Hash}  {Terminal.Clean(fraud.First.Summary)}");
                terminal.Say($"  {fraud.Second.Hash}  {Terminal.Clean(fraud.Second.Summary)}");
            }
            terminal.Say();
            terminal.Say("Look at either: polder block HASH. Give the proof to others: polder fraud export PEER FILE");
        }
        return CommandLine.Done;
    }

    private static Command Export(SharedOptions shared, Surroundings surroundings)
    {
        var peer = new Argument<string>("PEER") { Description = "Whose fraud: a short name, a public key, or the beginning of one." };
        var file = new Argument<string>("FILE") { Description = "Where to; - writes to standard output." };
        var command = new Command("export", "Write the proof against a peer into a file that anybody can check, without a node and offline.") { peer, file };
        surroundings.Ask(command, shared, async (node, parsed, json, stop) =>
        {
            var terminal = surroundings.Terminal;
            var document = await node.Fraud.ExportAsync(parsed.GetValue(peer)!, stop).ConfigureAwait(false);
            var path = parsed.GetValue(file)!;
            if (path == "-")
            {
                terminal.Output.Write(System.Text.Encoding.UTF8.GetString(document.Content));
                return CommandLine.Done;
            }
            try { await File.WriteAllBytesAsync(path, document.Content, stop).ConfigureAwait(false); }
            catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
            {
                throw new OperationRefusedException(RefusalKind.BadInput, $"{path} cannot be written: {problem.Message}");
            }
            if (json) terminal.Json(document with { FileName = Path.GetFullPath(path) }, HostJson.Default.FraudDocument);
            else terminal.Say($"The proof against {terminal.Strong(document.Culprit.Name)} is in {path} ({document.Content.Length.ToString(CultureInfo.InvariantCulture)} bytes). Anybody checks it: polder fraud check {path}");
            return CommandLine.Done;
        });
        return command;
    }

    private static Command Check(SharedOptions shared, Surroundings surroundings)
    {
        var file = new Argument<string>("FILE") { Description = "A proof of fraud. - reads standard input." };
        var command = new Command("check", "Check a proof of fraud by itself: no node is needed, nothing is kept. Exit code 0 when it proves a fraud, 2 when not.") { file };
        command.SetAction(async (parsed, stop) =>
        {
            var view = FraudViews.Check(await ReadAsync(parsed.GetValue(file)!, stop).ConfigureAwait(false));
            Show(surroundings.Terminal, view, parsed.GetValue(shared.Json));
            return view.Proven ? CommandLine.Done : CommandLine.BadInput;
        });
        return command;
    }

    private static Command Import(SharedOptions shared, Surroundings surroundings)
    {
        var file = new Argument<string>("FILE") { Description = "A proof of fraud. - reads standard input." };
        var command = new Command("import", "Check a proof of fraud and keep it: this node then refuses its author for good, and tells others.") { file };
        surroundings.Ask(command, shared, async (node, parsed, json, stop) =>
        {
            var view = await node.Fraud.ImportAsync(await ReadAsync(parsed.GetValue(file)!, stop).ConfigureAwait(false), stop).ConfigureAwait(false);
            Show(surroundings.Terminal, view, json);
            if (!json) surroundings.Terminal.Say(view.Known ? "It was known here before." : "It is kept, and goes to others.");
            return CommandLine.Done;
        });
        return command;
    }

    private static void Show(Terminal terminal, FraudCheckView view, bool json)
    {
        if (json)
        {
            terminal.Json(view, HostJson.Default.FraudCheckView);
            return;
        }
        if (view.Proven) terminal.Say(Terminal.Clean(view.Verdict));
        else terminal.Problem(Terminal.Clean(view.Verdict));
        if (view.Fraud is not { } fraud) return;
        terminal.Say();
        terminal.Say($"key  {fraud.Culprit.PublicKey}");
        terminal.Table(["", "one block", "the other"], fraud.Fields.Select(field => (IReadOnlyList<string>)
            [(field.Differs ? "≠ " : "  ") + field.Name, Cut(field.First), Cut(field.Second)]));
    }

    private static string Cut(string text) => text.Length <= 40 ? text : text[..39] + "…";

    private static async Task<byte[]> ReadAsync(string path, CancellationToken stop)
    {
        try
        {
            Stream stream = path == "-" ? Console.OpenStandardInput() : File.OpenRead(path);
            await using (stream.ConfigureAwait(false))
            {
                // One byte more than a proof may have tells that there is more.
                var buffer = new byte[FraudFile.BytesMax + 1];
                var length = await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, stop).ConfigureAwait(false);
                return buffer[..length];
            }
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new OperationRefusedException(problem is FileNotFoundException or DirectoryNotFoundException ? RefusalKind.NotFound : RefusalKind.BadInput,
                problem is FileNotFoundException or DirectoryNotFoundException ? $"There is no file {path}." : $"{path} cannot be read: {problem.Message}");
        }
    }
}
