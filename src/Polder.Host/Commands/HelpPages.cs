using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Polder.Host.Commands;

/// <summary>Help for newcomers: commands grouped by what one wants to do, and examples beneath each.</summary>
internal sealed class HelpPages(Terminal terminal) : SynchronousCommandLineAction
{
    private const string Overview = """
        Polder: a node that meets peers with nobody in the middle, signs records of help with them,
        and shows whom to trust.

        Begin here
          polder lab 8            eight nodes on this machine meet, work and judge: the idea in thirty seconds
          polder run              start my node and its page; the first time it makes my identity

        Sending
          polder send PATH…       files and folders to whom I tell a code; --text TEXT for a text
          polder receive CODE     take what somebody sends; works with Magic Wormhole's programs too

        My node
          polder id               who I am
          polder peers            who is there
          polder doctor [PEER]    how I am connected, why so, and what would improve it
          polder config           every setting, its value, and where that comes from
          polder backup FILE      my identity and my records in one file
          polder restore FILE     put them back

        Meeting others
          polder invite           one text or QR code with which somebody reaches me; it works once
          polder join WHAT        take an invitation (peer:…), or ask at HOST:PORT
          polder contact          the people I know: add WHAT, list, show NAME, card, introduce NAME OTHER
          polder connect PEER     get through to a peer by every way there is
          polder bundle export FILE  letters, contacts, blocks and addresses in a file; import FILE
          polder mailbag          where my letters are, and what I carry for others
          polder tag              overlays by name, each with a budget: join NAME, leave NAME
          polder dht get KEY      small values that the nodes keep: put VALUE, find KEY

        Talking
          polder chat NAME [TEXT] say something to a contact or a group; without TEXT the conversation
          polder chat list        all conversations; search WORDS, group create|add|remove|leave GROUP

        Shared data
          polder run --graph PORT my node as the only peer of a gun.js application: ws://127.0.0.1:PORT/gun
          polder graph get SOUL   what it keeps; put, watch, export FILE, import FILE, account

        Records of help
          polder record PEER      propose a record: --gave or --got AMOUNT, --for TEXT
          polder inbox            proposals that wait for my word; accept ID, refuse ID, --all
          polder chain [PEER]     a chain, mine or a peer's: what is valid, and why not
          polder chain import FILE  check blocks that were made elsewhere, and keep the good ones
          polder chain check FILE…  only check them: no node, nothing kept
          polder block PEER.NUMBER  one block with both halves
          polder crawl PEER       ask a peer for its chain; --all: everybody for everybody's
          polder ledger stats     everybody's records in figures; search TEXT, verify
          polder ledger export FILE  everything for other programs (CSV, JSON lines, PostgreSQL); import FILE

        Trust
          polder trust [PEER]     the ranking from my own point of view; --why shows what is behind a score
          polder fraud            proven frauds; export PEER FILE, check FILE, import FILE

        Laboratory
          polder sim [NAME]       a scenario in the simulator, repeatable from its seed
          polder sim attack [NAME]  an attack on trust: what it gains, beside the bound; experiment R1 to R9
          polder bench [NAME]     what this machine does in a second, beside its limit

        A PEER is a short name (ab-cd-ef-gh-ij), a public key in hex, or the beginning of either.
        An AMOUNT is 25MB (B, KB, MB, GB, TB; 1 MB = 2^20 bytes), or a number with --unit hours.

        Everywhere
          --data DIR              the node's folder (default: $XDG_DATA_HOME/polder, else ~/.local/share/polder)
          --json                  answers for scripts
          --help                  more about a command: polder record --help

        Exit codes: 0 done, 1 our failure, 2 bad input, 3 not found, 4 conflict, 5 unavailable.
        """;

