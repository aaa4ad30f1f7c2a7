using System.Text;
using System.Text.Unicode;

namespace Polder.Apps.Contacts.Qr;

/// <summary>From the bytes of a code to its text: numbers, letters and bytes (ISO/IEC 18004, §7.4). Japanese and codes in several parts are not read.</summary>
internal static class QrSegments
{
    private const string Letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";

    public static string? Read(byte[] data, int version)
    {
        var bits = new Bits(data);
        var bytes = new List<byte>(data.Length);
        var size = version < 10 ? 0 : version < 27 ? 1 : 2;
        while (bits.Left >= 4)
        {
            var good = bits.Take(4) switch
            {
                0 => null,
                1 => (bool?)ReadNumbers(ref bits, bits.Take(size switch { 0 => 10, 1 => 12, _ => 14 }), bytes),
                2 => ReadLetters(ref bits, bits.Take(size switch { 0 => 9, 1 => 11, _ => 13 }), bytes),
                4 => ReadBytes(ref bits, bits.Take(size == 0 ? 8 : 16), bytes),
                // Which letters the bytes mean: they are looked at instead.
                7 => SkipCharacterSet(ref bits),
                // FNC1: the text is made for trade, and stays a text.
                5 => true,
                9 => bits.Take(8) >= 0,
                _ => false,
            };
            if (good is null) break;
            if (good == false) return null;
        }
        var span = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(bytes);
        return Utf8.IsValid(span) ? Encoding.UTF8.GetString(span) : Encoding.Latin1.GetString(span);
    }

    private static bool ReadNumbers(ref Bits bits, int count, List<byte> text)
    {
        if (count < 0) return false;
        for (; count > 0; count -= 3)
        {
            var digits = Math.Min(count, 3);
            var value = bits.Take(digits switch { 3 => 10, 2 => 7, _ => 4 });
            if (value < 0 || value >= (digits switch { 3 => 1000, 2 => 100, _ => 10 })) return false;
            if (digits == 3) text.Add((byte)('0' + value / 100));
            if (digits >= 2) text.Add((byte)('0' + value / 10 % 10));
            text.Add((byte)('0' + value % 10));
        }
        return true;
    }

    private static bool ReadLetters(ref Bits bits, int count, List<byte> text)
    {
        if (count < 0) return false;
        for (; count > 0; count -= 2)
        {
            var value = bits.Take(count == 1 ? 6 : 11);
            if (value < 0 || value >= (count == 1 ? 45 : 45 * 45)) return false;
            if (count > 1) text.Add((byte)Letters[value / 45]);
            text.Add((byte)Letters[value % 45]);
        }
        return true;
    }

    private static bool ReadBytes(ref Bits bits, int count, List<byte> text)
    {
        if (count < 0 || bits.Left < 8 * count) return false;
        for (; count > 0; count--) text.Add((byte)bits.Take(8));
        return true;
    }

    private static bool SkipCharacterSet(ref Bits bits)
    {
        var first = bits.Take(8);
        return first >= 0 && ((first & 0x80) == 0 || bits.Take((first & 0xC0) == 0x80 ? 8 : 16) >= 0);
    }

    private struct Bits(byte[] data)
    {
        private int _at;

        public readonly int Left => 8 * data.Length - _at;

        /// <summary>The next bits as a number; −1 where there are fewer.</summary>
        public int Take(int count)
        {
            if (Left < count) return -1;
            var value = 0;
            for (; count > 0; count--, _at++) value = value << 1 | (data[_at >> 3] >> (7 - (_at & 7)) & 1);
            return value;
        }
    }
}
