using Polder.Apps.Parcels;
using Polder.Apps.Parcels.Codes;
using Polder.Apps.Parcels.Transit;
using Polder.Node.Parcels.Native.Transfer;

namespace Polder.Node.Parcels.Native;

/// <summary>Our own way over a mailbox: the phases go there, the bulk over a connection that is found as the stock programs find theirs.</summary>
internal sealed class MailboxTalk : INativeTalk, IAsyncDisposable
{
    private readonly IConversation _conversation;
    private readonly TransitMeeting _meeting;
    private readonly bool _isSender;

    public MailboxTalk(IConversation conversation, TransitOptions transit, bool isSender)
    {
        (_conversation, _isSender) = (conversation, isSender);
        _meeting = new TransitMeeting(isSender, new TransitKeys(conversation.Keys.TransitKey), transit);
        Hints = System.Text.Encoding.UTF8.GetString(_meeting.OwnHints.Write());
    }

    public WormholeKeys Keys => _conversation.Keys;
    public string Hints { get; }

    public Task SendAsync(ReadOnlyMemory<byte> json, CancellationToken cancel) => _conversation.SendAsync(json, cancel).AsTask();

    public async Task<byte[]> ReceiveAsync(CancellationToken cancel)
    {
        while (true)
        {
            var message = await _conversation.ReceiveAsync(cancel).ConfigureAwait(false) ?? throw new ParcelException(ParcelProblem.Broken, "The other side has left.");
            if (JsonText.Parse(message) is not { } json || !JsonText.TryGet(json, "transit", out var transit)) return message;
            _hints = TransitHints.Read(transit);
        }
    }

    private TransitHints _hints = TransitHints.None;

    public async Task<RecordChannel> ConnectAsync(CancellationToken cancel)
    {
        // Nothing is dialled for a stranger's offer before the person has agreed to it.
        _meeting.Dial(_hints);
        try
        {
            var link = await _meeting.ConnectAsync(cancel).ConfigureAwait(false);
            return new RecordChannel(link.TakeStream(), _conversation.Keys.TransitKey, _isSender);
        }
        catch (ParcelEndedException ended) { throw new ParcelException(ParcelProblem.Broken, ended.Message, ended); }
    }

    public ValueTask DisposeAsync() => _meeting.DisposeAsync();
}
