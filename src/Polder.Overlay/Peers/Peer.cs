using Polder.Identity;
using Polder.Net;
using Polder.Runtime;

namespace Polder.Overlay;

/// <summary>
/// Somebody who proved a key by a signed packet. Times are on the node's clock (<see cref="NodeHost.Now"/>). A peer that the
/// book does not hold (it signed something, but never answered an introduction) is given to handlers as well: it can be
/// answered, and is forgotten afterwards. Compare peers by <see cref="Key"/>.
/// </summary>
public sealed class Peer
{
    private readonly List<PeerAddress> _addresses = new(1);
    private TimeSpan[]? _roundTrips;
    private int _roundTripCount;
    private List<CommunityId>? _communities;

    internal const int RoundTripsKept = 5;
    internal TokenBucket Rate;
    internal int Expected;
    internal TokenBucket PunctureRate;

    internal Peer(PublicKey key, Endpoint address)
    {
        Key = key;
        Address = address;
    }

    /// <summary>Its public key: who it is.</summary>
    public PublicKey Key { get; }

    /// <summary>SHA-1 of the key (IPv8 "mid").</summary>
    public PeerId Id => Key.Id;

    /// <summary>Where we send to: the address that was proved last, or else where its packet came from.</summary>
    public Endpoint Address { get; internal set; }

    /// <summary>All addresses it was heard from, at most 8; the preferred one first.</summary>
    public IReadOnlyList<Endpoint> Addresses
    {
        get
        {
            var all = new List<Endpoint>(_addresses.Count + 1) { Address };
            foreach (var entry in _addresses)
                if (entry.Endpoint != Address) all.Add(entry.Endpoint);
            return all;
        }
    }

    /// <summary>Whether some address of it answered us, so that it is no copy of somebody's old packet.</summary>
    public bool IsValidated => MetAt is not null;

    /// <summary>When it first answered us; null before.</summary>
    public TimeSpan? MetAt { get; internal set; }

    /// <summary>Whether we addressed it before it addressed us.</summary>
    public bool ChosenByUs { get; internal set; }

    /// <summary>When the last datagram came from a proved address of it.</summary>
    public TimeSpan? LastIn { get; internal set; }

    /// <summary>When we last sent it something.</summary>
    public TimeSpan? LastOut { get; internal set; }

    /// <summary>Median of the last five round trips; null while unknown.</summary>
    public TimeSpan? RoundTrip { get; private set; }

    /// <summary>Round trips measured so far.</summary>
    public int RoundTripCount => _roundTripCount;

    /// <summary>The overlays that it is known to be in, in the order in which we learned of them; at most 64.</summary>
    public IReadOnlyList<CommunityId> Communities => _communities ?? (IReadOnlyList<CommunityId>)[];

    /// <summary>Whether it is known to understand new-style introductions (231–234).</summary>
    public bool SpeaksNewStyle { get; internal set; }

    /// <summary>The address in its own network that it claims; <see cref="Endpoint.None"/> while unknown.</summary>
    public Endpoint ClaimedLan { get; internal set; } = Endpoint.None;

    /// <summary>The outer address that it believes to have.</summary>
    public Endpoint ClaimedWan { get; internal set; } = Endpoint.None;

    /// <summary>Its short name, for people.</summary>
    public override string ToString() => $"{Key.ShortName} {Address}";

    /// <summary>Whether it is among the neighbours that we keep alive.</summary>
    public bool IsNeighbour => Role != Neighbourhood.NeighbourRole.None;

    /// <summary>For what it was chosen as a neighbour; none when it is not one.</summary>
    public Neighbourhood.NeighbourRole Role { get; internal set; }

    /// <summary>Whether it is one of the oldest neighbours of our own choosing, which we show to nobody.</summary>
    public bool IsAnchor { get; internal set; }

    /// <summary>Whether it is a full Polder node: it lists our extension among its overlays.</summary>
    public bool IsPolder => IsIn(Discovery.DiscoveryCommunity.Extension);

    internal TimeSpan AddedAt { get; set; }

    // What it is worth as a neighbour, and what it told us within an hour: Neighbourhood/ and AddressBook/.
    internal Neighbourhood.PeerStanding Standing;
    internal TimeSpan TellsSince { get; set; }
    internal byte Told { get; set; }
    /// <summary>Until when it stays a neighbour because it came from another network than the rest (OV-7.5).</summary>
    internal TimeSpan FreshUntil { get; set; }
    /// <summary>Until when it gives way to another as a neighbour.</summary>
    internal TimeSpan RestsUntil { get; set; }
    /// <summary>Whether a tag that we are in keeps it connected.</summary>
    internal bool IsKeptByTags { get; set; }
    /// <summary>Whether it told us its overlays, so that an overlay not named is one that it is not in.</summary>
    internal bool HasListedOverlays { get; set; }
    internal TimeSpan? OverlaysAskedAt { get; set; }
    internal TimeSpan? ProbedAt { get; set; }
    internal int BookIndex { get; set; } = -1;
    internal TimeSpan? PingedAt { get; set; }
    internal List<PeerAddress> AddressEntries => _addresses;

    internal PeerAddress? FindAddress(Endpoint endpoint)
    {
        foreach (var entry in _addresses)
            if (entry.Endpoint == endpoint) return entry;
        return null;
    }

    internal void AddRoundTrip(TimeSpan time)
    {
        _roundTrips ??= new TimeSpan[RoundTripsKept];
        _roundTrips[_roundTripCount % RoundTripsKept] = time;
        _roundTripCount = _roundTripCount >= 2 * RoundTripsKept ? RoundTripsKept + 1 : _roundTripCount + 1;
        // Worked out here, because peers are sorted by it far more often than measured.
        Span<TimeSpan> sorted = stackalloc TimeSpan[RoundTripsKept];
        var count = Math.Min(_roundTripCount, RoundTripsKept);
        _roundTrips.AsSpan(0, count).CopyTo(sorted);
        sorted[..count].Sort();
        RoundTrip = sorted[count / 2];
    }

    internal bool IsIn(CommunityId community) => _communities is not null && _communities.Contains(community);

    internal void AddCommunity(CommunityId community)
    {
        _communities ??= new List<CommunityId>(2);
        if (_communities.Count < OverlayLimits.CommunitiesPerPeerMax && !_communities.Contains(community)) _communities.Add(community);
    }

    internal void ClearCommunities() => _communities?.Clear();
}

/// <summary>One address of a peer.</summary>
internal sealed class PeerAddress(Endpoint endpoint)
{
    public Endpoint Endpoint { get; } = endpoint;

    /// <summary>When this address last answered a question of ours; null: never.</summary>
    public TimeSpan? ValidatedAt { get; set; }
}
