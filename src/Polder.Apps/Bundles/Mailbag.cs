using System.Runtime.ExceptionServices;
using Polder.Apps.Bundles.Carrying;
using Polder.Apps.Bundles.Files;
using Polder.Apps.Bundles.Letters;
using Polder.Apps.Bundles.Stores;
using Polder.Apps.Contacts;
using Polder.Cryptography;
using Polder.Identity;
using Polder.Overlay;

namespace Polder.Apps.Bundles;

/// <summary>
/// Letters from person to person, also when they are never online together: sealed for the receiver, kept here until it proves that it has them, and
/// carried by friends and strangers meanwhile (docs/mailbag.md). On the node's loop.
/// </summary>
public sealed class Mailbag
{
    private readonly NodeHost _host;
    private readonly IMailStore _store;

    /// <summary>A bag of letters over a store, with whatever was kept in it.</summary>
    public Mailbag(NodeHost host, IMailStore store, ContactBook contacts, MailOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(host);
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(contacts);
        (_host, _store, Contacts, Options) = (host, store, contacts, options ?? new MailOptions());
        (Outbox, Carried, Notes) = (new Outbox(store), new CarriedLetters(store, Options), new ProofNotes(store));
        Inbox = new Inbox(this, host, store);
        Taker = new MailTaker(this, host);
        Rounds = new MailRounds(this, host, new MailGiver(this, host, store));
        foreach (var thing in store.Load()) Load(thing);
        host.Streams.Accept(MailWire.ProtocolName, Taker.ServeAsync);
        if (Outbox.OpenCount + Carried.Count > 0 || Inbox.HasDue) Rounds.Wake();
    }

    /// <summary>How it is set.</summary>
    public MailOptions Options { get; }

    /// <summary>The state of a letter of ours may have changed: look again with <see cref="StateOf(LetterId)"/>.</summary>
    public event Action<LetterId>? StateChanged;

    /// <summary>
    /// Posts a letter. When the task completes, the letter is on the disk and will be tried until its receiver proves that it has it, or its time is over.
    /// Throws <see cref="IOException"/> where the disk refused, <see cref="MailRefusedException"/> where the bag is full; then nothing was posted.
    /// </summary>
    /// <param name="to">For whom; not for ourselves.</param>
    /// <param name="kind">What it is about.</param>
    /// <param name="body">What it says, at most <see cref="MailLimits.BodyBytesMax"/> bytes; copied.</param>
    /// <param name="lifetime">How long it is tried, up to 30 days; default <see cref="MailOptions.Lifetime"/>.</param>
    public async Task<LetterId> PostAsync(PublicKey to, LetterKind kind, ReadOnlyMemory<byte> body, TimeSpan? lifetime = null)
    {
        ArgumentNullException.ThrowIfNull(to);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(body.Length, MailLimits.BodyBytesMax, nameof(body));
        if (to == _host.Identity.Public) throw new ArgumentException("Nobody writes to himself.", nameof(to));
        if (Outbox.OpenCount >= MailLimits.OwnLettersMax || Outbox.OpenBytes + body.Length > Options.OwnBytesMax)
            throw new MailRefusedException("Too many letters wait to be delivered. Wait until some have arrived, or export them to a file: polder bundle export FILE.");
        var made = _host.Environment.Time.GetUtcNow();
        var holds = Math.Clamp((lifetime ?? Options.Lifetime).TotalSeconds, 60, MailOptions.LifetimeMax.TotalSeconds);
        // To the hour: a carrier need not know the minute in which somebody wrote.
        var expires = (uint)((made.ToUnixTimeSeconds() + (long)holds + 3599) / 3600 * 3600);
        var number = Outbox.TakeNumber(to);
        var bytes = SealedLetter.Seal(_host.Environment, _host.Identity, to, kind, body.Span, made, number, expires, out var proof);
        if (!Envelope.TryRead(bytes, out var envelope)) throw new InvalidOperationException("A sealed letter cannot be read.");
        var letter = new OwnLetter
        {
            Id = new LetterId(Hash256.Of(bytes)), To = to, Kind = kind, Envelope = envelope, Made = (uint)made.ToUnixTimeSeconds(), Number = number, Proof = proof,
            Copies = Options.Copies, StageAt = (uint)made.ToUnixTimeSeconds(), Since = Now, SpreadAt = Now, IsFresh = true,
        };
        Outbox.Add(letter, bytes);
        try { await _store.FlushAsync(); }
        catch (IOException)
        {
            // The caller is told that nothing was posted: then nothing may be there after a restart either.
            Outbox.Remove(letter);
            throw;
        }
        letter.IsKept = true;
        Figures.Posted++;
        Rounds.Posted(to);
        return letter.Id;
    }

    /// <summary>
    /// Takes letters of a kind from now on. The handler is called once for each, in the order of its sender where they come in order, on the loop; with true
    /// it says that it keeps the letter for good, and the receipt goes out; with false the letter is tried again later. A second handler for a kind throws.
    /// </summary>
    public void Receive(LetterKind kind, Func<Letter, Task<bool>> handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        Inbox.Handle(kind, handler);
    }

