namespace Polder.Overlay.Streams;

/// <summary>
/// For priorities 0 and 1: NewReno's growth and recovery (RFC 9002 §7) with two differences. A cut goes down to what the path was
/// seen to carry in its least round trip, and not below 0.7 of the window (OV-9.4): where a queue stood that is 0.7, where a
/// packet was lost to noise it is little, without which 1 % of noise leaves a third of a 10 Mbit/s line. And slow start ends when the round
/// trip grows, not only at the first loss.
/// </summary>
internal sealed class ForegroundCongestion(int packetBytes, long windowMax) : Congestion(packetBytes, windowMax)
{
    private const double Beta = 0.7;
    /// <summary>Every cut takes at least this much, or two flows would never come to equal shares.</summary>
    private const double CutLeast = 0.95;
    /// <summary>Above this share of losses the path is taken for full whatever its delay says.</summary>
    private const double NoiseMax = 0.05;
    private const int SamplesOfRound = 8;

    private readonly double[] _rates = new double[2];
    private TimeSpan _ratesTurnAt;
    private double _arrived, _lost;
    private long _threshold = long.MaxValue;
    private TimeSpan _roundEnds, _leastOfRound;
    private int _samples;
    private double _credit;

    public override bool IsSlowStart => Window < _threshold;

    public override void OnArrived(in Arrival arrival, in RoundTrips path)
    {
        NoteRate(arrival, path);
        CountNoise(arrival.Bytes, 0);
        if (IsSlowStart) WatchDelay(arrival, path);
        if (InRecovery(arrival.SentAt) || !arrival.WindowLimited) return;
        if (IsSlowStart)
        {
            Window += arrival.Bytes;
            return;
        }
        _credit += (double)arrival.Bytes * PacketBytes / Window;
        var whole = (long)_credit;
        _credit -= whole;
        Window += whole;
    }

    public override void Restart()
    {
        base.Restart();
        _threshold = long.MaxValue;
        (_rates[0], _rates[1]) = (0, 0);
        (_arrived, _lost) = (0, 0);
    }

    /// <summary>Bytes were lost; beside cuts, which come once a round trip, this counts every one.</summary>
    public void OnLostBytes(int bytes) => CountNoise(0, bytes);

    protected override void Cut(TimeSpan now, in RoundTrips path)
    {
        var pipe = Math.Max(_rates[0], _rates[1]) * path.Least.TotalSeconds;
        var noisy = _lost > NoiseMax * (_arrived + _lost) && _arrived + _lost > 100.0 * PacketBytes;
        Window = (long)(noisy ? Window * Beta : Math.Clamp(pipe, Window * Beta, Window * CutLeast));
        _threshold = Window;
    }

    protected override void BeforeSilence() => _threshold = Math.Max((long)(Window * Beta), PacketsMin * PacketBytes);

    private void CountNoise(int arrived, int lost)
    {
        _arrived += arrived;
        _lost += lost;
        if (_arrived + _lost <= 400.0 * PacketBytes) return;
        _arrived /= 2;
        _lost /= 2;
    }

    // The highest rate of the last 8 to 16 round trips.
    private void NoteRate(in Arrival arrival, in RoundTrips path)
    {
        if (arrival.Now >= _ratesTurnAt)
        {
            (_rates[1], _rates[0]) = (_rates[0], 0);
            _ratesTurnAt = arrival.Now + path.SmoothedOrInitial * 8;
        }
        if (arrival.RateBytesPerSecond > _rates[0]) _rates[0] = arrival.RateBytesPerSecond;
    }

    // After HyStart++ (RFC 9406): the least round trip of a round that began after the growth tells whether a queue builds up.
    private void WatchDelay(in Arrival arrival, in RoundTrips path)
    {
        if (arrival.SentAt >= _roundEnds)
        {
            (_roundEnds, _samples, _leastOfRound) = (arrival.Now, 0, TimeSpan.MaxValue);
        }
        if (path.Latest < _leastOfRound) _leastOfRound = path.Latest;
        if (++_samples < SamplesOfRound) return;
        var growth = TimeSpan.FromTicks(Math.Clamp(path.Least.Ticks / 8, 4 * TimeSpan.TicksPerMillisecond, 16 * TimeSpan.TicksPerMillisecond));
        if (_leastOfRound >= path.Least + growth) _threshold = Window;
    }
}
