using Polder.Wire;

namespace Polder.Overlay;

/// <summary>Why a datagram was dropped although its bytes may be in order, or something was not sent.</summary>
public enum Refusal
{
    /// <summary>The first bytes belong to no protocol of ours.</summary>
    NotIPv8,
    /// <summary>For a community that does not run here.</summary>
    UnknownCommunity,
    /// <summary>A message id that nobody handles.</summary>
    UnknownMessage,
    /// <summary>Our own packet came back.</summary>
    OwnPacket,
    /// <summary>The signer is ignored for a while.</summary>
    Discouraged,
    /// <summary>This very packet was handled before (OV-4.8).</summary>
    Replay,
    /// <summary>More than its rate from one unproved address.</summary>
    AddressRate,
    /// <summary>More than its rate from one network of unproved addresses.</summary>
    NetworkRate,
    /// <summary>More than their rate from all unproved addresses together.</summary>
    StrangersRate,
    /// <summary>More than its rate from one proved peer.</summary>
    PeerRate,
    /// <summary>The share of a core that strangers' signatures may cost is used up (OV-4.4).</summary>
    SignatureBudget,
    /// <summary>Not sent: more than three times what that unproved address sent us (OV-4.1).</summary>
    Amplification,
    /// <summary>A puncture-request that we do not obey: not from a neighbour, or met too recently (OV-4.2).</summary>
    PunctureStranger,
    /// <summary>A puncture-request towards an address that we do not send to.</summary>
    PunctureTarget,
    /// <summary>More puncture-requests than allowed.</summary>
    PunctureRate,
    /// <summary>Not sent or not kept: an address to which nothing is sent.</summary>
    BadAddress,
    /// <summary>An answer to nothing that we asked.</summary>
    Unasked,
    /// <summary>Signed by a legacy key and not from a bootstrap address of the owner's list.</summary>
    LegacyKey,
    /// <summary>A handshake message whose first MAC is wrong: its sender does not know our key (OV-3.4).</summary>
    HandshakeMac,
    /// <summary>More handshakes than their rate, or than the time for them (OV-3.9).</summary>
    HandshakeRate,
    /// <summary>A session packet that came before, or is too old to tell.</summary>
    SessionReplay,
    /// <summary>A session packet that was changed or forged.</summary>
    BadTag,
    /// <summary>A session packet under a key that has served its time.</summary>
    OldKey,
    /// <summary>A session packet for no session of ours.</summary>
    UnknownSession,
    /// <summary>A frame of a type that nobody handles: passed over.</summary>
    UnknownFrame,
    /// <summary>A plain message of a key that had a session (OV-3.2).</summary>
    PlainFromSticky,
    /// <summary>A plain message in a community that has sessions only.</summary>
    SessionsOnly,
    /// <summary>Not sent: a session is needed and could not be had.</summary>
    NoSession,
    /// <summary>A session that would move more often than allowed (OV-3.13).</summary>
    MoveRate,
}

/// <summary>A table that reached its bound, so that something was refused or gave way.</summary>
public enum Cap
{
    /// <summary>Known peers: the longest silent of a sample gives way.</summary>
    Peers,
    /// <summary>Heard-of addresses: a tried or the oldest one of a sample gives way.</summary>
    Candidates,
    /// <summary>Open requests: the oldest is given up.</summary>
    Requests,
    /// <summary>Discouraged keys: the oldest is forgiven.</summary>
    Discouraged,
    /// <summary>The replay filter: its older half is forgotten early.</summary>
    ReplayFilter,
    /// <summary>Communities for which we introduce strangers: the longest unused gives way.</summary>
    ForeignCommunities,
    /// <summary>Strangers introduced in one such community: the oldest gives way.</summary>
    ForeignPeers,
    /// <summary>Open sessions: the one that was silent longest gives way, neighbours last.</summary>
    Sessions,
    /// <summary>Handshakes under way: further ones are refused.</summary>
    HalfOpen,
    /// <summary>Keys that had sessions: the one that expires first gives way.</summary>
    StickyKeys,
    /// <summary>Messages that wait for a session: further ones are dropped.</summary>
    WaitingMessages,
    /// <summary>Addresses to which one session may move: the oldest gives way.</summary>
    PathCandidates,
    /// <summary>Long messages of which parts are missing: further ones are dropped.</summary>
    Reassembly,
}

