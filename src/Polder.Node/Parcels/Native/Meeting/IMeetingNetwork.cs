namespace Polder.Node.Parcels.Native.Meeting;

/// <summary>A sender that left word in the network.</summary>
/// <param name="Peer">The public key of the node that published it, 148 hex digits.</param>
/// <param name="Value">What it left, untrusted.</param>
internal sealed record LeftWord(string Peer, byte[] Value);

/// <summary>What a transfer uses of a running node: its DHT, to leave and find word, and streams in its sessions, which go through NATs and relays.</summary>
internal interface IMeetingNetwork
{
    /// <summary>Leaves word under a rendezvous until it is forgotten; again replaces it.</summary>
    Task PublishAsync(byte[] meeting, byte[] value, CancellationToken cancel);

    /// <summary>Leaves it no longer.</summary>
    Task ForgetAsync(byte[] meeting);

    /// <summary>Who left word under a rendezvous.</summary>
    Task<IReadOnlyList<LeftWord>> FindAsync(byte[] meeting, CancellationToken cancel);

    /// <summary>A stream to whoever listens for a rendezvous at that node; null when it cannot be reached or nobody listens there.</summary>
    Task<Stream?> DialAsync(string peer, byte[] meeting, CancellationToken cancel);

    /// <summary>Takes streams for a rendezvous until disposed. The handler owns the stream.</summary>
    Task<IAsyncDisposable> ListenAsync(byte[] meeting, Func<Stream, Task> handler, CancellationToken cancel);
}
