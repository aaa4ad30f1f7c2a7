using System.Globalization;
using System.Text.Json.Nodes;
using Polder.Identity;
using Polder.Node;
using Polder.Overlay;

namespace Polder.Lab;

/// <summary>One node inside a host of the lab, with the cell's overlay. Everything that happens to it is told as JSON.</summary>
internal sealed class LabNode : IAsyncDisposable
{
    private readonly string _folder;
    private readonly PolderNode _node;

    private LabNode(PolderNode node, string folder) => (_node, _folder) = (node, folder);

    public PolderNode Node => _node;

    public LabCommunity Community => _node.Community<LabCommunity>();

    /// <summary>Options as a node on the Internet has them, but for networks: natlab's addresses all lie in one /16 (OV-7.2).</summary>
    private static OverlayOptions Overlay(JsonNode command)
    {
        var options = new OverlayOptions { NarrowPrefixIPv4 = 32, WidePrefixIPv4 = 24 };
        return command["walkTarget"] is { } target ? options with { WalkTarget = target.GetValue<int>() } : options;
    }

    public static async Task<LabNode> StartAsync(JsonNode command, Action<JsonObject> tell)
    {
        var folder = Directory.CreateTempSubdirectory("polder-lab-").FullName;
        var options = new NodeOptions
        {
            Data = folder, Port = command["port"]?.GetValue<int>() ?? 0, Lan = false, Overlay = Overlay(command),
            Join = command["join"] is JsonArray joins ? [.. joins.Select(static join => join!.GetValue<string>())] : [],
        };
        var id = CommunityId.FromHex(command["community"]!.GetValue<string>());
        try
        {
            var node = await new NodeBuilder(options).Join(context => new LabCommunity(context, id, (what, peer) => tell(new JsonObject
            {
                ["event"] = what, ["key"] = peer.Key.ToString(), ["remote"] = peer.Address.ToString(),
            }))).StartAsync();
            return new LabNode(node, folder);
        }
        catch
        {
            Directory.Delete(folder, recursive: true);
            throw;
        }
    }

    public JsonObject Ready() => new()
    {
        ["event"] = "ready", ["key"] = _node.Identity.ToString(),
        ["port"] = int.Parse(_node.UdpEndpoint.ToString().Split(':')[^1], CultureInfo.InvariantCulture),
    };

    /// <summary>What was counted and refused, for findings.</summary>
    public Task<JsonObject> CountersAsync() => _node.InvokeAsync(() =>
    {
        var counters = new JsonObject { ["event"] = "counters" };
        foreach (var (name, value) in _node.Host.Counters.ToDictionary()) counters[name] = value;
        return counters;
    });

    public Task<Peer?> PeerAsync(string key) => _node.InvokeAsync(() =>
        PublicKey.TryParseHex(key, out var parsed) ? _node.Host.Peers.Find(parsed) : null);

    public async ValueTask DisposeAsync()
    {
        await _node.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
