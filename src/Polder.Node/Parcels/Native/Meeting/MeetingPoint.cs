using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Polder.Apps.Parcels.Native;
using Polder.Cryptography;
using Polder.Net;

namespace Polder.Node.Parcels.Native.Meeting;

/// <summary>
/// Where a sender can be found: TCP at a free port, answers on the LAN, word in the DHT and streams in sessions through a running node. Who comes is a
/// stranger until the run says otherwise; at most 8 at a time and 30 a minute get in.
/// </summary>
internal sealed class MeetingPoint : IAsyncDisposable
{
    private readonly MeetingOptions _options;
    private readonly Func<Stream, CancellationToken, Task> _handler;
    private readonly byte[] _secret = new byte[Ed25519.SecretKeyBytes];
    private readonly CancellationTokenSource _over = new();
    private readonly TcpListener? _listener;
    private readonly IDisposable? _lan;
    private readonly Lock _gate = new();
    private readonly Queue<DateTimeOffset> _begun = new();
    private Dictionary<string, (byte[] Meeting, IAsyncDisposable Listener)> _published = [];
    private Func<IReadOnlyList<byte[]>> _meetings = static () => [];
    private int _open;
    private Task _upkeep = Task.CompletedTask;

    public MeetingPoint(MeetingOptions options, Func<Stream, CancellationToken, Task> handler)
    {
        (_options, _handler) = (options, handler);
        Ed25519.Expand(RandomNumberGenerator.GetBytes(Ed25519.SeedBytes), _secret, Key);
        if (!options.Direct) return;
        try
        {
            _listener = new TcpListener(options.Loopback ? IPAddress.Loopback : IPAddress.IPv6Any, 0);
            if (!options.Loopback) _listener.Server.DualMode = true;
            _listener.Start(GuessBudget.OpenRunsMax);
        }
        catch (SocketException) when (!options.Loopback)
        {
            _listener = new TcpListener(IPAddress.Any, 0);
            _listener.Start(GuessBudget.OpenRunsMax);
        }
        _ = AcceptAsync();
        _lan = LanMeeting.Answer(options.Loopback, asked => _meetings().Any(meeting => meeting.AsSpan().SequenceEqual(asked)), Key, (ushort)Port);
    }

    /// <summary>The key made for this code, 32 bytes.</summary>
    public byte[] Key { get; } = new byte[Ed25519.PublicKeyBytes];

    /// <summary>The TCP port; 0 for none.</summary>
    public int Port => ((IPEndPoint?)_listener?.LocalEndpoint)?.Port ?? 0;

    /// <summary>Whether questions on the LAN are answered.</summary>
    public bool AnswersLan => _lan is not null;

    /// <summary>What went wrong with the running node, in words; null for nothing.</summary>
    public string? NetworkProblem { get; private set; }

    /// <summary>From now on it is found under these.</summary>
    public void Meet(Func<IReadOnlyList<byte[]>> meetings)
    {
        _meetings = meetings;
        if (_options.Network is { } network) _upkeep = UpkeepAsync(network, _upkeep);
    }

    public async ValueTask DisposeAsync()
    {
        if (_over.IsCancellationRequested) return;
        await _over.CancelAsync().ConfigureAwait(false);
        _listener?.Stop();
        _lan?.Dispose();
        await _upkeep.ConfigureAwait(false);
        foreach (var (meeting, listener) in _published.Values) await WithdrawAsync(meeting, listener).ConfigureAwait(false);
        CryptographicOperations.ZeroMemory(_secret);
        _over.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_over.IsCancellationRequested)
        {
            try
            {
                var client = await _listener!.AcceptTcpClientAsync(_over.Token).ConfigureAwait(false);
                client.NoDelay = true;
                _ = TakeAsync(client.GetStream());
            }
            catch (Exception problem) when (problem is OperationCanceledException or ObjectDisposedException) { return; }
            catch (SocketException) { await Task.Delay(100).ConfigureAwait(false); }
        }
    }

    private async Task TakeAsync(Stream stream)
    {
        lock (_gate)
        {
            var now = DateTimeOffset.UtcNow;
            while (_begun.TryPeek(out var at) && now - at > TimeSpan.FromMinutes(1)) _begun.Dequeue();
            if (_open >= GuessBudget.OpenRunsMax || _begun.Count >= GuessBudget.RunsPerMinute)
            {
                stream.Dispose();
                return;
            }
            _begun.Enqueue(now);
            _open++;
        }
        try { await _handler(stream, _over.Token).ConfigureAwait(false); }
        finally
        {
            lock (_gate) _open--;
            await stream.DisposeAsync().ConfigureAwait(false);
        }
    }

    // Word in the DHT is renewed each 20 minutes, follows the day, and ends with the sender.
    private async Task UpkeepAsync(IMeetingNetwork network, Task before)
    {
        await before.ConfigureAwait(false);
        var cancel = _over.Token;
        var round = _meetings;
        while (!cancel.IsCancellationRequested && round == _meetings)
        {
            try
            {
                var wanted = _meetings().ToDictionary(Convert.ToHexStringLower);
                foreach (var (name, meeting) in wanted)
                {
                    if (!_published.ContainsKey(name)) _published[name] = (meeting, await network.ListenAsync(meeting, TakeAsync, cancel).ConfigureAwait(false));
                    var value = new MeetingValue(Key, DateTimeOffset.UtcNow.ToUnixTimeSeconds(), true, Endpoints());
                    await network.PublishAsync(meeting, value.Write(meeting, _secret), cancel).ConfigureAwait(false);
                }
                foreach (var (name, old) in _published.ToArray())
                {
                    if (wanted.ContainsKey(name)) continue;
                    _published.Remove(name);
                    await WithdrawAsync(old.Meeting, old.Listener).ConfigureAwait(false);
                }
                NetworkProblem = null;
            }
            catch (OperationCanceledException) { }
            catch (Exception problem) when (problem is IOException or HttpRequestException or Operations.OperationRefusedException or TimeoutException) { NetworkProblem = problem.Message; }
            for (var waited = TimeSpan.Zero; waited < MeetingValue.Renewal && !cancel.IsCancellationRequested && round == _meetings; waited += TimeSpan.FromSeconds(0.25))
                await Task.Delay(TimeSpan.FromSeconds(0.25), CancellationToken.None).ConfigureAwait(false);
        }
    }

    private async Task WithdrawAsync(byte[] meeting, IAsyncDisposable listener)
    {
        try
        {
            await listener.DisposeAsync().ConfigureAwait(false);
            await _options.Network!.ForgetAsync(meeting).ConfigureAwait(false);
        }
        catch (Exception problem) when (problem is IOException or HttpRequestException or Operations.OperationRefusedException) { }
    }

    // Addresses of this machine that others may reach without help; the session finds its own way.
    private IReadOnlyList<Endpoint> Endpoints()
    {
        if (_listener is null) return [];
        if (_options.Loopback) return [Endpoint.From(IPAddress.Loopback, Port)];
        try
        {
            return [.. System.Net.NetworkInformation.NetworkInterface.GetAllNetworkInterfaces()
                .Where(static one => one.OperationalStatus == System.Net.NetworkInformation.OperationalStatus.Up)
                .SelectMany(static one => one.GetIPProperties().UnicastAddresses).Select(static one => one.Address)
                .Where(static address => !IPAddress.IsLoopback(address) && !address.IsIPv6LinkLocal).Select(address => Endpoint.From(address, Port)).Take(4)];
        }
        catch (System.Net.NetworkInformation.NetworkInformationException) { return []; }
    }
}
