namespace Polder.Overlay.Discovery;

/// <summary>
/// What a node does unasked: walks while communities want peers, pings, saves, tries old addresses. One timer for all; it
/// slows down when there is nothing to find, so that an idle node costs next to nothing.
/// </summary>
internal sealed class Heartbeat(NodeHost host)
{
    private readonly Churn _churn = new(host);
    private ITimer? _timer;
    private TimeSpan _churnDue, _chooseDue, _replaceDue, _feelerDue, _saveDue;

    public void Start()
    {
        var (options, random) = (host.Options, host.Environment.Random);
        _churnDue = host.Now + random.NextDuration(options.ChurnInterval);
        _chooseDue = host.Now + options.ChoiceInterval;
        _replaceDue = host.Now + options.ReplaceInterval;
        _feelerDue = host.Now + options.FeelerInterval;
        _saveDue = host.Now + options.CacheSaveInterval;
        host.Contact.Start();
        _timer = host.Environment.Time.CreateTimer(
            static self => ((Heartbeat)self!).Beat(), this, random.NextDuration(options.StepInterval / 10), Timeout.InfiniteTimeSpan);
    }

    public void Stop()
    {
        _timer?.Dispose();
        _timer = null;
        Save();
        host.Contact.Stop();
    }

    private void Beat()
    {
        if (_timer is null) return;
        var next = host.Options.StepInterval;
        try { next = Work(); }
        // Own work has no caller to tell: counted and reported like the dispatcher's. The heart beats on: a full disk must not end a node.
        catch (Exception problem) { host.Fault(problem, host.Discovery); }
        _timer?.Change(next, Timeout.InfiniteTimeSpan);
    }

    /// <returns>When to look again.</returns>
    private TimeSpan Work()
    {
        var (now, options) = (host.Now, host.Options);
        // Without a network there is nothing to do but to wait for one (OV-5.3).
        if (!host.IsNetworkUp) return options.IdleInterval;
        host.Discovery.TellIfChanged();
        var busy = host.Bootstrap.Step() | host.Contact.Step();
        foreach (var community in host.Joined)
        {
            // With peers enough it goes on only while those are others' choice, not ours (OV-5.2).
            if (!community.Walks || (community.Peers.Count >= community.PeersTarget && !host.Contact.IsLooking)) continue;
            var walk = community.Introductions;
            if (!walk.Pace.Take(now, community.Peers.Count, options)) continue;
            // Alone and with nobody to try there is nothing to be quick about.
            busy |= walk.Pace.IsBrisk && (community.Peers.Count > 0 || walk.Candidates.Count > 0);
            RandomWalk.Step(community);
            if (options.WalksEdges) walk.Edges.Step();
        }
        if (now >= _churnDue)
        {
            _churnDue = now + options.ChurnInterval;
            _churn.Step();
        }
        host.Nat.Beat(now);
        if (now >= _chooseDue)
        {
            _chooseDue = now + options.ChoiceInterval;
            foreach (var community in host.Joined) community.Introductions.Tidy(now);
            host.Discovery.Tidy(now);
            host.Neighbourhood.Choose();
            host.Contact.UpdateAnchors();
        }
        if (now >= _replaceDue)
        {
            _replaceDue = now + options.ReplaceInterval;
            host.Neighbourhood.Replace();
        }
        if (now >= _feelerDue)
        {
            _feelerDue = now + options.FeelerInterval;
            Feel();
        }
        if (now >= _saveDue)
        {
            _saveDue = now + options.CacheSaveInterval;
            Save();
        }
        // A machine that slept, or has much else to do.
        var late = host.Environment.Buggify("late heartbeat", 0.02) ? TimeSpan.FromSeconds(10) : TimeSpan.Zero;
        return (busy ? options.StepInterval : options.IdleInterval) + late;
    }

    /// <summary>Contacts one address that we only heard of (OV-7.4): it becomes a peer or is forgotten.</summary>
    private void Feel()
    {
        if (host.Contact.Feel()) return;
        var communities = host.Communities;
        var community = communities[host.Environment.Random.Next(communities.Count)];
        if (community.Walks && community.Introductions.Candidates.Pick(host.Now) is { } candidate && host.MayWalkNow()) community.Introductions.Walk(candidate);
    }

    private void Save()
    {
        host.Sessions.Save();
        if (host.Find<IPeerCache>() is not { } cache) return;
        var peers = new List<CachedPeer>();
        foreach (var peer in host.Peers.All)
            if (peer.IsValidated)
                peers.Add(new CachedPeer(
                    peer.Address, peer.Key, host.Environment.Time.GetUtcNow() - (host.Now - (peer.LastIn ?? host.Now)), peer.IsAnchor));
        // Nobody reachable now is no reason to forget whom we could reach yesterday.
        if (peers.Count == 0) return;
        peers.Sort(static (a, b) => a.IsAnchor != b.IsAnchor ? b.IsAnchor.CompareTo(a.IsAnchor)
            : a.LastIn != b.LastIn ? b.LastIn.CompareTo(a.LastIn) : a.Key.CompareTo(b.Key));
        if (peers.Count > host.Options.CachedPeersMax) peers.RemoveRange(host.Options.CachedPeersMax, peers.Count - host.Options.CachedPeersMax);
        cache.Save(peers);
    }
}
