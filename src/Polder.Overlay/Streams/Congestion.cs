namespace Polder.Overlay.Streams;

/// <summary>What an acknowledgement says to a congestion control.</summary>
/// <param name="Bytes">Bytes that arrived, of this class.</param>
/// <param name="Now">When we heard.</param>
/// <param name="SentAt">When the newest of them was sent.</param>
/// <param name="RateBytesPerSecond">How fast bytes arrived while it was under way; 0 when unknown.</param>
/// <param name="WindowLimited">Whether the window was what held sending back.</param>
internal readonly record struct Arrival(int Bytes, TimeSpan Now, TimeSpan SentAt, double RateBytesPerSecond, bool WindowLimited);

/// <summary>How many bytes of one class of streams may be under way. A rule: time comes in with every call.</summary>
internal abstract class Congestion(int packetBytes, long windowMax)
{
    /// <summary>Packets of the first window (OV-9.4).</summary>
    protected const int PacketsInitial = 10;
    protected const int PacketsMin = 2;
    private const double WindowShareOfRound = 1.25;

    // Losses of packets sent before this are part of a cut that was made already.
    private TimeSpan _cutAt = TimeSpan.MinValue;
    private double _tokens;
    private TimeSpan _tokensAt;
    private long _window = PacketsInitial * packetBytes;

    /// <summary>Bytes that may be under way.</summary>
    public long Window
    {
        get => _window;
        protected set => _window = Math.Clamp(value, PacketsMin * PacketBytes, windowMax);
    }

    /// <summary>Bytes under way.</summary>
    public long InFlight { get; set; }

    /// <summary>Size of a full packet at present.</summary>
    public int PacketBytes { get; set; } = packetBytes;

    /// <summary>Whether the window still doubles each round trip.</summary>
    public abstract bool IsSlowStart { get; }

    /// <summary>Cuts made since the beginning.</summary>
    public int Cuts { get; private set; }

    public bool HasRoom => InFlight < Window;

    public abstract void OnArrived(in Arrival arrival, in RoundTrips path);

    /// <summary>Packets were lost, the newest of them sent at that time. At most one cut a round trip.</summary>
    public void OnLost(TimeSpan sentAt, TimeSpan now, in RoundTrips path)
    {
        if (sentAt <= _cutAt) return;
        _cutAt = now;
        Cuts++;
        Cut(now, path);
    }

    /// <summary>Three probe timeouts in a row: nothing is known of the path any more (OV-9.4).</summary>
    public void OnSilence(TimeSpan now)
    {
        BeforeSilence();
        _cutAt = now;
        Window = PacketsMin * PacketBytes;
    }

    /// <summary>Nothing was sent for a while: what the window was worth then halves with each probe timeout, down to the first window.</summary>
    public void OnIdle(TimeSpan idle, TimeSpan probeTimeout)
    {
        for (var passed = probeTimeout; passed <= idle && Window > PacketsInitial * PacketBytes; passed += probeTimeout)
            Window = Math.Max(Window / 2, PacketsInitial * PacketBytes);
    }

    /// <summary>Another path: everything begins anew.</summary>
    public virtual void Restart() => Window = PacketsInitial * PacketBytes;

    /// <summary>Whether the cut of losses at that time was made already.</summary>
    protected bool InRecovery(TimeSpan sentAt) => sentAt <= _cutAt;

    protected abstract void Cut(TimeSpan now, in RoundTrips path);

    protected virtual void BeforeSilence() { }

    // ---- Pacing ----

    /// <summary>
    /// When the next packet may go: now, or a moment to come. The window is spread over a round trip; what may go at once is four
    /// packets, or what a millisecond carries (OV-9.4).
    /// </summary>
    public TimeSpan ReadyAt(TimeSpan now, in RoundTrips path)
    {
        var rate = Rate(path);
        Refill(now, rate);
        // A packet goes when the bucket is not in debt, so that large packets need no large bucket.
        return _tokens >= 0 ? now : now + TimeSpan.FromSeconds(-_tokens / rate);
    }

    public void OnSent(int bytes)
    {
        InFlight += bytes;
        _tokens -= bytes;
    }

    private double Rate(in RoundTrips path)
    {
        var round = Math.Max(path.SmoothedOrInitial.TotalSeconds, 20e-6);
        // Before a sample the first window goes out within 20 ms: soon, and not at once.
        if (path.Smoothed == TimeSpan.Zero) round = 0.02;
        return Window * (IsSlowStart ? 2 : WindowShareOfRound) / round;
    }

    private void Refill(TimeSpan now, double rate)
    {
        var burst = Math.Max(3 * PacketBytes, rate * 0.001);
        _tokens = Math.Min(burst, _tokens + (now - _tokensAt).TotalSeconds * rate);
        _tokensAt = now;
    }
}
