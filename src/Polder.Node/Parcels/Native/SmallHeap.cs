namespace Polder.Node.Parcels.Native;

/// <summary>
/// Keeps the memory of a long transfer small. Nothing of it lives long but its hashes; left alone, the collector would let the youngest generation grow to
/// what the processor's cache suggests (tens of megabytes) before it looks.
/// </summary>
internal static class SmallHeap
{
    /// <summary>How many bytes of files go by between two looks: about 2 MB of short-lived objects.</summary>
    public const long SweepBytes = 64 << 20;

    private const long CompactMax = 64 << 20;

    /// <summary>Collects what is short-lived: a millisecond.</summary>
    public static void Sweep() => GC.Collect(0, GCCollectionMode.Forced, blocking: true);

    /// <summary>Gives back what a phase with large arrays left, unless the program has a large heap of its own, where that would take long.</summary>
    public static void Compact()
    {
        if (GC.GetTotalMemory(forceFullCollection: false) < CompactMax) GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
    }
}
