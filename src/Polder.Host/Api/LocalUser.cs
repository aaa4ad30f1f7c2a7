using System.Globalization;
using System.Net;
using System.Runtime.InteropServices;

namespace Polder.Host.Api;

/// <summary>
/// Whose program is at the other end of a connection over 127.0.0.1. Pages need no token, so on a machine that several people
/// use each could open the others' pages; Linux tells the owner of each end of a connection, and only the node's own user gets in.
/// </summary>
internal static partial class LocalUser
{
    private const int Established = 1;
    private const int TableBytesMax = 16 * 1024 * 1024;

    /// <summary>Whether the request's other end is a program of this very user. True where the system does not tell.</summary>
    public static bool IsOurs(ConnectionInfo connection)
    {
        if (!OperatingSystem.IsLinux() || connection.RemoteIpAddress is not { } remote || connection.LocalIpAddress is not { } local) return true;
        var (client, server) = (new IPEndPoint(remote.MapToIPv4(), connection.RemotePort), new IPEndPoint(local.MapToIPv4(), connection.LocalPort));
        try
        {
            // An IPv4 end of an IPv6 socket stands there with a prefix.
            return Judge(Read("/proc/net/tcp") + Read("/proc/net/tcp6").Replace("0000000000000000FFFF0000", "", StringComparison.Ordinal), client, server, UserId());
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException) { return true; }
    }

    /// <summary>
    /// Judges by the system's table of connections. Refused is a client end that is another's, or that is gone or closed while our
    /// own end is there: the owner of a closed end is no longer told. Where not even our own end is listed, the table tells nothing.
    /// </summary>
    internal static bool Judge(string table, IPEndPoint client, IPEndPoint server, uint ours)
    {
        var (fromClient, fromServer) = ($"{Hex(client)} {Hex(server)} ", $"{Hex(server)} {Hex(client)} ");
        var sawServer = false;
        foreach (var line in table.AsSpan().EnumerateLines())
        {
            if (line.Contains(fromServer, StringComparison.Ordinal)) sawServer = true;
            var at = line.IndexOf(fromClient, StringComparison.Ordinal);
            if (at < 0) continue;
            // State, queues, timer, retransmits, then the user.
            var rest = line[(at + fromClient.Length)..];
            Span<Range> fields = stackalloc Range[7];
            if (rest.Split(fields, ' ', StringSplitOptions.RemoveEmptyEntries) < 5) return false;
            return byte.TryParse(rest[fields[0]], NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var state) && state == Established
                && uint.TryParse(rest[fields[4]], NumberStyles.None, CultureInfo.InvariantCulture, out var user) && user == ours;
        }
        return !sawServer;
    }

    // The ends as the table has them, the same for an IPv4 address within IPv6: its four bytes in the machine's order, then the port.
    private static string Hex(IPEndPoint end)
    {
        Span<byte> bytes = stackalloc byte[4];
        end.Address.TryWriteBytes(bytes, out _);
        return $"{MemoryMarshal.Read<uint>(bytes):X8}:{end.Port:X4}";
    }

    private static string Read(string path)
    {
        if (!File.Exists(path)) return "";
        using var reader = new StreamReader(path);
        var text = new System.Text.StringBuilder();
        var buffer = new char[32 * 1024];
        for (int count; (count = reader.Read(buffer)) > 0 && text.Length < TableBytesMax;) text.Append(buffer, 0, count);
        return text.Append('\n').ToString();
    }

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint UserId();
}
