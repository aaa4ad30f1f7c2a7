using System.CommandLine;
using System.Globalization;
using Polder.Host.Api;

namespace Polder.Host.Commands;

/// <summary>polder id, polder peers.</summary>
internal static class NodeCommands
{
    public static Command Id(SharedOptions shared, Surroundings surroundings)
    {
        var command = new Command("id", "Who I am: my short name, and the public key that others know me by.");
        surroundings.Ask(command, shared, async (node, _, json, stop) =>
        {
            var identity = await node.IdentityAsync(stop).ConfigureAwait(false);
            var terminal = surroundings.Terminal;
            if (json) terminal.Json(identity, HostJson.Default.IdentityView);
            else
            {
                terminal.Say($"I am        {terminal.Strong(identity.Name)}");
                terminal.Say($"public key  {identity.PublicKey}");
                terminal.Say($"mid         {identity.Mid}");
                terminal.Say($"node id     {identity.NodeId}");
            }
            return CommandLine.Done;
        });
        command.Subcommands.Add(SealCommands.Seal(shared, surroundings));
        command.Subcommands.Add(SealCommands.Unseal(shared, surroundings));
        return command;
    }

    public static Command Peers(SharedOptions shared, Surroundings surroundings)
    {
        var command = new Command("peers", "Who is there: everybody this node knows, those who proved their key first.");
        surroundings.Ask(command, shared, async (node, _, json, stop) =>
        {
            var peers = await node.PeersAsync(stop).ConfigureAwait(false);
            var terminal = surroundings.Terminal;
            if (json) terminal.Json(peers, HostJson.Default.IReadOnlyListPeerView);
            else if (peers.Count == 0)
                terminal.Say("Nobody yet. Tell this node of another one: polder run --join HOST:PORT");
            else
            {
                terminal.Table(["name", "key", "address", ">round trip", ">last in", ">last out"], peers.Select(peer => (IReadOnlyList<string>)
                [
                    peer.Name ?? "not proved", Short(peer.PublicKey), Addresses(peer.Addresses),
                    peer.RoundTripMs is { } ms ? string.Create(CultureInfo.InvariantCulture, $"{ms:0.#} ms") : "–",
                    Ago(peer.LastInSeconds), Ago(peer.LastOutSeconds),
                ]));
            }
            return CommandLine.Done;
        });
        return command;
    }

    /// <summary>The beginning of a key that tells keys apart: the part after the common tag.</summary>
    public static string Short(string? key) => key is null ? "–" : key.Length > 36 ? key[20..32] + "…" : key;

    private static string Addresses(IReadOnlyList<string> addresses) => addresses.Count switch
    {
        0 => "–",
        1 => addresses[0],
        _ => string.Create(CultureInfo.InvariantCulture, $"{addresses[0]} +{addresses.Count - 1}"),
    };

    private static string Ago(double? seconds) => seconds switch
    {
        null => "never",
        < 120 => string.Create(CultureInfo.InvariantCulture, $"{seconds:0} s"),
        < 7200 => string.Create(CultureInfo.InvariantCulture, $"{seconds / 60:0} min"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{seconds / 3600:0} h"),
    };
}
