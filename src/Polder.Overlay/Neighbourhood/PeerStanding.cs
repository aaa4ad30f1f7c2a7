namespace Polder.Overlay.Neighbourhood;

/// <summary>
/// What a peer is worth as a neighbour: counts that fade with a half-life of one hour, and a score of them (OV-7.3). A rule, 32 bytes
/// in each peer.
/// </summary>
internal struct PeerStanding
{
    private const double HalfLifeSeconds = 3_600, UptimeFullSeconds = 7 * 86_400;

    private float _asked, _answered, _introduced, _useful, _helped, _penalty;
    private uint _atSeconds;
    private byte _nearness;

    /// <summary>Whether anything stands against it.</summary>
    public readonly bool IsCharged => _penalty > 0.001f;

    public void Asked(TimeSpan now)
    {
        Fade(now);
        _asked++;
    }

    public void Answered(TimeSpan now)
    {
        Fade(now);
        _answered++;
    }

    public void Introduced(TimeSpan now)
    {
        Fade(now);
        _introduced++;
    }

    public void Useful(TimeSpan now)
    {
        Fade(now);
        _useful++;
    }

    public void Helped(TimeSpan now)
    {
        Fade(now);
        _helped++;
    }


    public void Charge(double amount, TimeSpan now)
    {
        Fade(now);
        _penalty = (float)Math.Min(2, _penalty + amount);
    }

    /// <summary>Place among the peers by round trip, 1 for the nearest to 0; 0.5 while unknown.</summary>
    public float Nearness
    {
        readonly get => _nearness == 0 ? 0.5f : (_nearness - 1) / 254f;
        set => _nearness = (byte)(1 + Math.Round(Math.Clamp(value, 0, 1) * 254));
    }

    /// <summary>The score, 0 to 1. <paramref name="met"/> is when the peer first answered us.</summary>
    public double Score(TimeSpan now, TimeSpan? met)
    {
        Fade(now);
        // One part of doubt in each share: who was never asked is neither good nor bad.
        var answered = Math.Min(1, (_answered + 0.5) / (_asked + 1));
        var useful = Math.Min(1, (_useful + 0.5) / (_introduced + 1));
        var uptime = met is { } since && now > since
            ? Math.Min(1, Math.Log(1 + (now - since).TotalSeconds / 60) / Math.Log(1 + UptimeFullSeconds / 60)) : 0;
        var helped = 1 - Math.Pow(2, -_helped);
        var score = 0.35 * answered + 0.25 * uptime + 0.2 * useful + 0.1 * Nearness + 0.1 * helped - _penalty;
        return Math.Clamp(score, 0, 1);
    }

    private void Fade(TimeSpan now)
    {
        var passed = now.TotalSeconds - _atSeconds;
        // Fading is noticed only after a while: most calls change nothing but the count.
        if (passed > 30)
        {
            var factor = (float)Math.Pow(2, -passed / HalfLifeSeconds);
            (_asked, _answered, _introduced, _useful, _helped, _penalty, _atSeconds) =
                (_asked * factor, _answered * factor, _introduced * factor, _useful * factor, _helped * factor, _penalty * factor, (uint)now.TotalSeconds);
        }
    }
}
