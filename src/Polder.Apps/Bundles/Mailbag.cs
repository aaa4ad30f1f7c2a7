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
    private readonly Dictionary<LetterKind, Func<Letter, Task<bool>>> _handlers = [];

    /// <summary>A bag of letters over a store, with whatever was kept in it.</summary>
    public Mailbag(NodeHost host, IMailStore store, ContactBook contacts, MailOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(host);
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(contacts);
        (_host, _store, Contacts, Options) = (host, store, contacts, options ?? new MailOptions());
        Outbox = new Outbox(store);
        foreach (var thing in store.Load())
            if (thing.Shelf is MailShelf.Own or MailShelf.Numbers) Outbox.Load(thing);
    }

    /// <summary>How it is set.</summary>
    public MailOptions Options { get; }

    /// <summary>The state of a letter of ours may have changed: look again with <see cref="StateOf"/>.</summary>
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
        if (Outbox.OpenCount >= MailLimits.OwnLettersMax) throw new MailRefusedException("Too many letters wait to be delivered. Wait until some have arrived, or export them to a file: polder bundle export FILE.");
        var made = _host.Environment.Time.GetUtcNow();
        var holds = lifetime ?? Options.Lifetime;
        // To the hour: a carrier need not know the minute in which somebody wrote.
        var expires = (uint)((made.ToUnixTimeSeconds() + (long)Math.Clamp(holds.TotalSeconds, 60, MailOptions.LifetimeMax.TotalSeconds) + 3599) / 3600 * 3600);
        var number = Outbox.TakeNumber(to);
        var bytes = SealedLetter.Seal(_host.Environment, _host.Identity, to, kind, body.Span, made, number, expires, out var proof);
        if (!Envelope.TryRead(bytes, out var envelope)) throw new InvalidOperationException("A sealed letter cannot be read.");
        var letter = new OwnLetter
        {
            Id = new LetterId(Hash256.Of(bytes)), To = to, Kind = kind, Envelope = envelope, Made = (uint)made.ToUnixTimeSeconds(), Number = number, Proof = proof,
            Copies = Options.Copies, StageAt = (uint)made.ToUnixTimeSeconds(),
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
        return letter.Id;
    }

    /// <summary>
    /// Takes letters of a kind from now on. The handler is called once for each, in the order of its sender where they come in order, on the loop; with true
    /// it says that it keeps the letter for good, and the receipt goes out; with false the letter is tried again later. A second handler for a kind throws.
    /// </summary>
    public void Receive(LetterKind kind, Func<Letter, Task<bool>> handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        if (!_handlers.TryAdd(kind, handler)) throw new InvalidOperationException($"Letters of {kind} are taken already.");
    }

    /// <summary>Where a letter of ours is.</summary>
    public LetterState StateOf(LetterId id) => Outbox.Find(id) is not { } letter ? LetterState.Unknown
        : new LetterState(letter.Stage, [.. letter.Carriers.Select(carrier => new LetterCarrier(
            carrier.Key, Contacts.Find(carrier.Key) is { Blocked: false } card ? card.Name : null, carrier.KnowsReceiver, DateTimeOffset.FromUnixTimeSeconds(carrier.Since)))]);

    /// <summary>The owner saw a letter that arrived here: its sender is told, once.</summary>
    public void MarkSeen(LetterId id) => _ = id;

    internal ContactBook Contacts { get; }
    internal Outbox Outbox { get; }

    internal void RaiseStateChanged(LetterId id) => StateChanged?.Invoke(id);
}
