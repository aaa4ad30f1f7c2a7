using System.Text;
using Polder.Apps.Parcels;
using Polder.Apps.Parcels.Codes;
using Polder.Apps.Parcels.Native;
using Polder.Apps.Parcels.Stock;
using Polder.Node.Parcels.Native.Journals;
using Polder.Node.Parcels.Native.Meeting;
using Polder.Node.Parcels.Native.Transfer;

namespace Polder.Node.Parcels.Native;

/// <summary>
/// One parcel on its way out in our own way: waits at its meeting places, serves the first complete run, and after a broken line the same receiver
/// again, until everything is confirmed.
/// </summary>
internal sealed class NativeSend : IAsyncDisposable
{
    private readonly ParcelFolder _parcels;
    private readonly MeetingPoint _point;
    private readonly CancellationTokenSource _over = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SemaphoreSlim _one = new(1);
    private readonly Task<NativeOffer?> _naming;
    private readonly string? _text;
    private bool _taken;

    private NativeSend(ParcelFolder parcels, MeetingOptions options, WormholeCode code, SenderJournal journal, string? text = null)
    {
        (_parcels, Code, Journal, _text) = (parcels, code, journal, text);
        TotalBytes = journal.State.Items.Sum(static item => item.Size);
        _taken = journal.IsBegun;
        _point = new MeetingPoint(options, TakeAsync);
        _naming = Task.Run(() => NameAsync(_over.Token));
    }

    /// <summary>What the receiver types.</summary>
    public WormholeCode Code { get; }
    public SenderJournal Journal { get; }
    public TransferWatch Watch { get; } = new();
    /// <summary>Bytes of all files.</summary>
    public long TotalBytes { get; }
    /// <summary>Bytes that were read for their names so far.</summary>
    public long NamedBytes => Interlocked.Read(ref _named);
    /// <summary>Whether it goes on with what was begun earlier.</summary>
    public bool IsResumed { get; private init; }
    /// <summary>What it is doing, in words.</summary>
    public string Doing { get; private set; } = "waiting for the receiver";
    /// <summary>Whether the receiver is connected and files are moving.</summary>
    public bool IsMoving { get; private set; }
    /// <summary>Asked once the key is confirmed: whether this place goes on, where others wait for the same code.</summary>
    public Func<bool> Wins { get; set; } = static () => true;
    /// <summary>Asked before a run with the code begins here.</summary>
    public Func<bool> TakesRuns { get; set; } = static () => true;
    /// <summary>Takes a sentence about what happens.</summary>
    public Action<string> Says { get; set; } = static _ => { };
    /// <summary>Whether a text is sent, and no files.</summary>
    public bool IsText => _text is not null;
    /// <summary>The key for this code, for a run over another meeting place.</summary>
    public MeetingPoint Point => _point;

    /// <summary>Done when everything was confirmed; fails when it never will be.</summary>
    public Task Ended => _ended.Task;

    private long _named;

    /// <summary>
    /// Begins: collects the files, makes a code or takes the given one, and waits. What was begun with the same paths and not finished goes on, under
    /// its old code.
    /// </summary>
    public static NativeSend Start(ParcelFolder parcels, IReadOnlyList<string> paths, WormholeCode? code, MeetingOptions options, bool fresh = false)
    {
        IReadOnlyList<string> full = [.. paths.Select(Path.GetFullPath)];
        if (!fresh && parcels.Outgoing().LastOrDefault(journal => journal.IsBegun && journal.State.Paths.SequenceEqual(full) && (code is null || journal.State.Code == code.Text)) is { } old
            && WormholeCode.TryParse(old.State.Code, out var oldCode, out _))
        {
            var again = new NativeSend(parcels, options, oldCode, old) { IsResumed = true };
            again.Doing = "waiting for the receiver to come back";
            again._point.Meet(() => [Rendezvous.OfResume(Convert.FromHexString(old.State.Id!))]);
            return again;
        }
        code ??= WormholeCode.Make(System.Security.Cryptography.RandomNumberGenerator.GetInt32(1000, 10_000).ToString(System.Globalization.CultureInfo.InvariantCulture),
            System.Security.Cryptography.RandomNumberGenerator.GetBytes(3));
        return Wait(new NativeSend(parcels, options, Unburnt(parcels, code), SenderJournal.Create(parcels, full, code.Text, SourceFiles.Collect(paths))));
    }

