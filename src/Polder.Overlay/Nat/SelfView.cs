using Polder.Net;

namespace Polder.Overlay.Nat;

/// <summary>What one network of others said about our address.</summary>
/// <param name="Reporter">From which address it was said.</param>
/// <param name="Seen">Where it saw us.</param>
/// <param name="Age">How long ago it last said so.</param>
public sealed record AddressVote(Endpoint Reporter, Endpoint Seen, TimeSpan Age);

/// <summary>What the test showed whether strangers can write to us first.</summary>
public enum DialBackState
{
    /// <summary>Not tested yet, or the network changed since.</summary>
    Unknown,
    /// <summary>Somebody to whom we never wrote got through.</summary>
    GotThrough,
    /// <summary>Somebody tried, at least twice, and did not get through.</summary>
    DidNotGetThrough,
    /// <summary>Nobody is there who could try.</summary>
    NobodyToAsk,
}

/// <summary>A port that the router maps to us at our own wish.</summary>
/// <param name="External">Outer address and port.</param>
/// <param name="How">"PCP", "NAT-PMP", "UPnP".</param>
/// <param name="IsConfirmed">Whether somebody got through to it; it counts only then.</param>
/// <param name="IsBehindTwo">Whether this address is not the one at which others see us: a second router, the carrier's, is behind the first.</param>
public sealed record MappedPort(Endpoint External, string How, bool IsConfirmed, bool IsBehindTwo);

/// <summary>What a node knows about its own place in the network, at one moment, with the evidence (Overlay §5.3).</summary>
public sealed record SelfView
{
    /// <summary>What we are behind.</summary>
    public required NatClass Class { get; init; }

    /// <summary>The letter of the specification: ? O F E S R R* B.</summary>
    public required string Letter { get; init; }

    /// <summary>Whether the class rests on enough votes and a dial-back.</summary>
    public required bool IsSettled { get; init; }

    /// <summary>Our address in our own network.</summary>
    public required Endpoint Local { get; init; }

    /// <summary>Where most others see us; the newest port where ports change. Null while nobody said.</summary>
    public required Endpoint? Outer { get; init; }

    /// <summary>From one new outer port to the next; 0 when not sequential.</summary>
    public required int Step { get; init; }

    /// <summary>The block from which random ports seem to be drawn; null when unknown.</summary>
    public required (int From, int To)? Window { get; init; }

    /// <summary>One vote for each network of others.</summary>
    public required IReadOnlyList<AddressVote> Votes { get; init; }

    /// <summary>Whether strangers get in.</summary>
    public required DialBackState DialBack { get; init; }

    /// <summary>How long ago that was last tested; null: never.</summary>
    public required TimeSpan? DialBackAge { get; init; }

    /// <summary>The longest silence that the router is known to survive; null while unknown.</summary>
    public required TimeSpan? MappingSurvives { get; init; }

    /// <summary>A silence that it did not survive; null while none was found.</summary>
    public required TimeSpan? MappingDiesAt { get; init; }

    /// <summary>How often a path that matters is refreshed.</summary>
    public required TimeSpan KeepAlive { get; init; }

    /// <summary>The mapped port; null without one.</summary>
    public required MappedPort? Mapped { get; init; }

    /// <summary>How often the router seems to have forgotten everything.</summary>
    public required int RouterReboots { get; init; }
}
