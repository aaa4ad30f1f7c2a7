using Polder.Apps.Contacts.Pictures;

namespace Polder.Apps.Contacts.Qr;

/// <summary>Which pixels of a picture are dark.</summary>
internal sealed class InkMap
{
    private readonly bool[] _dark;

    private InkMap(int width, int height, bool[] dark) => (Width, Height, _dark) = (width, height, dark);

    public int Width { get; }
    public int Height { get; }

    /// <summary>A row of pixels.</summary>
    public ReadOnlySpan<bool> Row(int y) => _dark.AsSpan(y * Width, Width);

    /// <summary>Whether a pixel is dark; light outside the picture.</summary>
    public bool this[int x, int y] => x >= 0 && y >= 0 && x < Width && y < Height && _dark[y * Width + x];

    /// <summary>Light pixels become dark and dark ones light: codes are also printed white on black.</summary>
    public InkMap Inverted()
    {
        var other = new bool[_dark.Length];
        for (var i = 0; i < other.Length; i++) other[i] = !_dark[i];
        return new InkMap(Width, Height, other);
    }

    /// <summary>One limit for all pixels, where it parts dark and light best (Otsu): right for what a program drew.</summary>
    public static InkMap ByOneLimit(GreyPicture picture)
    {
        Span<long> counts = stackalloc long[256];
        counts.Clear();
        long sum = 0;
        foreach (var pixel in picture.Pixels)
        {
            counts[pixel]++;
            sum += pixel;
        }
        var (limit, best, below, sumBelow, total) = (127, -1.0, 0L, 0L, (long)picture.Pixels.Length);
        for (var level = 0; level < 255; level++)
        {
            below += counts[level];
            sumBelow += level * counts[level];
            if (below == 0 || below == total) continue;
            var gap = (double)sumBelow / below - (double)(sum - sumBelow) / (total - below);
            var spread = (double)below * (total - below) * gap * gap;
            if (spread > best) (limit, best) = (level, spread);
        }
        var dark = new bool[picture.Pixels.Length];
        var pixels = picture.Pixels;
        for (var i = 0; i < dark.Length; i++) dark[i] = pixels[i] <= limit;
        return new InkMap(picture.Width, picture.Height, dark);
    }

    /// <summary>A pixel is dark where it is darker than its surroundings, an eighth of the picture wide: right for photographs with shadows.</summary>
    public static InkMap BySurroundings(GreyPicture picture)
    {
        var (width, height) = (picture.Width, picture.Height);
        var reach = Math.Max(8, Math.Min(width, height) / 16);
        // Sums of all pixels above and left of each, a row at a time: 64 bits hold any picture that is read.
        var sums = new long[(width + 1) * (height + 1)];
        for (var y = 0; y < height; y++)
        {
            var row = picture.Row(y);
            long line = 0;
            for (var x = 0; x < width; x++) sums[(y + 1) * (width + 1) + x + 1] = sums[y * (width + 1) + x + 1] + (line += row[x]);
        }
        var dark = new bool[width * height];
        for (var y = 0; y < height; y++)
        {
            var (top, bottom) = (Math.Max(0, y - reach), Math.Min(height, y + reach + 1));
            var row = picture.Row(y);
            for (var x = 0; x < width; x++)
            {
                var (left, right) = (Math.Max(0, x - reach), Math.Min(width, x + reach + 1));
                var sum = sums[bottom * (width + 1) + right] - sums[top * (width + 1) + right] - sums[bottom * (width + 1) + left] + sums[top * (width + 1) + left];
                // A little below the mean, so that the grain of an even white is not taken for ink.
                dark[y * width + x] = row[x] * 16L * (bottom - top) * (right - left) < sum * 15L;
            }
        }
        return new InkMap(width, height, dark);
    }
}
