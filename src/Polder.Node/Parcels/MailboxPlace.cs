using Polder.Apps.Parcels;

namespace Polder.Node.Parcels;

/// <summary>A mailbox server as a place where sender and receiver meet.</summary>
/// <param name="server">Its address, ws://HOST:PORT/v1.</param>
/// <param name="dialogues">How to go on after the key is confirmed, best first; the last fits every other side.</param>
internal sealed class MailboxPlace(Uri server, IReadOnlyList<IParcelDialogue> dialogues) : ISendingPlace, IReceivingPlace, IAsyncDisposable
{
    private MailboxLine? _line;

    /// <summary>What is remembered of codes; null for nothing.</summary>
    public ICodeMemory? Memory { get; init; }

    public string Name => "mailbox " + server;

    public async Task<string?> AllocateAsync(IParcelSenderHuman human, CancellationToken cancellation)
    {
        _line = await MailboxLine.OpenAsync(server, Versions, human, cancellation).ConfigureAwait(false);
        return _line is null ? null : await _line.AllocateAsync(cancellation).ConfigureAwait(false);
    }

    public async Task<ParcelOutcome?> SendAsync(SendingJob job, CancellationToken cancellation)
    {
        if (Memory?.IsBurnt(job.Code) == true) return new ParcelOutcome(ParcelResult.WrongCode, CodeWords.Burnt);
        var outcome = await RunAsync(job.Code, job.Human, job.Use, () => true, (dialogue, line) => dialogue.SendAsync(line, job, cancellation), cancellation).ConfigureAwait(false);
        if (outcome?.Result == ParcelResult.WrongCode) Memory?.Burn(job.Code);
        return outcome;
    }

    public async Task<ParcelOutcome?> ReceiveAsync(ReceivingJob job, CancellationToken cancellation)
    {
        var isSpent = false;
        var outcome = await RunAsync(job.Code, job.Human, job.Use, () => !(isSpent = Memory?.TrySpend(job.Code) == false), (dialogue, line) =>
        {
            Memory?.Proved(job.Code);
            return dialogue.ReceiveAsync(line, job, cancellation);
        }, cancellation).ConfigureAwait(false);
        // Where another place of this program spent it, that one goes on.
        return outcome is null && isSpent && !job.Use.IsShownElsewhere(Name) ? new ParcelOutcome(ParcelResult.WrongCode, CodeWords.Spent) : outcome;
    }

    public async ValueTask DisposeAsync()
    {
        if (_line is not null) await _line.DisposeAsync().ConfigureAwait(false);
    }

    private string Versions => "{" + string.Join(',', dialogues.Select(dialogue => dialogue.Announces).OfType<(string Key, string Json)>().Select(pair => $"\"{pair.Key}\":{pair.Json}")) + "}";

    private async Task<ParcelOutcome?> RunAsync(
        Apps.Parcels.Codes.WormholeCode code, IParcelProgress human, CodeUse use, Func<bool> maySpend, Func<IParcelDialogue, MailboxLine, Task<ParcelOutcome>> talk, CancellationToken cancellation)
    {
        _line ??= await MailboxLine.OpenAsync(server, Versions, human, cancellation).ConfigureAwait(false);
        if (_line is null) return null;
        var mood = "lonely";
        try
        {
            await _line.MeetAsync(code, () => use.TryShow(Name) && maySpend(), cancellation).ConfigureAwait(false);
            mood = "errory";
            if (!use.Win(Name)) return null;
            human.Report(new ParcelProgress(ParcelStage.Agreeing, 0, 0, ""));
            var dialogue = dialogues.First(dialogue => dialogue.Fits(_line.PeerVersions));
            var outcome = await talk(dialogue, _line).ConfigureAwait(false);
            mood = outcome.IsComplete ? "happy" : "errory";
            return outcome;
        }
        catch (ParcelEndedException) when (_line.HasLeft) { return null; }
        catch (ParcelEndedException ended)
        {
            if (ended.Outcome.Result == ParcelResult.WrongCode)
            {
                mood = "scary";
                use.Burn();
            }
            return ended.Outcome;
        }
        finally
        {
            await _line.CloseAsync(mood).ConfigureAwait(false);
            _line = null;
        }
    }
}
