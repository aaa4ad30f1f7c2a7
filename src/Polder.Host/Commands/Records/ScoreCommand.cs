using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Polder.Host.Api;
using Polder.Ledger.Reputation.Exact;
using Polder.Node.Operations;

namespace Polder.Host.Commands.Records;

/// <summary>The scores of one case by one kind.</summary>
/// <param name="Case">Its name, or that of the file.</param>
/// <param name="Observer">From whose point of view.</param>
/// <param name="Kind">Kind and parameters: "pht_a0.4".</param>
/// <param name="Scores">By the peers' names.</param>
internal sealed record CaseScores(string Case, string Observer, string Kind, IReadOnlyDictionary<string, double> Scores);

/// <summary>
/// polder trust score: works out every kind of score, exactly, over records in a file. No node runs and nothing is kept: for
/// researchers, and for comparing with what other programs say.
/// </summary>
internal static class ScoreCommand
{
    private const int PeersMax = 1500, FlowPeersMax = 400;

    private static readonly string[] Kinds =
    [
        "net", "bartercast", "bartercast2", "netflow", "netflow2", "pht", "pht-share", "ppr", "ppr-restart", "eigentrust", "meritrank", "meritrank-hits", "necks", "members",
    ];

    public static Command Create(SharedOptions shared, Surroundings surroundings)
    {
        var file = new Argument<string>("FILE") { Description = "CSV lines \"contributor,consumer,amount\", JSON rows [contributor, consumer, amount], or cases {\"observer\", \"records\"}. - reads standard input." };
        var observer = new Option<string?>("--observer") { Description = "From whose point of view. Needed where the file does not say it.", HelpName = "NAME" };
        var by = new Option<string[]>("--by") { Description = $"Kinds, one or more; default all: {string.Join(", ", Kinds)}.", HelpName = "KIND", AllowMultipleArgumentsPerToken = true };
        by.AcceptOnlyFromAmong(Kinds);
        var alpha = Number("--alpha", "NetFlow: how much a group may take for what it gave; at least 1.", 2, value => value >= 1);
        var stop = Number("--stop", "Walks: the probability a of stopping at each step; between 0 and 1.", 0.4, value => value is > 0 and < 1);
        var beta = Number("--beta", "MeritRank: how much is cut; from 0 to 1.", 0.5, value => value is >= 0 and <= 1);
        var tau = Number("--tau", "MeritRank: from which neck on; above 0, at most 1.", 1, value => value is > 0 and <= 1);
        var code = new Option<bool>("--as-published-code") { Description = "MeritRank: cut as the published experiments do, not as the paper says." };
        var command = new Command("score", "Work out scores over records in a file, exactly. Needs no node and keeps nothing.") { file, observer, by, alpha, stop, beta, tau, code };
        command.SetAction(async (parsed, cancellation) =>
        {
            var terminal = surroundings.Terminal;
            var name = parsed.GetValue(file)!;
            var content = await BlockFiles.ReadBytesAsync(name, cancellation).ConfigureAwait(false);
            var wanted = parsed.GetValue(by) is { Length: > 0 } chosen ? chosen : Kinds;
            var settings = new Settings(parsed.GetValue(alpha), parsed.GetValue(stop), parsed.GetValue(beta), parsed.GetValue(tau), parsed.GetValue(code));
            var results = new List<CaseScores>();
            foreach (var one in Cases(content, Path.GetFileName(name), parsed.GetValue(observer)))
                foreach (var kind in wanted) results.Add(Score(one, kind, settings));
            if (parsed.GetValue(shared.Json)) terminal.Json((IReadOnlyList<CaseScores>)results, HostJson.Default.IReadOnlyListCaseScores);
            else
            {
                foreach (var group in results.GroupBy(result => (result.Case, result.Observer)))
                {
                    terminal.Say(terminal.Strong(Terminal.Clean($"{group.Key.Case}, as {group.Key.Observer} sees it")));
                    terminal.Table(["peer", .. group.Select(result => ">" + result.Kind)], group.First().Scores.Keys.Select(peer => (IReadOnlyList<string>)
                        [Terminal.Clean(peer), .. group.Select(result => result.Scores[peer].ToString("0.######", CultureInfo.InvariantCulture))]));
                    terminal.Say();
                }
            }
            return CommandLine.Done;
        });
        return command;
    }

