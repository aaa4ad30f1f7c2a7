using System.Buffers;
using System.Text;

namespace Polder.Graph.Model;

/// <summary>
/// Texts as bytes that sort by UTF-16 code unit, as the graph orders names, and that keep lone surrogates: each code unit in UTF-8 form
/// of its own (CESU-8). Plain texts are plain UTF-8.
/// </summary>
internal static class OrderedText
{
    private static readonly SearchValues<char> Surrogates = SearchValues.Create([.. Enumerable.Range(0xD800, 0x800).Select(static unit => (char)unit)]);

    public static byte[] Encode(string text)
    {
        if (!text.AsSpan().ContainsAny(Surrogates)) return Encoding.UTF8.GetBytes(text);
        var bytes = new byte[text.Length * 3];
        var length = 0;
        foreach (var unit in text)
        {
            if (unit < 0x80) bytes[length++] = (byte)unit;
            else if (unit < 0x800)
            {
                bytes[length++] = (byte)(0xC0 | unit >> 6);
                bytes[length++] = (byte)(0x80 | unit & 0x3F);
            }
            else
            {
                bytes[length++] = (byte)(0xE0 | unit >> 12);
                bytes[length++] = (byte)(0x80 | unit >> 6 & 0x3F);
                bytes[length++] = (byte)(0x80 | unit & 0x3F);
            }
        }
        return bytes[..length];
    }

    public static string Decode(ReadOnlySpan<byte> bytes)
    {
        // Only a surrogate begins with ED A0..BF; without one it is UTF-8.
        var at = bytes.IndexOf((byte)0xED);
        while (at >= 0 && at + 1 < bytes.Length && bytes[at + 1] < 0xA0)
        {
            var next = bytes[(at + 1)..].IndexOf((byte)0xED);
            at = next < 0 ? -1 : at + 1 + next;
        }
        if (at < 0) return Encoding.UTF8.GetString(bytes);
        var text = new StringBuilder(bytes.Length);
        for (var i = 0; i < bytes.Length;)
        {
            var first = bytes[i];
            if (first < 0x80) (text, i) = (text.Append((char)first), i + 1);
            else if (first < 0xE0 && i + 1 < bytes.Length) (text, i) = (text.Append((char)((first & 0x1F) << 6 | bytes[i + 1] & 0x3F)), i + 2);
            else if (i + 2 < bytes.Length) (text, i) = (text.Append((char)((first & 0x0F) << 12 | (bytes[i + 1] & 0x3F) << 6 | bytes[i + 2] & 0x3F)), i + 3);
            else break;
        }
        return text.ToString();
    }
}
