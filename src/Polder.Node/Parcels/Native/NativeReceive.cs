using Polder.Apps.Parcels;
using Polder.Apps.Parcels.Codes;
using Polder.Apps.Parcels.Native;
using Polder.Apps.Parcels.Stock;
using Polder.Node.Parcels.Native.Journals;
using Polder.Node.Parcels.Native.Meeting;
using Polder.Node.Parcels.Native.Transfer;

namespace Polder.Node.Parcels.Native;

/// <summary>What a person says to an offer.</summary>
/// <param name="Accept">Whether it is wanted.</param>
/// <param name="Want">Which files, by number, rising; null for all.</param>
/// <param name="Folder">Where to; null for where it was said before.</param>
internal sealed record OfferAnswer(bool Accept, IReadOnlyList<int>? Want = null, string? Folder = null);

/// <summary>
/// One parcel on its way here in our own way: looks for the sender at every meeting place, spends guesses sparingly, asks the person, receives, and after
/// a broken line finds the same sender again.
/// </summary>
internal sealed class NativeReceive(ParcelFolder parcels, WormholeCode code, string folder, MeetingOptions options, Func<NativeOffer, CancellationToken, Task<OfferAnswer>> ask)
{
    private static readonly TimeSpan AgainPause = TimeSpan.FromSeconds(0.5);

    public TransferWatch Watch { get; } = new();
    /// <summary>What it is doing, in words.</summary>
    public string Doing { get; private set; } = "looking for the sender";
    /// <summary>Whether files are moving.</summary>
    public bool IsMoving { get; private set; }
    /// <summary>Asked before our confirmation goes out: whether no other place goes on with the code.</summary>
    public Func<bool> MayShow { get; init; } = static () => true;
    /// <summary>Whether another place has shown our confirmation: where the budget is gone then, that one goes on and this one keeps still.</summary>
    public Func<bool> IsShownElsewhere { get; init; } = static () => false;
    /// <summary>Asked once the key is confirmed: whether this place goes on.</summary>
    public Func<bool> Wins { get; init; } = static () => true;
    /// <summary>Takes a text that came instead of files.</summary>
    public Action<string> TakesText { get; init; } = static _ => { };
    /// <summary>Takes a sentence about what happens.</summary>
    public Action<string> Says { get; init; } = static _ => { };
    /// <summary>Bytes of the text that came; null when files came.</summary>
    public long? TextBytes { get; private set; }
    /// <summary>The journal, once the parcel was taken.</summary>
    public ReceiverJournal? Journal { get; private set; }
    /// <summary>Whether it goes on with what was begun earlier.</summary>
    public bool IsResumed { get; private set; }

    /// <summary>Done when everything is here; gives where. Throws a <see cref="ParcelException"/> when it never will be.</summary>
    public async Task<IReadOnlyList<string>> RunAsync(CancellationToken cancel, INativeTalk? met = null)
    {
        Journal = met is not null ? null : parcels.Incoming().FirstOrDefault(journal => journal.State.Code == code.Text);
        IsResumed = Journal is not null;
        try
        {
            if (met is not null) await ServeAsync(met, cancel).ConfigureAwait(false);
            else if (Journal is null) await FirstAsync(cancel).ConfigureAwait(false);
            if (TextBytes is not null) return [];
            while (Journal is not null && !IsComplete) await AgainAsync(cancel).ConfigureAwait(false);
            var finals = Journal!.State.Items.Select(static item => item.Final!).ToList();
            Journal.Forget();
            Doing = "done";
            return finals;
        }
        finally { IsMoving = false; }
    }

    /// <summary>Whether everything is here.</summary>
    private bool IsComplete { get; set; }

