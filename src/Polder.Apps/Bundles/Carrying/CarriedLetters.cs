using Polder.Apps.Bundles.Letters;
using Polder.Apps.Bundles.Stores;
using Polder.Identity;

namespace Polder.Apps.Bundles.Carrying;

/// <summary>What we carry for others, and how much room each may take. A friend's letters are free up to what one person can need; strangers share a quota.</summary>
internal sealed class CarriedLetters(IMailStore store, MailOptions options)
{
    private readonly Dictionary<LetterId, CarriedLetter> _letters = [];
    private readonly Dictionary<ulong, CarriedLetter> _byHead = [];
    private readonly Dictionary<PublicKey, (long Bytes, int Letters)> _depositors = new(PublicKey.Comparer);

    private CarriedLetter[]? _sorted;

    public int Count => _letters.Count;

    public long Bytes { get; private set; }

    /// <summary>Bytes of strangers' letters.</summary>
    public long StrangersBytes { get; private set; }

    /// <summary>Changes whenever a letter comes or goes.</summary>
    public long Version { get; private set; }

    /// <summary>All, oldest first.</summary>
    public IReadOnlyList<CarriedLetter> All => _sorted ??= [.. _letters.Values.OrderBy(static letter => letter.Since).ThenBy(static letter => letter.Id)];

    public CarriedLetter? Find(LetterId id) => _letters.GetValueOrDefault(id);

    public CarriedLetter? Find(ulong head) => _byHead.GetValueOrDefault(head);

    /// <summary>Bytes and letters that somebody gave us.</summary>
    public (long Bytes, int Letters) Of(PublicKey depositor) => _depositors.GetValueOrDefault(depositor);

    /// <summary>Whether one more would be taken of somebody; for friends strangers' letters make room.</summary>
    public bool HasRoom(PublicKey depositor, bool isFriend, int bytes)
    {
        var (usedBytes, usedLetters) = Of(depositor);
        if (!isFriend)
            return options.CarriesForStrangers && usedLetters < options.StrangerLettersMax && usedBytes + bytes <= options.StrangerBytesMax
                && StrangersBytes + bytes <= options.StrangersBytesMax && Bytes + bytes <= options.CarriedBytesMax && Count < options.CarriedLettersMax;
        // A friend that floods takes room from nobody but itself and strangers.
        return options.CarriesForFriends && usedBytes + bytes <= options.FriendBytesMax && usedLetters < options.CarriedLettersMax / 4
            && Bytes - StrangersBytes + bytes <= options.CarriedBytesMax && (Count < options.CarriedLettersMax || StrangersBytes > 0);
    }

    public void Add(CarriedLetter letter, ReadOnlyMemory<byte> sealedBytes)
    {
        if (letter.IsFriends)
            while ((Bytes + sealedBytes.Length > options.CarriedBytesMax || Count >= options.CarriedLettersMax) && OldestOfStrangers() is { } oldest) Remove(oldest);
        Index(letter);
        store.Put(MailShelf.Sealed, letter.Id.Hash.ToArray(), sealedBytes);
        Keep(letter);
    }

    public void Keep(CarriedLetter letter) => store.Put(MailShelf.Carried, letter.Id.Hash.ToArray(), letter.Write());

    public void Remove(CarriedLetter letter)
    {
        if (!_letters.Remove(letter.Id)) return;
        _byHead.Remove(letter.Id.Head);
        Account(letter, -1);
        store.Remove(MailShelf.Carried, letter.Id.Hash.ToArray());
        store.Remove(MailShelf.Sealed, letter.Id.Hash.ToArray());
    }

    /// <summary>Lets go of what is out of time.</summary>
    public void Prune(uint now)
    {
        foreach (var letter in _letters.Values.Where(letter => letter.Until < now).ToArray()) Remove(letter);
    }

    public void Load(MailThing thing)
    {
        if (CarriedLetter.TryRead(thing.Key, thing.Value, out var letter)) Index(letter);
    }

    private CarriedLetter? OldestOfStrangers() =>
        _letters.Values.Where(static letter => !letter.IsFriends).OrderBy(static letter => letter.Since).ThenBy(static letter => letter.Id).FirstOrDefault();

    private void Index(CarriedLetter letter)
    {
        if (!_letters.TryAdd(letter.Id, letter)) return;
        _byHead[letter.Id.Head] = letter;
        Account(letter, 1);
    }

    private void Account(CarriedLetter letter, int sign)
    {
        Version++;
        _sorted = null;
        var bytes = (long)sign * letter.Envelope.Bytes;
        Bytes += bytes;
        if (!letter.IsFriends) StrangersBytes += bytes;
        var (usedBytes, usedLetters) = Of(letter.Depositor);
        if (usedLetters + sign == 0) _depositors.Remove(letter.Depositor);
        else _depositors[letter.Depositor] = (usedBytes + bytes, usedLetters + sign);
    }
}
