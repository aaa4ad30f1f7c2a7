using Polder.Identity;
using Polder.Net;

namespace Polder.Overlay.Connecting;

/// <summary>A place at a relay that somebody holds and tells others, so that they reach it there.</summary>
/// <param name="Relay">Who relays.</param>
/// <param name="Address">Where it is.</param>
/// <param name="Token">The token of the reservation.</param>
public sealed record RelayReservation(PublicKey Relay, Endpoint Address, ulong Token);

/// <summary>Somebody who may know the one that is looked for.</summary>
/// <param name="Key">Its key.</param>
/// <param name="Address">Where it is.</param>
public sealed record HelperHint(PublicKey Key, Endpoint Address);

/// <summary>What is known about how to reach somebody: hints, believed only when they work.</summary>
/// <param name="Addresses">Addresses where it may be; at most 8 are tried.</param>
/// <param name="Helpers">Nodes that may pass a record on to it; at most 3 are asked.</param>
/// <param name="Relays">Its places at relays; at most 3 are used.</param>
public sealed record ContactHints(
    IReadOnlyList<Endpoint> Addresses, IReadOnlyList<HelperHint> Helpers, IReadOnlyList<RelayReservation> Relays);

/// <summary>Knows how to reach nodes by key: contact records, invitations, an address book. Register with <see cref="Connector.Add"/>.</summary>
public interface IContactSource
{
    /// <summary>What is known about this key; null for nothing. Called on the loop; what takes longer than a few seconds is not waited for.</summary>
    ValueTask<ContactHints?> FindAsync(PublicKey key);
}