    /// <summary>Begins to send a text: nothing of it is kept, and nothing goes on later.</summary>
    public static NativeSend StartText(ParcelFolder parcels, string text, WormholeCode code, MeetingOptions options) =>
        Wait(new NativeSend(parcels, options, Unburnt(parcels, code), SenderJournal.Create(parcels, [], code.Text, []), text));

    /// <summary>Whether a text fits into one message of a run.</summary>
    public static bool Fits(string text) => StockMessage.OfText(text).Length <= NativeOffer.BytesInlineMax;

    private static NativeSend Wait(NativeSend send)
    {
        send._point.Meet(() => Rendezvous.Of(send.Code.Nameplate, DateTimeOffset.UtcNow));
        return send;
    }

    private static WormholeCode Unburnt(ParcelFolder parcels, WormholeCode code) =>
        parcels.IsBurnt(code) ? throw new ParcelException(ParcelProblem.WrongCode, CodeWords.Burnt) : code;

    /// <summary>Done when the receiver confirmed everything; throws a <see cref="ParcelException"/> when it never will.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        using var registration = cancel.Register(() => { _over.Cancel(); _ended.TrySetCanceled(cancel); });
        try
        {
            _ = WatchNamingAsync();
            await _ended.Task.ConfigureAwait(false);
            Journal.Forget();
        }
        catch (ParcelException problem) when (problem.Kind is ParcelProblem.Refused or ParcelProblem.WrongCode && !Journal.IsBegun)
        {
            Journal.Forget();
            throw;
        }
        finally
        {
            // A moment for the last words.
            using (var time = new CancellationTokenSource(TimeSpan.FromSeconds(3)))
                try { await _one.WaitAsync(time.Token).ConfigureAwait(false); }
                catch (OperationCanceledException) { }
            await DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Serves a run that came over another meeting place with this key already agreed on.</summary>
    public async Task ServeAsync(INativeTalk talk, CancellationToken cancel)
    {
        Wins = static () => true;
        await ServeAsync(talk, isAgain: false, cancel).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_over.IsCancellationRequested) await _over.CancelAsync().ConfigureAwait(false);
        await _point.DisposeAsync().ConfigureAwait(false);
        try { await _naming.ConfigureAwait(false); }
        catch (Exception problem) when (problem is ParcelException or OperationCanceledException or IOException or UnauthorizedAccessException) { }
        if (!Journal.IsBegun) Journal.Forget();
    }

    private async Task<NativeOffer?> NameAsync(CancellationToken cancel) =>
        IsText ? null : await Journal.NameAsync(bytes => Interlocked.Add(ref _named, bytes), cancel).ConfigureAwait(false);

    private async Task WatchNamingAsync()
    {
        try { await _naming.ConfigureAwait(false); }
        catch (OperationCanceledException) { }
        catch (ParcelException problem) { _ended.TrySetException(problem); }
        catch (Exception problem) { _ended.TrySetException(new ParcelException(ParcelProblem.Disk, problem.Message, problem)); }
    }

    // A stranger at one of the meeting places: by the code, or by the secret of what was begun.
    private async Task TakeAsync(Stream stream, CancellationToken cancel)
    {
        try
        {
            var dialogue = new RunDialogue(stream, isSender: true);
            var isAgain = false;
            using (var time = CancellationTokenSource.CreateLinkedTokenSource(cancel))
            {
                time.CancelAfter(GuessBudget.RunTime);
                var first = await RunDialogue.ReadFrameAsync(stream, time.Token).ConfigureAwait(false);
                if (first.Phase == "again" && Journal.IsBegun)
                {
                    isAgain = true;
                    await dialogue.AgainAsync(first, Convert.FromHexString(Journal.State.Secret!), time.Token).ConfigureAwait(false);
                }
                else if (first.Phase == "pake" && !_taken && TakesRuns()) await dialogue.RunAsSenderAsync(first, Code, _point.Key, time.Token).ConfigureAwait(false);
                else return;
            }
            await ServeAsync(dialogue, isAgain, cancel).ConfigureAwait(false);
        }
        catch (ParcelException problem) when (problem.Kind == ParcelProblem.WrongCode)
        {
            _parcels.Burn(Code);
            _taken = true;
            _ended.TrySetException(problem);
        }
        catch (Exception problem) when (problem is ParcelException or IOException or OperationCanceledException or ObjectDisposedException) { }
    }

