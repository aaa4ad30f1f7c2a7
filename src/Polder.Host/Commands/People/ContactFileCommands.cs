using System.CommandLine;
using Polder.Apps.Contacts;
using Polder.Host.Api;
using Polder.Node.Operations;

namespace Polder.Host.Commands.People;

/// <summary>polder contact export and import.</summary>
internal static class ContactFileCommands
{
    public static Command Export(SharedOptions shared, Surroundings surroundings)
    {
        var file = new Argument<string>("FILE") { Description = "The file; - for the terminal." };
        var forOthers = new Option<bool>("--shared") { Description = "For somebody else: names and keys only, without notes, marks and blocked people." };
        var command = new Command("export", "Write all contacts into a signed file that people can read (JSON).") { file, forOthers };
        surroundings.Ask(command, shared, async (node, parsed, json, stop) =>
        {
            var bytes = await node.Contacts.ExportAsync(parsed.GetValue(forOthers), stop).ConfigureAwait(false);
            var (terminal, path) = (surroundings.Terminal, parsed.GetValue(file)!);
            if (path == "-")
            {
                terminal.Say(System.Text.Encoding.UTF8.GetString(bytes));
                return CommandLine.Done;
            }
            await WriteAsync(path, bytes, stop).ConfigureAwait(false);
            if (json) terminal.Json(new CountView(bytes.Length), HostJson.Default.CountView);
            else terminal.Say($"{Path.GetFullPath(path)}: {Words.Count(bytes.Length, "byte")}{(parsed.GetValue(forOthers) ? "" : ", your notes among them: keep it to yourself")}.");
            return CommandLine.Done;
        });
        return command;
    }

    public static Command Import(SharedOptions shared, Surroundings surroundings)
    {
        var file = new Argument<string>("FILE") { Description = "A file that polder contact export made." };
        var command = new Command("import", "Take in such a file. Nobody loses a name or a note, and the same file again changes nothing. Another's file only suggests people.") { file };
        surroundings.Ask(command, shared, async (node, parsed, json, stop) =>
        {
            var bytes = await ContactCommands.ReadAsync(parsed.GetValue(file)!, ContactFile.BytesMax, stop).ConfigureAwait(false);
            var result = await node.Contacts.ImportAsync(bytes, stop).ConfigureAwait(false);
            var terminal = surroundings.Terminal;
            if (json) terminal.Json(result, ContactJson.Default.ContactsImported);
            else
            {
                terminal.Say($"{result.Added} new, {result.Changed} changed, {result.Unchanged} as before.");
                if (!result.Own) terminal.Note($"This file was made by {Terminal.Clean(result.By.Name)}: those who are new are not verified.");
            }
            return CommandLine.Done;
        });
        return command;
    }

    internal static async Task WriteAsync(string file, byte[] bytes, CancellationToken stop)
    {
        var path = Path.GetFullPath(file);
        try { await File.WriteAllBytesAsync(path, bytes, stop).ConfigureAwait(false); }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new OperationRefusedException(RefusalKind.BadInput, $"{path} cannot be written: {problem.Message}");
        }
    }
}