    private async Task FirstAsync(CancellationToken cancel)
    {
        await Task.Delay(options.HeadStart, cancel).ConfigureAwait(false);
        if (!parcels.HasGuesses(code)) await SpentAsync(null, cancel).ConfigureAwait(false);
        var wrong = new HashSet<string>();
        await foreach (var candidate in Candidates.FindAsync(options, () => Rendezvous.Of(code.Nameplate, DateTimeOffset.UtcNow), cancel).ConfigureAwait(false))
        {
            // Who had the words wrong once gets no second guess.
            if (wrong.Contains(Convert.ToHexString(candidate.Key))) continue;
            if (!parcels.HasGuesses(code)) await SpentAsync(null, cancel).ConfigureAwait(false);
            if (await candidate.ConnectAsync(cancel).ConfigureAwait(false) is not { } stream) continue;
            await using var _ = stream;
            var dialogue = new RunDialogue(stream, isSender: false);
            try
            {
                using var time = CancellationTokenSource.CreateLinkedTokenSource(cancel);
                time.CancelAfter(GuessBudget.RunTime);
                await dialogue.RunAsReceiverAsync(code, candidate.Key, () => MayShow() && parcels.TrySpend(code), time.Token).ConfigureAwait(false);
            }
            catch (ParcelException problem) when (problem.Kind == ParcelProblem.WrongCode)
            {
                wrong.Add(Convert.ToHexString(candidate.Key));
                if (!parcels.HasGuesses(code)) await SpentAsync(problem, cancel).ConfigureAwait(false);
                continue;
            }
            catch (Exception problem) when (problem is ParcelException or IOException || (problem is OperationCanceledException && !cancel.IsCancellationRequested)) { continue; }
            parcels.Proved(code);
            await ServeAsync(dialogue, cancel).ConfigureAwait(false);
            return;
        }
    }

    // No guess is left.
    private async Task SpentAsync(ParcelException? problem, CancellationToken cancel)
    {
        if (IsShownElsewhere()) await Task.Delay(Timeout.Infinite, cancel).ConfigureAwait(false);
        throw problem is null ? new ParcelException(ParcelProblem.WrongCode, CodeWords.Spent) : new ParcelException(ParcelProblem.WrongCode, problem.Message + " Ask the sender for a new code.", problem);
    }

    /// <summary>After the code was confirmed: the offer, the person's word, the files.</summary>
    public async Task ServeAsync(INativeTalk dialogue, CancellationToken cancel)
    {
        if (!Wins()) throw new OperationCanceledException("Another meeting place was first.");
        Doing = "waiting for the offer";
        var json = await dialogue.ReceiveAsync(cancel).ConfigureAwait(false);
        if (StockMessage.Read(json) is { Offer: { } offered } && StockOffer.Judge(offered) is { Text: { } text, Offer.SizeBytes: var bytes })
        {
            TakesText(text);
            TextBytes = bytes;
            await dialogue.SendAsync(StockMessage.MessageAck, cancel).ConfigureAwait(false);
            return;
        }
        var offer = await ReadOfferAsync(dialogue, json, cancel).ConfigureAwait(false);
        Doing = "waiting for a word";
        OfferAnswer answer;
        using (var asking = CancellationTokenSource.CreateLinkedTokenSource(cancel)) answer = await ask(offer, asking.Token).ConfigureAwait(false);
        if (!answer.Accept)
        {
            await dialogue.SendAsync("""{"error":"transfer rejected"}"""u8.ToArray(), cancel).ConfigureAwait(false);
            throw new ParcelException(ParcelProblem.Refused, "Refused, as you said. Nothing was written.");
        }
        var target = answer.Folder ?? folder;
        Directory.CreateDirectory(target);
        var want = answer.Want is { Count: > 0 } some && offer.Manifest is null ? some : [.. Enumerable.Range(0, offer.Count)];
        Journal = ReceiverJournal.Create(parcels, RunKeys.ResumeId(dialogue.Keys), RunKeys.ResumeSecret(dialogue.Keys), code.Text, target, json, offer, want);
        await MoveAsync(dialogue, offer.Manifest is null ? want : null, cancel).ConfigureAwait(false);
    }

