namespace Polder.Overlay.Nat;

/// <summary>Where the next mappings of a sequential router will be (OV-6.4).</summary>
internal static class PortPrediction
{
    /// <summary>Ports tried in one burst.</summary>
    public const int PortsMax = 32;

    private const int Least = 1024, Range = 65_536 - Least;

    /// <summary>The ports that follow <paramref name="last"/>: last + i·step for i = 1…32, kept within 1024 to 65535 as routers do.</summary>
    public static void Fill(int last, int step, Span<ushort> ports)
    {
        for (var i = 0; i < ports.Length; i++)
        {
            var offset = (last - Least + (i + 1) * step) % Range;
            ports[i] = (ushort)(Least + (offset < 0 ? offset + Range : offset));
        }
    }
}
