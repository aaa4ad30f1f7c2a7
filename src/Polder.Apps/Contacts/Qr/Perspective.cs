namespace Polder.Apps.Contacts.Qr;

/// <summary>Where a point of the code lies in the picture, when the code is flat and seen from anywhere: eight numbers from four pairs of points.</summary>
internal readonly struct Perspective
{
    private readonly double[] _h;

    private Perspective(double[] h) => _h = h;

    /// <summary>Null where three of the points lie on a line.</summary>
    public static Perspective? Of(ReadOnlySpan<(double X, double Y)> from, ReadOnlySpan<(double X, double Y)> to)
    {
        // x' = (h0 x + h1 y + h2) / (h6 x + h7 y + 1), and y' with h3 to h5: two equations a pair, solved by elimination.
        var a = new double[8, 9];
        for (var i = 0; i < 4; i++)
        {
            var ((x, y), (u, v)) = (from[i], to[i]);
            (a[2 * i, 0], a[2 * i, 1], a[2 * i, 2], a[2 * i, 6], a[2 * i, 7], a[2 * i, 8]) = (x, y, 1, -x * u, -y * u, u);
            (a[2 * i + 1, 3], a[2 * i + 1, 4], a[2 * i + 1, 5], a[2 * i + 1, 6], a[2 * i + 1, 7], a[2 * i + 1, 8]) = (x, y, 1, -x * v, -y * v, v);
        }
        for (var column = 0; column < 8; column++)
        {
            var pivot = column;
            for (var row = column + 1; row < 8; row++)
                if (Math.Abs(a[row, column]) > Math.Abs(a[pivot, column])) pivot = row;
            if (!(Math.Abs(a[pivot, column]) > 1e-9)) return null;
            for (var k = 0; k < 9; k++) (a[column, k], a[pivot, k]) = (a[pivot, k], a[column, k]);
            for (var row = 0; row < 8; row++)
            {
                if (row == column) continue;
                var factor = a[row, column] / a[column, column];
                for (var k = column; k < 9; k++) a[row, k] -= factor * a[column, k];
            }
        }
        var h = new double[8];
        for (var i = 0; i < 8; i++) h[i] = a[i, 8] / a[i, i];
        return new Perspective(h);
    }

    /// <summary>Where a point lies, in pixels.</summary>
    public (double X, double Y) Point(double x, double y)
    {
        var scale = _h[6] * x + _h[7] * y + 1;
        return ((_h[0] * x + _h[1] * y + _h[2]) / scale, (_h[3] * x + _h[4] * y + _h[5]) / scale);
    }

    /// <summary>The pixel of a point; one outside every picture where it would be infinitely far.</summary>
    public (int X, int Y) Pixel(double x, double y)
    {
        var (u, v) = Point(x, y);
        return u is > -1e6 and < 1e6 && v is > -1e6 and < 1e6 ? ((int)Math.Floor(u), (int)Math.Floor(v)) : (-1, -1);
    }
}
