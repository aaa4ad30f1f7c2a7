using System.Text;
using Polder.Net;

namespace Polder.Node.Folders;

/// <summary>Addresses that answered lately, best first, one a line: where a node begins its next life.</summary>
/// <param name="path">The file.</param>
public sealed class PeerCacheFile(string path)
{
    /// <summary>Addresses kept; more are left out.</summary>
    public const int AddressesMax = 200;

    private const string Heading = "# Addresses that answered lately. Polder writes this file; it may be deleted.";

    /// <summary>The addresses; none when the file is missing. Lines that are no address are passed over: a cache may not stop a node.</summary>
    public IReadOnlyList<Endpoint> Read()
    {
        var addresses = new List<Endpoint>();
        try
        {
            foreach (var line in File.ReadLines(path))
            {
                if (addresses.Count == AddressesMax) break;
                if (Endpoint.TryParse(line.Trim(), out var address)) addresses.Add(address);
            }
        }
        catch (IOException) { }
        catch (UnauthorizedAccessException) { }
        return addresses;
    }

    /// <summary>Replaces the file in one step. False when the disk refuses; the node goes on without.</summary>
    public bool TryWrite(IReadOnlyList<Endpoint> addresses)
    {
        var text = new StringBuilder(Heading).Append('\n');
        foreach (var address in addresses.Take(AddressesMax)) text.Append(address).Append('\n');
        try
        {
            DurableFile.Write(path, Encoding.ASCII.GetBytes(text.ToString()));
            return true;
        }
        catch (IOException) { return false; }
        catch (UnauthorizedAccessException) { return false; }
    }
}
