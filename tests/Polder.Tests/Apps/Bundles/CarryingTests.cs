using Polder.Apps.Bundles;
using Polder.Apps.Bundles.Letters;
using Polder.Apps.Bundles.Stores;
using Polder.Simulation;

namespace Polder.Tests.Apps.Bundles;

/// <summary>Letters in other people's hands, and in files.</summary>
public sealed class CarryingTests
{
    private static MailOptions Hasty => new() { StrangersAfter = TimeSpan.FromSeconds(20) };

    [Fact]
    public void Strangers_carry_within_their_quota_and_no_more()
    {
        var people = new MailTestPeople();
        var (alice, stranger, bob) = (people.Add("alice", Hasty), people.Add("stranger", Hasty with { StrangerLettersMax = 3 }), people.Add("bob", Hasty));
        people.Befriend(alice, bob);
        people.World.Crash("bob");
        var letters = Enumerable.Range(0, 5).Select(i => people.Post(alice, bob, $"{i}")).ToArray();
        alice.Run(() => _ = alice.Host.Connector.ConnectAsync(stranger.Identity.Public));
        people.World.RunUntil(() => stranger.Mailbag!.Carried.Count == 3, 3.Minutes, "the stranger took three");
        people.World.RunFor(2.Minutes);
        Assert.Equal(3, stranger.Mailbag!.Carried.Count);
        Assert.Equal(3, letters.Count(id => people.State(alice, id).ToString() == "Waiting with a stranger"));
        people.World.Crash("alice");
        people.World.Restart("bob");
        bob.Run(() => _ = bob.Host.Connector.ConnectAsync(stranger.Identity.Public));
        people.World.RunUntil(() => people.Got(bob).Count == 3, 3.Minutes, "bob has three");
    }

    [Fact]
    public void Whoever_does_not_want_to_carry_does_not()
    {
        var people = new MailTestPeople();
        var (alice, carol, bob) = (people.Add("alice"), people.Add("carol", new MailOptions { CarriesForFriends = false, CarriesForStrangers = false }), people.Add("bob"));
        people.Befriend(alice, bob);
        people.Befriend(alice, carol);
        people.World.Crash("bob");
        var id = people.Post(alice, bob);
        people.World.RunFor(3.Minutes);
        Assert.Equal((0, "Only here"), (carol.Mailbag!.Carried.Count, people.State(alice, id).ToString()));
    }

    [Fact]
    public void A_letter_is_never_opened_by_who_carries_it_and_is_gone_when_it_arrived()
    {
        var people = new MailTestPeople();
        var (alice, carol, dave, bob) = (people.Add("alice"), people.Add("carol"), people.Add("dave"), people.Add("bob"));
        foreach (var friend in new[] { carol, dave, bob }) people.Befriend(alice, friend);
        people.World.Crash("bob");
        people.Post(alice, bob);
        people.World.RunUntil(() => carol.Mailbag!.Carried.Count + dave.Mailbag!.Carried.Count == 2, 3.Minutes, "both hold a copy");
        foreach (var carrier in new[] { carol, dave })
        {
            var carried = Assert.Single(carrier.Mailbag!.Carried.All);
            Assert.Equal(LetterRefusal.NotForUs, SealedLetter.TryOpen(carrier.Environment, carrier.Identity, carrier.Mailbag!.Store.Read(MailShelf.Sealed, carried.Id.Hash.ToArray()), out _));
        }
        people.World.Restart("bob");
        people.World.RunUntil(() => people.Got(bob).Count == 1 && carol.Mailbag!.Carried.Count + dave.Mailbag!.Carried.Count == 0, 5.Minutes, "arrived, and the copies are cleared");
        people.World.RunFor(2.Minutes);
        Assert.Single(people.Got(bob));
        Assert.Empty(people.Got(carol));
    }

    [Fact]
    public void A_blocked_sender_reaches_nobody_and_learns_nothing()
    {
        var people = new MailTestPeople();
        var (alice, bob) = (people.Add("alice"), people.Add("bob"));
        people.Befriend(alice, bob);
        bob.Run(() => _ = bob.Book!.BlockAsync(alice.Identity.Public));
        var id = people.Post(alice, bob);
        people.World.RunFor(2.Minutes);
        Assert.Empty(people.Got(bob));
        Assert.Equal(LetterStage.OnlyHere, people.State(alice, id).Stage);
    }

