using Polder.Identity;
using Polder.Overlay.Nat;
using Polder.Overlay.Sessions;

namespace Polder.Overlay.Connecting;

/// <summary>Looks for helpers that pass our puncture record on, and waits for the way that the puncture opens. Used on the node's loop.</summary>
internal sealed class PunctureSearch(NodeHost host, Punctures punctures)
{
    private const int AskedMax = 8, HintsMax = 3;

    /// <summary>One puncture, through up to three helpers that know the other. Gives the way that it opened.</summary>
    public async Task<FoundPath?> RunAsync(Contact contact, Task<ContactHints?>? hints, TimeSpan delay, CancellationToken cancel)
    {
        if (delay > TimeSpan.Zero) await Delay(delay);
        if (cancel.IsCancellationRequested || punctures.Begin(contact.Key) is not { } puncture) return null;
        var attempt = contact.Begin(host.Now, "puncture");
        var asked = new HashSet<PublicKey>();
        if (host.Sessions.Find(contact.Key) is { Path.Kind: PathKind.Relayed } relayed) punctures.TellDirectly(puncture, relayed);
        host.Nat.Watch(AskHelpersAsync(contact, puncture, asked, cancel));
        if (hints is not null) host.Nat.Watch(AskHintedAsync());
        var end = Delay(host.Options.Nat.PunctureLifetime);
        await Task.WhenAny(puncture.Found, end);
        var found = puncture.Found.IsCompleted ? await puncture.Found : null;
        if (puncture.Theirs is { } theirs) contact.Class = theirs.Class;
        contact.End(attempt, puncture.Theirs is null ? "puncture" : $"puncture ({puncture.Strategy})", Outcome(puncture, found), host.Now);
        // Left to answer the other's probes until its time is over.
        if (found is null) punctures.End(puncture);
        return found;

        async Task AskHintedAsync()
        {
            if (await hints is not { } known) return;
            var helpers = known.Helpers.Concat(known.Relays.Select(static place => new HelperHint(place.Relay, place.Address)));
            foreach (var helper in helpers.Take(2 * HintsMax))
            {
                if (puncture.IsOver || cancel.IsCancellationRequested || helper.Key == contact.Key || !asked.Add(helper.Key)) continue;
                if (await host.Nat.SessionAtAsync(helper.Key, helper.Address) is { } session && !puncture.IsOver) punctures.Tell(puncture, session);
            }
        }
    }

    /// <summary>Asks neighbours one after the other, until enough of them passed the record on.</summary>
    private async Task AskHelpersAsync(Contact contact, Puncture puncture, HashSet<PublicKey> asked, CancellationToken cancel)
    {
        var refused = 0;
        void OnRefused(Session session, PublicKey key)
        {
            if (key == contact.Key && asked.Contains(session.Peer.Key)) refused++;
        }
        punctures.Refused += OnRefused;
        try
        {
            // Again after a second: a lost datagram must not cost the puncture.
            for (var round = 0; round < 3 && !puncture.IsOver && puncture.Theirs is null; round++)
            {
                foreach (var helper in HelpersFor(contact.Key, asked))
                {
                    if (asked.Count - refused >= host.Options.Nat.HelpersMax || asked.Count >= AskedMax) break;
                    asked.Add(helper.Key);
                    host.Nat.Watch(AskAsync(helper));
                }
                var end = host.Now + TimeSpan.FromSeconds(1);
                var before = refused;
                while (host.Now < end && refused == before && puncture.Theirs is null && !puncture.IsOver)
                    await Delay(TimeSpan.FromMilliseconds(50));
                if (cancel.IsCancellationRequested) return;
                if (refused == before && asked.Count < AskedMax && puncture.Theirs is null)
                    foreach (var key in asked.ToArray())
                        if (host.Sessions.Find(key) is { } session) punctures.Tell(puncture, session);
                if (refused > before) round--;
                if (asked.Count >= AskedMax && refused >= asked.Count) return;
            }
        }
        finally { punctures.Refused -= OnRefused; }

        async Task AskAsync(Peer helper)
        {
            if (await host.Nat.SessionWithAsync(helper) is { } session && !puncture.IsOver) punctures.Tell(puncture, session);
            else asked.Remove(helper.Key);
        }
    }

    /// <summary>Neighbours that may know the other: those with a session first, relays among them, then the rest in random order.</summary>
    private List<Peer> HelpersFor(PublicKey other, HashSet<PublicKey> asked)
    {
        var helpers = new List<(Peer Peer, int Rank)>();
        foreach (var peer in host.Peers.All)
            if (peer.IsValidated && peer.Key != other && !asked.Contains(peer.Key) && host.Nat.IsFull(peer))
                helpers.Add((peer, (host.Sessions.Find(peer) is { } session ? host.Relays.Needs(session) ? 2 : 1 : 0) * 1024 + host.Environment.Random.Next(1024)));
        helpers.Sort(static (a, b) => b.Rank.CompareTo(a.Rank));
        return [.. helpers.Take(AskedMax).Select(static helper => helper.Peer)];
    }

    private static string Outcome(Puncture puncture, FoundPath? found)
    {
        if (found is not null) return $"got through after {puncture.ProbesSent} probes";
        if (puncture.Theirs is null) return "no helper reached it";
        if (puncture.Strategy == Strategy.Relay) return "these two routers cannot be punctured";
        return puncture.Hindrance.Length > 0 ? puncture.Hindrance : $"no probe got through ({puncture.ProbesSent} sent)";
    }

    // Looks begun are ended by a look at the clock, not by an exception.
    private Task Delay(TimeSpan time) => Task.Delay(time, host.Environment.Time);
}
