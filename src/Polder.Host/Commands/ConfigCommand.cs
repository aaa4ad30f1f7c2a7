using System.CommandLine;
using Polder.Host.Api;

namespace Polder.Host.Commands;

/// <summary>polder config: every setting in effect, and where it came from.</summary>
internal static class ConfigCommand
{
    public static Command Create(SharedOptions shared, Surroundings surroundings)
    {
        var command = new Command("config", "Every setting, its value, and where that comes from: default, polder.json, environment, command line.");
        command.SetAction(parsed =>
        {
            var terminal = surroundings.Terminal;
            var configuration = RunCommand.Configured(parsed.GetValue(shared.Data) is { } data ? [new("data", data)] : []);
            if (parsed.GetValue(shared.Json))
            {
                terminal.Json(configuration.Values, HostJson.Default.IReadOnlyListOptionValue);
                return CommandLine.Done;
            }
            terminal.Table(["setting", "value", "from", "what"], configuration.Values.Select(value => (IReadOnlyList<string>)
                [value.Key, value.Value.Length == 0 ? "–" : value.Value, value.Source, value.Help]));
            terminal.Say();
            terminal.Say($"Change one in {Path.Combine(shared.FolderOf(parsed), "polder.json")}: {{ \"port\": 8190 }}, by POLDER_PORT=8190, or by polder run --set port=8190");
            return CommandLine.Done;
        });
        return command;
    }
}
