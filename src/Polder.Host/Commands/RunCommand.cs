using System.CommandLine;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using Polder.Host.Api;
using Polder.Host.Graph;
using Polder.Node;
using Polder.Node.Configuration;
using Polder.Node.Folders;
using Polder.Node.Operations;

namespace Polder.Host.Commands;

/// <summary>polder run: a node with its page, until it is told to stop.</summary>
internal static class RunCommand
{
    private static readonly TimeSpan StopMax = TimeSpan.FromSeconds(2.7);
    private static readonly TimeSpan LineInterval = TimeSpan.FromSeconds(1);

    public static Command Create(SharedOptions shared, Surroundings surroundings)
    {
        var port = new Option<int?>("--port") { Description = "UDP port, 0 for any free one. Default: 8090.", HelpName = "PORT" };
        var page = new Option<int?>("--page") { Description = "Port of the page and the local API on 127.0.0.1, 0 for any free one. Default: 8080.", HelpName = "PORT" };
        var graph = new Option<int?>("--graph") { Description = "Serve my graph to gun.js applications at ws://127.0.0.1:PORT/gun, 0 for any free port. Without a token: whoever reaches it may read, and write what the firewall lets pass.", HelpName = "PORT" };
        var graphAddress = new Option<string?>("--graph-address") { Description = "Address that --graph listens on. Default: 127.0.0.1, this machine only.", HelpName = "ADDRESS" };
        var join = new Option<string[]>("--join") { Description = "A node to begin with. May be given several times.", HelpName = "HOST:PORT" };
        var loopback = new Option<bool>("--loopback") { Description = "127.0.0.1 only: no local network, no port mapping, no outside bootstrap." };
        var crawl = new Option<bool>("--crawl") { Description = "Crawler mode: fetch everybody's chains, politely, and keep on." };
        var mailbox = new Option<int?>("--mailbox") { Description = "TCP port of a mailbox server for polder send and Magic Wormhole's programs, 0 for any free one. Default: none.", HelpName = "PORT" };
        var relay = new Option<int?>("--relay") { Description = "TCP port of a transit relay for them, 0 for any free one. Default: none.", HelpName = "PORT" };
        var set = new Option<string[]>("--set") { Description = "Any other setting by its name; polder config lists them. May be given several times.", HelpName = "KEY=VALUE" };
        var command = new Command("run", "Start my node and its page. The first time it makes my identity. Ctrl+C stops it.") { port, page, graph, graphAddress, join, loopback, crawl, mailbox, relay, set };
        command.SetAction(async (parsed, stop) =>
        {
            var typed = new List<KeyValuePair<string, string>>();
            if (parsed.GetValue(shared.Data) is { } data) typed.Add(new("data", data));
            if (parsed.GetValue(port) is { } udp) typed.Add(new("port", udp.ToString(CultureInfo.InvariantCulture)));
            if (parsed.GetValue(page) is { } tcp) typed.Add(new("page", tcp.ToString(CultureInfo.InvariantCulture)));
            if (parsed.GetValue(graph) is { } gun) typed.Add(new("graph", gun.ToString(CultureInfo.InvariantCulture)));
            if (parsed.GetValue(graphAddress) is { } bound) typed.Add(new("graph.address", bound));
            if (parsed.GetValue(join) is { Length: > 0 } addresses) typed.Add(new("join", string.Join(',', addresses)));
            if (parsed.GetValue(loopback)) typed.Add(new("loopback", "true"));
            if (parsed.GetValue(mailbox) is { } box) typed.Add(new("parcels.mailboxPort", box.ToString(CultureInfo.InvariantCulture)));
            if (parsed.GetValue(relay) is { } transit) typed.Add(new("parcels.relayPort", transit.ToString(CultureInfo.InvariantCulture)));
            if (parsed.GetValue(crawl)) typed.Add(new("ledger.crawlEverything", "true"));
            foreach (var pair in parsed.GetValue(set) ?? [])
            {
                var equals = pair.IndexOf('=', StringComparison.Ordinal);
                if (equals < 1) throw new OperationRefusedException(RefusalKind.BadInput, $"\"{pair}\" is no setting. Write --set KEY=VALUE; polder config lists the keys.");
                typed.Add(new(pair[..equals], pair[(equals + 1)..]));
            }
            var options = WithPassphrase(Configured(typed).Options, surroundings.Terminal);
            await RunAsync(options, surroundings.Terminal, parsed.GetValue(shared.Json), stop).ConfigureAwait(false);
            return CommandLine.Done;
        });
        return command;
    }

