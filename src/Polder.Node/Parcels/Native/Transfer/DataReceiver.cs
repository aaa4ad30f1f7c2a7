using System.Buffers;
using System.Diagnostics;
using System.Threading.Channels;
using Polder.Apps.Parcels.Native;
using Polder.Cryptography;
using Polder.Node.Folders;
using Polder.Node.Parcels.Native.Journals;

namespace Polder.Node.Parcels.Native.Transfer;

/// <summary>
/// The receiver's side of the bulk. One task reads and decrypts, one checks and writes, and a third flushes while both go on; what is noted in the
/// journal was flushed before.
/// </summary>
internal sealed class DataReceiver : IDisposable
{
    /// <summary>Bytes that a crash costs at most, and how long they wait at most.</summary>
    public const long FlushBytes = 64 << 20;
    public static readonly TimeSpan FlushTime = TimeSpan.FromSeconds(5);

    private const int LeavesWaitingMax = 32, NamedMax = 1000;

    /// <summary>An item of so many leaves (a gigabyte) has hash lists that are worth giving back at once.</summary>
    private const int LeavesMany = 16 * 1024;

    private readonly RecordChannel _channel;
    private readonly ReceiverJournal _journal;
    private readonly TransferWatch _watch;
    private readonly Channel<(int Place, int Leaf, byte[] Bytes, int Length)> _leaves;
    private readonly Dictionary<int, IncomingItem> _open = [];
    private readonly Dictionary<int, (Hash256[] Hashes, int Known)> _hashes = [];
    private Dictionary<int, int> _places = [];
    private long _unflushed, _hashesWaiting, _flushedAt = Stopwatch.GetTimestamp();
    private Task _flush = Task.CompletedTask;
    private readonly Dictionary<int, string> _named = [];
    private long _settledAt = Stopwatch.GetTimestamp();
    private int _left;

    public DataReceiver(RecordChannel channel, ReceiverJournal journal, TransferWatch watch)
    {
        (_channel, _journal, _watch) = (channel, journal, watch);
        _leaves = Channel.CreateBounded<(int, int, byte[], int)>(new BoundedChannelOptions(LeavesWaitingMax) { SingleReader = true, SingleWriter = true });
    }

