using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Polder.Host.Api;
using Polder.Ledger.Stores;
using Polder.Node.Dumps;
using Polder.Node.Folders;
using Polder.Node.Operations;
using Polder.Node.Storage;

namespace Polder.Host.Commands.Records;

/// <summary>polder ledger: figures of everything that is held, judging it anew, and dumps for other programs and from them.</summary>
internal static class LedgerCommands
{
    /// <summary>Blocks of a dump that go to a running node in one request.</summary>
    private const int PartBlocks = 2_000;

    public static Command Ledger(SharedOptions shared, Surroundings surroundings)
    {
        var command = new Command("ledger", "Everybody's records as this node holds them: figures, verification, dumps for other programs and from them.");
        command.Subcommands.Add(Stats(shared, surroundings));
        command.Subcommands.Add(Search(shared, surroundings));
        command.Subcommands.Add(Verify(shared, surroundings));
        command.Subcommands.Add(Export(shared, surroundings));
        command.Subcommands.Add(Import(shared, surroundings));
        return command;
    }

    private static Option<string?> StoreOption() => new("--store")
    {
        Description = "A PostgreSQL database instead of the node's own: postgres://USER:PASSWORD@HOST/DATABASE.", HelpName = "URL",
    };

    private static Command Stats(SharedOptions shared, Surroundings surroundings)
    {
        var days = new Option<int>("--days") { Description = "How many of the last days to show.", HelpName = "N", DefaultValueFactory = _ => 14 };
        var store = StoreOption();
        var command = new Command("stats", "Figures: blocks, peers, agreed records, frauds, disk, records and users a day.") { days, store };
        days.Validators.Add(result => { if (result.GetValue(days) is < 0 or > 100_000) result.AddError("--days is 0 to 100000."); });
        command.SetAction(async (parsed, stop) =>
        {
            var (terminal, json) = (surroundings.Terminal, parsed.GetValue(shared.Json));
            LedgerStatsView stats;
            if (parsed.GetValue(store) is { } url) stats = await PostgresLedger.StatsAsync(url, stop).ConfigureAwait(false);
            else
            {
                var node = await surroundings.OpenNode(shared.FolderOf(parsed), stop).ConfigureAwait(false);
                try { stats = await node.Ledger.StatsAsync(stop).ConfigureAwait(false); }
                finally { (node as IDisposable)?.Dispose(); }
            }
            if (json)
            {
                terminal.Json(stats, HostJson.Default.LedgerStatsView);
                return CommandLine.Done;
            }
            terminal.Say($"blocks          {Count(stats.Blocks)}");
            terminal.Say($"agreed records  {Count(stats.Records)} (both halves are here, and they say the same)");
            terminal.Say($"peers           {Count(stats.Chains)} with blocks, {Count(stats.Peers)} named in all");
            terminal.Say($"frauds          {Count(stats.Frauds)}{(stats.Frauds > 0 ? " (polder fraud)" : "")}");
            terminal.Say($"disk            {Amounts.Format(stats.DiskBytes, Amounts.Bytes)}{(stats.DiskBytesMax is { } max ? $" of at most {Amounts.Format(max, Amounts.Bytes)}" : "")}, in {(stats.Store == "sqlite" ? "the node's own database" : "PostgreSQL")}");
            var shown = stats.Days.Where(static day => day.Day is not null).TakeLast(parsed.GetValue(days)).ToList();
            if (shown.Count == 0) return CommandLine.Done;
            terminal.Say();
            terminal.Table(["day", ">blocks", ">users", ">newcomers"], shown.Select(static day => (IReadOnlyList<string>)[day.Day!, Count(day.Blocks), Count(day.Users), Count(day.Newcomers)]));
            if (stats.Days.FirstOrDefault(static day => day.Day is null) is { Blocks: > 0 } undated) terminal.Say($"{Count(undated.Blocks)} blocks bear a date that cannot be.");
            return CommandLine.Done;
        });
        return command;
    }

    private static Command Search(SharedOptions shared, Surroundings surroundings)
    {
        var text = new Argument<string>("TEXT") { Description = "The beginning of a short name, of a public key, or (from 4 digits) of a block's hash." };
        var command = new Command("search", "Find chains and blocks.") { text };
        surroundings.Ask(command, shared, async (node, parsed, json, stop) =>
        {
            var terminal = surroundings.Terminal;
            var found = await node.Ledger.SearchAsync(parsed.GetValue(text)!, stop).ConfigureAwait(false);
            if (json)
            {
                terminal.Json(found, HostJson.Default.LedgerSearchView);
                return found.Chains.Count + found.Blocks.Count > 0 ? CommandLine.Done : CommandLine.NotFound;
            }
            if (found.Chains.Count + found.Blocks.Count == 0)
            {
                terminal.Problem($"Nothing here begins with \"{Terminal.Clean(found.Text)}\".");
                return CommandLine.NotFound;
            }
            if (found.Chains.Count > 0)
                terminal.Table(["chain", ">blocks", ">up to", "key"], found.Chains.Select(static chain => (IReadOnlyList<string>)[chain.Name, Count(chain.Blocks), Count(chain.Length), NodeCommands.Short(chain.PublicKey)]));
            if (found.Blocks.Count > 0)
                terminal.Table(["block of", ">no", "what", "hash"], found.Blocks.Select(static block => (IReadOnlyList<string>)[NodeCommands.Short(block.PublicKey), Count(block.Sequence), block.Summary, block.Hash]));
            if (found.More) terminal.Say("There is more: give more of the name.");
            return CommandLine.Done;
        });
        return command;
    }

    private static Command Verify(SharedOptions shared, Surroundings surroundings)
    {
        var from = new Option<long>("--from") { Description = "Go on where an earlier run ended.", HelpName = "PLACE" };
        var store = StoreOption();
        var command = new Command("verify", "Judge every block anew, signatures included, then the proofs of fraud and the store's own accounts. Ctrl+C ends it and says where to go on.") { from, store };
        from.Validators.Add(result => { if (result.GetValue(from) < 0) result.AddError("--from is 0 or more."); });
        command.SetAction(async (parsed, stop) =>
        {
            var (terminal, json) = (surroundings.Terminal, parsed.GetValue(shared.Json));
            using var opened = OpenForReading(shared.FolderOf(parsed), parsed.GetValue(store));
            var clock = Stopwatch.StartNew();
            var report = await terminal.WaitAsync("Verifying", say => Task.Run(() => LedgerVerify.Run(opened.Store, parsed.GetValue(from),
                new Told(blocks => say(string.Create(CultureInfo.InvariantCulture, $"Verifying: {blocks:N0} blocks, {blocks / clock.Elapsed.TotalSeconds:N0} a second"))), stop), CancellationToken.None)).ConfigureAwait(false);
            if (json) terminal.Json(new LedgerVerifyView(report.Blocks, report.Whole, report.Partial, report.Invalid, report.Frauds, report.Problems, report.Next), HostJson.Default.LedgerVerifyView);
            else
            {
                terminal.Say($"{Words.Count(report.Blocks, "block")} judged: {Count(report.Whole)} whole, {Count(report.Partial)} with a neighbour that is not here, {Count(report.Invalid)} invalid; {Words.Count(report.Frauds, "proof")} of fraud.");
                foreach (var problem in report.Problems) terminal.Say("  " + Terminal.Clean(problem));
                if (report.Next > 0) terminal.Say($"Ended early. Go on: polder ledger verify --from {report.Next}");
                else if (report.Problems.Count == 0) terminal.Say("Nothing is wrong.");
            }
            if (report.Next > 0) return CommandLine.Interrupted;
            return report.Problems.Count == 0 ? CommandLine.Done : CommandLine.Conflict;
        });
        return command;
    }

    private static Command Export(SharedOptions shared, Surroundings surroundings)
    {
        var file = new Argument<string>("FILE") { Description = "Where to; - writes to standard output. A file that is there is not replaced." };
        var format = new Option<string?>("--format") { Description = "csv, json (one object a line) or copy (PostgreSQL). Default: by the file's ending (.csv, .json, .ndjson, .jsonl, .sql, .copy).", HelpName = "FORMAT" };
        var bare = new Option<bool>("--without-blocks") { Description = "Only what blocks say, not the blocks themselves: half the size, but it cannot be imported again." };
        var store = StoreOption();
        var command = new Command("export", "Write everything to a file for other programs; the node may run on meanwhile. Columns: docs/ledger-store.md.") { file, format, bare, store };
        command.SetAction(async (parsed, stop) =>
        {
            var (terminal, path) = (surroundings.Terminal, parsed.GetValue(file)!);
            var form = FormatOf(parsed.GetValue(format), path);
            using var opened = OpenForReading(shared.FolderOf(parsed), parsed.GetValue(store));
            if (path != "-" && File.Exists(path)) throw new OperationRefusedException(RefusalKind.Conflict, $"{path} is there already. Choose another name, or delete it.");
            var report = await terminal.WaitAsync("Writing", say => Task.Run(() => Write(say), CancellationToken.None)).ConfigureAwait(false);
            if (path == "-") terminal.Note($"{Words.Count(report.Blocks, "block")}, {Words.Count(report.Frauds, "proof")} of fraud.");
            else if (parsed.GetValue(shared.Json)) terminal.Json(new LedgerExportView(Path.GetFullPath(path), form.ToString().ToLowerInvariant(), report.Blocks, report.Frauds, report.Bytes), HostJson.Default.LedgerExportView);
            else terminal.Say($"{path}: {Words.Count(report.Blocks, "block")}, {Words.Count(report.Frauds, "proof")} of fraud, {Amounts.Format(report.Bytes, Amounts.Bytes)}.");
            return CommandLine.Done;

            ExportReport Write(Action<string> say)
            {
                var progress = new Told(blocks => say(string.Create(CultureInfo.InvariantCulture, $"Writing: {blocks:N0} blocks")));
                if (path == "-")
                {
                    using var output = Console.OpenStandardOutput();
                    return LedgerExport.Run(opened.Store, output, form, !parsed.GetValue(bare), progress, stop);
                }
                // Under another name until it is whole: a dump that ends in the middle looks like one that is whole.
                var unfinished = path + ".unfinished";
                try
                {
                    ExportReport written;
                    using (var stream = new FileStream(unfinished, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0))
                        written = LedgerExport.Run(opened.Store, stream, form, !parsed.GetValue(bare), progress, stop);
                    File.Move(unfinished, path);
                    return written;
                }
                catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
                {
                    throw new OperationRefusedException(RefusalKind.Conflict, $"{path} cannot be written: {problem.Message}");
                }
                finally { File.Delete(unfinished); }
            }
        });
        return command;
    }

    private static Command Import(SharedOptions shared, Surroundings surroundings)
    {
        var file = new Argument<string>("FILE") { Description = "A dump of polder ledger export or of others: CSV, JSON lines, COPY text, lines of hex; - reads standard input." };
        var verified = new Option<bool>("--verified") { Description = "The signatures were checked before by somebody you trust: ten times as fast. Not into a running node." };
        var skip = new Option<bool>("--skip-broken") { Description = "Pass over lines that cannot be read, and count them, instead of ending there." };
        var store = StoreOption();
        var command = new Command("import", "Take in a dump. What is here already stays as it is, so it may be run again and again.") { file, verified, skip, store };
        command.SetAction(async (parsed, stop) =>
        {
            var (terminal, path, folder) = (surroundings.Terminal, parsed.GetValue(file)!, shared.FolderOf(parsed));
            var options = new ImportOptions { IsVerified = parsed.GetValue(verified), SkipsBroken = parsed.GetValue(skip) };
            using var stream = OpenFile(path);
            ImportReport report;
            try
            {
                report = await terminal.WaitAsync("Taking in", say => RunAsync(say)).ConfigureAwait(false);
            }
            catch (DumpException problem)
            {
                throw new OperationRefusedException(RefusalKind.BadInput, string.Create(CultureInfo.InvariantCulture,
                    $"{path}, line {problem.Line}: {problem.Message}. What came before it is kept; mend the line and run it again, or pass over such lines: --skip-broken"));
            }
            if (parsed.GetValue(shared.Json))
                terminal.Json(new LedgerImportView(report.Form, report.Kept, report.Known, report.Invalid, report.Frauds, report.Broken, report.ChainsWithGaps, report.MissingBlocks, report.Problems), HostJson.Default.LedgerImportView);
            else
            {
                terminal.Say($"{path} ({report.Form}): {Words.Count(report.Kept, "block")} new, {Count(report.Known)} here already, {Count(report.Invalid)} not kept{(report.Broken > 0 ? $", {Count(report.Broken)} lines passed over" : "")}; {Words.Count(report.Frauds, "new proof")} of fraud.");
                foreach (var problem in report.Problems) terminal.Say("  " + Terminal.Clean(problem));
                if (report.ChainsWithGaps > 0) terminal.Say($"{Words.Count(report.ChainsWithGaps, "chain")} held here {(report.ChainsWithGaps == 1 ? "has a gap" : "have gaps")}: {Words.Count(report.MissingBlocks, "block")} in the middle {(report.MissingBlocks == 1 ? "is" : "are")} missing. A node that crawls fetches them.");
                if (stop.IsCancellationRequested) terminal.Say("Ended early; what came is kept. Run it again to go on.");
            }
            return stop.IsCancellationRequested ? CommandLine.Interrupted : report.Invalid > 0 ? CommandLine.Conflict : CommandLine.Done;

            async Task<ImportReport> RunAsync(Action<string> say)
            {
                var clock = Stopwatch.StartNew();
                var progress = new Told<(long Blocks, long Bytes)>(now => say(string.Create(CultureInfo.InvariantCulture,
                    $"Taking in: {now.Blocks:N0} blocks, {Amounts.Format(now.Bytes, Amounts.Bytes)}, {now.Blocks / clock.Elapsed.TotalSeconds:N0} a second")));
                if (parsed.GetValue(store) is { } url) return await PostgresLedger.ImportAsync(url, stream, options, progress, stop).ConfigureAwait(false);
                var node = await surroundings.OpenNode(folder, stop).ConfigureAwait(false);
                try
                {
                    // A folder at rest is written directly; a running node judges the blocks itself.
                    if (node is not RestingNode) return await IntoRunningAsync(node, stream, options, say, stop).ConfigureAwait(false);
                }
                finally { (node as IDisposable)?.Dispose(); }
                return await LedgerImport.IntoFolderAsync(folder, stream, options, Environment.GetEnvironmentVariable("POLDER_PASSPHRASE"), progress, stop).ConfigureAwait(false);
            }
        });
        return command;
    }

    private static async Task<ImportReport> IntoRunningAsync(INodeOperations node, Stream stream, ImportOptions options, Action<string> say, CancellationToken stop)
    {
        if (options.IsVerified) throw new OperationRefusedException(RefusalKind.Conflict, "A running node judges every block itself. Stop it first, or leave out --verified.");
        var reader = new DumpReader(stream) { SkipsBroken = options.SkipsBroken };
        var (kept, known, invalid, problems) = (0L, 0L, 0L, new List<string>());
        // The two blocks of a proof are its proof: the node finds it anew.
        foreach (var part in reader.Read().SelectMany(static entry => entry.Fraud is { } fraud
            ? (IEnumerable<(long, byte[])>)[(entry.Line, fraud.First.Packed.ToArray()), (entry.Line, fraud.Second.Packed.ToArray())]
            : [(entry.Line, entry.Block!.Packed.ToArray())]).Chunk(PartBlocks))
        {
            if (stop.IsCancellationRequested) break;
            var result = await node.Ledger.TakeInAsync([.. part.Select(static entry => entry.Item2)], stop).ConfigureAwait(false);
            (kept, known, invalid) = (kept + result.Kept, known + result.Known, invalid + result.Invalid);
            foreach (var problem in result.Problems)
                if (problems.Count < 20) problems.Add(string.Create(CultureInfo.InvariantCulture, $"Line {part[problem.Index].Item1}: it is not kept: {problem.Reason}."));
            say(string.Create(CultureInfo.InvariantCulture, $"Taking in: {kept + known + invalid:N0} blocks"));
        }
        if (reader.FirstBroken is { } broken) problems.Insert(0, string.Create(CultureInfo.InvariantCulture, $"Line {broken.Line} was passed over: {broken.Problem}."));
        return new ImportReport(kept, known, invalid, 0, reader.Broken, 0, 0, problems, reader.FoundForm ?? "an empty file");
    }

    private static OpenedStore OpenForReading(string folder, string? url)
    {
        if (url is not null) return PostgresLedger.Open(url);
        var path = DataFolder.Look(folder)?.DatabasePath;
        if (path is null || !File.Exists(path)) throw new OperationRefusedException(RefusalKind.NotFound, $"There is no ledger in {folder} yet. Start the node once: polder run --data {folder}");
        var store = SqliteBlockStore.OpenReadOnly(path);
        return new OpenedStore(store, store);
    }

    private static Stream OpenFile(string path)
    {
        if (path == "-") return Console.OpenStandardInput();
        try { return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.SequentialScan); }
        catch (Exception problem) when (problem is FileNotFoundException or DirectoryNotFoundException) { throw new OperationRefusedException(RefusalKind.NotFound, $"There is no file {path}."); }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException) { throw new OperationRefusedException(RefusalKind.BadInput, $"{path} cannot be read: {problem.Message}"); }
    }

    private static DumpFormat FormatOf(string? given, string path)
    {
        var word = (given ?? Path.GetExtension(path).TrimStart('.')).ToLowerInvariant();
        return word switch
        {
            "csv" => DumpFormat.Csv,
            "json" or "ndjson" or "jsonl" => DumpFormat.Json,
            "copy" or "sql" => DumpFormat.Copy,
            _ => throw new OperationRefusedException(RefusalKind.BadInput, given is null
                ? $"In which form? {path} does not say: --format csv, json or copy."
                : $"There is no form \"{given}\": csv, json or copy."),
        };
    }

    private static string Count(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    private sealed class Told(Action<long> tell) : IProgress<long>
    {
        public void Report(long value) => tell(value);
    }

    private sealed class Told<T>(Action<T> tell) : IProgress<T>
    {
        public void Report(T value) => tell(value);
    }
}

/// <summary>A store and what must be closed after it.</summary>
internal sealed record OpenedStore(IBlockStore Store, IDisposable Owner) : IDisposable
{
    public void Dispose() => Owner.Dispose();
}

/// <summary>What polder ledger import did, as scripts read it.</summary>
internal sealed record LedgerImportView(
    string Form, long Kept, long Known, long Invalid, int Frauds, long Broken, long ChainsWithGaps, long MissingBlocks, IReadOnlyList<string> Problems);

/// <summary>What polder ledger export wrote.</summary>
internal sealed record LedgerExportView(string File, string Format, long Blocks, int Frauds, long Bytes);

/// <summary>What polder ledger verify found.</summary>
internal sealed record LedgerVerifyView(long Blocks, long Whole, long Partial, long Invalid, int Frauds, IReadOnlyList<string> Problems, long Next);
