using System.Globalization;
using Polder.Identity;
using Polder.Ledger.Blocks;
using Polder.Ledger.Records;
using Polder.Runtime;

namespace Polder.Simulation.Scenarios;

/// <summary>
/// One cheater of each kind among people who work. What can be proven reaches everybody; what is junk changes nothing; honest
/// work goes on.
/// </summary>
internal static class CheaterScenario
{
    private const long Amount = 2 << 20;

    public static Scenario Scenario { get; } = new(
        "cheaters", "Among honest nodes one forks its chain, countersigns twice, replays, floods or sends junk: proofs spread, the rest is dropped.",
        [1, 2, 3, 4, 5, 6], 6, Play);

    private static void Play(ScenarioRun run)
    {
        Chapter(run, 1, "forks its chain", Forks, isProvable: true);
        Chapter(run, 2, "countersigns twice", CountersignsTwice, isProvable: true);
        Chapter(run, 3, "replays what it heard", Replays, isProvable: false);
        Chapter(run, 4, "floods", Floods, isProvable: false);
        Chapter(run, 5, "sends junk", SendsJunk, isProvable: false);
    }

    private delegate void Cheat(World world, LedgerSociety society, SimulatedNode mallory, Prng chance);

    private static void Chapter(ScenarioRun run, int chapter, string what, Cheat cheat, bool isProvable)
    {
        var chance = Prng.Derive(run.Seed, what);
        var world = run.NewWorld(run.DrawLink(lossMax: 0.1), chapter);
        var society = new LedgerSociety(world);
        for (var i = 0; i < run.Nodes; i++) society.Add(string.Create(CultureInfo.InvariantCulture, $"n{i}"));
        var mallory = society.AddCheater("mallory", (node, context) => new Cheater(node, context));
        world.RunUntil(() => society.Honest.All(node => node.Ledger!.Peers.Count >= run.Nodes - 1), 3.Minutes, "everybody meets everybody");
        society.Work(Prng.Derive(run.Seed, "owners"), 2.Seconds);
        world.RunFor(10.Seconds);

        cheat(world, society, mallory, chance);
        world.RunFor(1.Minutes);
        world.EndFaults();
        if (isProvable)
        {
            var took = world.RunUntil(() => society.Honest.All(node => Knows(node, mallory)), 60.Seconds,
                $"everybody holds the proof that mallory {what}", 1.Seconds,
                () => string.Join(", ", society.Honest.Where(node => !Knows(node, mallory)).Select(node => node.Name)) + " do not");
            run.Say(string.Create(CultureInfo.InvariantCulture, $"who {what}: proven everywhere {took.TotalSeconds:0} s after the faults"));
        }
        society.Rest();
        world.RunFor(30.Seconds);
        world.RunUntil(society.Agrees, 3.Minutes, $"everybody holds every chain, though mallory {what}", 1.Seconds, () => society.Missing() ?? "");
        society.CheckAtEnd();
        foreach (var node in society.Honest)
            foreach (var other in society.Honest)
                if (node.Host.Peers.Find(other.Identity.Public) is { } peer && peer.Address != other.PublicEndpoint)
                    world.Fail($"{node.Name} believes {other.Name} at {peer.Address}, though mallory only {what}");
        if (society.Agreed == 0) world.Fail($"nobody got any work done while mallory {what}");
        if (!isProvable) run.Say(string.Create(CultureInfo.InvariantCulture, $"who {what}: {society.Agreed} honest records agreed meanwhile"));
    }

    private static bool Knows(SimulatedNode node, SimulatedNode culprit) => node.Ledger!.Store.FraudOf(culprit.Identity.Public.Bytes) is not null;

    private static void Forks(World world, LedgerSociety society, SimulatedNode mallory, Prng chance)
    {
        // The same first number to two people, who each agree to theirs; said again now and then, as on a lossy link it must be.
        var (alice, bob) = (society.Honest[0], society.Honest[1]);
        mallory.Run(() =>
        {
            var cheater = mallory.Get<Cheater>();
            var (one, other) = (cheater.Sign(1, alice.Identity.Public, 0, null, new BandwidthEntry(0, Amount, 0, Amount, "")),
                cheater.Sign(1, bob.Identity.Public, 0, null, new BandwidthEntry(0, Amount + 1, 0, Amount + 1, "")));
            cheater.Show(alice, one);
            cheater.Show(bob, other);
            Repeat(world, mallory, 5, 3.Seconds, () =>
            {
                cheater.Throw(alice, one);
                cheater.Throw(bob, other);
            });
        });
    }