    // The same sender again, by the secret of the first run: no code, no guesses.
    private async Task AgainAsync(CancellationToken cancel)
    {
        var meeting = Rendezvous.OfResume(Journal!.Id);
        Doing = IsResumed ? "looking for the sender, to go on where it broke" : "the line broke; looking for the sender again";
        await foreach (var candidate in Candidates.FindAsync(options, () => [meeting], cancel).ConfigureAwait(false))
        {
            if (await candidate.ConnectAsync(cancel).ConfigureAwait(false) is not { } stream) continue;
            await using var _ = stream;
            var dialogue = new RunDialogue(stream, isSender: false);
            try
            {
                using (var time = CancellationTokenSource.CreateLinkedTokenSource(cancel))
                {
                    time.CancelAfter(GuessBudget.RunTime);
                    await dialogue.AgainAsync(null, Journal.Secret, time.Token).ConfigureAwait(false);
                }
            }
            catch (Exception problem) when (problem is ParcelException or IOException || (problem is OperationCanceledException && !cancel.IsCancellationRequested)) { continue; }
            var json = await dialogue.ReceiveAsync(cancel).ConfigureAwait(false);
            var offer = await ReadOfferAsync(dialogue, json, cancel).ConfigureAwait(false);
            if (!Journal.TakeOfferAgain(json, offer))
            {
                await dialogue.SendAsync("""{"error":"these are other files than were agreed to"}"""u8.ToArray(), cancel).ConfigureAwait(false);
                throw new ParcelException(ParcelProblem.Refused, "The sender has other files now than were agreed to. Ask for a new code; --forget gives this one up.");
            }
            await MoveAsync(dialogue, offer.Manifest is null ? [.. Journal.State.Items.Select(static item => item.Item)] : null, cancel).ConfigureAwait(false);
            if (!IsComplete) await Task.Delay(AgainPause, cancel).ConfigureAwait(false);
            return;
        }
    }

    private async Task MoveAsync(INativeTalk dialogue, IReadOnlyList<int>? want, CancellationToken cancel)
    {
        DataReceiver? receiver = null;
        try
        {
            await dialogue.SendAsync(System.Text.Encoding.UTF8.GetBytes(dialogue.Hints), cancel).ConfigureAwait(false);
            await dialogue.SendAsync(NativeOffer.WriteAnswer(want), cancel).ConfigureAwait(false);
            Watch.Restart();
            Doing = "receiving";
            IsMoving = true;
            var channel = await dialogue.ConnectAsync(cancel).ConfigureAwait(false);
            receiver = new DataReceiver(channel, Journal!, Watch);
            await receiver.RunAsync(null, cancel).ConfigureAwait(false);
            IsComplete = true;
        }
        catch (ParcelException problem) when (problem.Kind == ParcelProblem.Broken)
        {
            Says($"The line broke. Looking for the sender again, to go on; the same command does so later, too: polder receive {code}");
        }
        catch (ParcelException problem) when (problem.Kind == ParcelProblem.Changed && receiver?.ChangedPlace is { } place)
        {
            Journal!.Drop(place);
            Journal.Save();
            throw;
        }
        finally { IsMoving = false; }
    }

    private static async Task<NativeOffer> ReadOfferAsync(INativeTalk dialogue, byte[] json, CancellationToken cancel)
    {
        if (NativeSend.ErrorOf(json) is { } error) throw new ParcelException(ParcelProblem.Refused, $"The sender stopped: {ItemPath.Escaped(error)}");
        if (NativeOffer.Read(json, out var problem) is { } offer) return offer;
        await dialogue.SendAsync(StockMessage.OfError(problem!.Length > 400 ? problem[..400] : problem), cancel).ConfigureAwait(false);
        throw new ParcelException(ParcelProblem.Breach, problem);
    }
}
