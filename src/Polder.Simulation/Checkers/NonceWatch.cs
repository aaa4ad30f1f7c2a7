using Polder.Cryptography;
using Polder.Identity;
using Polder.Runtime;

namespace Polder.Simulation.Checkers;

/// <summary>
/// No counter is ever used twice under one key (I11): stands between the nodes and the world's ciphers
/// (<c>world.Ciphers = new NonceWatch(world)</c>) and fails the run at the second sealing with one pair.
/// </summary>
public sealed class NonceWatch(World world) : ISessionCrypto
{
    private readonly ISessionCrypto _inner = world.Ciphers;
    private readonly HashSet<(Hash256 Key, ulong Counter)> _used = [];

    /// <summary>Boxes sealed so far.</summary>
    public int Sealed => _used.Count;

    /// <inheritdoc/>
    public void MakeKey(Prng random, Span<byte> secret, Span<byte> publicKey) => _inner.MakeKey(random, secret, publicKey);

    /// <inheritdoc/>
    public bool TryAgree(ReadOnlySpan<byte> secret, ReadOnlySpan<byte> publicKey, Span<byte> shared) => _inner.TryAgree(secret, publicKey, shared);

    /// <inheritdoc/>
    public bool TryAgree(KeyPair own, ReadOnlySpan<byte> publicKey, Span<byte> shared) => _inner.TryAgree(own, publicKey, shared);

    /// <inheritdoc/>
    public void Hash(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, Span<byte> digest) => _inner.Hash(first, second, digest);

    /// <inheritdoc/>
    public void Mac(ReadOnlySpan<byte> key, ReadOnlySpan<byte> data, Span<byte> digest) => _inner.Mac(key, data, digest);

    /// <inheritdoc/>
    public void Seal(ReadOnlySpan<byte> key, ulong counter, ReadOnlySpan<byte> associated, ReadOnlySpan<byte> text, Span<byte> box)
    {
        if (!_used.Add((new Hash256(key), counter))) world.Fail($"counter {counter} was used twice under one key");
        if (!key.ContainsAnyExcept((byte)0)) world.Fail("something was sealed under a key that was overwritten");
        _inner.Seal(key, counter, associated, text, box);
    }

    /// <inheritdoc/>
    public bool TryOpen(ReadOnlySpan<byte> key, ulong counter, ReadOnlySpan<byte> associated, ReadOnlySpan<byte> box, Span<byte> text) =>
        _inner.TryOpen(key, counter, associated, box, text);
}
