using System.Diagnostics;
using System.Security.Cryptography;
using Polder.Apps.Parcels;
using Polder.Apps.Parcels.Codes;
using Polder.Cryptography;
using Polder.Node.Operations;
using Polder.Node.Parcels.Native;

namespace Polder.Node.Parcels;

/// <summary>A parcel at the desk of a running node: the person whom the transfer asks, and what is shown of it.</summary>
internal sealed class DeskParcel(bool isSending, string code, string title, string? folder, Action changed) : IParcelSenderHuman, IParcelReceiverHuman, IDisposable
{
    private const int FilesShown = 200;

    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _codeShown = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource<ParcelAnswer>? _asking;
    private IReadOnlyList<ParcelFileView> _files = [];
    private string _code = code, _title = title, _state = "waiting", _words = isSending ? "Waiting for the receiver." : "Looking for the sender.";
    private IReadOnlyList<string> _paths = [];
    private int _fileCount;
    private long _done, _total, _rateDone, _rateAt = Stopwatch.GetTimestamp();
    private double _rate;

    public string Id { get; } = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(6));
    public bool IsSending => isSending;
    public string? Folder => folder;
    public DateTimeOffset Begun { get; } = DateTimeOffset.UtcNow;
    public string Code { get { lock (_gate) return _code; } }
    public bool IsRunning { get { lock (_gate) return _state is "waiting" or "asking" or "moving"; } }

    /// <summary>Done when the code is there.</summary>
    public Task CodeShown => _codeShown.Task;

    /// <summary>Done when it ended, in whatever way.</summary>
    public Task Ended { get; private set; } = Task.CompletedTask;

    public void Run(Func<CancellationToken, Task<ParcelOutcome?>> work, Action? completed, CancellationToken over)
    {
        Ended = RunAsync();

        async Task RunAsync()
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token, over);
            await Task.Yield();
            try
            {
                var outcome = await work(stop.Token).ConfigureAwait(false) ?? new ParcelOutcome(ParcelResult.NoMeeting, "Nobody was met.");
                if (outcome.IsComplete) completed?.Invoke();
                lock (_gate)
                {
                    (_state, _words) = (outcome.IsComplete ? "done" : "failed", outcome.Sentence);
                    _paths = outcome.Paths;
                    if (outcome.IsComplete) _done = _total = Math.Max(_total, outcome.Bytes);
                }
            }
            catch (OperationCanceledException) { End("Stopped."); }
            catch (ParcelException problem) { End(problem.Message); }
            catch (Exception problem) when (problem is IOException or UnauthorizedAccessException) { End(problem.Message); }
            _codeShown.TrySetResult();
            changed();
        }

        void End(string words)
        {
            lock (_gate) (_state, _words) = ("failed", words);
        }
    }

    /// <summary>Our own way has begun to send: what is in it, and its code.</summary>
    public void Show(NativeSend send)
    {
        var items = send.Journal.State.Items;
        lock (_gate)
        {
            (_code, _total, _fileCount) = (send.Code.Text, send.TotalBytes, items.Count);
            _files = [.. items.Take(FilesShown).Select(static item => new ParcelFileView(item.Path, item.Size))];
            if (send.IsResumed) _words = "Waiting for the receiver to come back: the same code again.";
        }
        _codeShown.TrySetResult();
        changed();
    }

    public void ShowCode(WormholeCode shown)
    {
        lock (_gate) _code = shown.Text;
        _codeShown.TrySetResult();
        changed();
    }

    public void Report(in ParcelProgress progress)
    {
        lock (_gate)
        {
            if (_state is "done" or "failed") return;
            if (_state != "asking") _state = progress.Stage is ParcelStage.Moving or ParcelStage.Checking ? "moving" : "waiting";
            if (progress.Words.Length > 0) _words = char.ToUpperInvariant(progress.Words[0]) + progress.Words[1..] + ".";
            if (progress.TotalBytes > 0) _total = progress.TotalBytes;
            _done = progress.DoneBytes;
            var now = Stopwatch.GetTimestamp();
            var seconds = Stopwatch.GetElapsedTime(_rateAt, now).TotalSeconds;
            if (seconds < 0.5) return;
            var rate = Math.Max(0, (_done - _rateDone) / seconds);
            (_rate, _rateDone, _rateAt) = (_rate == 0 ? rate : 0.7 * _rate + 0.3 * rate, _done, now);
        }
        changed();
    }

    public void Note(string sentence)
    {
        // That a code works between Polder nodes is what the page says anyway.
        if (sentence.StartsWith("No mailbox", StringComparison.Ordinal)) return;
        lock (_gate) _words = sentence;
        changed();
    }

    public Task<bool> IsVerifierRightAsync(Hash256 verifier, CancellationToken cancellation) => Task.FromResult(true);

    public async Task<ParcelAnswer> AskAsync(ParcelOffer offer, CancellationToken cancellation)
    {
        TaskCompletionSource<ParcelAnswer> asking;
        lock (_gate)
        {
            _asking = asking = new TaskCompletionSource<ParcelAnswer>(TaskCreationOptions.RunContinuationsAsynchronously);
            (_state, _words, _title, _total, _fileCount) = ("asking", "Do you want it?", offer.Items.Count > 0 ? ParcelJournals.TitleOf(offer.Items.Select(static item => item.Path)) : offer.Name,
                offer.UnpackedBytes ?? offer.SizeBytes, offer.FileCount ?? 1);
            _files = offer.Items.Count > 0 ? [.. offer.Items.Take(FilesShown).Select(static item => new ParcelFileView(item.Path, item.SizeBytes))] : [new ParcelFileView(offer.Name, offer.SizeBytes)];
        }
        changed();
        var answer = await asking.Task.WaitAsync(cancellation).ConfigureAwait(false);
        lock (_gate) (_state, _words, _asking) = ("waiting", "Beginning.", null);
        changed();
        return answer;
    }

    public void Answer(bool accept)
    {
        lock (_gate)
        {
            if (_asking is null) throw new OperationRefusedException(RefusalKind.Conflict, "Nothing is asked at present.");
            _asking.TrySetResult(accept ? ParcelAnswer.Yes : ParcelAnswer.Refused);
        }
    }

    // A page has no second question; what is larger than half of the free disk was in the first.
    public Task<bool> IsHugeWelcomeAsync(long unpackedBytes, long freeBytes, CancellationToken cancellation) => Task.FromResult(unpackedBytes < freeBytes);

    public void ShowText(string text)
    {
        lock (_gate) _title = text;
        changed();
    }

    public void ShowVerifier(Hash256 verifier) { }

    public async Task StopAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        try { await Ended.WaitAsync(TimeSpan.FromSeconds(10)).ConfigureAwait(false); }
        catch (TimeoutException) { }
    }

    public void Dispose() => _stop.Dispose();

    public ParcelView View()
    {
        lock (_gate)
            return new ParcelView
            {
                Id = Id, IsSending = isSending, Code = _code, Link = ParcelJournals.LinkOf(_code), Title = _title, State = _state, Words = _words,
                DoneBytes = _done, TotalBytes = _total, BytesPerSecond = _state == "moving" ? _rate : 0,
                SecondsLeft = _state == "moving" && _rate > 1000 ? Math.Max(0, (_total - _done) / _rate) : null,
                Files = _files, FileCount = _fileCount, Folder = folder, Paths = _paths, Begun = Begun,
            };
    }
}
