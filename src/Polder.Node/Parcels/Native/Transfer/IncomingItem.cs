using Microsoft.Win32.SafeHandles;
using Polder.Apps.Parcels.Native;
using Polder.Node.Parcels.Native.Journals;

namespace Polder.Node.Parcels.Native.Transfer;

/// <summary>A file that is being received: its unfinished file, the leaves that were written, and those that are flushed.</summary>
internal sealed class IncomingItem : IDisposable
{
    private readonly LeafSet _durable;
    private List<int> _pending = [];

    private IncomingItem(int place, NativeItem item, string partial, SafeFileHandle file, LeafSet durable)
    {
        (Place, Item, Partial, File, _durable) = (place, item, partial, file, durable);
        Seen = LeafSet.Load(durable.Count, durable.Save())!;
    }

    public int Place { get; }
    public NativeItem Item { get; }
    public string Partial { get; }
    public SafeFileHandle File { get; }

    /// <summary>Leaves that were written, flushed or not.</summary>
    public LeafSet Seen { get; }

    /// <summary>Opens the unfinished file; makes it where there is none.</summary>
    public static IncomingItem Open(ReceiverJournal journal, int place)
    {
        var item = journal.Offer.Items[journal.State.Items[place].Item];
        var partial = journal.PartialOf(place);
        if (new FileInfo(partial) is { Exists: true } there && there.Length == item.Size) return new IncomingItem(place, item, partial, PartialFile.Open(partial), journal.Have(place));
        // What was noted of a file that is gone must not be believed of the new one: gone first, then the file.
        journal.ForgetHave(place);
        PartialFile.Create(partial, item.Size);
        return new IncomingItem(place, item, partial, PartialFile.Open(partial), new LeafSet(item.LeafCount));
    }

    public void Note(int leaf)
    {
        Seen.Add(leaf);
        _pending.Add(leaf);
    }

    /// <summary>The leaves that were written and not flushed yet.</summary>
    public List<int> TakePending()
    {
        var pending = _pending;
        _pending = [];
        return pending;
    }

    /// <summary>Flushes the file, then notes these leaves.</summary>
    public void Save(ReceiverJournal journal, List<int> leaves)
    {
        RandomAccess.FlushToDisk(File);
        foreach (var leaf in leaves) _durable.Add(leaf);
        journal.SaveHave(Place, _durable, System.IO.File.GetLastWriteTimeUtc(Partial).Ticks);
    }

    public void Dispose() => File.Dispose();
}
