using System.CommandLine;
using System.Globalization;
using Polder.Host.Api;
using Polder.Node.Operations;
using Polder.Node.Operations.People;

namespace Polder.Host.Commands.Graphs;

/// <summary>polder graph topics, follow, unfollow, copies: what of the graph is kept together with other nodes.</summary>
internal static class GraphTopicCommands
{
    public static Command Topics(SharedOptions shared, Surroundings surroundings)
    {
        var command = new Command("topics", "Topics that are kept together with other nodes: what is in none stays here.");
        surroundings.Ask(command, shared, async (node, _, json, stop) => Show(surroundings.Terminal, json, await node.Graph.TopicsAsync(stop).ConfigureAwait(false)));
        return command;
    }

    public static Command Follow(SharedOptions shared, Surroundings surroundings) =>
        Change("follow", "Keep a topic together with other nodes that keep it, from now on and after restarts.", leave: false, shared, surroundings);

    public static Command Unfollow(SharedOptions shared, Surroundings surroundings) =>
        Change("unfollow", "Keep a topic no longer with others. What is here of it stays.", leave: true, shared, surroundings);

    public static Command Copies(SharedOptions shared, Surroundings surroundings)
    {
        var soul = new Argument<string>("SOUL") { Description = "The node." };
        var key = new Argument<string>("KEY") { Description = "The key." };
        var peers = new Option<int?>("--peers") { Description = "Wait until so many peers have it.", HelpName = "N" };
        var contact = new Option<string?>("--with") { Description = "Wait until this contact has it.", HelpName = "CONTACT" };
        var wait = new Option<int>("--wait") { Description = "How long, in seconds. Default 30.", HelpName = "SECONDS", DefaultValueFactory = static _ => 30 };
        var command = new Command("copies", "Where a value is besides here; waits for copies if asked. Ends with code 3 where the wait was in vain.") { soul, key, peers, contact, wait };
        surroundings.Ask(command, shared, async (node, parsed, json, stop) =>
        {
            var (count, who, seconds) = (parsed.GetValue(peers), parsed.GetValue(contact), parsed.GetValue(wait));
            if (count is < 1 or > 1000) throw new OperationRefusedException(RefusalKind.BadInput, "--peers is a number from 1 to 1000.");
            if (seconds is < 0 or > 86_400) throw new OperationRefusedException(RefusalKind.BadInput, "--wait is a number of seconds from 0 to 86400.");
            var view = await node.Graph.CopiesAsync(parsed.GetValue(soul)!, parsed.GetValue(key)!, count, who, count is null && who is null ? TimeSpan.Zero : TimeSpan.FromSeconds(seconds), stop).ConfigureAwait(false);
            var terminal = surroundings.Terminal;
            if (json) terminal.Json(view, HostJson.Default.GraphCopiesView);
            else if (view.Topics.Count == 0) terminal.Say("Only here: it is in no topic that this node keeps with others (polder graph follow TOPIC).");
            else if (view.Holders.Count == 0) terminal.Say($"Only here so far; it is in {Names(view.Topics)}.");
            else terminal.Say($"Here and with {Words.Count(view.Holders.Count, "other", "others")}: {string.Join(", ", view.Holders.Select(Name))}.");
            return view.IsMet == false ? CommandLine.NotFound : CommandLine.Done;
        });
        return command;
    }

    private static Command Change(string verb, string words, bool leave, SharedOptions shared, Surroundings surroundings)
    {
        var topic = new Argument<string>("TOPIC") { Description = "notes: that node, all below it (notes/…), the same in users' graphs, and what these link to. ~KEY: a user's whole graph. ~@ALIAS: its accounts." };
        var command = new Command(verb, words) { topic };
        surroundings.Ask(command, shared, async (node, parsed, json, stop) =>
            Show(surroundings.Terminal, json, await node.Graph.ChangeTopicAsync(new GraphTopicRequest(parsed.GetValue(topic)!, leave), stop).ConfigureAwait(false)));
        return command;
    }

    private static int Show(Terminal terminal, bool json, GraphTopicsView view)
    {
        if (json) terminal.Json(view, HostJson.Default.GraphTopicsView);
        else if (view.Topics.Count == 0) terminal.Say("No topic is kept with others. Keep one: polder graph follow TOPIC");
        else
            terminal.Table(["topic", ">nodes", ">entries", "state", "with"], view.Topics.Select(static topic => (IReadOnlyList<string>)[
                topic.Name, topic.Souls.ToString(CultureInfo.InvariantCulture), topic.Entries.ToString(CultureInfo.InvariantCulture), topic.State,
                topic.Peers.Count == 0 ? "nobody yet" : string.Join(", ", topic.Peers.Select(static peer => Name(peer) + (peer.IsConnected ? "" : " (away)")))]));
        return CommandLine.Done;
    }

    private static string Name(GraphHolderView peer) => Terminal.Clean(peer.Name ?? peer.Key[..Math.Min(16, peer.Key.Length)]);

    private static string Names(IReadOnlyList<string> topics) => string.Join(", ", topics.Select(static topic => $"\"{Terminal.Clean(topic)}\""));
}