    /// <summary>Where a letter of ours is.</summary>
    public LetterState StateOf(LetterId id) => Outbox.Find(id) is { } letter ? StateOf(letter) : LetterState.Unknown;

    /// <summary>The owner saw a letter that arrived here: its sender is told, once. Survives a crash from the next flush on.</summary>
    public void MarkSeen(LetterId id)
    {
        if (!Inbox.MarkSeen(id)) return;
        Watch(TryFlushAsync());
        Rounds.TellSoon();
    }

    internal ContactBook Contacts { get; }
    internal Outbox Outbox { get; }
    internal CarriedLetters Carried { get; }
    internal ProofNotes Notes { get; }
    internal Inbox Inbox { get; }
    internal MailTaker Taker { get; }
    internal MailRounds Rounds { get; }
    internal MailBundles Bundles => field ??= new MailBundles(this, _host);
    internal MailFigures Figures { get; } = new();
    internal IMailStore Store => _store;
    internal NodeHost Host => _host;
    internal TimeSpan Now => _host.Now;
    internal uint UnixSeconds => (uint)Math.Clamp(_host.Environment.Time.GetUtcNow().ToUnixTimeSeconds(), 1, uint.MaxValue - 1);

    internal bool IsFriend(PublicKey key) => Contacts.Find(key) is { Blocked: false };

    internal LetterState StateOf(OwnLetter letter) =>
        new(letter.Stage, [.. letter.Carriers.Select(carrier => new LetterCarrier(
            carrier.Key, Contacts.Find(carrier.Key) is { Blocked: false } card ? card.Name : null, carrier.KnowsReceiver, DateTimeOffset.FromUnixTimeSeconds(carrier.Since)))])
        {
            ExportedAt = letter.ExportedAt == 0 ? null : DateTimeOffset.FromUnixTimeSeconds(letter.ExportedAt),
        };

    // ---- Rules of giving ----

    /// <summary>Whether a letter of ours waited long enough to be given to others.</summary>
    internal bool MayGive(OwnLetter letter, bool isFriend) => Now - letter.Since >= (isFriend ? Options.FriendsAfter : Options.StrangersAfter);

    /// <summary>Whether a letter that we carry may go on to others.</summary>
    internal bool MayGive(CarriedLetter letter, bool isFriend) => isFriend || Now - letter.HeldSince >= Options.StrangersAfter;

    /// <summary>Whether a letter waits a little longer for a friend who knows its receiver.</summary>
    internal bool IsTooEarlyFor(OwnLetter letter, PublicKey friend) => Now - letter.Since < Options.AnyFriendAfter && IsFriend(friend);

    internal bool HasCarriedFor(PublicKey receiver) => Carried.All.Any(letter => letter.Envelope.IsFor(receiver));

    // ---- What becomes of letters ----

    /// <summary>Somebody holds a letter of ours.</summary>
    internal void IsWith(OwnLetter letter, PublicKey carrier, bool knowsReceiver)
    {
        if (!letter.IsOpen) return;
        letter.Carriers.RemoveAll(known => known.Key == carrier);
        if (letter.Carriers.Count >= MailLimits.CarriersMax) letter.Carriers.RemoveAt(0);
        letter.Carriers.Add((carrier, knowsReceiver, UnixSeconds));
        letter.Stage = LetterStage.WaitingWith;
        Changed(letter);
    }

    /// <summary>Somebody shows a proof that a letter arrived. Believed only when it opens the lock on the letter's envelope.</summary>
    internal void Learn(ulong head, DeliveryProof proof)
    {
        if (Outbox.Find(head) is { } own)
        {
            if (proof == own.Proof) Delivered(own, LetterStage.Delivered);
            else Figures.ForgedProofs++;
        }
        else if (Carried.Find(head) is { } carried)
        {
            if (proof.Lock != carried.Envelope.Lock)
            {
                Figures.ForgedProofs++;
                return;
            }
            Carried.Remove(carried);
            Notes.Add(carried.Id, proof, carried.Envelope.Expires);
            Watch(TryFlushAsync());
            Rounds.Look();
        }
    }

    /// <summary>A receipt of somebody: it counts for letters to that one only.</summary>
    internal void Apply(PublicKey from, IReadOnlyList<(LetterId Id, LetterStage Stage)> receipts)
    {
        foreach (var (id, stage) in receipts)
            if (Outbox.Find(id) is { } own && own.To == from) Delivered(own, stage);
    }

