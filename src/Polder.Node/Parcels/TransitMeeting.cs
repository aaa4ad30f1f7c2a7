using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Security.Cryptography;
using Polder.Apps.Parcels;
using Polder.Apps.Parcels.Transit;

namespace Polder.Node.Parcels;

/// <summary>How the two sides of a transfer find a connection.</summary>
internal sealed record TransitOptions
{
    /// <summary>The relay that we offer and wait at; null for none.</summary>
    public TransitHint? Relay { get; init; }
    /// <summary>127.0.0.1 only.</summary>
    public bool LoopbackOnly { get; init; }
    /// <summary>Whether the other side may be on this machine, so that 127.0.0.1 in its hints means it.</summary>
    public bool PeerMayBeHere { get; init; }
    /// <summary>Whether we take connections.</summary>
    public bool Listen { get; init; } = true;
    /// <summary>How long both may look for each other. Default 60 s.</summary>
    public TimeSpan MeetMax { get; init; } = TimeSpan.FromSeconds(60);
}

/// <summary>
/// Tries all ways to the other side at once and gives the one connection that the sender chose (docs/wire/wormhole.md, "Transit").
/// </summary>
internal sealed class TransitMeeting : IAsyncDisposable
{
    /// <summary>How long relays wait for a direct connection to come first.</summary>
    private static readonly TimeSpan RelayDelay = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan HandshakeMax = TimeSpan.FromSeconds(60);
    private const int CandidatesMax = 64;

