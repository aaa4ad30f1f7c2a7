namespace Polder.Overlay.Discovery;

/// <summary>One step of py-ipv8's random walk: try an address that somebody told us, or ask for a new one.</summary>
internal static class RandomWalk
{
    public static void Step(Community community)
    {
        var host = community.Host;
        var (options, random, walk) = (host.Options, host.Environment.Random, community.Introductions);
        if (walk.WalksOpen >= options.WalksMax) return;
        if (!random.Chance(options.WalkResetChance) && walk.Candidates.Pick(host.Now) is { } candidate)
        {
            if (host.Peers.FindAt(candidate.Address) is { } known && community.Contains(known)) walk.Candidates.Remove(candidate.Address);
            else if (host.MayWalkNow()) walk.Walk(candidate);
            return;
        }
        if (community.PickPeer() is not { } peer) host.Bootstrap.Try(community);
        else if (random.Chance(options.BootstrapChance)) host.Bootstrap.Try(community);
        else walk.Ask(peer);
    }
}
