using System.CommandLine;
using System.Globalization;
using Polder.Host.Api;
using Polder.Node.Operations;

namespace Polder.Host.Commands.Network;

/// <summary>polder doctor, polder connect.</summary>
internal static class DoctorCommands
{
    public static Command Doctor(SharedOptions shared, Surroundings surroundings)
    {
        var peer = new Argument<string?>("PEER") { Description = "Only this peer, with everything that was tried.", Arity = ArgumentArity.ZeroOrOne };
        var command = new Command("doctor", "How this node is connected, why so, and what would improve it, in plain words.") { peer };
        surroundings.Ask(command, shared, async (node, parsed, json, stop) =>
        {
            var view = await node.Network.DoctorAsync(stop).ConfigureAwait(false);
            var terminal = surroundings.Terminal;
            if (parsed.GetValue(peer) is { } name)
            {
                var who = await node.ResolveAsync(name, stop).ConfigureAwait(false);
                var connection = view.Connections.FirstOrDefault(one => one.Peer.PublicKey == who.PublicKey) ?? throw new OperationRefusedException(
                    RefusalKind.NotFound, $"{who.Name} is not connected, and nothing was tried yet. Try it now: polder connect {who.Name}");
                if (json) terminal.Json(connection, HostJson.Default.ConnectionView);
                else Show(terminal, connection);
            }
            else if (json) terminal.Json(view, HostJson.Default.DoctorView);
            else Show(terminal, view);
            return CommandLine.Done;
        });
        return command;
    }

    public static Command Connect(SharedOptions shared, Surroundings surroundings)
    {
        var peer = new Argument<string>("PEER") { Description = "A short name, a public key, or the beginning of one." };
        var command = new Command("connect", "Get through to a peer by every way there is, encrypted, and say which one it was.") { peer };
        surroundings.Ask(command, shared, async (node, parsed, json, stop) =>
        {
            var terminal = surroundings.Terminal;
            var connection = await terminal.WaitAsync("Trying every way", () => node.Network.ConnectAsync(parsed.GetValue(peer)!, stop)).ConfigureAwait(false);
            if (json) terminal.Json(connection, HostJson.Default.ConnectionView);
            else Show(terminal, connection);
            return connection.State == "encrypted" ? CommandLine.Done : CommandLine.Unavailable;
        });
        return command;
    }

    private static void Show(Terminal terminal, DoctorView view)
    {
        terminal.Say(terminal.Strong(view.Headline));
        terminal.Say(Terminal.Clean(view.Explanation));
        if (view.Improvements.Count > 0)
        {
            terminal.Say();
            terminal.Say("What would improve it");
            foreach (var step in view.Improvements) terminal.Say("  – " + Terminal.Clean(step));
        }
        terminal.Say();
        terminal.Say($"My router      {(view.Mapping.External is { } external ? $"others see me at {external}" : "nobody told yet where they see me")}{Lifetime(view.Mapping)}");
        terminal.Say($"Port mapping   {Terminal.Clean(view.Mapping.PortMapping)}");
        terminal.Say($"Called back    {(view.DialBack is { } dialled ? Terminal.Clean(dialled.InWords) : "nobody tried yet")}");
        terminal.Say($"Neighbours     {Neighbours(view.Diversity)}");
        if (view.Diversity.Warning is { } warning) terminal.Say($"               {Terminal.Clean(warning)}");
        if (view.Evidence.Count > 0)
        {
            terminal.Say();
            terminal.Table(["who says so", "at", "sees me at", ">ago"], view.Evidence.Select(one => (IReadOnlyList<string>)
                [one.Reporter, one.At, one.SeenAs, Seconds(one.AgeSeconds)]));
        }
        if (view.Connections.Count > 0)
        {
            terminal.Say();
            terminal.Table(["peer", "state", "path", "address", ">round trip", "why"], view.Connections.Select(one => (IReadOnlyList<string>)
            [
                one.Peer.Name, one.State, one.RelayedBy is { } relay ? $"relayed by {relay.Name}" : one.Path, one.Address ?? "–",
                one.RoundTripMs is { } way ? string.Create(CultureInfo.InvariantCulture, $"{way:0.#} ms") : "–", one.Why,
            ]));
        }
        terminal.Say();
        terminal.Table(["first contact from", ">known", ">tried", ">answered", ""], view.Sources.Select(one => (IReadOnlyList<string>)
            [one.Name, one.Entries is { } known ? Number(known) : "–", Number(one.Tried), Number(one.Answered), one.Note]));
    }

    private static void Show(Terminal terminal, ConnectionView view)
    {
        terminal.Say($"{terminal.Strong(view.Peer.Name)}: {view.State}, {(view.RelayedBy is { } relay ? $"relayed by {relay.Name}" : view.Path)}{(view.Address is { } address ? $", {address}" : "")}");
        terminal.Say(Terminal.Clean(view.Why));
        if (view.WouldImprove.Length > 0) terminal.Say(Terminal.Clean(view.WouldImprove));
        if (view.Attempts.Count == 0) return;
        terminal.Say();
        terminal.Table(["tried", "outcome", ">ago"], view.Attempts.Select(one => (IReadOnlyList<string>)[one.How, one.Outcome, Seconds(one.AgeSeconds)]));
    }

    private static string Lifetime(MappingView mapping) => mapping.LifetimeSeconds is { } life
        ? string.Create(CultureInfo.InvariantCulture, $"; a silent way stays open {life:0} s, so I say something every {mapping.KeepAliveSeconds:0} s") : "";

    private static string Neighbours(DiversityView view) => string.Create(CultureInfo.InvariantCulture,
        $"{view.Neighbours} in {view.Prefixes} parts of the network, {view.ChosenByUs} chosen by me{(view.NetworkSize is { } size ? $"; some {size:N0} nodes in all" : "")}");

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Seconds(double seconds) => seconds < 120
        ? string.Create(CultureInfo.InvariantCulture, $"{seconds:0} s") : string.Create(CultureInfo.InvariantCulture, $"{seconds / 60:0} min");
}
