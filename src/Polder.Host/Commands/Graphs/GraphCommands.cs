using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Polder.Host.Api;
using Polder.Node.Operations;
using Polder.Node.Operations.People;

namespace Polder.Host.Commands.Graphs;

/// <summary>polder graph: the node's graph, which gun.js applications share.</summary>
internal static class GraphCommands
{
    /// <summary>Where scripts put an account's passphrase.</summary>
    public const string PassphraseVariable = "POLDER_ACCOUNT_PASSPHRASE", NewPassphraseVariable = "POLDER_ACCOUNT_NEW_PASSPHRASE";

    public static Command Graph(SharedOptions shared, Surroundings surroundings)
    {
        var command = new Command("graph", "The graph: application data that gun.js applications and nodes share and that converges.")
        {
            Get(shared, surroundings), History(shared, surroundings), Put(shared, surroundings), Watch(shared, surroundings),
            Export(shared, surroundings), Import(shared, surroundings), GraphAccountCommands.Account(shared, surroundings),
            GraphTopicCommands.Topics(shared, surroundings), GraphTopicCommands.Follow(shared, surroundings), GraphTopicCommands.Unfollow(shared, surroundings),
            GraphTopicCommands.Copies(shared, surroundings), GraphTrustCommands.Trust(shared, surroundings),
        };
        surroundings.Ask(command, shared, async (node, _, json, stop) =>
        {
            var status = await node.Graph.LookAsync(stop).ConfigureAwait(false);
            var terminal = surroundings.Terminal;
            if (json)
            {
                terminal.Json(status, HostJson.Default.GraphStatusView);
                return CommandLine.Done;
            }
            terminal.Say(status.Address is { } address ? $"Served at  {terminal.Strong(address)}" : "Not served to gun.js. Serve it: polder run --graph PORT");
            terminal.Say(string.Create(CultureInfo.InvariantCulture, $"Store      {Amounts.Format(status.StoreBytes, Amounts.Bytes)}"));
            terminal.Say(string.Create(CultureInfo.InvariantCulture, $"Writes     {status.Applied} applied, {status.Refused} refused, {status.Held} wait for their time, {status.Healed} fetched from clients that were offline"));
            if (status.Peers.Count > 0)
                terminal.Table(["peer", "calls itself", ">follows", ">in", ">out"], status.Peers.Select(static peer => (IReadOnlyList<string>)[peer.Name, peer.PeerId ?? "", Number(peer.Following), Number(peer.MessagesIn), Number(peer.MessagesOut)]));
            return CommandLine.Done;
        });
        return command;
    }

