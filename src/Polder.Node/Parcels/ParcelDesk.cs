using System.Collections.Concurrent;
using Polder.Apps.Parcels;
using Polder.Apps.Parcels.Codes;
using Polder.Node.Operations;
using Polder.Node.Parcels.Native;
using Polder.Node.Parcels.Native.Journals;
using Polder.Node.Parcels.Native.Meeting;
using Polder.Node.Parcels.Native.Transfer;

namespace Polder.Node.Parcels;

/// <summary>The parcels that a running node sends and receives for its owner, at the page and by the local API.</summary>
internal sealed class ParcelDesk : IAsyncDisposable
{
    private const int RunningMax = 32, EndedMax = 50;

    private readonly Func<Task<MeetingOptions>> _meetings;
    private readonly Func<ParcelOptions> _options;
    private readonly Action _changed;
    private readonly string _received;
    private readonly ConcurrentDictionary<string, DeskParcel> _parcels = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _over = new();

    /// <param name="folder">Journals.</param>
    /// <param name="received">Where things go when nobody says otherwise.</param>
    /// <param name="options">The servers that the owner set.</param>
    /// <param name="meetings">Where our own way meets.</param>
    /// <param name="changed">Called when something shown changed.</param>
    public ParcelDesk(ParcelFolder folder, string received, Func<ParcelOptions> options, Func<Task<MeetingOptions>> meetings, Action changed) =>
        (Folder, _received, _options, _meetings, _changed) = (folder, received, options, meetings, changed);

    public ParcelFolder Folder { get; }

    public IReadOnlyList<ParcelView> List()
    {
        List<ParcelView> views = [.. _parcels.Values.Select(static parcel => parcel.View())];
        // What runs is told by the run itself, not by its journal.
        var live = views.Where(static view => view.State is "waiting" or "asking" or "moving").Select(static view => view.Code).ToHashSet(StringComparer.Ordinal);
        var journals = ParcelJournals.Views(Folder, live.Contains);
        var paused = journals.Select(static view => view.Code).ToHashSet(StringComparer.Ordinal);
        views.RemoveAll(view => view.State == "failed" && paused.Contains(view.Code));
        return [.. views.Concat(journals).OrderByDescending(static view => view.Begun)];
    }

    public async Task<ParcelView> SendAsync(IReadOnlyList<string> paths, string? code)
    {
        WormholeCode? typed = null;
        if (code is not null && !WormholeCode.TryParse(code, out typed, out var problem)) throw Bad(problem);
        if (paths.Count == 0) throw Bad("Choose at least one file.");
        MakeRoom();
        ParcelContents contents;
        try
        {
            _ = SourceFiles.Collect(paths);
            contents = ContentsReader.Read(paths);
        }
        catch (Exception wrong) when (wrong is ParcelException or ParcelEndedException) { throw Bad(wrong.Message); }
        var options = await _meetings().ConfigureAwait(false);
        var parcel = new DeskParcel(isSending: true, typed?.Text ?? "", ParcelJournals.TitleOf(paths.Select(static path => Path.GetFileName(Path.TrimEndingDirectorySeparator(path)))), null, _changed);
        Add(parcel);
        if (NativePlace.Unfinished(Folder, paths, code) is { } unfinished)
        {
            // Same files again: the receiver who had a part of them comes back under the old code.
            var send = NativeSend.Start(Folder, paths, typed, options);
            parcel.Show(send);
            parcel.Run(stop => NativePlace.RunAsync(send, new CodeUse(), parcel, stop), () => UploadFolder.Clean(Folder, paths), _over.Token);
            return parcel.View();
        }
        var front = ParcelWays.Sender(_options(), options, parcel.Show);
        parcel.Run(async stop => await front.SendAsync(new SendingJob(contents, parcel), typed, WormholeCode.WordsDefault, stop).ConfigureAwait(false),
            () => UploadFolder.Clean(Folder, paths), _over.Token);
        await parcel.CodeShown.WaitAsync(TimeSpan.FromSeconds(15)).ConfigureAwait(false);
        return parcel.View();
    }

