using Polder.Net;
using Polder.Overlay;

namespace Polder.Node.PortMapping;

/// <summary>What is known of the port at the router, at one moment.</summary>
/// <param name="External">Outer address and port; null when there is no mapping that is of use.</param>
/// <param name="How">"PCP", "NAT-PMP" or "UPnP"; null without a mapping.</param>
/// <param name="Lifetime">For how long it was granted last; it is renewed at half of it.</param>
/// <param name="Trouble">Why there is none, or why it is of no use, in words; null when all is well or nothing was tried.</param>
public sealed record PortMappingView(Endpoint? External, string? How, TimeSpan? Lifetime, string? Trouble);

/// <summary>
/// The port at the router as the node sees it: tells the overlay what was mapped, and offers nothing where others see us at another
/// address than the router believes to have (OV-5.8). On the node's loop.
/// </summary>
public sealed class PortMappingStatus
{
    private static readonly TimeSpan CheckInterval = TimeSpan.FromSeconds(30);

    private readonly NodeHost _host;
    private readonly ITimer _timer;
    private PortMappingState _state = new(null, null);
    private (Endpoint? External, bool IsBehindTwo) _told = (null, true);

    internal PortMappingStatus(NodeHost host)
    {
        _host = host;
        // Who we are to others may be told long after the router answered.
        _timer = host.Environment.Time.CreateTimer(static self => ((PortMappingStatus)self!).Judge(), this, CheckInterval, CheckInterval);
    }

    /// <summary>What holds now.</summary>
    public PortMappingView View { get; private set; } = new(null, null, null, null);

    /// <summary>Raised when <see cref="View"/> changed.</summary>
    public event Action? Changed;

    /// <summary>The adapter learned something.</summary>
    internal void Take(PortMappingState state)
    {
        _state = state;
        Judge();
    }

    internal void Stop() => _timer.Dispose();

    /// <summary>
    /// Whether a second router must stand behind the first: it maps at one address, and others see us at another that is public. A seen
    /// address that is not public says nothing: then we and they are in one closed network.
    /// </summary>
    internal static bool IsBehindTwo(Endpoint external, Endpoint? seen) =>
        seen is { IsIPv4: true } told && PublicAddress.IsPublic(told.ToIPEndPoint().Address) && !told.ToIPEndPoint().Address.Equals(external.ToIPEndPoint().Address);

    private void Judge()
    {
        var told = _state.Lease ?? _state.Useless;
        var external = told is null ? default(Endpoint?) : Endpoint.From(told.External.Address, told.External.Port);
        var isBehindTwo = _state.Lease is null || IsBehindTwo(external!.Value, _host.WanAddress);
        var view = _state.Lease is not { } lease ? new PortMappingView(null, null, null, _state.Trouble)
            : isBehindTwo ? new PortMappingView(null, null, lease.Lifetime, $"The router maps {external} ({lease.By.Name}), but others see this node at another address: there is a second router behind it (carrier-grade NAT).")
            : new PortMappingView(external, lease.By.Name, lease.Lifetime, null);
        // The overlay wants to know of a router behind the router, too; it judges a mapping when it is told of it, so it is told anew.
        if ((external, isBehindTwo) != _told)
        {
            if (_told.External is not null) _host.Nat.PortUnmapped();
            if (external is { } mapped) _host.Nat.PortMapped(mapped, told!.By.Name);
            _told = (external, isBehindTwo);
        }
        if (view == View) return;
        View = view;
        Changed?.Invoke();
    }
}