    [Fact]
    public void A_handler_that_says_no_gets_the_letter_again_and_time_ends_it()
    {
        var people = new MailTestPeople();
        var refusals = 2;
        var (alice, bob) = (people.Add("alice"), people.Add("bob", takes: _ => refusals-- <= 0));
        people.Befriend(alice, bob);
        var id = people.Post(alice, bob);
        people.World.RunUntil(() => people.State(alice, id).Stage == LetterStage.Delivered, 5.Minutes, "taken at last");
        Assert.Single(people.Got(bob));
        people.World.Crash("bob");
        var late = people.Post(alice, bob, "too late", TimeSpan.FromMinutes(1));
        people.World.RunUntil(() => people.State(alice, late).Stage == LetterStage.Expired, 3.Hours, "out of time", 1.Minutes);
        Assert.Equal("Not delivered: its time is over", people.State(alice, late).ToString());
    }

    [Fact]
    public void Whatever_a_crash_does_at_any_write_nothing_acknowledged_is_lost_or_doubled()
    {
        // The same afternoon once for each write of each of the three, and each way in which it can go wrong.
        var runs = 0;
        foreach (var victim in new[] { "alice", "carol", "bob" })
        {
            var writes = Afternoon(victim, 0, null);
            Assert.True(writes > 2);
            for (var write = 1; write <= writes; write++)
                foreach (var fault in Enum.GetValues<DiskFault>())
                {
                    Afternoon(victim, write, fault);
                    runs++;
                }
        }
        Assert.True(runs > 40);

        static long Afternoon(string victim, long write, DiskFault? fault)
        {
            var people = new MailTestPeople();
            var kept = new List<LetterId>();
            // Its own store, by the letter's name, as chat has one.
            SimulatedNode Add(string name) => people.World.AddMailNode(name, setUp: (node, host) => host.Find<Mailbag>()!.Receive(MailTestPeople.Kind, letter =>
            {
                var shelf = node.Disk.Surface("letters", () => new List<LetterId>());
                if (!shelf.Contains(letter.Id)) shelf.Add(letter.Id);
                return Task.FromResult(true);
            }));
            var (alice, carol, bob) = (Add("alice"), Add("carol"), Add("bob"));
            people.Befriend(alice, bob);
            people.Befriend(alice, carol);
            people.Befriend(carol, bob);
            foreach (var node in people.World.Nodes) node.Disk.Latency = 5.Milliseconds;
            people.World.Crash("bob");
            if (fault is { } kind) people.World[victim].Disk.FaultAt(people.World[victim].Disk.Writes + write, kind);
            var before = people.World[victim].Disk.Writes;
            for (var i = 0; i < 2; i++)
            {
                var number = (byte)i;
                if (!alice.IsRunning) people.World.Restart("alice");
                alice.Run(() => _ = PostAsync(number));
                people.World.RunFor(40.Seconds);
                if (!carol.IsRunning) people.World.Restart("carol");
            }
            if (alice.IsRunning) people.World.Crash("alice");
            people.World.Restart("bob");
            people.World.RunFor(90.Seconds);
            // Its owner starts again what died, also later than planned.
            people.World.Every(5.Seconds, () =>
            {
                foreach (var node in people.World.Nodes)
                    if (!node.IsRunning) people.World.Restart(node.Name);
            });
            people.World.RunUntil(() => kept.All(id => alice.IsRunning && alice.Mailbag!.StateOf(id).Stage == LetterStage.Delivered), 20.Minutes,
                $"alice knows that all arrived ({fault} at write {write} of {victim})", 1.Seconds, () => string.Join("; ", kept.Select(id => alice.Mailbag?.StateOf(id).ToString())));
            var got = bob.Disk.Surface("letters", () => new List<LetterId>());
            Assert.All(kept, id => Assert.Contains(id, got));
            Assert.Equal(got.Distinct().Count(), got.Count);
            return people.World[victim].Disk.Writes - before;

            async Task PostAsync(byte number)
            {
                try { kept.Add(await alice.Mailbag!.PostAsync(bob.Identity.Public, MailTestPeople.Kind, new[] { number })); }
                catch (IOException) { /* Told, so not lost. */ }
            }
        }
    }
}
