namespace Polder.Overlay.Streams;

/// <summary>Round trip of a path, as RFC 9002 §5 estimates it.</summary>
internal struct RoundTrips
{
    /// <summary>What is assumed before the first sample.</summary>
    public static readonly TimeSpan Initial = TimeSpan.FromMilliseconds(200);

    /// <summary>Timers of a machine are no finer.</summary>
    public static readonly TimeSpan Granularity = TimeSpan.FromMilliseconds(1);

    public bool HasSample { get; private set; }
    public TimeSpan Latest { get; private set; }
    /// <summary>The latest, less what the peer says to have waited before it answered.</summary>
    public TimeSpan LatestOfPath { get; private set; }

    public TimeSpan Least { get; private set; }
    public TimeSpan Smoothed { get; private set; }
    public TimeSpan Variation { get; private set; }

    /// <summary>Takes a hint from elsewhere (the session's own pings) while there is no sample.</summary>
    public void Assume(TimeSpan roundTrip)
    {
        if (!HasSample) (Smoothed, Variation) = (roundTrip, roundTrip / 2);
    }

    public void Add(TimeSpan sample, TimeSpan ackDelay)
    {
        Latest = sample;
        LatestOfPath = ackDelay < sample ? sample - ackDelay : sample;
        if (!HasSample)
        {
            HasSample = true;
            (Least, Smoothed, Variation) = (sample, sample, sample / 2);
            return;
        }
        if (sample < Least) Least = sample;
        if (sample - ackDelay >= Least) sample -= ackDelay;
        Variation += ((Smoothed - sample).Duration() - Variation) / 4;
        Smoothed += (sample - Smoothed) / 8;
    }

    /// <summary>The path may have become longer: the least sample is the latest one.</summary>
    public void ForgetLeast() => Least = Latest;

    public readonly TimeSpan SmoothedOrInitial => Smoothed > TimeSpan.Zero ? Smoothed : Initial;

    /// <summary>After how long without an answer something is sent to ask for one (OV-9.3).</summary>
    public readonly TimeSpan ProbeTimeout(TimeSpan ackDelayMax)
    {
        if (Smoothed == TimeSpan.Zero) return Initial * 2 + ackDelayMax;
        var spread = Variation * 4;
        return Smoothed + (spread > Granularity ? spread : Granularity) + ackDelayMax;
    }

    /// <summary>How long after later packets arrived a packet counts as lost: 9/8 of a round trip (OV-9.3).</summary>
    public readonly TimeSpan LossDelay
    {
        get
        {
            var longer = Latest > Smoothed ? Latest : Smoothed;
            var delay = longer + longer / 8;
            return delay > Granularity ? delay : Granularity;
        }
    }
}
