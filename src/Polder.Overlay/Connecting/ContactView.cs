using Polder.Identity;
using Polder.Net;
using Polder.Overlay.Sessions;

namespace Polder.Overlay.Connecting;

/// <summary>One thing that was tried to reach somebody.</summary>
/// <param name="At">When, on the node's clock.</param>
/// <param name="What">What was tried: "address 1.2.3.4:8090", "puncture (Simultaneous)", "relay ab-cd-ef-gh-ij".</param>
/// <param name="Outcome">What became of it, in words; empty while it goes on.</param>
/// <param name="Took">How long; null while it goes on.</param>
public sealed record ConnectAttempt(TimeSpan At, string What, string Outcome, TimeSpan? Took);

/// <summary>How we are connected with somebody, and why so: a snapshot for people.</summary>
/// <param name="Key">Who.</param>
/// <param name="IsConnected">Whether a session is open.</param>
/// <param name="Kind">The way it goes now; null without a session.</param>
/// <param name="Origin">How that way was made; null when nobody knows.</param>
/// <param name="Remote">Where datagrams go; null without a session.</param>
/// <param name="RelayedBy">Who relays; null when nobody does.</param>
/// <param name="IsSuspect">Whether the last pings were not answered.</param>
/// <param name="RoundTrip">Measured round trip; null while unknown.</param>
/// <param name="Attempts">What was tried, oldest first, at most 16.</param>
/// <param name="Why">Why it is this way, in words.</param>
/// <param name="WouldImprove">What would make it better, in words; empty when it is as good as can be.</param>
public sealed record ContactView(
    PublicKey Key, bool IsConnected, PathKind? Kind, PathOrigin? Origin, Endpoint? Remote, PublicKey? RelayedBy, bool IsSuspect,
    TimeSpan? RoundTrip, IReadOnlyList<ConnectAttempt> Attempts, string Why, string WouldImprove);
