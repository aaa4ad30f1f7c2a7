using System.Buffers;
using System.Globalization;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;

namespace Polder.Benchmarks.Graph;

/// <summary>
/// A gun client that writes and counts: so many puts open at a time, each under an id of its own, answered by <c>@</c>. It speaks only
/// what the measurement needs, so that the processor belongs to the server. It writes a thousand keys of one node again and again, or, where
/// it is to grow, ever new nodes of twenty keys.
/// </summary>
internal sealed class GunLoad : IAsyncDisposable
{
    private const int Keys = 1000, KeysOfSoul = 20, FollowNumber = 0xFFFFFF, ReadNumber = 0xFFFFFE;

    private static int _made = 255;

    private readonly ClientWebSocket _socket = new();
    private readonly Dictionary<int, (long At, int Key, int Value)> _open = [];
    private readonly Lock _gate = new();
    private readonly int[] _acknowledged = new int[Keys];
    private readonly bool _grows;
    private readonly string _soul, _tag;
    private readonly SemaphoreSlim _room;
    private Task _receiving = Task.CompletedTask;
    private int _number;

    public GunLoad(int client, int open, string run, bool grows = false)
    {
        // Never the same in one run: a peer remembers ids for a while.
        _grows = grows;
        var serial = Interlocked.Increment(ref _made);
        (_soul, _tag, _room) = (string.Create(CultureInfo.InvariantCulture, $"bench/{run}/{client}"), string.Create(CultureInfo.InvariantCulture, $"{serial:x3}"), new SemaphoreSlim(open));
        _socket.Options.KeepAliveInterval = TimeSpan.Zero;
    }

    /// <summary>Milliseconds from put to acknowledgement.</summary>
    public List<double> Latencies { get; } = new(200_000);

    /// <summary>Changed keys that came without being asked for.</summary>
    public long Pushed { get; private set; }

    public int Unanswered
    {
        get { lock (_gate) return _open.Count; }
    }

    public async Task ConnectAsync(Uri address, CancellationToken stop)
    {
        await _socket.ConnectAsync(address, stop).ConfigureAwait(false);
        _receiving = ReceiveAsync(stop);
    }

    /// <summary>Writes as fast as answers come, until <paramref name="until"/> (timestamp).</summary>
    public async Task WriteAsync(long until, CancellationToken stop)
    {
        while (TimeProvider.System.GetTimestamp() < until)
        {
            if (!await _room.WaitAsync(TimeSpan.FromSeconds(2), stop).ConfigureAwait(false)) continue;
            var number = _number++;
            var (key, at) = (number % Keys, TimeProvider.System.GetTimestamp());
            lock (_gate) _open[number] = (at, key, number);
            await SendAsync(Put(_grows && number >= Keys ? string.Create(CultureInfo.InvariantCulture, $"{_soul}/{number / KeysOfSoul}") : _soul, key, number), stop).ConfigureAwait(false);
        }
    }

    /// <summary>Asks for a node, and so follows it.</summary>
    public Task FollowAsync(string soul, CancellationToken stop) => SendAsync($$$"""{"#":"{{{Id(FollowNumber)}}}","get":{"#":"{{{soul}}}"}}""", stop);

    /// <summary>Keys of which the server does not hold what it has acknowledged last, or something later.</summary>
    public async Task<int> CountLostAsync(Uri address, CancellationToken stop)
    {
        using var reader = new ClientWebSocket();
        await reader.ConnectAsync(address, stop).ConfigureAwait(false);
        var found = new Dictionary<int, int>();
        await reader.SendAsync(Encoding.UTF8.GetBytes($$$"""{"#":"{{{Id(ReadNumber)}}}","get":{"#":"{{{_soul}}}"}}"""), WebSocketMessageType.Text, true, stop).ConfigureAwait(false);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
        patience.CancelAfter(TimeSpan.FromSeconds(20));
        var expected = _acknowledged.Count(static value => value > 0);
        try
        {
            while (found.Count < expected)
            {
                var frame = await FrameAsync(reader, patience.Token).ConfigureAwait(false);
                if (frame is null) break;
                using var parsed = JsonDocument.Parse(frame);
                foreach (var message in parsed.RootElement.ValueKind == JsonValueKind.Array ? parsed.RootElement.EnumerateArray().ToList() : [parsed.RootElement])
                {
                    if (message.ValueKind != JsonValueKind.Object || !message.TryGetProperty("put", out var put) || put.ValueKind != JsonValueKind.Object || !put.TryGetProperty(_soul, out var node)) continue;
                    foreach (var member in node.EnumerateObject())
                        if (member.Name.StartsWith('k') && member.Value.ValueKind == JsonValueKind.Number) found[int.Parse(member.Name.AsSpan(1), CultureInfo.InvariantCulture)] = member.Value.GetInt32();
                }
            }
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested) { }
        return Enumerable.Range(0, Keys).Count(key => _acknowledged[key] > 0 && (!found.TryGetValue(key, out var value) || value < _acknowledged[key]));
    }

