using Polder.Net;

namespace Polder.Benchmarks;

/// <summary>A folder that is gone afterwards.</summary>
internal sealed class BenchFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("polder-bench-").FullName;

    public string File(string name) => System.IO.Path.Combine(Path, name);

    public void Dispose()
    {
        try { Directory.Delete(Path, recursive: true); }
        // A file that the system still holds is left to the system's own cleaning.
        catch (IOException) { }
    }
}

/// <summary>For measurements without a network.</summary>
internal sealed class NoSocket : IDatagramSocket
{
    public static NoSocket Instance { get; } = new();
    public Endpoint LocalEndpoint => Endpoint.None;
    public DatagramHandler? Received { get; set; }
    public void Send(Endpoint to, ReadOnlySpan<byte> datagram) { }
}
