using Polder.Overlay;
using Polder.Wire;

namespace Polder.Simulation.Scenarios;

/// <summary>Message 1: "this is my clock, what is yours?" Fields: identifier (2), clock (8).</summary>
/// <param name="Identifier">Chosen by the asker.</param>
/// <param name="Clock">The asker's Lamport clock.</param>
public readonly record struct Greeting(ushort Identifier, ulong Clock) : IMessage<Greeting>, ICorrelated
{
    /// <inheritdoc/>
    public static byte Number => 1;
    /// <inheritdoc/>
    public static Greeting Read(ref WireReader reader) => new(reader.ReadUInt16(), reader.ReadUInt64());
    /// <inheritdoc/>
    public void Write(ref WireWriter writer) { writer.WriteUInt16(Identifier); writer.WriteUInt64(Clock); }
}

/// <summary>Message 2: the answer. Fields: identifier (2), clock (8).</summary>
/// <param name="Identifier">The question's.</param>
/// <param name="Clock">The answerer's Lamport clock.</param>
public readonly record struct Welcome(ushort Identifier, ulong Clock) : IMessage<Welcome>, ICorrelated
{
    /// <inheritdoc/>
    public static byte Number => 2;
    /// <inheritdoc/>
    public static Welcome Read(ref WireReader reader) => new(reader.ReadUInt16(), reader.ReadUInt64());
    /// <inheritdoc/>
    public void Write(ref WireWriter writer) { writer.WriteUInt16(Identifier); writer.WriteUInt64(Clock); }
}

/// <summary>Peers that agree on a Lamport clock by greeting each other: the smallest community that does something.</summary>
public sealed class HelloCommunity : Community
{
    /// <summary>Its id.</summary>
    public static CommunityId Id { get; } = CommunityId.FromName("polder/hello/1"u8);

    /// <summary>Joins.</summary>
    public HelloCommunity(CommunityContext context) : base(Id, context)
    {
        Answer<Greeting, Welcome>((_, greeting) => new Welcome(greeting.Identifier, Tick(greeting.Clock)));
        Every(TimeSpan.FromSeconds(5), GreetSomeoneAsync);
    }

    /// <summary>The Lamport clock.</summary>
    public ulong Clock { get; private set; }

    /// <summary>Greetings that were answered.</summary>
    public int Answered { get; private set; }

    /// <summary>Greetings that were not answered in time.</summary>
    public int Unanswered { get; private set; }

    private async Task GreetSomeoneAsync()
    {
        if (PickPeer() is not { } peer) return;
        var welcome = await AskAsync<Greeting, Welcome>(peer, id => new Greeting(id, Clock), TimeSpan.FromSeconds(2));
        if (welcome is { } answer)
        {
            Tick(answer.Clock);
            Answered++;
        }
        else Unanswered++;
    }

    private ulong Tick(ulong seen) => Clock = Math.Max(Clock, seen) + 1;
}
