using Polder.Overlay;
using Polder.Runtime;

namespace Polder.Tests.Overlay;

/// <summary>The index does what a dictionary does, whatever is added and removed, and however badly its keys are spread.</summary>
public class HashIndex_tests
{
    private sealed record Item(int Key);

    private readonly struct ByKey : IIndexedBy<Item, int>
    {
        // A hash with few values, so that runs of one slot grow long and go round the end.
        public static int HashOf(int key) => key % 7;
        public static int HashOfItem(Item item) => HashOf(item.Key);
        public static bool Matches(Item item, int key) => item.Key == key;
    }

    [Theory, InlineData(1), InlineData(2), InlineData(3), InlineData(4)]
    public void Agrees_with_a_dictionary(int seed)
    {
        var random = new Prng((ulong)seed);
        var index = new HashIndex<Item, int, ByKey>();
        var model = new Dictionary<int, Item>();
        for (var step = 0; step < 20_000; step++)
        {
            var key = random.Next(seed * 60);
            Assert.Equal(model.GetValueOrDefault(key), index.Find(key));
            if (random.Chance(step / 2_000 % 2 == 0 ? 0.7 : 0.2))
            {
                if (model.TryAdd(key, new Item(key))) index.Add(model[key]);
            }
            else if (model.Remove(key, out var item)) Assert.True(index.Remove(item));
            else Assert.False(index.Remove(new Item(key)));
            Assert.Equal(model.Count, index.Count);
        }
        foreach (var (key, item) in model) Assert.Same(item, index.Find(key));
    }

    [Fact]
    public void Another_item_of_the_same_key_is_not_removed()
    {
        var index = new HashIndex<Item, int, ByKey>();
        index.Add(new Item(3));
        Assert.False(index.Remove(new Item(3)));
        Assert.NotNull(index.Find(3));
    }
}
