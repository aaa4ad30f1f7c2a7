using Polder.Identity;
using Polder.Overlay.Sessions;

namespace Polder.Overlay.Connecting;

/// <summary>Looks for a relay to a node: where it holds a place, where we do, and among those who passed records on (OV-6.9). Used on the node's loop.</summary>
internal sealed class RelaySearch(NodeHost host, Punctures punctures)
{
    private const int RelaysMax = 8, HintsMax = 3;
    private static readonly TimeSpan AskAgain = TimeSpan.FromSeconds(0.5);

    /// <summary>Asks relays for a way: where the other holds a place, where we do, and those who passed records on.</summary>
    public async Task RunAsync(Contact contact, Task<ContactHints?>? hints, Func<FoundPath, Task> take, CancellationToken cancel)
    {
        await Delay(host.Options.Nat.RelayAfter);
        var (begun, asked, pause) = (host.Now, new HashSet<PublicKey>(PublicKey.Comparer) { contact.Key }, AskAgain);
        if (hints is not null) host.Nat.Watch(AskHintedAsync());
        // One after the other: the first that grants is enough, and each pair is a place that others could use.
        for (var end = host.Now + host.Options.Nat.ConnectTime; host.Now < end && !IsDone();)
        {
            var relay = RelaysFor(contact.Key).Find(session => asked.Add(session.Peer.Key));
            if (relay is null)
            {
                await Delay(TimeSpan.FromMilliseconds(250));
                // Those who refused may know the other by now: a node that just came takes its places after two seconds.
                if (host.Now - begun >= pause)
                {
                    (begun, pause) = (host.Now, 2 * pause);
                    asked.Clear();
                    asked.Add(contact.Key);
                }
                continue;
            }
            await Task.WhenAny(AskAsync(relay, 0), Delay(TimeSpan.FromMilliseconds(400)));
        }

        bool IsDone() => cancel.IsCancellationRequested || host.Sessions.Find(contact.Key) is { } session && !host.Nat.IsSuspect(session);

        async Task AskHintedAsync()
        {
            if (await hints is not { } known) return;
            foreach (var place in known.Relays.Take(HintsMax))
                if (!IsDone() && place.Relay != host.Identity.Public && asked.Add(place.Relay)
                    && await host.Nat.SessionAtAsync(place.Relay, place.Address) is { } session) host.Nat.Watch(AskAsync(session, place.Token));
        }

        async Task AskAsync(Session relay, ulong token)
        {
            var what = $"relay {relay.Peer.Key.ShortName}";
            var attempt = contact.Begin(host.Now, what);
            if (await host.Relays.OpenAsync(relay, contact.Key, token) is not { } path)
            {
                contact.End(attempt, what, "refused, or no answer", host.Now);
                return;
            }
            contact.End(attempt, what, "granted", host.Now);
            if (!IsDone()) await take(new FoundPath(path, PathOrigin.Relayed));
        }
    }

    private List<Session> RelaysFor(PublicKey other)
    {
        var relays = new List<Session>();
        foreach (var session in host.Sessions.All)
            if (session.IsOpen && session.Path.Kind != PathKind.Relayed && session.Peer.Key != other && (host.Relays.Needs(session) || punctures.IsHelper(session, other)))
                relays.Add(session);
        return relays.Count <= RelaysMax ? relays : relays[..RelaysMax];
    }

    // Looks begun are ended by a look at the clock, not by an exception.
    private Task Delay(TimeSpan time) => Task.Delay(time, host.Environment.Time);
}
