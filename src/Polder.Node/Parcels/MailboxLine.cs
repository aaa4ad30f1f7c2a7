using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text.Json;
using Polder.Apps.Parcels;
using Polder.Apps.Parcels.Codes;
using Polder.Apps.Parcels.Mailbox;
using Polder.Node.Runtime;

namespace Polder.Node.Parcels;

/// <summary>
/// A run over a mailbox server: carries the frames of its rules over WebSockets, comes back when the line is lost, and is the
/// conversation of a transfer once the key is confirmed.
/// </summary>
internal sealed class MailboxLine : IConversation, IAsyncDisposable
{
    private static readonly TimeSpan FirstConnectMax = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan RetryMin = TimeSpan.FromSeconds(1), RetryMax = TimeSpan.FromSeconds(60);

    private readonly Uri _server;
    private readonly WormholeRun _run;
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly IParcelProgress _human;
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ClientWebSocket? _socket;
    private Task _pump = Task.CompletedTask;
    private readonly SemaphoreSlim _sending = new(1);
    private bool _motdShown;

    private MailboxLine(Uri server, WormholeRun run, IParcelProgress human) => (_server, _run, _human) = (server, run, human);

    /// <summary>Connects; null when nobody answers there. Throws <see cref="ParcelEndedException"/> when the server turns us away.</summary>
    public static async Task<MailboxLine?> OpenAsync(Uri server, string versions, IParcelProgress human, CancellationToken cancellation)
    {
        var line = new MailboxLine(server, new WormholeRun(WormholeKeys.FileTransferAppId, versions, RandomNumberGenerator.Fill, new EntropyPrng()), human);
        var socket = await line.ConnectAsync(FirstConnectMax, cancellation).ConfigureAwait(false);
        if (socket is null) return null;
        line._pump = line.RunAsync(socket);
        return line;
    }

    public WormholeKeys Keys => _run.Keys ?? throw new InvalidOperationException("There is no key yet.");
    public JsonElement PeerVersions => _run.PeerVersions;

    /// <summary>Draws a number.</summary>
    public async Task<string> AllocateAsync(CancellationToken cancellation)
    {
        await SayAsync(run => run.Client.Allocate()).ConfigureAwait(false);
        return (await UntilAsync(run => run.Client.Nameplate, cancellation).ConfigureAwait(false))!;
    }

    /// <summary>Numbers in use, where the server tells.</summary>
    public async Task<IReadOnlyList<string>> ListAsync(CancellationToken cancellation)
    {
        _listed = null;
        await SayAsync(run => run.Client.List()).ConfigureAwait(false);
        return (await UntilAsync(_ => _listed, cancellation).ConfigureAwait(false))!;
    }

    private IReadOnlyList<string>? _listed;

    /// <summary>Goes to the code's place and waits until the other side has proved that it knows the code. Throws when it used another.</summary>
    /// <param name="code">The code.</param>
    /// <param name="mayConfirm">Asked before our confirmation goes out; a no ends it with <see cref="HasLeft"/>.</param>
    /// <param name="cancellation">Gives up.</param>
    public async Task MeetAsync(WormholeCode code, Func<bool> mayConfirm, CancellationToken cancellation)
    {
        await SayAsync(run =>
        {
            run.MayConfirm = mayConfirm;
            run.Use(code);
        }).ConfigureAwait(false);
        await UntilAsync(run => run.State == RunState.Confirmed ? "" : null, cancellation).ConfigureAwait(false);
    }

    /// <summary>Whether we left without showing anything.</summary>
    public bool HasLeft => _run.State == RunState.Left;

    public async ValueTask SendAsync(ReadOnlyMemory<byte> message, CancellationToken cancellation) =>
        await SayAsync(run => run.Send(message.Span)).ConfigureAwait(false);

    public async ValueTask<byte[]?> ReceiveAsync(CancellationToken cancellation) =>
        await UntilAsync(run => run.Messages.TryDequeue(out var message) ? message : null, cancellation).ConfigureAwait(false);

