using System.CommandLine;
using System.Globalization;
using Polder.Host.Api;

namespace Polder.Host.Commands.Network;

/// <summary>polder tag: overlays by name, each with a budget.</summary>
internal static class TagCommands
{
    public static Command Tag(SharedOptions shared, Surroundings surroundings)
    {
        var command = new Command("tag", "Overlays by name: join and leave them, each with a budget that is kept.")
        {
            Join(shared, surroundings), Leave(shared, surroundings),
        };
        surroundings.Ask(command, shared, async (node, _, json, stop) =>
        {
            var tags = await node.Network.TagsAsync(stop).ConfigureAwait(false);
            var terminal = surroundings.Terminal;
            if (json) terminal.Json(tags, HostJson.Default.IReadOnlyListTagView);
            else if (tags.Count == 0) terminal.Say("No tags yet. Join one: polder tag join NAME");
            else
            {
                terminal.Table(["tag", ">uses kB/s", ">of", ">neighbours", ">of", ">known"], tags.Select(tag => (IReadOnlyList<string>)
                [
                    tag.Name, Number(tag.UsedKilobytesPerSecond), Number(tag.BudgetKilobytesPerSecond),
                    Number(tag.Neighbours.Count), Number(tag.NeighboursWanted), Number(tag.Known),
                ]));
            }
            return CommandLine.Done;
        });
        return command;
    }

    private static Command Join(SharedOptions shared, Surroundings surroundings)
    {
        var name = new Argument<string>("NAME") { Description = "The tag." };
        var budget = new Option<double>("--budget") { Description = "What it may use, in kB/s.", HelpName = "KB", DefaultValueFactory = _ => 4 };
        var neighbours = new Option<int>("--neighbours") { Description = "How many neighbours in it.", HelpName = "N", DefaultValueFactory = _ => 8 };
        var command = new Command("join", "Join a tag, or change its budget.") { name, budget, neighbours };
        surroundings.Ask(command, shared, async (node, parsed, json, stop) =>
        {
            var tag = await node.Network.JoinTagAsync(parsed.GetValue(name)!, parsed.GetValue(budget), parsed.GetValue(neighbours), stop).ConfigureAwait(false);
            var terminal = surroundings.Terminal;
            if (json) terminal.Json(tag, HostJson.Default.TagView);
            else
            {
                terminal.Say(string.Create(CultureInfo.InvariantCulture,
                    $"In {terminal.Strong(tag.Name)}, with at most {tag.BudgetKilobytesPerSecond:0.#} kB/s and {Words.Count(tag.NeighboursWanted, "neighbour")}. See: polder tag"));
            }
            return CommandLine.Done;
        });
        return command;
    }

    private static Command Leave(SharedOptions shared, Surroundings surroundings)
    {
        var name = new Argument<string>("NAME") { Description = "The tag." };
        var command = new Command("leave", "Leave a tag.") { name };
        surroundings.Ask(command, shared, async (node, parsed, json, stop) =>
        {
            await node.Network.LeaveTagAsync(parsed.GetValue(name)!, stop).ConfigureAwait(false);
            if (json) surroundings.Terminal.Json(new TextBody(parsed.GetValue(name)), HostJson.Default.TextBody);
            else surroundings.Terminal.Say($"Left {Terminal.Clean(parsed.GetValue(name)!)}.");
            return CommandLine.Done;
        });
        return command;
    }

    private static string Number(double number) => number.ToString("0.#", CultureInfo.InvariantCulture);
}
