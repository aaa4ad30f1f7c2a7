using Polder.Node.Folders;
using Polder.Overlay.AddressBook;
using Polder.Overlay.Sessions;

namespace Polder.Tests.Node;

/// <summary>Keys that had sessions outlive the program.</summary>
public sealed class StickyKeyFileTests
{
    private static readonly DateTimeOffset Until = new(2026, 12, 24, 18, 0, 0, TimeSpan.Zero);

    [Fact]
    public void What_was_saved_is_loaded()
    {
        var state = new MemoryStateStore();
        using var one = KeyFile.Create();
        using var other = KeyFile.Create();

        new StickyKeyFile(state).Save([new StickyKey(one.Public, Until), new StickyKey(other.Public, Until.AddDays(3))]);

        Assert.Equal([new StickyKey(one.Public, Until), new StickyKey(other.Public, Until.AddDays(3))], new StickyKeyFile(state).Load());
    }

    [Fact]
    public void Any_bytes_are_read_without_a_throw()
    {
        var state = new MemoryStateStore();
        var random = new Random(20261121);
        for (var i = 0; i < 2_000; i++)
        {
            var bytes = new byte[random.Next(400)];
            random.NextBytes(bytes);
            _ = state.SaveAsync(StatePart.StickyKeys, bytes);
            Assert.Empty(new StickyKeyFile(state).Load());
        }
    }
}
