using Polder.Apps.Contacts;
using Polder.Overlay;
using Polder.Overlay.AddressBook;
using Polder.Overlay.Invitations;
using Polder.Simulation;
using Polder.Tests.Overlay;

namespace Polder.Tests.Apps.Contacts;

public sealed class ContactServiceTests
{
    private static readonly LinkModel Lossy = new() { Latency = TimeSpan.FromMilliseconds(30), Jitter = TimeSpan.FromMilliseconds(30), Loss = 0.1, Duplication = 0.05, Reordering = 0.1 };

    private static SimulatedNode Add(World world, string name)
    {
        var store = new MemoryStateStore();
        return world.AddNode(name, null, OverlayTestNodes.Options, (_, host) =>
        {
            host.Offer<IStateStore>(store);
            var contacts = new ContactList(host);
            host.Offer(contacts);
            host.Offer(new InvitationService(host, contacts));
            new ContactsModule().Join(host);
        });
    }

    private static ContactBook Book(SimulatedNode node) => node.Host.Find<ContactBook>()!;

    private static T Do<T>(SimulatedNode node, Func<NodeHost, Task<T>> work)
    {
        Task<T>? task = null;
        node.Run(() => task = work(node.Host));
        node.World.RunUntil(() => task!.IsCompleted, TimeSpan.FromSeconds(60));
        return task!.Result;
    }

