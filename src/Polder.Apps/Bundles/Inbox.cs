using Polder.Apps.Bundles.Carrying;
using Polder.Apps.Bundles.Letters;
using Polder.Apps.Bundles.Stores;
using Polder.Cryptography;
using Polder.Identity;
using Polder.Overlay;

namespace Polder.Apps.Bundles;

/// <summary>Letters for us: opens, checks and hands them to their handlers, each once, and remembers what its sender is still to be told.</summary>
internal sealed class Inbox(Mailbag bag, NodeHost host, IMailStore store)
{
    private static readonly TimeSpan TellAgainAfter = TimeSpan.FromMinutes(10);

    private readonly Dictionary<LetterId, ReceivedLetter> _received = [];
    private readonly Dictionary<ulong, ReceivedLetter> _byHead = [];
    private readonly Dictionary<LetterId, Task<MailAnswer>> _underWay = [];
    private readonly Dictionary<PublicKey, Task> _turns = new(PublicKey.Comparer);
    private readonly Dictionary<LetterKind, Func<Letter, Task<bool>>> _handlers = [];
    private readonly HashSet<LetterId> _due = [];
    private (long Day, int Count) _strangers;

    /// <summary>Letters that arrived and have not expired.</summary>
    public int Count => _received.Count;

    /// <summary>Letters that were dropped: foreign, changed, forged, blocked.</summary>
    public long Dropped { get; private set; }

    /// <summary>Whether somebody is to be told of something.</summary>
    public bool HasDue => _due.Count > 0;

    public ReceivedLetter? Find(ulong head) => _byHead.GetValueOrDefault(head);

    public void Handle(LetterKind kind, Func<Letter, Task<bool>> handler)
    {
        if (kind == LetterKinds.Receipt || !_handlers.TryAdd(kind, handler)) throw new InvalidOperationException($"Letters of {kind} are taken already.");
    }

    /// <summary>
    /// Takes a letter that may be for us. Answers that it arrived, with its proof, only when it is handled and on the disk; the same letter again gets
    /// the same answer and is not handled again. <paramref name="via"/> brought it; null for a file.
    /// </summary>
    public async Task<MailAnswer> TakeAsync(ReadOnlyMemory<byte> bytes, PublicKey? via)
    {
        var id = new LetterId(Hash256.Of(bytes.Span));
        if (_received.TryGetValue(id, out var known)) return await AgainAsync(known, via);
        if (_underWay.TryGetValue(id, out var running)) return await running;
        if (!Envelope.TryRead(bytes.Span, out var envelope)) return Drop();
        if (IsOutOfTime(envelope.Expires) is { } verdict) return new MailAnswer(verdict);
        if (_received.Count >= MailLimits.ReceivedMax) return new MailAnswer(MailVerdict.Later);
        if (SealedLetter.TryOpen(host.Environment, host.Identity, bytes.Span, out var opened) != LetterRefusal.None) return Drop();
        var from = opened!.Letter.From;
        if (from == host.Identity.Public || bag.Contacts.IsBlocked(from)) return Drop();
        if (bag.Contacts.Find(from) is null && opened.Letter.Kind != LetterKinds.Receipt && !MayStranger()) return new MailAnswer(MailVerdict.Later);
        var task = HandleAsync(opened, via);
        if (task.IsCompleted) return await task;
        _underWay[id] = task;
        try { return await task; }
        finally { _underWay.Remove(id); }
    }

    /// <summary>The owner saw a letter. False: no such letter, or it was seen before.</summary>
    public bool MarkSeen(LetterId id)
    {
        if (!_received.TryGetValue(id, out var letter) || (letter.Due & ReceiptDue.WasSeen) != 0) return false;
        letter.Due |= ReceiptDue.WasSeen | ReceiptDue.Seen;
        Keep(letter);
        return true;
    }

    /// <summary>A letter that arrived is offered once more: whoever has it still was not told, or did not listen.</summary>
    public MailAnswer Again(ReceivedLetter letter, PublicKey? via)
    {
        if (via != letter.From && (letter.ToldAt is not { } told || host.Now - told > TellAgainAfter))
        {
            letter.Due |= ReceiptDue.Delivered;
            Keep(letter);
        }
        return new MailAnswer(MailVerdict.Arrived, Proof: letter.Proof);
    }

    /// <summary>Posts receipts for all that is to be told, one letter for each sender. With the same flush they are no longer due.</summary>
    public async Task TellAsync()
    {
        foreach (var group in _due.Order().Select(id => _received.GetValueOrDefault(id)).OfType<ReceivedLetter>().GroupBy(static letter => letter.From, PublicKey.Comparer).ToArray())
            foreach (var part in group.Chunk(ReceiptList.Max))
            {
                var before = part.Select(static letter => letter.Due).ToArray();
                foreach (var letter in part)
                {
                    letter.Due &= ReceiptDue.WasSeen;
                    letter.ToldAt = host.Now;
                    Keep(letter);
                }
                if (bag.Contacts.IsBlocked(group.Key)) continue;
                var receipts = part.Select((letter, i) => (letter.Id, (before[i] & ReceiptDue.Seen) != 0 ? LetterStage.Seen : LetterStage.Delivered)).ToArray();
                try { await bag.PostAsync(group.Key, LetterKinds.Receipt, ReceiptList.Write(receipts)); }
                catch (Exception problem) when (problem is IOException or MailRefusedException)
                {
                    for (var i = 0; i < part.Length; i++)
                    {
                        part[i].Due |= before[i];
                        part[i].ToldAt = null;
                        Keep(part[i]);
                    }
                    return;
                }
            }
    }

