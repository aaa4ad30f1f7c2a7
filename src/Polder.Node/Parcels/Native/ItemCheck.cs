using Polder.Apps.Parcels.Native;
using Polder.Cryptography;

namespace Polder.Node.Parcels.Native;

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
        if (state.Partial is null) return new LeafSet(item.LeafCount);
        if (!File.Exists(state.Partial))
        {
            var target = Path.Combine(journal.State.Folder, state.Target);
            if (new FileInfo(target) is { Exists: true } done && done.Length == item.Size && Root(target, item.Size) == item.Root)
            {
                journal.Change(place, state with { Final = target, Partial = null });
                return All(item);
            }
            journal.Change(place, state with { Partial = null });
            return new LeafSet(item.LeafCount);
        }
        var have = journal.Have(place);
        var file = new FileInfo(state.Partial);
        if (have.Present == 0 || (file.Length == item.Size && file.LastWriteTimeUtc.Ticks == state.NotedTicks)) return have;
        if (journal.Hashes(place) is { } hashes) Check(state.Partial, item, have, hashes);
        else have.Clear();
        journal.SaveHave(place, have, new FileInfo(state.Partial).LastWriteTimeUtc.Ticks);
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
