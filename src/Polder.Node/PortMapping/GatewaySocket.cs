using System.Net;
using System.Net.Sockets;

namespace Polder.Node.PortMapping;

/// <summary>Questions to the gateway by UDP: sent again with doubled pauses until an answer is read or the limit is over.</summary>
internal static class GatewaySocket
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(250);

    /// <summary>Reads an answer, and says whether it was one.</summary>
    public delegate bool Read(ReadOnlySpan<byte> answer);

    /// <summary>
    /// Asks and gives true when <paramref name="read"/> took an answer. Only datagrams from the gateway's address count, and from its port too
    /// unless <paramref name="anyPort"/>; others are dropped unread.
    /// </summary>
    public static async Task<bool> AskAsync(IPAddress own, IPEndPoint gateway, ReadOnlyMemory<byte> request, int answerBytesMax, Read read, bool anyPort, CancellationToken cancellation)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            socket.Bind(new IPEndPoint(own, 0));
            var buffer = new byte[answerBytesMax + 1];
            var pause = FirstPause;
            while (!cancellation.IsCancellationRequested)
            {
                await socket.SendToAsync(request, SocketFlags.None, gateway, cancellation).ConfigureAwait(false);
                using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
                patience.CancelAfter(pause);
                pause += pause;
                try
                {
                    while (true)
                    {
                        var got = await socket.ReceiveFromAsync(buffer, SocketFlags.None, new IPEndPoint(IPAddress.Any, 0), patience.Token).ConfigureAwait(false);
                        var from = (IPEndPoint)got.RemoteEndPoint;
                        if (!from.Address.Equals(gateway.Address) || (!anyPort && from.Port != gateway.Port) || got.ReceivedBytes > answerBytesMax) continue;
                        if (read(buffer.AsSpan(0, got.ReceivedBytes))) return true;
                    }
                }
                catch (OperationCanceledException) when (!cancellation.IsCancellationRequested) { }
            }
        }
        catch (OperationCanceledException) { }
        // No route, no such address any more, or a longer datagram than any answer is.
        catch (SocketException) { }
        return false;
    }
}
