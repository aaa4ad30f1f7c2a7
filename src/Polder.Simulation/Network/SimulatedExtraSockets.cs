using Polder.Net;

namespace Polder.Simulation.Network;

/// <summary>Gives a node of a world further sockets, on ports as a system gives them: ever higher ones, none twice in a life.</summary>
internal sealed class SimulatedExtraSockets(SimulatedNetwork network, SimulatedNode node, SimulatedLoop loop, SimulatedSocket main) : IExtraSockets
{
    private const ushort FirstPort = 32_768, LastPort = 60_999;
    private const int OpenMax = 1_024;

    private ushort _next = FirstPort;
    private int _open;

    public IExtraSocket? TryOpen()
    {
        if (_open >= OpenMax) return null;
        for (var tries = 0; tries <= LastPort - FirstPort; tries++)
        {
            var endpoint = main.LocalEndpoint.WithPort(_next);
            _next = _next == LastPort ? FirstPort : (ushort)(_next + 1);
            if (main.Realm.Hosts.ContainsKey(endpoint)) continue;
            _open++;
            return new Extra(this, new SimulatedSocket(network, node, loop, main.Realm, endpoint));
        }
        return null;
    }

    private sealed class Extra(SimulatedExtraSockets owner, SimulatedSocket socket) : IExtraSocket
    {
        private bool _disposed;

        public Endpoint LocalEndpoint => socket.LocalEndpoint;

        public DatagramHandler? Received { get => socket.Received; set => socket.Received = value; }

        public void Send(Endpoint to, ReadOnlySpan<byte> datagram)
        {
            if (!_disposed) socket.Send(to, datagram);
        }

        public void Dispose()
        {
            if (_disposed) return;
            _disposed = true;
            owner._open--;
            socket.Received = null;
            socket.Close();
        }
    }
}