    /// <summary>Leaves the mailbox with a mood, waits a moment for the server's word on it, and hangs up.</summary>
    public async Task CloseAsync(string mood)
    {
        try
        {
            await SayAsync(run => run.Client.Close(mood)).ConfigureAwait(false);
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
            patience.CancelAfter(TimeSpan.FromSeconds(3));
            while (NotClosed() is { } changed) await changed.WaitAsync(patience.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) { }
        await DisposeAsync().ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        if (_stop.IsCancellationRequested) return;
        await _stop.CancelAsync().ConfigureAwait(false);
        await _pump.ConfigureAwait(false);
        _socket?.Dispose();
    }

    private async Task<T> UntilAsync<T>(Func<WormholeRun, T?> find, CancellationToken cancellation) where T : class
    {
        while (true)
        {
            Task changed;
            lock (_gate)
            {
                if (find(_run) is { } found) return found;
                if (_run.State == RunState.WrongCode)
                    throw new ParcelEndedException(ParcelResult.WrongCode, "Somebody used another code: mistyped, or guessed. This code is spent; start again with a new one.");
                if (_run.State == RunState.Left) throw new ParcelEndedException(ParcelResult.NoMeeting, "Another meeting place was first.");
                if (_run.State == RunState.Failed)
                    throw new ParcelEndedException(_run.Complaint is "crowded" or "reclaimed" ? ParcelResult.NoMeeting : ParcelResult.PeerFailed, Words(_run.Complaint));
                changed = _changed.Task;
            }
            await changed.WaitAsync(cancellation).ConfigureAwait(false);
        }
    }

    private static string Words(string? complaint) => complaint switch
    {
        "crowded" => "Two others use this number already. Start again with a new code.",
        "reclaimed" => "This code was used before. Start again with a new one.",
        _ => $"The mailbox server refuses: {complaint}",
    };

    /// <summary>What to wait for while the server has not confirmed the end; taken together with the look, so that no word is missed.</summary>
    private Task? NotClosed()
    {
        lock (_gate) return _run.Client.IsClosed ? null : _changed.Task;
    }

    private async Task SayAsync(Action<WormholeRun> say)
    {
        lock (_gate) say(_run);
        await FlushAsync().ConfigureAwait(false);
    }

    private async Task RunAsync(ClientWebSocket first)
    {
        var wait = RetryMin;
        ClientWebSocket? socket = first;
        while (!_stop.IsCancellationRequested)
        {
            if (socket is not null)
            {
                wait = RetryMin;
                await ReadAsync(socket).ConfigureAwait(false);
            }
            if (_stop.IsCancellationRequested || _run.Client.IsClosed) return;
            // About a second, half as much more each time, each a little different from others'.
            var jittered = wait * (0.88 + RandomNumberGenerator.GetInt32(2400) / 10_000.0);
            try { await Task.Delay(jittered, _stop.Token).ConfigureAwait(false); }
            catch (OperationCanceledException) { return; }
            wait = wait * 1.5 < RetryMax ? wait * 1.5 : RetryMax;
            try { socket = await ConnectAsync(FirstConnectMax, _stop.Token).ConfigureAwait(false); }
            catch (OperationCanceledException) { return; }
        }
    }

    private async Task<ClientWebSocket?> ConnectAsync(TimeSpan patience, CancellationToken cancellation)
    {
        var socket = new ClientWebSocket();
        socket.Options.KeepAliveInterval = TimeSpan.FromSeconds(30);
        socket.Options.KeepAliveTimeout = TimeSpan.FromSeconds(60);
        socket.Options.Proxy = null;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(patience);
        try
        {
            await socket.ConnectAsync(_server, limit.Token).ConfigureAwait(false);
            lock (_gate)
            {
                _socket = socket;
                _run.Client.Connected();
            }
            return socket;
        }
        catch (Exception problem) when (problem is WebSocketException or HttpRequestException or IOException || (problem is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            socket.Dispose();
            return null;
        }
    }

    private async Task ReadAsync(ClientWebSocket socket)
    {
        using (socket)
        {
            var buffer = new byte[64 << 10];
            using var frame = new MemoryStream();
            try
            {
                while (true)
                {
                    var part = await socket.ReceiveAsync(buffer.AsMemory(), _stop.Token).ConfigureAwait(false);
                    if (part.MessageType == WebSocketMessageType.Close) break;
                    frame.Write(buffer, 0, part.Count);
                    // A server that sends more than a whole mailbox in one frame is none.
                    if (frame.Length > 2 * MailboxLimits.MailboxBytesMax) break;
                    if (!part.EndOfMessage) continue;
                    await TakeAsync(frame.ToArray()).ConfigureAwait(false);
                    frame.SetLength(0);
                }
            }
            catch (Exception problem) when (problem is WebSocketException or OperationCanceledException or IOException or ObjectDisposedException) { }
            lock (_gate)
            {
                if (_socket == socket) _socket = null;
                _run.Client.Disconnected();
            }
        }
    }

    private async Task TakeAsync(byte[] frame)
    {
        TaskCompletionSource changed;
        MailboxEvent? told;
        lock (_gate)
        {
            told = _run.Client.Receive(frame);
            _run.Take(told);
            if (told is MailboxEvent.Nameplates list) _listed = list.Ids;
            changed = _changed;
            _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
        if (told is MailboxEvent.Welcome { Motd: { } motd } && !_motdShown)
        {
            _motdShown = true;
            _human.Note("The mailbox server says: " + motd);
        }
        if (told is MailboxEvent.WorkWanted work) await WorkAsync(work).ConfigureAwait(false);
        changed.TrySetResult();
        await FlushAsync().ConfigureAwait(false);
    }

    private async Task WorkAsync(MailboxEvent.WorkWanted work)
    {
        if (work.Bits > Hashcash.BitsMax)
        {
            lock (_gate) _run.Take(new MailboxEvent.Complaint($"it asks for a stamp of {work.Bits} bits; this program works for at most {Hashcash.BitsMax}"));
            return;
        }
        _human.Note("The mailbox server asks for some work first, as it is under attack.");
        var stamp = await Task.Run(() => Hashcash.Mint(work.Bits, work.Resource, DateTimeOffset.UtcNow, Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8)), _stop.Token)).ConfigureAwait(false);
        if (stamp is null) return;
        lock (_gate) _run.Client.SubmitStamp(stamp);
    }

    /// <summary>Sends what the rules want said, in order, over the line that is up.</summary>
    private async Task FlushAsync()
    {
        await _sending.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        try
        {
            while (true)
            {
                byte[][] frames;
                ClientWebSocket? socket;
                lock (_gate) (frames, socket) = (_run.Client.TakeFrames(), _socket);
                if (frames.Length == 0 || socket is null) return;
                foreach (var frame in frames) await socket.SendAsync(frame.AsMemory(), WebSocketMessageType.Text, true, _stop.Token).ConfigureAwait(false);
            }
        }
        // What was lost with the line is said again by the rules after the next welcome.
        catch (Exception problem) when (problem is WebSocketException or OperationCanceledException or IOException or ObjectDisposedException) { }
        finally { _sending.Release(); }
    }
}
