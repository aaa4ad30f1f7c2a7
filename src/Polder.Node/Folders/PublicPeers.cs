using Polder.Net;
using Polder.Overlay.AddressBook;

namespace Polder.Node.Folders;

/// <summary>
/// Lists of known public peers: the one shipped with the program, which is empty so far, and any number of the owner's (overlay.md §5.1). Names in them are
/// looked up here.
/// </summary>
internal static class PublicPeers
{
    private const int NamesMax = 64;

    /// <summary>The shipped list. It holds no address: no node has proved to be reachable for long, and none would have a special power.</summary>
    public static BootstrapList Shipped
    {
        get
        {
            using var stream = typeof(PublicPeers).Assembly.GetManifestResourceStream("bootstrap.txt")
                ?? throw new InvalidOperationException("bootstrap.txt is not in the program.");
            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            return BootstrapList.Read(bytes);
        }
    }

    /// <summary>Reads a list of the owner's and looks its names up.</summary>
    /// <exception cref="NodeStartException">The file cannot be read, or a line is no address; the message says which.</exception>
    public static async Task<BootstrapList> LoadAsync(string path, bool loopback, CancellationToken cancellation)
    {
        byte[] bytes;
        try
        {
            if (new FileInfo(path).Length > BootstrapList.BytesMax)
                throw new NodeStartException($"The list {path} is larger than {BootstrapList.BytesMax / 1024} KiB.");
            bytes = await File.ReadAllBytesAsync(path, cancellation).ConfigureAwait(false);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new NodeStartException($"The list of public peers {path} cannot be read: {problem.Message}", problem);
        }
        var list = BootstrapList.Read(bytes);
        if (list.BadLines.Count > 0)
            throw new NodeStartException(
                $"Line {list.BadLines[0]} of {path} is no address. A line is a host and a port (192.0.2.7:8090, [2001:db8::7]:8090 or example.org:8090), or a comment that begins with #.");
        return await ResolveAsync(list, loopback, cancellation).ConfigureAwait(false);
    }

    /// <summary>The same list with the addresses of its names. A node that is confined to loopback looks none up.</summary>
    public static async Task<BootstrapList> ResolveAsync(BootstrapList list, bool loopback, CancellationToken cancellation)
    {
        if (loopback || list.Names.Count == 0) return list;
        var addresses = new List<Endpoint>(list.Addresses);
        foreach (var name in list.Names.Take(NamesMax))
            addresses.AddRange(await JoinAddress.ResolveAsync(name, loopback, cancellation).ConfigureAwait(false));
        return list with { Addresses = addresses };
    }
}