    public async Task<ParcelView> ReceiveAsync(string typed, string? folder)
    {
        var text = WormholeUri.TryParse(typed.Trim(), out var link) ? link.Code.Text : WormholeCode.Tidy(typed, out _);
        if (!WormholeCode.TryParse(text, out var code, out var problem)) throw Bad(problem);
        if (code.WordCount == 0) throw Bad("This code has a number and no words. The words are the secret: ask for the whole code.");
        MakeRoom();
        if (_parcels.Values.FirstOrDefault(one => !one.IsSending && one.Code == code.Text && one.IsRunning) is { } running) return running.View();
        var options = await _meetings().ConfigureAwait(false);
        var parcel = new DeskParcel(isSending: false, code.Text, "", Path.GetFullPath(folder ?? _received), _changed);
        Add(parcel);
        var front = ParcelWays.Receiver(_options(), code, options);
        parcel.Run(async stop => await front.ReceiveAsync(new ReceivingJob(code, parcel.Folder!, parcel), stop).ConfigureAwait(false), null, _over.Token);
        return parcel.View();
    }

    public ParcelView Answer(string id, bool accept)
    {
        var parcel = Find(id);
        parcel.Answer(accept);
        return parcel.View();
    }

    public async Task<ParcelView> ResumeAsync(string id)
    {
        if (Folder.Outgoing().FirstOrDefault(journal => journal.Name == id) is { } outgoing) return await SendAsync(outgoing.State.Paths, outgoing.State.Code).ConfigureAwait(false);
        if (Folder.Incoming().FirstOrDefault(journal => journal.State.Id == id) is { } incoming) return await ReceiveAsync(incoming.State.Code, incoming.State.Folder).ConfigureAwait(false);
        throw new OperationRefusedException(RefusalKind.NotFound, "This parcel is not there any more.");
    }

    public async Task<ParcelView> StopAsync(string id)
    {
        var parcel = Find(id);
        await parcel.StopAsync().ConfigureAwait(false);
        return parcel.View();
    }

    public async Task ForgetAsync(string id)
    {
        if (_parcels.TryRemove(id, out var parcel))
        {
            await parcel.StopAsync().ConfigureAwait(false);
            var code = parcel.Code;
            if (Folder.Outgoing().Any(journal => journal.State.Code == code) || Folder.Incoming().Any(journal => journal.State.Code == code)) ParcelJournals.Forget(Folder, code);
            parcel.Dispose();
        }
        else ParcelJournals.Forget(Folder, id);
        _changed();
    }

    public async ValueTask DisposeAsync()
    {
        await _over.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(_parcels.Values.Select(static parcel => parcel.Ended)).ConfigureAwait(false);
        foreach (var parcel in _parcels.Values) parcel.Dispose();
        _over.Dispose();
    }

    private DeskParcel Find(string id) => _parcels.TryGetValue(id, out var parcel) ? parcel : throw new OperationRefusedException(RefusalKind.NotFound, "This parcel is not there any more.");

    private void Add(DeskParcel parcel)
    {
        _parcels[parcel.Id] = parcel;
        foreach (var old in _parcels.Values.Where(static one => !one.IsRunning).OrderByDescending(static one => one.Begun).Skip(EndedMax))
            if (_parcels.TryRemove(old.Id, out var removed)) removed.Dispose();
        _changed();
    }

    private void MakeRoom()
    {
        if (_parcels.Values.Count(static one => one.IsRunning) >= RunningMax)
            throw new OperationRefusedException(RefusalKind.Conflict, $"{RunningMax} parcels are under way; stop one of them first.");
    }

    private static OperationRefusedException Bad(string words) => new(RefusalKind.BadInput, words);
}