    private async Task ServeAsync(INativeTalk dialogue, bool isAgain, CancellationToken cancel)
    {
        // One at a time: a receiver that comes again while its old line is not known to be dead waits a moment for it.
        _current?.Cancel();
        if (!await _one.WaitAsync(TimeSpan.FromSeconds(20), cancel).ConfigureAwait(false)) return;
        using var current = CancellationTokenSource.CreateLinkedTokenSource(cancel, _over.Token);
        _current = current;
        try
        {
            if (!isAgain && (_taken || !Wins())) return;
            _taken = true;
            await TransferAsync(dialogue, isAgain, current.Token).ConfigureAwait(false);
            Doing = "done";
            _ended.TrySetResult();
        }
        catch (ParcelException problem) when (problem.Kind is ParcelProblem.Broken or ParcelProblem.Changed && Journal.IsBegun)
        {
            Doing = "the line broke; waiting for the receiver to come back";
            if (problem.Kind == ParcelProblem.Changed) _ended.TrySetException(problem);
            else
            {
                Says("The line broke. Waiting for the receiver to come back and go on; the same command does so later, too.");
                WaitAgain();
            }
        }
        catch (ParcelException problem) { _ended.TrySetException(problem); }
        catch (OperationCanceledException) when (!_over.IsCancellationRequested && !cancel.IsCancellationRequested) { WaitAgain(); }
        catch (OperationCanceledException) { }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            _ended.TrySetException(new ParcelException(ParcelProblem.Disk, problem.Message, problem));
        }
        finally
        {
            IsMoving = false;
            _current = null;
            _one.Release();
        }
    }

    private CancellationTokenSource? _current;

    private void WaitAgain()
    {
        if (Journal.State.Id is { } id) _point.Meet(() => [Rendezvous.OfResume(Convert.FromHexString(id))]);
    }

    private async Task TransferAsync(INativeTalk dialogue, bool isAgain, CancellationToken cancel)
    {
        Doing = "reading the files for their names";
        if (await _naming.WaitAsync(cancel).ConfigureAwait(false) is not { } offer)
        {
            await SendTextAsync(dialogue, cancel).ConfigureAwait(false);
            return;
        }
        await dialogue.SendAsync(Encoding.UTF8.GetBytes(dialogue.Hints), cancel).ConfigureAwait(false);
        await dialogue.SendAsync(offer.WriteOffer(), cancel).ConfigureAwait(false);
        Doing = "waiting for the receiver's word";
        var answer = await dialogue.ReceiveAsync(cancel).ConfigureAwait(false);
        if (ErrorOf(answer) is { } error) throw new ParcelException(ParcelProblem.Refused, $"The receiver said no: {ItemPath.Escaped(error)}");
        if (offer.ReadAnswer(answer) is not { } want) throw new ParcelException(ParcelProblem.Breach, "The receiver's answer is not of the form that this program knows.");
        if (!isAgain)
        {
            Journal.Begin(RunKeys.ResumeId(dialogue.Keys), RunKeys.ResumeSecret(dialogue.Keys), want);
            WaitAgain();
        }
        else
        {
            Journal.Touch();
            want = Journal.State.Want ?? want;
        }
        Watch.Restart();
        Watch.Total = want.Sum(item => offer.Items[item].Size);
        Doing = "sending";
        IsMoving = true;
        var channel = await dialogue.ConnectAsync(cancel).ConfigureAwait(false);
        await new DataSender(channel, offer, Journal, want, Watch).RunAsync(cancel).ConfigureAwait(false);
    }

    // As the stock programs do it.
    private async Task SendTextAsync(INativeTalk dialogue, CancellationToken cancel)
    {
        await dialogue.SendAsync(StockMessage.OfText(_text!), cancel).ConfigureAwait(false);
        var answer = await dialogue.ReceiveAsync(cancel).ConfigureAwait(false);
        if (StockMessage.Read(answer) is not { Answer: { } word } || JsonText.Of(word, "message_ack") != "ok")
            throw new ParcelException(ParcelProblem.Breach, "The receiver did not confirm the text.");
    }

    /// <summary>The words of an {"error":…}; null for anything else.</summary>
    internal static string? ErrorOf(byte[] json) => StockMessage.Read(json)?.Error;
}
