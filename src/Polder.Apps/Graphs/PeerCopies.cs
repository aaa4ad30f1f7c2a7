using Polder.Identity;

namespace Polder.Apps.Graphs;

/// <summary>What we know to be with one peer of one topic: everything once it was level with us, but for what changed since and it has not acknowledged.</summary>
internal sealed class PeerCopies(PublicKey peer)
{
    private const int NotesMax = 100_000;

    private readonly HashSet<ulong> _open = [], _kept = [];

    public PublicKey Peer => peer;

    /// <summary>Whether both held the same at some moment of this run.</summary>
    public bool WasLevel { get; private set; }

    /// <summary>A place changed here: until it says so, it does not have that.</summary>
    public void Changed(ulong place)
    {
        _kept.Remove(place);
        if (!WasLevel || _open.Contains(place)) return;
        _open.Add(place);
        // More than can be noted: only the next comparison tells.
        if (_open.Count > NotesMax) (WasLevel, _) = (false, Forget());
    }

    /// <summary>It holds what stands at a place here.</summary>
    public void Kept(ulong place)
    {
        _open.Remove(place);
        if (!WasLevel && _kept.Count < NotesMax) _kept.Add(place);
    }

    /// <summary>Both hold the same; with <paramref name="nothingSince"/> nothing changed since that was summed up.</summary>
    public void Level(bool nothingSince)
    {
        if (nothingSince) Forget();
        else if (!WasLevel) return;
        WasLevel = true;
    }

    public bool Has(ulong place) => WasLevel ? !_open.Contains(place) : _kept.Contains(place);

    private bool Forget()
    {
        _open.Clear();
        _kept.Clear();
        return true;
    }
}
