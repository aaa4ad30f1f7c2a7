using Polder.Overlay.Sessions;

namespace Polder.Overlay.Streams;

/// <summary>
/// What arrived, and when to say so (OV-9.2): for every second packet, at once when one is missing or late, and after 25 ms. Packets of the
/// key before the last rekey are acknowledged apart.
/// </summary>
internal sealed class Acknowledger(TimeSpan delayMax)
{
    private const int PacketsMax = 2;

    private AckRanges _ranges = new();
    private AckRanges? _before;
    private uint _epoch, _epochBefore;
    private TimeSpan _largestAt;
    private int _waiting;
    private bool _atOnce, _beforeDue;

    /// <summary>When an acknowledgement must go; MaxValue for never.</summary>
    public TimeSpan DueAt { get; private set; } = TimeSpan.MaxValue;

    /// <summary>Whether something arrived that was not acknowledged.</summary>
    public bool HasNews => _waiting > 0 || _beforeDue;

    /// <summary>A packet arrived. <paramref name="asks"/>: it carries something that must be acknowledged.</summary>
    public void OnPacket(PacketNumber number, bool asks, TimeSpan now)
    {
        if (number.Epoch > _epoch)
        {
            if (_epoch != 0) (_before, _epochBefore, _beforeDue) = (_ranges, _epoch, _waiting > 0);
            (_epoch, _ranges, _waiting, _atOnce) = (number.Epoch, new AckRanges(), 0, false);
        }
        if (number.Epoch < _epoch)
        {
            if (number.Epoch != _epochBefore || _before is null) return;
            _ = _before.Add(number.Counter);
            if (asks) (_beforeDue, DueAt) = (true, now);
            return;
        }
        var inOrder = _ranges.IsEmpty || number.Counter == _ranges.Largest + 1;
        if (_ranges.IsEmpty || number.Counter > _ranges.Largest) _largestAt = now;
        _ = _ranges.Add(number.Counter);
        if (!asks) return;
        _waiting++;
        if (!inOrder) _atOnce = true;
        if (_atOnce || _waiting >= PacketsMax) DueAt = now;
        else if (DueAt == TimeSpan.MaxValue) DueAt = now + delayMax;
    }

    /// <summary>Writes what arrived and gives the length; <paramref name="largest"/> is the newest number in it.</summary>
    public int Write(Span<byte> room, TimeSpan now, out PacketNumber largest)
    {
        largest = default;
        var written = 0;
        if (_beforeDue && _before is { IsEmpty: false })
            written = AckFrame.Write(room[..Math.Min(room.Length, AckFrame.BytesMax / 2)], _epochBefore, _before.Ranges, TimeSpan.Zero);
        if (!_ranges.IsEmpty)
        {
            largest = new PacketNumber(_epoch, _ranges.Largest);
            written += AckFrame.Write(room[written..], _epoch, _ranges.Ranges, now - _largestAt);
        }
        (_waiting, _atOnce, _beforeDue, DueAt) = (0, false, false, TimeSpan.MaxValue);
        return written;
    }

    /// <summary>The peer knows that we know these: older gaps need not be told again.</summary>
    public void OnAcknowledged(PacketNumber largest)
    {
        if (largest.Epoch == _epoch) _ranges.ForgetUpTo(largest.Counter);
    }
}
