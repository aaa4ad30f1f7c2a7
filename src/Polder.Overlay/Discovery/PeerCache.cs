using Polder.Identity;
using Polder.Net;

namespace Polder.Overlay.Discovery;

/// <summary>A peer that answered us once, to be tried at the next start. What is loaded is untrusted: only an address to walk to.</summary>
/// <param name="Address">Where it answered.</param>
/// <param name="Key">Who it was.</param>
/// <param name="LastIn">When it was last heard, by our clock of that day.</param>
/// <param name="IsAnchor">Whether it was among the longest-lived neighbours: these are tried first.</param>
public sealed record CachedPeer(Endpoint Address, PublicKey Key, DateTimeOffset LastIn, bool IsAnchor);

/// <summary>Keeps peers between two runs. Offer one to the node before it starts: <c>host.Offer&lt;IPeerCache&gt;(…)</c>.</summary>
public interface IPeerCache
{
    /// <summary>What was saved last; empty when nothing was, or it cannot be read.</summary>
    IReadOnlyList<CachedPeer> Load();

    /// <summary>Replaces what was saved. Called on the loop: slow writing is queued. Losing it loses no more than time.</summary>
    void Save(IReadOnlyList<CachedPeer> peers);
}

/// <summary>Keeps them in memory: for simulations, where it outlives a crash, and tests.</summary>
public sealed class MemoryPeerCache : IPeerCache
{
    private IReadOnlyList<CachedPeer> _peers = [];

    /// <inheritdoc/>
    public IReadOnlyList<CachedPeer> Load() => _peers;

    /// <inheritdoc/>
    public void Save(IReadOnlyList<CachedPeer> peers) => _peers = peers;
}
