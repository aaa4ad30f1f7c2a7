using System.CommandLine;
using System.CommandLine.Parsing;

namespace Polder.Host.Commands;

/// <summary>Says what is wrong with a command line, and what was probably meant.</summary>
internal static class Complaints
{
    /// <summary>One sentence about the first thing that is wrong.</summary>
    public static string About(ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;
        var help = $"See: {FullName(parsed.CommandResult)} --help";
        if (parsed.UnmatchedTokens is [{ } stranger, ..])
        {
            stranger = Terminal.Clean(stranger);
            if (stranger.StartsWith('-'))
                return $"There is no option {stranger}{Suggestion(stranger, OptionsOf(parsed.CommandResult))} {help}";
            if (command.Subcommands.Count > 0 && command.Arguments.Count == 0)
                return $"There is no command \"{stranger}\"{Suggestion(stranger, command.Subcommands.Select(c => c.Name))} {help}";
            return $"\"{stranger}\" is one word too many. {help}";
        }
        var message = Terminal.Clean(parsed.Errors[0].Message.Trim());
        if (parsed.Errors[0].SymbolResult is OptionResult { Tokens: [.., { } token] } wrong && message.Contains("expected type", StringComparison.Ordinal))
            message = $"{wrong.Option.Name} takes a number, and \"{Terminal.Clean(token.Value)}\" is none that fits.";
        else if (parsed.Errors[0].SymbolResult is ArgumentResult { Tokens: [.., { } word] } argument && message.Contains("expected type", StringComparison.Ordinal))
            message = argument.Parent is OptionResult option
                ? $"{option.Option.Name} takes a number, and \"{Terminal.Clean(word.Value)}\" is none that fits."
                : $"{argument.Argument.Name} is a number, and \"{Terminal.Clean(word.Value)}\" is none that fits.";
        if (!message.EndsWith('.')) message += ".";
        return $"{message} {help}";
    }

    /// <summary>The nearest of some words, or nothing when none is near.</summary>
    public static string? Nearest(string word, IEnumerable<string> words) =>
        words.Select(candidate => (candidate, distance: Distance(word, candidate)))
            .Where(pair => pair.distance <= Math.Max(1, Math.Min(word.Length, pair.candidate.Length) / 3 + 1))
            .OrderBy(pair => pair.distance).ThenBy(pair => pair.candidate, StringComparer.Ordinal)
            .Select(pair => pair.candidate).FirstOrDefault();

    private static string Suggestion(string word, IEnumerable<string> words) =>
        Nearest(word, words) is { } nearest ? $". Did you mean {nearest}?" : ".";

    private static IEnumerable<string> OptionsOf(CommandResult result)
    {
        for (SymbolResult? at = result; at is not null; at = at.Parent)
            if (at is CommandResult here)
                foreach (var option in here.Command.Options)
                    if (here == result || option.Recursive) yield return option.Name;
    }

    private static string FullName(CommandResult result)
    {
        var names = new List<string>();
        for (SymbolResult? at = result; at is CommandResult here; at = at.Parent)
            names.Insert(0, here.Command is RootCommand ? "polder" : here.Command.Name);
        return string.Join(' ', names);
    }

    /// <summary>Letters to change, insert or delete, or neighbours to swap, to make one word of the other.</summary>
    private static int Distance(string from, string to)
    {
        var table = new int[from.Length + 1, to.Length + 1];
        for (var i = 0; i <= from.Length; i++)
        {
            for (var j = 0; j <= to.Length; j++)
            {
                if (i == 0 || j == 0) { table[i, j] = i + j; continue; }
                var same = char.ToLowerInvariant(from[i - 1]) == char.ToLowerInvariant(to[j - 1]) ? 0 : 1;
                table[i, j] = Math.Min(Math.Min(table[i - 1, j], table[i, j - 1]) + 1, table[i - 1, j - 1] + same);
                if (i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1])
                    table[i, j] = Math.Min(table[i, j], table[i - 2, j - 2] + 1);
            }
        }
        return table[from.Length, to.Length];
    }
}
