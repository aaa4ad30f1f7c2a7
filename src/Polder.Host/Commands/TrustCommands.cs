using System.CommandLine;
using System.Globalization;
using Polder.Host.Api;
using Polder.Node.Operations;

namespace Polder.Host.Commands;

/// <summary>polder trust.</summary>
internal static class TrustCommands
{
    public static Command Trust(SharedOptions shared, Surroundings surroundings)
    {
        var peer = new Argument<string?>("PEER") { Description = "A short name, a public key, or the beginning of one. Without it: everybody.", Arity = ArgumentArity.ZeroOrOne };
        var why = new Option<bool>("--why") { Description = "Show the records and paths behind the peer's score." };
        var unit = new Option<string?>("--unit") { Description = "Only this unit. Scores of different units are never added.", HelpName = "WORD" };
        var command = new Command("trust", "Whom to trust, from my own point of view, and why.") { peer, why, unit };
        command.Validators.Add(result =>
        {
            if (result.GetValue(why) && result.GetValue(peer) is null) result.AddError("--why needs a peer: polder trust PEER --why");
        });
        surroundings.Ask(command, shared, async (node, parsed, json, stop) =>
        {
            var terminal = surroundings.Terminal;
            var name = parsed.GetValue(peer);
            if (parsed.GetValue(why))
            {
                var reasons = await node.WhyAsync(name!, parsed.GetValue(unit), stop).ConfigureAwait(false);
                if (json) terminal.Json(reasons, HostJson.Default.TrustExplanation);
                else Explain(terminal, reasons);
                return CommandLine.Done;
            }
            var ranking = await node.TrustAsync(name, parsed.GetValue(unit), stop).ConfigureAwait(false);
            if (json) terminal.Json(ranking, HostJson.Default.IReadOnlyListTrustView);
            else if (ranking.Count == 0) terminal.Say("No records yet, so nobody to rank. Sign the first: polder record PEER --gave 25MB --for \"storing a file\"");
            else
            {
                terminal.Table([">#", "peer", ">score", ">records", ">gave", ">got", "key"], ranking.Select((row, i) => (IReadOnlyList<string>)
                [
                    (i + 1).ToString(CultureInfo.InvariantCulture), row.Name, Amounts.Format(row.Score, row.Unit),
                    row.Records.ToString(CultureInfo.InvariantCulture), Amounts.Format(row.Gave, row.Unit), Amounts.Format(row.Got, row.Unit),
                    NodeCommands.Short(row.PublicKey),
                ]));
                terminal.Say();
                terminal.Say("The records behind a score: polder trust PEER --why");
            }
            return CommandLine.Done;
        });
        return command;
    }

    private static void Explain(Terminal terminal, TrustExplanation reasons)
    {
        var (trust, unit) = (reasons.Trust, reasons.Trust.Unit);
        terminal.Say($"{terminal.Strong(trust.Name)}: {terminal.Strong(Amounts.Format(trust.Score, unit))}");
        terminal.Say(Terminal.Clean(reasons.InWords));
        terminal.Say($"Directly: {Amounts.Format(reasons.Direct, unit)}. At most: {Amounts.Format(reasons.Cap, unit)}.");
        if (reasons.Paths.Count > 0)
        {
            terminal.Say();
            terminal.Table(["through", ">gave them", ">who gave me", ">counts"], reasons.Paths.Select(path => (IReadOnlyList<string>)
                [path.Through.Name, Amounts.Format(path.First, unit), Amounts.Format(path.Second, unit), Amounts.Format(path.Flow, unit)]));
        }
        if (reasons.Records.Count == 0) return;
        terminal.Say();
        terminal.Table(["when (UTC)", "who gave", "to whom", ">amount", "for", "proposal"], reasons.Records.Select(record => (IReadOnlyList<string>)
        [
            record.Time.UtcDateTime.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture), record.Contributor.Name, record.Consumer.Name,
            Amounts.Format(record.Amount, record.Unit), record.For, Words.Block(record.Proposal),
        ]));
    }
}
