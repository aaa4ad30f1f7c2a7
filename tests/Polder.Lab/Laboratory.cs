using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Polder.Lab;

/// <summary>
/// A small internet in network namespaces, built by natlab from a SPEC (see tests/natlab/natlab.md). Nothing in it reaches, or is
/// reached from, a real network. Disposing removes it with all that runs in it; what a killed process left behind goes at the next start.
/// </summary>
public sealed class Laboratory : IAsyncDisposable
{
    private const string Python = "/usr/bin/python3";
    private static readonly string Natlab = Path.Combine(AppContext.BaseDirectory, "natlab", "natlab");
    private const string Prefix = "p";
    private static int _made;

    private readonly List<LabProcess> _processes = [];
    private readonly string _name;

    private Laboratory(string name, IReadOnlyDictionary<string, LabPlace> places) => (_name, Places) = (name, places);

    /// <summary>What its namespaces' names begin with.</summary>
    public string Name => _name;

    /// <summary>Every host and router by name.</summary>
    public IReadOnlyDictionary<string, LabPlace> Places { get; private set; }

    /// <summary>Why no laboratory can be built here, or null when one can.</summary>
    public static string? Missing()
    {
        if (!OperatingSystem.IsLinux()) return "network namespaces need Linux";
        if (Environment.UserName != "root") return "network namespaces need root";
        if (!File.Exists(Python)) return "python3 is missing (Debian: python3)";
        if (!OnPath("ip")) return "ip is missing (Debian: iproute2)";
        if (!OnPath("nft")) return "nft is missing (Debian: nftables)";
        return Run("unshare", ["-n", "true"]).Code == 0 ? null : "this system does not allow network namespaces";
    }

    /// <summary>Builds what the SPEC describes. Throws when natlab refuses it.</summary>
    public static async Task<Laboratory> UpAsync(string spec)
    {
        Sweep();
        // Names of network devices are cut to six letters of it: a letter, the process in base 36, so several may stand beside each other.
        var name = Prefix + Base36(Environment.ProcessId) + (char)('a' + Interlocked.Increment(ref _made) % 26);
        var lab = new Laboratory(name, new Dictionary<string, LabPlace>());
        AppDomain.CurrentDomain.ProcessExit += lab.OnExit;
        var built = await Task.Run(() => Run(Python, [Natlab, "up", "-"], spec, name)).ConfigureAwait(false);
        if (built.Code != 0)
        {
            lab.Down();
            throw new InvalidOperationException($"natlab: {built.Errors}{built.Output}\n{spec}");
        }
        lab.Places = lab.ReadPlaces();
        return lab;
    }

    /// <summary>Starts a program in a host; it lives no longer than the laboratory.</summary>
    public LabProcess Start(string host, string program, params string[] arguments)
    {
        var process = new LabProcess(host, "ip", ["netns", "exec", $"{_name}-{host}", program, .. arguments]);
        lock (_processes) _processes.Add(process);
        return process;
    }