    /// <summary>Keeps a letter for somebody who is elsewhere.</summary>
    internal async Task<MailAnswer> CarryAsync(LetterId id, Envelope envelope, ReadOnlyMemory<byte> bytes, PublicKey depositor, int copies, int hops, bool byOwnersWish = false)
    {
        if (Inbox.IsOutOfTime(envelope.Expires) is { } verdict) return new MailAnswer(verdict);
        if (Notes.Find(id.Head) is { } note) return new MailAnswer(MailVerdict.Arrived, Proof: note.Proof);
        if (Outbox.Find(id) is not null) return new MailAnswer(MailVerdict.Have);
        if (Carried.Find(id) is null)
        {
            var isFriend = byOwnersWish || IsFriend(depositor);
            if (!Carried.HasRoom(depositor, isFriend, bytes.Length)) return new MailAnswer(MailVerdict.Full);
            var until = isFriend ? envelope.Expires : Math.Min(envelope.Expires, UnixSeconds + (uint)Options.StrangerAge.TotalSeconds);
            // Whoever leaves little is helped to spread it; whoever leaves much has it carried once, so that a flood stays where it came in.
            var isMuch = envelope.Bytes > MailLimits.SpreadLetterBytesMax || Carried.Of(depositor).Bytes > MailLimits.SpreadDepositBytesMax;
            var letter = new CarriedLetter
            {
                Id = id, Envelope = envelope, Depositor = depositor, IsFriends = isFriend, Since = UnixSeconds, Until = until,
                Copies = isMuch ? 1 : Math.Clamp(copies, 1, Math.Max(1, Options.Copies)), Hops = hops, HeldSince = Now,
            };
            Carried.Add(letter, bytes);
            if (!await TryFlushAsync()) return new MailAnswer(MailVerdict.Later);
            letter.IsKept = true;
            return new MailAnswer(MailVerdict.Carried);
        }
        return new MailAnswer(await TryFlushAsync() ? MailVerdict.Have : MailVerdict.Later);
    }

    /// <summary>Lets go of what is out of time; gives letters a second round of carriers where the first brought nothing.</summary>
    internal void Prune(TimeSpan respreadAfter)
    {
        var now = UnixSeconds;
        foreach (var letter in Outbox.All.ToArray())
        {
            if (letter.IsOpen && letter.Envelope.Expires < now)
            {
                Outbox.End(letter, LetterStage.Expired, now);
                if (letter.Kind == LetterKinds.Receipt) Outbox.Remove(letter);
                StateChanged?.Invoke(letter.Id);
            }
            else if (letter.IsOpen && letter.Copies == 0 && Options.Copies > 0 && Now - letter.SpreadAt >= respreadAfter)
            {
                (letter.Copies, letter.SpreadAt) = (Options.Copies, Now);
                Outbox.Keep(letter);
            }
            else if (!letter.IsOpen && (ulong)letter.Envelope.Expires + (ulong)MailOptions.LifetimeMax.TotalSeconds < now) Outbox.Remove(letter);
        }
        Outbox.Shrink(MailLimits.OwnLettersMax);
        Carried.Prune(now);
        Notes.Prune(now);
        Inbox.Prune(now);
        Watch(TryFlushAsync());
    }

    /// <summary>Whether all that was changed so far is on the disk now.</summary>
    internal async Task<bool> TryFlushAsync()
    {
        try { await _store.FlushAsync(); }
        catch (IOException) { return false; }
        Rounds.TellSoon();
        return true;
    }

    /// <summary>Own work has no caller to tell: its exceptions go to the loop, which reports them.</summary>
    internal void Watch(Task task)
    {
        if (task.IsCompletedSuccessfully) return;
        _ = WaitAsync();

        async Task WaitAsync()
        {
            try { await task; }
            catch (OperationCanceledException) { /* The node stops. */ }
            catch (Exception problem) { Fault(problem); }
        }
    }

    internal void Fault(Exception problem) => _host.Environment.Loop.Post(() => ExceptionDispatchInfo.Throw(problem));

    private void Delivered(OwnLetter letter, LetterStage stage)
    {
        if (letter.Stage == LetterStage.Seen || (letter.Stage == LetterStage.Delivered && stage == LetterStage.Delivered)) return;
        if (letter.IsOpen) Figures.Delivered++;
        var wasCarried = letter.Carriers.Count > 0;
        // Whoever holds a copy is told when we meet.
        if (wasCarried) Notes.Add(letter.Id, letter.Proof, letter.Envelope.Expires);
        Outbox.End(letter, stage, UnixSeconds);
        // Nobody asks what became of a receipt.
        if (letter.Kind == LetterKinds.Receipt) Outbox.Remove(letter);
        Watch(TryFlushAsync());
        if (wasCarried) Rounds.Look();
        StateChanged?.Invoke(letter.Id);
    }

    private void Changed(OwnLetter letter)
    {
        Outbox.Keep(letter);
        Watch(TryFlushAsync());
        StateChanged?.Invoke(letter.Id);
    }

    private void Load(MailThing thing)
    {
        switch (thing.Shelf)
        {
            case MailShelf.Own or MailShelf.Numbers: Outbox.Load(thing); break;
            case MailShelf.Carried: Carried.Load(thing); break;
            case MailShelf.Received: Inbox.Load(thing); break;
            case MailShelf.Notes: Notes.Load(thing); break;
        }
    }
}
