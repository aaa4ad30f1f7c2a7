using Polder.Apps.Parcels.Codes;
using Polder.Node.Parcels.Native.Transfer;

namespace Polder.Node.Parcels.Native;

/// <summary>Two sides of our own way that have confirmed a key: over a stream, or over a mailbox.</summary>
internal interface INativeTalk
{
    /// <summary>What both derive from the key.</summary>
    WormholeKeys Keys { get; }

    /// <summary>The message of phase 0: where we can be reached for the bulk.</summary>
    string Hints { get; }

    /// <summary>Sends the next numbered phase, encrypted.</summary>
    Task SendAsync(ReadOnlyMemory<byte> json, CancellationToken cancel);

    /// <summary>The other's next numbered phase. Its hints are not told: whoever carries the talk takes them.</summary>
    Task<byte[]> ReceiveAsync(CancellationToken cancel);

    /// <summary>The connection for the bulk, after its lines.</summary>
    Task<RecordChannel> ConnectAsync(CancellationToken cancel);
}
