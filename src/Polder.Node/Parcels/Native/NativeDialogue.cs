using System.Text.Json;
using Polder.Apps.Parcels;

namespace Polder.Node.Parcels.Native;

/// <summary>How two of our own go on when a mailbox brought them together: told apart by the key "polder-send" in the phase "version".</summary>
internal sealed class NativeDialogue(NativePlace place, TransitOptions transit) : IParcelDialogue
{
    public string Name => "native";

    public (string Key, string Json)? Announces => ("polder-send", """{"v":[1],"leaf":65536}""");

    public bool Fits(JsonElement peerVersions) =>
        peerVersions.ValueKind == JsonValueKind.Object && peerVersions.TryGetProperty("polder-send", out var ours) && ours.ValueKind == JsonValueKind.Object
        && ours.TryGetProperty("v", out var versions) && versions.ValueKind == JsonValueKind.Array
        && versions.EnumerateArray().Any(static version => version.ValueKind == JsonValueKind.Number && version.TryGetInt32(out var number) && number == 1);

    public async Task<ParcelOutcome> SendAsync(IConversation conversation, SendingJob job, CancellationToken cancellation)
    {
        // A text is the same in both ways.
        if (job.Contents.Text is not null || job.Verify) return await new StockDialogue(transit).SendAsync(conversation, job, cancellation).ConfigureAwait(false);
        await using var talk = new MailboxTalk(conversation, transit, isSender: true);
        return await place.SendOverAsync(talk, cancellation).ConfigureAwait(false);
    }

    public async Task<ParcelOutcome> ReceiveAsync(IConversation conversation, ReceivingJob job, CancellationToken cancellation)
    {
        if (job.Verify) job.Human.ShowVerifier(conversation.Keys.Verifier);
        // The first message but hints says which way it is: a text comes in the stock way.
        var peeked = new PeekedConversation(conversation);
        if (!await peeked.IsOursAsync(cancellation).ConfigureAwait(false)) return await new StockDialogue(transit).ReceiveAsync(peeked, job, cancellation).ConfigureAwait(false);
        await using var talk = new MailboxTalk(peeked, transit, isSender: false);
        return await place.ReceiveOverAsync(talk, job, cancellation).ConfigureAwait(false);
    }

    private sealed class PeekedConversation(IConversation inner) : IConversation
    {
        private readonly Queue<byte[]> _seen = [];

        public Apps.Parcels.Codes.WormholeKeys Keys => inner.Keys;
        public JsonElement PeerVersions => inner.PeerVersions;
        public ValueTask SendAsync(ReadOnlyMemory<byte> message, CancellationToken cancellation) => inner.SendAsync(message, cancellation);
        public ValueTask<byte[]?> ReceiveAsync(CancellationToken cancellation) => _seen.TryDequeue(out var message) ? ValueTask.FromResult<byte[]?>(message) : inner.ReceiveAsync(cancellation);

        public async Task<bool> IsOursAsync(CancellationToken cancellation)
        {
            while (await inner.ReceiveAsync(cancellation).ConfigureAwait(false) is { } message)
            {
                _seen.Enqueue(message);
                if (JsonText.Parse(message) is not { } json || JsonText.TryGet(json, "transit", out _)) continue;
                return JsonText.TryGet(json, "offer", out var offer) && JsonText.TryGet(offer, "polder", out _);
            }
            return false;
        }
    }
}
