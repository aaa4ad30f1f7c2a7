using System.CommandLine;
using System.Globalization;
using Polder.Host.Api;
using Polder.Node.Operations;

namespace Polder.Host.Commands.Records;

/// <summary>polder crawl.</summary>
internal static class CrawlCommands
{
    private const int BarWidth = 24;
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(500);

    public static Command Crawl(SharedOptions shared, Surroundings surroundings)
    {
        var peer = new Argument<string?>("PEER") { Description = "A short name, a public key, or the beginning of one.", Arity = ArgumentArity.ZeroOrOne };
        var all = new Option<bool>("--all") { Description = "Fetch everybody's chains, politely, until each was asked for. Goes on where it left off; Ctrl+C leaves it to the node." };
        var stopping = new Option<bool>("--stop") { Description = "End what --all or run --crawl began." };
        var command = new Command("crawl", "Ask a peer for its chain, or everybody for everybody's, and keep what is new and not invalid.") { peer, all, stopping };
        command.Validators.Add(result =>
        {
            var (named, whole, end) = (result.GetValue(peer) is not null, result.GetValue(all), result.GetValue(stopping));
            if ((named ? 1 : 0) + (whole ? 1 : 0) + (end ? 1 : 0) != 1) result.AddError("Say whom: polder crawl PEER, or polder crawl --all.");
        });
        surroundings.Ask(command, shared, async (node, parsed, json, stop) =>
        {
            var terminal = surroundings.Terminal;
            if (parsed.GetValue(stopping))
            {
                Show(terminal, await node.Survey.RunAsync(false, stop).ConfigureAwait(false), json);
                return CommandLine.Done;
            }
            if (parsed.GetValue(all))
            {
                Show(terminal, await terminal.WaitAsync("Asking who is there", say => AllAsync(node, say, stop)).ConfigureAwait(false), json);
                return CommandLine.Done;
            }
            var crawl = await terminal.WaitAsync("Asking for the chain", () => node.CrawlAsync(parsed.GetValue(peer)!, stop)).ConfigureAwait(false);
            if (json) terminal.Json(crawl, HostJson.Default.CrawlView);
            else terminal.Say(string.Create(CultureInfo.InvariantCulture,
                $"{Words.Count(crawl.Blocks, "new block")}{(crawl.Complete ? "; the chain is here without a gap." : "; there are gaps still. Crawl again later.")}"));
            return CommandLine.Done;
        });
        return command;
    }

    private static async Task<CrawlProgressView> AllAsync(INodeOperations node, Action<string> say, CancellationToken stop)
    {
        var progress = await node.Survey.RunAsync(true, stop).ConfigureAwait(false);
        if (progress.Peers == 0)
            throw new OperationRefusedException(RefusalKind.Unavailable, "Nobody is here to be asked. Meet somebody: polder join HOST:PORT. It begins by itself then.");
        while (progress.Running && progress.Visited < progress.Chains)
        {
            say(Line(progress));
            await Task.Delay(LookInterval, stop).ConfigureAwait(false);
            progress = await node.Survey.ProgressAsync(stop).ConfigureAwait(false);
        }
        return progress;
    }

    /// <summary>"[█████░░░] 120 of 300 chains, 4,100 blocks, 12 missing".</summary>
    internal static string Line(CrawlProgressView progress)
    {
        var full = progress.Chains == 0 ? 0 : (int)((long)BarWidth * progress.Visited / progress.Chains);
        return string.Create(CultureInfo.InvariantCulture,
            $"{new string('█', full)}{new string('░', BarWidth - full)} {progress.Visited:N0} of {progress.Chains:N0} chains, {progress.Blocks:N0} blocks{(progress.Missing > 0 ? $", {progress.Missing:N0} missing" : "")}");
    }

    private static void Show(Terminal terminal, CrawlProgressView progress, bool json)
    {
        if (json)
        {
            terminal.Json(progress, HostJson.Default.CrawlProgressView);
            return;
        }
        terminal.Say(string.Create(CultureInfo.InvariantCulture,
            $"{Words.Count(progress.Chains, "chain")} known of, {progress.Whole} held without a gap; {Words.Count(progress.Blocks, "block")} held, {progress.NewBlocks} of them new by {Words.Count(progress.Requests, "request")}."));
        if (progress.Missing > 0) terminal.Say(string.Create(CultureInfo.InvariantCulture, $"{Words.Count(progress.Missing, "block")} known to be missing: nobody here had them. They are asked for again."));
        terminal.Say(progress.Running ? "The node keeps on looking for what is new. End it: polder crawl --stop" : "It has ended. Begin again: polder crawl --all");
    }
}
