using Polder.Overlay.Sessions;
using Polder.Simulation;

namespace Polder.Tests.Overlay.Sessions;

/// <summary>Sessions between nodes of a world.</summary>
public sealed class SessionTests
{
    [Theory, InlineData(true), InlineData(false)]
    public void A_handshake_opens_a_session_on_both_sides_and_messages_travel_in_it(bool real)
    {
        var world = new World(1, new LinkModel { Latency = TimeSpan.FromMilliseconds(20) }, new WorldOptions { RealSignatures = real });
        var (alice, bob) = (world.AddTalker("alice"), world.AddTalker("bob"));
        Task<Session?>? opening = null;
        alice.Run(() => opening = alice.Host.Sessions.OpenAsync(bob.Identity.Public, new DirectPath(alice.Host, bob.PublicEndpoint)));
        world.RunFor(TimeSpan.FromSeconds(1));
        var session = opening!.Now();
        Assert.NotNull(session);
        var other = bob.Host.Sessions.Find(alice.Identity.Public);
        Assert.NotNull(other);
        Assert.True(session.IsInitiator && !other.IsInitiator);
        Assert.Equal((1u, 1u), (session.Epoch, other.Epoch));
        Assert.Equal(alice.PublicEndpoint, session.SeenAs);
        Assert.Equal(bob.PublicEndpoint, other.SeenAs);
        Assert.NotNull(session.RoundTrip);

        alice.Run(() => alice.Talk().Say(session.Peer, 7));
        bob.Run(() => bob.Talk().Say(other.Peer, 8));
        Task<Reply?>? answer = null;
        alice.Run(() => answer = alice.Talk().AskAsync(session.Peer, 41, TimeSpan.FromSeconds(2)));
        world.RunFor(TimeSpan.FromSeconds(1));
        Assert.Equal(7u, Assert.Single(bob.Talk().Remarks).Number);
        Assert.Equal(8u, Assert.Single(alice.Talk().Remarks).Number);
        Assert.Equal(42u, answer!.Now()!.Value.Number);
    }
}
