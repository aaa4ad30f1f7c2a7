namespace Polder.Net;

/// <summary>Takes one datagram. The span is valid only during the call.</summary>
public delegate void DatagramHandler(Endpoint from, ReadOnlySpan<byte> datagram);

/// <summary>A node's way to send and receive datagrams: UDP in production, links of a world in the simulator.</summary>
public interface IDatagramSocket
{
    /// <summary>Where the socket is bound (the address may be unspecified).</summary>
    Endpoint LocalEndpoint { get; }

    /// <summary>Called on the node's loop for every datagram, in order of arrival. Set once, before the first datagram is wanted.</summary>
    DatagramHandler? Received { get; set; }

    /// <summary>Sends, best effort: losses, full buffers and unreachable addresses are silent.</summary>
    void Send(Endpoint to, ReadOnlySpan<byte> datagram);
}