    /// <summary>Done when everything is here, under its name, and the sender was told. <paramref name="agree"/> judges a list of files that comes only now.</summary>
    public async Task RunAsync(Func<NativeOffer, Task>? agree, CancellationToken cancel)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        try
        {
            if (_journal.Offer.Manifest is { } manifest) await TakeManifestAsync(manifest, agree, over.Token).ConfigureAwait(false);
            await BeginItemsAsync(over.Token).ConfigureAwait(false);
            if (_left > 0)
            {
                var writing = Task.Run(() => WriteAsync(over.Token), CancellationToken.None);
                var reading = ReadAsync(over.Token);
                var first = await Task.WhenAny(writing, reading).ConfigureAwait(false);
                if (first == reading && reading.IsFaulted)
                {
                    // What came whole is written and noted before the connection's end is told.
                    _leaves.Writer.TryComplete();
                    try { await writing.ConfigureAwait(false); }
                    catch (Exception problem) when (problem is ParcelException or IOException or UnauthorizedAccessException or OperationCanceledException) { }
                    await reading.ConfigureAwait(false);
                }
                await writing.ConfigureAwait(false);
                await over.CancelAsync().ConfigureAwait(false);
                _ = reading.ContinueWith(static task => _ = task.Exception, TaskScheduler.Default);
            }
            Settle();
            _journal.Save();
            await _channel.SendAsync(DataRecord.AllDone(DataRecord.Confirmation(_journal.State.Items.Select(item => _journal.Offer.Items[item.Item].Root))), cancel).ConfigureAwait(false);
            await _channel.FlushAsync(cancel).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            await StopAsync(StopCode.Cancelled, "The receiver ended it.").ConfigureAwait(false);
            throw;
        }
        catch (ParcelException problem) when (problem.Kind is ParcelProblem.Breach or ParcelProblem.Disk or ParcelProblem.Refused)
        {
            await StopAsync(problem.Kind switch { ParcelProblem.Breach => StopCode.Breach, ParcelProblem.Disk => StopCode.Disk, _ => StopCode.Cancelled }, problem.Message).ConfigureAwait(false);
            throw;
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            await StopAsync(StopCode.Disk, "The receiver's disk refused.").ConfigureAwait(false);
            throw new ParcelException(ParcelProblem.Disk, $"The disk refused: {problem.Message} What arrived is kept; type the same command again when there is room.", problem);
        }
        finally
        {
            await over.CancelAsync().ConfigureAwait(false);
            try { await SaveAllAsync().ConfigureAwait(false); }
            catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or ParcelException) { }
            Dispose();
        }
    }

    public void Dispose()
    {
        foreach (var item in _open.Values) item.Dispose();
        _open.Clear();
    }

    // ---- Before the leaves ----

    private async Task TakeManifestAsync(ManifestName name, Func<NativeOffer, Task>? agree, CancellationToken cancel)
    {
        var count = ContentName.LeafCountOf(name.Size);
        var here = new LeafSet(count);
        var known = _journal.Offer.Items.Count > 0;
        if (known)
            for (var leaf = 0; leaf < count; leaf++) here.Add(leaf);
        await _channel.SendAsync(DataRecord.Have(0, here), cancel).ConfigureAwait(false);
        await _channel.FlushAsync(cancel).ConfigureAwait(false);
        if (known) return;
        var (list, hashes, told) = (new byte[name.Size], new Hash256[count], 0);
        while (!here.IsComplete) Take(await _channel.ReceiveAsync(cancel).ConfigureAwait(false));
        if (_journal.Offer.WithManifest(list, out var problem) is not { } offer) throw new ParcelException(ParcelProblem.Breach, problem!);
        if (agree is not null) await agree(offer).ConfigureAwait(false);
        if (_journal.Previous is not null)
        {
            if (!_journal.TakeManifestAgain(list, offer)) throw new ParcelException(ParcelProblem.Refused, "The sender has other files now than were agreed to.");
        }
        else _journal.TakeManifest(list, offer);

        void Take(ReadOnlyMemory<byte> bytes)
        {
            if (!DataRecord.TryRead(bytes.Span, out var record)) throw Breach();
            if (record.Type == DataRecordType.Stop) throw Stopped(record);
            if (record.Item != 0) throw Breach();
            if (record.Type == DataRecordType.Hashes)
            {
                if (record.Index != told || told + record.Rest.Length / Hash256.Bytes > count) throw Breach();
                for (var at = 0; at < record.Rest.Length; at += Hash256.Bytes) hashes[told++] = new Hash256(record.Rest.Slice(at, Hash256.Bytes));
                if (told == count && ContentName.Root(name.Size, hashes) != name.Root) throw new ParcelException(ParcelProblem.Breach, "The list of files is not the one that was offered.");
                return;
            }
            if (record.Type != DataRecordType.Leaf || told < count || record.Index >= count || record.Rest.Length != ContentName.LengthOf(name.Size, record.Index)
                || ContentName.HashLeaf(record.Rest) != hashes[record.Index]) throw Breach();
            record.Rest.CopyTo(list.AsSpan(record.Index * ContentName.LeafBytesLeast));
            here.Add(record.Index);
        }
    }

    /// <summary>Looks at what is here of each item, tells the sender, and finishes what is complete.</summary>
    private async Task BeginItemsAsync(CancellationToken cancel)
    {
        var offer = _journal.Offer;
        _watch.Total = _journal.State.Items.Sum(item => offer.Items[item.Item].Size);
        _places = Enumerable.Range(0, _journal.State.Items.Count).ToDictionary(place => _journal.State.Items[place].Item + offer.FirstItem);
        var missing = 0L;
        var complete = new List<(int Number, int Place)>();
        foreach (var (number, place) in _places)
        {
            cancel.ThrowIfCancellationRequested();
            var item = offer.Items[_journal.State.Items[place].Item];
            var here = ItemCheck.Look(_journal, place);
            var bytes = item.Size == 0 ? 0 : Math.Min(item.Size, (long)here.Present * ContentName.LeafBytesOf(item.Size));
            _watch.Skip(bytes);
            missing += item.Size - bytes;
            if (_journal.State.Items[place].Final is not null) _watch.ItemDone();
            else
            {
                _left++;
                if (here.IsComplete) complete.Add((number, place));
            }
            await _channel.SendAsync(DataRecord.Have(number, here), cancel).ConfigureAwait(false);
        }
        if (_journal.IsResumed && _places.Values.Any(place => offer.Items[_journal.State.Items[place].Item].LeafCount > LeavesMany)) SmallHeap.Compact();
        if (FreeSpace.At(_journal.State.Folder) is var free && free < missing)
            throw new ParcelException(ParcelProblem.Disk, $"There is no room: {missing >> 20} MiB are missing and {free >> 20} MiB are free in {_journal.State.Folder}. Make room and type the same command again.");
        await _channel.FlushAsync(cancel).ConfigureAwait(false);
        // What needs no leaf more is finished here: empty files, and files that were complete but for their names.
        foreach (var (number, place) in complete) await FinishAsync(number, Open(number, place), cancel).ConfigureAwait(false);
    }

    // ---- Reading ----

    private async Task ReadAsync(CancellationToken cancel)
    {
        while (!cancel.IsCancellationRequested)
        {
            var bytes = await _channel.ReceiveAsync(cancel).ConfigureAwait(false);
            if (Take(bytes.Span) is { } leaf) await _leaves.Writer.WriteAsync(leaf, cancel).ConfigureAwait(false);
        }
    }

    private (int, int, byte[], int)? Take(ReadOnlySpan<byte> bytes)
    {
        if (!DataRecord.TryRead(bytes, out var record)) throw Breach();
        if (record.Type == DataRecordType.Stop) throw Stopped(record);
        if (record.Type is not (DataRecordType.Hashes or DataRecordType.Leaf) || !_places.TryGetValue(record.Item, out var place)) throw Breach();
        var item = _journal.Offer.Items[_journal.State.Items[place].Item];
        if (record.Type == DataRecordType.Hashes)
        {
            TakeHashes(record, place, item);
            return null;
        }
        lock (_hashes)
            if (!_hashes.TryGetValue(record.Item, out var known) || known.Known < item.LeafCount)
                throw new ParcelException(ParcelProblem.Breach, $"The sender sent a part of \"{ItemPath.Escaped(item.Path)}\" that it did not announce.");
        if (record.Index >= item.LeafCount || record.Rest.Length != ContentName.LengthOf(item.Size, record.Index))
            throw new ParcelException(ParcelProblem.Breach, $"The sender sent more of \"{ItemPath.Escaped(item.Path)}\" than it offered.");
        var copy = ArrayPool<byte>.Shared.Rent(record.Rest.Length);
        record.Rest.CopyTo(copy);
        return (record.Item, record.Index, copy, record.Rest.Length);
    }

    private void TakeHashes(in DataRecord record, int place, NativeItem item)
    {
        lock (_hashes)
        {
            if (!_hashes.TryGetValue(record.Item, out var known))
            {
                // A sender goes from item to item: hashes of many that wait for their leaves are an attack on memory.
                if ((_hashesWaiting += item.LeafCount) > 2 * ContentName.LeavesMax) throw Breach();
                known = (new Hash256[item.LeafCount], 0);
            }
            var count = record.Rest.Length / Hash256.Bytes;
            if (record.Index != known.Known || known.Known + count > item.LeafCount) throw Breach();
            for (var i = 0; i < count; i++) known.Hashes[known.Known + i] = new Hash256(record.Rest.Slice(i * Hash256.Bytes, Hash256.Bytes));
            known.Known += count;
            _hashes[record.Item] = known;
            if (known.Known < item.LeafCount) return;
            if (ContentName.Root(item.Size, known.Hashes) != item.Root)
                throw new ParcelException(ParcelProblem.Breach, $"The sender has another \"{ItemPath.Escaped(item.Path)}\" than it offered.");
            // A small one comes again rather than be looked through.
            if (item.LeafCount > 16) _journal.SaveHashes(place, known.Hashes);
            if (item.LeafCount > LeavesMany) SmallHeap.Compact();
        }
    }

    // ---- Writing ----

    private async Task WriteAsync(CancellationToken cancel)
    {
        try
        {
            while (_left > 0)
            {
                if (!_leaves.Reader.TryRead(out var leaf))
                {
                    // Nothing to do: what waits for a flush need not wait longer than its time.
                    using var time = CancellationTokenSource.CreateLinkedTokenSource(cancel);
                    time.CancelAfter(FlushTime);
                    try
                    {
                        if (!await _leaves.Reader.WaitToReadAsync(time.Token).ConfigureAwait(false)) return;
                    }
                    catch (OperationCanceledException) when (!cancel.IsCancellationRequested) { await BeginFlushAsync().ConfigureAwait(false); }
                    continue;
                }
                await WriteAsync(leaf.Place, leaf.Leaf, leaf.Bytes.AsMemory(0, leaf.Length), cancel).ConfigureAwait(false);
                ArrayPool<byte>.Shared.Return(leaf.Bytes);
                if (_unflushed >= FlushBytes || Stopwatch.GetElapsedTime(_flushedAt) >= FlushTime) await BeginFlushAsync().ConfigureAwait(false);
            }
        }
        finally { _leaves.Writer.TryComplete(); }
    }

    private async Task WriteAsync(int number, int leaf, ReadOnlyMemory<byte> bytes, CancellationToken cancel)
    {
        var place = _places[number];
        if (_journal.State.Items[place].Final is not null || _named.ContainsKey(place)) return;
        var item = Open(number, place);
        if (item.Seen[leaf]) return;
        Hash256 hash;
        lock (_hashes) hash = _hashes[number].Hashes[leaf];
        if (ContentName.HashLeaf(bytes.Span) != hash)
            throw new ParcelException(ParcelProblem.Breach, $"A part of \"{ItemPath.Escaped(item.Item.Path)}\" is not what was offered: it changed at the sender's, or somebody tampers.");
        RandomAccess.Write(item.File, bytes.Span, (long)leaf * ContentName.LeafBytesOf(item.Item.Size));
        item.Note(leaf);
        _unflushed += bytes.Length;
        _watch.Moved(bytes.Length);
        if (item.Seen.IsComplete) await FinishAsync(number, item, cancel).ConfigureAwait(false);
    }

    // The last flush is over before the next begins; then both go on side by side.
    private async Task BeginFlushAsync()
    {
        await _flush.ConfigureAwait(false);
        if (_unflushed >= FlushBytes) SmallHeap.Sweep();
        (_unflushed, _flushedAt) = (0, Stopwatch.GetTimestamp());
        var work = _open.Values.Select(static item => (Item: item, Leaves: item.TakePending())).Where(static one => one.Leaves.Count > 0).ToList();
        if (work.Count == 0) return;
        _flush = Task.Run(() =>
        {
            foreach (var (item, leaves) in work) item.Save(_journal, leaves);
        });
    }

    private async Task FinishAsync(int number, IncomingItem item, CancellationToken cancel)
    {
        await _flush.ConfigureAwait(false);
        var isLarge = item.Item.Size > FlushBytes / 8;
        if (isLarge) RandomAccess.FlushToDisk(item.File);
        _open.Remove(number);
        item.Dispose();
        ItemCheck.Dress(item.Partial, item.Item);
        _named[item.Place] = PartialFile.Finish(item.Partial, Path.Combine(_journal.State.Folder, _journal.State.Items[item.Place].Target));
        if (isLarge || _named.Count >= NamedMax || Stopwatch.GetElapsedTime(_settledAt) > TimeSpan.FromSeconds(1)) Settle();
        lock (_hashes)
            if (_hashes.Remove(number)) _hashesWaiting -= item.Item.LeafCount;
        _left--;
        _watch.ItemDone();
        await _channel.SendAsync(DataRecord.ItemDone(number), cancel).ConfigureAwait(false);
    }

    /// <summary>
    /// Makes the files that got their names last safe, and then notes them. Many small ones at once: the disk takes a second of them as fast as one. What a
    /// crash keeps from being noted is found under its name.
    /// </summary>
    private void Settle()
    {
        _settledAt = Stopwatch.GetTimestamp();
        if (_named.Count == 0) return;
        foreach (var path in _named.Values) PartialFile.Flush(path);
        foreach (var folder in _named.Values.Select(Path.GetDirectoryName).Distinct()) DurableFile.FlushFolder(folder!);
        foreach (var (place, path) in _named) _journal.Change(place, _journal.State.Items[place] with { Final = path });
        _journal.Save();
        foreach (var place in _named.Keys) _journal.Clean(place);
        _named.Clear();
    }

    private IncomingItem Open(int number, int place)
    {
        if (_open.TryGetValue(number, out var item)) return item;
        _open[number] = item = IncomingItem.Open(_journal, place);
        return item;
    }

    private async Task SaveAllAsync()
    {
        await _flush.ConfigureAwait(false);
        Settle();
        foreach (var item in _open.Values)
            if (item.TakePending() is { Count: > 0 } leaves) item.Save(_journal, leaves);
        _journal.Save();
    }

    private async Task StopAsync(StopCode code, string words)
    {
        using var time = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        try
        {
            await _channel.SendAsync(DataRecord.Stop(code, words), time.Token).ConfigureAwait(false);
            await _channel.FlushAsync(time.Token).ConfigureAwait(false);
        }
        catch (Exception problem) when (problem is ParcelException or OperationCanceledException or ObjectDisposedException) { }
    }

    private ParcelException Stopped(in DataRecord record)
    {
        // A changed file loses what came of it; its new form is offered when both meet again.
        if (record.Code == StopCode.ItemChanged && record.Text.Split(' ')[0] is var first && int.TryParse(first, System.Globalization.CultureInfo.InvariantCulture, out var number)
            && _places.TryGetValue(number, out var place) && _journal.State.Items[place].Final is null)
        {
            ChangedPlace = place;
        }
        return new ParcelException(record.Code switch { StopCode.Cancelled => ParcelProblem.Refused, StopCode.ItemChanged => ParcelProblem.Changed, StopCode.Disk => ParcelProblem.Disk, _ => ParcelProblem.Breach },
            $"The sender stopped: {record.Text}");
    }

    /// <summary>The item that the sender reported as changed; its bitmap is dropped when the transfer has ended.</summary>
    public int? ChangedPlace { get; private set; }

    private static ParcelException Breach() => new(ParcelProblem.Breach, "The sender does not keep to the protocol.");
}
