using System.Buffers.Binary;
using Polder.Apps.Bundles.Letters;
using Polder.Apps.Bundles.Stores;
using Polder.Identity;

namespace Polder.Apps.Bundles;

/// <summary>The letters that we wrote: kept until somebody proves that they arrived, or their time is over.</summary>
internal sealed class Outbox
{
    private readonly IMailStore _store;
    private readonly Dictionary<LetterId, OwnLetter> _letters = [];
    private readonly Dictionary<ulong, OwnLetter> _byHead = [];
    private readonly Dictionary<PublicKey, SortedDictionary<ulong, OwnLetter>> _open = new(PublicKey.Comparer);
    private readonly Dictionary<PublicKey, ulong> _numbers = new(PublicKey.Comparer);

    public Outbox(IMailStore store) => _store = store;

    /// <summary>Bytes of those that are still on their way.</summary>
    public long OpenBytes { get; private set; }

    public int Count => _letters.Count;

    public int OpenCount { get; private set; }

    /// <summary>All, in no order that anything may hang on.</summary>
    public IEnumerable<OwnLetter> All => _letters.Values;

    /// <summary>Whoever has letters on the way to it, in the order of keys.</summary>
    public IReadOnlyList<PublicKey> Receivers => [.. _open.Keys.Order()];

    public OwnLetter? Find(LetterId id) => _letters.GetValueOrDefault(id);

    public OwnLetter? Find(ulong head) => _byHead.GetValueOrDefault(head);

    /// <summary>Those on their way to a receiver, in the order in which they were written.</summary>
    public IEnumerable<OwnLetter> OpenFor(PublicKey receiver) => _open.TryGetValue(receiver, out var letters) ? letters.Values : [];

    /// <summary>All that are on their way, by receiver, then in the order in which they were written.</summary>
    public IEnumerable<OwnLetter> Open => Receivers.SelectMany(OpenFor);

    /// <summary>The number of the next letter to a receiver; taken with it.</summary>
    public ulong TakeNumber(PublicKey receiver)
    {
        var number = _numbers[receiver] = _numbers.GetValueOrDefault(receiver) + 1;
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, number);
        _store.Put(MailShelf.Numbers, receiver.Bytes, bytes.ToArray());
        return number;
    }

    public void Add(OwnLetter letter, ReadOnlyMemory<byte> sealedBytes)
    {
        Index(letter);
        _store.Put(MailShelf.Sealed, letter.Id.Hash.ToArray(), sealedBytes);
        Keep(letter);
    }

    /// <summary>A stage, a copy or a carrier changed.</summary>
    public void Keep(OwnLetter letter) => _store.Put(MailShelf.Own, letter.Id.Hash.ToArray(), letter.Write());

    /// <summary>It is over: delivered, or out of time. Its bytes go; what became of it stays for a while.</summary>
    public void End(OwnLetter letter, LetterStage stage, uint now)
    {
        if (letter.IsOpen) Close(letter);
        (letter.Stage, letter.StageAt, letter.Copies) = (stage, now, 0);
        letter.Carriers.Clear();
        Keep(letter);
    }

    /// <summary>Forgets it, as if it had never been.</summary>
    public void Remove(OwnLetter letter)
    {
        if (letter.IsOpen) Close(letter);
        _letters.Remove(letter.Id);
        _byHead.Remove(letter.Id.Head);
        _store.Remove(MailShelf.Own, letter.Id.Hash.ToArray());
    }

    /// <summary>Forgets those that are over, longest over first, until no more than so many are left in all.</summary>
    public void Shrink(int most)
    {
        if (_letters.Count <= most) return;
        foreach (var letter in _letters.Values.Where(static letter => !letter.IsOpen).OrderBy(static letter => letter.StageAt).ThenBy(static letter => letter.Id).Take(_letters.Count - most).ToArray())
            Remove(letter);
    }

    /// <summary>Takes what was kept.</summary>
    public void Load(MailThing thing)
    {
        if (thing.Shelf == MailShelf.Numbers)
        {
            if (thing.Value.Length == 8 && PublicKey.TryParse(thing.Key, out var receiver)) _numbers[receiver] = BinaryPrimitives.ReadUInt64BigEndian(thing.Value);
        }
        else if (OwnLetter.TryRead(thing.Key, thing.Value, out var letter)) Index(letter);
    }

    private void Index(OwnLetter letter)
    {
        _letters[letter.Id] = letter;
        _byHead[letter.Id.Head] = letter;
        if (!letter.IsOpen) return;
        if (!_open.TryGetValue(letter.To, out var letters)) _open[letter.To] = letters = [];
        letters[letter.Number] = letter;
        OpenCount++;
        OpenBytes += letter.Envelope.Bytes;
    }

    private void Close(OwnLetter letter)
    {
        _store.Remove(MailShelf.Sealed, letter.Id.Hash.ToArray());
        if (_open.TryGetValue(letter.To, out var letters) && letters.Remove(letter.Number) && letters.Count == 0) _open.Remove(letter.To);
        OpenCount--;
        OpenBytes -= letter.Envelope.Bytes;
    }
}
