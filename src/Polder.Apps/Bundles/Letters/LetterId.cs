using Polder.Cryptography;

namespace Polder.Apps.Bundles.Letters;

/// <summary>What a letter is called everywhere: SHA-256 of its sealed bytes, 32 bytes. Nobody can choose it, and nobody but both ends knows of what.</summary>
/// <param name="Hash">The digest.</param>
public readonly record struct LetterId(Hash256 Hash) : IComparable<LetterId>
{
    /// <summary>Its size.</summary>
    public const int Bytes = Hash256.Bytes;

    /// <summary>The first 8 bytes: what two who meet call it among themselves.</summary>
    public ulong Head => Hash.Head;

    /// <inheritdoc/>
    public int CompareTo(LetterId other) => Hash.CompareTo(other.Hash);

    /// <summary>64 hex digits.</summary>
    public override string ToString() => Hash.ToString();

    /// <summary>Order of the bytes.</summary>
    public static bool operator <(LetterId left, LetterId right) => left.CompareTo(right) < 0;
    /// <summary>Order of the bytes.</summary>
    public static bool operator >(LetterId left, LetterId right) => left.CompareTo(right) > 0;
    /// <summary>Order of the bytes.</summary>
    public static bool operator <=(LetterId left, LetterId right) => left.CompareTo(right) <= 0;
    /// <summary>Order of the bytes.</summary>
    public static bool operator >=(LetterId left, LetterId right) => left.CompareTo(right) >= 0;
}
