using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Polder.Apps.Parcels;
using Polder.Apps.Parcels.Codes;
using Polder.Cryptography;
using Polder.Host.Api;
using Polder.Node.Parcels;

namespace Polder.Host.Commands.People;

/// <summary>A person at a terminal who watches a transfer: one line that moves, or a line for every stage where nothing can move.</summary>
internal class TerminalParcels(Terminal terminal, bool json) : IParcelProgress
{
    private static readonly TimeSpan LineInterval = TimeSpan.FromMilliseconds(150);

    private readonly Lock _gate = new();
    private ParcelStage? _stage;
    private long _shown, _began;
    private bool _lineOpen;

    protected Terminal Terminal => terminal;
    protected bool Json => json;

    public void Report(in ParcelProgress progress)
    {
        // Called for every piece: cheap unless something is to be shown.
        var now = Stopwatch.GetTimestamp();
        if (progress.Stage == _stage && Stopwatch.GetElapsedTime(_shown, now) < LineInterval) return;
        lock (_gate)
        {
            var fresh = progress.Stage != _stage;
            if (fresh && progress.Stage == ParcelStage.Moving) _began = now;
            (_stage, _shown) = (progress.Stage, now);
            if (terminal.ErrorInteractive) Line(progress, now);
            else if (fresh && Stage(progress) is { } words) terminal.Note(words);
        }
    }

    public void Note(string sentence)
    {
        lock (_gate)
        {
            CloseLine();
            terminal.Note(Terminal.Escape(sentence));
        }
    }

    /// <summary>Says how it ended; the exit code.</summary>
    public virtual int End(ParcelOutcome outcome)
    {
        lock (_gate) CloseLine();
        if (json) terminal.Say(JsonSerializer.Serialize(View(outcome), HostJson.Default.ParcelEndView));
        else if (outcome.IsComplete) terminal.Note(Terminal.Escape(outcome.Sentence) + Rate(outcome));
        else terminal.Problem(Terminal.Escape(outcome.Sentence));
        terminal.Output.Flush();
        return ParcelCommands.CodeOf(outcome.Result);
    }

    protected virtual ParcelEndView View(ParcelOutcome outcome) => new(
        Lower(outcome.Result.ToString()), outcome.Sentence, outcome.Bytes, outcome.Took.TotalSeconds, outcome.Way, outcome.Paths, null);

    protected void CloseLine()
    {
        if (_lineOpen) terminal.Error.Write("\r\e[K");
        _lineOpen = false;
    }

    /// <summary>"1.5 MB".</summary>
    protected static string Size(long bytes) => Amounts.Format(bytes, Amounts.Bytes);

    private void Line(in ParcelProgress progress, long now)
    {
        if (progress.Stage == ParcelStage.Done) { CloseLine(); return; }
        var words = Stage(progress) ?? "";
        if (progress is { Stage: ParcelStage.Moving, TotalBytes: > 0 })
        {
            const int Width = 24;
            var filled = (int)(progress.DoneBytes * Width / progress.TotalBytes);
            var seconds = Stopwatch.GetElapsedTime(_began, now).TotalSeconds;
            var rate = seconds > 0.2 ? $" · {Size((long)(progress.DoneBytes / seconds))}/s" : "";
            words = string.Create(CultureInfo.InvariantCulture,
                $"{new string('█', filled)}{new string('░', Width - filled)} {progress.DoneBytes * 100 / progress.TotalBytes,3} % of {Size(progress.TotalBytes)}{rate} · {Terminal.Escape(progress.Words)}");
        }
        if (words.Length == 0) return;
        var width = Math.Max(20, Console.IsErrorRedirected ? 80 : Console.WindowWidth - 1);
        terminal.Error.Write("\r\e[K" + (words.Length > width ? words[..width] : words));
        _lineOpen = true;
    }

    private static string? Stage(in ParcelProgress progress) => progress.Stage switch
    {
        ParcelStage.Meeting when progress.Words.Length > 0 => Terminal.Escape(progress.Words) + " …",
        ParcelStage.Waiting => "Waiting for the other side …",
        ParcelStage.Agreeing => "The other side is there, with the same code.",
        ParcelStage.Connecting => "Looking for a connection …",
        ParcelStage.Moving => $"{Size(progress.TotalBytes)}, {Terminal.Escape(progress.Words)}",
        ParcelStage.Checking => progress.Words.Length > 0 ? Terminal.Escape(progress.Words) + " …" : "Checking …",
        _ => null,
    };

