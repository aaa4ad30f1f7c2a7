namespace Polder.Node.Storage;

/// <summary>Compares the raw bytes of keys, and finds them by a span. Salted: strangers choose the bytes.</summary>
internal sealed class KeyBytes : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
{
    public static KeyBytes Comparer { get; } = new();

    public bool Equals(byte[]? x, byte[]? y) => x is null ? y is null : x.AsSpan().SequenceEqual(y);
    public int GetHashCode(byte[] key) => GetHashCode((ReadOnlySpan<byte>)key);
    public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);
    public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();

    public int GetHashCode(ReadOnlySpan<byte> alternate)
    {
        var hash = new HashCode();
        hash.AddBytes(alternate);
        return hash.ToHashCode();
    }
}
