using Polder.Apps.Chat;
using Polder.Cryptography;
using Polder.Identity;
using Polder.Runtime;

namespace Polder.Tests.Apps.Chat;

public sealed class MessageStateTests
{
    [Theory]
    [InlineData(11)]
    [InlineData(12)]
    public void What_becomes_of_a_message_does_not_hang_on_order_or_repetition(ulong seed)
    {
        var random = new Prng(seed);
        var people = Enumerable.Range(0, 4).Select(i =>
        {
            var entropy = new byte[KeyPair.EntropyBytes];
            random.Fill(entropy);
            return KeyPair.FromEntropy(entropy).Public;
        }).ToArray();
        for (var round = 0; round < 200; round++)
        {
            EventOrder Order() => new((ulong)random.Next(1, 6), (ulong)random.Next(3), new EventId(Hash256.Of(BitConverter.GetBytes(random.NextUInt64()))));
            var original = new Said(Order(), people[0], MessageContent.OfText("text"));
            var events = Enumerable.Range(0, 12).Select(_ => new Said(Order(), random.Pick(people), random.Next(8) switch
            {
                0 => MessageContent.OfDelete(random.Chance(0.5) ? original.Order.Id : new EventId(Hash256.Of("other"u8))),
                1 or 2 or 3 => MessageContent.OfEdit(original.Order.Id, "edit " + random.Next(100)),
                _ => MessageContent.OfReaction(original.Order.Id, random.Pick<string>(["👍", "❤", "x"]), random.Chance(0.6)),
            })).ToArray();
            var expected = Fold(original, events);
            for (var i = 0; i < 5; i++)
            {
                Said[] shuffled = [.. events, .. events];
                random.Shuffle<Said>(shuffled);
                Assert.True(expected == Fold(original, shuffled), $"seed {seed}, round {round}");
            }
        }
    }

    private static string Fold(Said original, IEnumerable<Said> events)
    {
        var state = new MessageState(original);
        foreach (var one in events) state.Apply(one);
        return $"{state.IsDeleted} {state.IsEdited} {state.Text} {string.Join(' ', state.Reactions.Select(static one => one.Sign + string.Join(',', one.By)))}";
    }

    [Fact]
    public void Contents_come_back_as_they_went_and_no_truncation_is_taken()
    {
        var target = new EventId(Hash256.Of("m"u8));
        foreach (var content in (MessageContent[])
        [
            MessageContent.OfText("héllo\n‮x", target, [new Attachment(new(Hash256.Of("c"u8)), Hash256.Of("k"u8), 5, "a.png", "image/png")]),
            MessageContent.OfEdit(target, "new"), MessageContent.OfDelete(target), MessageContent.OfReaction(target, "👍", false),
        ])
        {
            var bytes = content.Write();
            Assert.True(MessageContent.TryRead(bytes, out var read));
            Assert.Equal(bytes, read.Write());
            Fuzz.RefusesEveryTruncation(bytes, static cut => MessageContent.TryRead(cut, out _));
        }
    }

    [Theory]
    [InlineData("../../etc/passwd", "passwd")]
    [InlineData("C:\\Windows\\evil.exe", "evil.exe")]
    [InlineData("..", "file")]
    [InlineData("", "file")]
    [InlineData("CON.txt", "_CON.txt")]
    [InlineData("a\u202Egnp.exe", "agnp.exe")]
    [InlineData("two\nlines\0.txt", "twolines.txt")]
    [InlineData("x<y>.html", "x_y_.html")]
    public void Names_of_files_are_made_safe(string told, string name) => Assert.Equal(name, SafeFile.NameOf(told));

    [Fact]
    public void A_long_name_keeps_its_ending_and_only_pictures_by_their_bytes_are_pictures()
    {
        var name = SafeFile.NameOf(new string('é', 300) + ".png");
        Assert.True(System.Text.Encoding.UTF8.GetByteCount(name) <= 255 && name.EndsWith(".png", StringComparison.Ordinal));
        Assert.Null(SafeFile.PictureType("<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>"u8));
        Assert.Null(SafeFile.PictureType("<html>"u8));
        Assert.Equal("image/gif", SafeFile.PictureType("GIF89a..."u8));
    }
}
