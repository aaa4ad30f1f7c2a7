using Polder.Cryptography;

namespace Polder.Apps.Parcels.Native;

/// <summary>One file of an offer.</summary>
/// <param name="Path">Where it belongs below the receiver's folder (<see cref="ItemPath"/>).</param>
/// <param name="Size">Bytes, 0 to <see cref="ContentName.SizeMax"/>.</param>
/// <param name="ModifiedUnixSeconds">When it was last changed.</param>
/// <param name="IsExecutable">Whether its owner may run it.</param>
/// <param name="Root">Its content name.</param>
internal sealed record NativeItem(string Path, long Size, long ModifiedUnixSeconds, bool IsExecutable, Hash256 Root)
{
    /// <summary>How many leaves it has.</summary>
    public int LeafCount => ContentName.LeafCountOf(Size);
}