    private static void Befriend(SimulatedNode one, SimulatedNode other)
    {
        var made = Do(one, host => host.Find<InvitationService>()!.MakeAsync())!;
        Assert.Equal(InvitationRefusal.None, Do(other, host => host.Find<InvitationService>()!.TakeAsync(made.Text)).Refusal);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void An_invitation_verifies_both_sides_and_each_hears_what_the_other_calls_itself(ulong seed)
    {
        var world = new World(seed, Lossy);
        var (anna, ben) = (Add(world, "anna"), Add(world, "ben"));
        Do(anna, host => host.Find<ContactBook>()!.NameOwnAsync("Anna"));
        Befriend(anna, ben);
        ContactCard? at(SimulatedNode here, SimulatedNode of) => Book(here).Find(of.Identity.Public);
        world.RunUntil(() => at(anna, ben) is { Verified: true, VerifiedByThem: true } && at(ben, anna) is { Verified: true, VerifiedByThem: true, Alias: "Anna" }, TimeSpan.FromMinutes(1));
        // The alias is a suggestion: the name is still the short one until the owner chooses.
        Assert.Equal(anna.Identity.Public.ShortName, at(ben, anna)!.Name);
        Do(ben, host => host.Find<ContactBook>()!.RenameAsync(anna.Identity.Public, "Sister"));
        Do(anna, host => host.Find<ContactBook>()!.NameOwnAsync("Anna van Dijk"));
        world.RunUntil(() => at(ben, anna) is { Alias: "Anna van Dijk", Name: "Sister" }, TimeSpan.FromMinutes(1));
        // Trust taken back is told too.
        Do(ben, host => host.Find<ContactBook>()!.VerifyAsync(anna.Identity.Public, false));
        world.RunUntil(() => at(anna, ben) is { VerifiedByThem: false, Verified: true }, TimeSpan.FromMinutes(1));
    }

    [Fact]
    public void Whoever_was_forgotten_and_added_again_says_once_more_what_it_says_of_itself()
    {
        var world = new World(4, Lossy);
        var (anna, ben) = (Add(world, "anna"), Add(world, "ben"));
        Do(anna, host => host.Find<ContactBook>()!.NameOwnAsync("Anna"));
        Befriend(anna, ben);
        bool IsWhole() => Book(anna).Find(ben.Identity.Public) is { VerifiedByThem: true } && Book(ben).Find(anna.Identity.Public) is { VerifiedByThem: true, Alias: "Anna" };
        world.RunUntil(IsWhole, TimeSpan.FromMinutes(1));
        // One side forgets, in the same session; then both.
        foreach (var forgetters in new[] { new[] { (ben, anna) }, [(ben, anna), (anna, ben)] })
        {
            foreach (var (who, whom) in forgetters) Do(who, host => host.Find<ContactBook>()!.RemoveAsync(whom.Identity.Public));
            world.RunFor(TimeSpan.FromSeconds(20));
            foreach (var (who, whom) in forgetters) Do(who, host => host.Find<ContactBook>()!.AddAsync(whom.Identity.Public, verified: true));
            world.RunUntil(IsWhole, TimeSpan.FromMinutes(1));
        }
    }

    [Fact]
    public void Whoever_is_added_by_its_key_gets_a_request_and_may_accept()
    {
        var world = new World(5, Lossy);
        var (anna, ben) = (Add(world, "anna"), Add(world, "ben"));
        anna.WalkTo(ben);
        world.RunUntil(() => anna.Host.Peers.Find(ben.Identity.Public) is { IsValidated: true }, TimeSpan.FromMinutes(1));
        Do(anna, host => host.Find<ContactBook>()!.NameOwnAsync("Anna"));
        Do(anna, host => host.Find<ContactBook>()!.AddAsync(ben.Identity.Public, "Ben"));
        world.RunUntil(() => Book(ben).Requests.Any(request => request is { Alias: "Anna" } && request.Key == anna.Identity.Public), TimeSpan.FromMinutes(2));
        Assert.Empty(Book(ben).All);
        Assert.Equal(ContactRefusal.None, Do(ben, host => host.Find<ContactBook>()!.AnswerAsync(anna.Identity.Public, true, "Anna B")));
        Assert.Empty(Book(ben).Requests);
        Assert.False(Book(ben).Find(anna.Identity.Public)!.Verified);
    }

    [Fact]
    public void A_contact_that_shows_up_is_reached_at_once()
    {
        var world = new World(11);
        var (anna, ben) = (Add(world, "anna"), Add(world, "ben"));
        Do(anna, host => host.Find<ContactBook>()!.AddAsync(ben.Identity.Public, "Ben"));
        // She looked for him in vain just now, and would again after two minutes only.
        world.RunFor(TimeSpan.FromSeconds(50));
        ben.WalkTo(anna);
        world.RunUntil(() => anna.Host.Sessions.Find(ben.Identity.Public) is not null, TimeSpan.FromSeconds(5));
    }

    [Fact]
    public void A_blocked_person_is_not_heard()
    {
        var world = new World(6, Lossy);
        var (anna, ben) = (Add(world, "anna"), Add(world, "ben"));
        Befriend(anna, ben);
        Do(anna, host => host.Find<ContactBook>()!.BlockAsync(ben.Identity.Public));
        Do(ben, host => host.Find<ContactBook>()!.NameOwnAsync("Nice Ben"));
        world.RunFor(TimeSpan.FromMinutes(1));
        Assert.Null(Book(anna).Find(ben.Identity.Public)!.Alias);
    }

    [Fact]
    public void Two_who_are_introduced_find_each_other_and_their_trust_is_of_the_second_degree()
    {
        var world = new World(8, Lossy);
        var (anna, ben, carla) = (Add(world, "anna"), Add(world, "ben"), Add(world, "carla"));
        Befriend(anna, ben);
        Befriend(anna, carla);
        Do(anna, host => host.Find<ContactBook>()!.RenameAsync(carla.Identity.Public, "Carla from choir"));
        var told = Do(anna, host => host.Find<ContactService>()!.IntroduceAsync(ben.Identity.Public, carla.Identity.Public));
        Assert.Equal((ContactRefusal.None, IntroductionState.Arrived, IntroductionState.Arrived), told);
        var request = Assert.Single(Book(ben).Requests);
        Assert.Equal((carla.Identity.Public, anna.Identity.Public, "Carla from choir"), (request.Key, request.IntroducedBy, request.IntroducedAs));
        Do(ben, host => host.Find<ContactBook>()!.AnswerAsync(carla.Identity.Public, true, "Carla"));
        Do(carla, host => host.Find<ContactBook>()!.AnswerAsync(ben.Identity.Public, true, "Ben"));
        ben.Run(() => ben.Host.Find<ContactService>()!.Reach(carla.Identity.Public));
        world.RunUntil(() => ben.Host.Sessions.Find(carla.Identity.Public) is not null, TimeSpan.FromMinutes(1));
        Assert.Equal((2, false, anna.Identity.Public), (Book(ben).Degree(carla.Identity.Public), Book(ben).Find(carla.Identity.Public)!.Verified, Book(ben).Find(carla.Identity.Public)!.IntroducedBy));
        // A stranger's introduction is not taken.
        Do(ben, host => host.Find<ContactBook>()!.RemoveAsync(anna.Identity.Public));
        Do(ben, host => host.Find<ContactBook>()!.RemoveAsync(carla.Identity.Public));
        Assert.Equal(IntroductionState.NotWanted, Do(anna, host => host.Find<ContactService>()!.IntroduceAsync(ben.Identity.Public, carla.Identity.Public)).ToFirst);
    }

    [Fact]
    public void An_introduction_to_somebody_away_arrives_when_it_comes_back()
    {
        var world = new World(9, Lossy);
        var (anna, ben, carla) = (Add(world, "anna"), Add(world, "ben"), Add(world, "carla"));
        Befriend(anna, ben);
        Befriend(anna, carla);
        world.Crash("ben");
        world.RunFor(TimeSpan.FromMinutes(2));
        var told = Do(anna, host => host.Find<ContactService>()!.IntroduceAsync(ben.Identity.Public, carla.Identity.Public));
        Assert.Equal((IntroductionState.Waits, IntroductionState.Arrived), (told.ToFirst, told.ToSecond));
        world.Restart("ben");
        world.RunUntil(() => Book(ben).Requests.Count == 1, TimeSpan.FromMinutes(6));
    }
}
