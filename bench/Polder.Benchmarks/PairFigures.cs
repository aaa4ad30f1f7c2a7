using Polder.Ledger.Records;
using Polder.Node;

namespace Polder.Benchmarks;

/// <summary>
/// Records signed by two nodes over 127.0.0.1. A pair counts when the proposer's waiting ended: by then each half is on the
/// disk of its signer before it was sent, and the agreement is on the proposer's disk as well.
/// </summary>
internal static class PairFigures
{
    private const int PairsPerRound = 1_500, RoundCount = 3, OpenMax = 400;
    private const double PairsMin = 1_000;

    public static async Task<IReadOnlyList<Figure>> RunAsync(Action<string> say, CancellationToken stop)
    {
        using var folder = new BenchFolder();
        await using var alice = await StartAsync(folder.File("alice"), stop).ConfigureAwait(false);
        await using var bob = await StartAsync(folder.File("bob"), stop).ConfigureAwait(false);
        await alice.InvokeAsync(() => alice.Host.WalkTo(bob.UdpEndpoint)).ConfigureAwait(false);
        await MeetAsync(alice, bob, stop).ConfigureAwait(false);
        await MeetAsync(bob, alice, stop).ConfigureAwait(false);
        await SignAsync(alice, bob, 200, stop).ConfigureAwait(false);
        List<double> rates = [];
        for (var round = 0; round < RoundCount; round++)
        {
            rates.Add(await SignAsync(alice, bob, PairsPerRound, stop).ConfigureAwait(false));
            say($"{rates[^1]:0} pairs a second");
        }
        var expected = 200 + RoundCount * PairsPerRound;
        foreach (var node in (PolderNode[])[alice, bob])
        {
            var counts = await node.InvokeAsync(() => (node.Ledger.Store.CountOf(alice.Identity.Bytes), node.Ledger.Store.CountOf(bob.Identity.Bytes))).ConfigureAwait(false);
            if (counts != (expected, expected)) throw new InvalidOperationException($"Both should hold {expected} blocks of each; one holds {counts}.");
        }
        var median = Rounds.Median(rates);
        return [new("pairs signed between two nodes, durable on both sides", median, "a second", PairsMin, median / PairsMin, "at least 1,000", median >= PairsMin)];
    }

    private static Task<PolderNode> StartAsync(string folder, CancellationToken stop)
    {
        var options = new NodeOptions { Data = folder, Port = 0, Loopback = true };
        return new NodeBuilder(options with { Overlay = options.Overlay.WithoutRates() }).StartAsync(stop);
    }

    private static async Task MeetAsync(PolderNode node, PolderNode other, CancellationToken stop)
    {
        for (var tries = 0; tries < 200; tries++)
        {
            if (await node.InvokeAsync(() => node.Ledger.Peers.Any(peer => peer.Key == other.Identity)).ConfigureAwait(false)) return;
            await Task.Delay(50, stop).ConfigureAwait(false);
        }
        throw new InvalidOperationException("The two nodes did not meet.");
    }

    /// <summary>Alice was helped and says so; Bob's node agrees by itself. Many are on their way at a time and share commits.</summary>
    private static async Task<double> SignAsync(PolderNode alice, PolderNode bob, int pairs, CancellationToken stop)
    {
        var began = TimeProvider.System.GetTimestamp();
        await alice.InvokeAsync(async () =>
        {
            var open = new Queue<Task>();
            for (var i = 0; i < pairs; i++)
            {
                if (open.Count >= OpenMax) await open.Dequeue().WaitAsync(TimeSpan.FromSeconds(30), stop);
                open.Enqueue(alice.Records.Propose(bob.Identity, gave: false, BytesEach, HelpClaim.Bytes, "bench").Answer);
            }
            while (open.TryDequeue(out var last)) await last.WaitAsync(TimeSpan.FromSeconds(30), stop);
            return true;
        }).ConfigureAwait(false);
        return pairs / TimeProvider.System.GetElapsedTime(began).TotalSeconds;
    }

    /// <summary>As much as a node agrees to without asking its owner.</summary>
    private const long BytesEach = 1L << 20;
}
