using Polder.Apps.Parcels.Native;
using Polder.Cryptography;
using Polder.Node.Parcels.Native.Journals;

namespace Polder.Node.Parcels.Native.Transfer;

/// <summary>What is really here of an item, whatever the journal says.</summary>
internal static class ItemCheck
{
    /// <summary>
    /// The leaves that are here. An unfinished file whose size or time is another than noted is read through, leaf by leaf; one that is gone may stand
    /// complete under its name already.
    /// </summary>
    public static LeafSet Look(ReceiverJournal journal, int place)
    {
        var state = journal.State.Items[place];
        var item = journal.Offer.Items[state.Item];
        if (state.Final is not null)
        {
            if (File.Exists(state.Final)) return All(item);
            // Somebody moved it away: it comes again.
            journal.Change(place, state = state with { Final = null });
        }
        var partial = new FileInfo(journal.PartialOf(place));
        if (!partial.Exists)
        {
            // An earlier run may have given it its name a moment before it ended.
            var target = Path.Combine(journal.State.Folder, state.Target);
            if (!journal.IsResumed || new FileInfo(target) is not { Exists: true } done || done.Length != item.Size || Root(target, item.Size) != item.Root) return new LeafSet(item.LeafCount);
            journal.Change(place, state with { Final = target });
            return All(item);
        }
        var have = journal.Have(place);
        if (have.Present == 0 || (partial.Length == item.Size && partial.LastWriteTimeUtc.Ticks == state.NotedTicks)) return have;
        if (journal.Hashes(place) is { } hashes) Check(partial.FullName, item, have, hashes);
        else have.Clear();
        journal.SaveHave(place, have, File.GetLastWriteTimeUtc(partial.FullName).Ticks);
        return have;
    }

    /// <summary>A finished file gets the sender's time, and may be run where the sender's may. Nothing else of its mode travels.</summary>
    public static void Dress(string path, NativeItem item)
    {
        try
        {
            if (item.ModifiedUnixSeconds is > 0 and < 253_402_300_800) File.SetLastWriteTimeUtc(path, DateTimeOffset.FromUnixTimeSeconds(item.ModifiedUnixSeconds).UtcDateTime);
            if (item.IsExecutable && !OperatingSystem.IsWindows()) File.SetUnixFileMode(path, File.GetUnixFileMode(path) | UnixFileMode.UserExecute);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or ArgumentException) { }
    }

    private static void Check(string path, NativeItem item, LeafSet have, Hash256[] hashes)
    {
        using var file = PartialFile.Open(path);
        if (RandomAccess.GetLength(file) != item.Size) RandomAccess.SetLength(file, item.Size);
        var leafBytes = ContentName.LeafBytesOf(item.Size);
        Parallel.For(0, Environment.ProcessorCount, (core, _) =>
        {
            var buffer = GC.AllocateUninitializedArray<byte>(leafBytes);
            for (var leaf = core; leaf < have.Count; leaf += Environment.ProcessorCount)
            {
                bool isHere;
                lock (have) isHere = have[leaf];
                if (!isHere) continue;
                var bytes = buffer.AsSpan(0, ContentName.LengthOf(item.Size, leaf));
                if (SourceFiles.ReadFully(file, bytes, (long)leaf * leafBytes) && ContentName.HashLeaf(bytes) == hashes[leaf]) continue;
                lock (have) have.Remove(leaf);
            }
        });
    }

    private static Hash256 Root(string path, long size) => ContentName.Root(size, SourceFiles.HashAsync(path, size, null, CancellationToken.None).GetAwaiter().GetResult());

    private static LeafSet All(NativeItem item)
    {
        var all = new LeafSet(item.LeafCount);
        for (var leaf = 0; leaf < all.Count; leaf++) all.Add(leaf);
        return all;
    }
}