    private readonly bool _isSender;
    private readonly TransitKeys _keys;
    private readonly TransitOptions _options;
    private readonly DialRules _rules;
    private readonly List<Socket> _listeners = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource<TransitLink> _chosen = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly string _relaySide = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));
    private readonly HashSet<TransitHint> _relaysTried = [];
    private readonly Lock _gate = new();
    private bool _taken, _dialled;
    private int _candidates;

    public TransitMeeting(bool isSender, TransitKeys keys, TransitOptions options)
    {
        (_isSender, _keys, _options, _rules) = (isSender, keys, options, new DialRules(options.LoopbackOnly, options.PeerMayBeHere));
        if (options.Listen) Listen();
        OwnHints = new TransitHints(DirectHints(), options.Relay is { } relay ? [relay] : []);
    }

    /// <summary>What the other side is told.</summary>
    public TransitHints OwnHints { get; }

    /// <summary>Goes to all the places at once; relays a little later where a direct way looks possible. Once only: later hints are a repetition.</summary>
    public void Dial(TransitHints theirs)
    {
        lock (_gate)
        {
            if (_dialled) return;
            _dialled = true;
        }
        foreach (var hint in theirs.Direct) _ = TryAsync(hint, null, TimeSpan.Zero);
        var delay = theirs.Direct.Count > 0 ? RelayDelay : TimeSpan.Zero;
        double? last = null;
        foreach (var relay in theirs.Relays.Concat(OwnHints.Relays).OrderByDescending(relay => relay.Priority))
        {
            if (!_relaysTried.Add(relay with { Priority = 0 })) continue;
            if (last is { } before && relay.Priority < before) delay += RelayDelay;
            last = relay.Priority;
            _ = TryAsync(relay, _keys.RelayLine(_relaySide), delay);
        }
    }

    /// <summary>The connection; throws <see cref="ParcelEndedException"/> when none is found in time.</summary>
    public async Task<TransitLink> ConnectAsync(CancellationToken cancellation)
    {
        try { return await _chosen.Task.WaitAsync(_options.MeetMax, cancellation).ConfigureAwait(false); }
        catch (TimeoutException)
        {
            throw new ParcelEndedException(ParcelResult.LineBroken,
                "No connection to the other side came about. Name a relay on both sides with --relay HOST:PORT (polder run --relay PORT serves one).");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        foreach (var listener in _listeners) listener.Dispose();
    }

    private void Listen()
    {
        foreach (var address in _options.LoopbackOnly ? (IPAddress[])[IPAddress.Loopback] : [IPAddress.Any, IPAddress.IPv6Any])
        {
            try
            {
                var listener = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
                if (address.AddressFamily == AddressFamily.InterNetworkV6) listener.DualMode = false;
                listener.Bind(new IPEndPoint(address, 0));
                listener.Listen(8);
                _listeners.Add(listener);
                _ = AcceptAsync(listener);
            }
            // A machine without IPv6, or one that lets nobody in: the other ways remain.
            catch (SocketException) { }
        }
    }

    private List<TransitHint> DirectHints()
    {
        var hints = new List<TransitHint>();
        foreach (var listener in _listeners)
        {
            var bound = (IPEndPoint)listener.LocalEndPoint!;
            if (_options.LoopbackOnly) hints.Add(new TransitHint("127.0.0.1", bound.Port));
            else hints.AddRange(OwnAddresses(bound.AddressFamily).Select(address => new TransitHint(address.ToString(), bound.Port)));
        }
        // A machine without any network still reaches itself.
        if (hints.Count == 0 && _listeners.Count > 0) hints.Add(new TransitHint("127.0.0.1", ((IPEndPoint)_listeners[0].LocalEndPoint!).Port));
        return hints.Count > TransitHints.Max / 2 ? hints[..(TransitHints.Max / 2)] : hints;
    }

    private static IEnumerable<IPAddress> OwnAddresses(AddressFamily family)
    {
        NetworkInterface[] interfaces;
        try { interfaces = NetworkInterface.GetAllNetworkInterfaces(); }
        catch (NetworkInformationException) { yield break; }
        foreach (var network in interfaces.Where(network => network.OperationalStatus == OperationalStatus.Up))
            foreach (var unicast in network.GetIPProperties().UnicastAddresses)
                if (unicast.Address.AddressFamily == family && !IPAddress.IsLoopback(unicast.Address) && !unicast.Address.IsIPv6LinkLocal
                    && !(family == AddressFamily.InterNetwork && unicast.Address.GetAddressBytes() is [169, 254, ..]))
                    yield return unicast.Address;
    }

    private async Task AcceptAsync(Socket listener)
    {
        while (!_stop.IsCancellationRequested)
        {
            Socket socket;
            try { socket = await listener.AcceptAsync(_stop.Token).ConfigureAwait(false); }
            catch (Exception problem) when (problem is SocketException or OperationCanceledException or ObjectDisposedException) { return; }
            if (Interlocked.Increment(ref _candidates) > CandidatesMax) { socket.Dispose(); return; }
            _ = ShakeAsync(socket, null, "direct");
        }
    }

    private async Task TryAsync(TransitHint hint, byte[]? relayLine, TimeSpan delay)
    {
        Socket? socket = null;
        try
        {
            if (delay > TimeSpan.Zero) await Task.Delay(delay, _stop.Token).ConfigureAwait(false);
            IPAddress[] addresses = IPAddress.TryParse(hint.Host, out var literal) ? [literal]
                : _options.LoopbackOnly && hint.Host != "localhost" ? []
                : await Dns.GetHostAddressesAsync(hint.Host, _stop.Token).WaitAsync(DialRules.DialMax, _stop.Token).ConfigureAwait(false);
            // Our own relay is our own choice; what the other side names goes through the rules.
            var own = relayLine is not null && OwnHints.Relays.Any(relay => relay.Host == hint.Host && relay.Port == hint.Port);
            if (addresses.FirstOrDefault(address => own ? !_options.LoopbackOnly || IPAddress.IsLoopback(address) : _rules.Allows(address)) is not { } target) return;
            socket = new Socket(target.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            using (var limit = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token))
            {
                limit.CancelAfter(DialRules.DialMax);
                await socket.ConnectAsync(new IPEndPoint(target, hint.Port), limit.Token).ConfigureAwait(false);
            }
            await ShakeAsync(socket, relayLine, relayLine is null ? "direct" : $"relay {hint}").ConfigureAwait(false);
        }
        catch (Exception problem) when (problem is SocketException or OperationCanceledException or ObjectDisposedException or TimeoutException or ArgumentException)
        {
            socket?.Dispose();
        }
    }

    /// <summary>Writes our line, reads theirs byte by byte, and lets the sender choose.</summary>
    private async Task ShakeAsync(Socket socket, byte[]? relayLine, string way)
    {
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
            limit.CancelAfter(relayLine is null ? HandshakeMax : RelayRules.WaitMax);
            socket.NoDelay = true;
            if (relayLine is not null)
            {
                await SendAllAsync(socket, relayLine, limit.Token).ConfigureAwait(false);
                if (!await ReadExactlyThisAsync(socket, TransitKeys.Ok.ToArray(), limit.Token).ConfigureAwait(false)) { socket.Dispose(); return; }
            }
            await SendAllAsync(socket, _isSender ? _keys.SenderLine : _keys.ReceiverLine, limit.Token).ConfigureAwait(false);
            if (!await ReadExactlyThisAsync(socket, _isSender ? _keys.ReceiverLine : _keys.SenderLine, limit.Token).ConfigureAwait(false)) { socket.Dispose(); return; }
            if (_isSender)
            {
                var mine = Take();
                await SendAllAsync(socket, mine ? TransitKeys.Go.ToArray() : TransitKeys.Nevermind.ToArray(), limit.Token).ConfigureAwait(false);
                if (!mine) { socket.Dispose(); return; }
            }
            else if (!await ReadExactlyThisAsync(socket, TransitKeys.Go.ToArray(), limit.Token).ConfigureAwait(false) || !Take())
            {
                socket.Dispose();
                return;
            }
            var link = _isSender ? new TransitLink(socket, _keys.SenderKey, _keys.ReceiverKey, way) : new TransitLink(socket, _keys.ReceiverKey, _keys.SenderKey, way);
            if (!_chosen.TrySetResult(link)) link.Dispose();
        }
        catch (Exception problem) when (problem is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            socket.Dispose();
        }
    }

    private bool Take()
    {
        lock (_gate) return !_taken && (_taken = true);
    }

    private static async Task SendAllAsync(Socket socket, ReadOnlyMemory<byte> bytes, CancellationToken cancellation)
    {
        while (!bytes.IsEmpty) bytes = bytes[await socket.SendAsync(bytes, SocketFlags.None, cancellation).ConfigureAwait(false)..];
    }

    /// <summary>Reads no byte more than expected: records may follow in the same packet. False at the first wrong one.</summary>
    private static async Task<bool> ReadExactlyThisAsync(Socket socket, byte[] expected, CancellationToken cancellation)
    {
        var buffer = new byte[expected.Length];
        for (var count = 0; count < expected.Length;)
        {
            var read = await socket.ReceiveAsync(buffer.AsMemory(count), SocketFlags.None, cancellation).ConfigureAwait(false);
            if (read == 0 || !buffer.AsSpan(count, read).SequenceEqual(expected.AsSpan(count, read))) return false;
            count += read;
        }
        return true;
    }
}
