namespace Polder.Overlay.Streams;

/// <summary>
/// How much a sender may have sent: what was read, and a window that doubles when half of it is used up within two round trips, because
/// then the window is what holds the sender back (OV-9.1).
/// </summary>
internal struct ReceiveWindow(long bytes, long bytesMax)
{
    private const int RoundTripsFast = 2;

    private TimeSpan _raisedAt = TimeSpan.MinValue;

    /// <summary>Bytes beyond what was read.</summary>
    public long Bytes { get; private set; } = bytes;

    /// <summary>What the peer was told: offset of the first byte that it must not send.</summary>
    public ulong Limit { get; private set; } = (ulong)bytes;

    /// <summary>Whether the peer should be told of more room, now that so much was read.</summary>
    public readonly bool IsDue(ulong read) => Limit - read < (ulong)Bytes / 2;

    /// <summary>Makes room. Gives the new limit, which is to be sent.</summary>
    public ulong Raise(ulong read, TimeSpan now, TimeSpan roundTrip, bool mayGrow)
    {
        if (_raisedAt != TimeSpan.MinValue && mayGrow && now - _raisedAt < roundTrip * RoundTripsFast) Bytes = Math.Min(Bytes * 2, bytesMax);
        _raisedAt = now;
        Limit = Math.Max(Limit, read + (ulong)Bytes);
        return Limit;
    }
}
