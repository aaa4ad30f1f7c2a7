using Polder.Identity;

namespace Polder.Ledger;

/// <summary>
/// Who said how far our own chain goes, while that is in doubt. It is believed when <see cref="Limits.RecoveryWitnesses"/> peers showed
/// blocks of it, or all there are answered, and for a while no further block turned up; a peer that holds nothing of it may never have met
/// us, or says so to make us fork, so where nobody has any, <see cref="Limits.EmptyWitnesses"/> must say so.
/// </summary>
/// <remarks>
/// No rule can find a block of which every holder is away. Who signs nothing until all of them are back never forks; who cannot wait
/// loses nothing by it but time.
/// </remarks>
internal sealed class RecoveryWitnesses
{
    private readonly HashSet<PublicKey> _showed = new(PublicKey.Comparer), _empty = new(PublicKey.Comparer);
    private TimeSpan? _began;

    /// <summary>A further block turned up: who answered before knew less.</summary>
    public void StartAgain()
    {
        _showed.Clear();
        _empty.Clear();
        _began = null;
    }

    /// <summary>A peer answered, and all it has is here. True when the end is believed now.</summary>
    public bool Heard(PublicKey peer, bool showedChain, int peersKnown, TimeSpan now)
    {
        _began ??= now;
        if (showedChain)
        {
            _empty.Remove(peer);
            _showed.Add(peer);
        }
        else if (!_showed.Contains(peer)) _empty.Add(peer);
        if (_showed.Count == 0) return _empty.Count >= Limits.EmptyWitnesses;
        if (now - _began < Limits.RecoverySettles) return false;
        return _showed.Count >= Limits.RecoveryWitnesses || _showed.Count + _empty.Count >= peersKnown || now - _began >= Limits.RecoveryPatience;
    }
}
