using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Polder.Identity;
using Polder.Net;

namespace Polder.Interop.Tests;

/// <summary>A peer of another implementation as a process of its own. It is told and tells one JSON object a line.</summary>
internal sealed class LivingPeer : IAsyncDisposable
{
    /// <summary>Walks of the others are random and every half second, and the machine may be busy.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(45);

    private readonly Process _process;
    private readonly List<JsonElement> _events = [];
    private readonly StringBuilder _errors = new();
    private readonly Lock _gate = new();
    private readonly Task _reading;
    private TaskCompletionSource _more = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _ended;

    public LivingPeer(string kind, string program, string[] arguments)
    {
        Kind = kind;
        var start = new ProcessStartInfo(program) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        _process = Process.Start(start)!;
        _reading = Task.WhenAll(ReadEventsAsync(), ReadErrorsAsync());
    }

    public string Kind { get; }
    public PublicKey Key { get; private set; } = null!;
    public Endpoint Address { get; private set; }
    public string KeyHex => Key.ToString();

    public string Errors
    {
        get { lock (_gate) return _errors.ToString(); }
    }

    public async Task ReadyAsync()
    {
        var ready = await WaitAsync("ready", _ => true);
        Assert.True(PublicKey.TryParseHex(ready.Text("publicKey"), out var key));
        (Key, Address) = (key, Endpoint.FromIPv4(0x7F000001, (ushort)ready.Number("port")));
    }

    public void Do(string what, params (string Name, object Value)[] fields)
    {
        var command = new JsonObject { ["do"] = what };
        foreach (var (name, value) in fields)
            command[name] = value as JsonNode ?? JsonValue.Create(Convert.ToString(value, CultureInfo.InvariantCulture));
        _process.StandardInput.WriteLine(command.ToJsonString());
        _process.StandardInput.Flush();
    }

    public void Walk(Endpoint to) => Do("walk", ("host", "127.0.0.1"), ("port", JsonValue.Create((int)to.Port)));

    /// <summary>The first event of this name, past or to come, for which <paramref name="fits"/> holds.</summary>
    public async Task<JsonElement> WaitAsync(string name, Func<JsonElement, bool> fits, TimeSpan? patience = null)
    {
        var clock = Stopwatch.StartNew();
        for (var next = 0; ;)
        {
            Task more;
            lock (_gate)
            {
                for (; next < _events.Count; next++)
                    if (_events[next].Text("event") == name && fits(_events[next])) return _events[next];
                more = _more.Task;
                if (_ended) break;
            }
            var left = (patience ?? Patience) - clock.Elapsed;
            if (left <= TimeSpan.Zero) break;
            await Task.WhenAny(more, Task.Delay(left));
        }
        throw new TimeoutException($"{Kind} never said \"{name}\". It said last: {string.Join('\n', All().TakeLast(8))}\n{Errors}");
    }

    /// <summary>Waits until it proved this key, in at least this overlay when one is named.</summary>
    public Task<JsonElement> KnowsAsync(PublicKey key, string? overlay = null)
    {
        var mid = key.Id.ToString();
        return WaitAnyAsync(["peer", "services"], item => item.Text("mid") == mid
            && (overlay is null || item.GetProperty("services").EnumerateArray().Any(service => service.GetString() == overlay)));
    }

    public IReadOnlyList<JsonElement> All(string? name = null)
    {
        lock (_gate) return [.. _events.Where(item => name is null || item.Text("event") == name)];
    }

    /// <summary>What a peer never says when all is well. A note about an address 0.0.0.0 that it would not send to is none.</summary>
    public IReadOnlyList<string> Complaints() =>
        [.. All().Where(item => item.Text("event") is "warning" or "error" or "invalid"
            || (item.Text("event") == "blocked" && item.Text("host") != "0.0.0.0")).Select(item => item.ToString()),
         .. Errors.Split('\n').Where(line => line.Contains("Exception", StringComparison.Ordinal) || line.Contains("Traceback", StringComparison.Ordinal)
            || line.StartsWith("WARNING", StringComparison.Ordinal) || line.StartsWith("ERROR", StringComparison.Ordinal))];

    public async ValueTask DisposeAsync()
    {
        try
        {
            _process.StandardInput.Close();
            using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(5));
            await _process.WaitForExitAsync(stop.Token);
        }
        catch (Exception problem) when (problem is OperationCanceledException or IOException)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
        }
        await _reading;
        _process.Dispose();
    }

    private async Task<JsonElement> WaitAnyAsync(string[] names, Func<JsonElement, bool> fits)
    {
        var waits = names.Select(name => WaitAsync(name, fits)).ToList();
        var first = await Task.WhenAny(waits);
        foreach (var wait in waits) _ = wait.ContinueWith(static done => _ = done.Exception, TaskScheduler.Default);
        return await first;
    }

    private async Task ReadEventsAsync()
    {
        while (await _process.StandardOutput.ReadLineAsync() is { } line)
        {
            if (!line.StartsWith('{')) continue;
            Add(JsonDocument.Parse(line).RootElement.Clone());
        }
        lock (_gate) _ended = true;
        Add(null);
    }

    private void Add(JsonElement? item)
    {
        TaskCompletionSource told;
        lock (_gate)
        {
            if (item is { } one) _events.Add(one);
            (told, _more) = (_more, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        }
        told.SetResult();
    }

    private async Task ReadErrorsAsync()
    {
        while (await _process.StandardError.ReadLineAsync() is { } line)
            lock (_gate) _errors.AppendLine(line);
    }
}

/// <summary>Short words for reading events.</summary>
internal static class EventReading
{
    public static string Text(this JsonElement item, string name) =>
        item.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    public static long Number(this JsonElement item, string name) => item.GetProperty(name).GetInt64();
}
