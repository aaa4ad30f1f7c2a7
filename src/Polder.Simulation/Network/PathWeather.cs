namespace Polder.Simulation.Network;

/// <summary>
/// What changes with time between two nodes: bursts in which everything is lost and spikes in which everything is late, each a chain
/// of two states with exponential stays (Gilbert and Elliott). Kept only for pairs that send on such links, and drawn from the pair
/// and the number of the stay alone, so that one more pair shifts nobody else's.
/// </summary>
internal sealed class PathWeather(ulong seed)
{
    private readonly Dictionary<(int From, int To, bool IsSpike), Stay> _stays = [];

    private struct Stay
    {
        public bool IsBad;
        public long Until;
        public uint Number;
    }

    /// <summary>Whether a burst is on, for a share of the time and with this mean length.</summary>
    public bool IsBurst(int from, int to, long now, double share, TimeSpan mean) => IsBad((from, to, false), now, share, mean, out _);

    /// <summary>How long the present spike still lasts; 0 without one.</summary>
    public long SpikeLeft(int from, int to, long now, double share, TimeSpan mean) =>
        IsBad((from, to, true), now, share, mean, out var until) ? until - now : 0;

    private bool IsBad((int From, int To, bool IsSpike) path, long now, double share, TimeSpan mean, out long until)
    {
        ref var stay = ref System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrAddDefault(_stays, path, out var known);
        if (!known) stay = new Stay { IsBad = Draw(path, 0) < share, Until = now + Length(path, 1, IsBadFirst(path, share), share, mean), Number = 1 };
        while (now >= stay.Until)
        {
            stay.IsBad = !stay.IsBad;
            stay.Until += Length(path, ++stay.Number, stay.IsBad, share, mean);
        }
        until = stay.Until;
        return stay.IsBad;
    }

    private bool IsBadFirst((int, int, bool) path, double share) => Draw(path, 0) < share;

    /// <summary>Exponential, of such means that the bad state has its share of the time.</summary>
    private long Length((int, int, bool) path, uint number, bool isBad, double share, TimeSpan mean)
    {
        var ticks = mean.Ticks * (isBad ? 1 : (1 - share) / share) * -Math.Log(1 - Draw(path, number));
        return (long)Math.Clamp(ticks, 1, TimeSpan.TicksPerDay);
    }

    private double Draw((int From, int To, bool IsSpike) path, uint number) =>
        Chance.Unit(Chance.Mix(unchecked(seed + number * 0x9E3779B97F4A7C15ul + (path.IsSpike ? 0xD6E8FEB86659FD93ul : 0)), path.From, path.To));
}

/// <summary>Numbers drawn from a seed and two indices, for what must not depend on the order in which it is asked.</summary>
internal static class Chance
{
    public static ulong Mix(ulong seed, int a, int b)
    {
        unchecked
        {
            var z = seed ^ ((ulong)(uint)a << 32 | (uint)b) * 0x9E3779B97F4A7C15;
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
            return z ^ (z >> 31);
        }
    }

    /// <summary>From 0 to below 1.</summary>
    public static double Unit(ulong bits) => (bits >> 11) * (1.0 / (1ul << 53));
}
