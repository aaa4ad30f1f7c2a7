namespace Polder.Apps.Contacts.Pictures;

/// <summary>A picture in shades of grey, a byte a pixel, row by row: 0 is black, 255 is white.</summary>
public sealed class GreyPicture
{
    private readonly byte[] _pixels;

    /// <summary>A picture of these pixels; it keeps the array.</summary>
    public GreyPicture(int width, int height, byte[] pixels)
    {
        ArgumentNullException.ThrowIfNull(pixels);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        if (pixels.LongLength != (long)width * height) throw new ArgumentException("A picture has width times height pixels.", nameof(pixels));
        (Width, Height, _pixels) = (width, height, pixels);
    }

    /// <summary>Pixels in a row.</summary>
    public int Width { get; }

    /// <summary>Rows.</summary>
    public int Height { get; }

    /// <summary>All pixels.</summary>
    public ReadOnlySpan<byte> Pixels => _pixels;

    /// <summary>One row.</summary>
    public ReadOnlySpan<byte> Row(int y) => _pixels.AsSpan(y * Width, Width);
}
