using Polder.Overlay;
using Polder.Wire;

namespace Polder.Examples;

// docs: hello
/// <summary>Message 1: "this is my clock, what is yours?" Fields: identifier (2), clock (8).</summary>
public readonly record struct Greeting(ushort Identifier, ulong Clock) : IMessage<Greeting>, ICorrelated
{
    public static byte Number => 1;
    public static Greeting Read(ref WireReader reader) => new(reader.ReadUInt16(), reader.ReadUInt64());
    public void Write(ref WireWriter writer)
    {
        writer.WriteUInt16(Identifier);
        writer.WriteUInt64(Clock);
    }
}

/// <summary>Message 2: the answer. Fields: identifier (2), clock (8).</summary>
public readonly record struct Welcome(ushort Identifier, ulong Clock) : IMessage<Welcome>, ICorrelated
{
    public static byte Number => 2;
    public static Welcome Read(ref WireReader reader) => new(reader.ReadUInt16(), reader.ReadUInt64());
    public void Write(ref WireWriter writer)
    {
        writer.WriteUInt16(Identifier);
        writer.WriteUInt64(Clock);
    }
}

/// <summary>Peers that agree on a Lamport clock by greeting each other.</summary>
public sealed class HelloCommunity : Community
{
    public static CommunityId Id { get; } = CommunityId.FromName("polder/hello/1"u8);

    public HelloCommunity(CommunityContext context) : base(Id, context)
    {
        Answer<Greeting, Welcome>((_, greeting) => new Welcome(greeting.Identifier, Tick(greeting.Clock)));
        Every(TimeSpan.FromSeconds(5), GreetSomeoneAsync);
    }

    public ulong Clock { get; private set; }
    public int Answered { get; private set; }
    public int Unanswered { get; private set; }

    private async Task GreetSomeoneAsync()
    {
        if (PickPeer() is not { } peer) return;
        var welcome = await AskAsync<Greeting, Welcome>(peer, id => new Greeting(id, Clock), TimeSpan.FromSeconds(2));
        if (welcome is not { } answer) Unanswered++;
        else
        {
            Tick(answer.Clock);
            Answered++;
        }
    }

    private ulong Tick(ulong seen) => Clock = Math.Max(Clock, seen) + 1;
}
// docs: end
