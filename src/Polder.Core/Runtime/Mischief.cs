namespace Polder.Runtime;

/// <summary>
/// Rare things that are allowed to happen but hardly ever do (FoundationDB calls it "buggify"): a timer that fires late, a question given up
/// at once, a cache that is too small. Code says where by <see cref="NodeEnvironment.Buggify"/>; a simulated world lets a quarter of the
/// places happen in each of its runs. A real node has none of this.
/// </summary>
/// <param name="seed">Of the run: which places are on is the same in all its nodes.</param>
/// <param name="random">The node's own stream for this, so that nothing else shifts.</param>
/// <param name="isOn">Asked each time: faults end before what must converge is looked at.</param>
public sealed class Mischief(ulong seed, Prng random, Func<bool> isOn)
{
    private const int OneIn = 4;

    private readonly Dictionary<string, bool> _places = new(StringComparer.Ordinal);

    /// <summary>How often something was let happen.</summary>
    public long Count { get; private set; }

    /// <summary>Whether the place of this name misbehaves now: never, unless it is one of those of this run, and then with this probability.</summary>
    public bool Happens(string place, double probability)
    {
        if (!isOn()) return false;
        if (!_places.TryGetValue(place, out var isOne)) _places[place] = isOne = Prng.DeriveSeed(seed, "mischief/" + place) % OneIn == 0;
        if (!isOne || !random.Chance(probability)) return false;
        Count++;
        return true;
    }
}
