using System.Runtime.CompilerServices;
using Polder.Identity;
using Polder.Net;
using Polder.Overlay.Refusals;

namespace Polder.Overlay;

/// <summary>
/// Somebody who proved a key by a signed packet. Times are on the node's clock (<see cref="NodeHost.Now"/>). A peer that the
/// book does not hold (it signed something, but never answered an introduction) is given to handlers as well: it can be
/// answered, and is forgotten afterwards. Compare peers by <see cref="Key"/>.
/// </summary>
public sealed class Peer
{
    // A node knows up to thousands of these, a simulated world millions: times are kept as ticks and addresses packed.
    private const long Never = long.MinValue;

    private RoundTrips _roundTrips;
    private int _roundTripTicks = -1;
    private byte _roundTripCount;
    private CommunityId[] _communities = [];
    private PackedEndpoint _claimedLan, _claimedWan;
    private long _metAt = Never, _lastIn = Never, _lastOut = Never, _overlaysAskedAt = Never, _probedAt = Never, _pingedAt = Never;

    internal const int RoundTripsKept = 5;
    internal RateClock Rate, PunctureRate;
    internal int Expected;

    /// <summary>The last few round trips, in ticks.</summary>
    [InlineArray(RoundTripsKept)]
    private struct RoundTrips
    {
        private int _first;
    }

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
            var all = new List<Endpoint>(2) { Address };
            for (var entry = FirstAddress; entry is not null; entry = entry.Next)
                if (entry.Endpoint != Address) all.Add(entry.Endpoint);
            return all;
        }
    }

    /// <summary>Whether some address of it answered us, so that it is no copy of somebody's old packet.</summary>
    public bool IsValidated => _metAt != Never;

    /// <summary>When it first answered us; null before.</summary>
    public TimeSpan? MetAt { get => FromTicks(_metAt); internal set => _metAt = ToTicks(value); }

    /// <summary>Whether we addressed it before it addressed us.</summary>
    public bool ChosenByUs { get; internal set; }

    /// <summary>Whether it came to us, and one whom we chose, from another network, introduced it too.</summary>
    internal bool IsVouchedFor { get; set; }

    /// <summary>When the last datagram came from a proved address of it.</summary>
    public TimeSpan? LastIn { get => FromTicks(_lastIn); internal set => _lastIn = ToTicks(value); }

    /// <summary>When we last sent it something.</summary>
    public TimeSpan? LastOut { get => FromTicks(_lastOut); internal set => _lastOut = ToTicks(value); }

    /// <summary>Median of the last five round trips; null while unknown.</summary>
    public TimeSpan? RoundTrip => _roundTripTicks < 0 ? null : TimeSpan.FromTicks(_roundTripTicks);

    /// <summary>Round trips measured so far.</summary>
    public int RoundTripCount => _roundTripCount;

    /// <summary>The overlays that it is known to be in, in the order in which we learned of them; at most 64.</summary>
    public IReadOnlyList<CommunityId> Communities => _communities;

    /// <summary>Whether it is known to understand new-style introductions (231–234).</summary>
    public bool SpeaksNewStyle { get; internal set; }

    /// <summary>The address in its own network that it claims; <see cref="Endpoint.None"/> while unknown.</summary>
    public Endpoint ClaimedLan { get => _claimedLan.Value; internal set => _claimedLan.Value = value; }

    /// <summary>The outer address that it believes to have.</summary>
    public Endpoint ClaimedWan { get => _claimedWan.Value; internal set => _claimedWan.Value = value; }

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

    /// <summary>Whether a secure session with it is open.</summary>
    public bool HasSession { get; internal set; }

    internal TimeSpan AddedAt { get; set; }

    // What it is worth as a neighbour, and what it told us within an hour: Neighbourhood/ and AddressBook/.
    internal Neighbourhood.PeerStanding Standing;
    private uint _tellsSince, _freshUntil, _restsUntil;
    internal TimeSpan TellsSince { get => TimeSpan.FromSeconds(_tellsSince); set => _tellsSince = (uint)value.TotalSeconds; }
    internal byte Told { get; set; }
    /// <summary>Until when it stays a neighbour because it came from another network than the rest (OV-7.5).</summary>
    internal TimeSpan FreshUntil { get => TimeSpan.FromSeconds(_freshUntil); set => _freshUntil = (uint)value.TotalSeconds; }
    /// <summary>Until when it gives way to another as a neighbour.</summary>
    internal TimeSpan RestsUntil { get => TimeSpan.FromSeconds(_restsUntil); set => _restsUntil = (uint)value.TotalSeconds; }
    /// <summary>Whether a tag that we are in keeps it connected.</summary>
    internal bool IsKeptByTags { get; set; }
    /// <summary>Whether it told us its overlays, so that an overlay not named is one that it is not in.</summary>
    internal bool HasListedOverlays { get; set; }
    internal TimeSpan? OverlaysAskedAt { get => FromTicks(_overlaysAskedAt); set => _overlaysAskedAt = ToTicks(value); }
    internal TimeSpan? ProbedAt { get => FromTicks(_probedAt); set => _probedAt = ToTicks(value); }
    internal TimeSpan? PingedAt { get => FromTicks(_pingedAt); set => _pingedAt = ToTicks(value); }
    internal int BookIndex { get; set; } = -1;

    /// <summary>Its proved addresses, oldest first, as a list by <see cref="PeerAddress.Next"/>: most peers have one.</summary>
    internal PeerAddress? FirstAddress { get; private set; }

    internal int AddressCount
    {
        get
        {
            var count = 0;
            for (var entry = FirstAddress; entry is not null; entry = entry.Next) count++;
            return count;
        }
    }

    internal PeerAddress? FindAddress(Endpoint endpoint)
    {
        for (var entry = FirstAddress; entry is not null; entry = entry.Next)
            if (entry.Endpoint == endpoint) return entry;
        return null;
    }

    internal PeerAddress AddAddress(Endpoint endpoint)
    {
        var added = new PeerAddress(this, endpoint);
        if (FirstAddress is not { } last) return FirstAddress = added;
        while (last.Next is { } next) last = next;
        return last.Next = added;
    }

    internal void RemoveAddress(PeerAddress address)
    {
        if (FirstAddress == address) FirstAddress = address.Next;
        else
            for (var entry = FirstAddress; entry is not null; entry = entry.Next)
                if (entry.Next == address) entry.Next = address.Next;
    }

    internal void AddRoundTrip(TimeSpan time)
    {
        Span<int> kept = _roundTrips;
        kept[_roundTripCount % RoundTripsKept] = (int)Math.Clamp(time.Ticks, 0, int.MaxValue);
        _roundTripCount = (byte)(_roundTripCount >= 2 * RoundTripsKept ? RoundTripsKept + 1 : _roundTripCount + 1);
        // Worked out here, because peers are sorted by it far more often than measured.
        Span<int> sorted = stackalloc int[RoundTripsKept];
        var count = Math.Min((int)_roundTripCount, RoundTripsKept);
        kept[..count].CopyTo(sorted);
        sorted[..count].Sort();
        _roundTripTicks = sorted[count / 2];
    }

    internal bool IsIn(CommunityId community) => Array.IndexOf(_communities, community) >= 0;

    /// <summary>Its overlays; <see cref="PeerBook"/> sets them, because peers of one node mostly share them.</summary>
    internal CommunityId[] CommunityArray { get => _communities; set => _communities = value; }

    private static TimeSpan? FromTicks(long ticks) => ticks == Never ? null : TimeSpan.FromTicks(ticks);

    private static long ToTicks(TimeSpan? time) => time is { } known ? known.Ticks : Never;
}

/// <summary>One proved address of a peer.</summary>
internal sealed class PeerAddress(Peer owner, Endpoint endpoint)
{
    private long _validatedAt = long.MinValue;

    public Peer Owner => owner;
    public Endpoint Endpoint => endpoint;
    public PeerAddress? Next { get; set; }

    /// <summary>When this address last answered a question of ours; null: never.</summary>
    public TimeSpan? ValidatedAt
    {
        get => _validatedAt == long.MinValue ? null : TimeSpan.FromTicks(_validatedAt);
        set => _validatedAt = value is { } at ? at.Ticks : long.MinValue;
    }

    /// <summary>Whether it answered within <paramref name="lifetime"/> before <paramref name="now"/>.</summary>
    public bool IsFresh(TimeSpan now, TimeSpan lifetime) => _validatedAt != long.MinValue && now.Ticks - _validatedAt < lifetime.Ticks;
}
