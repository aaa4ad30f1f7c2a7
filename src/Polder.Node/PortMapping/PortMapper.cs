using System.Net.NetworkInformation;

namespace Polder.Node.PortMapping;

/// <summary>What came of the wish for a port.</summary>
/// <param name="Lease">The mapping that holds; null without one.</param>
/// <param name="Trouble">Why a mapping is of no use or there is none, in words; null when all is well.</param>
/// <param name="Useless">What the router granted behind another router; taken away again.</param>
internal sealed record PortMappingState(PortLease? Lease, string? Trouble, PortLease? Useless = null);

/// <summary>
/// Keeps a UDP port of ours mapped at the gateway (overlay.md §6.7): asks by all ways at once, keeps the best that answers,
/// renews it at half its life, takes it away at the end. Never made by a node that is confined to loopback.
/// </summary>
internal sealed class PortMapper : IAsyncDisposable
{
    /// <summary>The lease that is asked for.</summary>
    public static readonly TimeSpan LeaseWanted = TimeSpan.FromSeconds(3600);

    private static readonly TimeSpan AskLimit = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan RemoveLimit = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan WithoutGateway = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan WithoutMapping = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan RenewalMin = TimeSpan.FromSeconds(1);

    private readonly ushort _port;
    private readonly Func<Gateway?> _find;
    private readonly Func<Gateway, IReadOnlyList<IPortControl>> _controls;
    private readonly Action<PortMappingState> _changed;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _networkChanged = new(0, 1);
    private readonly Task _running;
    private PortLease? _lease;
    private IReadOnlyList<IPortControl> _made = [];

    /// <summary>Begins to ask.</summary>
    /// <param name="port">Our UDP port.</param>
    /// <param name="changed">Told what holds now; from any thread.</param>
    /// <param name="time">The clock of pauses and renewals.</param>
    /// <param name="find">Finds the gateway; the routing table's without.</param>
    /// <param name="controls">The ways to ask, the best first; PCP, NAT-PMP and UPnP without.</param>
    public PortMapper(ushort port, Action<PortMappingState> changed, TimeProvider time, Func<Gateway?>? find = null, Func<Gateway, IReadOnlyList<IPortControl>>? controls = null)
    {
        (_port, _changed, _time) = (port, changed, time);
        _find = find ?? Gateway.Find;
        _controls = controls ?? (static gateway => [new PcpControl(gateway), new NatPmpControl(gateway), new UpnpControl(gateway)]);
        NetworkChange.NetworkAddressChanged += OnNetworkChanged;
        _running = Task.Run(RunAsync);
    }

    /// <summary>The network changed: there may be another gateway, which knows nothing of us.</summary>
    public void NetworkChanged()
    {
        try { _networkChanged.Release(); }
        catch (SemaphoreFullException) { /* It is known already. */ }
        catch (ObjectDisposedException) { }
    }

    /// <summary>Takes the mapping away, within a second, and stops.</summary>
    public async ValueTask DisposeAsync()
    {
        NetworkChange.NetworkAddressChanged -= OnNetworkChanged;
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
        if (_lease is { } lease) await RemoveAsync(lease).ConfigureAwait(false);
        Forget();
        _stop.Dispose();
        _networkChanged.Dispose();
    }

    private void OnNetworkChanged(object? sender, EventArgs change) => NetworkChanged();

