using Polder.Node.Folders;
using Polder.Overlay;

namespace Polder.Node;

/// <summary>Everything about a node that may be chosen. Made once, never changed; a bad value is refused where it is set.</summary>
public sealed record NodeOptions
{
    /// <summary>The node's folder: key, database, peer cache. Default: "polder" in the user's data folder.</summary>
    public string Data
    {
        get;
        init => field = string.IsNullOrWhiteSpace(value) ? throw new ArgumentException("A folder is needed.", nameof(value)) : value;
    } = DataFolder.DefaultPath;

    /// <summary>UDP port. 0 to 65535, 0 for any free one; default 8090, IPv8's first.</summary>
    public int Port { get; init => field = PortNumber(value); } = 8090;

    /// <summary>TCP port of page and local API on 127.0.0.1. 0 to 65535, 0 for any free one; default 8080.</summary>
    public int Page { get; init => field = PortNumber(value); } = 8080;

    /// <summary>TCP port at which gun.js applications find the graph, ws://ADDRESS:PORT/gun. 0 for any free one; null, the default, for none.</summary>
    public int? Graph { get; init => field = value is { } port ? PortNumber(port) : null; }

    /// <summary>Address that <see cref="Graph"/> listens on. Default 127.0.0.1: this machine only. Anybody who reaches it may read and write.</summary>
    public string GraphAddress
    {
        get;
        init => field = System.Net.IPAddress.TryParse(value, out _) ? value : throw new ArgumentException("An IP address is needed, such as 127.0.0.1 or 0.0.0.0.", nameof(value));
    } = "127.0.0.1";

    /// <summary>Topics of the graph of which older writes are kept. Default none.</summary>
    public IReadOnlyList<string> GraphHistory { get; init; } = [];

