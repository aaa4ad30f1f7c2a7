using System.Numerics;

namespace Polder.Apps.Contacts.Qr;

/// <summary>The modules of a QR code as they were seen, dark or light, and the way from them to bytes (ISO/IEC 18004, §7 and §11).</summary>
/// <param name="version">1 to 40.</param>
/// <param name="dark">Row by row.</param>
internal sealed class QrMatrix(int version, bool[] dark)
{
    private const int WrongFormatBitsMax = 3;

    private readonly int _side = QrVersion.Side(version);

    public bool this[int x, int y] => dark[y * _side + x];

    /// <summary>The same code seen from behind.</summary>
    public QrMatrix Mirrored()
    {
        var turned = new bool[dark.Length];
        for (var y = 0; y < _side; y++)
            for (var x = 0; x < _side; x++) turned[x * _side + y] = dark[y * _side + x];
        return new QrMatrix(version, turned);
    }

    /// <summary>The text, or null when too much is damaged.</summary>
    public string? Read()
    {
        if (ReadFormat() is not var (level, mask)) return null;
        var (check, blocks) = QrVersion.Protection(version, level);
        return Join(ReadBytes(mask), check, blocks) is { } data ? QrSegments.Read(data, version) : null;
    }

    /// <summary>Level and mask: 5 bits in 15, twice; the nearer of both copies counts.</summary>
    private (int Level, int Mask)? ReadFormat()
    {
        int first = 0, second = 0;
        for (var i = 0; i <= 5; i++) first |= Bit(8, i) << i;
        first |= Bit(8, 7) << 6 | Bit(8, 8) << 7 | Bit(7, 8) << 8;
        for (var i = 9; i < 15; i++) first |= Bit(14 - i, 8) << i;
        for (var i = 0; i < 8; i++) second |= Bit(_side - 1 - i, 8) << i;
        for (var i = 8; i < 15; i++) second |= Bit(8, _side - 15 + i) << i;
        var (best, wrong) = (0, WrongFormatBitsMax + 1);
        for (var value = 0; value < 32; value++)
        {
            var word = FormatWord(value);
            var distance = Math.Min(BitOperations.PopCount((uint)(word ^ first)), BitOperations.PopCount((uint)(word ^ second)));
            if (distance < wrong) (best, wrong) = (value, distance);
        }
        // In the format, 1 is level L, 0 is M, 3 is Q and 2 is H.
        return wrong > WrongFormatBitsMax ? null : ((best >> 3) switch { 1 => 0, 0 => 1, 3 => 2, _ => 3 }, best & 7);

        int Bit(int x, int y) => this[x, y] ? 1 : 0;
    }

    /// <summary>BCH (15, 5) with the polynomial 10100110111, masked.</summary>
    private static int FormatWord(int value)
    {
        var rest = value;
        for (var i = 0; i < 10; i++) rest = rest << 1 ^ (rest >> 9) * 0x537;
        return (value << 10 | rest) ^ 0x5412;
    }

    /// <summary>All bytes in the order of the zigzag, two columns at a time from the right.</summary>
    private byte[] ReadBytes(int mask)
    {
        var taken = QrVersion.FunctionModules(version);
        var bytes = new byte[QrVersion.Bytes(version)];
        var bit = 0;
        for (var right = _side - 1; right >= 1; right -= 2)
        {
            if (right == 6) right = 5;
            var upward = ((right + 1) & 2) == 0;
            for (var step = 0; step < _side; step++)
            {
                var y = upward ? _side - 1 - step : step;
                for (var x = right; x > right - 2; x--)
                {
                    if (taken[y * _side + x] || bit >= 8 * bytes.Length) continue;
                    if (this[x, y] != IsMasked(mask, x, y)) bytes[bit >> 3] |= (byte)(0x80 >> (bit & 7));
                    bit++;
                }
            }
        }
        return bytes;
    }

    private static bool IsMasked(int mask, int x, int y) => mask switch
    {
        0 => (x + y) % 2 == 0,
        1 => y % 2 == 0,
        2 => x % 3 == 0,
        3 => (x + y) % 3 == 0,
        4 => (x / 3 + y / 2) % 2 == 0,
        5 => x * y % 2 + x * y % 3 == 0,
        6 => (x * y % 2 + x * y % 3) % 2 == 0,
        _ => ((x + y) % 2 + x * y % 3) % 2 == 0,
    };

    /// <summary>Sorts the bytes into their blocks, corrects each, and puts the data together; the first blocks may be a byte shorter.</summary>
    private static byte[]? Join(byte[] bytes, int check, int count)
    {
        var (shortBytes, shortCount) = (bytes.Length / count, count - bytes.Length % count);
        var data = new byte[bytes.Length - check * count];
        Span<byte> block = stackalloc byte[256];
        var end = 0;
        for (var number = 0; number < count; number++)
        {
            var length = shortBytes + (number < shortCount ? 0 : 1);
            var dataLength = length - check;
            for (var i = 0; i < length; i++)
                block[i] = bytes[i < shortBytes - check ? i * count + number
                    : i < dataLength ? (shortBytes - check) * count + number - shortCount
                    : data.Length + (i - dataLength) * count + number];
            if (!ReedSolomon.Correct(block[..length], check)) return null;
            block[..dataLength].CopyTo(data.AsSpan(end));
            end += dataLength;
        }
        return data;
    }
}