/// <summary>What went in, out and nowhere since the start. Read on the node's loop; <see cref="ToDictionary"/> gives a snapshot.</summary>
public sealed class OverlayCounters
{
    private readonly long[] _errors = new long[Enum.GetValues<WireError>().Length];
    private readonly long[] _refusals = new long[Enum.GetValues<Refusal>().Length];
    private readonly long[] _caps = new long[Enum.GetValues<Cap>().Length];
    private readonly long[] _violations = new long[Enum.GetValues<Violation>().Length];

    /// <summary>Datagrams in.</summary>
    public long Received { get; internal set; }
    /// <summary>Bytes in.</summary>
    public long BytesIn { get; internal set; }
    /// <summary>Datagrams out.</summary>
    public long Sent { get; internal set; }
    /// <summary>Bytes out.</summary>
    public long BytesOut { get; internal set; }
    /// <summary>Signatures checked.</summary>
    public long SignaturesChecked { get; internal set; }
    /// <summary>Introduction-requests answered.</summary>
    public long IntroductionsAnswered { get; internal set; }
    /// <summary>Peers that were set aside for a breach of protocol.</summary>
    public long Discouraged { get; internal set; }
    /// <summary>Handshakes done, rekeys included.</summary>
    public long Handshakes { get; internal set; }
    /// <summary>Handshakes that were asked for a cookie first.</summary>
    public long CookiesAsked { get; internal set; }
    /// <summary>Sessions that moved to another path.</summary>
    public long SessionMoves { get; internal set; }
    /// <summary>Exceptions in handlers: our own bugs.</summary>
    public long Faults { get; internal set; }

    /// <summary>Datagrams dropped because their bytes were wrong in this way.</summary>
    public long this[WireError error] => _errors[(int)error];
    /// <summary>Refusals for this reason.</summary>
    public long this[Refusal refusal] => _refusals[(int)refusal];
    /// <summary>How often this bound was reached.</summary>
    public long this[Cap cap] => _caps[(int)cap];
    /// <summary>Breaches of this kind.</summary>
    public long this[Violation violation] => _violations[(int)violation];

    internal void Count(WireError error) => _errors[(int)error]++;
    internal void Count(Refusal refusal) => _refusals[(int)refusal]++;
    internal void Count(Violation violation) => _violations[(int)violation]++;
    internal void Reached(Cap cap) => _caps[(int)cap]++;

    /// <summary>Everything by name ("received", "wire.Truncated", "refused.AddressRate", "cap.Peers"); zeros of the long lists are left out.</summary>
    public IReadOnlyDictionary<string, long> ToDictionary()
    {
        var all = new SortedDictionary<string, long>(StringComparer.Ordinal)
        {
            ["received"] = Received, ["bytesIn"] = BytesIn, ["sent"] = Sent, ["bytesOut"] = BytesOut,
            ["signaturesChecked"] = SignaturesChecked, ["introductionsAnswered"] = IntroductionsAnswered,
            ["discouraged"] = Discouraged, ["faults"] = Faults,
            ["handshakes"] = Handshakes, ["cookiesAsked"] = CookiesAsked, ["sessionMoves"] = SessionMoves,
        };
        Add("wire", _errors, static i => ((WireError)i).ToString());
        Add("refused", _refusals, static i => ((Refusal)i).ToString());
        Add("cap", _caps, static i => ((Cap)i).ToString());
        Add("violation", _violations, static i => ((Violation)i).ToString());
        return all;

        void Add(string group, long[] counts, Func<int, string> name)
        {
            for (var i = 0; i < counts.Length; i++)
                if (counts[i] != 0) all[$"{group}.{name(i)}"] = counts[i];
        }
    }
}