    private static string Rate(ParcelOutcome outcome) => outcome.Took.TotalSeconds > 0 && outcome.Bytes > 1 << 20
        ? string.Create(CultureInfo.InvariantCulture, $" {Size(outcome.Bytes)} in {outcome.Took.TotalSeconds:0.0} s, {Size((long)(outcome.Bytes / outcome.Took.TotalSeconds))}/s, {outcome.Way}.") : "";

    private static string Lower(string name) => JsonNamingPolicy.CamelCase.ConvertName(name);
}

/// <summary>Who sends from a terminal.</summary>
internal sealed class TerminalSender(Terminal terminal, bool json, ParcelOptions ways) : TerminalParcels(terminal, json), IParcelSenderHuman
{
    public void ShowCode(WormholeCode code)
    {
        CloseLine();
        // The code alone on the first line of the output: scripts wait for it.
        Terminal.Say(Json ? JsonSerializer.Serialize(new ParcelCodeView(code.Text, new WormholeUri(code).ToString()), HostJson.Default.ParcelCodeView) : Terminal.Strong(Terminal.Escape(code.Text)));
        Terminal.Output.Flush();
        if (Json) return;
        Terminal.Note("On the other computer:");
        Terminal.Note("  polder receive " + Terminal.Escape(code.Text));
        if (ways.Mailbox is not { } mailbox) return;
        var relay = ways.Relay is { } hint ? $" --transit-helper tcp:{hint}" : "";
        Terminal.Note($"  or, with Magic Wormhole:  wormhole --relay-url {Terminal.Escape(mailbox.ToString())}{Terminal.Escape(relay)} receive {Terminal.Escape(code.Text)}");
    }

    public Task<bool> IsVerifierRightAsync(Hash256 verifier, CancellationToken cancellation)
    {
        CloseLine();
        return Task.FromResult(Terminal.AskYes($"Verifier {verifier}\nDoes the other side see the same?"));
    }
}

/// <summary>Who receives at a terminal.</summary>
internal sealed class TerminalReceiver(Terminal terminal, bool json, bool yes) : TerminalParcels(terminal, json), IParcelReceiverHuman
{
    private string? _text;

    public Task<ParcelAnswer> AskAsync(ParcelOffer offer, CancellationToken cancellation)
    {
        CloseLine();
        var name = Terminal.Escape(offer.Name);
        Terminal.Note(offer.Kind switch
        {
            ParcelKind.Folder => $"Folder \"{name}\": {Words.Count(offer.FileCount ?? 0, "file")}, {Size(offer.UnpackedBytes ?? offer.SizeBytes)}",
            ParcelKind.Items => $"{Words.Count(offer.FileCount ?? offer.Items.Count, "file")}, {Size(offer.SizeBytes)}:",
            _ => $"File \"{name}\": {Size(offer.SizeBytes)}",
        });
        foreach (var item in offer.Items.Take(20)) Terminal.Note($"  {Terminal.Escape(item.Path)}{(item.IsFolder ? "/" : "  " + Size(item.SizeBytes))}");
        if (offer.Items.Count > 20) Terminal.Note($"  … and {offer.Items.Count - 20} more");
        foreach (var warning in offer.Warnings) Terminal.Note("Take care: " + Terminal.Escape(warning));
        return Task.FromResult(yes || Terminal.AskYes("Receive it?") ? ParcelAnswer.Yes : ParcelAnswer.Refused);
    }

    public Task<bool> IsHugeWelcomeAsync(long unpackedBytes, long freeBytes, CancellationToken cancellation)
    {
        CloseLine();
        var question = $"It unpacks to {Size(unpackedBytes)}, and {Size(freeBytes)} are free.";
        // Nobody said yes to filling the disk.
        if (yes && !Terminal.CanAsk) { Terminal.Note(question + " Refused, as nobody can be asked."); return Task.FromResult(false); }
        return Task.FromResult(Terminal.AskYes(question + " Unpack it?"));
    }

    public void ShowText(string text)
    {
        CloseLine();
        _text = text;
        if (!Json) Terminal.Say(Terminal.Escape(text, lines: true));
    }

    public void ShowVerifier(Hash256 verifier)
    {
        CloseLine();
        Terminal.Note($"Verifier {verifier}");
        Terminal.Note("Compare it with the sender's.");
    }

    public override int End(ParcelOutcome outcome)
    {
        var code = base.End(outcome);
        if (!Json) foreach (var path in outcome.Paths) Terminal.Say(Terminal.Escape(path));
        Terminal.Output.Flush();
        return code;
    }

    protected override ParcelEndView View(ParcelOutcome outcome) => base.View(outcome) with { Text = _text };
}
