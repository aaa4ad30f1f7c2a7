using Polder.Identity;
using Polder.Node;
using Polder.Overlay;
using Polder.Wire;

namespace Polder.Examples;

/// <summary>Two consoles that exchange messages by key. Each line typed is "KEY text".</summary>
public static class TwoConsoles
{
    // docs: two-consoles
    public static async Task RunAsync(NodeOptions options, TextReader input, TextWriter output, CancellationToken stop)
    {
        await using var node = await new NodeBuilder(options).Join(context => new NoteCommunity(context, output)).StartAsync(stop);
        await output.WriteLineAsync($"I am {node.Identity} at {node.UdpEndpoint}");
        while (await input.ReadLineAsync(stop) is { } line)
        {
            if (line.Split(' ', 2) is not [var name, var text] || !PublicKey.TryParseHex(name, out var key))
                await output.WriteLineAsync("Type a key, a space and your message.");
            else if (!await node.InvokeAsync(() => node.Community<NoteCommunity>().Send(key, text)))
                await output.WriteLineAsync("That peer is not here (yet).");
        }
    }
    // docs: end
}

/// <summary>Message 1: a line of text. Fields: text (2 + n), at most 1000 bytes of UTF-8.</summary>
public readonly record struct Note(string Text) : IMessage<Note>
{
    public static byte Number => 1;
    public static Note Read(ref WireReader reader) => new(reader.ReadUtf8(1000));
    public void Write(ref WireWriter writer) => writer.WriteUtf8(Text);
}

/// <summary>Writes down what others say, and says what we say to one of them.</summary>
public sealed class NoteCommunity : Community
{
    public NoteCommunity(CommunityContext context, TextWriter output) : base(CommunityId.FromName("polder/note/1"u8), context) =>
        On<Note>((peer, note) => output.WriteLine($"{peer.Key.ShortName} says: {note.Text}"));

    /// <summary>False when nobody with that key was met.</summary>
    public bool Send(PublicKey to, string text)
    {
        if (Book.Find(to) is not { } peer) return false;
        Send(peer, new Note(text));
        return true;
    }
}
