using Polder.Overlay.Sessions;

namespace Polder.Overlay.Streams;

/// <summary>Who owns what the packets carried.</summary>
internal interface IPacketOwner
{
    /// <summary>A packet arrived; its frames need not be kept.</summary>
    void Arrived(ref SentPacket packet);

    /// <summary>A packet is taken for lost; what it carried is sent again.</summary>
    void Lost(ref SentPacket packet);

    /// <summary>A packet that was taken for lost arrived after all.</summary>
    void ArrivedLate(ref SentPacket packet);
}

/// <summary>
/// Which packets arrived and which are lost (OV-9.3, RFC 9002 §6): three later ones arrived, or 9/8 of a round trip passed since a later
/// one did. When nothing is heard at all, a probe asks. Numbers never repeat, so every sample of the round trip is right.
/// </summary>
internal sealed class LossRecovery(StreamOptions options, IPacketOwner owner, Congestion foreground, Congestion background)
{
    private const int PacketThreshold = 3;
    /// <summary>Unanswered probes at which the window goes down to two packets.</summary>
    public const int SilentProbes = 3;
    /// <summary>Unanswered probes at which the path counts as suspect; the interval grows no more.</summary>
    public const int ProbesMax = 6;
    private const int PacketThresholdMax = 64;

    private readonly SentPackets _sent = new();
    private readonly long[] _arrivedBytes = new long[2];
    private readonly TimeSpan[] _arrivedAt = new TimeSpan[2];
    private RoundTrips _path;
    private long _largest = -1; // the newest place that arrived
    private int _threshold = PacketThreshold;

    public SentPackets Sent => _sent;
    public ref RoundTrips Path => ref _path;

    /// <summary>Probes since anything was heard.</summary>
    public int Probes { get; private set; }

    /// <summary>When a packet will count as lost if nothing changes; MaxValue for never.</summary>
    public TimeSpan LossAt { get; private set; } = TimeSpan.MaxValue;

    /// <summary>When the last packet that asks for an answer went out.</summary>
    public TimeSpan LastSentAt { get; private set; }

    public long PacketsLost { get; private set; }
    public long PacketsLostWrongly { get; private set; }
    public long PacketsSent { get; private set; }

    /// <summary>When a probe is due; MaxValue when nothing is outstanding.</summary>
    public TimeSpan ProbeAt
    {
        get
        {
            if (_sent.Outstanding == 0) return TimeSpan.MaxValue;
            var timeout = _path.ProbeTimeout(options.AckDelayMax) * (1 << Math.Min(Probes, ProbesMax));
            return LastSentAt + (timeout < options.ProbeIntervalMax ? timeout : options.ProbeIntervalMax);
        }
    }

    public ref SentPacket OnSent(PacketNumber number, int bytes, bool isBackground, TimeSpan now)
    {
        var control = isBackground ? background : foreground;
        ref var packet = ref _sent.Add(number);
        packet.SentAt = now;
        packet.Bytes = bytes;
        packet.Background = isBackground;
        var index = isBackground ? 1 : 0;
        packet.ArrivedBefore = _arrivedBytes[index];
        // After a pause the clock of the rate starts again with this packet.
        if (control.InFlight == 0) _arrivedAt[index] = now;
        packet.ArrivedAt = _arrivedAt[index];
        control.OnSent(bytes);
        LastSentAt = now;
        PacketsSent++;
        return ref packet;
    }

    /// <summary>Takes an acknowledgement.</summary>
    public void OnAck(uint epoch, ReadOnlySpan<PacketRange> ranges, TimeSpan delay, TimeSpan now)
    {
        var newest = -1L;
        var (fore, back) = (new Tally(foreground), new Tally(background));
        foreach (var range in ranges)
        {
            var end = _sent.PlaceOf(new PacketNumber(epoch, range.Last));
            if (end < _sent.End && _sent[end].Number == new PacketNumber(epoch, range.Last)) end++;
            if (end <= _sent.First) break;
            for (var place = end - 1; place >= _sent.First; place--)
            {
                ref var packet = ref _sent[place];
                if (packet.Number.Epoch != epoch || packet.Number.Counter < range.First) break;
                if (packet.State == PacketState.Arrived) continue;
                if (packet.State == PacketState.Lost)
                {
                    PacketsLostWrongly++;
                    packet.State = PacketState.Arrived;
                    // The path reorders more than we thought: be more patient with it.
                    _threshold = (int)Math.Min(PacketThresholdMax, Math.Max(_threshold, _largest - place + 1));
                    owner.ArrivedLate(ref packet);
                    continue;
                }
                _sent.Settle(ref packet, PacketState.Arrived);
                newest = Math.Max(newest, place);
                _arrivedBytes[packet.Background ? 1 : 0] += packet.Bytes;
                _arrivedAt[packet.Background ? 1 : 0] = now;
                if (packet.Background) back.Add(packet);
                else fore.Add(packet);
                owner.Arrived(ref packet);
            }
        }
        if (newest < 0) return;
        Probes = 0;
        if (newest > _largest)
        {
            _largest = newest;
            _path.Add(now - _sent[newest].SentAt, delay < options.AckDelayMax ? delay : options.AckDelayMax);
        }
        if (fore.Bytes > 0) foreground.OnArrived(fore.Sum(now, _arrivedBytes[0], foreground), _path);
        if (back.Bytes > 0) background.OnArrived(back.Sum(now, _arrivedBytes[1], background), _path);
        FindLost(now);
    }