    private static Command Get(SharedOptions shared, Surroundings surroundings)
    {
        var soul = new Argument<string>("SOUL") { Description = "A node, such as profile or ~KEY/profile; with a \"*\" at its end all souls that begin so." };
        var key = new Argument<string?>("KEY") { Description = "One key of it.", Arity = ArgumentArity.ZeroOrOne };
        var command = new Command("get", "Show a node, a key of it, or the souls that begin so.") { soul, key };
        surroundings.Ask(command, shared, async (node, parsed, json, stop) =>
        {
            var (terminal, name) = (surroundings.Terminal, parsed.GetValue(soul)!);
            if (name.EndsWith('*'))
            {
                var souls = await node.Graph.SoulsAsync(name[..^1], null, IGraphOperations.CountMax, stop).ConfigureAwait(false);
                if (json) terminal.Json(souls, HostJson.Default.GraphSoulsView);
                else
                {
                    foreach (var found in souls.Souls) terminal.Say(Terminal.Clean(found));
                    if (souls.More) terminal.Say(terminal.Faint($"… the first {IGraphOperations.CountMax}"));
                }
                return souls.Souls.Count > 0 ? CommandLine.Done : CommandLine.NotFound;
            }
            var shown = await node.Graph.NodeAsync(name, parsed.GetValue(key), null, IGraphOperations.CountMax, stop).ConfigureAwait(false);
            if (json) terminal.Json(shown, HostJson.Default.GraphNodeView);
            else if (shown.Keys.Count == 0) terminal.Problem($"There is nothing at {Terminal.Clean(name)}{(parsed.GetValue(key) is { } one ? $" under \"{Terminal.Clean(one)}\"" : "")}.");
            else Show(terminal, shown);
            return shown.Keys.Count > 0 ? CommandLine.Done : CommandLine.NotFound;
        });
        return command;
    }

    private static Command History(SharedOptions shared, Surroundings surroundings)
    {
        var (soul, key) = (new Argument<string>("SOUL") { Description = "A node." }, new Argument<string>("KEY") { Description = "A key of it." });
        var command = new Command("history", "Older values of a key, the latest first, where they are kept: topics named by the option graph.history.") { soul, key };
        surroundings.Ask(command, shared, async (node, parsed, json, stop) =>
        {
            var shown = await node.Graph.HistoryAsync(parsed.GetValue(soul)!, parsed.GetValue(key)!, stop).ConfigureAwait(false);
            if (json) surroundings.Terminal.Json(shown, HostJson.Default.GraphNodeView);
            else if (shown.Keys.Count == 0) surroundings.Terminal.Problem("No older value is kept. History begins when the topic is named: POLDER_GRAPH_HISTORY=TOPIC, or graph.history in polder.json.");
            else Show(surroundings.Terminal, shown);
            return shown.Keys.Count > 0 ? CommandLine.Done : CommandLine.NotFound;
        });
        return command;
    }

    private static Command Put(SharedOptions shared, Surroundings surroundings)
    {
        var soul = new Argument<string>("SOUL") { Description = "The node; with --as, the path in the account's graph (\".\" for its root)." };
        var key = new Argument<string>("KEY") { Description = "The key." };
        var value = new Argument<string>("VALUE") { Description = "JSON: null (deletes), true, 5, \"text\", {\"#\":\"soul\"}. Anything else is taken as a text." };
        var alias = new Option<string?>("--as") { Description = $"Sign as this account. Its passphrase is asked for, or taken from {PassphraseVariable}.", HelpName = "ALIAS" };
        var command = new Command("put", "Write one key; it is durable when the command ends.") { soul, key, value, alias };
        surroundings.Ask(command, shared, async (node, parsed, json, stop) =>
        {
            var given = parsed.GetValue(value)!;
            var asJson = Polder.Graph.Model.GraphValue.TryParse(given, out _) ? given : Polder.Graph.Model.GraphValue.Of(given).ToJson();
            var account = parsed.GetValue(alias);
            var path = parsed.GetValue(soul)!;
            var shown = await node.Graph.PutAsync(new GraphPutRequest(account is not null && path == "." ? "" : path, parsed.GetValue(key)!, asJson, account,
                account is null ? null : GraphAccountCommands.Passphrase(surroundings.Terminal, account)), stop).ConfigureAwait(false);
            if (json) surroundings.Terminal.Json(shown, HostJson.Default.GraphNodeView);
            else Show(surroundings.Terminal, shown);
            return CommandLine.Done;
        });
        return command;
    }

    private static Command Watch(SharedOptions shared, Surroundings surroundings)
    {
        var prefix = new Argument<string>("SOUL") { Description = "Souls that begin so; all without.", Arity = ArgumentArity.ZeroOrOne, DefaultValueFactory = static _ => "" };
        var command = new Command("watch", "Show changes as they come, until Ctrl+C.") { prefix };
        surroundings.Ask(command, shared, async (node, parsed, json, stop) =>
        {
            var (terminal, from) = (surroundings.Terminal, parsed.GetValue(prefix)!);
            var seen = (await node.Graph.ChangesAsync(from, -1, stop).ConfigureAwait(false)).Version;
            while (true)
            {
                var changes = await node.Graph.ChangesAsync(from, seen, stop).ConfigureAwait(false);
                seen = changes.Version;
                foreach (var change in changes.Changes)
                {
                    if (json) terminal.Say(JsonSerializer.Serialize(change, HostJson.Default.GraphChangeView));
                    else terminal.Say($"{terminal.Faint(Time(change.Key.State))} {Terminal.Clean(change.Soul)} {terminal.Strong(Terminal.Clean(change.Key.Key))} {Terminal.Clean(change.Key.Value)}");
                }
                await terminal.Output.FlushAsync(stop).ConfigureAwait(false);
            }
        });
        return command;
    }

    private static Command Export(SharedOptions shared, Surroundings surroundings)
    {
        var file = new Argument<string>("FILE") { Description = "Where to; \"-\" for standard output." };
        var prefix = new Option<string>("--soul") { Description = "Only souls that begin so.", HelpName = "PREFIX", DefaultValueFactory = static _ => "" };
        var command = new Command("export", "Write the graph to a file: one entry a line, as JSON, signatures and all.") { file, prefix };
        surroundings.Ask(command, shared, async (node, parsed, json, stop) =>
        {
            var (terminal, path, count) = (surroundings.Terminal, parsed.GetValue(file)!, 0L);
            var writer = path == "-" ? terminal.Output : ResultFile(path);
            try
            {
                GraphEntryView? last = null;
                while (true)
                {
                    var page = await node.Graph.EntriesAsync(parsed.GetValue(prefix)!, last?.Soul, last?.Key, IGraphOperations.CountMax, stop).ConfigureAwait(false);
                    foreach (var entry in page.Entries) await writer.WriteLineAsync(JsonSerializer.Serialize(last = entry, HostJson.Default.GraphEntryView).AsMemory(), stop).ConfigureAwait(false);
                    count += page.Entries.Count;
                    if (!page.More || page.Entries.Count == 0) break;
                }
                await writer.FlushAsync(stop).ConfigureAwait(false);
            }
            finally { if (path != "-") await writer.DisposeAsync().ConfigureAwait(false); }
            if (json) terminal.Json(new CountView((int)Math.Min(int.MaxValue, count)), HostJson.Default.CountView);
            else if (path != "-") terminal.Say($"{Words.Count(count, "entry", "entries")} written to {Terminal.Clean(path)}.");
            return CommandLine.Done;
        });
        return command;
    }

    private static Command Import(SharedOptions shared, Surroundings surroundings)
    {
        var file = new Argument<string>("FILE") { Description = "A file of polder graph export." };
        var command = new Command("import", "Merge a file into the graph: of each key the newest counts, so the same file twice changes nothing.") { file };
        surroundings.Ask(command, shared, async (node, parsed, json, stop) =>
        {
            var path = parsed.GetValue(file)!;
            if (!File.Exists(path)) throw new OperationRefusedException(RefusalKind.NotFound, $"There is no file {path}.");
            var (applied, known, refused, error, number) = (0, 0, 0, (string?)null, 0);
            var batch = new List<GraphEntryView>();
            await foreach (var line in File.ReadLinesAsync(path, stop).ConfigureAwait(false))
            {
                number++;
                if (string.IsNullOrWhiteSpace(line)) continue;
                try { batch.Add(JsonSerializer.Deserialize(line, HostJson.Default.GraphEntryView) is { Soul: not null, Key: not null, Value: not null } entry ? entry : throw new JsonException()); }
                catch (JsonException) { throw new OperationRefusedException(RefusalKind.BadInput, $"Line {number} of {path} is no entry of a graph. What stood before it is merged."); }
                if (batch.Count == IGraphOperations.CountMax) await MergeAsync().ConfigureAwait(false);
            }
            await MergeAsync().ConfigureAwait(false);
            var result = new GraphMergeView(applied, known, refused, error);
            if (json) surroundings.Terminal.Json(result, HostJson.Default.GraphMergeView);
            else surroundings.Terminal.Say($"{Words.Count(applied, "entry", "entries")} merged, {known} known already, {refused} refused{(error is null ? "" : $" ({Terminal.Clean(error)})")}.");
            return CommandLine.Done;

            async Task MergeAsync()
            {
                if (batch.Count == 0) return;
                var merged = await node.Graph.MergeAsync(batch, stop).ConfigureAwait(false);
                (applied, known, refused, error) = (applied + merged.Applied, known + merged.Known, refused + merged.Refused, error ?? merged.Error);
                batch.Clear();
            }
        });
        return command;
    }

    private static void Show(Terminal terminal, GraphNodeView node)
    {
        terminal.Say(terminal.Strong(Terminal.Clean(node.Soul)));
        terminal.Table(["key", "value", "written", "signed by"], node.Keys.Select(static key => (IReadOnlyList<string>)[key.Key, key.Value, Time(key.State), key.Author is { } author ? author[..Math.Min(8, author.Length)] : ""]));
        if (node.More) terminal.Say(terminal.Faint($"… the first {node.Keys.Count} keys"));
    }

    /// <summary>A state as a time, where it is one.</summary>
    internal static string Time(double state) => state is > 0 and < 253402300799999
        ? DateTimeOffset.FromUnixTimeMilliseconds((long)state).ToString("u", CultureInfo.InvariantCulture) : state.ToString(CultureInfo.InvariantCulture);

    private static StreamWriter ResultFile(string path)
    {
        try { return new StreamWriter(path); }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new OperationRefusedException(RefusalKind.Conflict, $"{path} cannot be written: {problem.Message}");
        }
    }

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);
}
