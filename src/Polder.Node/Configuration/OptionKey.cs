using System.Globalization;
using Polder.Overlay;

namespace Polder.Node.Configuration;

/// <summary>One option as files, environment and command line know it.</summary>
/// <param name="Name">Dotted: "port", "overlay.peersMax".</param>
/// <param name="Help">What it is, with unit and range.</param>
/// <param name="Read">The value as text.</param>
/// <param name="With">The options with another value; throws <see cref="ArgumentException"/> or <see cref="FormatException"/> for a bad one.</param>
public sealed record OptionKey(string Name, string Help, Func<NodeOptions, string> Read, Func<NodeOptions, string, NodeOptions> With)
{
    /// <summary>Not shown, and not taken from files or the command line.</summary>
    public bool IsSecret { get; init; }

    /// <summary>"POLDER_OVERLAY_PEERS_MAX".</summary>
    public string EnvironmentName
    {
        get
        {
            var name = new System.Text.StringBuilder("POLDER_");
            foreach (var letter in Name)
            {
                if (letter == '.') name.Append('_');
                else if (char.IsAsciiLetterUpper(letter)) name.Append('_').Append(letter);
                else name.Append(char.ToUpperInvariant(letter));
            }
            return name.ToString();
        }
    }
}

/// <summary>All options that can be configured, in the order in which they are shown.</summary>
public static class OptionKeys
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<OptionKey> All { get; } =
    [
        new("data", "The node's folder: key, database, peer cache.", o => o.Data, (o, v) => o with { Data = v }),
        Number("port", "UDP port, 0 to 65535; 0 for any free one.", o => o.Port, (o, v) => o with { Port = v }),
        Number("page", "Port of page and local API on 127.0.0.1, 0 to 65535; 0 for any free one.", o => o.Page, (o, v) => o with { Page = v }),
        new("graph", "Port at which gun.js applications find the graph (ws://127.0.0.1:PORT/gun), 0 for any free one; none for none.", o => o.Graph?.ToString(CultureInfo.InvariantCulture) ?? "none",
            (o, v) => o with { Graph = v == "none" ? null : ParseNumber(v) }),
        new("graph.address", "Address that the graph's port listens on. 127.0.0.1 is this machine only; anybody who reaches it may read and write.", o => o.GraphAddress, (o, v) => o with { GraphAddress = v }),
        new("graph.history", "Topics of the graph whose older writes are kept, separated by commas. Default none.", o => string.Join(',', o.GraphHistory),
            (o, v) => o with { GraphHistory = v.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) }),
        new("graph.diskMax", "Disk that the graph may take, such as 10GB (at least 1MB); half of it for what others bring.", o => Size(o.GraphDiskMax),
            (o, v) => o with { GraphDiskMax = ParseSize(v) ?? throw new FormatException("It is a size, such as 10GB.") }),
        new("join", "Nodes to walk to at the start: HOST:PORT, several with commas between.", o => string.Join(',', o.Join),
            (o, v) => o with { Join = v.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) }),
        new("lists", "Files with known public peers, one HOST:PORT a line; several with commas between.", o => string.Join(',', o.Lists),
            (o, v) => o with { Lists = v.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) }),
        Flag("loopback", "127.0.0.1 only: no local network, no port mapping, no outside bootstrap.", o => o.Loopback, (o, v) => o with { Loopback = v }),
        Flag("lan", "Whether neighbours in the local network are looked for by multicast.", o => o.Lan, (o, v) => o with { Lan = v }),
        Flag("portMapping", "Whether the router is asked to map the UDP port (PCP, NAT-PMP, UPnP).", o => o.PortMapping, (o, v) => o with { PortMapping = v }),
        Number("workers", "Threads for heavy work, 0 to 64; 0 for one a processor.", o => o.Workers, (o, v) => o with { Workers = v }),
        Flag("signAnyway", "Sign although the end of the own chain may be lost. Only when no peer is left who has it: else this ruins the key.",
            o => o.SignAnyway, (o, v) => o with { SignAnyway = v }),
        Flag("ledger.crawlEverything", "Crawler mode: fetch everybody's chains, politely, and keep on.", o => o.CrawlEverything, (o, v) => o with { CrawlEverything = v }),
        Number("ledger.spreadBytesPerSecond", "Bytes a second for spreading new blocks and proofs of fraud, 1000 to 100000000.",
            o => o.SpreadBytesPerSecond ?? new Ledger.Dissemination.DisseminationOptions().BytesPerSecond, (o, v) => o with { SpreadBytesPerSecond = v }),
        new("ledger.store", "Where the blocks of others live: sqlite, or postgres://USER:PASSWORD@HOST/DATABASE to share a crawl.", o => Storage.PostgresAddress.Shown(o.LedgerStore),
            (o, v) => o with { LedgerStore = v }),
        new("ledger.diskMax", "Disk that blocks may take, such as 20GB (at least 16MB); none for no limit. Strangers' oldest give way.", o => Size(o.LedgerDiskMax), (o, v) => o with { LedgerDiskMax = ParseSize(v) }),
        new("ledger.blocksMax", "Blocks kept of strangers before the oldest give way, at least 1000; none for the default.", o => o.LedgerBlocksMax?.ToString(CultureInfo.InvariantCulture) ?? "none",
            (o, v) => o with { LedgerBlocksMax = v == "none" ? null : long.TryParse(v, NumberStyles.None, CultureInfo.InvariantCulture, out var blocks) ? blocks : throw new FormatException("It is a whole number, or none.") }),
        .. MailKeys,
        new("parcels.mailboxPort", "TCP port of a mailbox server for polder send and Magic Wormhole's programs, 0 for any free one; none for no server.", o => Optional(o.MailboxPort), (o, v) => o with { MailboxPort = v == "none" ? null : ParseNumber(v) }),
        new("parcels.relayPort", "TCP port of a transit relay for them, 0 for any free one; none for no relay.", o => Optional(o.RelayPort), (o, v) => o with { RelayPort = v == "none" ? null : ParseNumber(v) }),
        new("parcels.listing", "Who may list the numbers in use at the mailbox server: nobody, nearby or everybody.", o => o.MailboxListing.ToString().ToLowerInvariant(),
            (o, v) => o with { MailboxListing = Enum.TryParse<Apps.Parcels.Mailbox.MailboxListing>(v, ignoreCase: true, out var listing) && Enum.IsDefined(listing) ? listing : throw new FormatException("It is nobody, nearby or everybody.") }),
        new("parcels.relayRate", "What the relay moves in a second, such as 2MB; none for no limit.", o => Size(o.RelayBytesPerSecond), (o, v) => o with { RelayBytesPerSecond = ParseSize(v) }),
        new("parcels.relayMonth", "What the relay moves in a month, such as 100GB; none for no limit.", o => Size(o.RelayMonthMax), (o, v) => o with { RelayMonthMax = ParseSize(v) }),
        new("parcels.mailbox", "The mailbox server that polder send and receive meet at, ws://HOST:PORT/v1; none for no server.", o => o.ParcelMailbox ?? "none", (o, v) => o with { ParcelMailbox = v == "none" ? null : v }),
        new("parcels.relay", "The relay that polder send and receive use, HOST:PORT; none for no relay.", o => o.ParcelRelay ?? "none", (o, v) => o with { ParcelRelay = v == "none" ? null : v }),
        new("passphrase", "Opens the key file, and seals a new one. Environment only.", _ => "", (o, v) => o with { Passphrase = v }) { IsSecret = true },
        Overlay("peersMax", "Peers known by key, 8 to 100000.", o => o.PeersMax, (o, v) => o with { PeersMax = v }),
        Overlay("peersWanted", "Below so many peers a community walks at full pace, 1 to 10000.", o => o.PeersWanted, (o, v) => o with { PeersWanted = v }),
        Overlay("connectedMax", "Peers kept connected, 1 to 10000.", o => o.ConnectedMax, (o, v) => o with { ConnectedMax = v }),
        Overlay("neighboursWanted", "Neighbours kept, 1 to 200.", o => o.NeighboursWanted, (o, v) => o with { NeighboursWanted = v }),
        Overlay("requestsMax", "Requests waiting for an answer, 16 to 32768.", o => o.RequestsMax, (o, v) => o with { RequestsMax = v }),
        Time("stepInterval", "Time between two steps of a walk, at least 10 ms.", o => o.StepInterval, (o, v) => o with { StepInterval = v }),
        Time("idleInterval", "Time between two steps once enough peers are known, at least 10 ms.", o => o.IdleInterval, (o, v) => o with { IdleInterval = v }),
        Time("pingInterval", "Time between two pings of a silent peer, at least 100 ms.", o => o.PingInterval, (o, v) => o with { PingInterval = v }),
        Time("discouragedFor", "How long a peer that broke the protocol is ignored, at least 1 s.", o => o.DiscouragedFor, (o, v) => o with { DiscouragedFor = v }),
        new("overlay.introducesForeign", "Whether strangers of other communities are introduced to each other.",
            o => Text(o.Overlay.IntroducesForeign), (o, v) => o with { Overlay = o.Overlay with { IntroducesForeign = ParseFlag(v) } }),
    ];

    private static OptionKey[] MailKeys =>
    [
        Number("mail.days", "How long a letter is tried, in days, 1 to 30.", o => (int)o.Mail.Lifetime.TotalDays, (o, v) => o with { Mail = o.Mail with { Lifetime = TimeSpan.FromDays(v) } }),
        Number("mail.copies", "Copies of a letter that others may hold at the same time, 0 to 16; 0: letters go to their receivers only.", o => o.Mail.Copies, (o, v) => o with { Mail = o.Mail with { Copies = v } }),
        Flag("mail.useStrangers", "Whether own letters are given to strangers, sealed, when friends do not bring them on.", o => o.Mail.UsesStrangers, (o, v) => o with { Mail = o.Mail with { UsesStrangers = v } }),
        Flag("mail.carryForFriends", "Whether contacts' letters are carried.", o => o.Mail.CarriesForFriends, (o, v) => o with { Mail = o.Mail with { CarriesForFriends = v } }),
        Flag("mail.carryForStrangers", "Whether strangers' letters are carried, within their quota.", o => o.Mail.CarriesForStrangers, (o, v) => o with { Mail = o.Mail with { CarriesForStrangers = v } }),
        Flag("mail.tellCommonFriends", "Whether a contact who asks us to carry a letter is told that its receiver is our contact, too.", o => o.Mail.TellsCommonFriends, (o, v) => o with { Mail = o.Mail with { TellsCommonFriends = v } }),
        new("mail.carriedMax", "Room for all letters of others, such as 64MB.", o => Size(o.Mail.CarriedBytesMax), (o, v) => o with { Mail = o.Mail with { CarriedBytesMax = Room(v) } }),
        new("mail.friendMax", "Room for the letters of one contact, such as 16MB.", o => Size(o.Mail.FriendBytesMax), (o, v) => o with { Mail = o.Mail with { FriendBytesMax = Room(v) } }),
        new("mail.strangersMax", "Room for the letters of all strangers together, such as 16MB.", o => Size(o.Mail.StrangersBytesMax), (o, v) => o with { Mail = o.Mail with { StrangersBytesMax = Room(v) } }),
        new("mail.strangerMax", "Room for the letters of one stranger, such as 1MB.", o => Size(o.Mail.StrangerBytesMax), (o, v) => o with { Mail = o.Mail with { StrangerBytesMax = Room(v) } }),
        Number("mail.strangerDays", "How long a stranger's letter is carried, in days, 1 to 30.", o => (int)o.Mail.StrangerAge.TotalDays,
            (o, v) => o with { Mail = o.Mail with { StrangerAge = v is >= 1 and <= 30 ? TimeSpan.FromDays(v) : throw new FormatException("From 1 to 30.") } }),
    ];

    /// <summary>The option of that name, upper or lower case; null when there is none.</summary>
    public static OptionKey? Find(string name) => All.FirstOrDefault(key => key.Name.Equals(name, StringComparison.OrdinalIgnoreCase));

    /// <summary>The name that a mistyped one most likely meant.</summary>
    public static string Nearest(string name, IEnumerable<string> known) =>
        known.MinBy(candidate => Distance(name.ToUpperInvariant(), candidate.ToUpperInvariant()))!;

    private static OptionKey Number(string name, string help, Func<NodeOptions, int> read, Func<NodeOptions, int, NodeOptions> with) =>
        new(name, help, o => read(o).ToString(CultureInfo.InvariantCulture), (o, v) => with(o, ParseNumber(v)));

    private static OptionKey Flag(string name, string help, Func<NodeOptions, bool> read, Func<NodeOptions, bool, NodeOptions> with) =>
        new(name, help, o => Text(read(o)), (o, v) => with(o, ParseFlag(v)));

    private static OptionKey Overlay(string name, string help, Func<OverlayOptions, int> read, Func<OverlayOptions, int, OverlayOptions> with) =>
        Number("overlay." + name, help, o => read(o.Overlay), (o, v) => o with { Overlay = with(o.Overlay, v) });

    private static OptionKey Time(string name, string help, Func<OverlayOptions, TimeSpan> read, Func<OverlayOptions, TimeSpan, OverlayOptions> with) =>
        new("overlay." + name, help, o => Text(read(o.Overlay)), (o, v) => o with { Overlay = with(o.Overlay, ParseTime(v)) });

    private static string Optional(int? value) => value?.ToString(CultureInfo.InvariantCulture) ?? "none";

    private static string Text(bool value) => value ? "true" : "false";

    private static string Text(TimeSpan value) => value.TotalSeconds < 1
        ? string.Create(CultureInfo.InvariantCulture, $"{value.TotalMilliseconds}ms")
        : string.Create(CultureInfo.InvariantCulture, $"{value.TotalSeconds}s");

    private static readonly (string Unit, long Bytes)[] Sizes = [("TB", 1L << 40), ("GB", 1L << 30), ("MB", 1L << 20), ("KB", 1L << 10), ("B", 1)];

    private static string Size(long? bytes)
    {
        if (bytes is not { } value) return "none";
        foreach (var (unit, size) in Sizes)
            if (value % size == 0) return string.Create(CultureInfo.InvariantCulture, $"{value / size}{unit}");
        return "none";
    }

    private static long? ParseSize(string text)
    {
        if (text == "none") return null;
        foreach (var (unit, size) in Sizes)
            if (text.EndsWith(unit, StringComparison.OrdinalIgnoreCase) && long.TryParse(text.AsSpan(0, text.Length - unit.Length).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var value)
                && value <= long.MaxValue / size) return value * size;
        throw new FormatException("It is a size: 500MB, 20GB, 1TB; or none.");
    }

    private static long Room(string text) => ParseSize(text) is { } bytes and <= 1L << 40 ? bytes : throw new FormatException("It is a size up to 1TB: 0B, 64MB, 2GB.");

    private static int ParseNumber(string text) =>
        int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) ? value : throw new FormatException("It is a whole number.");

    private static bool ParseFlag(string text) => text.ToUpperInvariant() switch
    {
        "TRUE" or "YES" or "ON" or "1" => true,
        "FALSE" or "NO" or "OFF" or "0" => false,
        _ => throw new FormatException("It is true or false."),
    };

    private static TimeSpan ParseTime(string text)
    {
        (string Unit, double Seconds)[] units = [("ms", 0.001), ("min", 60), ("s", 1), ("h", 3600)];
        foreach (var (unit, seconds) in units)
            if (text.EndsWith(unit, StringComparison.Ordinal)
                && double.TryParse(text.AsSpan(0, text.Length - unit.Length), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value)
                && value * seconds < TimeSpan.MaxValue.TotalSeconds / 2)
                return TimeSpan.FromSeconds(value * seconds);
        throw new FormatException("It is a duration: 500ms, 2s, 10min, 1h.");
    }

    // Levenshtein: how many letters have to be changed.
    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var above = row[j];
                row[j] = Math.Min(Math.Min(row[j], row[j - 1]) + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1));
                diagonal = above;
            }
        }
        return row[b.Length];
    }
}
