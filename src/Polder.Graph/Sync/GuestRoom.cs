using Polder.Graph.Model;
using Polder.Graph.Sea;
using Polder.Graph.Store;

namespace Polder.Graph.Sync;

/// <summary>
/// Room for what others bring: a part of the store, and a quota for each key that signs. When it is full the oldest goes, strangers' before
/// contacts', and what is older than that is not taken again, so that peers who still have it do not bring it back. Own data is not in this room.
/// </summary>
internal sealed class GuestRoom(IGraphStore store, GraphOptions options, Action<string, string> remove)
{
    private const int EvictedAtOnce = 512;
    private const double FreeShare = 0.95, OverShare = 1.05, SecondsADay = 24 * 3600;
    private const string Full = "There is no room for others' data just now; try again.", TooOld = "Older than what is kept here of others' data.", KeyFull = "This key has written more today than is kept of one key.";

    private readonly Meters _keys = new(options.KeyCharactersPerDayMax / SecondsADay, options.KeyCharactersPerDayMax);
    private readonly double[] _evictedTo = [double.NegativeInfinity, double.NegativeInfinity];
    private bool _evicting;

    /// <summary>Entries that had to go.</summary>
    public long Evicted { get; private set; }

    /// <summary>Why a write of others is not taken; null where it is.</summary>
    public string? Refuse(in GraphWrite write, GraphRank rank, TimeSpan now)
    {
        if (SoulOwner.Of(write.Soul) is { } owner && !_keys.TryTake(owner, write.Weight, now)) return KeyFull;
        if (write.State <= _evictedTo[(int)rank]) return TooOld;
        if (store.GuestBytes + write.Weight <= options.GuestBytesMax) return null;
        if (!_evicting) _ = EvictAsync();
        return store.GuestBytes > options.GuestBytesMax * OverShare ? Full : null;
    }

    private async Task EvictAsync()
    {
        _evicting = true;
        try
        {
            while (store.GuestBytes > options.GuestBytesMax * FreeShare)
            {
                var oldest = store.Evictable(EvictedAtOnce);
                if (oldest.Count == 0) return;
                foreach (var (soul, key, state, rank) in oldest)
                {
                    remove(soul, key);
                    Evicted++;
                    _evictedTo[(int)rank] = Math.Max(_evictedTo[(int)rank], state);
                }
                await store.FlushAsync();
            }
        }
        // Our disk refused; the next write tries again.
        catch (IOException) { }
        finally { _evicting = false; }
    }
}
