namespace Polder.Node.Operations.People;

/// <summary>How the graph is doing.</summary>
/// <param name="Address">Where gun.js applications find it; null where it is not served.</param>
/// <param name="PeerId">The node's name among gun peers.</param>
/// <param name="Peers">Connected gun peers.</param>
/// <param name="StoreBytes">Bytes in store.</param>
/// <param name="Applied">Writes since the start that changed something.</param>
/// <param name="Refused">Writes since the start that were refused.</param>
/// <param name="Held">Writes from the future that wait for their time.</param>
/// <param name="Healed">Writes that came in only because clients were asked back.</param>
/// <param name="MessagesIn">Messages since the start.</param>
public sealed record GraphStatusView(
    string? Address, string PeerId, IReadOnlyList<GraphPeerView> Peers, long StoreBytes, long Applied, long Refused, int Held, long Healed, long MessagesIn);

/// <summary>A connected gun peer.</summary>
/// <param name="Name">Its address.</param>
/// <param name="PeerId">The name that it gives itself; nobody vouches for it.</param>
/// <param name="Following">Nodes that it follows.</param>
/// <param name="MessagesIn">Messages from it.</param>
/// <param name="MessagesOut">Messages to it.</param>
public sealed record GraphPeerView(string Name, string? PeerId, int Following, long MessagesIn, long MessagesOut);

/// <summary>Souls in text order.</summary>
/// <param name="Souls">They.</param>
/// <param name="More">Whether there are more behind the last.</param>
public sealed record GraphSoulsView(IReadOnlyList<string> Souls, bool More);

/// <summary>A node.</summary>
/// <param name="Soul">Its soul.</param>
/// <param name="Owner">The public key that owns it; null for a node that anybody may write.</param>
/// <param name="Keys">Its keys in text order; deleted ones have the value null.</param>
/// <param name="More">Whether there are more behind the last.</param>
public sealed record GraphNodeView(string Soul, string? Owner, IReadOnlyList<GraphKeyView> Keys, bool More);

/// <summary>One key of a node.</summary>
/// <param name="Key">The key.</param>
/// <param name="State">What orders it: milliseconds since 1970.</param>
/// <param name="Value">JSON of the value that an application sees; a signed one is opened.</param>
/// <param name="Link">The soul that it links to, if it does.</param>
/// <param name="Author">Who signed it; null where nobody did.</param>
public sealed record GraphKeyView(string Key, double State, string Value, string? Link, string? Author);

/// <summary>One key as it is stored, for files.</summary>
/// <param name="Soul">The node.</param>
/// <param name="Key">The key.</param>
/// <param name="State">What orders it.</param>
/// <param name="Value">JSON of the stored value, signatures and all.</param>
public sealed record GraphEntryView(string Soul, string Key, double State, string Value);

/// <summary>Entries in text order of soul and key, and whether there are more.</summary>
public sealed record GraphEntriesView(IReadOnlyList<GraphEntryView> Entries, bool More);

/// <summary>What became of entries from a file.</summary>
/// <param name="Applied">They changed something.</param>
/// <param name="Known">They were older than what is here, or the same.</param>
/// <param name="Refused">The firewall refused them.</param>
/// <param name="Error">Why, for the first.</param>
public sealed record GraphMergeView(int Applied, int Known, int Refused, string? Error);

/// <summary>Changes behind a number, and the number to ask with next.</summary>
/// <param name="Version">Pass it the next time.</param>
/// <param name="Changes">What changed, oldest first.</param>
public sealed record GraphChangesView(long Version, IReadOnlyList<GraphChangeView> Changes);

/// <summary>One change.</summary>
/// <param name="Soul">The node.</param>
/// <param name="Key">What changed.</param>
public sealed record GraphChangeView(string Soul, GraphKeyView Key);

/// <summary>A write by the owner of this node.</summary>
/// <param name="Soul">The node; with an account, the path in its graph, or empty for its root.</param>
/// <param name="Key">The key.</param>
/// <param name="Value">JSON of the value: null, true, a number, a text in quotes, or {"#":"soul"}.</param>
/// <param name="Alias">The account that signs; null for a plain write.</param>
/// <param name="Passphrase">Its passphrase.</param>
public sealed record GraphPutRequest(string Soul, string Key, string Value, string? Alias = null, string? Passphrase = null)
{
    // A passphrase is in no log.
    private bool PrintMembers(System.Text.StringBuilder text)
    {
        text.Append(System.Globalization.CultureInfo.InvariantCulture, $"Soul = {Soul}, Key = {Key}");
        return true;
    }
}

/// <summary>An account by alias and passphrase.</summary>
/// <param name="Alias">Its alias; others may have the same.</param>
/// <param name="PublicKey">What tells it from others.</param>
/// <param name="Soul">The root of its graph.</param>
public sealed record GraphAccountView(string Alias, string PublicKey, string Soul);

/// <summary>What to do with an account.</summary>
/// <param name="Alias">Its alias.</param>
/// <param name="Passphrase">Its passphrase.</param>
/// <param name="NewPassphrase">The one to change to, where that is asked.</param>
public sealed record GraphAccountRequest(string Alias, string Passphrase, string? NewPassphrase = null)
{
    private bool PrintMembers(System.Text.StringBuilder text)
    {
        text.Append(System.Globalization.CultureInfo.InvariantCulture, $"Alias = {Alias}");
        return true;
    }
}
