using System.Buffers.Binary;
using System.Security.Cryptography;
using Polder.Runtime;

namespace Polder.Node.Runtime;

/// <summary>Random numbers from the system, fetched a page of 64 words at a time. For one thread, as every <see cref="Prng"/>.</summary>
public sealed class EntropyPrng() : Prng(0)
{
    private const int WordBytes = 8;

    private readonly byte[] _buffer = GC.AllocateArray<byte>(64 * WordBytes, pinned: true);
    private int _used = 64 * WordBytes;

    /// <inheritdoc/>
    public override ulong NextUInt64()
    {
        if (_used == _buffer.Length)
        {
            RandomNumberGenerator.Fill(_buffer);
            _used = 0;
        }
        var word = _buffer.AsSpan(_used, WordBytes);
        var value = BinaryPrimitives.ReadUInt64LittleEndian(word);
        // What was handed out is not kept: a memory dump must not tell past nonces.
        word.Clear();
        _used += WordBytes;
        return value;
    }
}