    private static readonly Dictionary<string, string[]> Examples = new(StringComparer.Ordinal)
    {
        ["run"] =
        [
            "polder run", "polder run --join 192.0.2.7:8090", "polder run --data ~/second --port 8190 --page 8195 --loopback", "polder run --crawl",
        ],
        ["send"] = ["polder send photo.jpg", "polder send holiday/ notes.txt --mailbox ws://192.0.2.7:4000/v1 --relay 192.0.2.7:4001", "polder send --text \"see you at eight\""],
        ["receive"] = ["polder receive 7-crossover-clockwork", "polder receive 7-crossover-clockwork --yes --out downloads"],
        ["id"] = ["polder id", "polder id --json"],
        ["peers"] = ["polder peers", "polder peers --json"],
        ["doctor"] = ["polder doctor", "polder doctor ab-cd-ef-gh-ij", "polder doctor --json"],
        ["connect"] = ["polder connect ab-cd-ef-gh-ij"],
        ["invite"] = ["polder invite", "polder invite --days 1"],
        ["join"] = ["polder join peer:ABCDEF…", "polder join 192.0.2.7:8090"],
        ["contacts"] = ["polder contacts"],
        ["bundle"] = ["polder bundle export stick.bundle --for bob", "polder bundle export for-everybody.bundle", "polder bundle import stick.bundle"],
        ["mailbag"] = ["polder mailbag", "polder mailbag --json"],
        ["contact"] = ["polder contact add --qr picture.png --name Anna", "polder contact list", "polder contact show Anna", "polder contact card --name Ben", "polder contact verify Anna", "polder contact introduce Anna Carla"],
        ["contact add"] = ["polder contact add peer:ABCDEF…", "polder contact add --qr picture.png --name Anna --verified", "polder contact add 4c69624e61434c504b3a…"],
        ["contact code"] = ["polder contact code", "polder contact code 4711-crossover-clockwork-adult"],
        ["contact list"] = ["polder contact list", "polder contact list --json"],
        ["contact show"] = ["polder contact show Anna"],
        ["contact remove"] = ["polder contact remove Anna"],
        ["contact note"] = ["polder contact note Anna met her in the library", "polder contact note Anna --add likes tea", "polder contact note Anna"],
        ["contact verify"] = ["polder contact verify Anna", "polder contact verify Anna 04127 88210 31337 00042 91827 55512"],
        ["contact export"] = ["polder contact export contacts.json", "polder contact export for-ben.json --shared"],
        ["contact import"] = ["polder contact import contacts.json"],
        ["tag"] = ["polder tag", "polder tag join gardening --budget 8 --neighbours 12", "polder tag leave gardening"],
        ["dht"] = ["polder dht put \"hello\"", "polder dht put @card.txt --name card", "polder dht get card", "polder dht put \"I grow beans\" --topic gardening", "polder dht find gardening", "polder dht find ab-cd-ef-gh-ij"],
        ["record"] =
        [
            "polder record ab-cd-ef-gh-ij --gave 25MB --for \"storing a file\"",
            "polder record ab-cd-ef-gh-ij --got 2 --unit answers --for \"a question about NAT\"",
        ],
        ["inbox"] = ["polder inbox", "polder inbox accept 3fa9c1d2", "polder inbox refuse --all"],
        ["chain"] = ["polder chain", "polder chain ab-cd-ef-gh-ij --json", "polder chain import tests/vectors/trustchain/trustchain_blocks.json"],
        ["check"] = ["polder chain check tests/vectors/trustchain/trustchain_validation.json", "polder chain check block.bin --json"],
        ["seal"] = ["polder id seal", "polder id seal --data ~/second"],
        ["unseal"] = ["polder id unseal"],
        ["import"] = ["polder chain import tests/vectors/trustchain/trustchain_blocks.json"],
        ["block"] = ["polder block ab-cd-ef-gh-ij.7"],
        ["crawl"] = ["polder crawl ab-cd-ef-gh-ij", "polder crawl --all", "polder crawl --stop"],
        ["fraud"] = ["polder fraud", "polder fraud export ab-cd-ef-gh-ij ab.polder-fraud", "polder fraud check ab.polder-fraud", "polder fraud import ab.polder-fraud"],
        ["fraud export"] = ["polder fraud export ab-cd-ef-gh-ij ab.polder-fraud", "polder fraud export ab-cd-ef-gh-ij - | polder fraud check -"],
        ["fraud check"] = ["polder fraud check ab.polder-fraud", "polder fraud check - --json"],
        ["fraud import"] = ["polder fraud import ab.polder-fraud"],
        ["fraud list"] = ["polder fraud list --json"],
        ["trust"] = ["polder trust", "polder trust ab-cd-ef-gh-ij --why", "polder trust --by meritrank --unit hours"],
        ["score"] = ["polder trust score tests/vectors/economy/reputation.json --by netflow2 pht --stop 0.15", "polder trust score records.csv --observer alice --json"],
        ["ledger"] = ["polder ledger stats", "polder ledger export ledger.csv", "polder ledger import ledger.csv --data ~/second", "polder ledger export - --format copy | psql research"],
        ["stats"] = ["polder ledger stats", "polder ledger stats --days 365 --json"],
        ["verify"] = ["polder ledger verify", "polder ledger verify --from 1200000"],
        ["export"] = ["polder ledger export ledger.csv", "polder ledger export ledger.sql", "polder ledger export - --format json --without-blocks | head"],
        ["backup"] = ["polder backup ~/polder.backup"],
        ["restore"] = ["polder restore ~/polder.backup --data ~/restored"],
        ["lab"] = ["polder lab 8", "polder lab 5 --seed 7 --seconds 20 --json"],
        ["sim"] = ["polder sim", "polder sim walk --seed 7", "polder sim evening.txt --seed 7 --html evening.html", "polder sim attack sybil", "polder sim experiment R5"],
        ["attack"] = ["polder sim attack", "polder sim attack sybil --variant cycle --max 100 --seed 7", "polder sim attack traitor --csv traitor.csv --html traitor.html"],
        ["experiment"] = ["polder sim experiment", "polder sim experiment R5 --seed 7", "polder sim experiment R3 --full --html r3.html"],
        ["graph follow"] = ["polder graph follow notes", "polder graph follow ~@ada"],
        ["graph unfollow"] = ["polder graph unfollow notes"],
        ["graph topics"] = ["polder graph topics", "polder graph topics --json"],
        ["graph copies"] = ["polder graph copies notes title", "polder graph copies notes title --with alice --wait 60"],
        ["account shares"] = ["polder graph account shares ada --need 3 --of 5"],
        ["account recover"] = ["polder graph account recover ada share-… share-… share-…"],
        ["trust find"] = ["polder graph trust find bob --as ada"],
        ["bench"] = ["polder bench", "polder bench blocks --json"],
        ["config"] = ["polder config", "polder config --json"],
    };

    private readonly HelpAction _usual = new();

    /// <summary>What <c>polder</c> alone shows.</summary>
    public static int WriteOverview(Terminal terminal)
    {
        foreach (var line in Overview.Split('\n'))
            terminal.Say(line.Length > 0 && line[0] != ' ' && line.Length < 30 ? terminal.Strong(line) : line);
        return CommandLine.Done;
    }

    /// <inheritdoc/>
    public override bool ClearsParseErrors => true;

    /// <inheritdoc/>
    public override int Invoke(ParseResult parseResult)
    {
        var command = parseResult.CommandResult.Command;
        if (command is RootCommand) return WriteOverview(terminal);
        var code = _usual.Invoke(parseResult);
        var parent = command.Parents.OfType<Command>().FirstOrDefault()?.Name;
        if (Examples.TryGetValue(parent + " " + command.Name, out var lines) || Examples.TryGetValue(command.Name, out lines))
        {
            terminal.Say("Examples:");
            foreach (var line in lines) terminal.Say("  " + line);
        }
        return code;
    }
}
