using System.Buffers.Binary;
using Polder.Identity;

namespace Polder.Simulation.Attacks;

/// <summary>Keys that nobody holds, one for each number: for graphs in which nothing is signed.</summary>
internal static class MadeUpKeys
{
    [ThreadStatic] private static List<PublicKey>? _known;

    /// <summary>The key of a number.</summary>
    public static PublicKey Of(int number)
    {
        var known = _known ??= [];
        while (known.Count <= number) known.Add(Make(known.Count));
        return known[number];
    }

    private static PublicKey Make(int number)
    {
        Span<byte> bytes = stackalloc byte[KeyFormat.Bytes];
        KeyFormat.PublicTag.CopyTo(bytes);
        // Both halves, because a key's hash is made of both.
        BinaryPrimitives.WriteInt32LittleEndian(bytes[KeyFormat.TagBytes..], number);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[KeyFormat.SigningOffset..], unchecked(number * (int)2654435761));
        return PublicKey.TryParse(bytes, out var key) ? key : throw new InvalidOperationException("The form of a key has changed.");
    }
}
