using Polder.Overlay;
using Polder.Simulation;

namespace Polder.Tests.Overlay;

public sealed class CommunityTests
{
    private static (World World, SimulatedNode Alice, SimulatedNode Bob) Pair(ulong seed = 1, LinkModel? link = null)
    {
        var world = new World(seed, link);
        var (alice, bob) = (world.AddTalker("alice"), world.AddTalker("bob"));
        alice.WalkTo(bob);
        world.RunUntil(() => alice.Met(bob) && bob.Met(alice), TimeSpan.FromSeconds(5), "the meeting");
        return (world, alice, bob);
    }

    [Fact]
    public void Two_nodes_meet_when_one_walks_to_the_other()
    {
        var (_, alice, bob) = Pair();
        Assert.NotEmpty(alice.Talk().Introduced);
        Assert.True(alice.Knows(bob)!.ChosenByUs);
        Assert.False(bob.Knows(alice)!.ChosenByUs);
        Assert.Equal(TimeSpan.FromMilliseconds(40), alice.Knows(bob)!.RoundTrip);
        Assert.NotNull(alice.Knows(bob)!.LastIn);
        Assert.NotNull(alice.Knows(bob)!.LastOut);
    }

    [Fact]
    public void A_question_is_answered_by_the_one_asked()
    {
        var (world, alice, bob) = Pair();
        Task<Reply?>? answer = null;
        alice.Run(() => answer = alice.Talk().AskAsync(alice.Knows(bob)!, 41, TimeSpan.FromSeconds(2)));
        world.RunUntil(() => answer!.IsCompleted, TimeSpan.FromSeconds(3));
        Assert.Equal(42u, answer!.Now()!.Value.Number);
    }

    [Fact]
    public void A_question_to_the_dead_is_null_after_the_timeout()
    {
        var (world, alice, bob) = Pair();
        world.Crash("bob");
        Task<Reply?>? answer = null;
        alice.Run(() => answer = alice.Talk().AskAsync(alice.Knows(bob)!, 41, TimeSpan.FromSeconds(2)));
        world.RunFor(TimeSpan.FromSeconds(1.9));
        Assert.False(answer!.IsCompleted);
        world.RunFor(TimeSpan.FromSeconds(0.2));
        Assert.Null(answer.Now());
    }

    [Fact]
    public void A_question_is_cancelled_when_the_community_is_left()
    {
        var (_, alice, bob) = Pair();
        Task<Reply?>? answer = null;
        alice.Run(() => answer = alice.Talk().AskAsync(alice.Knows(bob)!, 41, TimeSpan.FromSeconds(2)));
        var talk = alice.Talk();
        alice.Run(() => alice.HostOf().Leave(talk));
        alice.World.RunFor(TimeSpan.FromMilliseconds(1));
        Assert.True(answer!.IsCanceled);
    }

    [Fact]
    public void Too_many_open_questions_give_up_the_oldest()
    {
        var world = new World(3);
        var options = OverlayTestNodes.Options with { RequestsMax = 16 };
        var (alice, bob) = (world.AddTalker("alice", options: options), world.AddTalker("bob"));
        alice.WalkTo(bob);
        world.RunUntil(() => alice.Met(bob), TimeSpan.FromSeconds(5));
        world.Crash("bob");
        var answers = new List<Task<Reply?>>();
        alice.Run(() =>
        {
            for (uint i = 0; i < 20; i++) answers.Add(alice.Talk().AskAsync(alice.Knows(bob)!, i, TimeSpan.FromMinutes(1)));
        });
        world.RunFor(TimeSpan.FromSeconds(1));
        Assert.Equal(Enumerable.Range(0, 20).Select(i => i < 4), answers.Select(answer => answer.IsCompleted));
        Assert.Equal(4, alice.HostOf().Counters[Cap.Requests]);
    }

    [Fact]
    public void Messages_arrive_signed_and_unsigned()
    {
        var (world, alice, bob) = Pair();
        alice.Run(() =>
        {
            alice.Talk().Say(alice.Knows(bob)!, 7);
            alice.Talk().WhisperTo(bob.PublicEndpoint, 8);
        });
        world.RunFor(TimeSpan.FromSeconds(1));
        var (from, number) = Assert.Single(bob.Talk().Remarks);
        Assert.Equal((alice.Identity.Public, 7u), (from.Key, number));
        Assert.Equal([(alice.PublicEndpoint, 8u)], bob.Talk().Whispers);
    }

    [Fact]
    public void The_same_plain_message_said_twice_arrives_twice()
    {
        var (world, alice, bob) = Pair();
        alice.Run(() => alice.Talk().Say(alice.Knows(bob)!, 7));
        world.RunFor(TimeSpan.FromSeconds(1));
        alice.Run(() => alice.Talk().Say(alice.Knows(bob)!, 7));
        world.RunFor(TimeSpan.FromSeconds(1));
        Assert.Equal(2, bob.Talk().Remarks.Count);
    }

    [Fact]
    public void A_number_is_handled_once()
    {
        var (_, alice, _) = Pair();
        Assert.Throws<InvalidOperationException>(alice.Talk().RegisterRemarkAgain);
    }

    [Fact]
    public void A_handlers_exception_is_reported_and_stops_nothing()
    {
        var world = new World(5);
        var (alice, bob) = (world.AddTalker("alice"), world.AddNode("bob", null, node =>
        {
            // Not through World's AddNode, which would rightly fail the run.
            var host = new NodeHost(node.Environment, node.Identity, OverlayTestNodes.Options);
            host.Join(context => new TalkCommunity(context));
            host.Start();
            return host;
        }));
        var faults = new List<Fault>();
        bob.HostOf().UnhandledFault += faults.Add;
        alice.WalkTo(bob);
        world.RunUntil(() => alice.Met(bob), TimeSpan.FromSeconds(5));
        alice.Run(() =>
        {
            alice.Talk().Say(alice.Knows(bob)!, 666);
            alice.Talk().Say(alice.Knows(bob)!, 1);
        });
        world.RunFor(TimeSpan.FromSeconds(1));
        Assert.IsType<InvalidOperationException>(Assert.Single(faults).Problem);
        Assert.Equal(1, bob.HostOf().Counters.Faults);
        Assert.Equal(1u, Assert.Single(bob.Talk().Remarks).Number);
    }

    [Fact]
    public void A_discouraged_peer_is_ignored_for_a_while()
    {
        var (world, alice, bob) = Pair();
        bob.Run(() => bob.HostOf().Peers.Discourage(bob.Knows(alice)!, Violation.BrokeRules));
        alice.Run(() => alice.Talk().Say(alice.Knows(bob)!, 7));
        world.RunFor(TimeSpan.FromSeconds(1));
        Assert.Empty(bob.Talk().Remarks);
        Assert.True(bob.HostOf().Counters[Refusal.Discouraged] > 0);
        Assert.Equal(1, bob.HostOf().Counters[Violation.BrokeRules]);
        world.RunFor(TimeSpan.FromHours(1));
        alice.WalkTo(bob);
        world.RunUntil(() => bob.Met(alice) && alice.Met(bob), TimeSpan.FromMinutes(1));
        alice.Run(() => alice.Talk().Say(alice.Knows(bob)!, 7));
        world.RunFor(TimeSpan.FromSeconds(1));
        Assert.Single(bob.Talk().Remarks);
    }

    [Fact]
    public void Services_are_offered_and_found()
    {
        var (_, alice, _) = Pair();
        Assert.Null(alice.HostOf().Find<string>());
        alice.HostOf().Offer("service");
        Assert.Equal("service", alice.HostOf().Find<string>());
    }
}
