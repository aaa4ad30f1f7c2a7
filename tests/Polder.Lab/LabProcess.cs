using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Polder.Lab;

/// <summary>A program in a host that is told, and tells, one JSON object a line.</summary>
public sealed class LabProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly Dictionary<string, List<LabEvent>> _byNode = [];
    private readonly StringBuilder _noise = new();
    private readonly Lock _gate = new();
    private readonly Task _reading;
    private TaskCompletionSource _more = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _ended;

    internal LabProcess(string host, string program, IEnumerable<string> arguments)
    {
        Host = host;
        var start = new ProcessStartInfo(program) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        // Many nodes share few processors here.
        start.Environment["DOTNET_TieredPGO"] = "0";
        start.Environment["DOTNET_gcServer"] = "0";
        _process = Process.Start(start)!;
        _reading = Task.WhenAll(ReadAsync(), ReadNoiseAsync());
    }

    /// <summary>Where it runs.</summary>
    public string Host { get; }

    public int ProcessId => _process.Id;

    /// <summary>What it wrote that was no JSON, and its standard error.</summary>
    public string Noise
    {
        get { lock (_gate) return _noise.ToString(); }
    }

    /// <summary>Tells it to do something for one of its nodes.</summary>
    public void Do(string what, string node, params (string Name, JsonNode? Value)[] fields)
    {
        var command = new JsonObject { ["do"] = what, ["node"] = node };
        foreach (var (name, value) in fields) command[name] = value;
        lock (_process)
        {
            _process.StandardInput.WriteLine(command.ToJsonString());
            _process.StandardInput.Flush();
        }
    }

    /// <summary>The first event of that name, past or to come, that fits; null after the patience.</summary>
    public async Task<LabEvent?> WaitAsync(string node, string name, TimeSpan patience, Func<LabEvent, bool>? fits = null, int from = 0)
    {
        var clock = Stopwatch.StartNew();
        for (var next = from; ;)
        {
            Task more;
            lock (_gate)
            {
                var all = EventsOf(node);
                for (; next < all.Count; next++)
                {
                    if (all[next].Name == "error" && name != "error") throw new InvalidOperationException($"{Host}/{node}: {all[next].Text("text")}");
                    if (all[next].Name == name && (fits is null || fits(all[next]))) return all[next];
                }
                more = _more.Task;
                if (_ended) throw new InvalidOperationException($"The program in {Host} ended: {_noise}");
            }
            var left = patience - clock.Elapsed;
            if (left <= TimeSpan.Zero) return null;
            await Task.WhenAny(more, Task.Delay(left)).ConfigureAwait(false);
        }
    }

    /// <summary>As <see cref="WaitAsync"/>, but silence throws.</summary>
    public async Task<LabEvent> ExpectAsync(string node, string name, TimeSpan patience, Func<LabEvent, bool>? fits = null, int from = 0) =>
        await WaitAsync(node, name, patience, fits, from).ConfigureAwait(false)
        ?? throw new TimeoutException($"{Host}/{node} never said \"{name}\". It said last:\n{string.Join('\n', Events(node).TakeLast(8))}\n{Noise}");

    /// <summary>All that a node told so far.</summary>
    public IReadOnlyList<LabEvent> Events(string node)
    {
        lock (_gate) return [.. EventsOf(node)];
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            _process.StandardInput.Close();
            using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(4));
            await _process.WaitForExitAsync(stop.Token).ConfigureAwait(false);
        }
        catch (Exception problem) when (problem is OperationCanceledException or IOException)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync().ConfigureAwait(false);
        }
        await _reading.ConfigureAwait(false);
        _process.Dispose();
    }

    private List<LabEvent> EventsOf(string node)
    {
        if (!_byNode.TryGetValue(node, out var list)) _byNode[node] = list = [];
        return list;
    }

    private async Task ReadAsync()
    {
        while (await _process.StandardOutput.ReadLineAsync().ConfigureAwait(false) is { } line)
        {
            TaskCompletionSource told;
            lock (_gate)
            {
                if (line.StartsWith('{') && JsonDocument.Parse(line).RootElement is var item) EventsOf(LabEvent.TextOf(item, "node")).Add(new LabEvent(item.Clone()));
                else _noise.AppendLine(line);
                (told, _more) = (_more, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
            }
            told.SetResult();
        }
        TaskCompletionSource last;
        lock (_gate)
        {
            _ended = true;
            (last, _more) = (_more, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        }
        last.SetResult();
    }

    private async Task ReadNoiseAsync()
    {
        while (await _process.StandardError.ReadLineAsync().ConfigureAwait(false) is { } line)
            lock (_gate) _noise.AppendLine(line);
    }
}

/// <summary>One line that a node told.</summary>
public sealed record LabEvent(JsonElement Item)
{
    public string Name => Text("event");

    /// <summary>When, in seconds of the machine's clock.</summary>
    public double At => Item.GetProperty("at").GetDouble();

    public string Key => Text("key");

    public string Text(string name) => TextOf(Item, name);

    public bool IsTrue(string name) => Item.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.True;

    public double? Number(string name) =>
        Item.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : null;

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{At:F3} {Item}");

    public static string TextOf(JsonElement item, string name) =>
        item.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
}
