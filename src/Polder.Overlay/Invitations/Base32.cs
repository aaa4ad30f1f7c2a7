namespace Polder.Overlay.Invitations;

/// <summary>Base32 of RFC 4648 without padding, upper case, so that a QR code takes it in its alphanumeric mode.</summary>
internal static class Base32
{
    private const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

    public static string Encode(ReadOnlySpan<byte> bytes)
    {
        var text = new char[(bytes.Length * 8 + 4) / 5];
        var (bits, count, at) = (0, 0, 0);
        foreach (var value in bytes)
        {
            bits = (bits << 8 | value) & 0xFFFF;
            for (count += 8; count >= 5; count -= 5) text[at++] = Alphabet[(bits >> (count - 5)) & 31];
        }
        if (count > 0) text[at] = Alphabet[(bits << (5 - count)) & 31];
        return new string(text);
    }

    /// <summary>Reads either case; white space and hyphens are passed over. Null for other characters, for more than <paramref name="bytesMax"/>, or for bits left over that are not 0.</summary>
    public static byte[]? Decode(ReadOnlySpan<char> text, int bytesMax)
    {
        Span<byte> bytes = bytesMax <= 512 ? stackalloc byte[512] : new byte[bytesMax];
        var (bits, count, at) = (0, 0, 0);
        foreach (var character in text)
        {
            if (char.IsWhiteSpace(character) || character == '-') continue;
            var value = character switch
            {
                >= 'A' and <= 'Z' => character - 'A',
                >= 'a' and <= 'z' => character - 'a',
                >= '2' and <= '7' => character - '2' + 26,
                _ => -1,
            };
            if (value < 0) return null;
            bits = (bits << 5 | value) & 0xFFFF;
            count += 5;
            if (count < 8) continue;
            if (at == bytesMax) return null;
            count -= 8;
            // Bits that were taken out already are still above.
            bytes[at++] = (byte)((bits >> count) & 0xFF);
        }
        return count >= 5 || (bits & ((1 << count) - 1)) != 0 ? null : bytes[..at].ToArray();
    }
}
