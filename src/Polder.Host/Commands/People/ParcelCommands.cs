using System.CommandLine;
using Polder.Apps.Parcels;
using Polder.Apps.Parcels.Codes;
using Polder.Host.Api;
using Polder.Node.Operations;
using Polder.Node.Parcels;

namespace Polder.Host.Commands.People;

/// <summary>polder send and polder receive: files, folders and texts by a spoken code. Processes of their own; they need no running node.</summary>
internal static class ParcelCommands
{
    public static Command Send(SharedOptions shared, Surroundings surroundings)
    {
        var paths = new Argument<string[]>("PATH") { Description = "Files and folders to send.", Arity = ArgumentArity.ZeroOrMore };
        var text = new Option<string?>("--text") { Description = "Send this text instead; - reads it from the input.", HelpName = "TEXT" };
        var code = new Option<string?>("--code") { Description = "A code of my own, such as 7-green-bottle. Default: one is drawn and shown.", HelpName = "CODE" };
        var words = new Option<int>("--words") { Description = "Words of a drawn code, 1 to 8; each is worth 8 bits.", HelpName = "N", DefaultValueFactory = _ => WormholeCode.WordsDefault };
        var list = new Option<bool>("--list") { Description = "Show what was begun and is not finished, both ways. The same command again goes on with it." };
        var forget = new Option<string?>("--forget") { Description = "Give one of these up, by its id or code; all for all of them.", HelpName = "ID" };
        var fresh = new Option<bool>("--fresh") { Description = "Begin anew even where the same files were begun and not finished." };
        var stock = new Option<bool>("--stock") { Description = "Speak Magic Wormhole's wire only, to Polder too: by a mailbox, without going on after a break." };
        var verify = new Option<bool>("--verify") { Description = "Ask me to compare 64 digits with the other side before anything is sent." };
        var (mailbox, relay, loopback, noListen) = WayOptions();
        var command = new Command("send", "Send files, folders or a text to somebody who is told a code. Works with Magic Wormhole's programs too.")
        {
            paths, text, code, words, list, forget, fresh, stock, verify, mailbox, relay, loopback, noListen,
        };
        command.SetAction(async (parsed, stop) =>
        {
            var terminal = surroundings.Terminal;
            var given = parsed.GetValue(paths) ?? [];
            var folder = shared.FolderOf(parsed);
            if (parsed.GetValue(forget) is { } unwanted)
            {
                ParcelWays.Forget(folder, unwanted);
                if (!parsed.GetValue(shared.Json)) terminal.Say("Forgotten. What had arrived whole stays.");
                return CommandLine.Done;
            }
            if (parsed.GetValue(list)) return ParcelLists.Show(terminal, ParcelWays.Journals(folder), parsed.GetValue(shared.Json));
            using var node = await NodeOfAsync(folder, parsed.GetValue(loopback), stop).ConfigureAwait(false);
            var options = Ways(parsed, shared, mailbox, relay, loopback, noListen) with { DataFolder = parsed.GetValue(stock) ? null : folder, Node = node?.Parcels };
            if (parsed.GetValue(stock) && options.Mailbox is null) throw Bad("--stock needs a mailbox server: name one with --mailbox ws://HOST:PORT/v1.");
            var human = new TerminalSender(terminal, parsed.GetValue(shared.Json), options);
            if (parsed.GetValue(verify) && !terminal.CanAsk) throw Bad("--verify asks you a question, and there is no terminal to ask on.");
            if (parsed.GetValue(words) is < 1 or > WormholeCode.WordsMax) throw Bad($"--words is a number from 1 to {WormholeCode.WordsMax}.");
            var contents = Contents(given, parsed.GetValue(text), parsed.GetValue(stock));
            var typed = parsed.GetValue(code) is { } own ? Code(own, terminal) : null;
            if (!parsed.GetValue(fresh) && ParcelWays.Unfinished(options, given, typed, human) is { } again)
            {
                terminal.Note("These files were begun earlier: this goes on where it broke off (--fresh begins anew).");
                return human.End(await GuardAsync(() => again(stop)).ConfigureAwait(false));
            }
            if (typed is { WordCount: 0 }) throw Bad("This code holds no secret: everybody who knows the number could take what you send. Put words behind it, as in 7-green-bottle.");
            var outcome = await GuardAsync(() => ParcelWays.Sender(options).SendAsync(new SendingJob(contents, human) { Verify = parsed.GetValue(verify) }, typed, parsed.GetValue(words), stop)).ConfigureAwait(false);
            return human.End(outcome);
        });
        return command;
    }

