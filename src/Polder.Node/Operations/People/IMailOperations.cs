namespace Polder.Node.Operations.People;

/// <summary>What people and programs do with a node's mail-bag: see where letters are, and take them to others in files.</summary>
public interface IMailOperations
{
    /// <summary>The longest bundle that is taken, in bytes.</summary>
    const long BundleBytesMax = 512L << 20;

    /// <summary>What waits for whom and where, and what is carried for others.</summary>
    Task<MailbagView> LookAsync(CancellationToken cancellation = default);

    /// <summary>Writes a bundle: everything for one person, or, with null, everything that may be carried. What is written goes on waiting here.</summary>
    Task<BundleMadeView> ExportAsync(string? receiver, Stream to, CancellationToken cancellation = default);

    /// <summary>Takes a bundle, or a file of peer addresses. The same one again changes nothing.</summary>
    Task<BundleTakenView> ImportAsync(Stream from, CancellationToken cancellation = default);
}

/// <summary>A mail-bag at one moment.</summary>
/// <param name="Waiting">Letters of ours on their way, oldest first; at most 500.</param>
/// <param name="WaitingCount">How many there are in all.</param>
/// <param name="WaitingBytes">Their bytes.</param>
/// <param name="Recent">Letters of ours that arrived, were seen, or ran out of time lately; at most 50.</param>
/// <param name="Carried">What is carried for others, by who gave it; most bytes first.</param>
/// <param name="CarriedLetters">Letters carried in all.</param>
/// <param name="CarriedBytes">Their bytes.</param>
/// <param name="StrangersBytes">Of these, strangers'.</param>
/// <param name="Settings">How it is set.</param>
public sealed record MailbagView(
    IReadOnlyList<MailLetterView> Waiting, int WaitingCount, long WaitingBytes, IReadOnlyList<MailLetterView> Recent,
    IReadOnlyList<MailDepositView> Carried, int CarriedLetters, long CarriedBytes, long StrangersBytes, MailSettingsView Settings);

/// <summary>A letter of ours.</summary>
/// <param name="Id">Its name, 64 hex digits.</param>
/// <param name="To">For whom.</param>
/// <param name="Kind">"message", "contact card", "ledger blocks".</param>
/// <param name="Made">When it was written.</param>
/// <param name="Expires">How long it is tried.</param>
/// <param name="Bytes">Its sealed length.</param>
/// <param name="Stage">"onlyHere", "waitingWith", "delivered", "seen", "expired".</param>
/// <param name="With">Friends who hold it, by name.</param>
/// <param name="Strangers">Strangers who hold it.</param>
/// <param name="Where">Where it is, in words.</param>
public sealed record MailLetterView(
    string Id, PeerName To, string Kind, DateTimeOffset Made, DateTimeOffset Expires, int Bytes, string Stage, IReadOnlyList<string> With, int Strangers, string Where);

/// <summary>What somebody gave us to carry.</summary>
/// <param name="From">Who gave it; it need not have written it.</param>
/// <param name="IsFriend">Whether it is a contact's, or the owner brought it in a file.</param>
/// <param name="Letters">How many letters.</param>
/// <param name="Bytes">Their bytes.</param>
/// <param name="BytesMax">What it may take.</param>
/// <param name="Oldest">When the oldest came.</param>
public sealed record MailDepositView(PeerName From, bool IsFriend, int Letters, long Bytes, long BytesMax, DateTimeOffset Oldest);

/// <summary>How a mail-bag is set; the keys are those of <c>polder config</c>, "mail.…".</summary>
/// <param name="Days">How long a letter is tried.</param>
/// <param name="Copies">Copies that others may hold.</param>
/// <param name="UsesStrangers">Whether strangers are given our letters.</param>
/// <param name="CarriesForFriends">Whether contacts' letters are carried.</param>
/// <param name="CarriesForStrangers">Whether strangers' letters are.</param>
/// <param name="CarriedMax">Room for all, bytes.</param>
/// <param name="FriendMax">Room for one contact, bytes.</param>
/// <param name="StrangersMax">Room for all strangers, bytes.</param>
/// <param name="StrangerMax">Room for one stranger, bytes.</param>
/// <param name="StrangerDays">How long a stranger's letter is carried.</param>
public sealed record MailSettingsView(
    int Days, int Copies, bool UsesStrangers, bool CarriesForFriends, bool CarriesForStrangers, long CarriedMax, long FriendMax, long StrangersMax, long StrangerMax, int StrangerDays);

/// <summary>What is in a bundle that was written.</summary>
/// <param name="For">For whom; null: for whoever carries letters.</param>
/// <param name="Letters">Letters.</param>
/// <param name="Blocks">Half blocks of the ledger.</param>
/// <param name="Addresses">Addresses of nodes.</param>
/// <param name="HasCard">Whether the owner's name is in it.</param>
/// <param name="Count">Its bytes.</param>
public sealed record BundleMadeView(PeerName? For, int Letters, int Blocks, int Addresses, bool HasCard, long Count);

/// <summary>What a bundle brought.</summary>
/// <param name="From">Who made it; null where it does not say.</param>
/// <param name="IsContact">Whether that is a contact.</param>
/// <param name="Letters">Letters for us that are new.</param>
/// <param name="Carried">Letters for others that are carried now.</param>
/// <param name="Known">Letters that were known.</param>
/// <param name="Refused">Letters that were not taken.</param>
/// <param name="Blocks">New half blocks.</param>
/// <param name="Count">New addresses.</param>
/// <param name="Words">All that in a sentence.</param>
public sealed record BundleTakenView(PeerName? From, bool IsContact, int Letters, int Carried, int Known, int Refused, int Blocks, int Count, string Words);
