using Polder.Identity;
using Polder.Net;
using Polder.Overlay;
using Polder.Overlay.AddressBook;
using Polder.Overlay.Discovery;
using Polder.Overlay.Invitations;
using Polder.Simulation;

namespace Polder.Tests.Overlay.Invitations;

public sealed class InvitationTests
{
    private static readonly LinkModel Lossy = new() { Latency = TimeSpan.FromMilliseconds(30), Jitter = TimeSpan.FromMilliseconds(30), Loss = 0.2, Duplication = 0.1, Reordering = 0.1 };

    private static SimulatedNode Add(World world, string name, MemoryStateStore store, Home? home = null, NetworkId network = default, Endpoint? knows = null) =>
        world.AddNode(name, home, OverlayTestNodes.Options with { Network = network }, (_, host) =>
        {
            host.Offer<IStateStore>(store);
            var contacts = new ContactList(host);
            host.Offer(contacts);
            host.Offer(new InvitationService(host, contacts));
            if (knows is { } address) host.WalkTo(address);
        });

    private static T Do<T>(SimulatedNode node, Func<NodeHost, Task<T>> work, TimeSpan? limit = null)
    {
        Task<T>? task = null;
        node.Run(() => task = work(node.Host));
        node.World.RunUntil(() => task!.IsCompleted, limit ?? TimeSpan.FromSeconds(60));
        return task!.Result;
    }

    private static InvitationMade Make(SimulatedNode node, TimeSpan? lifetime = null) =>
        Do(node, host => host.Find<InvitationService>()!.MakeAsync(lifetime))!;

    private static InvitationResult Take(SimulatedNode node, string text) => Do(node, host => host.Find<InvitationService>()!.TakeAsync(text));

    private static bool AreContacts(SimulatedNode one, SimulatedNode other) =>
        one.Host.Find<ContactList>()!.Find(other.Identity.Public) is not null && other.Host.Find<ContactList>()!.Find(one.Identity.Public) is not null;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void A_used_invitation_makes_both_sides_contacts_and_works_once(ulong seed)
    {
        var world = new World(seed, Lossy);
        var stores = new[] { new MemoryStateStore(), new MemoryStateStore(), new MemoryStateStore() };
        var (anna, ben, carl) = (Add(world, "anna", stores[0]), Add(world, "ben", stores[1]), Add(world, "carl", stores[2]));
        var made = Make(anna);
        Assert.StartsWith("PEER:", made.Text, StringComparison.Ordinal);
        var result = Take(ben, made.Text);
        Assert.Equal(InvitationRefusal.None, result.Refusal);
        Assert.True(AreContacts(anna, ben));
        Assert.Equal(ContactOrigin.InvitedByUs, anna.Host.Find<ContactList>()!.Find(ben.Identity.Public)!.Origin);
        // The same person again: nothing happens. Somebody else: too late.
        Assert.Equal(InvitationRefusal.None, Take(ben, made.Text).Refusal);
        var late = Take(carl, made.Text);
        Assert.Equal((InvitationRefusal.Used, InvitationRefusal.Used.Explain()), (late.Refusal, late.Message));
        Assert.Null(anna.Host.Find<ContactList>()!.Find(carl.Identity.Public));
        // It is still used, and they are still contacts, after both started again.
        world.Restart("anna");
        world.Restart("ben");
        Assert.True(AreContacts(anna, ben));
        Assert.Equal(InvitationRefusal.Used, Take(carl, made.Text).Refusal);
    }

    [Fact]
    public void Every_wrong_invitation_is_refused_in_its_own_words()
    {
        var world = new World(7);
        var (anna, ben) = (Add(world, "anna", new()), Add(world, "ben", new()));
        var other = Add(world, "other", new(), network: new NetworkId(99));
        var text = Make(anna).Text;
        var half = text[..(text.Length / 2)];
        var changed = text[..50] + (text[50] == 'A' ? 'B' : 'A') + text[51..];
        var refusals = new Dictionary<string, InvitationRefusal>
        {
            ["hello"] = InvitationRefusal.NotAnInvitation,
            [""] = InvitationRefusal.NotAnInvitation,
            ["peer:"] = InvitationRefusal.Damaged,
            ["peer:0189"] = InvitationRefusal.Damaged,
            [half] = InvitationRefusal.Damaged,
            [changed] = InvitationRefusal.Damaged,
            [Make(ben).Text] = InvitationRefusal.Own,
            [Make(other).Text] = InvitationRefusal.ForeignNetwork,
        };
        foreach (var (wrong, refusal) in refusals)
        {
            var result = Take(ben, wrong);
            Assert.Equal((refusal, refusal.Explain()), (result.Refusal, result.Message));
        }
        Assert.Equal(refusals.Values.Distinct().Count(), refusals.Values.Select(refusal => refusal.Explain()).Distinct().Count());
        Assert.Null(anna.Host.Find<ContactList>()!.Find(ben.Identity.Public));

        var withdrawn = Make(anna);
        Assert.True(Do(anna, host => host.Find<InvitationService>()!.WithdrawAsync(withdrawn.Id)));
        Assert.Equal(InvitationRefusal.Unknown, Take(ben, withdrawn.Text).Refusal);

        var brief = Make(anna, TimeSpan.FromMinutes(1));
        world.RunFor(TimeSpan.FromMinutes(2));
        Assert.Equal(InvitationRefusal.Expired, Take(ben, brief.Text).Refusal);
        // A clock that is behind believes in it; its maker does not.
        ben.ClockOffset = TimeSpan.FromHours(-1);
        Assert.Equal(InvitationRefusal.Expired, Take(ben, brief.Text).Refusal);

        // Lower case, broken into lines: still the same invitation.
        ben.ClockOffset = default;
        var lines = string.Join("\r\n  ", text.ToLowerInvariant().Chunk(60).Select(part => new string(part)));
        Assert.Equal(InvitationRefusal.None, Take(ben, lines).Refusal);
        Assert.Throws<ArgumentOutOfRangeException>(() => { _ = anna.Host.Find<InvitationService>()!.MakeAsync(TimeSpan.FromDays(365)); });
    }