    /// <summary>Our own agent in a host (see <c>Polder.Lab node</c>).</summary>
    public LabProcess StartAgent(string host) =>
        Start(host, Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", Path.Combine(AppContext.BaseDirectory, "Polder.Lab.dll"), "node");

    /// <summary>py-ipv8's agent in a host.</summary>
    public LabProcess StartReference(string host, string checkout) =>
        Start(host, Python, Path.Combine(AppContext.BaseDirectory, "natlab", "ipv8_cell.py"), "--ipv8", checkout);

    /// <summary>A host that plays foul (natlab/rawhost.py); in "net" it hears the whole public side.</summary>
    public LabProcess StartRaw(string host) => Start(host, Python, Path.Combine(AppContext.BaseDirectory, "natlab", "rawhost.py"));

    /// <summary>Runs natlab's own programs: probe, link, rebind. Gives what it printed.</summary>
    public async Task<string> NatlabAsync(params string[] arguments)
    {
        var ran = await Task.Run(() => Run(Python, [Natlab, .. arguments], null, _name)).ConfigureAwait(false);
        Places = ReadPlaces();
        return ran.Code == 0 ? ran.Output : throw new InvalidOperationException($"natlab {string.Join(' ', arguments)}: {ran.Errors}");
    }

    /// <summary>Runs a command in a host or router to its end.</summary>
    public async Task<string> ExecAsync(string place, params string[] command)
    {
        var ran = await Task.Run(() => Run("ip", ["netns", "exec", $"{_name}-{place}", .. command])).ConfigureAwait(false);
        return ran.Code == 0 ? ran.Output : throw new InvalidOperationException($"{place}: {string.Join(' ', command)}: {ran.Errors}");
    }

    public async ValueTask DisposeAsync()
    {
        AppDomain.CurrentDomain.ProcessExit -= OnExit;
        foreach (var process in _processes) await process.DisposeAsync().ConfigureAwait(false);
        Down();
    }

    private Dictionary<string, LabPlace> ReadPlaces()
    {
        using var state = JsonDocument.Parse(File.ReadAllText(StateFile(_name)));
        return state.RootElement.GetProperty("nodes").EnumerateObject().ToDictionary(
            static node => node.Name,
            static node => new LabPlace(Text(node.Value, "ip"), Text(node.Value, "kind"), Text(node.Value, "via"), Text(node.Value, "lan")));

        static string Text(JsonElement item, string name) =>
            item.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
    }

    private void OnExit(object? sender, EventArgs e) => Down();

    private void Down() => _ = Run(Python, [Natlab, "down"], null, _name);

    /// <summary>Removes laboratories whose process is gone.</summary>
    private static void Sweep()
    {
        foreach (var file in Directory.EnumerateFiles(Path.GetTempPath(), $"natlab-{Prefix}*.json"))
        {
            var name = Path.GetFileNameWithoutExtension(file)["natlab-".Length..];
            if (name.Length < 3 || FromBase36(name[1..^1]) is not { } process || Directory.Exists($"/proc/{process}")) continue;
            _ = Run(Python, [Natlab, "down"], null, name);
        }
    }

    private static string StateFile(string name) => Path.Combine(Path.GetTempPath(), $"natlab-{name}.json");

    private static (int Code, string Output, string Errors) Run(string program, string[] arguments, string? input = null, string? lab = null)
    {
        var start = new ProcessStartInfo(program) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        if (lab is not null) start.Environment["NATLAB"] = lab;
        try
        {
            using var process = Process.Start(start)!;
            var errors = process.StandardError.ReadToEndAsync();
            if (input is not null) process.StandardInput.Write(input);
            process.StandardInput.Close();
            var output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return (process.ExitCode, output, errors.Result);
        }
        catch (System.ComponentModel.Win32Exception problem) { return (-1, "", problem.Message); }
    }

    private static bool OnPath(string program) => ((Environment.GetEnvironmentVariable("PATH") ?? "") + ":/usr/sbin:/sbin").Split(':')
        .Any(folder => folder.Length > 0 && File.Exists(Path.Combine(folder, program)));

    private static string Base36(int value)
    {
        var text = "";
        for (; value > 0; value /= 36) text = "0123456789abcdefghijklmnopqrstuvwxyz"[value % 36] + text;
        return text;
    }

    private static int? FromBase36(string text)
    {
        long value = 0;
        foreach (var letter in text)
        {
            var digit = "0123456789abcdefghijklmnopqrstuvwxyz".IndexOf(letter, StringComparison.Ordinal);
            if (digit < 0 || value > 100_000_000) return null;
            value = value * 36 + digit;
        }
        return (int)Math.Min(value, int.MaxValue);
    }

    /// <summary>A fraction of seconds for tables: "0.42", or a dash.</summary>
    public static string Seconds(double? seconds) => seconds?.ToString("F2", CultureInfo.InvariantCulture) ?? "–";
}

/// <summary>A host or router: its address on the outer side, its kind (routers), the router before it, and the network behind it.</summary>
public sealed record LabPlace(string Address, string Kind, string Via, string Lan);
