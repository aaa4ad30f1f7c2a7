using System.Text.Json;
using Polder.Apps.Parcels.Native;
using Polder.Cryptography;
using Polder.Node.Folders;
using Polder.Node.Parcels.Native.Transfer;

namespace Polder.Node.Parcels.Native.Journals;

/// <summary>A file of something sent, as the journal has it.</summary>
internal sealed record SentItem(string Path, string File, long Size, long ModifiedTicks, bool IsExecutable, string? Root, long HashesAt)
{
    /// <summary>As a file to be read.</summary>
    public SourceFile ToSource() => new(Path, File, Size, ModifiedTicks, IsExecutable);
}

/// <summary>What the sender remembers.</summary>
internal sealed record SenderState
{
    public required IReadOnlyList<string> Paths { get; init; }
    public required string Code { get; init; }
    public required DateTimeOffset Begun { get; init; }
    public DateTimeOffset Touched { get; init; }
    /// <summary>Under which both meet again; null until the receiver wanted it.</summary>
    public string? Id { get; init; }
    public string? Secret { get; init; }
    public IReadOnlyList<int>? Want { get; init; }
    public IReadOnlyList<SentItem> Items { get; init; } = [];
}

/// <summary>The sender's side of a transfer on the disk: what is sent, its content names, and how both meet again.</summary>
internal sealed class SenderJournal
{
    private SenderJournal(string folder, SenderState state) => (Folder, State) = (folder, state);

    public string Folder { get; }
    public SenderState State { get; private set; }

    /// <summary>Its name for people, in <c>--forget</c>.</summary>
    public string Name => Path.GetFileName(Folder);

    /// <summary>Whether the other side took the code: only then both can meet again.</summary>
    public bool IsBegun => State.Id is not null;

    private string HashesPath => Path.Combine(Folder, "hashes");

    public static SenderJournal Create(ParcelFolder parcels, IReadOnlyList<string> paths, string code, IReadOnlyList<SourceFile> files)
    {
        var journal = new SenderJournal(parcels.NewOut(), new SenderState
        {
            Paths = paths, Code = code, Begun = DateTimeOffset.UtcNow, Touched = DateTimeOffset.UtcNow,
            Items = [.. files.Select(static file => new SentItem(file.Path, file.File, file.Size, file.ModifiedTicks, file.IsExecutable, null, -1))],
        });
        return journal;
    }

    public static SenderJournal? TryLoad(string folder)
    {
        try
        {
            var state = JsonSerializer.Deserialize(File.ReadAllBytes(Path.Combine(folder, "journal.json")), ParcelJson.Default.SenderState);
            return state is null ? null : new SenderJournal(folder, state);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or JsonException) { return null; }
    }

    /// <summary>Makes the content names of all files that are new or changed. The hashes of the leaves go to the disk, so that memory stays small.</summary>
    public async Task<NativeOffer> NameAsync(Action<long>? progress, CancellationToken cancel)
    {
        var items = new List<SentItem>(State.Items.Count);
        var changed = false;
        var one = new byte[Hash256.Bytes];
        using (var hashes = new FileStream(HashesPath, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, 128 * 1024))
        {
            hashes.Seek(0, SeekOrigin.End);
            foreach (var item in State.Items)
            {
                var now = item.ToSource();
                if (item.Root is not null && now.IsUnchanged())
                {
                    progress?.Invoke(item.Size);
                    items.Add(item);
                    continue;
                }
                changed = true;
                var file = new FileInfo(item.File);
                if (!file.Exists) throw new ParcelException(ParcelProblem.Disk, $"{item.File} is not there any more.");
                now = now with { Size = file.Length, ModifiedTicks = file.LastWriteTimeUtc.Ticks };
                if (now.Size > ContentName.SizeMax) throw new ParcelException(ParcelProblem.Disk, $"{item.File} grew larger than one file of a parcel may be.");
                var leaves = await SourceFiles.HashAsync(now.File, now.Size, progress, cancel).ConfigureAwait(false);
                var at = hashes.Position;
                foreach (var leaf in leaves)
                {
                    leaf.CopyTo(one);
                    hashes.Write(one);
                }
                items.Add(new SentItem(now.Path, now.File, now.Size, now.ModifiedTicks, now.IsExecutable, ContentName.Root(now.Size, leaves).ToString(), at));
            }
            if (changed) hashes.Flush(flushToDisk: true);
        }
        if (changed) SmallHeap.Compact();
        State = State with { Items = items };
        if (changed && IsBegun) Save();
        return NativeOffer.Of([.. items.Select(static item => item.ToSource().ToItem(new Hash256(Convert.FromHexString(item.Root!))))]);
    }

    /// <summary>The hashes of an item's leaves from one on.</summary>
    public Hash256[] Hashes(int item, int first, int count)
    {
        using var file = File.OpenHandle(HashesPath, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        var bytes = new byte[count * Hash256.Bytes];
        if (!SourceFiles.ReadFully(file, bytes, State.Items[item].HashesAt + (long)first * Hash256.Bytes)) throw new ParcelException(ParcelProblem.Disk, $"{HashesPath} is damaged. Send again.");
        var hashes = new Hash256[count];
        for (var i = 0; i < count; i++) hashes[i] = new Hash256(bytes.AsSpan(i * Hash256.Bytes, Hash256.Bytes));
        return hashes;
    }

    /// <summary>The receiver wants it: from now on both can meet again.</summary>
    public void Begin(byte[] id, byte[] secret, IReadOnlyList<int> want)
    {
        State = State with { Id = Convert.ToHexStringLower(id), Secret = Convert.ToHexStringLower(secret), Want = want };
        Save();
    }

    /// <summary>Notes that it is still wanted.</summary>
    public void Touch()
    {
        State = State with { Touched = DateTimeOffset.UtcNow };
        if (IsBegun) Save();
    }

    public void Forget()
    {
        try { Directory.Delete(Folder, recursive: true); }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException) { }
    }

    private void Save() => DurableFile.Write(Path.Combine(Folder, "journal.json"), JsonSerializer.SerializeToUtf8Bytes(State, ParcelJson.Default.SenderState));
}
