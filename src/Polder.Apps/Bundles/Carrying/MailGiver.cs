using Polder.Apps.Bundles.Stores;
using Polder.Overlay;
using Polder.Overlay.Streams;

namespace Polder.Apps.Bundles.Carrying;

/// <summary>The giving side: what a peer is to have, because it is for it or because it may carry it.</summary>
internal sealed class MailGiver(Mailbag bag, NodeHost host, IMailStore store)
{
    /// <summary>Letters up to this length go to their receiver without asking first: a question costs a round trip.</summary>
    private const int UnaskedBytesMax = 16_384;
    private const long RoundBytesMax = 1 << 20;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60), Refused = TimeSpan.FromMinutes(10), Soon = TimeSpan.FromSeconds(20), Never = TimeSpan.FromDays(3650);

    /// <summary>Gives what there is to give, until there is nothing more or the session ends.</summary>
    public async Task RunAsync(MailTalk talk)
    {
        if (talk.IsMute || !talk.Session.IsOpen || bag.Contacts.IsBlocked(talk.Key)) return;
        if (talk.IsGiving)
        {
            talk.Again = true;
            return;
        }
        talk.IsGiving = true;
        PeerStream? stream = null;
        try
        {
            do
            {
                talk.Again = false;
                while (true)
                {
                    var notes = bag.Notes.Last > talk.NotesTold && (talk.TakesPart || bag.IsFriend(talk.Key)) ? bag.Notes.After(talk.NotesTold, MailLimits.NotesPerFrameMax).ToArray() : [];
                    var round = MailChoice.For(bag, talk);
                    if (notes.Length == 0 && round.Count == 0) break;
                    stream ??= await host.Streams.OpenAsync(talk.Session, MailWire.ProtocolName);
                    if (stream is null) return;
                    using var patience = new CancellationTokenSource(Patience, host.Environment.Time);
                    if (notes.Length > 0)
                    {
                        await MailFrames.WriteAsync(stream, MailFrame.Notes, MailNotes.Write(notes), patience.Token);
                        talk.NotesTold = notes[^1].Order;
                    }
                    if (round.Count > 0) await GiveAsync(talk, stream, round, patience);
                }
            }
            while (talk.Again);
        }
        catch (PeerStreamException)
        {
            // It does not know the protocol, or the session ended.
            if (talk.Session.IsOpen && !talk.TakesPart) talk.IsMute = true;
        }
        catch (EndOfStreamException) { talk.IsMute = true; }
        catch (OperationCanceledException) { stream?.Reset(); }
        catch (IOException) { /* Our disk; the next round tries again. */ }
        finally
        {
            talk.IsGiving = false;
            if (stream is not null) await stream.DisposeAsync();
        }
    }

    private async Task GiveAsync(MailTalk talk, PeerStream stream, List<MailPick> round, CancellationTokenSource patience)
    {
        // The first time, and short: at once.
        if (round[0] is { Own: { IsFresh: true } first, Terms: null } && first.Envelope.Bytes <= UnaskedBytesMax)
        {
            var fresh = round.TakeWhile(static pick => pick is { Own.IsFresh: true, Terms: null } && pick.Envelope.Bytes <= UnaskedBytesMax).ToList();
            await SendAsync(talk, stream, [.. fresh.Select(static pick => (pick, false))], patience);
            return;
        }
        var bytes = 0L;
        round = [.. round.TakeWhile((pick, i) => (bytes += pick.Envelope.Bytes) <= RoundBytesMax || i == 0)];
        await MailFrames.WriteAsync(stream, MailFrame.Offer, MailOffer.Write(round.ConvertAll(static pick => pick.ToOffer())), patience.Token);
        if (await MailFrames.ReadAsync(stream, patience.Token) is not (MailFrame.Answer, var body) || MailAnswer.ReadAll(body, round.Count) is not { } answers)
            throw new EndOfStreamException("No answer to an offer.");
        talk.TakesPart = true;
        var wanted = new List<(MailPick, bool)>();
        for (var i = 0; i < round.Count; i++)
        {
            var (pick, answer) = (round[i], answers[i]);
            if (answer.Verdict != MailVerdict.Want) Settle(talk, pick, answer);
            else if (pick is { Own: { } own, Terms: not null } && !answer.KnowsReceiver && bag.IsTooEarlyFor(own, talk.Key)) talk.NotBefore(pick.Id.Head, host.Now + bag.Options.Interval);
            else wanted.Add((pick, answer.KnowsReceiver));
        }
        if (wanted.Count > 0) await SendAsync(talk, stream, wanted, patience);
    }

    private async Task SendAsync(MailTalk talk, PeerStream stream, IReadOnlyList<(MailPick Pick, bool Knows)> wanted, CancellationTokenSource patience)
    {
        // Copies are taken before anything is sent: several peers are given to at the same time. One of somebody's letters that is handed on is not ours
        // any more, whatever happens on the way, else a crash would multiply it; one of our own comes back when nobody took it.
        var granted = new List<(MailPick Pick, bool Knows, int Copies)>();
        foreach (var (pick, knows) in wanted)
        {
            if (pick.Terms is not { } terms) granted.Add((pick, knows, 0));
            else if (pick.Own is { } own && Math.Min(terms.Copies, own.Copies) is > 0 and var copies)
            {
                own.Copies -= copies;
                granted.Add((pick, knows, copies));
            }
            else if (pick.Carried is { } carried && Math.Min(terms.Copies, carried.Copies - 1) is > 0 and var some && bag.Carried.Find(carried.Id) is not null)
            {
                carried.Copies -= some;
                carried.NoteGiven(talk.Key.NodeId.Head);
                bag.Carried.Keep(carried);
                granted.Add((pick, knows, some));
            }
        }
        var settled = 0;
        try
        {
            await store.FlushAsync();
            for (var i = granted.Count - 1; i >= 0; i--)
                // It may have been cleared meanwhile.
                if (granted[i].Pick is { Own.IsOpen: false }) granted.RemoveAt(i);
            var sent = new List<(MailPick Pick, bool Knows, int Copies)>();
            foreach (var (pick, knows, copies) in granted)
            {
                if (pick.Own is { } own) own.IsFresh = false;
                if (store.Read(MailShelf.Sealed, pick.Id.Hash.ToArray()) is not { } letter) continue;
                patience.CancelAfter(Patience);
                await MailFrames.WriteAsync(stream, MailFrame.Letter, LetterRecord.Write(copies, pick.Terms?.Hops ?? 0, letter), patience.Token);
                bag.Figures.LettersGiven++;
                bag.Figures.BytesGiven += letter.Length;
                sent.Add((pick, knows, copies));
            }
            granted = sent;
            foreach (var (pick, knows, copies) in sent)
            {
                patience.CancelAfter(Patience);
                if (await MailFrames.ReadAsync(stream, patience.Token) is not (MailFrame.Taken, var body) || !MailAnswer.TryReadTaken(body, out var head, out var answer) || head != pick.Id.Head)
                    throw new EndOfStreamException("No answer to a letter.");
                talk.TakesPart = true;
                settled++;
                if (answer.Verdict != MailVerdict.Carried) GiveBack(pick, copies);
                Settle(talk, pick, answer with { KnowsReceiver = knows });
            }
        }
        finally
        {
            foreach (var (pick, _, copies) in granted.Skip(settled)) GiveBack(pick, copies);
        }
    }

    private static void GiveBack(MailPick pick, int copies)
    {
        if (pick.Own is { IsOpen: true } own) own.Copies += copies;
    }

    /// <summary>What its verdict means for one letter.</summary>
    private void Settle(MailTalk talk, MailPick pick, MailAnswer answer)
    {
        var head = pick.Id.Head;
        switch (answer.Verdict)
        {
            case MailVerdict.Arrived:
                talk.NotBefore(head, host.Now + Never);
                bag.Learn(head, answer.Proof!.Value);
                break;
            case MailVerdict.Carried or MailVerdict.Have:
                talk.NotBefore(head, host.Now + Never);
                if (pick is { Own: { } own, Terms: not null }) bag.IsWith(own, talk.Key, answer.KnowsReceiver);
                else if (pick is { Carried: { } carried, Terms: not null }) carried.NoteGiven(talk.Key.NodeId.Head);
                break;
            case MailVerdict.Later:
                talk.NotBefore(head, host.Now + Soon);
                break;
            default:
                talk.NotBefore(head, host.Now + Refused);
                break;
        }
    }
}
