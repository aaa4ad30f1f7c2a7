using Polder.Graph.Json;

namespace Polder.Graph.Model;

/// <summary>
/// Which names a read selects: <c>=</c> exact, <c>*</c> prefix, <c>&gt;</c> from, <c>&lt;</c> to (both included), <c>-</c> backwards. The
/// semantics are those of gun.js (vectors lex.json): a name equal to the first given of these always matches, and where no prefix is
/// given the lower bound serves as one too.
/// </summary>
public sealed record Lexical
{
    /// <summary>The exact name.</summary>
    public string? Exact { get; init; }
    /// <summary>How the name begins.</summary>
    public string? Prefix { get; init; }
    /// <summary>The first name of a range.</summary>
    public string? From { get; init; }
    /// <summary>The last name of a range.</summary>
    public string? To { get; init; }
    /// <summary>Whether the walk goes from the last name to the first; it matters where the budget ends it.</summary>
    public bool Backwards { get; init; }

    /// <summary>A name that must match exactly.</summary>
    public static Lexical Of(string exact) => new() { Exact = exact };

    /// <summary>Every name that begins so.</summary>
    public static Lexical StartingWith(string prefix) => new() { Prefix = prefix };

    internal static bool TryFrom(JsonItem item, out Lexical query)
    {
        query = new Lexical();
        if (item.Kind == JsonKind.Text)
        {
            query = Of(item.Text);
            return true;
        }
        if (item.Kind != JsonKind.Object) return false;
        query = new Lexical
        {
            Exact = item["="]?.AsText, Prefix = item["*"]?.AsText, From = item[">"]?.AsText, To = item["<"]?.AsText,
            Backwards = item["-"] is { IsTruthy: true },
        };
        return true;
    }

    /// <summary>Whether gun.js's own matching takes the name (vectors lex.json).</summary>
    public bool Matches(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        var first = Given(Exact) ?? Given(Prefix) ?? Given(From) ?? Given(To);
        if (first is not null && string.Equals(first, name, StringComparison.Ordinal)) return true;
        if (Exact is not null) return false;
        if ((Given(Prefix) ?? Given(From)) is { } beginning && name.StartsWith(beginning, StringComparison.Ordinal)) return true;
        if (Prefix is not null) return false;
        if (From is not null && To is not null) return IsFrom(name) && IsTo(name);
        return From is not null ? IsFrom(name) : To is not null && IsTo(name);
    }

    /// <summary>
    /// Whether a read gives the name. As <see cref="Matches"/>, but for what gun.js's store does wrong or not at all: an empty prefix
    /// takes every name, and prefix and range together take what both take.
    /// </summary>
    public bool Selects(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (Exact is not null || Prefix is null) return Matches(name);
        return name.StartsWith(Prefix, StringComparison.Ordinal) && (From is null || IsFrom(name)) && (To is null || IsTo(name));
    }

    /// <summary>The first name that can be selected; the empty text where every one can.</summary>
    internal string LeastName => Exact ?? Max(Prefix ?? "", From ?? "");

    /// <summary>Whether no name from this one on can be selected, in text order.</summary>
    internal bool EndsBefore(string name)
    {
        if (Exact is not null) return string.CompareOrdinal(name, Exact) > 0;
        if (Prefix is { Length: > 0 } && string.CompareOrdinal(name, Prefix) > 0 && !name.StartsWith(Prefix, StringComparison.Ordinal)) return true;
        // Names that begin with the lower bound are taken even above the upper one.
        return To is not null && !IsTo(name) && (Prefix is not null || From is null || (string.CompareOrdinal(name, From) > 0 && !name.StartsWith(From, StringComparison.Ordinal)));
    }

    private bool IsFrom(string name) => string.CompareOrdinal(name, From) >= 0;

    private bool IsTo(string name) => string.CompareOrdinal(name, To) <= 0;

    private static string Max(string one, string other) => string.CompareOrdinal(one, other) >= 0 ? one : other;

    // gun.js asks whether a bound is "truthy": an empty text counts as not given.
    private static string? Given(string? text) => string.IsNullOrEmpty(text) ? null : text;
}