    /// <summary>The configuration in effect; what is wrong with it is bad input.</summary>
    public static NodeConfiguration Configured(IEnumerable<KeyValuePair<string, string>> typed)
    {
        try { return NodeConfiguration.Read(typed); }
        catch (NodeStartException problem) { throw new OperationRefusedException(RefusalKind.BadInput, problem.Message); }
    }

    /// <summary>Asks for the passphrase where the key is sealed, none was given, and somebody is there to ask.</summary>
    public static NodeOptions WithPassphrase(NodeOptions options, Terminal terminal)
    {
        var key = Path.Combine(options.Data, "identity.key");
        return string.IsNullOrEmpty(options.Passphrase) && terminal.CanAsk && File.Exists(key) && KeyFile.IsSealed(key)
            ? options with { Passphrase = terminal.AskSecret($"Passphrase of {key}:") }
            : options;
    }

    private static async Task RunAsync(NodeOptions options, Terminal terminal, bool json, CancellationToken cancellation)
    {
        CrashReport.Folder = Directory.Exists(options.Data) ? options.Data : CrashReport.Folder;
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        using var signals = new StopSignals(stopping);
        var folder = Path.GetFullPath(options.Data);
        var isNew = DataFolder.Look(folder) is null;
        var token = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));

        var graph = options.Graph is null ? null : await GraphFace.StartAsync(options, stopping.Token).ConfigureAwait(false);
        PolderNode node;
        try { node = await terminal.WaitAsync("Starting", () => new NodeBuilder(options).StartAsync(stopping.Token)).ConfigureAwait(false); }
        catch
        {
            if (graph is not null) await graph.DisposeAsync().ConfigureAwait(false);
            throw;
        }
        WebFace? face = null;
        var parcels = new ParcelServers();
        try
        {
            await parcels.StartAsync(options, folder, stopping.Token).ConfigureAwait(false);
            face = await WebFace.StartAsync(node.Operations, null, options.Page, token, stopping.Token).ConfigureAwait(false);
            if (graph is not null)
            {
                node.GraphAddress = graph.Address;
                graph.Open(node.Graph, node.Host.Environment.Loop);
            }
            ApiFiles.Write(folder, new ApiFile(face.Port, Environment.ProcessId, token));
            await GreetAsync(node.Operations, face, graph?.Address, parcels, folder, isNew, terminal, json, stopping.Token).ConfigureAwait(false);
            await WatchAsync(node.Operations, terminal, json, stopping.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
        }
        finally
        {
            // Whatever hangs, the owner's Ctrl+C is obeyed: a node survives being cut off at any moment.
            using var deadline = new Timer(_ => Environment.Exit(CommandLine.Done), null, StopMax, Timeout.InfiniteTimeSpan);
            ApiFiles.Remove(folder, token);
            if (graph is not null) await graph.DisposeAsync().ConfigureAwait(false);
            if (face is not null) await face.DisposeAsync().ConfigureAwait(false);
            await parcels.DisposeAsync().ConfigureAwait(false);
            await node.DisposeAsync().ConfigureAwait(false);
        }
        if (terminal.Interactive && !json) terminal.Say();
        if (!json) terminal.Say("Stopped. Everything is kept in " + folder);
    }

    private static async Task GreetAsync(
        INodeOperations node, WebFace face, string? graph, ParcelServers parcels, string folder, bool isNew, Terminal terminal, bool json, CancellationToken cancellation)
    {
        var status = await node.StatusAsync(cancellation).ConfigureAwait(false);
        if (json)
        {
            // One line, so that a script can wait for it.
            terminal.Say(JsonSerializer.Serialize(
                new ReadyView(status.Identity.Name, status.Identity.PublicKey, face.Address, status.UdpEndpoint, folder, Environment.ProcessId, graph, parcels.MailboxPort, parcels.RelayPort), HostJson.Default.ReadyView));
            await terminal.Output.FlushAsync(cancellation).ConfigureAwait(false);
            return;
        }
        if (isNew) terminal.Say("Welcome. This is your new identity; keep a copy of it: polder backup FILE");
        terminal.Say($"I am    {terminal.Strong(status.Identity.Name)}");
        terminal.Say($"Page    {terminal.Strong(face.Address)}");
        if (graph is not null) terminal.Say($"Graph   {terminal.Strong(graph)}  (for gun.js)");
        terminal.Say($"UDP     {status.UdpEndpoint}{(status.Loopback ? " (this machine only)" : "")}");
        if (parcels.MailboxPort is { } mailbox) terminal.Say($"Mailbox ws://{(status.Loopback ? "127.0.0.1" : "HOST")}:{mailbox}/v1");
        if (parcels.RelayPort is { } relay) terminal.Say($"Relay   {(status.Loopback ? "127.0.0.1" : "HOST")}:{relay}");
        terminal.Say($"Data    {folder}");
        terminal.Say($"There   {(status.PeersVerified == 0 ? "nobody yet" : Words.Count(status.PeersVerified, "peer"))}");
        foreach (var warning in status.Warnings) terminal.Say("Note    " + Terminal.Clean(warning));
        foreach (var step in status.NextSteps) terminal.Say("Next    " + Terminal.Clean(step));
        terminal.Say(terminal.Faint("Ctrl+C stops it."));
        await terminal.Output.FlushAsync(cancellation).ConfigureAwait(false);
    }

    /// <summary>A line that lives, for people; a line for every change that matters, for logs.</summary>
    private static async Task WatchAsync(INodeOperations node, Terminal terminal, bool json, CancellationToken cancellation)
    {
        var said = "";
        using var tick = new PeriodicTimer(LineInterval);
        for (var second = 1; await tick.WaitForNextTickAsync(cancellation).ConfigureAwait(false); second++)
        {
            // What the start needed is given back once.
            if (second == 5) GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            if (json) continue;
            var status = await node.StatusAsync(cancellation).ConfigureAwait(false);
            var line = string.Create(CultureInfo.InvariantCulture,
                $"{Words.Count(status.PeersVerified, "peer")} · {Words.Count(status.BlocksOwn, "block")} of mine, {status.BlocksStored} in all · {status.InboxWaiting} in the inbox{(status.FraudsKnown > 0 ? $" · {Words.Count(status.FraudsKnown, "fraud")}" : "")}{(status.SigningRefused is null ? "" : " · SIGNS NOTHING: " + status.SigningRefused)}");
            if (terminal.Interactive)
            {
                var width = Math.Max(20, Console.IsOutputRedirected ? 80 : Console.WindowWidth - 1);
                var live = string.Create(CultureInfo.InvariantCulture, $"{Uptime(status.UptimeSeconds)} · {Terminal.Clean(line)} · in {Amounts.Format(status.BytesIn, Amounts.Bytes)}, out {Amounts.Format(status.BytesOut, Amounts.Bytes)}");
                terminal.Output.Write("\r\e[K" + (live.Length > width ? live[..width] : live));
                await terminal.Output.FlushAsync(cancellation).ConfigureAwait(false);
            }
            else if (line != said)
            {
                terminal.Say(DateTime.UtcNow.ToString("u", CultureInfo.InvariantCulture) + " " + Terminal.Clean(said = line));
                await terminal.Output.FlushAsync(cancellation).ConfigureAwait(false);
            }
        }
    }

    private static string Uptime(double seconds) => TimeSpan.FromSeconds(seconds).ToString(seconds < 86400 ? @"hh\:mm\:ss" : @"d\.hh\:mm\:ss", CultureInfo.InvariantCulture);
}

/// <summary>What <c>polder run --json</c> says once, when the node is there.</summary>
internal sealed record ReadyView(string Name, string PublicKey, string Page, string Udp, string Data, int Pid, string? Graph, int? Mailbox = null, int? Relay = null);

/// <summary>Turns SIGINT, SIGTERM and SIGHUP into one cancellation.</summary>
internal sealed class StopSignals : IDisposable
{
    private readonly List<PosixSignalRegistration> _registrations = [];

    /// <param name="stopping">What is cancelled.</param>
    public StopSignals(CancellationTokenSource stopping)
    {
        foreach (var signal in (PosixSignal[])[PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP])
        {
            _registrations.Add(PosixSignalRegistration.Create(signal, context =>
            {
                context.Cancel = true;
                try { stopping.Cancel(); }
                catch (ObjectDisposedException) { }
            }));
        }
    }

    public void Dispose()
    {
        foreach (var registration in _registrations) registration.Dispose();
    }
}