    /// <summary>Disk that the graph may take in all; half of it for what others bring. At least 1 MB; default 10 GiB.</summary>
    public long GraphDiskMax { get; init => field = value >= 1L << 20 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "At least 1 MB."); } = 10L << 30;

    /// <summary>Addresses of nodes to walk to at the start, "HOST:PORT"; default none. Names are looked up at the start.</summary>
    public IReadOnlyList<string> Join
    {
        get;
        init
        {
            foreach (var address in value) JoinAddress.Check(address);
            field = value;
        }
    } = [];

    /// <summary>Files with known public peers, one "HOST:PORT" a line, beside the list that is shipped; default none. Read at the start.</summary>
    public IReadOnlyList<string> Lists { get; init; } = [];

    /// <summary>127.0.0.1 only: no local network, no port mapping, no outside bootstrap. Default false.</summary>
    public bool Loopback { get; init; }

    /// <summary>Whether neighbours in the local network are looked for by multicast. Never under <see cref="Loopback"/>. Default true.</summary>
    public bool Lan { get; init; } = true;

    /// <summary>Whether the router is asked to map our UDP port (PCP, NAT-PMP, UPnP). Never under <see cref="Loopback"/>. Default true.</summary>
    public bool PortMapping { get; init; } = true;

    /// <summary>Opens (and seals) the key file; null or empty for a plain one. From POLDER_PASSPHRASE only; never shown.</summary>
    public string? Passphrase { get; init; }

    /// <summary>Threads for heavy work such as verifying chains. 0 to 64, 0 for one a processor; default 0.</summary>
    public int Workers
    {
        get;
        init => field = value is >= 0 and <= 64 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "Allowed: 0 to 64.");
    }

    /// <summary>
    /// The owner's word that signing goes on although the end of the own chain may be lost. Only when no peer is left who
    /// could have it: if one does, this forks the chain and ruins the key. Holds for good once a node was started with it. Default false.
    /// </summary>
    public bool SignAnyway { get; init; }

    /// <summary>Whether everybody's chains are fetched, politely: crawler mode. Default false.</summary>
    public bool CrawlEverything { get; init; }

    /// <summary>Bytes a second that spreading new blocks and proofs of fraud may send. 1,000 to 100,000,000; null for the ledger's default, 8,000.</summary>
    public int? SpreadBytesPerSecond
    {
        get;
        init => field = value is null or (>= 1_000 and <= 100_000_000) ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "Allowed: 1000 to 100000000.");
    }

    /// <summary>
    /// Where the blocks of others live: "sqlite", the node's own database, or postgres://USER:PASSWORD@HOST/DATABASE, which several nodes
    /// and computations may share. The own chain is in the node's own database in any case. Default "sqlite".
    /// </summary>
    public string LedgerStore
    {
        get;
        init
        {
            if (value != SqliteStore) _ = Storage.PostgresAddress.Parse(value);
            field = value;
        }
    } = SqliteStore;

    /// <summary>The <see cref="LedgerStore"/> that is the node's own.</summary>
    public const string SqliteStore = "sqlite";

    /// <summary>Bytes of disk that blocks may take; at least 16 MB, null for no limit. Default null. See <see cref="Polder.Ledger.TrustChainOptions.DiskBytesMax"/>.</summary>
    public long? LedgerDiskMax { get; init => field = value is null or >= 16L << 20 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "At least 16 MB."); }

    /// <summary>Blocks kept of strangers before the oldest give way; at least 1,000, null for 1,000,000. Default null.</summary>
    public long? LedgerBlocksMax { get; init => field = value is null or >= 1_000 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "At least 1000."); }

    /// <summary>Letters: how long they are tried, who carries them, and how much is carried for others.</summary>
    public Polder.Apps.Bundles.MailOptions Mail { get; init; } = new();

    /// <summary>TCP port of a mailbox server for stock programs and our own; 0 for any free one, null for none. Default null.</summary>
    public int? MailboxPort { get; init => field = value is { } port ? PortNumber(port) : null; }

    /// <summary>TCP port of a transit relay; 0 for any free one, null for none. Default null.</summary>
    public int? RelayPort { get; init => field = value is { } port ? PortNumber(port) : null; }

    /// <summary>Who may list the numbers in use at our mailbox server. Default: visitors from this machine and private networks.</summary>
    public Apps.Parcels.Mailbox.MailboxListing MailboxListing { get; init; } = Apps.Parcels.Mailbox.MailboxListing.Nearby;

    /// <summary>Bytes a second that our relay moves in all; null for no limit. Default null.</summary>
    public long? RelayBytesPerSecond { get; init => field = value is null or >= 1_000 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "At least 1000."); }

    /// <summary>Bytes in a month that our relay moves; null for no limit. Default null.</summary>
    public long? RelayMonthMax { get; init => field = value is null or >= 1 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "At least 1."); }

    /// <summary>The mailbox server that polder send and receive meet at unless told otherwise, ws://HOST:PORT/v1; null for none. Default null.</summary>
    public string? ParcelMailbox { get; init; }

    /// <summary>The relay that polder send and receive use unless told otherwise, HOST:PORT; null for none. Default null.</summary>
    public string? ParcelRelay { get; init; }

    /// <summary>Limits and intervals of the overlay.</summary>
    public OverlayOptions Overlay { get; init; } = new();

    /// <summary>The overlay's options as they hold for this node: a node on loopback talks to loopback addresses.</summary>
    internal OverlayOptions EffectiveOverlay => Loopback ? Overlay.ForLaboratory() : Overlay;

    // A passphrase is in no log, whatever prints these options.
    private bool PrintMembers(System.Text.StringBuilder text)
    {
        text.Append(System.Globalization.CultureInfo.InvariantCulture, $"Data = {Data}, Port = {Port}, Page = {Page}, Loopback = {Loopback}");
        return true;
    }

    private static int PortNumber(int value) =>
        value is >= 0 and <= 65535 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "A port is a number from 0 to 65535.");
}
