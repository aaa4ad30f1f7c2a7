namespace Polder.Overlay.Sessions;

/// <summary>
/// Buffers of one datagram each, in the order of a stack: a packet that travels inside another (over a relay) is made or read while
/// the other is still in use. One loop is one thread at a time, so they belong to the thread.
/// </summary>
internal static class PacketBuffers
{
    /// <summary>How deep packets may lie in each other.</summary>
    public const int DepthMax = 8;

    [ThreadStatic] private static byte[][]? _buffers;
    [ThreadStatic] private static int _depth;

    /// <summary>The next buffer, or null when packets are nested too deep. Give it back by <see cref="Return"/> in the same method.</summary>
    public static byte[]? Rent()
    {
        if (_depth >= DepthMax) return null;
        _buffers ??= new byte[DepthMax][];
        return _buffers[_depth++] ??= new byte[ushort.MaxValue];
    }

    /// <summary>Gives the last one back.</summary>
    public static void Return() => _depth--;
}
