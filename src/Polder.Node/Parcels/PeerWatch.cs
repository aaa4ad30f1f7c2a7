using System.Text.Json;
using Polder.Apps.Parcels;
using Polder.Apps.Parcels.Stock;
using Polder.Apps.Parcels.Transit;

namespace Polder.Node.Parcels;

/// <summary>Reads the other side's messages of the stock dialogue for as long as the transfer lasts, in whatever order they come; an error of theirs stops it.</summary>
internal sealed class PeerWatch(IConversation conversation, CancellationTokenSource stop) : IDisposable
{
    private readonly TaskCompletionSource<JsonElement> _offer = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<JsonElement> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _reading = new();
    private ParcelEndedException? _ended;
    private byte[]? _answersTransit;
    private bool _transitSeen;

    /// <summary>The first offer.</summary>
    public Task<JsonElement> Offer => _offer.Task;
    /// <summary>The first answer.</summary>
    public Task<JsonElement> Answer => _answer.Task;
    /// <summary>Is told where the other side is.</summary>
    public Action<TransitHints>? Transit { get; set; }
    /// <summary>What is said to the first "transit".</summary>
    public byte[]? AnswersTransit { set => _answersTransit = value; }

    public void Start() => _ = ReadAsync();

    /// <summary>Runs the transfer; when it was stopped by the other side's words, those are the end.</summary>
    public async Task<ParcelOutcome> GuardAsync(Func<Task<ParcelOutcome>> transfer)
    {
        try { return await transfer().ConfigureAwait(false); }
        catch (OperationCanceledException) when (Volatile.Read(ref _ended) is { } ended) { throw ended; }
    }

    public void Dispose()
    {
        _reading.Cancel();
        _reading.Dispose();
    }

    private async Task ReadAsync()
    {
        try
        {
            while (await conversation.ReceiveAsync(_reading.Token).ConfigureAwait(false) is { } bytes)
            {
                if (StockMessage.Read(bytes) is not { } message)
                {
                    await conversation.SendAsync(StockMessage.OfError(StockErrors.Rejected), _reading.Token).ConfigureAwait(false);
                    End(ParcelResult.PeerFailed, "The other side sent something that is no message.");
                    return;
                }
                if (message.Error is { } error)
                {
                    End(error == StockErrors.Rejected ? ParcelResult.Refused : ParcelResult.PeerFailed,
                        error == StockErrors.Rejected ? "The other side refused the transfer." : $"The other side gave up: {error}");
                    return;
                }
                if (message.Transit is { } transit)
                {
                    if (_answersTransit is not null && !_transitSeen) await conversation.SendAsync(_answersTransit, _reading.Token).ConfigureAwait(false);
                    _transitSeen = true;
                    Transit?.Invoke(transit);
                }
                if (message.Offer is { } offer) _offer.TrySetResult(offer);
                if (message.Answer is { } answer) _answer.TrySetResult(answer);
            }
        }
        catch (ParcelEndedException ended) { Volatile.Write(ref _ended, ended); Cancel(); }
        catch (Exception problem) when (problem is OperationCanceledException or ObjectDisposedException) { }
    }

    private void End(ParcelResult result, string sentence)
    {
        Volatile.Write(ref _ended, new ParcelEndedException(result, sentence));
        Cancel();
    }

    private void Cancel()
    {
        try { stop.Cancel(); }
        catch (ObjectDisposedException) { }
    }
}