    /// <summary>Works out one kind.</summary>
    public static CaseScores Score(RecordCase one, string kind, Settings settings)
    {
        var (graph, observer) = (one.Graph, one.Observer);
        if (kind is "netflow" or "bartercast" && graph.Count > FlowPeersMax)
            throw Refused($"{one.Name}: {kind} over whole paths is for at most {FlowPeersMax} peers, and there are {graph.Count}. Take --by {kind}2.");
        var (a, alpha) = (FormattableString.Invariant($"_a{settings.Stop}"), FormattableString.Invariant($"_alpha{settings.Alpha}"));
        ExactWalks Walks() => one.Walks(settings.Stop);
        double[] Merit(double[] scores) => settings.AsPublishedCode
            ? MeritRank.Code(scores, Walks().Necks(observer), settings.Beta, settings.Tau) : MeritRank.Paper(scores, Walks().Necks(observer), settings.Beta, settings.Tau);
        var (title, scores) = kind switch
        {
            "net" => ("net_contribution", FlowScores.NetContribution(graph)),
            "bartercast" => ("bartercast_full", [.. FlowScores.BarterCast(graph, observer, twoHops: false).Select(score => score.Score)]),
            "bartercast2" => ("bartercast_2hop", [.. FlowScores.BarterCast(graph, observer).Select(score => score.Score)]),
            "netflow" => ("netflow" + alpha, FlowScores.NetFlow(graph, observer, settings.Alpha).Scores),
            "netflow2" => ("netflow2" + alpha, FlowScores.NetFlow2(graph, observer, settings.Alpha).Scores),
            "pht" => ("pht" + a, Walks().HittingTime(observer)),
            "pht-share" => ("pht_share" + a, Walks().HittingTimeShare(observer)),
            "ppr" => ("ppr_visits" + a, Walks().PageRankVisits(observer)),
            "ppr-restart" => ("ppr_restart" + a, Walks().PageRankRestart(observer)),
            "eigentrust" => ("eigentrust" + a, Walks().EigenTrust([observer])),
            "meritrank" => (FormattableString.Invariant($"meritrank_pht{a}_b{settings.Beta}_t{settings.Tau}_{(settings.AsPublishedCode ? "code" : "paper")}"), Merit(Walks().HittingTimeShare(observer))),
            "meritrank-hits" => ("meritrank_hits" + a, Walks().MeritRankHits(observer)),
            "necks" => ("necks" + a, [.. Walks().Necks(observer).Select(neck => neck.Share)]),
            _ => ("members", GroupMembership.Members(graph, observer).Select(member => member ? 1.0 : 0).ToArray()),
        };
        var rows = new SortedDictionary<string, double>(StringComparer.Ordinal);
        for (var j = 0; j < scores.Length; j++)
            if (j != observer || kind is "net" or "ppr-restart" or "eigentrust" or "meritrank-hits") rows[one.Names[j]] = scores[j];
        // Every column of a case shows the same peers.
        rows.TryAdd(one.Names[observer], double.NaN);
        if (double.IsNaN(rows[one.Names[observer]])) rows[one.Names[observer]] = 0;
        return new CaseScores(one.Name, one.Names[observer], title, rows);
    }

