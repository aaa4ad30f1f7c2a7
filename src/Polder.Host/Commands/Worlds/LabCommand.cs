using System.CommandLine;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Polder.Host.Api;
using Polder.Host.Lab;
using Spectre.Console;

namespace Polder.Host.Commands.Worlds;

/// <summary>polder lab: the whole idea on one machine.</summary>
internal static class LabCommand
{
    public static Command Create(SharedOptions shared, Surroundings surroundings)
    {
        var nodes = new Argument<int>("NODES") { Description = "How many, 2 to 32.", DefaultValueFactory = _ => 8 };
        var seed = new Option<ulong>("--seed") { Description = "Keys and work are drawn from it.", HelpName = "N", DefaultValueFactory = _ => 42 };
        var seconds = new Option<int?>("--seconds") { Description = "How long they work, 4 to 3600. Default: 30; on a terminal the page then stays until Ctrl+C.", HelpName = "N" };
        var page = new Option<int>("--page") { Description = "Port of the page on 127.0.0.1. Default: any free one.", HelpName = "PORT", DefaultValueFactory = _ => 0 };
        nodes.Validators.Add(result => { if (result.GetValue(nodes) is < Laboratory.NodesMin or > Laboratory.NodesMax) result.AddError("NODES is 2 to 32."); });
        seconds.Validators.Add(result => { if (result.GetValue(seconds) is < 4 or > 3600) result.AddError("--seconds is 4 to 3600."); });
        page.Validators.Add(result => { if (result.GetValue(page) is < 0 or > 65535) result.AddError("--page is a port, 0 to 65535."); });
        var command = new Command("lab", "Real nodes on this machine, told of their neighbours only: watch them meet, work and judge.") { nodes, seed, seconds, page };
        command.SetAction(async (parsed, stop) =>
        {
            var (terminal, json) = (surroundings.Terminal, parsed.GetValue(shared.Json));
            var length = TimeSpan.FromSeconds(parsed.GetValue(seconds) ?? 30);
            var stays = parsed.GetValue(seconds) is null && terminal.Interactive && !json;
            using var stopping = CancellationTokenSource.CreateLinkedTokenSource(stop);
            using var signals = new StopSignals(stopping);
            var count = parsed.GetValue(nodes);
            try
            {
                await using var lab = await terminal.WaitAsync("Starting the nodes",
                    say => Laboratory.StartAsync(count, parsed.GetValue(seed), length, say, stopping.Token)).ConfigureAwait(false);
                var token = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
                await using var face = await WebFace.StartAsync(lab.First, lab, parsed.GetValue(page), token, stopping.Token).ConfigureAwait(false);
                if (!json) terminal.Say($"{count} real nodes on 127.0.0.1, each told of its neighbours only. Page: {terminal.Strong(face.Address + "lab")}");
                await terminal.Output.FlushAsync(stopping.Token).ConfigureAwait(false);

                var run = lab.RunAsync(stopping.Token);
                if (json) await run.ConfigureAwait(false);
                else if (terminal.Interactive) await ShowLiveAsync(terminal, lab, run, stopping.Token).ConfigureAwait(false);
                else await ShowLinesAsync(terminal, lab, run).ConfigureAwait(false);

                var end = lab.Current!;
                if (json) terminal.Json(end, HostJson.Default.LabSnapshot);
                else
                {
                    if (!terminal.Interactive) ShowEnd(terminal, end);
                    terminal.Say(string.Create(CultureInfo.InvariantCulture,
                        $"{end.PairsKnown} of {end.PairsPossible} pairs know each other; {end.PairsSigned} records signed by both{(lab.GivenUp > 0 ? $", {lab.GivenUp} not in time" : "")}. Seed {end.Seed}."));
                }
                if (stays)
                {
                    terminal.Say($"The nodes go on and the page stays: {face.Address}lab   Ctrl+C ends it.");
                    await Task.Delay(Timeout.Infinite, stopping.Token).ConfigureAwait(false);
                }
                return CommandLine.Done;
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return stays ? CommandLine.Done : CommandLine.Interrupted;
            }
        });
        return command;
    }

