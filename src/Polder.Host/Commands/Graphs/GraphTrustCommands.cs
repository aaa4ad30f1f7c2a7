using System.CommandLine;
using Polder.Host.Api;
using Polder.Node.Operations.People;

namespace Polder.Host.Commands.Graphs;

/// <summary>polder graph trust: who knows whom under what name. An alias proves nothing; whom one knows does.</summary>
internal static class GraphTrustCommands
{
    public static Command Trust(SharedOptions shared, Surroundings surroundings) =>
        new("trust", "Names of accounts by the word of those whom one knows, since anybody may take any alias.") { Add(shared, surroundings), Remove(shared, surroundings), Find(shared, surroundings) };

    private static Command Add(SharedOptions shared, Surroundings surroundings)
    {
        var (key, name, alias) = (Key(), new Argument<string>("NAME") { Description = "Under what name you know it." }, As());
        var command = new Command("add", "Say, signed, under what name you know an account.") { key, name, alias };
        surroundings.Ask(command, shared, async (node, parsed, json, stop) =>
        {
            var account = parsed.GetValue(alias)!;
            return Show(surroundings.Terminal, json, await node.Graph.TrustAsync(new GraphTrustRequest(account, GraphAccountCommands.Passphrase(surroundings.Terminal, account), parsed.GetValue(key)!, parsed.GetValue(name)!), stop).ConfigureAwait(false), parsed.GetValue(name)!);
        });
        return command;
    }

    private static Command Remove(SharedOptions shared, Surroundings surroundings)
    {
        var (key, alias) = (Key(), As());
        var command = new Command("remove", "Take that back.") { key, alias };
        surroundings.Ask(command, shared, async (node, parsed, json, stop) =>
        {
            var account = parsed.GetValue(alias)!;
            var known = await node.Graph.TrustAsync(new GraphTrustRequest(account, GraphAccountCommands.Passphrase(surroundings.Terminal, account), parsed.GetValue(key)!, null), stop).ConfigureAwait(false);
            if (json) surroundings.Terminal.Json(known, HostJson.Default.GraphKnownKeysView);
            else surroundings.Terminal.Say("Taken back.");
            return CommandLine.Done;
        });
        return command;
    }

    private static Command Find(SharedOptions shared, Surroundings surroundings)
    {
        var (name, alias) = (new Argument<string>("NAME") { Description = "A name that you or those whom you know gave." }, As());
        var command = new Command("find", "The account of that name, as you and those whom you know (up to three steps) call it.") { name, alias };
        surroundings.Ask(command, shared, async (node, parsed, json, stop) =>
            Show(surroundings.Terminal, json, await node.Graph.FindKeyAsync(parsed.GetValue(alias)!, parsed.GetValue(name)!, stop).ConfigureAwait(false), parsed.GetValue(name)!));
        return command;
    }

    private static Argument<string> Key() => new("KEY") { Description = "The account's public key, with or without \"~\" before it." };

    private static Option<string> As() => new("--as") { Description = "Your account.", HelpName = "ALIAS", Required = true };

    private static int Show(Terminal terminal, bool json, GraphKnownKeysView known, string name)
    {
        if (json) terminal.Json(known, HostJson.Default.GraphKnownKeysView);
        else if (known.Keys.Count == 0) terminal.Problem($"Nobody within three steps knows a \"{Terminal.Clean(name)}\".");
        else
        {
            if (known.Keys.Count > 1) terminal.Problem($"Those whom you know disagree about who \"{Terminal.Clean(name)}\" is: ask them before you rely on one.");
            terminal.Table(["key", "known", "by"], known.Keys.Select(static key => (IReadOnlyList<string>)["~" + key.PublicKey, key.Distance == 1 ? "to you" : $"{key.Distance} steps away", key.Distance == 1 ? "" : string.Join(", ", key.Introducers.Select(static by => by[..Math.Min(8, by.Length)]))]));
        }
        return known.Keys.Count > 0 ? CommandLine.Done : CommandLine.NotFound;
    }
}
