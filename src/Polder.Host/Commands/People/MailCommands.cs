using System.CommandLine;
using System.Globalization;
using Polder.Host.Api;
using Polder.Node.Operations;
using Polder.Node.Operations.People;

namespace Polder.Host.Commands.People;

/// <summary>polder bundle and polder mailbag: letters that wait, travel with others, or go on a stick.</summary>
internal static class MailCommands
{
    public static Command Bundle(SharedOptions shared, Surroundings surroundings)
    {
        var file = new Argument<string>("FILE") { Description = "The file." };
        return new Command("bundle", "Letters, contact cards, ledger blocks and addresses in one sealed and signed file, to be carried by hand.")
        {
            Export(shared, surroundings, file), Import(shared, surroundings, file),
        };
    }

    public static Command Mailbag(SharedOptions shared, Surroundings surroundings)
    {
        var command = new Command("mailbag", "Where my letters are: only here, waiting with friends, delivered, seen; and what I carry for others.");
        surroundings.Ask(command, shared, async (node, _, json, stop) =>
        {
            var bag = await node.Mail.LookAsync(stop).ConfigureAwait(false);
            var terminal = surroundings.Terminal;
            if (json)
            {
                terminal.Json(bag, HostJson.Default.MailbagView);
                return CommandLine.Done;
            }
            if (bag.Waiting.Count == 0) terminal.Say("No letter of yours waits.");
            else Letters(terminal, bag.Waiting, bag.WaitingCount);
            if (bag.Recent.Count > 0)
            {
                terminal.Say("");
                Letters(terminal, bag.Recent, bag.Recent.Count);
            }
            terminal.Say("");
            terminal.Say(bag.CarriedLetters == 0 ? "Nothing is carried for others."
                : $"Carried for others: {Words.Count(bag.CarriedLetters, "letter")}, {Size(bag.CarriedBytes)} of {Size(bag.Settings.CarriedMax)}.");
            if (bag.Carried.Count > 0)
                terminal.Table(["given by", "", ">letters", ">takes", ">of"], bag.Carried.Select(deposit => (IReadOnlyList<string>)
                    [deposit.From.Name, deposit.IsFriend ? "friend" : "stranger", deposit.Letters.ToString(CultureInfo.InvariantCulture), Size(deposit.Bytes), Size(deposit.BytesMax)]));
            return CommandLine.Done;
        });
        return command;
    }

