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

/// <summary>Topics that are kept together with other nodes.</summary>
public sealed record GraphTopicsView(IReadOnlyList<GraphTopicView> Topics);

/// <summary>One topic.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Souls">Nodes in it.</param>
/// <param name="Entries">Entries in it.</param>
/// <param name="State">"reading", "ready", or "too large" to be exchanged.</param>
/// <param name="Peers">Who keeps it too, as far as this run has heard.</param>
public sealed record GraphTopicView(string Name, int Souls, long Entries, string State, IReadOnlyList<GraphHolderView> Peers);

/// <summary>A peer that keeps a topic too.</summary>
/// <param name="Key">Its public key.</param>
/// <param name="Name">Its name among the contacts; null for somebody else.</param>
/// <param name="IsConnected">Whether there is a conversation about the topic now.</param>
/// <param name="WasLevel">Whether it held all that is here at some moment of this run.</param>
public sealed record GraphHolderView(string Key, string? Name, bool IsConnected, bool WasLevel);

/// <summary>A topic to keep, or to keep no longer.</summary>
public sealed record GraphTopicRequest(string Topic, bool Leave = false);

/// <summary>Where what stands at a key is besides here.</summary>
/// <param name="Topics">The topics that it is in; none: it is local only.</param>
/// <param name="Holders">Peers who said that it is durable there, or compared level since.</param>
/// <param name="IsMet">Whether what was waited for has come true; null where nothing was asked.</param>
public sealed record GraphCopiesView(IReadOnlyList<string> Topics, IReadOnlyList<GraphHolderView> Holders, bool? IsMet);

/// <summary>Shares of an account's recovery key: each is for one helper, and is shown once.</summary>
public sealed record GraphSharesView(int Needed, IReadOnlyList<string> Shares);

/// <summary>Recovery shares to make.</summary>
public sealed record GraphSharesRequest(string Alias, string Passphrase, int Needed, int Count)
{
    private bool PrintMembers(System.Text.StringBuilder text)
    {
        text.Append(System.Globalization.CultureInfo.InvariantCulture, $"Alias = {Alias}");
        return true;
    }
}

/// <summary>A way back into an account by shares.</summary>
/// <param name="Alias">The account's alias, or "~" and its public key where several have that.</param>
/// <param name="Shares">Enough shares.</param>
/// <param name="NewPassphrase">The passphrase from now on.</param>
public sealed record GraphRecoveryRequest(string Alias, IReadOnlyList<string> Shares, string NewPassphrase)
{
    private bool PrintMembers(System.Text.StringBuilder text)
    {
        text.Append(System.Globalization.CultureInfo.InvariantCulture, $"Alias = {Alias}");
        return true;
    }
}

/// <summary>Under what name an account knows a key.</summary>
/// <param name="Alias">Who says so.</param>
/// <param name="Passphrase">Its passphrase.</param>
/// <param name="PublicKey">The key.</param>
/// <param name="Name">The name; null takes it back.</param>
public sealed record GraphTrustRequest(string Alias, string Passphrase, string PublicKey, string? Name)
{
    private bool PrintMembers(System.Text.StringBuilder text)
    {
        text.Append(System.Globalization.CultureInfo.InvariantCulture, $"Alias = {Alias}, PublicKey = {PublicKey}, Name = {Name}");
        return true;
    }
}

/// <summary>Keys that are known under a name, at the nearest distance where any is; several when those who know disagree.</summary>
public sealed record GraphKnownKeysView(IReadOnlyList<GraphKnownKeyView> Keys);

/// <summary>A key that is known under a name.</summary>
/// <param name="PublicKey">The key.</param>
/// <param name="Distance">1: the account says so itself; 2: somebody whom it knows; and so on.</param>
/// <param name="Introducers">Keys of those who say so.</param>
public sealed record GraphKnownKeyView(string PublicKey, int Distance, IReadOnlyList<string> Introducers);
