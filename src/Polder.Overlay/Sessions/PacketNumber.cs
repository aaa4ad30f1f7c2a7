namespace Polder.Overlay.Sessions;

/// <summary>
/// Which packet of a session: the epoch of its key, then the counter, which begins at 0 with each epoch. Both sides number the
/// epochs alike. Never repeated within a session, and ordered.
/// </summary>
/// <param name="Epoch">1 with the first handshake; grows with each rekey (by more than one when a rekey was lost).</param>
/// <param name="Counter">The counter on the wire.</param>
public readonly record struct PacketNumber(uint Epoch, ulong Counter) : IComparable<PacketNumber>
{
    /// <inheritdoc/>
    public int CompareTo(PacketNumber other) => Epoch != other.Epoch ? Epoch.CompareTo(other.Epoch) : Counter.CompareTo(other.Counter);

    /// <summary>Order of sending.</summary>
    public static bool operator <(PacketNumber left, PacketNumber right) => left.CompareTo(right) < 0;
    /// <summary>Order of sending.</summary>
    public static bool operator >(PacketNumber left, PacketNumber right) => left.CompareTo(right) > 0;
    /// <summary>Order of sending.</summary>
    public static bool operator <=(PacketNumber left, PacketNumber right) => left.CompareTo(right) <= 0;
    /// <summary>Order of sending.</summary>
    public static bool operator >=(PacketNumber left, PacketNumber right) => left.CompareTo(right) >= 0;
}
