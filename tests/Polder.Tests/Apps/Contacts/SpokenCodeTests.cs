using Polder.Apps.Contacts;
using Polder.Apps.Contacts.Speaking;
using Polder.Overlay.AddressBook;
using Polder.Overlay.Dht;
using Polder.Overlay.Invitations;
using Polder.Simulation;
using Polder.Tests.Overlay;
using Polder.Wire;

namespace Polder.Tests.Apps.Contacts;

public sealed class SpokenCodeTests
{
    private static readonly LinkModel Lossy = new() { Latency = TimeSpan.FromMilliseconds(30), Jitter = TimeSpan.FromMilliseconds(30), Loss = 0.1, Duplication = 0.05, Reordering = 0.1 };

    private static SimulatedNode Add(World world, string name, bool dht = false) => world.AddNode(name, null, OverlayTestNodes.Options, (_, host) =>
    {
        host.Offer<IStateStore>(new MemoryStateStore());
        host.Offer(new ContactList(host));
        new ContactsModule().Join(host);
        if (dht) host.Join(static context => new DhtCommunity(context));
    });

    private static SpokenCodes Codes(SimulatedNode node) => node.Host.Find<SpokenCodes>()!;
    private static ContactCard? Card(SimulatedNode here, SimulatedNode of) => here.Host.Find<ContactBook>()!.Find(of.Identity.Public);

    private static string Make(SimulatedNode node)
    {
        var code = "";
        node.Run(() => code = Codes(node).Make().Code);
        return code;
    }

    private static void Take(SimulatedNode node, string code) => node.Run(() => Assert.NotNull(Codes(node).Take(code)));

    private static void Meet(SimulatedNode one, SimulatedNode other)
    {
        one.WalkTo(other);
        one.World.RunUntil(() => one.Host.Peers.Find(other.Identity.Public) is { IsValidated: true, IsPolder: true } && other.Host.Peers.Find(one.Identity.Public) is { IsValidated: true, IsPolder: true }, TimeSpan.FromMinutes(1));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Both_who_have_the_code_are_contacts_and_verified(ulong seed)
    {
        var world = new World(seed, Lossy);
        var (anna, ben, carl) = (Add(world, "anna"), Add(world, "ben"), Add(world, "carl"));
        Meet(anna, ben);
        Meet(carl, ben);
        var code = Make(anna);
        Assert.Matches("^[1-9][0-9]{3}(-[a-z]+){3}$", code);
        Take(ben, code.Replace('-', ' ').ToUpperInvariant());
        var took = world.RunUntil(() => Card(anna, ben) is { Verified: true, VerifiedByThem: true } && Card(ben, anna) is { Verified: true, VerifiedByThem: true }, TimeSpan.FromMinutes(1));
        TestContext.Current.TestOutputHelper?.WriteLine($"after {took}");
        Assert.Equal((SpokenCodeState.Met, ben.Identity.Public), (Codes(anna).Current!.State, Codes(anna).Current!.Met));
        // It is used up.
        Take(carl, code);
        world.RunFor(TimeSpan.FromMinutes(2));
        Assert.Null(Card(anna, carl));
        Assert.Null(Card(ben, carl));
    }

    [Fact]
    public void A_wrong_code_spends_both_and_makes_nobody_a_contact()
    {
        var world = new World(5);
        var (anna, mallory, ben) = (Add(world, "anna"), Add(world, "mallory"), Add(world, "ben"));
        Meet(anna, mallory);
        Meet(anna, ben);
        var code = Make(anna);
        Take(mallory, code[..code.IndexOf('-', StringComparison.Ordinal)] + "-wrong-guess");
        world.RunUntil(() => Codes(anna).Current!.State == SpokenCodeState.Spent && Codes(mallory).Current!.State == SpokenCodeState.Spent, TimeSpan.FromMinutes(1));
        // One guess, then a new code: even the right one does not help any more.
        Take(mallory, code);
        Take(ben, code);
        world.RunFor(TimeSpan.FromMinutes(2));
        Assert.Null(Card(anna, mallory));
        Assert.Null(Card(anna, ben));
        var second = Make(anna);
        Take(ben, second);
        world.RunUntil(() => Card(anna, ben) is { Verified: true } && Card(ben, anna) is { Verified: true }, TimeSpan.FromMinutes(1));
    }

    [Fact]
    public void Two_who_never_met_find_each_other_in_the_DHT()
    {
        var world = new World(6);
        var hub = Add(world, "hub", dht: true);
        var (anna, ben) = (Add(world, "anna", dht: true), Add(world, "ben", dht: true));
        Meet(anna, hub);
        Meet(ben, hub);
        world.RunFor(TimeSpan.FromSeconds(20));
        Take(ben, Make(anna));
        world.RunUntil(() => Card(anna, ben) is { Verified: true } && Card(ben, anna) is { Verified: true }, TimeSpan.FromMinutes(2));
    }

    [Fact]
    public void A_code_that_nobody_types_ends_and_a_blocked_person_is_not_answered()
    {
        var world = new World(7);
        var (anna, ben) = (Add(world, "anna"), Add(world, "ben"));
        Meet(anna, ben);
        anna.Run(() => _ = anna.Host.Find<ContactBook>()!.BlockAsync(ben.Identity.Public));
        var code = Make(anna);
        Take(ben, code);
        world.RunFor(SpokenCodes.Lifetime + TimeSpan.FromMinutes(1));
        Assert.Equal((SpokenCodeState.Expired, SpokenCodeState.Expired), (Codes(anna).Current!.State, Codes(ben).Current!.State));
        Assert.False(Card(anna, ben)!.Verified);
        anna.Run(() => Assert.Null(Codes(anna).Take("no code")));
    }

    [Fact]
    public void Messages_of_codes_survive() => Fuzz.Run("code messages", [[0, 1, .. new byte[41]], [0, 1], [0, 1, .. new byte[33]], [0, 1, .. new byte[40]]], static bytes =>
    {
        var reader = new WireReader(bytes);
        _ = CodeKnock.Read(ref reader);
        reader = new WireReader(bytes);
        _ = CodeAnswer.Read(ref reader);
        reader = new WireReader(bytes);
        _ = CodeConfirm.Read(ref reader);
        reader = new WireReader(bytes);
        _ = CodeConfirmed.Read(ref reader);
    }, allocationFactor: 8);
}
