using System.Globalization;
using System.Text.Json.Nodes;
using Polder.Identity;
using Polder.Node;
using Polder.Overlay;
using Polder.Overlay.Invitations;
using Polder.Overlay.Nat;
using Polder.Overlay.Sessions;

namespace Polder.Lab;

/// <summary>One node inside a host of the lab, with the cell's overlay. Everything that happens to it is told as JSON.</summary>
internal sealed class LabNode : IAsyncDisposable
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(100);

    private static readonly Lazy<string> Kept = new(static () => Directory.CreateTempSubdirectory("polder-lab-").FullName);

    private readonly string? _folder;
    private readonly PolderNode _node;

    private LabNode(PolderNode node, string? folder) => (_node, _folder) = (node, folder);

    public PolderNode Node => _node;

    public LabCommunity Community => _node.Community<LabCommunity>();

    /// <summary>Options as a node on the Internet has them, but for networks: natlab's addresses all lie in one /16 (OV-7.2).</summary>
    /// <remarks>With "still" the node keeps to the addresses it joins: it meets nobody by walking, so that connecting is the connector's work alone.</remarks>
    private static OverlayOptions Overlay(JsonNode command)
    {
        var options = new OverlayOptions { NarrowPrefixIPv4 = 32, WidePrefixIPv4 = 24 };
        return command["still"]?.GetValue<bool>() == true ? options with { WalkTarget = 0, PeersWanted = 1, WalksEdges = false } : options;
    }

    public static async Task<LabNode> StartAsync(JsonNode command, Action<JsonObject> tell)
    {
        // A folder that is named stays until the agent ends, for a node that comes back.
        var kept = command["folder"]?.GetValue<string>();
        var folder = kept is null ? Directory.CreateTempSubdirectory("polder-lab-").FullName : Path.Combine(Kept.Value, kept);
        string[] lists = [];
        if (command["list"] is JsonArray list)
        {
            Directory.CreateDirectory(folder);
            lists = [folder + ".list"];
            await File.WriteAllLinesAsync(lists[0], list.Select(static line => line!.GetValue<string>()));
        }
        var options = new NodeOptions
        {
            Data = folder, Port = command["port"]?.GetValue<int>() ?? 0, Lan = command["lan"]?.GetValue<bool>() == true, Overlay = Overlay(command),
            Join = command["join"] is JsonArray joins ? [.. joins.Select(static join => join!.GetValue<string>())] : [], Lists = lists,
        };
        var id = CommunityId.FromHex(command["community"]!.GetValue<string>());
        try
        {
            var node = await new NodeBuilder(options).Join(context => new LabCommunity(context, id, (what, peer) => tell(new JsonObject
            {
                ["event"] = what, ["key"] = peer.Key.ToString(), ["remote"] = peer.Address.ToString(),
            }))).StartAsync();
            await node.InvokeAsync(() => Watch(node, tell));
            return new LabNode(node, kept is null ? folder : null);
        }
        catch
        {
            Directory.Delete(folder, recursive: true);
            throw;
        }
    }

    /// <summary>Tells of sessions, and of what the node thinks it is behind whenever that changes.</summary>
    private static void Watch(PolderNode node, Action<JsonObject> tell)
    {
        var host = node.Host;
        host.Sessions.Opened += session =>
        {
            tell(Said("session", session));
            node.Community<LabCommunity>().Hail(session.Peer);
        };
        Transfers.Serve(node, tell);
        host.Sessions.Moved += (session, _) => tell(Said("moved", session));
        host.Sessions.Closed += session => tell(Said("closed", session));
        var said = "";
        _ = host.Environment.Time.CreateTimer(_ =>
        {
            var view = host.Nat.View;
            var now = $"{view.Letter} {view.IsSettled}";
            if (now == said) return;
            said = now;
            tell(SelfOf(view));
        }, null, LookInterval, LookInterval);
    }

    private static JsonObject Said(string what, Session session) => new()
    {
        ["event"] = what, ["key"] = session.Peer.Key.ToString(), ["path"] = Word(session.Path.Kind), ["remote"] = session.Path.Remote.ToString(),
    };

    private static string Word(PathKind kind) => kind switch { PathKind.Direct => "direct", PathKind.Extra => "extra", _ => "relayed" };

    private static JsonObject SelfOf(SelfView view) => new()
    {
        ["event"] = "class", ["class"] = view.Letter, ["settled"] = view.IsSettled, ["step"] = view.Step, ["outer"] = view.Outer?.ToString(),
        ["votes"] = view.Votes.Count, ["dialBack"] = view.DialBack.ToString(), ["survives"] = view.MappingSurvives?.TotalSeconds,
        ["diesAt"] = view.MappingDiesAt?.TotalSeconds, ["keepAlive"] = view.KeepAlive.TotalSeconds, ["reboots"] = view.RouterReboots,
    };

    public Task<JsonObject> SelfAsync() => _node.InvokeAsync(() => SelfOf(_node.Host.Nat.View));

    /// <summary>Connects to a key by whatever way works, as an application would ask for it.</summary>
    public async Task<JsonObject> ConnectAsync(string key)
    {
        if (!PublicKey.TryParseHex(key, out var parsed)) throw new ArgumentException("No key.");
        var clock = System.Diagnostics.Stopwatch.StartNew();
        var said = await _node.InvokeAsync(async () =>
            await _node.Host.Connector.ConnectAsync(parsed) is { } session ? Said("connected", session) : new JsonObject { ["event"] = "connected", ["key"] = key, ["path"] = "" });
        said["seconds"] = clock.Elapsed.TotalSeconds;
        return said;
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

    /// <summary>Everybody it knows, with what it believes about them.</summary>
    public Task<JsonObject> PeersAsync() => _node.InvokeAsync(() =>
    {
        var host = _node.Host;
        var peers = new JsonArray();
        foreach (var peer in host.Peers.All)
            peers.Add(new JsonObject
            {
                ["key"] = peer.Key.ToString(), ["address"] = peer.Address.ToString(), ["verified"] = peer.IsValidated,
                ["lastIn"] = peer.LastIn is { } heard ? (host.Now - heard).TotalSeconds : null, ["community"] = Community.Peers.Contains(peer),
                ["path"] = host.Sessions.Find(peer) is { } session ? session.Path.ToString() : null,
            });
        return new JsonObject { ["event"] = "peers", ["peers"] = peers };
    });

    /// <summary>Calls a peer for a while and tells how many were answered.</summary>
    public async Task<JsonObject> TrafficAsync(string key, int perSecond, double seconds)
    {
        var peer = await PeerAsync(key) ?? throw new InvalidOperationException("Nobody has that key.");
        var (sent, answered) = await _node.InvokeAsync(() => Community.CallAsync(peer, perSecond, TimeSpan.FromSeconds(seconds)));
        return new JsonObject { ["event"] = "traffic", ["sent"] = sent, ["answered"] = answered };
    }

    /// <summary>Removes the folders that were kept.</summary>
    public static void Forget()
    {
        if (Kept.IsValueCreated) Directory.Delete(Kept.Value, recursive: true);
    }

    public Task<JsonObject> InviteAsync() => _node.InvokeAsync(async () => new JsonObject
    {
        ["event"] = "invitation", ["text"] = (await _node.Host.Find<InvitationService>()!.MakeAsync())?.Text ?? throw new InvalidOperationException("No invitation."),
    });

    public Task<JsonObject> TakeAsync(string text) => _node.InvokeAsync(async () =>
    {
        var result = await _node.Host.Find<InvitationService>()!.TakeAsync(text);
        return new JsonObject { ["event"] = "taken", ["refusal"] = result.Refusal.ToString(), ["message"] = result.Message, ["key"] = result.Contact?.Key.ToString() };
    });

    public Task<JsonObject> TransferAsync(string key, long bytes, int seed) =>
        _node.InvokeAsync(() => Transfers.SendAsync(_node, PublicKey.TryParseHex(key, out var parsed) ? parsed : throw new ArgumentException("No key."), bytes, seed));

    public Task<Peer?> PeerAsync(string key) => _node.InvokeAsync(() =>
        PublicKey.TryParseHex(key, out var parsed) ? _node.Host.Peers.Find(parsed) : null);

    public async ValueTask DisposeAsync()
    {
        await _node.DisposeAsync();
        if (_folder is not null) Directory.Delete(_folder, recursive: true);
    }
}
