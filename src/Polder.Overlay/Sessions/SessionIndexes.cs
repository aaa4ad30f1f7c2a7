using Polder.Runtime;

namespace Polder.Overlay.Sessions;

/// <summary>The numbers under which sessions and handshakes are addressed: 24 random bits name a session at its side, the lowest 8 count its keys.</summary>
internal sealed class SessionIndexes(Prng random)
{
    private const uint GenerationMask = 0xFF;

    private Dictionary<uint, object> Owners => field ??= [];

    /// <summary>Whether two numbers name one session, whatever its keys.</summary>
    public static bool IsSame(uint first, uint second) => (first | GenerationMask) == (second | GenerationMask);

    public uint New()
    {
        while (true)
        {
            var index = unchecked((uint)random.NextUInt64()) & ~GenerationMask;
            // 0 means none; and a name that is in use in any generation is not given again.
            if (index == 0) continue;
            var isFree = true;
            for (uint generation = 0; isFree && generation <= GenerationMask; generation++) isFree = !Owners.ContainsKey(index | generation);
            if (isFree) return index;
        }
    }

    public uint Next(uint index)
    {
        var next = index;
        do next = (next & ~GenerationMask) | (unchecked(next + 1) & GenerationMask);
        while (Owners.ContainsKey(next) && next != index);
        return next;
    }

    public object? Find(uint index) => Owners.GetValueOrDefault(index);
    public void Use(uint index, object owner) => Owners[index] = owner;
    public void Free(uint index) => Owners.Remove(index);
}