    public async ValueTask DisposeAsync()
    {
        _socket.Abort();
        try { await _receiving.ConfigureAwait(false); }
        catch (Exception problem) when (problem is WebSocketException or OperationCanceledException or ObjectDisposedException) { }
        _socket.Dispose();
        _room.Dispose();
    }

    private Task SendAsync(string text, CancellationToken stop) => _socket.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, true, stop);

    // One length for all, and no id that begins another one: a relay would take it for a duplicate.
    private string Id(int number) => string.Create(CultureInfo.InvariantCulture, $"{_tag}{number:x6}");

    private string Put(string soul, int key, int value)
    {
        var state = (DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() - 1000 + value * 0.0005).ToString("R", CultureInfo.InvariantCulture);
        var name = string.Create(CultureInfo.InvariantCulture, $"\"k{key}\"");
        return string.Create(CultureInfo.InvariantCulture, $"{{\"#\":\"{Id(value)}\",\"put\":{{\"{soul}\":{{\"_\":{{\"#\":\"{soul}\",\">\":{{{name}:{state}}}}},{name}:{value}}}}}}}");
    }

    private async Task ReceiveAsync(CancellationToken stop)
    {
        while (_socket.State == WebSocketState.Open && await FrameAsync(_socket, stop).ConfigureAwait(false) is { } frame) Take(frame);
    }

    private static async Task<byte[]?> FrameAsync(ClientWebSocket socket, CancellationToken stop)
    {
        var frame = new ArrayBufferWriter<byte>(4096);
        while (true)
        {
            var got = await socket.ReceiveAsync(frame.GetMemory(4096), stop).ConfigureAwait(false);
            if (got.MessageType == WebSocketMessageType.Close) return null;
            frame.Advance(got.Count);
            if (got.EndOfMessage) return frame.WrittenSpan.ToArray();
        }
    }

    private void Take(byte[] frame)
    {
        var now = TimeProvider.System.GetTimestamp();
        var reader = new Utf8JsonReader(frame);
        var (answered, hasError, puts, depthOfMessage) = (-1, false, 0L, frame[0] == (byte)'[' ? 1 : 0);
        while (reader.Read())
        {
            if (reader.TokenType == JsonTokenType.StartObject && reader.CurrentDepth == depthOfMessage) (answered, hasError, puts) = (-1, false, 0);
            else if (reader.TokenType == JsonTokenType.PropertyName && reader.CurrentDepth == depthOfMessage + 1)
            {
                if (reader.ValueTextEquals("@"u8))
                {
                    reader.Read();
                    if (reader.TokenType == JsonTokenType.String && reader.GetString() is { Length: 9 } id && id.StartsWith(_tag, StringComparison.Ordinal) && int.TryParse(id.AsSpan(3), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var number)) answered = number;
                }
                else if (reader.ValueTextEquals("err"u8))
                {
                    reader.Read();
                    hasError = reader.TokenType == JsonTokenType.String;
                }
            }
            else if (reader.TokenType == JsonTokenType.Number && reader.CurrentDepth == depthOfMessage + 3) puts++;
            else if (reader.TokenType == JsonTokenType.EndObject && reader.CurrentDepth == depthOfMessage)
            {
                Pushed += answered < 0 ? puts : 0;
                if (answered >= 0) Answered(answered, hasError, now);
            }
        }
    }

    private void Answered(int number, bool hasError, long now)
    {
        lock (_gate)
        {
            if (!_open.Remove(number, out var put)) return;
            Latencies.Add(TimeProvider.System.GetElapsedTime(put.At, now).TotalMilliseconds);
            if (!hasError && (!_grows || put.Value < Keys)) _acknowledged[put.Key] = Math.Max(_acknowledged[put.Key], put.Value);
        }
        _room.Release();
    }
}
