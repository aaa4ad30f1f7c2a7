using Polder.Apps.Parcels;
using Polder.Apps.Parcels.Native;
using Polder.Node.Parcels.Native.Journals;
using Polder.Node.Parcels.Native.Meeting;

namespace Polder.Node.Parcels.Native;

/// <summary>Our own way as a meeting place of the front: the LAN, the DHT and sessions at once, with nobody's server.</summary>
internal sealed class NativePlace(ParcelFolder parcels, MeetingOptions options) : IServerlessPlace, IReceivingPlace
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(200);

    /// <summary>Told when sending has begun here.</summary>
    public Action<NativeSend>? Started { get; init; }

    public string Name => options.Network is null ? options.Loopback ? "this machine" : "this network" : "this network and the DHT";

    /// <summary>What was begun with these paths earlier, its receiver known, and not finished; null for nothing.</summary>
    public static SenderJournal? Unfinished(ParcelFolder parcels, IReadOnlyList<string> paths, string? code)
    {
        string[] full = [.. paths.Select(Path.GetFullPath)];
        return parcels.Outgoing().LastOrDefault(journal => journal.IsBegun && journal.State.Paths.SequenceEqual(full) && (code is null || journal.State.Code == code));
    }

    // A number that no server keeps is drawn by the front.
    public Task<string?> AllocateAsync(IParcelSenderHuman human, CancellationToken cancellation) => Task.FromResult<string?>(null);

    public async Task<ParcelOutcome?> SendAsync(SendingJob job, CancellationToken cancellation)
    {
        // A long text goes through a mailbox only, or as a file.
        if (job.Contents.Text is { } words && !NativeSend.Fits(words)) return null;
        NativeSend send;
        try
        {
            send = job.Contents.Text is { } text ? NativeSend.StartText(parcels, text, job.Code, options)
                : NativeSend.Start(parcels, [.. job.Contents.Entries.Where(static entry => !entry.Path.Contains('/', StringComparison.Ordinal)).Select(static entry => entry.LocalPath)], job.Code, options, fresh: true);
        }
        catch (ParcelException problem) { return OutcomeOf(problem, null); }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException) { return OutcomeOf(new ParcelException(ParcelProblem.Disk, problem.Message, problem), null); }
        await using var _ = send;
        Started?.Invoke(send);
        send.Wins = () => job.Use.Win(Name);
        // A confirmation that was shown elsewhere may be somebody's guess already: no second one here.
        send.TakesRuns = () => !job.Use.IsShownElsewhere(Name);
        _sending.TrySetResult(send);
        if (!send.Point.AnswersLan && options.Network is null) job.Human.Note(options.Loopback
            ? "All sixteen meeting ports of this machine are taken; somebody else has to finish first."
            : "This network lets no questions through, and no node runs here: only a mailbox can bring you together. Start one with: polder run");
        return await RunAsync(send, job.Use, job.Human, cancellation).ConfigureAwait(false);
    }

    private readonly TaskCompletionSource<NativeSend> _sending = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The same parcel to somebody who was met at a mailbox. After a broken line both meet here again.</summary>
    public async Task<ParcelOutcome> SendOverAsync(INativeTalk talk, CancellationToken cancellation)
    {
        var send = await _sending.Task.WaitAsync(cancellation).ConfigureAwait(false);
        await send.ServeAsync(talk, cancellation).ConfigureAwait(false);
        try
        {
            await send.Ended.WaitAsync(cancellation).ConfigureAwait(false);
            return new ParcelOutcome(ParcelResult.Complete, "Everything arrived and was checked there.") { Bytes = send.Watch.MovedBytes, Took = send.Watch.Took, Way = "our own way" };
        }
        catch (ParcelException problem) { return OutcomeOf(problem, send.Journal.IsBegun ? "To go on later, type the same command again." : null); }
    }

    /// <summary>Receives from somebody who was met at a mailbox.</summary>
    public Task<ParcelOutcome> ReceiveOverAsync(INativeTalk talk, ReceivingJob job, CancellationToken cancellation) => ReceiveAsync(job, talk, cancellation);

    /// <summary>Sends, or goes on sending, and tells the person.</summary>
    public static async Task<ParcelOutcome?> RunAsync(NativeSend send, CodeUse use, IParcelProgress human, CancellationToken cancellation)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        send.Says = human.Note;
        void Burnt() => stop.Cancel();
        use.Burnt += Burnt;
        using var telling = TellAsync(human, () => new ParcelProgress(
            send.IsMoving ? ParcelStage.Moving : ParcelStage.Waiting, send.Watch.DoneBytes, Math.Max(send.Watch.Total, send.TotalBytes), send.Doing), () => send.IsMoving || send.Journal.IsBegun);
        try
        {
            await send.RunAsync(stop.Token).ConfigureAwait(false);
            if (send.IsText) return new ParcelOutcome(ParcelResult.Complete, "The text was delivered.") { Way = "our own way" };
            return new ParcelOutcome(ParcelResult.Complete, "Everything arrived and was checked there.") { Bytes = send.Watch.MovedBytes, Took = send.Watch.Took, Way = "our own way" };
        }
        catch (ParcelException problem)
        {
            if (problem.Kind == ParcelProblem.WrongCode) use.Burn();
            return OutcomeOf(problem, send.Journal.IsBegun ? "To go on later, type the same command again." : null);
        }
        catch (OperationCanceledException) when (use.IsBurnt && !cancellation.IsCancellationRequested) { return null; }
        finally { use.Burnt -= Burnt; }
    }

    public async Task<ParcelOutcome?> ReceiveAsync(ReceivingJob job, CancellationToken cancellation) => await ReceiveAsync(job, null, cancellation).ConfigureAwait(false);

    private async Task<ParcelOutcome> ReceiveAsync(ReceivingJob job, INativeTalk? met, CancellationToken cancellation)
    {
        var receive = new NativeReceive(parcels, job.Code, job.Folder, options, AskAsync)
        {
            MayShow = () => job.Use.TryShow(Name),
            IsShownElsewhere = () => job.Use.IsShownElsewhere(Name),
            Wins = () => met is not null || job.Use.Win(Name),
            TakesText = job.Human.ShowText,
            Says = job.Human.Note,
        };
        using var telling = TellAsync(job.Human, () => new ParcelProgress(
            receive.IsMoving ? ParcelStage.Moving : ParcelStage.Waiting, receive.Watch.DoneBytes, receive.Watch.Total, receive.Doing), () => receive.IsMoving);
        try
        {
            var paths = await receive.RunAsync(cancellation, met).ConfigureAwait(false);
            if (receive.TextBytes is { } text) return new ParcelOutcome(ParcelResult.Complete, "A text came.") { Bytes = text, Way = "our own way" };
            return new ParcelOutcome(ParcelResult.Complete, "Everything arrived and was checked.")
            {
                Bytes = receive.Watch.MovedBytes, Took = receive.Watch.Took, Paths = TopsOf(job.Folder, paths), Way = "our own way",
            };
        }
        catch (ParcelException problem)
        {
            return OutcomeOf(problem, receive.Journal is null ? null : $"To go on later: polder receive {job.Code}");
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException) { return OutcomeOf(new ParcelException(ParcelProblem.Disk, problem.Message, problem), null); }

        async Task<OfferAnswer> AskAsync(NativeOffer offer, CancellationToken stop)
        {
            var answer = await job.Human.AskAsync(OfferOf(offer), stop).ConfigureAwait(false);
            return new OfferAnswer(answer.Accepted, answer.Items is { } items && offer.Manifest is null ? [.. items.Order()] : null, answer.Folder);
        }
    }

    /// <summary>Our offer as people are asked about it.</summary>
    public static ParcelOffer OfferOf(NativeOffer offer) => new(
        offer.Count == 1 && offer.Items.Count == 1 && !offer.Items[0].Path.Contains('/', StringComparison.Ordinal) ? ParcelKind.File : ParcelKind.Items,
        offer.Items.Count == 0 ? $"{offer.Count} files" : offer.Items[0].Path.Split('/')[0], offer.Total)
    {
        UnpackedBytes = offer.Total, FileCount = offer.Count, Way = "our own way",
        Items = [.. offer.Items.Select(static item => new ParcelItem(item.Path, item.Size))],
    };

    /// <summary>What a person sees of many files: the files and folders at the top.</summary>
    public static IReadOnlyList<string> TopsOf(string folder, IReadOnlyList<string> files)
    {
        var root = Path.GetFullPath(folder);
        return [.. files.Select(file => Path.GetRelativePath(root, file).Split(Path.DirectorySeparatorChar) is [var top, ..] && top != ".." ? Path.Combine(root, top) : file).Distinct()];
    }

    private static ParcelOutcome OutcomeOf(ParcelException problem, string? resume) => new(
        problem.Kind switch
        {
            ParcelProblem.WrongCode => ParcelResult.WrongCode,
            ParcelProblem.Refused => ParcelResult.Refused,
            ParcelProblem.Broken => ParcelResult.LineBroken,
            ParcelProblem.Disk => ParcelResult.LocalProblem,
            ParcelProblem.Nobody => ParcelResult.NoMeeting,
            _ => ParcelResult.PeerFailed,
        }, resume is null ? problem.Message : $"{problem.Message} {resume}") { Resumable = resume is not null };

    private static Telling TellAsync(IParcelProgress human, Func<ParcelProgress> now, Func<bool> isWorthTelling)
    {
        var telling = new Telling();
        _ = RunAsync();
        return telling;

        async Task RunAsync()
        {
            var last = default(ParcelProgress);
            while (!telling.IsOver)
            {
                if (isWorthTelling() && now() is var moment && moment != last) human.Report(last = moment);
                await Task.Delay(Tick).ConfigureAwait(false);
            }
        }
    }

    private sealed class Telling : IDisposable
    {
        public bool IsOver { get; private set; }
        public void Dispose() => IsOver = true;
    }
}
