using System.Net.NetworkInformation;
using Polder.Overlay;

namespace Polder.Node.Lan;

/// <summary>
/// Tells the node when an interface comes, goes or gets another address (OV-3.15, OV-5.3): without a network it waits, with a new one it begins quickly
/// again. Never on a node that is confined to loopback.
/// </summary>
internal sealed class NetworkWatch : IDisposable
{
    /// <summary>One change comes as several events.</summary>
    private static readonly TimeSpan Settling = TimeSpan.FromMilliseconds(300);

    private readonly NodeHost _host;
    private readonly ushort _port;
    private readonly ITimer _timer;
    private Polder.Net.Endpoint? _address;
    private volatile bool _disposed;

    public NetworkWatch(NodeHost host, ushort port)
    {
        (_host, _port) = (host, port);
        _address = LanAddress.Find(port);
        _timer = host.Environment.Time.CreateTimer(static self => ((NetworkWatch)self!).Look(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        if (!IsUp()) host.NetworkLost();
        NetworkChange.NetworkAddressChanged += OnChanged;
    }

    public void Dispose()
    {
        _disposed = true;
        NetworkChange.NetworkAddressChanged -= OnChanged;
        _timer.Dispose();
    }

    private void OnChanged(object? sender, EventArgs e)
    {
        if (!_disposed) _timer.Change(Settling, Timeout.InfiniteTimeSpan);
    }

    // On the loop.
    private void Look()
    {
        if (_disposed) return;
        var (isUp, address) = (IsUp(), LanAddress.Find(_port));
        if (address == _address && isUp == _host.IsNetworkUp) return;
        _address = address;
        if (isUp) _host.NetworkChanged(address ?? _host.LanAddress);
        else _host.NetworkLost();
    }

    /// <summary>Whether some interface other than loopback is up and has an address of any kind; a doubt counts as yes.</summary>
    private static bool IsUp()
    {
        try
        {
            foreach (var card in NetworkInterface.GetAllNetworkInterfaces())
                if (card.NetworkInterfaceType != NetworkInterfaceType.Loopback && card.OperationalStatus is (OperationalStatus.Up or OperationalStatus.Unknown)
                    && card.GetIPProperties().UnicastAddresses.Count > 0) return true;
            return false;
        }
        catch (NetworkInformationException) { return true; }
    }
}