    /// <summary>For logs: a line every two seconds.</summary>
    private static async Task ShowLinesAsync(Terminal terminal, Laboratory lab, Task run)
    {
        while (await Task.WhenAny(run, Task.Delay(TimeSpan.FromSeconds(2))).ConfigureAwait(false) != run)
        {
            if (lab.Current is not { } now) continue;
            terminal.Say(string.Create(CultureInfo.InvariantCulture,
                $"{now.Seconds,5:0.0} s  {now.PairsKnown}/{now.PairsPossible} pairs know each other, {now.PairsSigned} records signed, chains {string.Join(' ', now.Nodes.Select(node => node.ChainLength))}"));
            await terminal.Output.FlushAsync().ConfigureAwait(false);
        }
        await run.ConfigureAwait(false);
    }

    private static async Task ShowLiveAsync(Terminal terminal, Laboratory lab, Task run, CancellationToken cancellation)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(terminal.Output) });
        await console.Live(new Text("")).StartAsync(async live =>
        {
            var seen = 0L;
            while (!run.IsCompleted)
            {
                var change = lab.WaitForChangeAsync(seen, cancellation);
                if (await Task.WhenAny(change, run).ConfigureAwait(false) == run) break;
                seen = await change.ConfigureAwait(false);
                if (lab.Current is { } now) live.UpdateTarget(Picture(now));
                live.Refresh();
            }
            if (lab.Current is { } last) live.UpdateTarget(Picture(last));
        }).ConfigureAwait(false);
        await run.ConfigureAwait(false);
    }

    private static Rows Picture(LabSnapshot now)
    {
        var table = new Table { Border = TableBorder.Rounded, Expand = true };
        table.AddColumn(new TableColumn("[dim]node[/]").NoWrap());
        table.AddColumn(new TableColumn($"[dim]knows {string.Concat(now.Nodes.Select(node => Digit(node.Index)))}[/]").NoWrap());
        table.AddColumn(new TableColumn("[dim]chain[/]").NoWrap());
        table.AddColumn(new TableColumn("[dim]trusts most[/]"));
        foreach (var node in now.Nodes)
        {
            var known = new StringBuilder("      ");
            foreach (var other in now.Nodes)
                known.Append(other.Index == node.Index ? "[dim]·[/]" : node.Knows.Contains(other.Index) ? "[green]■[/]" : "[dim]□[/]");
            var stones = string.Concat(node.Chain.TakeLast(24).Select(stone => !stone.Valid ? "[red]▌[/]" : stone.Paired ? "[teal]▌[/]" : "[yellow]▌[/]"));
            var trust = string.Join("  ", node.Ranking.Where(rank => rank.Score > 0).Take(3)
                .Select(rank => $"{Markup.Escape(rank.Name)} [dim]{Markup.Escape(Amounts.Format(rank.Score, Amounts.Bytes))}[/]"));
            table.AddRow($"[dim]{Digit(node.Index)}[/] {Markup.Escape(node.Name)}", known.ToString(),
                string.Create(CultureInfo.InvariantCulture, $"{node.ChainLength,3} {stones}"), trust.Length == 0 ? "[dim]nobody yet[/]" : trust);
        }
        var head = string.Create(CultureInfo.InvariantCulture,
            $"[bold]{now.Seconds:0.0} s[/] of {now.SecondsMax:0}   {now.PairsKnown} of {now.PairsPossible} pairs know each other   {now.PairsSigned} records signed by both");
        var events = now.Events.Take(6).Select(one => (Spectre.Console.Rendering.IRenderable)new Markup(
            string.Create(CultureInfo.InvariantCulture, $"[dim]{one.Seconds,6:0.0} s[/]  {Markup.Escape(Terminal.Clean(one.Text))}")));
        return new Rows([new Markup(head), table, .. events]);
    }

    private static char Digit(int index) => "0123456789abcdefghijklmnopqrstuv"[index];

    private static void ShowEnd(Terminal terminal, LabSnapshot end)
    {
        terminal.Say();
        terminal.Table(["node", ">knows", ">chain", "trusts most"], end.Nodes.Select(node => (IReadOnlyList<string>)
        [
            node.Name, node.Knows.Count.ToString(CultureInfo.InvariantCulture), node.ChainLength.ToString(CultureInfo.InvariantCulture),
            string.Join(", ", node.Ranking.Where(rank => rank.Score > 0).Take(3).Select(rank => $"{rank.Name} {Amounts.Format(rank.Score, Amounts.Bytes)}")),
        ]));
        terminal.Say();
    }
}
