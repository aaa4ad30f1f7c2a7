using Polder.Net;

namespace Polder.Overlay.AddressBook;

/// <summary>The addresses tried in this search: how often, from which source, and when each may be tried again. On the node's loop.</summary>
internal sealed class TriedAddresses(NodeHost host)
{
    private const int Kept = 2_048;

    private readonly record struct Try(ContactSource Source, int Count, TimeSpan Due, bool HasAnswered);

    // Most simulated nodes never search: nothing is made before it is needed.
    private Dictionary<Endpoint, Try>? _tries;

    /// <summary>The search begins anew: everything may be tried at once.</summary>
    public void Clear() => _tries = null;

    /// <summary>Whether nobody is known there and it was not tried lately.</summary>
    public bool IsDue(Endpoint address, TimeSpan now) =>
        host.Peers.FindAt(address) is not { IsValidated: true } && !host.Own.IsOwn(address)
        && (_tries is null || !_tries.TryGetValue(address, out var known) || now >= known.Due);

    /// <summary>Of these addresses one that may be tried: those least often tried first, and of these one of a network not tried yet.</summary>
    public Endpoint? Pick(List<Endpoint>? addresses, TimeSpan now)
    {
        if (addresses is null) return null;
        (Endpoint Address, int Rank)? best = null;
        foreach (var address in addresses)
        {
            if (!IsDue(address, now)) continue;
            var count = _tries is not null && _tries.TryGetValue(address, out var known) ? known.Count : 0;
            var rank = 2 * count + (SharesNetwork(addresses, address, count) ? 1 : 0);
            if (best is null || rank < best.Value.Rank) best = (address, rank);
            if (rank == 0) break;
        }
        return best?.Address;
    }

    /// <summary>An address is tried now, and then not for a time that doubles with each try. True when it was tried before and did not answer.</summary>
    public bool Begin(Endpoint address, ContactSource source)
    {
        var tries = Room();
        var count = tries.TryGetValue(address, out var known) ? known.Count + 1 : 1;
        var wait = host.Options.BootstrapInterval * Math.Pow(2, Math.Min(count - 1, 16));
        if (wait > host.Options.BootstrapIntervalMax) wait = host.Options.BootstrapIntervalMax;
        tries[address] = new Try(source, count, host.Now + wait, false);
        return known.Count > 0 && !known.HasAnswered;
    }

    /// <summary>An address that a feeler knocks at: not tried again for a while.</summary>
    public void Note(Endpoint address) => Room()[address] = new Try(ContactSource.AddressBook, 1, host.Now + host.Options.FeelerInterval, false);

    /// <summary>Somebody answered there. The source that the address came from, if we had tried it of our own accord, and whether this is the first answer.</summary>
    public (ContactSource Source, bool IsFirst)? Answered(Endpoint address)
    {
        if (_tries is null || !_tries.TryGetValue(address, out var known)) return null;
        _tries[address] = known with { HasAnswered = true };
        return (known.Source, !known.HasAnswered);
    }

    private Dictionary<Endpoint, Try> Room()
    {
        _tries ??= [];
        if (_tries.Count >= Kept) _tries.Clear();
        return _tries;
    }

    private bool SharesNetwork(List<Endpoint> addresses, Endpoint address, int count)
    {
        if (_tries is null || addresses.Count > 256) return false;
        var network = NetworkOf(address);
        foreach (var other in addresses)
            if (_tries.TryGetValue(other, out var known) && known.Count > count && NetworkOf(other) == network) return true;
        return false;
    }

    private Endpoint NetworkOf(Endpoint address) => address.Network(host.Options.WidePrefixIPv4, host.Options.WidePrefixIPv6);
}
