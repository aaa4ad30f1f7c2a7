using System.CommandLine;
using System.Globalization;
using Polder.Host.Api;
using Polder.Node.Operations;

namespace Polder.Host.Commands.Records;

/// <summary>polder chain, polder block.</summary>
internal static class ChainCommands
{
    private const string PeerHelp = "A short name, a public key, or the beginning of one.";

    public static Command Chain(SharedOptions shared, Surroundings surroundings)
    {
        var peer = new Argument<string?>("PEER") { Description = PeerHelp + " Without it: my own chain.", Arity = ArgumentArity.ZeroOrOne };
        var from = new Option<int>("--from") { Description = "First sequence number.", HelpName = "N", DefaultValueFactory = _ => 1 };
        var count = new Option<int>("--count") { Description = "Blocks at most.", HelpName = "N", DefaultValueFactory = _ => 500 };
        var command = new Command("chain", "A chain of signed records as this node holds it: what is valid, and why not.") { peer, from, count };
        from.Validators.Add(result => { if (result.GetValue(from) < 1) result.AddError("--from is 1 or more."); });
        count.Validators.Add(result => { if (result.GetValue(count) is < 1 or > 5000) result.AddError("--count is 1 to 5000."); });
        surroundings.Ask(command, shared, async (node, parsed, json, stop) =>
        {
            var chain = await node.ChainAsync(parsed.GetValue(peer), parsed.GetValue(from), parsed.GetValue(count), stop).ConfigureAwait(false);
            var terminal = surroundings.Terminal;
            if (json)
            {
                terminal.Json(chain.Blocks, HostJson.Default.IReadOnlyListBlockView);
                return CommandLine.Done;
            }
            terminal.Say(string.Create(CultureInfo.InvariantCulture,
                $"The chain of {terminal.Strong(chain.Owner.Name)}: {Words.Count(chain.Length, "block")}{(chain.Missing > 0 ? $", {chain.Missing} of them not here (polder crawl {chain.Owner.Name})" : "")}."));
            if (chain.Blocks.Count > 0) ShowBlocks(terminal, chain.Blocks);
            else if (chain.Length == 0) terminal.Say("It begins with the first record: polder record PEER --gave 25MB --for \"storing a file\"");
            if (chain.Blocks.Count > 0 && chain.Blocks[^1].Sequence < chain.Length)
                terminal.Say($"More: polder chain {parsed.GetValue(peer)} --from {chain.Blocks[^1].Sequence + 1}".Replace("  ", " ", StringComparison.Ordinal));
            if (chain.Refused.Count > 0)
            {
                terminal.Say();
                terminal.Say("Refused lately:");
                ShowBlocks(terminal, chain.Refused);
            }
            return CommandLine.Done;
        });
        command.Subcommands.Add(Import(shared, surroundings));
        command.Subcommands.Add(CheckCommand.Create(shared, surroundings));
        return command;
    }

    public static Command Block(SharedOptions shared, Surroundings surroundings)
    {
        var id = new Argument<string>("BLOCK") { Description = "PEER.NUMBER, such as ab-cd-ef-gh-ij.7, or a whole hash." };
        var command = new Command("block", "One block with both halves, in full.") { id };
        surroundings.Ask(command, shared, async (node, parsed, json, stop) =>
        {
            var detail = await node.BlockAsync(parsed.GetValue(id)!, stop).ConfigureAwait(false);
            var terminal = surroundings.Terminal;
            if (json)
            {
                terminal.Json(detail, HostJson.Default.BlockDetail);
                return CommandLine.Done;
            }
            var block = detail.Block;
            terminal.Say(string.Create(CultureInfo.InvariantCulture, $"{terminal.Strong($"Block {block.Sequence}")}  {Terminal.Clean(block.Summary)}"));
            terminal.Say($"verdict      {(block.Valid ? "" : "not valid: ")}{Terminal.Clean(block.Reason)}");
            terminal.Say($"signed by    {block.PublicKey}");
            terminal.Say($"counterparty {block.LinkKey}{(block.LinkSequence == 0 ? " (proposal)" : string.Create(CultureInfo.InvariantCulture, $" (answers their block {block.LinkSequence})"))}");
            terminal.Say($"type         {Terminal.Clean(block.Type)}");
            terminal.Say($"signed at    {block.Time.UtcDateTime.ToString("u", CultureInfo.InvariantCulture)}");
            terminal.Say($"hash         {block.Hash}");
            terminal.Say($"previous     {detail.PreviousHash}");
            terminal.Say($"transaction  {Terminal.Clean(detail.Transaction)}");
            terminal.Say($"signature    {detail.Signature}");
            terminal.Say($"packed       {detail.Packed}");
            terminal.Say();
            if (detail.Linked.Count == 0) terminal.Say("Its other half is not here.");
            else
            {
                terminal.Say(detail.Linked.Count == 1 ? "Its other half:" : "Its other halves (more than one is fraud):");
                ShowBlocks(terminal, detail.Linked);
            }
            return CommandLine.Done;
        });
        return command;
    }

    private static Command Import(SharedOptions shared, Surroundings surroundings)
    {
        var file = new Argument<string>("FILE") { Description = "JSON with hex blocks under \"pack\", \"packed\", \"block\" or \"database\", or lines of hex. - reads standard input." };
        var command = new Command("import", "Check blocks made elsewhere one by one, show which are valid and why not, and keep those that are.") { file };
        surroundings.Ask(command, shared, async (node, parsed, json, stop) =>
        {
            var blocks = await BlockFiles.ReadAsync(parsed.GetValue(file)!, stop).ConfigureAwait(false);
            var terminal = surroundings.Terminal;
            var verdicts = await terminal.WaitAsync($"Checking {blocks.Count} blocks", () => node.ImportAsync(blocks, stop)).ConfigureAwait(false);
            if (json) terminal.Json(verdicts, HostJson.Default.IReadOnlyListBlockView);
            else
            {
                ShowBlocks(terminal, verdicts, withOwner: true);
                terminal.Say();
                terminal.Say(string.Create(CultureInfo.InvariantCulture,
                    $"{Words.Count(verdicts.Count, "block")}: {verdicts.Count(v => v.Valid)} valid, {verdicts.Count(v => !v.Valid)} not."));
            }
            return CommandLine.Done;
        });
        return command;
    }

    private static void ShowBlocks(Terminal terminal, IReadOnlyList<BlockView> blocks, bool withOwner = false) =>
        terminal.Table(
            withOwner ? ["chain", ">no", "valid", "why", "type", "what", "hash"] : [">no", "valid", "why", "paired", "what", "hash"],
            blocks.Select(block => (IReadOnlyList<string>)(withOwner
                ? [NodeCommands.Short(block.PublicKey), Number(block.Sequence), YesNo(block.Valid), block.Reason, block.Type, block.Summary, block.Hash[..Math.Min(12, block.Hash.Length)]]
                : [Number(block.Sequence), YesNo(block.Valid), block.Reason, YesNo(block.Paired), block.Summary, block.Hash[..Math.Min(12, block.Hash.Length)]])));

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static string YesNo(bool yes) => yes ? "yes" : "NO";
}
