using System.Net;
using System.Net.Sockets;
using Polder.Node.Operations;

namespace Polder.Node.Parcels.Native.Meeting;

/// <summary>Meeting through a node that runs in another process of this machine: by its local API, and streams over 127.0.0.1.</summary>
internal sealed class RunningNodeMeetingNetwork(IParcelOperations node) : IMeetingNetwork
{
    public Task PublishAsync(byte[] meeting, byte[] value, CancellationToken cancel) => node.MeetAsync(meeting, value, null, cancel);

    public Task ForgetAsync(byte[] meeting) => node.MeetAsync(meeting, null, null, CancellationToken.None);

    public async Task<IReadOnlyList<LeftWord>> FindAsync(byte[] meeting, CancellationToken cancel) =>
        [.. (await node.FindAsync(meeting, cancel).ConfigureAwait(false)).Select(static word => new LeftWord(word.Peer, word.Word))];

    public async Task<Stream?> DialAsync(string peer, byte[] meeting, CancellationToken cancel)
    {
        int port;
        try { port = await node.DialAsync(peer, meeting, cancel).ConfigureAwait(false); }
        catch (OperationRefusedException) { return null; }
        if (port == 0) return null;
        var client = new TcpClient { NoDelay = true };
        try
        {
            await client.ConnectAsync(IPAddress.Loopback, port, cancel).ConfigureAwait(false);
            return client.GetStream();
        }
        catch (SocketException)
        {
            client.Dispose();
            return null;
        }
    }

    public async Task<IAsyncDisposable> ListenAsync(byte[] meeting, Func<Stream, Task> handler, CancellationToken cancel)
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start(8);
        _ = AcceptAsync();
        await node.MeetAsync(meeting, null, ((IPEndPoint)listener.LocalEndpoint).Port, cancel).ConfigureAwait(false);
        return new Listening(listener);

        async Task AcceptAsync()
        {
            while (true)
            {
                try
                {
                    var client = await listener.AcceptTcpClientAsync(CancellationToken.None).ConfigureAwait(false);
                    client.NoDelay = true;
                    _ = handler(client.GetStream());
                }
                catch (Exception problem) when (problem is SocketException or ObjectDisposedException or InvalidOperationException) { return; }
            }
        }
    }

    private sealed class Listening(TcpListener listener) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            listener.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
