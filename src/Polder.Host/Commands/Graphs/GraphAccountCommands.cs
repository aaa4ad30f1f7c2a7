using System.CommandLine;
using Polder.Host.Api;
using Polder.Node.Operations;
using Polder.Node.Operations.People;

namespace Polder.Host.Commands.Graphs;

/// <summary>polder graph account: accounts by alias and passphrase, as gun.js applications have them.</summary>
internal static class GraphAccountCommands
{
    public static Command Account(SharedOptions shared, Surroundings surroundings) =>
        new("account", "Accounts by alias and passphrase, for gun.js applications.") { Create(shared, surroundings), Login(shared, surroundings), Change(shared, surroundings), Shares(shared, surroundings), Recover(shared, surroundings) };

    /// <summary>Asks for an account's passphrase, or takes it from the environment.</summary>
    public static string Passphrase(Terminal terminal, string alias, string variable = GraphCommands.PassphraseVariable, string what = "Passphrase") =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } given ? given
        : terminal.CanAsk ? terminal.AskSecret($"{what} of {Terminal.Clean(alias)}:")
        : throw new OperationRefusedException(RefusalKind.BadInput, $"The passphrase is asked for in a terminal, or taken from {variable}.");

    private static Command Create(SharedOptions shared, Surroundings surroundings)
    {
        var alias = new Argument<string>("ALIAS") { Description = "A name; others may have the same." };
        var command = new Command("create", "Make an account. Nobody can reset its passphrase.") { alias };
        surroundings.Ask(command, shared, async (node, parsed, json, stop) =>
        {
            var name = parsed.GetValue(alias)!;
            return Say(surroundings.Terminal, json, await node.Graph.CreateAccountAsync(new GraphAccountRequest(name, Passphrase(surroundings.Terminal, name)), stop).ConfigureAwait(false), "Made");
        });
        return command;
    }

    private static Command Login(SharedOptions shared, Surroundings surroundings)
    {
        var alias = new Argument<string>("ALIAS") { Description = "The account." };
        var command = new Command("login", "Check that a passphrase opens an account on this node.") { alias };
        surroundings.Ask(command, shared, async (node, parsed, json, stop) =>
        {
            var name = parsed.GetValue(alias)!;
            return Say(surroundings.Terminal, json, await node.Graph.OpenAccountAsync(new GraphAccountRequest(name, Passphrase(surroundings.Terminal, name)), stop).ConfigureAwait(false), "Opened");
        });
        return command;
    }

    private static Command Change(SharedOptions shared, Surroundings surroundings)
    {
        var alias = new Argument<string>("ALIAS") { Description = "The account." };
        var command = new Command("passphrase", $"Change the passphrase; the keys stay. A script gives the new one in {GraphCommands.NewPassphraseVariable}.") { alias };
        surroundings.Ask(command, shared, async (node, parsed, json, stop) =>
        {
            var name = parsed.GetValue(alias)!;
            var old = Passphrase(surroundings.Terminal, name);
            var changed = Passphrase(surroundings.Terminal, name, GraphCommands.NewPassphraseVariable, "New passphrase");
            return Say(surroundings.Terminal, json, await node.Graph.OpenAccountAsync(new GraphAccountRequest(name, old, changed), stop).ConfigureAwait(false), "Changed the passphrase of");
        });
        return command;
    }

    private static Command Shares(SharedOptions shared, Surroundings surroundings)
    {
        var alias = new Argument<string>("ALIAS") { Description = "The account." };
        var need = new Option<int>("--need") { Description = "How many shares open the account.", HelpName = "M", Required = true };
        var of = new Option<int>("--of") { Description = "How many are made: one for each helper.", HelpName = "N", Required = true };
        var command = new Command("shares", "Prepare for a lost passphrase: N shares for N people, any M of which open the account. They are shown once; earlier ones lose their worth.") { alias, need, of };
        surroundings.Ask(command, shared, async (node, parsed, json, stop) =>
        {
            var (terminal, name) = (surroundings.Terminal, parsed.GetValue(alias)!);
            var made = await node.Graph.MakeSharesAsync(new GraphSharesRequest(name, Passphrase(terminal, name), parsed.GetValue(need), parsed.GetValue(of)), stop).ConfigureAwait(false);
            if (json)
            {
                terminal.Json(made, HostJson.Default.GraphSharesView);
                return CommandLine.Done;
            }
            foreach (var share in made.Shares) terminal.Say(share);
            terminal.Say(terminal.Faint($"Give each to another person, face to face or by a way that nobody else reads. Any {made.Needed} of them together open the account {Terminal.Clean(name)}; fewer say nothing about it."));
            return CommandLine.Done;
        });
        return command;
    }

    private static Command Recover(SharedOptions shared, Surroundings surroundings)
    {
        var alias = new Argument<string>("ALIAS") { Description = "The account, or \"~\" and its public key." };
        var shares = new Argument<string[]>("SHARE") { Description = "Shares that your helpers gave back.", Arity = ArgumentArity.OneOrMore };
        var command = new Command("recover", $"Open an account by shares and give it a new passphrase, in scripts from {GraphCommands.NewPassphraseVariable}.") { alias, shares };
        surroundings.Ask(command, shared, async (node, parsed, json, stop) =>
        {
            var name = parsed.GetValue(alias)!;
            var changed = Passphrase(surroundings.Terminal, name, GraphCommands.NewPassphraseVariable, "New passphrase");
            return Say(surroundings.Terminal, json, await node.Graph.RecoverAsync(new GraphRecoveryRequest(name, parsed.GetValue(shares)!, changed), stop).ConfigureAwait(false), "Recovered");
        });
        return command;
    }

    private static int Say(Terminal terminal, bool json, GraphAccountView account, string done)
    {
        if (json) terminal.Json(account, HostJson.Default.GraphAccountView);
        else terminal.Say($"{done} {terminal.Strong(Terminal.Clean(account.Alias))}, {account.Soul}");
        return CommandLine.Done;
    }
}
