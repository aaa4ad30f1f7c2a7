namespace Polder.Ledger.Stores;

/// <summary>What a store remembers of a chain without looking: how many blocks, the highest number, and how far it has no gap.</summary>
internal sealed class ChainExtent
{
    private uint _lowestUnknown = 1;

    /// <summary>Blocks held.</summary>
    public int Count { get; private set; }

    /// <summary>The highest number held; 0 without blocks.</summary>
    public uint Latest { get; private set; }

    /// <summary>So many blocks are held, up to this number: at the opening of a store.</summary>
    public void Load(int count, uint latest) => (Count, Latest) = (count, latest);

    /// <summary>A number that was not held is held now.</summary>
    public void Added(uint sequence)
    {
        Count++;
        Latest = Math.Max(Latest, sequence);
    }

    /// <summary>These are no longer held; <paramref name="latest"/> is the highest that is left.</summary>
    public void Removed(int count, uint lowest, uint latest)
    {
        Count -= count;
        (Latest, _lowestUnknown) = (latest, Math.Min(_lowestUnknown, lowest));
    }

    /// <summary>
    /// The lowest number that is not held. <paramref name="firstGap"/> finds the first gap from a number on; it is asked only where
    /// there is one, and never about numbers of which it said before that none is missing.
    /// </summary>
    public uint LowestUnknown(Func<uint, uint> firstGap)
    {
        if (Count == 0) return 1;
        // Numbers are distinct and begin at 1: as many as the highest says means that none is missing.
        return Count == Latest ? Latest + 1 : _lowestUnknown = firstGap(_lowestUnknown);
    }
}
