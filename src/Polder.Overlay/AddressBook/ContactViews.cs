namespace Polder.Overlay.AddressBook;

/// <summary>Where a node has addresses from that it tries.</summary>
public enum ContactSource
{
    /// <summary>Addresses in invitations that the owner accepted.</summary>
    Invitation,
    /// <summary>The longest-lived neighbours of the last run.</summary>
    Anchors,
    /// <summary>The address book.</summary>
    AddressBook,
    /// <summary>Lists of known public peers, the shipped one and the owner's.</summary>
    Lists,
    /// <summary>Bundles that the owner loaded in this run; they are in the address book as well.</summary>
    Bundle,
    /// <summary>Meeting points outside the network.</summary>
    MeetingPoint,
}

/// <summary>One source of first contact, as it is now.</summary>
/// <param name="Source">Which.</param>
/// <param name="State">In words: "ready", "empty", "not available".</param>
/// <param name="Known">Addresses that it has.</param>
/// <param name="Attempts">Addresses of it that were tried since the start.</param>
/// <param name="Answered">How many of these answered.</param>
/// <param name="Share">The share of all attempts that it may use in the first 30 s; 1 for no bound.</param>
public sealed record ContactSourceView(ContactSource Source, string State, int Known, long Attempts, long Answered, double Share);

/// <summary>How first contact goes: an immutable picture.</summary>
/// <param name="NetworkIsUp">Whether there is a network at all; without one nothing is tried.</param>
/// <param name="IsLooking">Whether the node still tries addresses for lack of peers.</param>
/// <param name="FirstPeerAfter">How long after the start somebody answered first; null: nobody yet.</param>
/// <param name="EnoughPeersAfter">How long after the start there were enough peers in enough networks; null: not yet.</param>
/// <param name="Attempts">Addresses tried since the start.</param>
/// <param name="Sources">Source by source.</param>
/// <param name="NewAddresses">Addresses of the book where nobody answered yet.</param>
/// <param name="TriedAddresses">Addresses of the book where somebody answered.</param>
/// <param name="MeetingPoints">Meeting points by name; empty: none is available.</param>
public sealed record ContactView(
    bool NetworkIsUp, bool IsLooking, TimeSpan? FirstPeerAfter, TimeSpan? EnoughPeersAfter, long Attempts,
    IReadOnlyList<ContactSourceView> Sources, int NewAddresses, int TriedAddresses, IReadOnlyList<string> MeetingPoints);

/// <summary>What became of a bundle of addresses.</summary>
/// <param name="Refusal">Why it was refused, or none.</param>
/// <param name="Message">A sentence for people.</param>
/// <param name="Taken">Addresses that are new to us.</param>
/// <param name="Passed">Addresses that we knew, would not send to, or that exceed what one source may tell.</param>
public sealed record BundleResult(BundleRefusal Refusal, string Message, int Taken, int Passed);
