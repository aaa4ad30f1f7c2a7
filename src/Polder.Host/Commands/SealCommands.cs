using System.CommandLine;
using Polder.Host.Api;
using Polder.Node.Folders;
using Polder.Node.Operations;

namespace Polder.Host.Commands;

/// <summary>polder id seal, polder id unseal: the key file under a passphrase, or plain again.</summary>
internal static class SealCommands
{
    private static string? PassphraseOfEnvironment => Environment.GetEnvironmentVariable("POLDER_PASSPHRASE") is { Length: > 0 } given ? given : null;

    public static Command Seal(SharedOptions shared, Surroundings surroundings)
    {
        var command = new Command("seal", "Put my key file under a passphrase: from then on it is wanted at every start.");
        command.SetAction(parsed =>
        {
            var terminal = surroundings.Terminal;
            var path = KeyPath(shared.FolderOf(parsed));
            var view = new SealView(path, IsSealed: true);
            if (KeyFile.IsSealed(path))
                throw new OperationRefusedException(RefusalKind.Conflict, $"{path} is sealed already. For another passphrase: polder id unseal, then polder id seal.");
            using (KeyFile.Read(path)) { }
            var passphrase = PassphraseOfEnvironment ?? terminal.AskTwice("Passphrase for the key:");
            KeyFile.Reseal(path, null, passphrase);
            return Answer(terminal, parsed.GetValue(shared.Json), view,
                $"{path} is sealed. The passphrase is wanted at every start: type it, or give it in POLDER_PASSPHRASE. Nobody can restore it for you.");
        });
        return command;
    }

    public static Command Unseal(SharedOptions shared, Surroundings surroundings)
    {
        var command = new Command("unseal", "Take the passphrase off my key file: whoever can read the file then has the key.");
        command.SetAction(parsed =>
        {
            var terminal = surroundings.Terminal;
            var path = KeyPath(shared.FolderOf(parsed));
            if (!KeyFile.IsSealed(path))
            {
                using (KeyFile.Read(path)) { }
                throw new OperationRefusedException(RefusalKind.Conflict, $"{path} is not sealed.");
            }
            var passphrase = PassphraseOfEnvironment
                ?? (terminal.CanAsk ? terminal.AskSecret($"Passphrase of {path}:") : throw new OperationRefusedException(RefusalKind.BadInput, "There is no terminal to ask on. Give the passphrase in POLDER_PASSPHRASE."));
            KeyFile.Reseal(path, passphrase, null);
            return Answer(terminal, parsed.GetValue(shared.Json), new SealView(path, IsSealed: false),
                $"{path} is no longer sealed: only its mode keeps others from reading it. To seal it: polder id seal.");
        });
        return command;
    }

    private static int Answer(Terminal terminal, bool json, SealView view, string words)
    {
        if (json) terminal.Json(view, HostJson.Default.SealView);
        else terminal.Say(words);
        return CommandLine.Done;
    }

    private static string KeyPath(string folder)
    {
        if (DataFolder.Look(folder)?.KeyPath is { } path && File.Exists(path)) return path;
        throw new OperationRefusedException(RefusalKind.NotFound, $"There is no identity in {folder} yet: polder run makes one.");
    }
}

/// <summary>What became of the key file.</summary>
internal sealed record SealView(string File, bool IsSealed);
