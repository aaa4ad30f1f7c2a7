using System.CommandLine;
using System.Globalization;
using Polder.Host.Api;
using Polder.Node.Operations;

namespace Polder.Host.Commands.Records;

/// <summary>polder record, polder inbox.</summary>
internal static class RecordCommands
{
    private const string AmountHelp = "25MB (B, KB, MB, GB, TB; 1 MB = 2^20 bytes), or a whole number with --unit.";

    public static Command Record(SharedOptions shared, Surroundings surroundings)
    {
        var peer = new Argument<string>("PEER") { Description = "A short name, a public key, or the beginning of one." };
        var gave = new Option<string?>("--gave") { Description = "I helped the peer: how much. " + AmountHelp, HelpName = "AMOUNT" };
        var got = new Option<string?>("--got") { Description = "The peer helped me: how much.", HelpName = "AMOUNT" };
        var unit = new Option<string?>("--unit") { Description = "A unit of your own for a plain number: hours, answers, pages.", HelpName = "WORD" };
        var what = new Option<string>("--for") { Description = "What the help was, in words.", HelpName = "TEXT", Required = true };
        var wait = new Option<double>("--wait")
        {
            Description = "Seconds to wait for the other's signature. The proposal stays valid afterwards.", HelpName = "SECONDS", DefaultValueFactory = _ => 10,
        };
        var command = new Command("record", "Propose a signed record of help to a peer, who signs it too.") { peer, gave, got, unit, what, wait };
        command.Validators.Add(result =>
        {
            if (result.GetResult(gave) is null == result.GetResult(got) is null)
                result.AddError("Say either --gave AMOUNT (I helped the peer) or --got AMOUNT (the peer helped me).");
        });
        surroundings.Ask(command, shared, async (node, parsed, json, stop) =>
        {
            var helped = parsed.GetValue(gave);
            if (!Amounts.TryParse(helped ?? parsed.GetValue(got)!, parsed.GetValue(unit), out var amount, out var unitName, out var problem))
                throw new OperationRefusedException(RefusalKind.BadInput, problem);
            var seconds = parsed.GetValue(wait);
            if (!(seconds >= 0 && seconds <= NodeApi.WaitMax.TotalSeconds))
                throw new OperationRefusedException(RefusalKind.BadInput, $"--wait takes 0 to {NodeApi.WaitMax.TotalSeconds:0} seconds.");

            var terminal = surroundings.Terminal;
            var request = new RecordRequest(parsed.GetValue(peer)!, helped is not null, amount, unitName, parsed.GetValue(what)!, TimeSpan.FromSeconds(seconds));
            var record = await terminal.WaitAsync("Waiting for the other's signature", () => node.RecordAsync(request, stop)).ConfigureAwait(false);
            if (json) terminal.Json(record, HostJson.Default.RecordView);
            else if (record.State == "agreed") terminal.Say($"{terminal.Strong("Agreed:")} both of you signed. See it: polder block {Words.Block(record.Block)}");
            else
            {
                terminal.Say($"{terminal.Strong("Proposed:")} signed by you, sent, and kept: polder block {Words.Block(record.Block)}");
                terminal.Say("The other has not signed yet. It is sent again until they do; see: polder chain");
            }
            return CommandLine.Done;
        });
        return command;
    }

    public static Command Inbox(SharedOptions shared, Surroundings surroundings)
    {
        var command = new Command("inbox", "Proposals that wait for your word.");
        surroundings.Ask(command, shared, async (node, _, json, stop) =>
        {
            var items = await node.InboxAsync(stop).ConfigureAwait(false);
            if (json) surroundings.Terminal.Json(items, HostJson.Default.IReadOnlyListInboxItem);
            else if (items.Count == 0) surroundings.Terminal.Say("Nothing waits for your word.");
            else
            {
                Show(surroundings.Terminal, items);
                surroundings.Terminal.Say();
                surroundings.Terminal.Say("Answer with: polder inbox accept ID   or   polder inbox refuse ID");
            }
            return CommandLine.Done;
        });
        command.Subcommands.Add(Answer("accept", "Sign proposals: what they say is true.", accept: true, shared, surroundings));
        command.Subcommands.Add(Answer("refuse", "Refuse proposals, for good.", accept: false, shared, surroundings));
        return command;
    }

    private static Command Answer(string name, string description, bool accept, SharedOptions shared, Surroundings surroundings)
    {
        var ids = new Argument<string[]>("ID") { Description = "Ids as polder inbox shows them.", Arity = ArgumentArity.ZeroOrMore };
        var all = new Option<bool>("--all") { Description = "All that wait." };
        var command = new Command(name, description) { ids, all };
        command.Validators.Add(result =>
        {
            var some = result.GetValue(ids) is { Length: > 0 };
            if (some == result.GetValue(all))
                result.AddError(some ? "Give ids or --all, not both." : $"Say which: polder inbox {name} ID, or --all.");
        });
        surroundings.Ask(command, shared, async (node, parsed, json, stop) =>
        {
            var terminal = surroundings.Terminal;
            var answered = await terminal.WaitAsync(accept ? "Signing" : "Refusing",
                () => node.AnswerAsync(parsed.GetValue(ids) ?? [], accept, stop)).ConfigureAwait(false);
            if (json) terminal.Json(answered, HostJson.Default.IReadOnlyListInboxItem);
            else
            {
                terminal.Say(string.Create(CultureInfo.InvariantCulture, $"{(accept ? "Signed" : "Refused")}: {answered.Count}"));
                if (answered.Count > 0) Show(terminal, answered);
            }
            return CommandLine.Done;
        });
        return command;
    }

    private static void Show(Terminal terminal, IReadOnlyList<InboxItem> items) =>
        terminal.Table(["id", "from", "they say", "for", "when (UTC)"], items.Select(item => (IReadOnlyList<string>)
        [
            item.Id, item.FromName,
            item is { Amount: { } amount, Unit: { } unit } ? $"{(item.TheyGave == true ? "they gave me" : "I gave them")} {Amounts.Format(amount, unit)}" : $"a block of type {item.Type}",
            item.For, item.Time.UtcDateTime.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture),
        ]));
}
