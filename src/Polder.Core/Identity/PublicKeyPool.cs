using System.Diagnostics.CodeAnalysis;

namespace Polder.Identity;

/// <summary>
/// Keys that many nodes of one process share: in a simulated world everybody knows the same people, and one object of 200 bytes
/// for each is enough. Belongs to one thread. A real node has none; its peers are strangers.
/// </summary>
public sealed class PublicKeyPool
{
    private readonly HashSet<PublicKey> _keys = new(PublicKey.Comparer);
    private readonly HashSet<PublicKey>.AlternateLookup<ReadOnlySpan<byte>> _byBytes;

    /// <summary>An empty pool.</summary>
    public PublicKeyPool() => _byBytes = _keys.GetAlternateLookup<ReadOnlySpan<byte>>();

    /// <summary>This object stands for its key from now on, unless another does already.</summary>
    public void Add(PublicKey key) => _keys.Add(key);

    /// <summary>The pool's object for these bytes, or one of its own for a key that the pool does not hold; false when they are no key.</summary>
    public bool TryParse(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out PublicKey? key) =>
        _byBytes.TryGetValue(bytes, out key) || PublicKey.TryParse(bytes, out key);
}
