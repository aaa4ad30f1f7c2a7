using System.Text;
using QRCoder;

namespace Polder.Host;

/// <summary>A text as a QR code, for the terminal and for the page. Upper-case letters and digits take least room.</summary>
internal static class QrPicture
{
    /// <summary>Two rows of modules in one line of half blocks, dark on light also where the terminal is dark.</summary>
    public static IEnumerable<string> Lines(string text)
    {
        var modules = Modules(text);
        for (var row = 0; row < modules.Count; row += 2)
        {
            var line = new StringBuilder();
            for (var column = 0; column < modules.Count; column++)
            {
                var (upper, lower) = (!modules[row][column], row + 1 >= modules.Count || !modules[row + 1][column]);
                line.Append((upper, lower) switch { (true, true) => '█', (true, false) => '▀', (false, true) => '▄', _ => ' ' });
            }
            yield return line.ToString();
        }
    }

    /// <summary>The path of an SVG whose view box is <paramref name="size"/> modules wide, quiet zone included.</summary>
    public static string SvgPath(string text, out int size)
    {
        var modules = Modules(text);
        size = modules.Count;
        var path = new StringBuilder();
        for (var row = 0; row < size; row++)
        {
            for (var column = 0; column < size; column++)
            {
                if (!modules[row][column]) continue;
                var start = column;
                while (column + 1 < size && modules[row][column + 1]) column++;
                path.Append('M').Append(start).Append(' ').Append(row).Append('h').Append(column - start + 1).Append("v1H").Append(start).Append('z');
            }
        }
        return path.ToString();
    }

    /// <summary>A PNG file, eight pixels a module, quiet zone included.</summary>
    public static byte[] Png(string text)
    {
        using var generator = new QRCodeGenerator();
        using var code = generator.CreateQrCode(Smallest(text), QRCodeGenerator.ECCLevel.M);
        using var picture = new PngByteQRCode(code);
        return picture.GetGraphic(8);
    }

    /// <summary>Invitations and codes mean the same in capitals, which take less room; a contact's JSON does not.</summary>
    private static string Smallest(string text) => text.StartsWith('{') ? text : text.ToUpperInvariant();

    private static List<System.Collections.BitArray> Modules(string text)
    {
        using var generator = new QRCodeGenerator();
        using var code = generator.CreateQrCode(Smallest(text), QRCodeGenerator.ECCLevel.L);
        // The library's own quiet zone is four modules wide, as the standard wants.
        return [.. code.ModuleMatrix];
    }
}
