using System.Text;
using Polder.Net;

namespace Polder.Overlay.AddressBook;

/// <summary>
/// A list of known public peers as people write it: one "HOST:PORT" a line, empty lines and everything from "#" on passed over.
/// Every entry is an ordinary node; none has any special power. A rule: names are looked up by whoever loads the list.
/// </summary>
/// <param name="Addresses">Entries that are addresses, in order, each once.</param>
/// <param name="Names">Entries that are names, "example.org:8090", in order, each once.</param>
/// <param name="BadLines">Numbers of the lines, from 1, that are neither.</param>
public sealed record BootstrapList(IReadOnlyList<Endpoint> Addresses, IReadOnlyList<string> Names, IReadOnlyList<int> BadLines)
{
    /// <summary>Longer lists are cut off here.</summary>
    public const int BytesMax = 1 << 20;

    /// <summary>More entries are passed over.</summary>
    public const int EntriesMax = 10_000;

    private static readonly System.Buffers.SearchValues<char> InAddresses = System.Buffers.SearchValues.Create("0123456789."), NeverInNames = System.Buffers.SearchValues.Create(" /:[]@");

    private const int LineBytesMax = 300, BadLinesKept = 100;

    /// <summary>Reads any bytes; what is no entry is named in <see cref="BadLines"/> (the first hundred).</summary>
    public static BootstrapList Read(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > BytesMax) bytes = bytes[..BytesMax];
        if (bytes is [0xEF, 0xBB, 0xBF, ..]) bytes = bytes[3..];
        var (addresses, names, bad) = (new List<Endpoint>(), new List<string>(), new List<int>());
        var (seen, seenNames) = (new HashSet<Endpoint>(), new HashSet<string>(StringComparer.Ordinal));
        var number = 0;
        while (!bytes.IsEmpty && addresses.Count + names.Count < EntriesMax)
        {
            number++;
            var end = bytes.IndexOf((byte)'\n');
            var line = end < 0 ? bytes : bytes[..end];
            bytes = end < 0 ? default : bytes[(end + 1)..];
            var comment = line.IndexOf((byte)'#');
            if (comment >= 0) line = line[..comment];
            line = line.Trim(" \t\r"u8);
            if (line.IsEmpty) continue;
            if (line.Length > LineBytesMax || !IsPrintable(line))
            {
                if (bad.Count < BadLinesKept) bad.Add(number);
                continue;
            }
            var text = Encoding.ASCII.GetString(line);
            if (Endpoint.TryParse(text, out var address) && address.IsSendable)
            {
                if (seen.Add(address)) addresses.Add(address);
            }
            else if (IsName(text))
            {
                if (seenNames.Add(text)) names.Add(text);
            }
            else if (bad.Count < BadLinesKept) bad.Add(number);
        }
        return new(addresses, names, bad);
    }

    private static bool IsPrintable(ReadOnlySpan<byte> line) => !line.ContainsAnyExceptInRange((byte)33, (byte)126);

    private static bool IsName(string text)
    {
        var colon = text.LastIndexOf(':');
        if (colon < 1 || !ushort.TryParse(text.AsSpan(colon + 1), System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var port) || port == 0)
            return false;
        var host = text.AsSpan(0, colon);
        return host.ContainsAnyExcept(InAddresses) && !host.ContainsAny(NeverInNames) && Uri.CheckHostName(host.ToString()) == UriHostNameType.Dns;
    }
}
