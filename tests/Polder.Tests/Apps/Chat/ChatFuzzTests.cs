using Polder.Apps.Bundles.Letters;
using Polder.Apps.Chat;
using Polder.Cryptography;

namespace Polder.Tests.Apps.Chat;

public sealed class ChatFuzzTests
{
    private static byte[][] Corpus()
    {
        var world = new ChatWorld(21);
        var (alice, bob) = (world.Add("alice"), world.Add("bob"));
        alice.SayAsync(alice.With(bob), "hello").GetAwaiter().GetResult();
        var group = alice.Chat.CreateGroupAsync("Garden", [bob.Key]).GetAwaiter().GetResult();
        alice.SayAsync(group.Id, "to all").GetAwaiter().GetResult();
        return [.. world.Open.Select(static letter => letter.Body), ChatLetter.Write(new WantedEvents(group.Id, [new EventId(Hash256.Of("x"u8))], [new EventRange(bob.Key, 1, 7)]))];
    }

    [Fact]
    public void Letters_of_anybody_never_throw() => Fuzz.Run("chat letter", Corpus(), static bytes => _ = ChatLetter.TryRead(bytes, out _, out _), 24);

    [Fact]
    public void Contents_of_anybody_never_throw()
    {
        byte[][] corpus = [.. Corpus().SelectMany(static body => ChatLetter.TryRead(body, out var events, out _) ? events.Select(static one => one.Content.ToArray()) : [])];
        Fuzz.Run("chat content", corpus, static bytes =>
        {
            _ = MessageContent.TryRead(bytes, out _);
            _ = GroupChange.TryRead(bytes, out _);
        }, 24);
    }

    [Fact]
    public async Task Whatever_a_contact_sends_the_chat_stays_whole()
    {
        var world = new ChatWorld(22);
        var (alice, bob) = (world.Add("alice"), world.Add("bob"));
        var group = (await alice.Chat.CreateGroupAsync("Garden", [bob.Key])).Id;
        await alice.SayAsync(alice.With(bob), "before");
        await alice.SayAsync(group, "to all");
        byte[][] corpus = [.. world.Open.Select(static letter => letter.Body)];
        await world.SettleAsync(0);
        for (var i = 0; i < 3000; i++)
        {
            var bytes = Fuzz.Mutate(world.Random, corpus);
            await bob.Letters.Handler!(new Letter(new LetterId(Hash256.Of(bytes)), alice.Key, LetterKinds.Chat, bytes, world.Now, 1));
        }
        await alice.SayAsync(alice.With(bob), "after");
        await alice.SayAsync(group, "to all again");
        await world.SettleAsync();
        Assert.Contains("alice: after", bob.Read(bob.With(alice)));
        Assert.Equal(["alice: to all", "alice: to all again"], bob.Read(group));
    }
}