    public static Command Receive(SharedOptions shared, Surroundings surroundings)
    {
        var typed = new Argument<string[]>("CODE") { Description = "The code that the sender told.", Arity = ArgumentArity.OneOrMore };
        var yes = new Option<bool>("--yes") { Description = "Accept without a question." };
        var folder = new Option<string?>("--out") { Description = "The folder to write into. Default: this one.", HelpName = "DIR" };
        var verify = new Option<bool>("--verify") { Description = "Show 64 digits to compare with the sender." };
        var noSecret = new Option<bool>("--no-secret") { Description = "Accept a code without words, which protects nothing." };
        var (mailbox, relay, loopback, noListen) = WayOptions();
        var command = new Command("receive", "Receive what somebody sends, by the code that he told me. Works with Magic Wormhole's programs too.")
        {
            typed, yes, folder, verify, noSecret, mailbox, relay, loopback, noListen,
        };
        command.SetAction(async (parsed, stop) =>
        {
            var terminal = surroundings.Terminal;
            using var node = await NodeOfAsync(shared.FolderOf(parsed), parsed.GetValue(loopback), stop).ConfigureAwait(false);
            var options = Ways(parsed, shared, mailbox, relay, loopback, noListen) with { DataFolder = shared.FolderOf(parsed), Node = node?.Parcels };
            // Before the code is used: a code that was used cannot be used again.
            if (!parsed.GetValue(yes) && !terminal.CanAsk) throw Bad("There is no terminal to ask on whether you want what comes. Say so with --yes.");
            var code = Code(string.Join(' ', parsed.GetValue(typed)!), terminal);
            if (code.WordCount == 0 && !parsed.GetValue(noSecret)) throw Bad("This code holds no secret: anybody may be the sender. Ask for one with words, or say --no-secret.");
            if (ParcelWays.IsUnfinished(options, code)) terminal.Note("This was begun earlier: it goes on where it broke off.");
            var human = new TerminalReceiver(terminal, parsed.GetValue(shared.Json), parsed.GetValue(yes));
            var target = Path.GetFullPath(parsed.GetValue(folder) ?? ".");
            if (File.Exists(target)) throw Bad($"{target} is a file. --out names a folder.");
            var outcome = await GuardAsync(() => ParcelWays.Receiver(options, code).ReceiveAsync(new ReceivingJob(code, target, human) { Verify = parsed.GetValue(verify) }, stop)).ConfigureAwait(false);
            return human.End(outcome);
        });
        return command;
    }

    /// <summary>The running node of the data folder, for its DHT and its sessions; with --loopback only one that stays on this machine, too.</summary>
    private static async Task<ApiNode?> NodeOfAsync(string folder, bool loopback, CancellationToken stop)
    {
        if (await NodeAccess.TryFindRunningAsync(folder, stop).ConfigureAwait(false) is not { } node) return null;
        if (!loopback || (await node.StatusAsync(stop).ConfigureAwait(false)).Loopback) return node;
        node.Dispose();
        return null;
    }

    /// <summary>The exit code of an end (docs/send.md).</summary>
    public static int CodeOf(ParcelResult result) => result switch
    {
        ParcelResult.Complete => CommandLine.Done,
        ParcelResult.WrongCode or ParcelResult.Refused => CommandLine.Conflict,
        ParcelResult.NoMeeting or ParcelResult.LineBroken => CommandLine.Unavailable,
        _ => CommandLine.OurFailure,
    };

    private static (Option<string?> Mailbox, Option<string?> Relay, Option<bool> Loopback, Option<bool> NoListen) WayOptions() =>
    (
        new Option<string?>("--mailbox") { Description = "The mailbox server where both meet (polder run --mailbox PORT serves one).", HelpName = "ws://HOST:PORT/v1" },
        new Option<string?>("--relay") { Description = "The relay for when no direct connection comes about (polder run --relay PORT serves one).", HelpName = "HOST:PORT" },
        new Option<bool>("--loopback") { Description = "127.0.0.1 only." },
        new Option<bool>("--no-listen") { Description = "Take no connections: dial, or meet at the relay." }
    );

    private static ParcelOptions Ways(ParseResult parsed, SharedOptions shared, Option<string?> mailbox, Option<string?> relay, Option<bool> loopback, Option<bool> noListen)
    {
        var configured = RunCommand.Configured(parsed.GetValue(shared.Data) is { } data ? [new("data", data)] : []).Options;
        var local = parsed.GetValue(loopback);
        var server = parsed.GetValue(mailbox) ?? (local ? null : configured.ParcelMailbox);
        var through = parsed.GetValue(relay) ?? (local ? null : configured.ParcelRelay);
        return new ParcelOptions
        {
            Mailbox = server is null ? null : ParcelAddresses.Mailbox(server, local), Relay = through is null ? null : ParcelAddresses.Relay(through, local),
            Loopback = local, Listen = !parsed.GetValue(noListen),
        };
    }

    private static ParcelContents Contents(string[] paths, string? text, bool stock)
    {
        if (text is not null && paths.Length > 0) throw Bad("Send files or a text, not both at once.");
        if (text is not null) return new ParcelContents { Text = text == "-" ? Console.In.ReadToEnd() : text };
        if (paths.Length == 0) throw Bad("What is to be sent? Name files or folders, or a text with --text.");
        ParcelContents contents;
        try { contents = ParcelWays.Contents(paths); }
        catch (ParcelEndedException problem) { throw new OperationRefusedException(RefusalKind.NotFound, problem.Message); }
        // Told before anybody is told a code.
        return stock || ParcelWays.Problem(paths) is not { } wrong ? contents : throw Bad(wrong);
    }

    private static WormholeCode Code(string typed, Terminal terminal)
    {
        if (WormholeUri.TryParse(typed, out var link)) return link.Code;
        var tidy = WormholeCode.Tidy(typed, out var changed);
        if (!WormholeCode.TryParse(tidy, out var code, out var problem)) throw Bad(problem);
        if (changed) terminal.Note($"Taken as {Terminal.Escape(tidy)}");
        return code;
    }

    private static async Task<ParcelOutcome> GuardAsync(Func<Task<ParcelOutcome>> transfer)
    {
        try { return await transfer().ConfigureAwait(false); }
        catch (ParcelEndedException ended) { return ended.Outcome; }
    }

    private static OperationRefusedException Bad(string sentence) => new(RefusalKind.BadInput, sentence);
}

/// <summary>A line of <c>polder send --json</c>: the code, as soon as it is there.</summary>
internal sealed record ParcelCodeView(string Code, string Link);

/// <summary>The last line of <c>polder send --json</c> and <c>polder receive --json</c>.</summary>
internal sealed record ParcelEndView(string Result, string Sentence, long Bytes, double Seconds, string Way, IReadOnlyList<string> Paths, string? Text);
