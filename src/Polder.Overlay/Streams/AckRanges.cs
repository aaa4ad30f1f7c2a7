namespace Polder.Overlay.Streams;

/// <summary>Packets from <paramref name="First"/> to <paramref name="Last"/>, both included.</summary>
internal readonly record struct PacketRange(ulong First, ulong Last);

/// <summary>
/// Which packets of one epoch arrived, as ranges, the newest first. At most <see cref="RangesMax"/> are kept: the oldest are forgotten,
/// and what lies in or below them counts as arrived before.
/// </summary>
internal sealed class AckRanges
{
    /// <summary>What an ACK frame carries (OV-9.2).</summary>
    public const int RangesMax = 32;

    private PacketRange[] _ranges = new PacketRange[4];
    private int _count;
    private ulong _floor; // numbers below were forgotten

    public ReadOnlySpan<PacketRange> Ranges => _ranges.AsSpan(0, _count);
    public bool IsEmpty => _count == 0;
    public ulong Largest => _ranges[0].Last;

    /// <summary>Adds a number; false when it is here already, or too old to tell.</summary>
    public bool Add(ulong number)
    {
        if (number < _floor) return false;
        for (var i = 0; i < _count; i++)
        {
            var range = _ranges[i];
            if (number > range.Last)
            {
                if (number == range.Last + 1)
                {
                    _ranges[i] = range with { Last = number };
                    if (i > 0 && _ranges[i - 1].First == number + 1) Join(i);
                }
                else if (i > 0 && _ranges[i - 1].First == number + 1) _ranges[i - 1] = _ranges[i - 1] with { First = number };
                else Insert(i, number);
                return true;
            }
            if (number >= range.First) return false;
        }
        if (_count > 0 && _ranges[_count - 1].First == number + 1) _ranges[_count - 1] = _ranges[_count - 1] with { First = number };
        else if (_count < RangesMax) Insert(_count, number);
        else return false;
        return true;
    }

    /// <summary>Forgets ranges that the peer knows about: it acknowledged an acknowledgement of them.</summary>
    public void ForgetUpTo(ulong number)
    {
        while (_count > 1 && _ranges[_count - 1].Last <= number) DropOldest();
    }

    // Range i now touches its newer neighbour.
    private void Join(int i)
    {
        _ranges[i - 1] = new PacketRange(_ranges[i].First, _ranges[i - 1].Last);
        _ranges.AsSpan(i + 1, _count - i - 1).CopyTo(_ranges.AsSpan(i));
        _count--;
    }

    private void Insert(int i, ulong number)
    {
        if (_count == RangesMax) DropOldest();
        if (_count == _ranges.Length) Array.Resize(ref _ranges, Math.Min(RangesMax, _count * 2));
        _ranges.AsSpan(i, _count - i).CopyTo(_ranges.AsSpan(i + 1));
        _ranges[i] = new PacketRange(number, number);
        _count++;
    }

    private void DropOldest()
    {
        _count--;
        _floor = Math.Max(_floor, _ranges[_count].Last + 1);
    }
}
