using System.Threading.Channels;
using Polder.Apps.Parcels.Native;
using Polder.Cryptography;
using Polder.Node.Parcels.Native.Journals;

namespace Polder.Node.Parcels.Native.Transfer;

/// <summary>The sender's side of the bulk: for each wanted item the hashes and the leaves that the receiver lacks, until it confirms everything.</summary>
internal sealed class DataSender(RecordChannel channel, NativeOffer offer, SenderJournal journal, IReadOnlyList<int> want, TransferWatch watch)
{
    private readonly Dictionary<int, LeafSet> _have = [];
    private readonly Channel<int> _told = Channel.CreateUnbounded<int>();
    private readonly TaskCompletionSource<Hash256> _confirmed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _sinceSweep;
    private readonly byte[]? _manifest = offer.Manifest is null ? null : offer.WriteManifest();

    /// <summary>Done when the receiver has everything under its name.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var reading = ReadAsync(over.Token);
        try
        {
            var sending = SendAsync(over.Token);
            // Whichever fails first ends both; a word of the other side says more than the connection that it closed.
            if (await Task.WhenAny(sending, reading).ConfigureAwait(false) == sending && sending.IsFaulted)
                await Task.WhenAny(reading, Task.Delay(200, cancel)).ConfigureAwait(false);
            if (reading.IsCompleted) await reading.ConfigureAwait(false);
            await sending.ConfigureAwait(false);
            await reading.ConfigureAwait(false);
            var wanted = DataRecord.Confirmation(want.Select(item => offer.Items[item].Root));
            if (await _confirmed.Task.ConfigureAwait(false) != wanted) throw new ParcelException(ParcelProblem.Breach, "The receiver confirmed something else than was sent.");
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            await StopAsync(StopCode.Cancelled, "The sender ended it.").ConfigureAwait(false);
            throw;
        }
        catch (ParcelException problem) when (problem.Kind is ParcelProblem.Changed or ParcelProblem.Disk)
        {
            await StopAsync(problem.Kind == ParcelProblem.Changed ? StopCode.ItemChanged : StopCode.Disk, problem.Message).ConfigureAwait(false);
            throw;
        }
        finally
        {
            await over.CancelAsync().ConfigureAwait(false);
            await reading.ContinueWith(static _ => { }, TaskScheduler.Default).ConfigureAwait(false);
        }
    }

    private async Task SendAsync(CancellationToken cancel)
    {
        if (_manifest is not null) await SendManifestAsync(await HaveAsync(0, cancel).ConfigureAwait(false), cancel).ConfigureAwait(false);
        foreach (var item in want)
        {
            var here = await HaveAsync(item + offer.FirstItem, cancel).ConfigureAwait(false);
            watch.Skip(BytesOf(offer.Items[item].Size, here));
            if (!here.IsComplete) await SendItemAsync(item, here, cancel).ConfigureAwait(false);
        }
        await channel.FlushAsync(cancel).ConfigureAwait(false);
    }

    private async Task SendItemAsync(int item, LeafSet here, CancellationToken cancel)
    {
        var (size, number) = (offer.Items[item].Size, item + offer.FirstItem);
        var source = journal.State.Items[item].ToSource();
        if (!source.IsUnchanged()) throw Changed(number, source);
        for (var first = 0; first < here.Count; first += DataRecord.HashesMax)
        {
            var hashes = journal.Hashes(item, first, Math.Min(DataRecord.HashesMax, here.Count - first));
            await channel.SendAsync(DataRecord.Hashes(number, first, hashes), cancel).ConfigureAwait(false);
        }
        var leafBytes = ContentName.LeafBytesOf(size);
        var buffer = GC.AllocateUninitializedArray<byte>(DataRecord.LeafHeaderBytes + leafBytes);
        using var file = Open(source);
        for (var leaf = here.NextMissing(0); leaf < here.Count; leaf = here.NextMissing(leaf + 1))
        {
            var length = ContentName.LengthOf(size, leaf);
            DataRecord.WriteLeafHeader(buffer, number, leaf);
            if (!SourceFiles.ReadFully(file, buffer.AsSpan(DataRecord.LeafHeaderBytes, length), (long)leaf * leafBytes)) throw Changed(number, source);
            await channel.SendAsync(buffer.AsMemory(0, DataRecord.LeafHeaderBytes + length), cancel).ConfigureAwait(false);
            watch.Moved(length);
            if ((_sinceSweep += length) < SmallHeap.SweepBytes) continue;
            _sinceSweep = 0;
            SmallHeap.Sweep();
        }
        if (!source.IsUnchanged()) throw Changed(number, source);
    }

    private async Task SendManifestAsync(LeafSet here, CancellationToken cancel)
    {
        if (here.IsComplete) return;
        var hashes = new Hash256[here.Count];
        for (var leaf = 0; leaf < hashes.Length; leaf++)
            hashes[leaf] = ContentName.HashLeaf(_manifest.AsSpan(leaf * ContentName.LeafBytesLeast, ContentName.LengthOf(_manifest!.Length, leaf)));
        for (var first = 0; first < here.Count; first += DataRecord.HashesMax)
            await channel.SendAsync(DataRecord.Hashes(0, first, hashes.AsSpan(first, Math.Min(DataRecord.HashesMax, here.Count - first))), cancel).ConfigureAwait(false);
        for (var leaf = here.NextMissing(0); leaf < here.Count; leaf = here.NextMissing(leaf + 1))
        {
            var bytes = new byte[DataRecord.LeafHeaderBytes + ContentName.LengthOf(_manifest!.Length, leaf)];
            DataRecord.WriteLeafHeader(bytes, 0, leaf);
            _manifest.AsSpan(leaf * ContentName.LeafBytesLeast, bytes.Length - DataRecord.LeafHeaderBytes).CopyTo(bytes.AsSpan(DataRecord.LeafHeaderBytes));
            await channel.SendAsync(bytes, cancel).ConfigureAwait(false);
        }
    }

    private async Task<LeafSet> HaveAsync(int number, CancellationToken cancel)
    {
        LeafSet? here;
        while (true)
        {
            lock (_have)
                if (_have.Remove(number, out here)) return here;
            // What was sent so far must not lie in a buffer while the other side waits for it.
            await channel.FlushAsync(cancel).ConfigureAwait(false);
            await _told.Reader.ReadAsync(cancel).ConfigureAwait(false);
        }
    }

    private async Task ReadAsync(CancellationToken cancel)
    {
        while (true)
        {
            // While we send, the receiver has nothing to say for as long as the disk and the line need.
            var bytes = await channel.ReceiveAsync(cancel, patient: true).ConfigureAwait(false);
            if (Take(bytes.Span)) return;
        }
    }

    // True: the last word.
    private bool Take(ReadOnlySpan<byte> bytes)
    {
        if (!DataRecord.TryRead(bytes, out var record)) throw Breach();
        switch (record.Type)
        {
            case DataRecordType.Have:
                var size = record.Item < offer.FirstItem ? offer.Manifest!.Size
                    : record.Item - offer.FirstItem < offer.Items.Count ? offer.Items[record.Item - offer.FirstItem].Size : throw Breach();
                lock (_have)
                    if (!_have.TryAdd(record.Item, LeafSet.FromRuns(ContentName.LeafCountOf(size), record.Rest) ?? throw Breach())) throw Breach();
                _told.Writer.TryWrite(record.Item);
                return false;
            case DataRecordType.ItemDone:
                watch.ItemDone();
                return false;
            case DataRecordType.AllDone:
                _confirmed.TrySetResult(new Hash256(record.Rest));
                return true;
            case DataRecordType.Stop:
                throw new ParcelException(record.Code switch { StopCode.Cancelled => ParcelProblem.Refused, StopCode.Disk => ParcelProblem.Disk, StopCode.ItemChanged => ParcelProblem.Changed, _ => ParcelProblem.Breach },
                    $"The receiver stopped: {record.Text}");
            default: throw Breach();
        }
    }

    private async Task StopAsync(StopCode code, string words)
    {
        using var time = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        try
        {
            await channel.SendAsync(DataRecord.Stop(code, words), time.Token).ConfigureAwait(false);
            await channel.FlushAsync(time.Token).ConfigureAwait(false);
        }
        catch (Exception problem) when (problem is ParcelException or OperationCanceledException or ObjectDisposedException) { }
    }

    private static long BytesOf(long size, LeafSet here)
    {
        if (here.Present == 0) return 0;
        var bytes = (long)here.Present * ContentName.LeafBytesOf(size);
        return here[here.Count - 1] ? bytes - ContentName.LeafBytesOf(size) + ContentName.LengthOf(size, here.Count - 1) : bytes;
    }

    private static Microsoft.Win32.SafeHandles.SafeFileHandle Open(SourceFile source)
    {
        try { return File.OpenHandle(source.File, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, FileOptions.SequentialScan); }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException) { throw new ParcelException(ParcelProblem.Disk, problem.Message, problem); }
    }

    private static ParcelException Changed(int number, SourceFile source) =>
        new(ParcelProblem.Changed, $"{number} {source.Path} changed while it was being sent. Start both sides again: what arrived of the others stays.");

    private static ParcelException Breach() => new(ParcelProblem.Breach, "The receiver does not keep to the protocol.");
}