    /// <summary>Looks for packets that count as lost by now.</summary>
    public void FindLost(TimeSpan now)
    {
        LossAt = TimeSpan.MaxValue;
        var patience = _path.LossDelay;
        var (foreSentAt, backSentAt) = (TimeSpan.MinValue, TimeSpan.MinValue);
        for (var place = _sent.First; place < _sent.End && place < _largest; place++)
        {
            ref var packet = ref _sent[place];
            if (packet.State != PacketState.Outstanding) continue;
            if (place > _largest - _threshold && packet.SentAt + patience > now)
            {
                LossAt = packet.SentAt + patience;
                break;
            }
            Lose(ref packet, ref foreSentAt, ref backSentAt);
        }
        if (foreSentAt > TimeSpan.MinValue) foreground.OnLost(foreSentAt, now, _path);
        if (backSentAt > TimeSpan.MinValue) background.OnLost(backSentAt, now, _path);
        TrimSettled(now);
    }

    /// <summary>The probe timer ran out. True when the path became suspect just now.</summary>
    public bool OnProbe(TimeSpan now)
    {
        Probes++;
        LastSentAt = now;
        if (Probes == SilentProbes)
        {
            // All of it is taken for lost: otherwise the small window would stay full of what nobody will acknowledge.
            LoseAll();
            foreground.OnSilence(now);
            background.OnSilence(now);
        }
        return Probes == ProbesMax;
    }

    /// <summary>Another path: what is under way may have been lost with the old one, and nothing is known of the new one.</summary>
    public void Restart(bool sameHost)
    {
        Probes = 0;
        if (sameHost) return;
        LoseAll();
        foreground.Restart();
        background.Restart();
        _path = default;
    }

    /// <summary>Takes the oldest packet that nobody heard of for lost, so that a probe carries what was in it. Says nothing about congestion.</summary>
    public void GiveUpOldest()
    {
        for (var place = _sent.First; place < _sent.End; place++)
        {
            ref var packet = ref _sent[place];
            if (packet.State != PacketState.Outstanding) continue;
            _sent.Settle(ref packet, PacketState.Lost);
            (packet.Background ? background : foreground).InFlight -= packet.Bytes;
            owner.Lost(ref packet);
            return;
        }
    }

    private void Lose(ref SentPacket packet, ref TimeSpan foreSentAt, ref TimeSpan backSentAt)
    {
        _sent.Settle(ref packet, PacketState.Lost);
        (packet.Background ? background : foreground).InFlight -= packet.Bytes;
        if (packet.ProbeBytes == 0)
        {
            PacketsLost++;
            if (packet.Background) backSentAt = packet.SentAt;
            else
            {
                foreSentAt = packet.SentAt;
                (foreground as ForegroundCongestion)?.OnLostBytes(packet.Bytes);
            }
        }
        owner.Lost(ref packet);
    }

    private void LoseAll()
    {
        var (fore, back) = (TimeSpan.MinValue, TimeSpan.MinValue);
        for (var place = _sent.First; place < _sent.End; place++)
            if (_sent[place].State == PacketState.Outstanding) Lose(ref _sent[place], ref fore, ref back);
        LossAt = TimeSpan.MaxValue;
    }

    // Lost packets stay for a round trip or two behind the newest, so that a late acknowledgement is understood.
    private void TrimSettled(TimeSpan now) => _sent.Trim(now - _path.SmoothedOrInitial * 2);

    /// <summary>What one acknowledgement says about one class.</summary>
    private struct Tally(Congestion control)
    {
        private readonly long _inFlight = control.InFlight;
        private TimeSpan _sentAt, _arrivedAt;
        private long _arrivedBefore;

        public int Bytes { get; private set; }

        public void Add(in SentPacket packet)
        {
            control.InFlight -= packet.Bytes;
            if (Bytes == 0 || packet.SentAt > _sentAt) (_sentAt, _arrivedAt, _arrivedBefore) = (packet.SentAt, packet.ArrivedAt, packet.ArrivedBefore);
            Bytes += packet.Bytes;
        }

        // The window counts as what holds us back when most of it was in use; pacing leaves a little of it free.
        public readonly Arrival Sum(TimeSpan now, long arrivedBytes, Congestion control)
        {
            var elapsed = (now - _arrivedAt).TotalSeconds;
            var rate = elapsed > 0 ? (arrivedBytes - _arrivedBefore) / elapsed : 0;
            return new Arrival(Bytes, now, _sentAt, rate, _inFlight >= (control.IsSlowStart ? control.Window / 2 : control.Window * 8 / 10));
        }
    }
}
