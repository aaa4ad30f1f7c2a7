using System.CommandLine;
using Polder.Host.Api;
using Polder.Host.Commands.Graphs;
using Polder.Host.Commands.Worlds;
using Polder.Host.Commands.Network;
using Polder.Host.Commands.People;
using Polder.Host.Commands.Records;
using Polder.Node;
using Polder.Node.Folders;
using Polder.Node.Operations;

namespace Polder.Host.Commands;

/// <summary>The program as people type it: parses, runs one command, and turns every failure into one sentence and an exit code.</summary>
internal static class CommandLine
{
    /// <summary>Exit codes of every command (docs/cli.md).</summary>
    public const int Done = 0, OurFailure = 1, BadInput = 2, NotFound = 3, Conflict = 4, Unavailable = 5, Interrupted = 130;

    /// <summary>Runs the program.</summary>
    public static async Task<int> RunAsync(IReadOnlyList<string> arguments, Surroundings surroundings, CancellationToken cancellation = default)
    {
        var terminal = surroundings.Terminal;
        try
        {
            var parsed = ChatCommands.ReadWords(Build(surroundings), root => root.Parse(arguments, new ParserConfiguration { EnablePosixBundling = false, ResponseFileTokenReplacer = null }));
            // Help and version win over whatever else is wrong in the line.
            if (parsed.Errors.Count > 0 && parsed.Action is not { ClearsParseErrors: true })
            {
                if (arguments.Count == 0) return HelpPages.WriteOverview(terminal);
                terminal.Problem(Complaints.About(parsed));
                return BadInput;
            }
            return await parsed.InvokeAsync(new InvocationConfiguration
            {
                EnableDefaultExceptionHandler = false, Output = terminal.Output, Error = terminal.Error,
                // `polder run` stops cleanly by itself; others have nothing to save.
                ProcessTerminationTimeout = null,
            }, cancellation).ConfigureAwait(false);
        }
        catch (OperationRefusedException refusal)
        {
            terminal.Problem(Terminal.Clean(refusal.Message));
            return CodeOf(refusal.Kind);
        }
        catch (NodeStartException problem)
        {
            terminal.Problem(Terminal.Clean(problem.Message));
            return Conflict;
        }
        catch (NodeFaultException problem)
        {
            terminal.Problem(Terminal.Clean(problem.Message));
            return OurFailure;
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            return Interrupted;
        }
        catch (Polder.Cryptography.SodiumMissingException problem)
        {
            terminal.Problem(problem.Message);
            return OurFailure;
        }
        catch (Exception problem) when (problem is IOException { Message: not null } and not FileNotFoundException && IsBrokenPipe(problem))
        {
            // Whoever read our output has enough ("polder chain | head").
            return Done;
        }
        catch (Exception problem)
        {
            var file = CrashReport.Write(problem, arguments.Count > 0 ? "polder " + arguments[0] : "polder");
            terminal.Problem($"This is a fault of the program, not yours. What happened is in {file}; please send it to the authors.");
            return OurFailure;
        }
    }

    /// <summary>The exit code of a refusal.</summary>
    public static int CodeOf(RefusalKind kind) => kind switch
    {
        RefusalKind.BadInput => BadInput,
        RefusalKind.NotFound => NotFound,
        RefusalKind.Conflict => Conflict,
        _ => Unavailable,
    };

    /// <summary>The whole tree of commands.</summary>
    public static RootCommand Build(Surroundings surroundings)
    {
        var root = new RootCommand("Polder: a node that meets peers with nobody in the middle, signs records of help with them, and shows whom to trust.");
        var shared = new SharedOptions();
        root.Options.Add(shared.Data);
        root.Options.Add(shared.Json);
        foreach (var option in root.Options)
            if (option is System.CommandLine.Help.HelpOption help) help.Action = new HelpPages(surroundings.Terminal);

        foreach (var command in (Command[])
        [
            ParcelCommands.Send(shared, surroundings), ParcelCommands.Receive(shared, surroundings),
            RunCommand.Create(shared, surroundings), LabCommand.Create(shared, surroundings), ConfigCommand.Create(shared, surroundings),
            NodeCommands.Id(shared, surroundings), NodeCommands.Peers(shared, surroundings),
            DoctorCommands.Doctor(shared, surroundings), DoctorCommands.Connect(shared, surroundings),
            InvitationCommands.Invite(shared, surroundings), InvitationCommands.Join(shared, surroundings),
            ContactCommands.Contact(shared, surroundings), ContactCommands.Contacts(shared, surroundings),
            MailCommands.Bundle(shared, surroundings), MailCommands.Mailbag(shared, surroundings),
            ChatCommands.Chat(shared, surroundings),
            TagCommands.Tag(shared, surroundings), GraphCommands.Graph(shared, surroundings), DhtCommands.Dht(shared, surroundings),
            RecordCommands.Record(shared, surroundings), RecordCommands.Inbox(shared, surroundings),
            ChainCommands.Chain(shared, surroundings), ChainCommands.Block(shared, surroundings), CrawlCommands.Crawl(shared, surroundings),
            LedgerCommands.Ledger(shared, surroundings),
            TrustCommands.Trust(shared, surroundings), FraudCommands.Fraud(shared, surroundings),
            BackupCommands.Backup(shared, surroundings), BackupCommands.Restore(shared, surroundings),
            LaboratoryCommands.Sim(shared, surroundings), LaboratoryCommands.Bench(shared, surroundings),
        ])
        {
            root.Subcommands.Add(command);
        }
        return root;
    }

    private static bool IsBrokenPipe(Exception problem) => problem is IOException && problem.HResult == 32;
}

/// <summary>Options that work everywhere.</summary>
internal sealed class SharedOptions
{
    /// <summary>--data DIR.</summary>
    public Option<string?> Data { get; } = new("--data")
    {
        Description = "The node's data folder. Default: $XDG_DATA_HOME/polder, else ~/.local/share/polder.", HelpName = "DIR", Recursive = true,
    };

    /// <summary>--json.</summary>
    public Option<bool> Json { get; } = new("--json") { Description = "Answer in JSON, for scripts.", Recursive = true };

    /// <summary>The data folder that this call means.</summary>
    public string FolderOf(ParseResult parsed) => Path.GetFullPath(parsed.GetValue(Data) is { Length: > 0 } folder ? folder : DataFolder.DefaultPath);
}

/// <summary>What a command works with. Tests put their own in.</summary>
/// <param name="Terminal">Where it speaks.</param>
/// <param name="OpenNode">The node of a data folder: the running one behind its API, or the folder at rest.</param>
internal sealed record Surroundings(Terminal Terminal, Func<string, CancellationToken, Task<INodeOperations>> OpenNode)
{
    /// <summary>Those of the process.</summary>
    public static Surroundings OfProcess() => new(Terminal.OfProcess(), NodeAccess.OpenAsync);

    /// <summary>Makes a command that asks a node something and shows the answer.</summary>
    public void Ask(Command command, SharedOptions shared, Func<INodeOperations, ParseResult, bool, CancellationToken, Task<int>> answer) =>
        command.SetAction(async (parsed, stop) =>
        {
            var folder = shared.FolderOf(parsed);
            var node = await OpenNode(folder, stop).ConfigureAwait(false);
            try
            {
                return await answer(node, parsed, parsed.GetValue(shared.Json), stop).ConfigureAwait(false);
            }
            finally
            {
                if (node is IAsyncDisposable later) await later.DisposeAsync().ConfigureAwait(false);
                else (node as IDisposable)?.Dispose();
            }
        });
}