    [Fact]
    public void Whoever_is_away_is_asked_again_until_the_invitation_works()
    {
        var world = new World(8, Lossy);
        var (anna, ben) = (Add(world, "anna", new()), Add(world, "ben", new()));
        var made = Make(anna);
        world.Crash("anna");
        Assert.Equal(InvitationRefusal.NotReached, Take(ben, made.Text).Refusal);
        world.RunFor(TimeSpan.FromMinutes(3));
        Assert.Single(ben.Host.Find<InvitationService>()!.List());
        world.Restart("ben");
        world.Restart("anna");
        var took = world.RunUntil(() => AreContacts(anna, ben), TimeSpan.FromMinutes(2), "the invitation works after both came back");
        TestContext.Current.TestOutputHelper?.WriteLine($"after {took}");
        Assert.Empty(ben.Host.Find<InvitationService>()!.List());
    }

    [Fact]
    public void A_disk_that_refuses_lets_nobody_in()
    {
        var world = new World(9);
        var store = new FullDisk();
        var anna = world.AddNode("anna", null, OverlayTestNodes.Options, (_, host) =>
        {
            host.Offer<IStateStore>(store);
            var contacts = new ContactList(host);
            host.Offer(contacts);
            host.Offer(new InvitationService(host, contacts));
        });
        var ben = Add(world, "ben", new());
        var made = Make(anna);
        store.IsFull = true;
        Assert.Null(Do(anna, host => host.Find<InvitationService>()!.MakeAsync()));
        Assert.Equal(InvitationRefusal.NotNow, Take(ben, made.Text).Refusal);
        Assert.False(AreContacts(anna, ben));
        store.IsFull = false;
        world.RunUntil(() => AreContacts(anna, ben), TimeSpan.FromMinutes(2));
    }

    [Fact]
    public void An_invitation_fits_into_300_bytes_whatever_it_names()
    {
        using var key = KeyPair.FromEntropy([.. Enumerable.Range(0, 64).Select(i => (byte)i)]);
        var v6 = Endpoint.FromBytes([0x20, 1, 0x0D, 0xB8, .. new byte[11], 1], 8090);
        var helper = new InvitationHelper(key.Public.Id, v6);
        foreach (var network in new[] { 0u, 7u })
        {
            var bytes = new Invitation(key.Public, 9, new NetworkId(network), [v6, v6.WithPort(1), v6.WithPort(2), v6.WithPort(3)], [helper, helper, helper], new InvitationToken(3))
                .Sign(key, Polder.Cryptography.Ed25519Signatures.Instance);
            Assert.InRange(bytes.Length, 200, Invitation.BytesMax);
            Assert.Equal(InvitationRefusal.None, Invitation.TryParse(Invitation.ToText(bytes), Polder.Cryptography.Ed25519Signatures.Instance, out var read));
            Assert.NotEmpty(read!.Helpers);
            Assert.NotEmpty(read.Addresses);
            Fuzz.RefusesEveryTruncation(bytes, static part => Invitation.TryRead(part, Polder.Cryptography.Ed25519Signatures.Instance, out _) == InvitationRefusal.None);
            // Any bit that flips is noticed.
            for (var i = 0; i < bytes.Length; i++)
            {
                bytes[i] ^= 4;
                Assert.NotEqual(InvitationRefusal.None, Invitation.TryRead(bytes, Polder.Cryptography.Ed25519Signatures.Instance, out _));
                bytes[i] ^= 4;
            }
        }
    }

    private sealed class FullDisk : IStateStore
    {
        private readonly MemoryStateStore _inner = new();
        public bool IsFull { get; set; }
        public byte[]? Load(StatePart part) => _inner.Load(part);
        public Task<bool> SaveAsync(StatePart part, byte[] content) => IsFull ? Task.FromResult(false) : _inner.SaveAsync(part, content);
    }
}
