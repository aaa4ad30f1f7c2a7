using System.Globalization;
using System.Text;
using Polder.Identity;
using Polder.Net;
using Polder.Overlay.Discovery;

namespace Polder.Node.Folders;

/// <summary>Peers that answered once, one a line: where a node begins its next life. Written off the loop, in one step.</summary>
/// <remarks>A line: address, key in hex, seconds since 1970 when it was last heard, "anchor" or "-".</remarks>
/// <param name="path">The file.</param>
public sealed class PeerCacheFile(string path) : IPeerCache
{
    private const string Heading = "# Peers that answered lately. Polder writes this file; it may be deleted.";
    private const int PeersMax = 10_000;

    private readonly Lock _gate = new();
    private IReadOnlyList<CachedPeer>? _next;
    private Task _writing = Task.CompletedTask;

    /// <inheritdoc/>
    public IReadOnlyList<CachedPeer> Load()
    {
        var peers = new List<CachedPeer>();
        try
        {
            foreach (var line in File.ReadLines(path))
            {
                if (peers.Count == PeersMax) break;
                if (TryRead(line) is { } peer) peers.Add(peer);
            }
        }
        // A cache may not stop a node.
        catch (IOException) { }
        catch (UnauthorizedAccessException) { }
        return peers;
    }

    /// <inheritdoc/>
    public void Save(IReadOnlyList<CachedPeer> peers)
    {
        lock (_gate)
        {
            var idle = _next is null;
            _next = peers;
            if (idle) _writing = Task.Run(WriteNext);
        }
    }

    /// <summary>Completes when everything that was saved before is in the file, or could not be.</summary>
    public Task WrittenAsync()
    {
        lock (_gate) return _writing;
    }

    private void WriteNext()
    {
        IReadOnlyList<CachedPeer> peers;
        lock (_gate) (peers, _next) = (_next!, null);
        var text = new StringBuilder(Heading).Append('\n');
        foreach (var peer in peers)
            text.Append(CultureInfo.InvariantCulture,
                $"{peer.Address} {peer.Key} {peer.LastIn.ToUnixTimeSeconds()} {(peer.IsAnchor ? "anchor" : "-")}\n");
        try
        {
            lock (_gate) DurableFile.Write(path, Encoding.ASCII.GetBytes(text.ToString()));
        }
        // Losing it loses no more than time at the next start.
        catch (IOException) { }
        catch (UnauthorizedAccessException) { }
    }

    private static CachedPeer? TryRead(string line)
    {
        var parts = line.Split(' ');
        return parts.Length == 4 && Endpoint.TryParse(parts[0], out var address) && PublicKey.TryParseHex(parts[1], out var key)
            && long.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds < 253_402_300_800
            ? new CachedPeer(address, key, DateTimeOffset.FromUnixTimeSeconds(seconds), parts[3] == "anchor") : null;
    }
}
