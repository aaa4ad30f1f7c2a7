using System.Diagnostics;
using System.Text.Json;
using Polder.Apps.Parcels;
using Polder.Apps.Parcels.Stock;
using Polder.Apps.Parcels.Transit;

namespace Polder.Node.Parcels;

/// <summary>The dialogue of the stock programs (docs/wire/wormhole.md, "Dialogue"); fits every other side.</summary>
/// <param name="transit">How connections are found.</param>
internal sealed class StockDialogue(TransitOptions transit) : IParcelDialogue
{
    /// <summary>How long the other side may take to say what it offers: its human may compare a verifier first.</summary>
    private static readonly TimeSpan OfferMax = TimeSpan.FromMinutes(10);

    public string Name => "stock";

    // Announced so that the day two nodes meet at a stock mailbox they can go on natively; the native dialogue says it itself.
    public (string Key, string Json)? Announces => null;

    public bool Fits(JsonElement peerVersions) => true;

    public async Task<ParcelOutcome> SendAsync(IConversation conversation, SendingJob job, CancellationToken cancellation)
    {
        if (job.Verify && !await job.Human.IsVerifierRightAsync(conversation.Keys.Verifier, cancellation).ConfigureAwait(false))
        {
            await conversation.SendAsync(StockMessage.OfError(StockErrors.VerifierRejected), cancellation).ConfigureAwait(false);
            throw new ParcelEndedException(ParcelResult.Refused, "The verifiers differ: somebody may sit between you. Nothing was sent.");
        }
        if (job.Contents.Text is { } text) return await SendTextAsync(conversation, text, cancellation).ConfigureAwait(false);

        var sending = new StockSending(job.Contents);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        await using var meeting = new TransitMeeting(isSender: true, new TransitKeys(conversation.Keys.TransitKey), transit);
        using var peer = new PeerWatch(conversation, stop);
        await conversation.SendAsync(meeting.OwnHints.Write(), cancellation).ConfigureAwait(false);
        await conversation.SendAsync(sending.Offer(), cancellation).ConfigureAwait(false);
        peer.Transit = meeting.Dial;
        peer.Start();
        return await peer.GuardAsync(async () =>
        {
            var answer = await peer.Answer.WaitAsync(stop.Token).ConfigureAwait(false);
            if (JsonText.Of(answer, "file_ack") != "ok")
                throw new ParcelEndedException(ParcelResult.PeerFailed, $"The other side answered in a way that means nothing: {JsonText.Show(answer)}");
            job.Human.Report(new ParcelProgress(ParcelStage.Connecting, 0, sending.Bytes, ""));
            using var link = await meeting.ConnectAsync(stop.Token).ConfigureAwait(false);
            return await sending.SendAsync(link, job.Human, stop.Token).ConfigureAwait(false);
        }).ConfigureAwait(false);
    }

    public async Task<ParcelOutcome> ReceiveAsync(IConversation conversation, ReceivingJob job, CancellationToken cancellation)
    {
        if (job.Verify) job.Human.ShowVerifier(conversation.Keys.Verifier);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        await using var meeting = new TransitMeeting(isSender: false, new TransitKeys(conversation.Keys.TransitKey), transit);
        using var peer = new PeerWatch(conversation, stop);
        TransitHints? theirs = null;
        var accepted = false;
        var gate = new Lock();
        peer.Transit = hints =>
        {
            lock (gate)
            {
                theirs = hints;
                // Nothing is dialled for a stranger's offer before the human has agreed to it.
                if (accepted) meeting.Dial(hints);
            }
        };
        peer.AnswersTransit = meeting.OwnHints.Write();
        peer.Start();
        return await peer.GuardAsync(async () =>
        {
            JsonElement offered;
            try { offered = await peer.Offer.WaitAsync(OfferMax, stop.Token).ConfigureAwait(false); }
            catch (TimeoutException) { throw new ParcelEndedException(ParcelResult.PeerFailed, "The other side knows the code and offers nothing."); }
            var offer = StockOffer.Judge(offered);
            if (offer.Error is not null) throw await RefuseAsync(conversation, offer.Error, ParcelResult.PeerFailed, offer.Why!, cancellation).ConfigureAwait(false);
            if (offer.Text is { } text)
            {
                job.Human.ShowText(text);
                await conversation.SendAsync(StockMessage.MessageAck, cancellation).ConfigureAwait(false);
                return new ParcelOutcome(ParcelResult.Complete, "A text came.") { Way = "mailbox", Bytes = offer.Offer!.SizeBytes };
            }
            var receiving = new StockReceiving(offer.Offer! with { Way = "stock wire" }, job.Human);
            if (receiving.WhyNoRoom(job.Folder) is { } why) throw await RefuseAsync(conversation, StockErrors.Rejected, ParcelResult.LocalProblem, why, cancellation).ConfigureAwait(false);
            var answer = await job.Human.AskAsync(receiving.Offer, stop.Token).ConfigureAwait(false);
            if (!answer.Accepted) throw await RefuseAsync(conversation, StockErrors.Rejected, ParcelResult.Refused, "You refused it. Nothing was written.", cancellation).ConfigureAwait(false);
            await conversation.SendAsync(StockMessage.FileAck, cancellation).ConfigureAwait(false);
            lock (gate)
            {
                accepted = true;
                meeting.Dial(theirs ?? TransitHints.None);
            }
            job.Human.Report(new ParcelProgress(ParcelStage.Connecting, 0, receiving.Offer.SizeBytes, ""));
            using var link = await meeting.ConnectAsync(stop.Token).ConfigureAwait(false);
            return await receiving.ReceiveAsync(link, answer.Folder ?? job.Folder, stop.Token).ConfigureAwait(false);
        }).ConfigureAwait(false);
    }

    private static async Task<ParcelOutcome> SendTextAsync(IConversation conversation, string text, CancellationToken cancellation)
    {
        var started = Stopwatch.GetTimestamp();
        await conversation.SendAsync(StockMessage.OfText(text), cancellation).ConfigureAwait(false);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        using var peer = new PeerWatch(conversation, stop);
        peer.Start();
        return await peer.GuardAsync(async () =>
        {
            var answer = await peer.Answer.WaitAsync(stop.Token).ConfigureAwait(false);
            if (JsonText.Of(answer, "message_ack") != "ok")
                throw new ParcelEndedException(ParcelResult.PeerFailed, $"The other side answered in a way that means nothing: {JsonText.Show(answer)}");
            return new ParcelOutcome(ParcelResult.Complete, "The text was delivered.") { Way = "mailbox", Took = Stopwatch.GetElapsedTime(started) };
        }).ConfigureAwait(false);
    }

    private static async Task<ParcelEndedException> RefuseAsync(IConversation conversation, string error, ParcelResult result, string why, CancellationToken cancellation)
    {
        await conversation.SendAsync(StockMessage.OfError(error), cancellation).ConfigureAwait(false);
        return new ParcelEndedException(result, why);
    }
}
