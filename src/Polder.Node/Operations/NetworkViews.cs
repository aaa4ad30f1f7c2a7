namespace Polder.Node.Operations;

/// <summary>How a node is connected, in words for a person who does not know what a NAT is, with the evidence.</summary>
/// <param name="Class">"O", "F", "E", "S", "R", "R*", "B", or "?" (docs/wire/nat.md).</param>
/// <param name="Headline">One sentence: "Others can reach this node directly."</param>
/// <param name="Explanation">Why that is so, and what it means, in two or three sentences.</param>
/// <param name="Improvements">What would improve it, most useful first; empty when nothing would.</param>
/// <param name="Evidence">Who sees this node where.</param>
/// <param name="DialBack">Whether somebody whom we never wrote to got through; null while nobody tried.</param>
/// <param name="Mapping">How long the router keeps a way open, and what port mapping says.</param>
/// <param name="Connections">How each peer is reached and why so.</param>
/// <param name="Sources">Where the first contact can come from.</param>
/// <param name="Diversity">How well the neighbours are spread, so that nobody can surround this node.</param>
public sealed record DoctorView(
    string Class, string Headline, string Explanation, IReadOnlyList<string> Improvements, IReadOnlyList<EvidenceView> Evidence,
    DialBackView? DialBack, MappingView Mapping, IReadOnlyList<ConnectionView> Connections, IReadOnlyList<SourceView> Sources,
    DiversityView Diversity);

/// <summary>One vote on where others see us.</summary>
/// <param name="Reporter">Its short name, or "somebody" when it is gone.</param>
/// <param name="At">Its address; one vote counts for each part of the network.</param>
/// <param name="SeenAs">The address at which it sees us.</param>
/// <param name="AgeSeconds">How old the word is.</param>
public sealed record EvidenceView(string Reporter, string At, string SeenAs, double AgeSeconds);

/// <summary>What came of asking to be called by somebody to whom we never wrote.</summary>
/// <param name="Reached">Whether it got through.</param>
/// <param name="AgeSeconds">How long ago.</param>
/// <param name="InWords">One sentence.</param>
public sealed record DialBackView(bool Reached, double AgeSeconds, string InWords);

/// <summary>What the router does with our packets.</summary>
/// <param name="External">The outer address, as the votes have it; null while unknown.</param>
/// <param name="LifetimeSeconds">How long a silent way stays open; null while unknown.</param>
/// <param name="KeepAliveSeconds">How often we say something so that it does.</param>
/// <param name="PortMapping">What the router said to PCP, NAT-PMP and UPnP, in words.</param>
/// <param name="PortMapped">The outer address that a mapping gives; null without one.</param>
public sealed record MappingView(string? External, double? LifetimeSeconds, double KeepAliveSeconds, string PortMapping, string? PortMapped);

/// <summary>How a peer is reached.</summary>
/// <param name="Peer">Who.</param>
/// <param name="State">"encrypted", "opening", "plain" (a peer without sessions) or "unreachable".</param>
/// <param name="Path">"direct", "LAN", "hairpin", "reverse", "simultaneous", "predicted", "birthday", "relayed" or "none".</param>
/// <param name="Address">Where packets go.</param>
/// <param name="RelayedBy">Who relays; null otherwise.</param>
/// <param name="RoundTripMs">By ping; null while unknown.</param>
/// <param name="Why">Why the path is so, in words.</param>
/// <param name="WouldImprove">What would make it better, in words; empty when nothing would.</param>
/// <param name="Attempts">What was tried, newest first.</param>
public sealed record ConnectionView(
    PeerName Peer, string State, string Path, string? Address, PeerName? RelayedBy, double? RoundTripMs,
    string Why, string WouldImprove, IReadOnlyList<AttemptView> Attempts);

/// <summary>One attempt to reach a peer.</summary>
/// <param name="How">The strategy, in the words of <see cref="ConnectionView.Path"/>.</param>
/// <param name="Outcome">"connected", "no answer", "not allowed", … in words.</param>
/// <param name="AgeSeconds">How long ago it began.</param>
public sealed record AttemptView(string How, string Outcome, double AgeSeconds);

/// <summary>A source of first contact.</summary>
/// <param name="Name">"anchors", "address book", "local network", "invitation", "listed by you", "bundle", "meeting point".</param>
/// <param name="Entries">Addresses that it holds; null where that means nothing.</param>
/// <param name="Tried">Attempts since the start.</param>
/// <param name="Answered">How many of them were answered.</param>
/// <param name="Note">Its state in words.</param>
public sealed record SourceView(string Name, int? Entries, long Tried, long Answered, string Note);

/// <summary>How well the neighbours are spread.</summary>
/// <param name="Neighbours">Neighbours at present.</param>
/// <param name="Prefixes">Different parts of the Internet among them.</param>
/// <param name="ChosenByUs">How many we chose ourselves.</param>
/// <param name="OldestSeconds">Since the oldest was met; null without any.</param>
/// <param name="NetworkSize">Estimated nodes in the network; null while unknown.</param>
/// <param name="Warning">What looks wrong, in words; null normally.</param>
public sealed record DiversityView(int Neighbours, int Prefixes, int ChosenByUs, double? OldestSeconds, long? NetworkSize, string? Warning);

