using System.Text.Json;
using Polder.Apps.Parcels.Codes;

namespace Polder.Apps.Parcels;

/// <summary>
/// Two sides that have confirmed the same key and talk in short encrypted messages, whatever carries them: a mailbox, or a stream of our own.
/// </summary>
public interface IConversation
{
    /// <summary>What both derive from the key.</summary>
    WormholeKeys Keys { get; }

    /// <summary>The object <c>app_versions</c> of the other side; undefined or of any other kind when it sent none.</summary>
    JsonElement PeerVersions { get; }

    /// <summary>Sends the next message: JSON in UTF-8, phases "0", "1", … of our side.</summary>
    ValueTask SendAsync(ReadOnlyMemory<byte> message, CancellationToken cancellation);

    /// <summary>The other side's next message in order; <c>null</c> when it has left and nothing more can come.</summary>
    ValueTask<byte[]?> ReceiveAsync(CancellationToken cancellation);
}

/// <summary>How two sides that hold a conversation go on: the stock programs' dialogue, or our own. The first that fits is taken.</summary>
public interface IParcelDialogue
{
    /// <summary>"stock" or "native".</summary>
    string Name { get; }

    /// <summary>What we put into our <c>version</c> beside it, as JSON of one property value under this key; null for nothing.</summary>
    (string Key, string Json)? Announces { get; }

    /// <summary>Whether the other side speaks it, by its <c>app_versions</c>.</summary>
    bool Fits(JsonElement peerVersions);

    /// <summary>Sends. Throws <see cref="ParcelEndedException"/> for every end but a good one.</summary>
    Task<ParcelOutcome> SendAsync(IConversation conversation, SendingJob job, CancellationToken cancellation);

    /// <summary>Receives. Throws <see cref="ParcelEndedException"/> for every end but a good one.</summary>
    Task<ParcelOutcome> ReceiveAsync(IConversation conversation, ReceivingJob job, CancellationToken cancellation);
}
