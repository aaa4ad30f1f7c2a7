using System.Globalization;
using Polder.Identity;
using Polder.Node.Operations;

namespace Polder.Host.Pages;

/// <summary>How the pages say numbers, times and names.</summary>
internal static class Words
{
    private static readonly string[] Numbers =
        ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];

    /// <summary>"three", "27".</summary>
    public static string Number(long count) => count is >= 0 and <= 12 ? Numbers[count] : Grouped(count);

    /// <summary>"Three", "27".</summary>
    public static string NumberFirst(long count) => Number(count) is var word ? char.ToUpperInvariant(word[0]) + word[1..] : "";

    /// <summary>"1,312".</summary>
    public static string Grouped(long count) => count.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>"1 peer", "3 peers".</summary>
    public static string Count(long count, string one, string? many = null) => $"{Grouped(count)} {(count == 1 ? one : many ?? one + "s")}";

    /// <summary>Figure and unit apart, so that the unit can be small: "38" and "MB".</summary>
    public static (string Figure, string Unit) Size(double bytes)
    {
        var text = Amounts.Format(Math.Abs(bytes) < 1 << 10 ? Math.Round(bytes) : bytes, Amounts.Bytes).Split(' ');
        // Two places after the point are for books; a picture needs three figures.
        var figure = double.Parse(text[0], CultureInfo.InvariantCulture);
        return (figure.ToString(Math.Abs(figure) < 9.95 ? "0.#" : "0", CultureInfo.InvariantCulture), text[1]);
    }

    /// <summary>"25 MB", "1 answer", "3 answers".</summary>
    public static string Amount(double amount, string unit) 
        => (amount, unit) is (1, "answers" or "files" or "hours") ? $"1 {unit[..^1]}" : Amounts.Format(amount, unit);

    /// <summary>A score of its kind: "25 MB", "12 %", "−0.4".</summary>
    public static string Score(TrustView row) => TrustKind.Of(row.By) is { IsAmount: true } ? Amount(row.Score, row.Unit) : Commands.Records.TrustCommands.Score(row).Replace('-', '−');

    /// <summary>"12 %", "0.3 %".</summary>
    public static string Percent(double share) => string.Create(CultureInfo.InvariantCulture, $"{share * 100:0.#} %");

    /// <summary>"4 s", "3 min", "2 h"; "–" for null.</summary>
    public static string Ago(double? seconds) => seconds switch
    {
        null => "–",
        < 60 => $"{seconds.Value:0} s",
        < 3600 => $"{Math.Floor(seconds.Value / 60):0} min",
        < 172800 => $"{Math.Floor(seconds.Value / 3600):0} h",
        _ => $"{Math.Floor(seconds.Value / 86400):0} days",
    };

    /// <summary>"14 ms"; "–" for null.</summary>
    public static string Way(double? milliseconds) => milliseconds switch
    {
        null => "–",
        < 1 => "under 1 ms",
        < 9950 and var way => $"{way:0} ms",
        var way => $"{way / 1000:0} s",
    };

    /// <summary>"just now", "2 minutes ago", "3 days ago"; a date further back or ahead.</summary>
    public static string Since(DateTimeOffset time, DateTimeOffset now) => (now - time) switch
    {
        var span when span < TimeSpan.FromMinutes(-2) => Day(time, now),
        { TotalSeconds: < 50 } => "just now",
        { TotalMinutes: < 55 } span => Plural(span.TotalMinutes, "minute"),
        { TotalHours: < 24 } span => Plural(span.TotalHours, "hour"),
        { TotalDays: < 14 } span => Plural(span.TotalDays, "day"),
        _ => Day(time, now),
    };

    private static string Plural(double number, string word) =>
        Math.Max(1, (int)Math.Round(number)) is var whole && whole == 1 ? $"1 {word} ago" : $"{whole} {word}s ago";

    private static string Day(DateTimeOffset time, DateTimeOffset now) =>
        Local(time).ToString(Local(time).Year == Local(now).Year ? "d MMMM" : "d MMMM yyyy", CultureInfo.InvariantCulture);

    /// <summary>"2 March 2026, 13:57:59", by this machine's clock.</summary>
    public static string Moment(DateTimeOffset time) => Local(time).ToString("d MMMM yyyy, HH:mm:ss", CultureInfo.InvariantCulture);

    /// <summary>"13:57:59".</summary>
    public static string Clock(DateTimeOffset time) => Local(time).ToString("HH:mm:ss", CultureInfo.InvariantCulture);

    /// <summary>For the datetime attribute.</summary>
    public static string Machine(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static DateTime Local(DateTimeOffset time) => time.LocalDateTime;

    /// <summary>The short name of a key in hex; the beginning of keys that have another form.</summary>
    public static string Name(string publicKey) =>
        PublicKey.TryParseHex(publicKey, out var key) ? key.ShortName
        : publicKey.AsSpan().TrimStart('0').IsEmpty ? "anybody"
        : publicKey.Length <= 14 ? publicKey : publicKey[..14] + "…";

    /// <summary>"valid", "partial" or "invalid": also the names of the style.</summary>
    public static string Kind(BlockView block) => !block.Valid ? "invalid" : block.Reason == "valid" ? "valid" : "partial";

    /// <summary>The reason of a verdict in a few words.</summary>
    public static string Reason(BlockView block) => block.Reason switch
    {
        "valid" => "both neighbours fit",
        "partial-next" => "nothing follows it yet",
        "partial-previous" => "the block before it has not reached this node",
        "partial" => "its neighbours have not reached this node",
        "no-info" => "nothing else of this chain is here",
        var reason => reason,
    };

    /// <summary>Address of a chain's page.</summary>
    public static string ChainLink(string publicKey) => "/chain?peer=" + Uri.EscapeDataString(publicKey);

    /// <summary>Address of a block's page.</summary>
    public static string BlockLink(BlockView block) => "/block/" + Uri.EscapeDataString(block.Hash);

    /// <summary>Address of a block's page by "HEX.SEQ".</summary>
    public static string BlockLink(string id) => "/block/" + Uri.EscapeDataString(id);

    /// <summary>"Bytes passed on", "hours".</summary>
    public static string UnitTitle(string unit) => unit == Units.Bytes ? "Bytes" : unit.Length == 0 ? "–" : char.ToUpperInvariant(unit[0]) + unit[1..];
}