    private static void CountersignsTwice(World world, LedgerSociety society, SimulatedNode mallory, Prng chance)
    {
        var (alice, bob) = (society.Honest[0], society.Honest[1]);
        society.Propose(alice, mallory, Amount);
        var cheater = mallory.Get<Cheater>();
        HalfBlock? proposal = null;
        world.RunUntil(() => (proposal = cheater.Proposals.Find(block => block.IsProposal && block.LinkKey.SequenceEqual(mallory.Identity.Public.Bytes))) is not null,
            2.Minutes, "the proposal reaches mallory");
        mallory.Run(() =>
        {
            var first = cheater.Sign(1, alice.Identity.Public, proposal!.Sequence, null, new BandwidthEntry(Amount, 0, Amount, 0, ""));
            var second = cheater.Sign(2, alice.Identity.Public, proposal.Sequence, first, new BandwidthEntry(Amount, 0, 2 * Amount, 0, ""));
            cheater.Show(alice, first);
            cheater.Show(bob, second);
            Repeat(world, mallory, 5, 3.Seconds, () =>
            {
                cheater.Throw(alice, first);
                cheater.Throw(bob, second);
            });
            // Neither is ever shown both. Alice spreads the agreement that she got, and bob tells her of the one that he got.
        });
    }

    private static void Replays(World world, LedgerSociety society, SimulatedNode mallory, Prng chance)
    {
        List<byte[]> heard = [];
        mallory.Run(() =>
        {
            var honest = mallory.Socket.Received;
            mallory.Socket.Received = (from, datagram) =>
            {
                if (heard.Count < 2000) heard.Add(datagram.ToArray());
                honest?.Invoke(from, datagram);
            };
        });
        Repeat(world, mallory, 600, 100.Milliseconds, () =>
        {
            for (var i = 0; i < 3 && heard.Count > 0; i++) mallory.Socket.Send(chance.Pick(society.Honest).PublicEndpoint, chance.Pick(heard));
        });
        world.RunFor(1.Minutes);
    }

    private static void Floods(World world, LedgerSociety society, SimulatedNode mallory, Prng chance)
    {
        var victim = society.Honest[0];
        var cheater = mallory.Get<Cheater>();
        var strangers = new KeyPair[50];
        Span<byte> entropy = stackalloc byte[KeyPair.EntropyBytes];
        for (var i = 0; i < strangers.Length; i++)
        {
            chance.Fill(entropy);
            strangers[i] = KeyPair.FromEntropy(entropy);
        }
        var ledger = victim.Ledger!;
        var held = ledger.Store.Count;
        Repeat(world, mallory, 300, 100.Milliseconds, () =>
        {
            // 500 a second: blocks that are in order, from keys that cost nothing.
            for (var i = 0; i < 50; i++)
            {
                var key = strangers[chance.Next(strangers.Length)];
                cheater.Throw(victim, cheater.Sign(key, (uint)chance.Next(1, 1000), victim.Identity.Public, 0, null, new BandwidthEntry(0, 1, 0, 1, "")));
            }
        });
        world.RunFor(30.Seconds);
        var inbox = ledger.Waiting.Count;
        if (inbox > Ledger.Limits.InboxMax) world.Fail($"{victim.Name}'s inbox holds {inbox}");
        world.Note(string.Create(CultureInfo.InvariantCulture, $"the flood of 15,000 left {ledger.Store.Count - held} blocks and {inbox} in the inbox"));
    }

    private static void SendsJunk(World world, LedgerSociety society, SimulatedNode mallory, Prng chance)
    {
        List<byte[]> heard = [];
        mallory.Run(() =>
        {
            var honest = mallory.Socket.Received;
            mallory.Socket.Received = (from, datagram) =>
            {
                if (heard.Count < 500) heard.Add(datagram.ToArray());
                honest?.Invoke(from, datagram);
            };
        });
        Repeat(world, mallory, 600, 100.Milliseconds, () =>
        {
            for (var i = 0; i < 5; i++) mallory.Socket.Send(chance.Pick(society.Honest).PublicEndpoint, Junk(chance, heard));
        });
        world.RunFor(1.Minutes);
    }

    private static byte[] Junk(Prng chance, List<byte[]> heard)
    {
        if (heard.Count == 0 || chance.Chance(0.2))
        {
            var noise = new byte[chance.Next(0, 1400)];
            chance.Fill(noise);
            return noise;
        }
        var datagram = (byte[])chance.Pick(heard).Clone();
        switch (chance.Next(4))
        {
            case 0:
                return datagram[..chance.Next(datagram.Length)];
            case 1 when datagram.Length > 23:
                // Behind the header, so that the bytes reach the parser of a community.
                chance.Fill(datagram.AsSpan(23));
                return datagram;
            case 2:
                return [.. datagram, .. chance.Pick(heard)];
            default:
                if (datagram.Length > 0) datagram[chance.Next(datagram.Length)] ^= (byte)(1 << chance.Next(8));
                return datagram;
        }
    }

    private static void Repeat(World world, SimulatedNode node, int times, TimeSpan interval, Action work)
    {
        if (times == 0) return;
        world.At(world.Now + interval, () =>
        {
            if (!node.IsRunning) return;
            node.Run(work);
            Repeat(world, node, times - 1, interval, work);
        });
    }
}
