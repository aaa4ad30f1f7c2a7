using Polder.Apps.Parcels;
using Polder.Apps.Parcels.Native;
using Polder.Cryptography;

namespace Polder.Node.Parcels.Native.Transfer;

/// <summary>A file to be sent: where it lies here, and what it was when it was looked at.</summary>
/// <param name="Path">Its path in the parcel.</param>
/// <param name="File">Its path here.</param>
/// <param name="Size">Bytes.</param>
/// <param name="ModifiedTicks">When it was last changed, in ticks, UTC.</param>
/// <param name="IsExecutable">Whether its owner may run it.</param>
internal sealed record SourceFile(string Path, string File, long Size, long ModifiedTicks, bool IsExecutable)
{
    /// <summary>Whether the file here is still the same by size and time.</summary>
    public bool IsUnchanged() => new FileInfo(File) is { Exists: true } now && now.Length == Size && now.LastWriteTimeUtc.Ticks == ModifiedTicks;

    /// <summary>The file as an item, with its content name.</summary>
    public NativeItem ToItem(Hash256 root) => new(Path, Size, new DateTimeOffset(ModifiedTicks, TimeSpan.Zero).ToUnixTimeSeconds() is var at and > 0 ? at : 0, IsExecutable, root);
}

/// <summary>Collects the files of what a person wants to send, and makes their content names.</summary>
internal static class SourceFiles
{
    /// <summary>All files of these paths, folders with everything below them, in a fixed order. Links are followed.</summary>
    /// <exception cref="ParcelException">A path is not there, or its name cannot travel.</exception>
    public static IReadOnlyList<SourceFile> Collect(IReadOnlyList<string> paths)
    {
        ParcelContents contents;
        try { contents = ContentsReader.Read(paths); }
        catch (ParcelEndedException ended) { throw new ParcelException(ParcelProblem.Disk, ended.Message, ended); }
        List<SourceFile> files = [.. contents.Entries.Where(static entry => !entry.IsFolder)
            .Select(static entry => new SourceFile(entry.Path, entry.LocalPath, entry.SizeBytes, entry.Modified.UtcTicks, entry.IsExecutable))];
        if (files.Count == 0) throw new ParcelException(ParcelProblem.Disk, "There is no file in it: an empty folder cannot be sent.");
        if (files.Count > NativeOffer.ItemsMax) throw new ParcelException(ParcelProblem.Disk, $"A parcel has at most {NativeOffer.ItemsMax} files; this would be {files.Count}. Pack them into one file first.");
        if (files.Find(static file => file.Size > ContentName.SizeMax) is { } large)
            throw new ParcelException(ParcelProblem.Disk, $"{large.File} is larger than {ContentName.SizeMax >> 30} GiB, which one file of a parcel may have. Split it first.");
        if (ItemPath.ListProblem(files.Select(static file => file.Path)) is { } wrong) throw new ParcelException(ParcelProblem.Disk, wrong + " Rename it first.");
        return files;
    }

    /// <summary>
    /// The hashes of all leaves of a file, on all cores, in bounded memory: a leaf a core, and the hashes. <paramref name="progress"/> is told bytes.
    /// </summary>
    public static async Task<Hash256[]> HashAsync(string file, long size, Action<long>? progress, CancellationToken cancel)
    {
        var (count, leafBytes) = (ContentName.LeafCountOf(size), ContentName.LeafBytesOf(size));
        var hashes = new Hash256[count];
        // What has no bytes is not opened: a pipe in a folder would wait for its writer.
        if (count == 0) return hashes;
        using var handle = File.OpenHandle(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, FileOptions.SequentialScan);
        var next = -1;
        // A small file is not worth a second core.
        var cores = Math.Clamp(count / 16, 1, Environment.ProcessorCount);
        await Task.WhenAll(Enumerable.Range(0, cores).Select(_ => Task.Run(Work, cancel))).ConfigureAwait(false);
        return hashes;

        void Work()
        {
            var buffer = GC.AllocateUninitializedArray<byte>(leafBytes);
            while (Interlocked.Increment(ref next) is var leaf && leaf < count)
            {
                cancel.ThrowIfCancellationRequested();
                var length = ContentName.LengthOf(size, leaf);
                if (!ReadFully(handle, buffer.AsSpan(0, length), (long)leaf * leafBytes))
                    throw new ParcelException(ParcelProblem.Changed, $"{file} became shorter while it was read.");
                hashes[leaf] = ContentName.HashLeaf(buffer.AsSpan(0, length));
                progress?.Invoke(length);
            }
        }
    }

    /// <summary>Reads exactly so many bytes; false when the file ends before.</summary>
    public static bool ReadFully(Microsoft.Win32.SafeHandles.SafeFileHandle handle, Span<byte> to, long offset)
    {
        while (!to.IsEmpty)
        {
            var count = RandomAccess.Read(handle, to, offset);
            if (count == 0) return false;
            to = to[count..];
            offset += count;
        }
        return true;
    }
}