/// <summary>An invitation that was made.</summary>
/// <param name="Text">"peer:…", to be sent or shown as a QR code.</param>
/// <param name="Expires">When it ends.</param>
/// <param name="Addresses">How many addresses of ours are in it.</param>
/// <param name="Helpers">How many peers in it help to get through.</param>
public sealed record InvitationView(string Text, DateTimeOffset Expires, int Addresses, int Helpers);

/// <summary>A contact.</summary>
/// <param name="PublicKey">Hex.</param>
/// <param name="Name">Short name.</param>
/// <param name="Since">When it became one.</param>
/// <param name="Connected">Whether a session with it is open.</param>
public sealed record ContactView(string PublicKey, string Name, DateTimeOffset Since, bool Connected);

/// <summary>What to store.</summary>
/// <param name="Value">At most 1000 bytes; in a topic at most 256.</param>
/// <param name="Name">A record of ours that can be changed, of this name (at most 32 bytes). Null, and no topic: a value under its own hash.</param>
/// <param name="Topic">Say in this topic that we belong to it, with the value. Not together with a name.</param>
/// <param name="Lifetime">How long holders keep it; at most 24 h. Ours is renewed while the node runs.</param>
public sealed record DhtPut(byte[] Value, string? Name, string? Topic, TimeSpan Lifetime);

/// <summary>Where a value went.</summary>
/// <param name="Key">64 hex digits: what to get it by.</param>
/// <param name="Holders">Nodes that keep it, this one included.</param>
/// <param name="Asked">Nodes that were asked.</param>
public sealed record DhtStored(string Key, int Holders, int Asked);

/// <summary>What was found under a key.</summary>
/// <param name="Key">64 hex digits.</param>
/// <param name="Records">Verified records, best first.</param>
/// <param name="Messages">Questions that were sent.</param>
/// <param name="ElapsedMs">How long it took.</param>
/// <param name="Disagreement">Whether disjoint paths gave different answers.</param>
public sealed record DhtAnswer(string Key, IReadOnlyList<DhtRecordView> Records, int Messages, double ElapsedMs, bool Disagreement);

/// <summary>A verified record.</summary>
/// <param name="Kind">"immutable", "mutable", "contact" or "membership".</param>
/// <param name="Publisher">Who signed it; null for an immutable one.</param>
/// <param name="Sequence">Its number.</param>
/// <param name="ExpiresSeconds">How long its publisher says it holds; null for an immutable one.</param>
/// <param name="Value">Its bytes.</param>
public sealed record DhtRecordView(string Kind, PeerName? Publisher, long Sequence, double? ExpiresSeconds, byte[] Value);

/// <summary>What was found: nodes near a key, where a peer is, or who belongs to a topic.</summary>
/// <param name="What">What was looked for, in words.</param>
/// <param name="Nodes">Nodes that are closest to the key, closest first; empty otherwise.</param>
/// <param name="Contact">Where the peer says it is; null otherwise.</param>
/// <param name="Members">Who belongs to the topic, newest first; empty otherwise.</param>
/// <param name="Messages">Questions that were sent.</param>
/// <param name="ElapsedMs">How long it took.</param>
public sealed record DhtNodes(
    string What, IReadOnlyList<DhtNodeView> Nodes, DhtContactView? Contact, IReadOnlyList<DhtMemberView> Members, int Messages, double ElapsedMs);

/// <summary>Somebody who belongs to a topic.</summary>
/// <param name="Peer">Who.</param>
/// <param name="Value">What it says there.</param>
public sealed record DhtMemberView(PeerName Peer, byte[] Value);

/// <summary>A node of the DHT.</summary>
/// <param name="Peer">Who.</param>
/// <param name="Address">Where.</param>
/// <param name="SharedBits">Leading bits that its id has in common with the key.</param>
public sealed record DhtNodeView(PeerName Peer, string Address, int SharedBits);

/// <summary>Where a peer says it can be reached.</summary>
/// <param name="Peer">Who.</param>
/// <param name="Addresses">Its addresses.</param>
/// <param name="Relays">Short names of the peers that relay for it.</param>
public sealed record DhtContactView(PeerName Peer, IReadOnlyList<string> Addresses, IReadOnlyList<string> Relays);

/// <summary>A tagged overlay.</summary>
/// <param name="Name">The tag.</param>
/// <param name="Id">Hex of 20 bytes.</param>
/// <param name="BudgetKilobytesPerSecond">What it may use.</param>
/// <param name="UsedKilobytesPerSecond">What it uses at present.</param>
/// <param name="NeighboursWanted">How many it wants.</param>
/// <param name="Neighbours">Short names of those it has.</param>
/// <param name="Known">Members that are known.</param>
public sealed record TagView(
    string Name, string Id, double BudgetKilobytesPerSecond, double UsedKilobytesPerSecond, int NeighboursWanted,
    IReadOnlyList<string> Neighbours, int Known);
