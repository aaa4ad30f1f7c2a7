using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Polder.Node.Operations;
using Spectre.Console;

namespace Polder.Host.Commands;

/// <summary>Where a command speaks: results to one stream, everything else to the other; colours and movement only for people.</summary>
/// <param name="output">Results.</param>
/// <param name="error">Progress and problems.</param>
/// <param name="interactive">Whether results go to a terminal.</param>
/// <param name="errorInteractive">Whether progress goes to a terminal.</param>
internal sealed class Terminal(TextWriter output, TextWriter error, bool interactive, bool errorInteractive)
{
    /// <summary>How long something may take in silence.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(700);

    private static readonly JsonWriterOptions Indented = new() { Indented = true };

    /// <summary>The process's own streams.</summary>
    public static Terminal OfProcess() => new(Console.Out, Console.Error, !Console.IsOutputRedirected && !Plain, !Console.IsErrorRedirected && !Plain);

    /// <summary>Results.</summary>
    public TextWriter Output => output;
    /// <summary>Progress and problems.</summary>
    public TextWriter Error => error;
    /// <summary>Whether results go to a terminal.</summary>
    public bool Interactive => interactive;
    /// <summary>Whether progress goes to a terminal.</summary>
    public bool ErrorInteractive => errorInteractive;
    /// <summary>Whether a question can be asked.</summary>
    public bool CanAsk => errorInteractive && !Console.IsInputRedirected;

    private static bool Plain => Environment.GetEnvironmentVariable("TERM") == "dumb";