    /// <summary>What the file holds.</summary>
    public static IReadOnlyList<RecordCase> Cases(byte[] content, string file, string? observer)
    {
        var text = Encoding.UTF8.GetString(content).TrimStart('\uFEFF').Trim();
        if (text.Length == 0) throw Refused($"{file} is empty. Write lines \"contributor,consumer,amount\".");
        if (text[0] is not ('{' or '[')) return [RecordCase.Of(file, Lines(text, file), observer, PeersMax)];
        try
        {
            using var json = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = 16 });
            var root = json.RootElement;
            if (root.ValueKind == JsonValueKind.Array && (root.GetArrayLength() == 0 || root[0].ValueKind == JsonValueKind.Array))
                return [RecordCase.Of(file, Rows(root, file), observer, PeersMax)];
            IEnumerable<JsonElement> cases = root.ValueKind == JsonValueKind.Array ? root.EnumerateArray()
                : root.TryGetProperty("cases", out var list) && list.ValueKind == JsonValueKind.Array ? list.EnumerateArray() : [root];
            return [.. cases.Select((one, i) => Case(one, file, i + 1, observer))];
        }
        catch (JsonException problem) { throw Refused($"{file} is no JSON: {problem.Message}"); }
    }

    private static RecordCase Case(JsonElement one, string file, int number, string? observer)
    {
        var name = one.ValueKind == JsonValueKind.Object && one.TryGetProperty("name", out var given) && given.ValueKind == JsonValueKind.String
            ? given.GetString()! : string.Create(CultureInfo.InvariantCulture, $"{file}, case {number}");
        if (one.ValueKind != JsonValueKind.Object || !one.TryGetProperty("records", out var records) || records.ValueKind != JsonValueKind.Array)
            throw Refused($"{name} has no \"records\": [[contributor, consumer, amount], …].");
        var own = one.TryGetProperty("observer", out var said) && said.ValueKind == JsonValueKind.String ? said.GetString() : null;
        var more = one.TryGetProperty("nodes", out var nodes) && nodes.ValueKind == JsonValueKind.Array
            ? nodes.EnumerateArray().Where(node => node.ValueKind == JsonValueKind.String).Select(node => node.GetString()!) : [];
        return RecordCase.Of(name, Rows(records, name), observer ?? own, PeersMax, more);
    }

    private static IEnumerable<(string, string, double)> Rows(JsonElement rows, string name)
    {
        var number = 0;
        foreach (var row in rows.EnumerateArray())
        {
            number++;
            if (row.ValueKind != JsonValueKind.Array || row.GetArrayLength() < 3 || row[2].ValueKind != JsonValueKind.Number || !row[2].TryGetDouble(out var amount))
                throw Refused(string.Create(CultureInfo.InvariantCulture, $"{name}: record {number} is not [contributor, consumer, amount]."));
            yield return (row[0].ToString(), row[1].ToString(), amount);
        }
    }

    private static IEnumerable<(string, string, double)> Lines(string text, string file)
    {
        var number = 0;
        foreach (var line in text.Split('\n'))
        {
            number++;
            var fields = line.Split([',', ';', '\t'], StringSplitOptions.TrimEntries);
            if (line.Trim().Length == 0 || line[0] == '#') continue;
            if (fields.Length >= 3 && double.TryParse(fields[2], NumberStyles.Float, CultureInfo.InvariantCulture, out var amount)) yield return (fields[0], fields[1], amount);
            else if (number > 1) throw Refused(string.Create(CultureInfo.InvariantCulture, $"{file}, line {number} is not \"contributor,consumer,amount\"."));
        }
    }

    private static Option<double> Number(string name, string what, double normal, Func<double, bool> isGood)
    {
        var option = new Option<double>(name) { Description = FormattableString.Invariant($"{what} Default: {normal}."), HelpName = "NUMBER", DefaultValueFactory = _ => normal };
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && !isGood(result.GetValueOrDefault<double>())) result.AddError($"{name}: {what}");
        });
        return option;
    }

    private static OperationRefusedException Refused(string message) => new(RefusalKind.BadInput, message);

    /// <summary>What scores are worked out with.</summary>
    internal sealed record Settings(double Alpha, double Stop, double Beta, double Tau, bool AsPublishedCode);
}
