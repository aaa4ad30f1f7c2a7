namespace Polder.Node.Operations;

/// <summary>Everybody in the owner's book, and those who wait for its word.</summary>
/// <param name="Own">The owner's key.</param>
/// <param name="OwnName">What the owner calls itself towards others; empty: nothing.</param>
/// <param name="People">The contacts, by name.</param>
/// <param name="Requests">Those who wait, the oldest first.</param>
public sealed record ContactBookView(PeerName Own, string OwnName, IReadOnlyList<PersonView> People, IReadOnlyList<ContactRequestView> Requests);

/// <summary>A contact.</summary>
/// <param name="PublicKey">Hex.</param>
/// <param name="ShortName">The short name that belongs to the key.</param>
/// <param name="Name">What the owner calls it.</param>
/// <param name="Alias">What it calls itself: a suggestion only; null while it said nothing.</param>
/// <param name="Verified">Whether the owner made sure of the key.</param>
/// <param name="VerifiedByThem">Whether it says that it made sure of ours.</param>
/// <param name="Blocked">Nothing of it is wanted.</param>
/// <param name="Muted">It is heard without a signal.</param>
/// <param name="Notes">The owner's notes.</param>
/// <param name="IntroducedBy">Who introduced it, by the owner's name for that one; null: nobody.</param>
/// <param name="Origin">"added", "invited by us" or "invited us".</param>
/// <param name="Since">When it became a contact.</param>
/// <param name="Connected">Whether a session with it is open.</param>
/// <param name="Degree">How many introductions away it is, 1 for those we know ourselves; null where no way of trust leads to it.</param>
/// <param name="SafetyNumber">What both sides read to each other to be sure of the keys.</param>
/// <param name="Trust">What its work is worth here, in bytes, and what is left of that at its degree; null where it is not asked for.</param>
public sealed record PersonView(
    string PublicKey, string ShortName, string Name, string? Alias, bool Verified, bool VerifiedByThem, bool Blocked, bool Muted, string Notes,
    PeerName? IntroducedBy, string Origin, DateTimeOffset Since, bool Connected, int? Degree, string SafetyNumber, PersonTrust? Trust = null);

/// <summary>Trust in a contact.</summary>
/// <param name="Score">By its records alone, in bytes.</param>
/// <param name="Share">What counts at its degree: 1, 1/2, 1/4, …; 0 for strangers.</param>
/// <param name="Discounted">Both together.</param>
public sealed record PersonTrust(double Score, double Share, double Discounted);

/// <summary>Somebody who waits for the owner's word.</summary>
/// <param name="PublicKey">Hex.</param>
/// <param name="ShortName">The short name that belongs to the key.</param>
/// <param name="Alias">What it calls itself; null: nothing.</param>
/// <param name="IntroducedBy">The contact who introduces it; null: nobody.</param>
/// <param name="IntroducedAs">What that one calls it.</param>
/// <param name="Since">Since when it waits.</param>
public sealed record ContactRequestView(string PublicKey, string ShortName, string? Alias, PeerName? IntroducedBy, string? IntroducedAs, DateTimeOffset Since);

/// <summary>The owner's own card.</summary>
/// <param name="PublicKey">Hex.</param>
/// <param name="ShortName">The short name that belongs to the key.</param>
/// <param name="Name">What the owner calls itself.</param>
/// <param name="Text">What its QR code says: the contact code of the TrustChain SuperApp.</param>
public sealed record ContactCardView(string PublicKey, string ShortName, string Name, string Text);

/// <summary>Somebody to add.</summary>
/// <param name="Text">An invitation, a link to one, the text of a QR code, or a key.</param>
/// <param name="Name">What to call it; null: its short name.</param>
/// <param name="Verified">Whether the owner is sure of the key: it was read from the person's own screen.</param>
public sealed record PersonToAdd(string Text, string? Name = null, bool Verified = false);

/// <summary>Somebody who was added.</summary>
/// <param name="Person">The contact.</param>
/// <param name="Said">What happened, as a sentence.</param>
public sealed record PersonAdded(PersonView Person, string Said);

/// <summary>What to change of a contact; null leaves a thing as it is.</summary>
/// <param name="Name">What to call it.</param>
/// <param name="Notes">The notes, in place of those there are.</param>
/// <param name="Blocked">Whether nothing of it is wanted.</param>
/// <param name="Muted">Whether it is heard without a signal.</param>
/// <param name="Verified">Whether the owner made sure of the key.</param>
/// <param name="Number">The safety number that the person read out: it is compared, and the contact verified when it fits.</param>
public sealed record PersonChange(string? Name = null, string? Notes = null, bool? Blocked = null, bool? Muted = null, bool? Verified = null, string? Number = null);

/// <summary>What an import did.</summary>
/// <param name="By">Who wrote the file.</param>
/// <param name="Own">Whether it was this node's owner.</param>
/// <param name="Added">People who are new.</param>
/// <param name="Changed">People of whom something new was learned.</param>
/// <param name="Unchanged">People of whom all was known.</param>
public sealed record ContactsImported(PeerName By, bool Own, int Added, int Changed, int Unchanged);

/// <summary>What became of an introduction.</summary>
/// <param name="First">One of both.</param>
/// <param name="ToFirst">"arrived", "waits" or "not wanted": what became of the card for the first.</param>
/// <param name="Second">The other.</param>
/// <param name="ToSecond">Likewise.</param>
/// <param name="Said">Both as sentences.</param>
public sealed record IntroductionView(PeerName First, string ToFirst, PeerName Second, string ToSecond, string Said);

/// <summary>A spoken code.</summary>
/// <param name="Code">The code; empty where there was none.</param>
/// <param name="Made">Whether this node made it.</param>
/// <param name="State">"none", "waiting", "met", "spent" or "expired".</param>
/// <param name="Person">The contact that came of it; null before.</param>
/// <param name="Said">What that means, as a sentence.</param>
public sealed record SpokenView(string Code, bool Made, string State, PersonView? Person, string Said);
