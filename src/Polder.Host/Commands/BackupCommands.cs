using System.CommandLine;
using System.Globalization;
using Polder.Host.Api;
using Polder.Node.Backups;
using Polder.Node.Folders;
using Polder.Node.Operations;

namespace Polder.Host.Commands;

/// <summary>polder backup, polder restore.</summary>
internal static class BackupCommands
{
    private static string? PassphraseOfEnvironment => Environment.GetEnvironmentVariable("POLDER_PASSPHRASE") is { Length: > 0 } given ? given : null;

    public static Command Backup(SharedOptions shared, Surroundings surroundings)
    {
        var file = new Argument<string>("FILE") { Description = "Where to. A backup that is there already is replaced, any other file is not." };
        var seal = new Option<bool>("--seal") { Description = "Ask for a passphrase and seal the key in the backup with it. POLDER_PASSPHRASE does the same without asking." };
        var command = new Command("backup", "My identity and my records in one file. The node may run on meanwhile.") { file, seal };
        command.SetAction(async (parsed, stop) =>
        {
            var (terminal, folder, path) = (surroundings.Terminal, shared.FolderOf(parsed), parsed.GetValue(file)!);
            if (DataFolder.Look(folder) is null)
                throw new OperationRefusedException(RefusalKind.NotFound, $"There is no node in {folder}. Name its folder: --data DIR.");
            if (Directory.Exists(path)) throw new OperationRefusedException(RefusalKind.BadInput, $"{path} is a folder. Name a file in it.");
            if (IsForeign(path)) throw new OperationRefusedException(RefusalKind.Conflict, $"{path} exists and is no backup of Polder. Choose another name, or move it away.");
            var passphrase = parsed.GetValue(seal) ? terminal.AskTwice("Passphrase for the key in the backup:") : PassphraseOfEnvironment;
            var report = await terminal.WaitAsync("Writing the backup", say => Node.Backups.Backup.WriteAsync(folder, path, passphrase, Progress(say, "Writing the backup"), stop)).ConfigureAwait(false);
            return Show(terminal, parsed.GetValue(shared.Json), report, path, folder, $"{path} holds the node {report.Owner.ShortName}");
        });
        return command;
    }

    public static Command Restore(SharedOptions shared, Surroundings surroundings)
    {
        var file = new Argument<string>("FILE") { Description = "The backup." };
        var command = new Command("restore", "Put a backup into an empty data folder. The node signs nothing until its peers have shown what came after.") { file };
        command.SetAction(async (parsed, stop) =>
        {
            var (terminal, folder, path) = (surroundings.Terminal, shared.FolderOf(parsed), parsed.GetValue(file)!);
            if (!File.Exists(path)) throw new OperationRefusedException(RefusalKind.NotFound, $"There is no file {path}.");
            var report = await terminal.WaitAsync("Restoring", say => Node.Backups.Backup.RestoreAsync(path, folder, PassphraseOfEnvironment, Progress(say, "Restoring"), stop)).ConfigureAwait(false);
            return Show(terminal, parsed.GetValue(shared.Json), report, path, folder, $"{folder} holds the node {report.Owner.ShortName}");
        });
        return command;
    }

    private static int Show(Terminal terminal, bool json, BackupReport report, string path, string folder, string words)
    {
        if (json)
        {
            terminal.Json(new BackupView(Path.GetFullPath(path), folder, report.Owner.ToString(), report.Owner.ShortName, report.Blocks, report.BlocksOwn,
                report.Frauds, report.Bytes, report.KeyIsSealed, report.MadeAt, report.Advice), HostJson.Default.BackupView);
            return CommandLine.Done;
        }
        terminal.Say(string.Create(CultureInfo.InvariantCulture,
            $"{words}: {Words.Count(report.BlocksOwn, "block")} of its own, {report.Blocks} in all, {Amounts.Format(report.Bytes, Amounts.Bytes)}, made {report.MadeAt.UtcDateTime:yyyy-MM-dd HH:mm} UTC."));
        foreach (var advice in report.Advice) terminal.Say(advice);
        return CommandLine.Done;
    }

    private static bool IsForeign(string path)
    {
        var file = new FileInfo(path);
        if (!file.Exists || file.Length == 0) return false;
        using var stream = file.OpenRead();
        Span<byte> start = stackalloc byte[6];
        return stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false) < start.Length || !start.SequenceEqual("POLDER"u8);
    }

    private static Report Progress(Action<string> say, string words) => new(blocks => say(string.Create(CultureInfo.InvariantCulture, $"{words}: {blocks} blocks")));

    private sealed class Report(Action<long> report) : IProgress<long>
    {
        void IProgress<long>.Report(long value) => report(value);
    }
}

/// <summary>A backup as scripts read it.</summary>
internal sealed record BackupView(
    string File, string Data, string PublicKey, string Name, long Blocks, long BlocksOwn, int Frauds, long Bytes, bool KeyIsSealed,
    DateTimeOffset MadeAt, IReadOnlyList<string> Advice);