    private static void Letters(Terminal terminal, IReadOnlyList<MailLetterView> letters, int count)
    {
        terminal.Table(["to", "what", "written", "where"], letters.Select(letter => (IReadOnlyList<string>)
            [letter.To.Name, letter.Kind, letter.Made.UtcDateTime.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture), letter.Where]));
        if (count > letters.Count) terminal.Say($"and {Words.Count(count - letters.Count, "more letter")}.");
    }

    private static Command Export(SharedOptions shared, Surroundings surroundings, Argument<string> file)
    {
        var receiver = new Option<string?>("--for") { Description = "Everything for this person, sealed for it alone. Without: everything that may be carried, for whoever carries letters.", HelpName = "NAME" };
        var addresses = new Option<bool>("--addresses") { Description = "Only addresses of nodes, for a first contact, as older programs read them." };
        var command = new Command("export", "Write a bundle. What is in it goes on waiting here, too.") { file, receiver, addresses };
        surroundings.Ask(command, shared, async (node, parsed, json, stop) =>
        {
            var path = Path.GetFullPath(parsed.GetValue(file)!);
            var name = Path.GetFileName(path);
            if (parsed.GetValue(addresses) && parsed.GetValue(receiver) is not null) throw new OperationRefusedException(RefusalKind.BadInput, "Either --for NAME or --addresses, not both.");
            var made = await WriteAsync(path, async to =>
            {
                if (!parsed.GetValue(addresses)) return await node.Mail.ExportAsync(parsed.GetValue(receiver), to, stop).ConfigureAwait(false);
                var peers = await node.Network.ExportPeersAsync(stop).ConfigureAwait(false);
                await to.WriteAsync(peers, stop).ConfigureAwait(false);
                return new BundleMadeView(null, 0, 0, 0, false, peers.Length);
            }, stop).ConfigureAwait(false);
            if (json)
            {
                surroundings.Terminal.Json(made, HostJson.Default.BundleMadeView);
                return CommandLine.Done;
            }
            var parts = new List<string>();
            if (made.Letters > 0) parts.Add(Words.Count(made.Letters, "letter"));
            if (made.HasCard) parts.Add("your contact card");
            if (made.Blocks > 0) parts.Add(Words.Count(made.Blocks, "block"));
            if (made.Addresses > 0) parts.Add(Words.Count(made.Addresses, "address", "addresses"));
            surroundings.Terminal.Say($"{Terminal.Clean(path)}: {(parts.Count == 0 ? Words.Count((int)made.Count, "byte") : string.Join(", ", parts))}"
                + $"{(made.For is { } one ? $", sealed for {Terminal.Clean(one.Name)}" : "")}. On the other machine: polder bundle import {Terminal.Clean(name)}");
            return CommandLine.Done;
        });
        return command;
    }

    private static Command Import(SharedOptions shared, Surroundings surroundings, Argument<string> file)
    {
        var command = new Command("import", "Take what a bundle brings; the same one again changes nothing. Files of addresses are taken, too.") { file };
        surroundings.Ask(command, shared, async (node, parsed, json, stop) =>
        {
            var path = Path.GetFullPath(parsed.GetValue(file)!);
            BundleTakenView taken;
            try
            {
                if (new FileInfo(path) is { Exists: true, Length: > IMailOperations.BundleBytesMax })
                    throw new OperationRefusedException(RefusalKind.BadInput, $"{path} is no bundle: it has more than {IMailOperations.BundleBytesMax >> 20} MB.");
                var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 64 * 1024, FileOptions.Asynchronous);
                await using (stream.ConfigureAwait(false)) taken = await node.Mail.ImportAsync(stream, stop).ConfigureAwait(false);
            }
            catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
            {
                throw new OperationRefusedException(RefusalKind.BadInput, $"{path} cannot be read: {problem.Message}");
            }
            var terminal = surroundings.Terminal;
            if (json) terminal.Json(taken, HostJson.Default.BundleTakenView);
            else
            {
                terminal.Say(Terminal.Clean(taken.Words));
                if (taken is { From: { } from, IsContact: false }) terminal.Say($"{from.Name} is no contact of yours. Made sure who it is? polder contact add {from.PublicKey}");
            }
            return CommandLine.Done;
        });
        return command;
    }

    /// <summary>Written beside the file and put in its place when whole: a crash leaves the old one or none.</summary>
    private static async Task<T> WriteAsync<T>(string path, Func<Stream, Task<T>> write, CancellationToken stop)
    {
        var temporary = path + ".new";
        try
        {
            T result;
            var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, Options = FileOptions.Asynchronous };
            if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            var stream = new FileStream(temporary, options);
            await using (stream.ConfigureAwait(false))
            {
                result = await write(stream).ConfigureAwait(false);
                await stream.FlushAsync(stop).ConfigureAwait(false);
                stream.Flush(flushToDisk: true);
            }
            File.Move(temporary, path, overwrite: true);
            return result;
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new OperationRefusedException(RefusalKind.BadInput, $"{path} cannot be written: {problem.Message}");
        }
        finally
        {
            try { File.Delete(temporary); }
            catch (Exception problem) when (problem is IOException or UnauthorizedAccessException) { }
        }
    }

    private static string Size(long bytes) => bytes switch
    {
        >= 1 << 20 => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1 << 20):0.#} MB"),
        >= 1 << 10 => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1 << 10):0.#} KB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes} B"),
    };
}
