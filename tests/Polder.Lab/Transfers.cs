using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Polder.Node;
using Polder.Overlay.Streams;

namespace Polder.Lab;

/// <summary>Streams of bytes from one node to another, with the moments at which nothing came.</summary>
internal static class Transfers
{
    private const string Name = "lab/bytes";
    private const int ChunkBytes = 16 * 1024;
    private static readonly TimeSpan GapMin = TimeSpan.FromMilliseconds(300);

    /// <summary>Takes streams and tells, at the end of each, how much came, its hash, and every silence longer than 0.3 s. On the loop.</summary>
    public static void Serve(PolderNode node, Action<JsonObject> tell) => node.Host.Streams.Accept(Name, async stream =>
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var (buffer, clock, last, bytes, gaps) = (new byte[ChunkBytes], Stopwatch.StartNew(), TimeSpan.Zero, 0L, new JsonArray());
        var problem = "";
        try
        {
            while (await stream.ReadAsync(buffer) is > 0 and var read)
            {
                hash.AppendData(buffer, 0, read);
                bytes += read;
                if (clock.Elapsed - last > GapMin) gaps.Add((clock.Elapsed - last).TotalSeconds);
                if (bytes == read) tell(new JsonObject { ["event"] = "first", ["key"] = stream.Peer.Key.ToString() });
                last = clock.Elapsed;
            }
        }
        catch (PeerStreamException failed) { problem = failed.Message; }
        tell(new JsonObject
        {
            ["event"] = "received", ["key"] = stream.Peer.Key.ToString(), ["bytes"] = bytes, ["hash"] = Convert.ToHexStringLower(hash.GetHashAndReset()),
            ["seconds"] = clock.Elapsed.TotalSeconds, ["gaps"] = gaps, ["problem"] = problem, ["path"] = stream.Session.Path.ToString(),
        });
    });

    /// <summary>Sends so many bytes made from a seed; gives how long it took until all was acknowledged, and their hash. On the loop.</summary>
    public static async Task<JsonObject> SendAsync(PolderNode node, Polder.Identity.PublicKey key, long bytes, int seed)
    {
        var session = await node.Host.Connector.ConnectAsync(key) ?? node.Host.Sessions.Find(key)
            ?? throw new InvalidOperationException("There is no session with that key.");
        var stream = await node.Host.Streams.OpenAsync(session, Name, oneWay: true) ?? throw new InvalidOperationException("No stream.");
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var (chunk, clock) = (new byte[ChunkBytes], Stopwatch.StartNew());
        var random = new Random(seed);
        for (var left = bytes; left > 0;)
        {
            var size = (int)Math.Min(left, ChunkBytes);
            random.NextBytes(chunk.AsSpan(0, size));
            hash.AppendData(chunk, 0, size);
            await stream.WriteAsync(chunk.AsMemory(0, size));
            left -= size;
        }
        stream.CompleteWrite();
        await stream.DeliveredAsync();
        return new JsonObject
        {
            ["event"] = "delivered", ["bytes"] = bytes, ["seconds"] = clock.Elapsed.TotalSeconds, ["hash"] = Convert.ToHexStringLower(hash.GetHashAndReset()),
            ["path"] = session.Path.ToString(),
        };
    }
}
