using Polder.Net;
using Polder.Overlay;
using Polder.Simulation;
using Polder.Wire;

namespace Polder.Tests.Overlay;

/// <summary>Message 1: a question. Fields: identifier (2), number (4).</summary>
internal readonly record struct Question(ushort Identifier, uint Number) : IMessage<Question>, ICorrelated
{
    static byte IMessage<Question>.Number => 1;
    public static Question Read(ref WireReader reader) => new(reader.ReadUInt16(), reader.ReadUInt32());
    public void Write(ref WireWriter writer)
    {
        writer.WriteUInt16(Identifier);
        writer.WriteUInt32(Number);
    }
}

/// <summary>Message 2: its answer. Fields: identifier (2), number (4).</summary>
internal readonly record struct Reply(ushort Identifier, uint Number) : IMessage<Reply>, ICorrelated
{
    static byte IMessage<Reply>.Number => 2;
    public static Reply Read(ref WireReader reader) => new(reader.ReadUInt16(), reader.ReadUInt32());
    public void Write(ref WireWriter writer)
    {
        writer.WriteUInt16(Identifier);
        writer.WriteUInt32(Number);
    }
}

/// <summary>Message 3: said, not answered. Fields: number (4).</summary>
internal readonly record struct Remark(uint Number) : IMessage<Remark>
{
    static byte IMessage<Remark>.Number => 3;
    public static Remark Read(ref WireReader reader) => new(reader.ReadUInt32());
    public void Write(ref WireWriter writer) => writer.WriteUInt32(Number);
}

/// <summary>Message 4: said without a signature. Fields: number (4).</summary>
internal readonly record struct Whisper(uint Number) : IMessage<Whisper>
{
    static byte IMessage<Whisper>.Number => 4;
    public static Whisper Read(ref WireReader reader) => new(reader.ReadUInt32());
    public void Write(ref WireWriter writer) => writer.WriteUInt32(Number);
}

/// <summary>A community that shows everything it is told.</summary>
internal sealed class TalkCommunity : Community
{
    public static CommunityId Id { get; } = CommunityId.FromName("polder/tests/talk"u8);

    public TalkCommunity(CommunityContext context) : this(context, Id) { }

    public TalkCommunity(CommunityContext context, CommunityId id, MessageForm form = MessageForm.Plain) : base(id, context, form)
    {
        Answer<Question, Reply>((_, question) => new Reply(question.Identifier, question.Number + 1));
        On<Remark>((peer, remark) =>
        {
            if (remark.Number == 666) throw new InvalidOperationException("A handler's bug.");
            Remarks.Add((peer, remark.Number));
        });
        OnUnsigned<Whisper>((from, whisper) => Whispers.Add((from, whisper.Number)));
    }

    public List<(Peer From, uint Number)> Remarks { get; } = [];
    public List<(Endpoint From, uint Number)> Whispers { get; } = [];
    public List<Peer> Introduced { get; } = [];

    public Task<Reply?> AskAsync(Peer peer, uint number, TimeSpan timeout) =>
        AskAsync<Question, Reply>(peer, id => new Question(id, number), timeout);

    public void Say(Peer peer, uint number) => Send(peer, new Remark(number));
    public void SayTo(Endpoint to, uint number) => SendTo(to, new Remark(number));
    public void WhisperTo(Endpoint to, uint number) => SendUnsigned(to, new Whisper(number));
    public void RegisterRemarkAgain() => On<Remark>((_, _) => { });

    protected internal override void OnIntroduced(Peer peer) => Introduced.Add(peer);
}

internal static class OverlayTestNodes
{
    /// <summary>What most tests want: any address, a small table of strangers.</summary>
    public static OverlayOptions Options { get; } = new OverlayOptions { SourceSlots = 1024, Nat = Polder.Overlay.Nat.NatOptions.Passive }.ForLaboratory();

    public static SimulatedNode AddTalker(this World world, string name, Home? home = null, OverlayOptions? options = null) =>
        world.AddNode(name, home, options ?? Options, (_, host) => host.Join(context => new TalkCommunity(context)));

    /// <summary>The result of a task that is done: in a world nothing is waited for.</summary>
    public static T Now<T>(this Task<T> task) => task.IsCompletedSuccessfully ? task.Result : throw new InvalidOperationException("Not done.");

    public static NodeHost HostOf(this SimulatedNode node) => (NodeHost)node.Program!;

    public static TalkCommunity Talk(this SimulatedNode node) => node.HostOf().Communities.OfType<TalkCommunity>().First();

    public static Peer? Knows(this SimulatedNode node, SimulatedNode other) => node.HostOf().Peers.Find(other.Identity.Public);

    public static bool Met(this SimulatedNode node, SimulatedNode other) =>
        node.Talk().Peers.Any(peer => peer.Key == other.Identity.Public);
}
