namespace Polder.Ledger.Reputation;

/// <summary>
/// A set of numbers that are mostly close together, such as places in a chain: a bitmap, and a list for those far out, so that
/// nobody can make it larger than some 50 bytes a number.
/// </summary>
internal sealed class NumberSet
{
    private ulong[] _bits = [];
    private HashSet<ulong>? _far;
    private int _count;

    /// <summary>Adds a number; false when it was in.</summary>
    public bool Add(ulong number)
    {
        var word = number >> 6;
        if (word >= (ulong)_bits.Length && !TryGrow(word))
        {
            if (!(_far ??= []).Add(number)) return false;
            _count++;
            return true;
        }
        if (_far is not null && _far.Contains(number)) return false;
        var bit = 1ul << (int)(number & 63);
        ref var place = ref _bits[word];
        if ((place & bit) != 0) return false;
        place |= bit;
        _count++;
        return true;
    }

    /// <summary>Whether a number is in.</summary>
    public bool Contains(ulong number)
    {
        var word = number >> 6;
        return (word < (ulong)_bits.Length && (_bits[word] >> (int)(number & 63) & 1) != 0) || (_far is not null && _far.Contains(number));
    }

    /// <summary>The bitmap may have two words for each number in the set.</summary>
    private bool TryGrow(ulong word)
    {
        var most = 4ul + 2 * (ulong)_count;
        if (word >= most) return false;
        Array.Resize(ref _bits, (int)Math.Min(most, Math.Max(word + 1, (ulong)_bits.Length * 3 / 2)));
        return true;
    }
}