    private async Task RunAsync()
    {
        try
        {
            while (!_stop.IsCancellationRequested)
            {
                if (_find() is not { } gateway)
                {
                    _changed(new PortMappingState(null, "This machine has no gateway to ask for a port."));
                    await PauseAsync(WithoutGateway).ConfigureAwait(false);
                    continue;
                }
                Forget();
                _made = _controls(gateway);
                await HoldAsync(gateway).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) { }
    }

    /// <summary>Maps, and renews until that fails or the network changes.</summary>
    private async Task HoldAsync(Gateway gateway)
    {
        _lease = await MapAsync().ConfigureAwait(false);
        if (_lease is null)
        {
            _changed(new PortMappingState(null, $"The router {gateway.Router} maps no port: it speaks neither PCP, NAT-PMP nor UPnP, or has them switched off."));
            await PauseAsync(WithoutMapping).ConfigureAwait(false);
            return;
        }
        if (!PublicAddress.IsPublic(_lease.External.Address))
        {
            // OV-5.8: what lies behind that address is another router, of which nobody asked for anything.
            _changed(new PortMappingState(null, $"The router's own outer address {_lease.External.Address} is not public: there is a second router behind it (carrier-grade NAT), so a mapping at the first is of no use.", _lease));
            await RemoveAsync(_lease).ConfigureAwait(false);
            _lease = null;
            await PauseAsync(WithoutMapping).ConfigureAwait(false);
            return;
        }
        _changed(new PortMappingState(_lease, null));
        while (!await PauseAsync(HalfOf(_lease.Lifetime)).ConfigureAwait(false))
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
            limit.CancelAfter(AskLimit);
            var renewed = await _lease.By.MapAsync(_port, (ushort)_lease.External.Port, limit.Token).ConfigureAwait(false);
            _stop.Token.ThrowIfCancellationRequested();
            if (renewed is null) break;
            if (!renewed.External.Equals(_lease.External))
            {
                _lease = renewed;
                if (!PublicAddress.IsPublic(renewed.External.Address)) break;
                _changed(new PortMappingState(renewed, null));
            }
            else _lease = renewed;
        }
        // Lost, or another network: what the old gateway still holds lapses by itself.
        _lease = null;
        _changed(new PortMappingState(null, "The mapping was lost; asking anew."));
    }

    /// <summary>Asks by all ways at once; the first in order that was granted is kept, the others are taken away again.</summary>
    private async Task<PortLease?> MapAsync()
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        limit.CancelAfter(AskLimit);
        var asked = _made.Select(control => control.MapAsync(_port, _port, limit.Token)).ToArray();
        var granted = (await Task.WhenAll(asked).ConfigureAwait(false)).OfType<PortLease>().ToList();
        var kept = granted.FirstOrDefault(static lease => PublicAddress.IsPublic(lease.External.Address)) ?? granted.FirstOrDefault();
        if (_stop.IsCancellationRequested)
        {
            // Granted while we were leaving: nothing stays behind.
            foreach (var lease in granted) await RemoveAsync(lease).ConfigureAwait(false);
            _stop.Token.ThrowIfCancellationRequested();
        }
        var others = granted.Where(lease => lease != kept).ToList();
        await Task.WhenAll(others.Select(RemoveAsync)).ConfigureAwait(false);
        // Two ways to one router often share one table, where the entry belongs to whoever asked last. Taking the others away may have
        // taken ours, and an entry of theirs would stay behind at the end: so ours is asked for once more, alone.
        if (!others.Exists(lease => lease.External.Equals(kept!.External))) return kept;
        using var again = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        again.CancelAfter(AskLimit);
        return await kept!.By.MapAsync(_port, (ushort)kept.External.Port, again.Token).ConfigureAwait(false);
    }

    private static async Task RemoveAsync(PortLease lease)
    {
        using var limit = new CancellationTokenSource(RemoveLimit);
        await lease.By.UnmapAsync(lease, limit.Token).ConfigureAwait(false);
    }

    private void Forget()
    {
        foreach (var control in _made) (control as IDisposable)?.Dispose();
        _made = [];
    }

    private static TimeSpan HalfOf(TimeSpan lifetime) => lifetime / 2 > RenewalMin ? lifetime / 2 : RenewalMin;

    /// <summary>True when the network changed meanwhile; throws when the node stops.</summary>
    private async Task<bool> PauseAsync(TimeSpan duration)
    {
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        var changed = _networkChanged.WaitAsync(waiting.Token);
        var first = await Task.WhenAny(changed, Task.Delay(duration, _time, waiting.Token)).ConfigureAwait(false);
        await waiting.CancelAsync().ConfigureAwait(false);
        _stop.Token.ThrowIfCancellationRequested();
        return first == changed && changed.IsCompletedSuccessfully;
    }
}
