using System.Text.Json;

namespace Polder.Lab.Tests;

/// <summary>Nodes of ours in a laboratory, one a host, all in one overlay.</summary>
internal sealed class Crowd(Laboratory lab)
{
    private readonly string _community = Convert.ToHexStringLower(System.Security.Cryptography.RandomNumberGenerator.GetBytes(20));
    private readonly Dictionary<string, (LabProcess Agent, string Key, int Port)> _members = [];

    public Laboratory Lab => lab;

    /// <summary>The overlay's id in hex.</summary>
    public string Community => _community;

    /// <summary>Starts a node in a host, joining others of the crowd, or addresses.</summary>
    public async Task StartAsync(string host, int port, params string[] join)
    {
        var agent = lab.StartAgent(host);
        await agent.ExpectAsync("", "agent", InTheLab.Seconds(60));
        Matrix.Start(agent, host, _community, port, join.Select(one => one.Contains(':', StringComparison.Ordinal) ? one : Address(one)));
        var ready = await agent.ExpectAsync(host, "ready", InTheLab.Seconds(60));
        _members.Add(host, (agent, ready.Key, port));
    }

    /// <summary>Starts a node anew in a host whose agent may be there already, with fields of its own; gives what it says when ready.</summary>
    public async Task<LabEvent> AgainAsync(string host, params (string, System.Text.Json.Nodes.JsonNode?)[] fields)
    {
        var agent = _members.TryGetValue(host, out var known) ? known.Agent : lab.StartAgent(host);
        if (known.Agent is null) await agent.ExpectAsync("", "agent", InTheLab.Seconds(60));
        var from = agent.Events(host).Count;
        agent.Do("start", host, [("community", _community), .. fields]);
        var ready = await agent.ExpectAsync(host, "ready", InTheLab.Seconds(60), from: from);
        _members[host] = (agent, ready.Key, (int)ready.Number("port")!.Value);
        return ready;
    }

    /// <summary>Stops a node; its agent stays.</summary>
    public Task StopAsync(string host) => AskAsync(host, "stop", "stopped");

    /// <summary>Starts a node anew and gives the seconds until the first peer that it proved; 0 when that was before its first line came out.</summary>
    public async Task<double> FirstPeerAsync(string host, double seconds, params (string, System.Text.Json.Nodes.JsonNode?)[] fields)
    {
        var from = _members.TryGetValue(host, out var known) ? known.Agent.Events(host).Count : 0;
        var ready = await AgainAsync(host, fields);
        return Math.Max(0, (await Agent(host).ExpectAsync(host, "peer", InTheLab.Seconds(seconds), from: from)).At - ready.At);
    }

    public string Address(string host) => $"{lab.Places[host].Address}:{_members[host].Port}";

    public string Key(string host) => _members[host].Key;

    public LabProcess Agent(string host) => _members[host].Agent;

    /// <summary>Tells a node something and waits for the event that answers.</summary>
    public async Task<LabEvent> AskAsync(string host, string what, string answer, double seconds = 30, params (string, System.Text.Json.Nodes.JsonNode?)[] fields)
    {
        var agent = Agent(host);
        var from = agent.Events(host).Count;
        agent.Do(what, host, fields);
        return await agent.ExpectAsync(host, answer, InTheLab.Seconds(seconds), from: from);
    }

    /// <summary>What a node believes about another: null when it does not know it.</summary>
    public async Task<JsonElement?> ViewAsync(string host, string of)
    {
        var peers = await AskAsync(host, "peers", "peers");
        foreach (var peer in peers.Item.GetProperty("peers").EnumerateArray())
            if (LabEvent.TextOf(peer, "key") == Key(of)) return peer;
        return null;
    }

    /// <summary>Waits until a node has proved another and talks with it in the overlay.</summary>
    public async Task MetAsync(string host, string other, double seconds = 30) =>
        await Agent(host).ExpectAsync(host, "pong", InTheLab.Seconds(seconds), item => item.Key == Key(other));
}
