using Polder.Apps.Parcels.Codes;
using Polder.Apps.Parcels.Native;

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
    /// <summary>Asked before a guess is spent, with the budget: other places spend of the same.</summary>
    public Func<int, bool> MayGuess { get; init; } = static _ => true;
    /// <summary>Asked once the key is confirmed: whether this place goes on.</summary>
    public Func<bool> Wins { get; init; } = static () => true;
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
        var budget = GuessBudget.OfReceiver(code.WordCount);
        if (parcels.CodeOf(code.Text).Guesses >= budget) throw Spent();
        await foreach (var candidate in Candidates.FindAsync(options, () => Rendezvous.Of(code.Nameplate, DateTimeOffset.UtcNow), cancel).ConfigureAwait(false))
        {
            if (await candidate.ConnectAsync(cancel).ConfigureAwait(false) is not { } stream) continue;
            await using var _ = stream;
            var dialogue = new RunDialogue(stream, isSender: false);
            try
            {
                using var time = CancellationTokenSource.CreateLinkedTokenSource(cancel);
                time.CancelAfter(GuessBudget.RunTime);
                await dialogue.RunAsReceiverAsync(code, candidate.Key, Spend, time.Token).ConfigureAwait(false);
            }
            catch (ParcelException problem) when (problem.Kind == ParcelProblem.WrongCode)
            {
                if (parcels.CodeOf(code.Text).Guesses >= budget) throw new ParcelException(ParcelProblem.WrongCode, problem.Message + " Ask the sender for a new code.", problem);
                continue;
            }
            catch (Exception problem) when (problem is ParcelException or IOException || (problem is OperationCanceledException && !cancel.IsCancellationRequested)) { continue; }
            await ServeAsync(dialogue, cancel).ConfigureAwait(false);
            return;
        }

        void Spend()
        {
            var state = parcels.CodeOf(code.Text);
            if (state.Guesses >= budget || !MayGuess(budget)) throw Spent();
            // Durable before the confirmation goes out: a restart does not give it back.
            parcels.Note(code.Text, state with { Guesses = state.Guesses + 1, At = DateTimeOffset.UtcNow });
        }
    }

    /// <summary>After the code was confirmed: the offer, the person's word, the files.</summary>
    public async Task ServeAsync(INativeTalk dialogue, CancellationToken cancel)
    {
        if (!Wins()) throw new OperationCanceledException("Another meeting place was first.");
        Doing = "waiting for the offer";
        var (json, offer) = await OfferAsync(dialogue, cancel).ConfigureAwait(false);
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
            var (json, offer) = await OfferAsync(dialogue, cancel).ConfigureAwait(false);
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
        catch (ParcelException problem) when (problem.Kind == ParcelProblem.Broken) { }
        catch (ParcelException problem) when (problem.Kind == ParcelProblem.Changed && receiver?.ChangedPlace is { } place)
        {
            Journal!.Drop(place);
            Journal.Save();
            throw;
        }
        finally { IsMoving = false; }
    }

    private static async Task<(byte[] Json, NativeOffer Offer)> OfferAsync(INativeTalk dialogue, CancellationToken cancel)
    {
        var json = await dialogue.ReceiveAsync(cancel).ConfigureAwait(false);
        if (NativeSend.ErrorOf(json) is { } error) throw new ParcelException(ParcelProblem.Refused, $"The sender stopped: {ItemPath.Escaped(error)}");
        if (NativeOffer.Read(json, out var problem) is { } offer) return (json, offer);
        using var words = new MemoryStream();
        using (var writer = new System.Text.Json.Utf8JsonWriter(words))
        {
            writer.WriteStartObject();
            writer.WriteString("error", problem!.Length > 400 ? problem[..400] : problem);
            writer.WriteEndObject();
        }
        await dialogue.SendAsync(words.ToArray(), cancel).ConfigureAwait(false);
        throw new ParcelException(ParcelProblem.Breach, problem!);
    }

    private static ParcelException Spent() => new(ParcelProblem.WrongCode,
        "This code was tried as often as is safe: more tries would let somebody guess it. Ask the sender for a new code.");
}
