namespace Polder.Overlay.Streams;

/// <summary>
/// For priorities 2 and 3: takes what others leave, by the delay that it causes (LEDBAT++, draft-irtf-iccrg-ledbat-plus-plus, and RFC 6817 for the
/// base). Delay is the round trip less the least of ten minutes. Below the target the window grows at most as NewReno's does, divided by a
/// gain; above it shrinks in proportion; now and then it goes down to two packets, so that latecomers see the true base and shares become
/// equal; a loss halves it.
/// </summary>
internal sealed class BackgroundCongestion(int packetBytes, long windowMax, TimeSpan target) : Congestion(packetBytes, windowMax)
{
    private const int BaseMinutes = 10;
    private const int DelaysKept = 4;
    private const double GainDivisorMax = 16;
    private const int SlowdownRounds = 2, SlowdownEvery = 9;

    private readonly TimeSpan[] _bases = [.. Enumerable.Repeat(TimeSpan.MaxValue, BaseMinutes)];
    private readonly TimeSpan[] _delays = [.. Enumerable.Repeat(TimeSpan.MaxValue, DelaysKept)];
    private TimeSpan _minuteEnds;
    private int _delayAt;
    private long _threshold = long.MaxValue;
    private double _credit;
    private TimeSpan _slowdownAt = TimeSpan.MaxValue, _slowdownEnds = TimeSpan.MaxValue, _slowdownBegan;
    private TimeSpan _reducedAt;
    private bool _firstSlowStart = true;

    public override bool IsSlowStart => Window < _threshold;

    /// <summary>The queueing that was seen lately.</summary>
    public TimeSpan QueueDelay { get; private set; }

    public override void OnArrived(in Arrival arrival, in RoundTrips path)
    {
        NoteDelay(arrival.Now, path.LatestOfPath);
        if (Slowdown(arrival.Now, path.SmoothedOrInitial)) return;
        if (InRecovery(arrival.SentAt)) return;
        var gain = 1 / Math.Min(GainDivisorMax, Math.Ceiling(2 * target.TotalSeconds / Math.Max(Base.TotalSeconds, 0.001)));
        if (IsSlowStart)
        {
            if (QueueDelay > target * 0.75 && _firstSlowStart) EndSlowStart(arrival.Now, path.SmoothedOrInitial);
            else if (arrival.WindowLimited) Window += (long)(arrival.Bytes * gain) + 1;
            if (!IsSlowStart) EndSlowStart(arrival.Now, path.SmoothedOrInitial);
            return;
        }
        var rounds = (double)arrival.Bytes / Window;
        if (QueueDelay <= target)
        {
            if (arrival.WindowLimited) _credit += gain * PacketBytes * rounds;
        }
        else
        {
            // At most half a window a round trip; the constant is 1.
            var excess = Math.Min(0.5, QueueDelay / target - 1);
            _credit += (gain * PacketBytes - Window * excess) * rounds;
        }
        var whole = (long)_credit;
        _credit -= whole;
        Window += whole;
        // Slow start was left: what the delay took away must not come back by doubling.
        if (Window < _threshold) _threshold = Window;
    }

    /// <summary>Foreground streams of the same session want the line: down to the least, at once, and no slow start after.</summary>
    public void Yield(TimeSpan now, in RoundTrips path)
    {
        if (now - _reducedAt < path.SmoothedOrInitial) return;
        _reducedAt = now;
        Window = Window * 7 / 10;
        _threshold = Math.Min(_threshold, Window);
    }

    public override void Restart()
    {
        base.Restart();
        _threshold = long.MaxValue;
        Array.Fill(_bases, TimeSpan.MaxValue);
        Array.Fill(_delays, TimeSpan.MaxValue);
        (_slowdownAt, _slowdownEnds, _firstSlowStart) = (TimeSpan.MaxValue, TimeSpan.MaxValue, true);
    }

    protected override void Cut(TimeSpan now, in RoundTrips path)
    {
        Window /= 2;
        _threshold = Window;
        if (_firstSlowStart) EndSlowStart(now, path.SmoothedOrInitial);
    }

    protected override void BeforeSilence() => _threshold = Window / 2;

    private TimeSpan Base => _bases.Min();

    private void NoteDelay(TimeSpan now, TimeSpan sample)
    {
        if (now >= _minuteEnds)
        {
            Array.Copy(_bases, 0, _bases, 1, BaseMinutes - 1);
            _bases[0] = sample;
            _minuteEnds = now + TimeSpan.FromMinutes(1);
        }
        else if (sample < _bases[0]) _bases[0] = sample;
        _delays[_delayAt] = sample;
        _delayAt = (_delayAt + 1) % DelaysKept;
        QueueDelay = _delays.Min() - Base;
    }

    private void EndSlowStart(TimeSpan now, TimeSpan round)
    {
        _threshold = Math.Min(_threshold, Window);
        if (!_firstSlowStart) return;
        _firstSlowStart = false;
        _slowdownAt = now + round * SlowdownRounds;
    }

    // True while the window is held down.
    private bool Slowdown(TimeSpan now, TimeSpan round)
    {
        if (now >= _slowdownAt)
        {
            _threshold = Math.Max(Window, PacketsMin * PacketBytes);
            Window = PacketsMin * PacketBytes;
            (_slowdownAt, _slowdownBegan, _slowdownEnds) = (TimeSpan.MaxValue, now, now + round * SlowdownRounds);
        }
        if (_slowdownEnds == TimeSpan.MaxValue) return false;
        if (now < _slowdownEnds) return true;
        // The ramp back to the threshold is slow start; the whole may take a tenth of the time.
        if (Window < _threshold) return false;
        _slowdownAt = now + (now - _slowdownBegan) * SlowdownEvery;
        _slowdownEnds = TimeSpan.MaxValue;
        return false;
    }
}
