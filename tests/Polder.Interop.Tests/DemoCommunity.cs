using Polder.Overlay;
using Polder.Wire;

namespace Polder.Interop.Tests;

/// <summary>Message 1: any bytes, without a counter.</summary>
internal readonly record struct PlainWords(byte[] Bytes) : IMessage<PlainWords>
{
    public static byte Number => 1;
    public static PlainWords Read(ref WireReader reader) => new(reader.ReadRest().ToArray());
    public void Write(ref WireWriter writer) => writer.WriteBytes(Bytes);
}

/// <summary>Message 2: any bytes, behind a global time.</summary>
internal readonly record struct CountedWords(byte[] Bytes) : IMessage<CountedWords>
{
    public static byte Number => 2;
    public static CountedWords Read(ref WireReader reader) => new(reader.ReadRest().ToArray());
    public void Write(ref WireWriter writer) => writer.WriteBytes(Bytes);
}

/// <summary>An overlay that the living peers have as well.</summary>
internal sealed class DemoCommunity : Community
{
    public const string IdHex = "02313685c1912a141279f8248fc8db5899c5df5a";

    public DemoCommunity(CommunityContext context) : base(CommunityId.FromHex(IdHex), context)
    {
        On<PlainWords>((peer, words) => Heard.Add((peer, Convert.ToHexStringLower(words.Bytes), false)));
        On<CountedWords>((peer, words) => Heard.Add((peer, Convert.ToHexStringLower(words.Bytes), true)), MessageForm.GlobalTime);
    }

    public List<(Peer From, string Hex, bool Counted)> Heard { get; } = [];

    public void Say(Peer peer, byte[] bytes, bool counted)
    {
        if (counted) Send(peer, new CountedWords(bytes), MessageForm.GlobalTime);
        else Send(peer, new PlainWords(bytes));
    }
}
