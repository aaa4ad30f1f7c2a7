namespace Polder.Benchmarks.Signatures;

/// <summary>A message, its signature of 64 bytes, and the signer's public key of 32 bytes.</summary>
internal readonly record struct SignedItem(byte[] Key, byte[] Message, byte[] Signature);

/// <summary>Compares keys by their bytes.</summary>
internal sealed class KeyComparer : IEqualityComparer<byte[]>
{
    public static KeyComparer Instance { get; } = new();
    public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);
    public int GetHashCode(byte[] key) => BitConverter.ToInt32(key, 4);
}
