using Polder.Identity;

namespace Polder.Overlay.Relays;

/// <summary>A statement of a relay with its signature, and with an end's: what a ledger can pay for (OV-6.12).</summary>
/// <param name="Relay">Who carried.</param>
/// <param name="First">Who asked for the pair.</param>
/// <param name="Second">The other.</param>
/// <param name="Statement">How much.</param>
/// <param name="RelaySignature">The relay's, 64 bytes.</param>
/// <param name="CountersignedBy">The end whose signature follows.</param>
/// <param name="Countersignature">64 bytes.</param>
public sealed record RelayReceipt(
    PublicKey Relay, PublicKey First, PublicKey Second, RelayStatement Statement, ReadOnlyMemory<byte> RelaySignature,
    PublicKey CountersignedBy, ReadOnlyMemory<byte> Countersignature);