    private static bool NoColour => !string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));

    /// <summary>A line of the result.</summary>
    public void Say(string line = "") => output.WriteLine(line);

    /// <summary>A line beside the result.</summary>
    public void Note(string line) => error.WriteLine(line);

    /// <summary>What is wrong, as one sentence.</summary>
    public void Problem(string sentence) => error.WriteLine((errorInteractive && !NoColour ? "\e[31mpolder:\e[0m " : "polder: ") + sentence);

    /// <summary>The result as JSON.</summary>
    public void Json<T>(T value, JsonTypeInfo<T> type)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, Indented)) JsonSerializer.Serialize(writer, value, type);
        output.WriteLine(Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length));
    }

    /// <summary>Bold for people, plain for programs.</summary>
    public string Strong(string text) => interactive && !NoColour ? $"\e[1m{text}\e[0m" : text;

    /// <summary>Faint for people, plain for programs.</summary>
    public string Faint(string text) => interactive && !NoColour ? $"\e[2m{text}\e[0m" : text;

    /// <summary>A table: columns aligned by width; a heading that begins with "&gt;" aligns to the right.</summary>
    public void Table(IReadOnlyList<string> headings, IEnumerable<IReadOnlyList<string>> rows)
    {
        var lines = rows.Select(row => row.Select(Clean).ToArray()).ToList();
        var right = headings.Select(heading => heading.StartsWith('>')).ToArray();
        var titles = headings.Select(heading => heading.TrimStart('>')).ToArray();
        var widths = titles.Select((title, i) => Math.Max(title.Length, lines.Count == 0 ? 0 : lines.Max(line => line[i].Length))).ToArray();
        output.WriteLine(Faint(Line(titles)));
        foreach (var line in lines) output.WriteLine(Line(line));

        string Line(string[] cells) => string.Join("  ", cells.Select((cell, i) =>
            right[i] ? cell.PadLeft(widths[i]) : i == cells.Length - 1 ? cell : cell.PadRight(widths[i]))).TrimEnd();
    }

    /// <summary>Words that came from elsewhere may not move the cursor, colour the screen or reverse the writing.</summary>
    public static string Clean(string text)
    {
        if (!text.Any(Unwelcome)) return text;
        var clean = new StringBuilder(text.Length);
        foreach (var letter in text) clean.Append(Unwelcome(letter) ? '\uFFFD' : letter);
        return clean.ToString();

        static bool Unwelcome(char letter) =>
            char.IsControl(letter) || char.GetUnicodeCategory(letter) is UnicodeCategory.Format or UnicodeCategory.LineSeparator
                or UnicodeCategory.ParagraphSeparator;
    }

    /// <summary>
    /// As <see cref="Clean"/>, but shows what was there: "\u001b". Line feeds and tabs stay with <paramref name="lines"/>.
    /// </summary>
    public static string Escape(string text, bool lines = false)
    {
        if (Clean(text) == text) return text;
        var shown = new StringBuilder(text.Length + 16);
        foreach (var letter in text)
        {
            if ((lines && letter is '\n' or '\t') || Clean(letter.ToString())[0] == letter) shown.Append(letter);
            else shown.Append(CultureInfo.InvariantCulture, $"\\u{(int)letter:x4}");
        }
        return shown.ToString();
    }

    /// <summary>Asks for a yes or no; anything but a yes is a no.</summary>
    public bool AskYes(string question)
    {
        error.Write(question + " [y/N] ");
        error.Flush();
        return Console.ReadLine()?.Trim().ToLowerInvariant() is "y" or "yes";
    }

    /// <summary>Runs something that may take a while; after a moment it says what it is waiting for.</summary>
    public async Task<T> WaitAsync<T>(string words, Func<Action<string>, Task<T>> work)
    {
        var latest = words;
        var task = work(text => Volatile.Write(ref latest, text));
        if (await Task.WhenAny(task, Task.Delay(Patience)).ConfigureAwait(false) == task) return await task.ConfigureAwait(false);
        if (!errorInteractive)
        {
            Note(latest + " …");
            var said = latest;
            while (await Task.WhenAny(task, Task.Delay(TimeSpan.FromSeconds(1))).ConfigureAwait(false) != task)
                if (Volatile.Read(ref latest) is var now && now != said) Note((said = now) + " …");
            return await task.ConfigureAwait(false);
        }
        await SpinAsync(task, () => Volatile.Read(ref latest)).ConfigureAwait(false);
        return await task.ConfigureAwait(false);
    }

    // A method of its own, so that a node that runs for weeks does not carry the library of the spinner.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private Task SpinAsync(Task task, Func<string> words)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(error), Interactive = InteractionSupport.Yes });
        return console.Status().StartAsync(Markup.Escape(words()) + " …", async status =>
        {
            while (await Task.WhenAny(task, Task.Delay(200)).ConfigureAwait(false) != task) status.Status(Markup.Escape(words()) + " …");
        });
    }

    /// <summary>Runs something that may take a while.</summary>
    public Task<T> WaitAsync<T>(string words, Func<Task<T>> work) => WaitAsync(words, _ => work());

    /// <summary>Asks for a new secret, twice; refuses an empty one, and two that differ.</summary>
    public string AskTwice(string question)
    {
        if (!CanAsk) throw new OperationRefusedException(RefusalKind.BadInput, "There is no terminal to ask on. Give the passphrase in POLDER_PASSPHRASE.");
        var first = AskSecret(question);
        if (first.Length == 0) throw new OperationRefusedException(RefusalKind.BadInput, "An empty passphrase seals nothing.");
        return first == AskSecret("The same once more:") ? first : throw new OperationRefusedException(RefusalKind.BadInput, "The two were not the same. Nothing was written.");
    }

    /// <summary>Asks for a secret; nothing of it is shown.</summary>
    public string AskSecret(string question)
    {
        error.Write(question + " ");
        var secret = new StringBuilder();
        while (Console.ReadKey(intercept: true) is { Key: not ConsoleKey.Enter } key)
        {
            if (key.Key == ConsoleKey.Backspace) secret.Length = Math.Max(0, secret.Length - 1);
            else if (!char.IsControl(key.KeyChar)) secret.Append(key.KeyChar);
        }
        error.WriteLine();
        return secret.ToString();
    }
}
