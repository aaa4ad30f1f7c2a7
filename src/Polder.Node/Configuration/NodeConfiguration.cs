using System.Text.Json;

namespace Polder.Node.Configuration;

/// <summary>A configured value and where it came from.</summary>
/// <param name="Key">"overlay.peersMax".</param>
/// <param name="Value">As text.</param>
/// <param name="Source">"default", "polder.json", "environment POLDER_PORT" or "command line".</param>
/// <param name="Help">What it is.</param>
public sealed record OptionValue(string Key, string Value, string Source, string Help);

/// <summary>
/// The options of a node, gathered in order from defaults, <c>polder.json</c>, the environment (<c>POLDER_…</c>) and the
/// command line; later ones win. Read once.
/// </summary>
public sealed class NodeConfiguration
{
    /// <summary>Where a value came from that nobody set.</summary>
    public const string DefaultSource = "default";
    /// <summary>Where a value came from that was typed.</summary>
    public const string CommandLineSource = "command line";
    private const string Prefix = "POLDER_";

    // Variables of the developers' tools, which a node started by them inherits.
    private static readonly string[] Foreign =
        ["POLDER_ACCEPT_API", "POLDER_ACCEPT_DOCS", "POLDER_FUZZ_SEED", "POLDER_FUZZ_SECONDS", "POLDER_GUN_PACKAGE", "POLDER_GRAPH_HISTORIES", "POLDER_GRAPH_SEEDS", "POLDER_PEERS", "POLDER_PROGRAM", "POLDER_SEEDS", "POLDER_ACCOUNT_PASSPHRASE", "POLDER_ACCOUNT_NEW_PASSPHRASE"];

    private readonly Dictionary<string, string> _sources = new(StringComparer.Ordinal);

    private NodeConfiguration(NodeOptions options) => Options = options;

    /// <summary>The options in effect.</summary>
    public NodeOptions Options { get; private set; }

    /// <summary>Every value with its source. A passphrase is not among them.</summary>
    public IReadOnlyList<OptionValue> Values =>
        [.. OptionKeys.All.Where(key => !key.IsSecret)
            .Select(key => new OptionValue(key.Name, key.Read(Options), _sources.GetValueOrDefault(key.Name, DefaultSource), key.Help))];

    /// <summary>Reads all sources.</summary>
    /// <param name="commandLine">What was typed: key and value, dotted names.</param>
    /// <param name="environment">Variables; those without POLDER_ in front are passed over. Null: those of the process.</param>
    /// <exception cref="NodeStartException">A key that does not exist, or a value that is not allowed.</exception>
    public static NodeConfiguration Read(
        IEnumerable<KeyValuePair<string, string>> commandLine, IEnumerable<KeyValuePair<string, string>>? environment = null)
    {
        var typed = commandLine.ToList();
        var variables = (environment ?? OfProcess()).Where(pair => pair.Key.StartsWith(Prefix, StringComparison.Ordinal) && !Foreign.Contains(pair.Key)).OrderBy(pair => pair.Key, StringComparer.Ordinal).ToList();

        // The folder decides which file is read, so it is looked for first. A file cannot name the folder that it lies in.
        var probe = new NodeConfiguration(new NodeOptions());
        foreach (var (name, value) in variables) if (EnvironmentKey(name).Name == "data") probe.Set("data", value, name);
        foreach (var (name, value) in typed) if (name == "data") probe.Set("data", value, CommandLineSource);

        var configuration = new NodeConfiguration(new NodeOptions());
        configuration.ReadFile(Path.Combine(Path.GetFullPath(probe.Options.Data), "polder.json"));
        foreach (var (name, value) in variables) configuration.Set(EnvironmentKey(name).Name, value, "environment " + name);
        foreach (var (name, value) in typed) configuration.Set(name, value, CommandLineSource);
        return configuration;
    }

    private static IEnumerable<KeyValuePair<string, string>> OfProcess()
    {
        foreach (System.Collections.DictionaryEntry entry in Environment.GetEnvironmentVariables())
            yield return new((string)entry.Key, (string?)entry.Value ?? "");
    }

    private static OptionKey EnvironmentKey(string variable) =>
        OptionKeys.All.FirstOrDefault(key => key.EnvironmentName == variable)
        ?? throw new NodeStartException(
            $"The environment variable {variable} is none that Polder knows. Did you mean {OptionKeys.Nearest(variable, OptionKeys.All.Select(key => key.EnvironmentName))}?");

    private void ReadFile(string path)
    {
        if (!File.Exists(path)) return;
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path),
                new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true, MaxDepth = 8 });
            if (document.RootElement.ValueKind != JsonValueKind.Object) throw new NodeStartException($"{path} should hold one object: {{ \"port\": 8090 }}.");
            ReadObject(document.RootElement, "", path);
        }
        catch (JsonException problem)
        {
            throw new NodeStartException($"{path} is no valid JSON (line {problem.LineNumber + 1}): {problem.Message}", problem);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new NodeStartException($"{path} cannot be read: {problem.Message}", problem);
        }
    }

    private void ReadObject(JsonElement element, string prefix, string path)
    {
        foreach (var property in element.EnumerateObject())
        {
            var name = prefix + property.Name;
            switch (property.Value.ValueKind)
            {
                case JsonValueKind.Object:
                    ReadObject(property.Value, name + ".", path);
                    break;
                case JsonValueKind.Array:
                    Set(name, string.Join(',', property.Value.EnumerateArray().Select(item => item.ToString())), path);
                    break;
                default:
                    Set(name, property.Value.ToString(), path);
                    break;
            }
        }
    }

    private void Set(string name, string value, string source)
    {
        if (OptionKeys.Find(name) is not { } key)
            throw new NodeStartException($"\"{name}\" ({source}) is no option. Did you mean \"{OptionKeys.Nearest(name, OptionKeys.All.Where(k => !k.IsSecret).Select(k => k.Name))}\"?");
        var fromEnvironment = source.StartsWith("environment ", StringComparison.Ordinal);
        if (key.IsSecret && !fromEnvironment)
            throw new NodeStartException($"\"{name}\" is taken from the environment variable {key.EnvironmentName} only, so that it is in no file and no list of processes.");
        if (key.Name == "data" && source.EndsWith("polder.json", StringComparison.Ordinal))
            throw new NodeStartException($"{source} lies in the data folder, so it cannot name another. Use --data DIR or POLDER_DATA.");
        try { Options = key.With(Options, value); }
        catch (Exception problem) when (problem is ArgumentException or FormatException)
        {
            var why = problem is ArgumentException { ParamName: not null } argument ? argument.Message.Split(" (Parameter", 2)[0] : problem.Message;
            throw new NodeStartException(
                key.IsSecret ? $"{key.EnvironmentName} is not allowed: {why}" : $"{key.Name} = \"{value}\" ({source}) is not allowed. {why} {key.Help}", problem);
        }
        _sources[key.Name] = source.EndsWith("polder.json", StringComparison.Ordinal) ? "polder.json" : source;
    }
}
