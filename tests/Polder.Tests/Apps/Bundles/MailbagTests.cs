using Polder.Apps.Bundles.Letters;
using Polder.Simulation;

namespace Polder.Tests.Apps.Bundles;

public sealed class MailbagTests
{
    [Fact]
    public void A_letter_arrives_once_and_its_sender_learns_of_it()
    {
        var people = new MailTestPeople();
        var (alice, bob) = (people.Add("alice"), people.Add("bob"));
        people.Befriend(alice, bob);
        var id = people.Post(alice, bob);
        people.World.RunUntil(() => people.State(alice, id).Stage == LetterStage.Delivered, 10.Seconds, "delivered");
        var letter = Assert.Single(people.Got(bob));
        Assert.Equal(("hello", id, alice.Identity.Public, 1ul), (MailTestPeople.Text(letter), letter.Id, letter.From, letter.Number));
        bob.Run(() => bob.Mailbag!.MarkSeen(id));
        people.World.RunUntil(() => people.State(alice, id).Stage == LetterStage.Seen, 10.Seconds, "seen");
        Assert.Equal("Seen", people.State(alice, id).ToString());
        people.World.RunFor(1.Minutes);
        Assert.Single(people.Got(bob));
    }

    [Fact]
    public void Letters_arrive_in_the_order_in_which_they_were_written()
    {
        var people = new MailTestPeople(link: new LinkModel { Latency = 20.Milliseconds, Jitter = 30.Milliseconds, Loss = 0.1 });
        var (alice, bob) = (people.Add("alice"), people.Add("bob"));
        people.Befriend(alice, bob);
        for (var i = 0; i < 100; i++) people.Post(alice, bob, $"{i}");
        people.World.RunUntil(() => people.Got(bob).Count == 100, 60.Seconds, "all are there");
        Assert.Equal(Enumerable.Range(0, 100).Select(i => $"{i}"), people.Got(bob).Select(MailTestPeople.Text));
        Assert.Equal(Enumerable.Range(1, 100).Select(i => (ulong)i), people.Got(bob).Select(letter => letter.Number));
    }

    [Fact]
    public void A_letter_to_a_sleeping_friend_waits_with_a_common_friend_and_arrives_after_the_sender_left()
    {
        var people = new MailTestPeople();
        var (alice, carol, bob) = (people.Add("alice"), people.Add("carol"), people.Add("bob"));
        people.Befriend(alice, bob);
        people.Befriend(alice, carol);
        people.Befriend(carol, bob);
        people.World.Crash("bob");
        var id = people.Post(alice, bob);
        Assert.Equal("Only here", people.State(alice, id).ToString());
        people.World.RunUntil(() => people.State(alice, id).Stage == LetterStage.WaitingWith, 2.Minutes, "carol has it");
        Assert.Equal("Waiting with carol, a common friend", people.State(alice, id).ToString());
        people.World.Crash("alice");
        people.World.Restart("bob");
        people.World.RunUntil(() => people.Got(bob).Count == 1, 5.Minutes, "bob has it");
        people.World.RunFor(1.Minutes);
        Assert.Equal(0, carol.Mailbag!.Carried.Find(id) is null ? 0 : 1);
        // The receipt goes the same way back.
        people.World.Crash("bob");
        people.World.Restart("alice");
        people.World.RunUntil(() => people.State(alice, id).Stage == LetterStage.Delivered, 5.Minutes, "alice knows");
        Assert.Single(people.Got(bob));
    }
}
