using System.Diagnostics;
using System.Globalization;

namespace Polder.Lab;

/// <summary>The matrix for people: progress on the terminal, a table at the end, CSV and markdown in files.</summary>
internal static class MatrixCommand
{
    private const string Help = """
        ./x natlab [WHAT] [OPTIONS]
          WHAT        plain (default: our node with py-ipv8's peers, and these among themselves) | full (ours among themselves) | ours-plain | py
          --kinds K   comma-separated: public,full,addr,port,portrnd,port+portrnd,fw,adm,sym,symseq,port+sym (default: all)
          --cells C   one pair, as "port x sym", or "reachable": those that two peers of py-ipv8 reach
          --runs N    runs of each cell (3)          --together N  cells at a time (5)
          --wait S    seconds given to a cell (20)   --link 'L'    on every router's link, as 'delay=30ms loss=2%'
          --introducer ours|py                       who introduces them (py for plain, ours for full)
          --walk yes                                 full: the nodes walk as in life; without it each meets only its three neighbours and the other by its key
          --out DIR   where the tables go (.build/natlab)
        Needs root, iproute2, nftables; for plain also POLDER_PEERS, a folder with a checkout of py-ipv8 in py-3.2.
        """;

    public static async Task<int> RunAsync(string[] arguments)
    {
        var what = arguments.Length > 0 && !arguments[0].StartsWith('-') ? arguments[0] : "plain";
        var given = new Dictionary<string, string>();
        for (var i = arguments.Length > 0 && what == arguments[0] ? 1 : 0; i < arguments.Length; i += 2)
        {
            if (arguments[i] is "--help" or "-h" || i + 1 == arguments.Length)
            {
                Console.WriteLine(Help);
                return arguments[i] is "--help" or "-h" ? 0 : 2;
            }
            given[arguments[i]] = arguments[i + 1];
        }
        string Option(string name, string otherwise) => given.GetValueOrDefault(name, otherwise);
        int Number(string name, int otherwise) => int.Parse(Option(name, otherwise.ToString(CultureInfo.InvariantCulture)), CultureInfo.InvariantCulture);

        if (Laboratory.Missing() is { } missing)
        {
            Console.Error.WriteLine($"No laboratory: {missing}.");
            return 3;
        }
        var kinds = Option("--kinds", string.Join(',', Matrix.AllKinds)).Split(',');
        var variants = Plan.Variants(what);
        var checkout = Reference.Checkout();
        if (variants.Any(static v => v.A == Maker.Python || v.B == Maker.Python) && checkout is null)
        {
            Console.Error.WriteLine("POLDER_PEERS names no folder with a checkout of py-ipv8 in py-3.2 (docs/interop.md).");
            return 3;
        }
        var cells = Plan.Cells(kinds, variants, Option("--cells", ""));
        var introducer = Option("--introducer", what == "full" ? "ours" : "py") == "ours" ? Maker.Ours : Maker.Python;
        var folder = Option("--out", Path.Combine(".build", "natlab"));
        var (runs, together) = (Number("--runs", 3), Number("--together", 5));
        var begun = DateTimeOffset.UtcNow;
        var clock = Stopwatch.StartNew();
        Console.WriteLine($"{cells.Count} cells, {runs} runs each, {together} at a time, introduced by {(introducer == Maker.Ours ? "our node" : "py-ipv8's tracker")}.");
        await using var matrix = await Matrix.BuildAsync(kinds, Option("--link", ""), checkout, TimeSpan.FromSeconds(Number("--wait", 20)), introducer, Option("--walk", "no") != "yes");
        var count = 0;
        var results = await matrix.RunAsync(cells, runs, together, result => Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{++count,4}/{cells.Count * runs} {result.Cell,-34} {Laboratory.Seconds(result.Reached),6} s {result.Path,-7} {Report.Details(result)}")));
        Directory.CreateDirectory(folder);
        var head = string.Create(CultureInfo.InvariantCulture,
            $"{begun:yyyy-MM-dd HH:mm} UTC, {Environment.ProcessorCount} processors, {clock.Elapsed.TotalMinutes:F1} min, `./x natlab {string.Join(' ', arguments)}`");
        await File.WriteAllTextAsync(Path.Combine(folder, $"{what}.csv"), Report.Csv(results));
        var table = Report.Markdown(head, kinds, variants, results);
        await File.WriteAllTextAsync(Path.Combine(folder, $"{what}.md"), table);
        Console.WriteLine();
        Console.WriteLine(table);
        Console.WriteLine($"Written to {folder}/{what}.md and .csv.");
        return 0;
    }
}
