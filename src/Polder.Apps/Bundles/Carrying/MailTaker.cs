using Polder.Apps.Bundles.Letters;
using Polder.Apps.Bundles.Stores;
using Polder.Cryptography;
using Polder.Identity;
using Polder.Overlay;
using Polder.Overlay.Streams;

namespace Polder.Apps.Bundles.Carrying;

/// <summary>The taking side of a stream: letters for us, letters to carry, proofs that letters arrived.</summary>
internal sealed class MailTaker(Mailbag bag, NodeHost host)
{
    private const int StreamsPerPeerMax = 2, ContactsLookedAt = 512;
    private const long WantedBytesMax = 2 << 20;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Dictionary<PublicKey, int> _serving = new(PublicKey.Comparer);

    /// <summary>Letters of others that were refused for lack of room.</summary>
    public long RefusedFull { get; private set; }

    public async Task ServeAsync(PeerStream stream)
    {
        var key = stream.Peer.Key;
        var count = _serving.GetValueOrDefault(key);
        if (count >= StreamsPerPeerMax || bag.Contacts.IsBlocked(key)) return;
        _serving[key] = count + 1;
        try { await new Turn(bag, host, this, stream).RunAsync(); }
        finally
        {
            if (_serving.GetValueOrDefault(key) is var now and > 1) _serving[key] = now - 1;
            else _serving.Remove(key);
        }
    }

    /// <summary>One stream of one giver.</summary>
    private sealed class Turn(Mailbag bag, NodeHost host, MailTaker taker, PeerStream stream)
    {
        private readonly PublicKey _giver = stream.Peer.Key;
        private readonly Dictionary<ulong, MailOffer> _wanted = [];
        private Task _answers = Task.CompletedTask;
        private long _underWay;

        public async Task RunAsync()
        {
            using var patience = new CancellationTokenSource(Patience, host.Environment.Time);
            var talk = bag.Rounds.TalkOf(stream.Session);
            while (await MailFrames.ReadAsync(stream, patience.Token) is var (type, body))
            {
                patience.CancelAfter(Patience);
                talk?.TakesPart = true;
                switch (type)
                {
                    case MailFrame.Offer:
                        await _answers;
                        _wanted.Clear();
                        if (MailOffer.Read(body) is not { } offers) throw new EndOfStreamException("No offer.");
                        var answers = Judge(offers);
                        // "It arrived" is said only of what is on the disk.
                        if (!await bag.TryFlushAsync()) answers = answers.ConvertAll(static answer => answer.Verdict == MailVerdict.Arrived ? new MailAnswer(MailVerdict.Later) : answer);
                        await MailFrames.WriteAsync(stream, MailFrame.Answer, MailAnswer.WriteAll(answers), patience.Token);
                        break;
                    case MailFrame.Letter:
                        if (_underWay + body.Length > WantedBytesMax) await _answers;
                        _underWay += body.Length;
                        _answers = AnswerAsync(_answers, new LetterId(Hash256.Of(body.AsSpan(Math.Min(2, body.Length)))), TakeAsync(body), body.Length, patience.Token);
                        break;
                    case MailFrame.Notes:
                        if (!MailNotes.TryRead(body, out var notes)) throw new EndOfStreamException("No notes.");
                        foreach (var (head, proof) in notes) bag.Learn(head, proof);
                        break;
                    default:
                        throw new EndOfStreamException("A frame of the taker's.");
                }
            }
            await _answers;
            // What was taken may be for somebody who is here.
            bag.Rounds.Look();
        }

        private async Task AnswerAsync(Task before, LetterId id, Task<MailAnswer> taking, int bytes, CancellationToken cancel)
        {
            var answer = await taking;
            await before;
            _underWay -= bytes;
            await MailFrames.WriteAsync(stream, MailFrame.Taken, answer.WriteTaken(id.Head), cancel);
        }

        private List<MailAnswer> Judge(IReadOnlyList<MailOffer> offers)
        {
            var answers = new List<MailAnswer>(offers.Count);
            var bytes = 0L;
            foreach (var offer in offers)
            {
                var answer = Judge(offer);
                if (answer.Verdict == MailVerdict.Want && bytes > 0 && bytes + offer.LetterBytes > WantedBytesMax) answer = answer with { Verdict = MailVerdict.Later };
                if (answer.Verdict == MailVerdict.Want)
                {
                    bytes += offer.LetterBytes;
                    _wanted[offer.Head] = offer;
                }
                answers.Add(answer);
            }
            return answers;
        }

        private MailAnswer Judge(MailOffer offer)
        {
            if (bag.Inbox.Find(offer.Head) is { } received) return bag.Inbox.Again(received, _giver);
            if (bag.Inbox.IsOutOfTime(offer.Expires) is { } verdict) return new MailAnswer(verdict);
            if (offer.Carry is not { } carry || Envelope.HintOf(host.Identity.Public, carry.Ephemeral) == carry.Hint) return new MailAnswer(MailVerdict.Want);
            if (bag.Notes.Find(offer.Head) is { } note) return new MailAnswer(MailVerdict.Arrived, Proof: note.Proof);
            var isFriend = bag.IsFriend(_giver);
            var knows = isFriend && bag.Options.TellsCommonFriends && bag.Contacts.All.Take(ContactsLookedAt).Any(card => !card.Blocked && Envelope.HintOf(card.Key, carry.Ephemeral) == carry.Hint);
            if (bag.Outbox.Find(offer.Head) is not null || bag.Carried.Find(offer.Head) is not null) return new MailAnswer(MailVerdict.Have, knows);
            if (isFriend ? !bag.Options.CarriesForFriends : !bag.Options.CarriesForStrangers) return new MailAnswer(MailVerdict.Unwanted);
            return HasRoom(isFriend, offer.LetterBytes) ? new MailAnswer(MailVerdict.Want, knows) : new MailAnswer(MailVerdict.Full, knows);
        }

        private bool HasRoom(bool isFriend, int bytes)
        {
            if (bag.Carried.HasRoom(_giver, isFriend, bytes)) return true;
            taker.RefusedFull++;
            return false;
        }

        private async Task<MailAnswer> TakeAsync(byte[] body)
        {
            if (!LetterRecord.TryRead(body, out var copies, out var hops, out _, out var envelope)) return new MailAnswer(MailVerdict.Unwanted);
            var letter = body.AsMemory(2);
            if (envelope!.IsFor(host.Identity.Public)) return await bag.Inbox.TakeAsync(letter, _giver);
            var id = new LetterId(Hash256.Of(letter.Span));
            // Only what was asked for, and just that.
            if (!_wanted.Remove(id.Head, out var offer) || offer.Carry is not { } carry || carry.Hint != envelope.Hint || carry.Ephemeral != envelope.Ephemeral
                || offer.Expires != envelope.Expires || offer.Class != envelope.Class) return new MailAnswer(MailVerdict.Unwanted);
            return await bag.CarryAsync(id, envelope, letter, _giver, Math.Min(copies, carry.Copies), Math.Min(hops, carry.Hops));
        }
    }
}
