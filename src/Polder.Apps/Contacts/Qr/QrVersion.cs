namespace Polder.Apps.Contacts.Qr;

/// <summary>What ISO/IEC 18004 lays down for each of the 40 sizes of a QR code.</summary>
internal static class QrVersion
{
    /// <summary>The largest.</summary>
    public const int Max = 40;

    // Table 9: check bytes of a block, and blocks, for levels L, M, Q and H.
    private static readonly byte[][] CheckBytes =
    [
        [7, 10, 15, 20, 26, 18, 20, 24, 30, 18, 20, 24, 26, 30, 22, 24, 28, 30, 28, 28, 28, 28, 30, 30, 26, 28, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30],
        [10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26, 26, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28],
        [13, 22, 18, 26, 18, 24, 18, 22, 20, 24, 28, 26, 24, 20, 30, 24, 28, 28, 26, 30, 28, 30, 30, 30, 30, 28, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30],
        [17, 28, 22, 16, 22, 28, 26, 26, 24, 28, 24, 28, 22, 24, 24, 30, 28, 28, 26, 28, 30, 24, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30],
    ];

    private static readonly byte[][] Blocks =
    [
        [1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4, 4, 6, 6, 6, 6, 7, 8, 8, 9, 9, 10, 12, 12, 12, 13, 14, 15, 16, 17, 18, 19, 19, 20, 21, 22, 24, 25],
        [1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16, 17, 17, 18, 20, 21, 23, 25, 26, 28, 29, 31, 33, 35, 37, 38, 40, 43, 45, 47, 49],
        [1, 1, 2, 2, 4, 4, 6, 6, 8, 8, 8, 10, 12, 16, 12, 17, 16, 18, 21, 20, 23, 23, 25, 27, 29, 34, 34, 35, 38, 40, 43, 45, 48, 51, 53, 56, 59, 62, 65, 68],
        [1, 1, 2, 4, 4, 4, 5, 6, 8, 8, 11, 11, 16, 16, 18, 16, 19, 21, 25, 25, 25, 34, 30, 32, 35, 37, 40, 42, 45, 48, 51, 54, 57, 60, 63, 66, 70, 74, 77, 81],
    ];

    /// <summary>Modules of a side.</summary>
    public static int Side(int version) => 17 + 4 * version;

    /// <summary>Check bytes of a block and how many blocks there are. Level 0 is L, 3 is H.</summary>
    public static (int Check, int Blocks) Protection(int version, int level) => (CheckBytes[level][version - 1], Blocks[level][version - 1]);

    /// <summary>Bytes of data and check in all.</summary>
    public static int Bytes(int version)
    {
        var modules = (16 * version + 128) * version + 64;
        if (version >= 2)
        {
            var count = version / 7 + 2;
            modules -= (25 * count - 10) * count - 55;
            if (version >= 7) modules -= 36;
        }
        return modules / 8;
    }

    /// <summary>The middles of the alignment patterns, on both axes (annex E).</summary>
    public static int[] AlignmentCentres(int version)
    {
        if (version == 1) return [];
        var centres = new int[version / 7 + 2];
        var step = (version * 8 + centres.Length * 3 + 5) / (centres.Length * 4 - 4) * 2;
        for (var i = centres.Length - 1; i > 0; i--) centres[i] = Side(version) - 7 - step * (centres.Length - 1 - i);
        centres[0] = 6;
        return centres;
    }

    /// <summary>The modules that carry no data, true, row by row.</summary>
    public static bool[] FunctionModules(int version)
    {
        var side = Side(version);
        var taken = new bool[side * side];
        Fill(0, 0, 9, 9);
        Fill(side - 8, 0, 8, 9);
        Fill(0, side - 8, 9, 8);
        Fill(6, 0, 1, side);
        Fill(0, 6, side, 1);
        if (version >= 7)
        {
            Fill(side - 11, 0, 3, 6);
            Fill(0, side - 11, 6, 3);
        }
        var centres = AlignmentCentres(version);
        foreach (var x in centres)
            foreach (var y in centres)
                if (!((x == 6 && (y == 6 || y == side - 7)) || (y == 6 && x == side - 7))) Fill(x - 2, y - 2, 5, 5);
        return taken;

        void Fill(int left, int top, int width, int height)
        {
            for (var y = top; y < top + height; y++)
                for (var x = left; x < left + width; x++) taken[y * side + x] = true;
        }
    }
}
