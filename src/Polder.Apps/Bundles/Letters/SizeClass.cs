namespace Polder.Apps.Bundles.Letters;

/// <summary>
/// The lengths that sealed letters have: 256, 384, 512, 768, 1024 … bytes of text, so that a carrier learns the length only roughly, at no more than
/// half of it again.
/// </summary>
internal static class SizeClass
{
    /// <summary>The largest class: 384 KiB.</summary>
    public const int Max = 21;

    /// <summary>Bytes of text that a class holds.</summary>
    public static int BytesOf(int sizeClass) => (sizeClass % 2 == 0 ? 256 : 384) << (sizeClass / 2);

    /// <summary>The smallest class that holds so many bytes.</summary>
    public static int For(int bytes)
    {
        var sizeClass = 0;
        while (BytesOf(sizeClass) < bytes) sizeClass++;
        return sizeClass <= Max ? sizeClass : throw new ArgumentOutOfRangeException(nameof(bytes), bytes, "No letter is so long.");
    }
}