    /// <summary>Forgets what nobody can bring again.</summary>
    public void Prune(uint now)
    {
        // A clock that is set back by a day must not let an old letter in again.
        var slack = (uint)(2 * MailLimits.ClockSlack.TotalSeconds);
        foreach (var letter in _received.Values.Where(letter => (ulong)letter.Expires + slack < now).ToArray())
        {
            _received.Remove(letter.Id);
            _byHead.Remove(letter.Id.Head);
            _due.Remove(letter.Id);
            store.Remove(MailShelf.Received, letter.Id.Hash.ToArray());
        }
    }

    public void Load(MailThing thing)
    {
        if (ReceivedLetter.TryRead(thing.Key, thing.Value, out var letter)) Index(letter);
    }

    /// <summary>Whether a letter is too late, or later than any honest one; null when it is neither.</summary>
    public MailVerdict? IsOutOfTime(uint expires) =>
        expires < bag.UnixSeconds ? MailVerdict.Expired
        : expires > bag.UnixSeconds + (MailOptions.LifetimeMax + MailLimits.ClockSlack + TimeSpan.FromHours(1)).TotalSeconds ? MailVerdict.Unwanted : null;

    private async Task<MailAnswer> AgainAsync(ReceivedLetter letter, PublicKey? via)
    {
        var answer = Again(letter, via);
        return await bag.TryFlushAsync() ? answer : new MailAnswer(MailVerdict.Later);
    }

    private async Task<MailAnswer> HandleAsync(OpenedLetter opened, PublicKey? via)
    {
        var letter = opened.Letter;
        // One after the other of each sender, in the order in which they came.
        var turn = new TaskCompletionSource();
        var before = _turns.GetValueOrDefault(letter.From);
        _turns[letter.From] = turn.Task;
        var isKept = false;
        try
        {
            if (before is not null) await before;
            isKept = await CallAsync(letter);
            if (isKept) Add(opened, via);
        }
        finally
        {
            if (_turns.GetValueOrDefault(letter.From) == turn.Task) _turns.Remove(letter.From);
            host.Environment.Loop.Post(turn.SetResult);
        }
        return isKept && await bag.TryFlushAsync() ? new MailAnswer(MailVerdict.Arrived, Proof: opened.Proof) : new MailAnswer(MailVerdict.Later);
    }

    private void Add(OpenedLetter opened, PublicKey? via)
    {
        var letter = opened.Letter;
        var isReceipt = letter.Kind == LetterKinds.Receipt;
        var received = new ReceivedLetter
        {
            Id = letter.Id, From = letter.From, Expires = opened.Expires, Proof = opened.Proof,
            // Whoever brings its own letter hears of it at once, in the session.
            Due = via == letter.From || isReceipt ? ReceiptDue.None : ReceiptDue.Delivered,
        };
        Index(received);
        Keep(received);
        if (via != letter.From) bag.Notes.Add(letter.Id, opened.Proof, opened.Expires);
    }

    private async Task<bool> CallAsync(Letter letter)
    {
        if (letter.Kind == LetterKinds.Receipt)
        {
            // One that cannot be read will never be: it counts as taken.
            if (ReceiptList.Read(letter.Body.Span) is { } receipts) bag.Apply(letter.From, receipts);
            return true;
        }
        if (!_handlers.TryGetValue(letter.Kind, out var handler)) return false;
        try { return await handler(letter); }
        catch (IOException) { return false; }
        catch (Exception problem) when (problem is not OperationCanceledException)
        {
            bag.Fault(problem);
            return false;
        }
    }

    private void Keep(ReceivedLetter letter)
    {
        store.Put(MailShelf.Received, letter.Id.Hash.ToArray(), letter.Write());
        NoteDue(letter);
    }

    private void Index(ReceivedLetter letter)
    {
        _received[letter.Id] = letter;
        _byHead[letter.Id.Head] = letter;
        NoteDue(letter);
    }

    private void NoteDue(ReceivedLetter letter)
    {
        if ((letter.Due & (ReceiptDue.Delivered | ReceiptDue.Seen)) != 0) _due.Add(letter.Id);
        else _due.Remove(letter.Id);
    }

    private MailAnswer Drop()
    {
        Dropped++;
        return new MailAnswer(MailVerdict.Unwanted);
    }

    private bool MayStranger()
    {
        var day = bag.UnixSeconds / 86_400;
        if (_strangers.Day != day) _strangers = (day, 0);
        return _strangers.Count++ < bag.Options.LettersFromStrangersPerDay;
    }
}
