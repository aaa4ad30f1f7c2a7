using System.CommandLine;
using System.Globalization;
using Polder.Host.Api;
using Polder.Node.Operations;

namespace Polder.Host.Commands.Records;

/// <summary>polder trust.</summary>
internal static class TrustCommands
{
    public static Command Trust(SharedOptions shared, Surroundings surroundings)
    {
        var peer = new Argument<string?>("PEER") { Description = "A short name, a public key, or the beginning of one. Without it: everybody.", Arity = ArgumentArity.ZeroOrOne };
        var why = new Option<bool>("--why") { Description = "Show the records and paths behind the peer's score." };
        var unit = new Option<string?>("--unit") { Description = "Only this unit. Scores of different units are never added.", HelpName = "WORD" };
        var by = new Option<string?>("--by")
        {
            Description = $"The kind of score: {string.Join(", ", TrustKind.All.Select(kind => kind.Name))}. Default: {TrustKind.All[0].Name}; for ranking, {TrustKind.All[1].Name} is recommended.",
            HelpName = "KIND",
        };
        var top = new Option<int>("--top") { Description = "At most so many rows a unit. Default: 1000.", HelpName = "NUMBER", DefaultValueFactory = _ => 1000 };
        var command = new Command("trust", "Whom to trust, from my own point of view, and why.") { peer, why, unit, by, top };
        command.Subcommands.Add(ScoreCommand.Create(shared, surroundings));
        command.Validators.Add(result =>
        {
            if (result.GetValue(why) && result.GetValue(peer) is null) result.AddError("--why needs a peer: polder trust PEER --why");
            if (result.GetResult(top) is { Implicit: false } given && given.GetValueOrDefault<int>() < 1) result.AddError("--top is a number from 1 on.");
        });
        surroundings.Ask(command, shared, async (node, parsed, json, stop) =>
        {
            var terminal = surroundings.Terminal;
            var (name, kind) = (parsed.GetValue(peer), TrustKind.Of(parsed.GetValue(by)));
            if (parsed.GetValue(why))
            {
                var reasons = await node.WhyAsync(name!, parsed.GetValue(unit), kind.Name, stop).ConfigureAwait(false);
                if (json) terminal.Json(reasons, HostJson.Default.TrustExplanation);
                else Explain(terminal, reasons);
                return CommandLine.Done;
            }
            var ranking = await node.TrustAsync(name, parsed.GetValue(unit), kind.Name, parsed.GetValue(top), stop).ConfigureAwait(false);
            if (json) terminal.Json(ranking, HostJson.Default.IReadOnlyListTrustView);
            else if (ranking.Count == 0) terminal.Say("No records yet, so nobody to rank. Sign the first: polder record PEER --gave 25MB --for \"storing a file\"");
            else
            {
                terminal.Table([">#", "peer", ">" + kind.Name, ">records", ">gave", ">got", "key"], ranking.Select((row, i) => (IReadOnlyList<string>)
                [
                    (i + 1).ToString(CultureInfo.InvariantCulture), row.Name, row.Cheater ? "proven cheater" : Score(row),
                    row.Records.ToString(CultureInfo.InvariantCulture), Amounts.Format(row.Gave, row.Unit), Amounts.Format(row.Got, row.Unit),
                    NodeCommands.Short(row.PublicKey),
                ]));
                terminal.Say();
                terminal.Say(kind.What);
                terminal.Say("The records behind a score: polder trust PEER --why");
            }
            return CommandLine.Done;
        });
        return command;
    }

    /// <summary>A score as people read it: an amount, a percentage, or a number.</summary>
    public static string Score(TrustView row)
    {
        var kind = TrustKind.Of(row.By);
        return kind.IsAmount ? Amounts.Format(row.Score, row.Unit)
            : kind.IsShare ? string.Create(CultureInfo.InvariantCulture, $"{row.Score * 100:0.###} %") : row.Score.ToString("0.###", CultureInfo.InvariantCulture);
    }

    private static void Explain(Terminal terminal, TrustExplanation reasons)
    {
        var (trust, unit) = (reasons.Trust, reasons.Trust.Unit);
        terminal.Say($"{terminal.Strong(trust.Name)}: {terminal.Strong(reasons.Fraud is not null || trust.Cheater ? "proven cheater" : Score(trust))}");
        terminal.Say(Terminal.Clean(reasons.InWords));
        if (reasons.Fraud is { } fraud)
        {
            terminal.Say($"  {fraud.First.Hash}  {Terminal.Clean(fraud.First.Summary)}");
            terminal.Say($"  {fraud.Second.Hash}  {Terminal.Clean(fraud.Second.Summary)}");
            terminal.Say("Look at either: polder block HASH");
        }
        else terminal.Say($"Directly: {Amounts.Format(reasons.Direct, unit)}. At most: {Amounts.Format(reasons.Cap, unit)}.");
        if (reasons.Paths.Count > 0)
        {
            terminal.Say();
            terminal.Table(["through", ">gave them", ">records", ">who gave me", ">records", ">counts"], reasons.Paths.Select(path => (IReadOnlyList<string>)
            [
                path.Through.Name, Amounts.Format(path.First, unit), path.FirstRecords.ToString(CultureInfo.InvariantCulture),
                Amounts.Format(path.Second, unit), path.SecondRecords.ToString(CultureInfo.InvariantCulture), Amounts.Format(path.Flow, unit),
            ]));
            if (reasons.Standing is { } all && all.PathCount > reasons.Paths.Count)
                terminal.Say(string.Create(CultureInfo.InvariantCulture, $"These are the best of {all.PathCount}."));
        }
        if (reasons.Standing is { } standing)
        {
            terminal.Say();
            terminal.Say($"What reached me from it: {Amounts.Format(standing.Gave, unit)}. What it got from me and mine, my own work at half: {Amounts.Format(standing.Took, unit)}.");
            terminal.Say(string.Create(CultureInfo.InvariantCulture, $"Of my walks {standing.Reach * 100:0.##} % come to it; its MeritRank is {standing.MeritRank * 100:0.###} %")
                + (standing.NeckVia is { } via ? string.Create(CultureInfo.InvariantCulture, $", {standing.NeckShare * 100:0} % of them by way of {via.Name}{(standing.NeckCuts ? " (cut for that)" : "")}.") : "."));
            terminal.Say(Terminal.Clean(standing.Service));
        }
        if (reasons.Records.Count > 0)
        {
            terminal.Say();
            terminal.Table(["when (UTC)", "who gave", "to whom", ">amount", "for", "proposal"], reasons.Records.Select(Row));
        }
        // What the intermediaries gave me is the other half of every path.
        var second = reasons.Paths.SelectMany(path => path.SecondBehind ?? []).ToList();
        if (second.Count == 0) return;
        terminal.Say();
        terminal.Say("What those in between gave me:");
        terminal.Table(["when (UTC)", "who gave", "to whom", ">amount", "for", "proposal"], second.Select(Row));

        static IReadOnlyList<string> Row(TrustRecord record) =>
        [
            record.Time.UtcDateTime.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture), record.Contributor.Name, record.Consumer.Name,
            Amounts.Format(record.Amount, record.Unit), record.For, Words.Block(record.Proposal),
        ];
    }
}
