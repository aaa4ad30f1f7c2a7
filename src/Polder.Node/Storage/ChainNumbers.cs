using Polder.Ledger.Stores;

namespace Polder.Node.Storage;

/// <summary>
/// The small numbers that stand for keys in the database, and what is known of each key's chain without looking. The database
/// stays small and its indexes narrow; the 74 bytes of a key are stored once.
/// </summary>
/// <param name="numbered">Told of each key that got a number, to write it down.</param>
internal sealed class ChainNumbers(Action<NumberedChain> numbered)
{
    private readonly Dictionary<byte[], NumberedChain> _chains = new(KeyBytesComparer.Instance);
    private NumberedChain? _before, _last;
    private int _lastNumber;

    /// <summary>Every chain, those without blocks too.</summary>
    public IReadOnlyCollection<NumberedChain> All => _chains.Values;

    public NumberedChain? Find(ReadOnlySpan<byte> key) =>
        _chains.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(key, out var chain) ? chain : null;

    /// <summary>The chain of a key, with a new number when it has none.</summary>
    public NumberedChain FindOrNumber(ReadOnlySpan<byte> key)
    {
        // Two chains that agree with each other come by turns: comparing is cheaper than hashing.
        if (_before is { } before && key.SequenceEqual(before.Key)) return before;
        if (_last is { } last && key.SequenceEqual(last.Key))
        {
            (_before, _last) = (_last, _before);
            return last;
        }
        if (Find(key) is not { } chain)
        {
            chain = new NumberedChain(++_lastNumber, key.ToArray());
            _chains.Add(chain.Key, chain);
            numbered(chain);
        }
        (_before, _last) = (chain, _before);
        return chain;
    }

    /// <summary>Reads keys and extents at the opening; answers how many blocks there are.</summary>
    public long Load(Database database)
    {
        var byNumber = new Dictionary<int, NumberedChain>();
        var peers = database.Prepare("SELECT id, key FROM peers");
        while (peers.Step())
        {
            var chain = new NumberedChain((int)peers.Number(0), peers.Blob(1).ToArray());
            byNumber.Add(chain.Number, chain);
            _chains.Add(chain.Key, chain);
            _lastNumber = Math.Max(_lastNumber, chain.Number);
        }
        // Answered from the index of places alone.
        var counts = database.Prepare("SELECT peer, count(*), max(sequence) FROM blocks GROUP BY peer");
        var blocks = 0L;
        while (counts.Step())
        {
            byNumber[(int)counts.Number(0)].Extent.Load((int)counts.Number(1), (uint)counts.Number(2));
            blocks += counts.Number(1);
        }
        return blocks;
    }
}

/// <summary>A key, its number in the database, and how far its chain reaches.</summary>
internal sealed class NumberedChain(int number, byte[] key)
{
    public int Number => number;
    public byte[] Key => key;
    public ChainExtent Extent { get; } = new();
}
