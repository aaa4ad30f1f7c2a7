namespace Polder.Apps.Contacts.Qr;

/// <summary>From three corners to the modules of a code: how many there are, where the fourth corner lies, and which are dark.</summary>
internal static class QrSampler
{
    /// <summary>Sizes beside the measured one that are tried.</summary>
    private const int VersionsAround = 3;
    private const double TimingMin = 0.75;

    /// <summary>The codes that these three corners may belong to, the most likely first.</summary>
    public static IEnumerable<QrMatrix> Sample(InkMap ink, FinderPattern a, FinderPattern b, FinderPattern c)
    {
        if (Order(a, b, c) is not var (corner, right, down)) yield break;
        var module = (corner.Module + right.Module + down.Module) / 3;
        var side = (Distance(corner, right) + Distance(corner, down)) / 2;
        // A code that stands askew has longer runs than modules, up to √2: then it is smaller than it looks. The timing pattern knows.
        var tilt = Math.Max(Math.Abs(right.X - corner.X), Math.Abs(right.Y - corner.Y)) / Math.Max(1, Distance(corner, right));
        var guess = (int)Math.Round((side / (module * Math.Clamp(tilt, 0.6, 1)) + 7 - 17) / 4);
        var candidates = new List<(double Score, int Version, Perspective View)>();
        for (var version = Math.Max(1, guess - VersionsAround); version <= Math.Min(QrVersion.Max, guess + VersionsAround); version++)
        {
            if (View(ink, version, corner, right, down) is not { } view) continue;
            var score = TimingScore(ink, version, view);
            if (score >= TimingMin) candidates.Add((score - 0.02 * Math.Abs(version - guess), version, view));
        }
        foreach (var (_, version, view) in candidates.OrderByDescending(static candidate => candidate.Score)) yield return Read(ink, version, view);
    }

    /// <summary>The corner between the other two comes first, then the one to its right when the code is not seen from behind.</summary>
    private static (FinderPattern Corner, FinderPattern Right, FinderPattern Down)? Order(FinderPattern a, FinderPattern b, FinderPattern c)
    {
        var (ab, bc, ca) = (Distance(a, b), Distance(b, c), Distance(c, a));
        var (corner, one, two) = bc >= ab && bc >= ca ? (a, b, c) : ca >= ab && ca >= bc ? (b, c, a) : (c, a, b);
        var (first, second) = (Distance(corner, one), Distance(corner, two));
        // Both legs about as long, and about a right angle between them.
        if (Math.Min(first, second) < 10 || Math.Max(first, second) > 1.6 * Math.Min(first, second)) return null;
        var cosine = ((one.X - corner.X) * (two.X - corner.X) + (one.Y - corner.Y) * (two.Y - corner.Y)) / (first * second);
        if (Math.Abs(cosine) > 0.4) return null;
        var cross = (one.X - corner.X) * (two.Y - corner.Y) - (one.Y - corner.Y) * (two.X - corner.X);
        return cross > 0 ? (corner, one, two) : (corner, two, one);
    }

    private static Perspective? View(InkMap ink, int version, FinderPattern corner, FinderPattern right, FinderPattern down)
    {
        double far = QrVersion.Side(version) - 3.5;
        var (x, y) = (right.X + down.X - corner.X, right.Y + down.Y - corner.Y);
        ReadOnlySpan<(double, double)> square = [(3.5, 3.5), (far, 3.5), (3.5, far), (far, far)];
        var flat = Perspective.Of(square, [(corner.X, corner.Y), (right.X, right.Y), (down.X, down.Y), (x, y)]);
        if (version == 1 || flat is not { } view) return flat;
        // The alignment pattern near the fourth corner tells how the code leans.
        var at = QrVersion.Side(version) - 6.5;
        if (Alignment(ink, view, at) is not var (foundX, foundY)) return flat;
        ReadOnlySpan<(double, double)> leaning = [(3.5, 3.5), (far, 3.5), (3.5, far), (at, at)];
        return Perspective.Of(leaning, [(corner.X, corner.Y), (right.X, right.Y), (down.X, down.Y), (foundX, foundY)]) ?? flat;
    }

    /// <summary>The middle of the alignment pattern near a place: the nearest point whose 25 modules look like one.</summary>
    private static (double X, double Y)? Alignment(InkMap ink, Perspective view, double at)
    {
        const double step = 0.25;
        const int reach = 16;
        (double X, double Y, double Distance) best = default;
        var (bestScore, ties) = (22, 0);
        for (var j = -reach; j <= reach; j++)
            for (var i = -reach; i <= reach; i++)
            {
                var (x, y) = (at + i * step, at + j * step);
                var score = AlignmentScore(ink, view, x, y);
                if (score < bestScore || score < 23) continue;
                var distance = (double)i * i + (double)j * j;
                if (score > bestScore) (best, bestScore, ties) = ((x, y, distance), score, 1);
                // Points around the middle score the same: their mean is the middle, as long as they belong to one pattern.
                else if (Math.Abs(x - best.X / ties) < 1 && Math.Abs(y - best.Y / ties) < 1) (best, ties) = ((best.X + x, best.Y + y, best.Distance), ties + 1);
                else if (distance < best.Distance) (best, ties) = ((x, y, distance), 1);
            }
        return ties == 0 ? null : view.Point(best.X / ties, best.Y / ties);
    }

    private static int AlignmentScore(InkMap ink, Perspective view, double x, double y)
    {
        var score = 0;
        for (var j = -2; j <= 2; j++)
            for (var i = -2; i <= 2; i++)
            {
                var (u, v) = view.Pixel(x + i, y + j);
                var expected = Math.Max(Math.Abs(i), Math.Abs(j)) != 1;
                if (ink[u, v] == expected) score++;
            }
        return score;
    }

    /// <summary>How much of the row and the column of alternating modules is right.</summary>
    private static double TimingScore(InkMap ink, int version, Perspective view)
    {
        var (side, good) = (QrVersion.Side(version), 0);
        for (var i = 8; i < side - 8; i++)
        {
            var (x, y) = view.Pixel(i + 0.5, 6.5);
            if (ink[x, y] == ((i & 1) == 0)) good++;
            (x, y) = view.Pixel(6.5, i + 0.5);
            if (ink[x, y] == ((i & 1) == 0)) good++;
        }
        return good / (2.0 * (side - 16));
    }

    private static QrMatrix Read(InkMap ink, int version, Perspective view)
    {
        var side = QrVersion.Side(version);
        var dark = new bool[side * side];
        for (var y = 0; y < side; y++)
            for (var x = 0; x < side; x++)
            {
                var (u, v) = view.Pixel(x + 0.5, y + 0.5);
                dark[y * side + x] = ink[u, v];
            }
        return new QrMatrix(version, dark);
    }

    private static double Distance(FinderPattern a, FinderPattern b) => Math.Sqrt((a.X - b.X) * (a.X - b.X) + (a.Y - b.Y) * (a.Y - b.Y));
}
