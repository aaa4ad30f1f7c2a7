using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Polder.Lab;

/// <summary>
/// The process inside a host: starts and stops nodes as it is told, one JSON object a line, and tells what happens to them.
/// A line names what to "do" and for which "node"; every event has "node" and "at" (seconds of the machine's clock).
/// </summary>
internal sealed class Agent
{
    private readonly Dictionary<string, LabNode> _nodes = [];
    private readonly Lock _gate = new();

    public static async Task<int> RunAsync()
    {
        var agent = new Agent();
        agent.Tell("", new JsonObject { ["event"] = "agent" });
        while (await Console.In.ReadLineAsync() is { } line)
        {
            if (line.Length == 0) continue;
            var command = JsonNode.Parse(line)!;
            var name = command["node"]?.GetValue<string>() ?? "";
            if (command["do"]!.GetValue<string>() == "quit") break;
            try { await agent.DoAsync(command, name); }
            catch (Exception problem) { agent.Tell(name, new JsonObject { ["event"] = "error", ["text"] = problem.ToString() }); }
        }
        foreach (var node in agent._nodes.Values) await node.DisposeAsync();
        LabNode.Forget();
        return 0;
    }

    private async Task DoAsync(JsonNode command, string name)
    {
        switch (command["do"]!.GetValue<string>())
        {
            case "start":
                var node = await LabNode.StartAsync(command, item => Tell(name, item));
                _nodes.Add(name, node);
                Tell(name, node.Ready());
                break;
            case "stop":
                if (!_nodes.Remove(name, out var old)) break;
                await old.DisposeAsync();
                Tell(name, new JsonObject { ["event"] = "stopped" });
                break;
            case "hail":
                if (await _nodes[name].PeerAsync(command["key"]!.GetValue<string>()) is { } peer)
                    await _nodes[name].Node.InvokeAsync(() => _nodes[name].Community.Hail(peer));
                break;
            case "connect":
                // Not waited for, as the traffic below: other nodes of this host have their own work.
                _ = TellLaterAsync(name, _nodes[name].ConnectAsync(command["key"]!.GetValue<string>()));
                break;
            case "traffic":
                _ = TellLaterAsync(name, _nodes[name].TrafficAsync(
                    command["key"]!.GetValue<string>(), command["perSecond"]!.GetValue<int>(), command["seconds"]!.GetValue<double>()));
                break;
            case "invite":
                Tell(name, await _nodes[name].InviteAsync());
                break;
            case "take":
                _ = TellLaterAsync(name, _nodes[name].TakeAsync(command["text"]!.GetValue<string>()));
                break;
            case "transfer":
                _ = TellLaterAsync(name, _nodes[name].TransferAsync(
                    command["key"]!.GetValue<string>(), command["bytes"]!.GetValue<long>(), command["seed"]!.GetValue<int>()));
                break;
            case "peers":
                Tell(name, await _nodes[name].PeersAsync());
                break;
            case "memory":
                GC.Collect();
                Tell(name, new JsonObject { ["event"] = "memory", ["bytes"] = Environment.WorkingSet, ["heap"] = GC.GetTotalMemory(false) });
                break;
            case "self":
                Tell(name, await _nodes[name].SelfAsync());
                break;
            case "counters":
                Tell(name, await _nodes[name].CountersAsync());
                break;
            default:
                throw new ArgumentException($"Unknown: {command.ToJsonString()}");
        }
    }

    private async Task TellLaterAsync(string name, Task<JsonObject> item)
    {
        try { Tell(name, await item); }
        catch (ObjectDisposedException) { }
        catch (Exception problem) { Tell(name, new JsonObject { ["event"] = "error", ["text"] = problem.ToString() }); }
    }

    private void Tell(string name, JsonObject item)
    {
        var at = (DateTimeOffset.UtcNow - DateTimeOffset.UnixEpoch).TotalSeconds;
        item["node"] = name;
        item["at"] = JsonValue.Create(decimal.Parse(at.ToString("F6", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture));
        lock (_gate)
        {
            Console.Out.WriteLine(item.ToJsonString(JsonSerializerOptions.Default));
            Console.Out.Flush();
        }
    }
}
