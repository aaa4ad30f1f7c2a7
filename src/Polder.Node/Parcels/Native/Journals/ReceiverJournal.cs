using System.Text.Json;
using Polder.Apps.Parcels.Native;
using Polder.Cryptography;
using Polder.Node.Folders;
using Polder.Node.Parcels.Native.Transfer;

namespace Polder.Node.Parcels.Native.Journals;

/// <summary>A file on its way here, as the journal has it.</summary>
internal sealed record ReceivedItem
{
    /// <summary>Its number in the offer's list.</summary>
    public required int Item { get; init; }
    /// <summary>The name that it gets, below the chosen folder.</summary>
    public required string Target { get; init; }
    /// <summary>When the unfinished file was last changed, as far as the bitmap speaks of it.</summary>
    public long NotedTicks { get; init; }
    /// <summary>Where it is, when it is complete.</summary>
    public string? Final { get; init; }
}

/// <summary>What the receiver remembers.</summary>
internal sealed record ReceiverState
{
    public required string Id { get; init; }
    public required string Secret { get; init; }
    public required string Code { get; init; }
    public required string Folder { get; init; }
    public required string Offer { get; init; }
    public required DateTimeOffset Begun { get; init; }
    public DateTimeOffset Touched { get; init; }
    public IReadOnlyList<ReceivedItem> Items { get; init; } = [];
}

/// <summary>The receiver's side of a transfer on the disk. A leaf's bit is set only after its bytes were flushed.</summary>
internal sealed class ReceiverJournal
{
    private ReceiverJournal(string folder, ReceiverState state, NativeOffer offer) => (Folder, State, Offer) = (folder, state, offer);

    public string Folder { get; }
    public ReceiverState State { get; private set; }
    public NativeOffer Offer { get; private set; }
    public byte[] Id => Convert.FromHexString(State.Id);
    /// <summary>Whether it was begun by an earlier run of the program.</summary>
    public bool IsResumed { get; private init; }
    public byte[] Secret => Convert.FromHexString(State.Secret);

    public static ReceiverJournal Create(ParcelFolder parcels, byte[] id, byte[] secret, string code, string target, ReadOnlySpan<byte> offerJson, NativeOffer offer, IReadOnlyList<int> want)
    {
        var folder = Path.Combine(parcels.InFolder, Convert.ToHexStringLower(id));
        ParcelFolder.Make(folder);
        var journal = new ReceiverJournal(folder, new ReceiverState
        {
            Id = Convert.ToHexStringLower(id), Secret = Convert.ToHexStringLower(secret), Code = code, Folder = Path.GetFullPath(target),
            Offer = System.Text.Encoding.UTF8.GetString(offerJson), Begun = DateTimeOffset.UtcNow, Touched = DateTimeOffset.UtcNow,
        }, offer);
        if (offer.Items.Count > 0) journal.PlaceItems(want);
        else journal.Save();
        return journal;
    }

    public static ReceiverJournal? TryLoad(string folder)
    {
        try
        {
            var state = JsonSerializer.Deserialize(File.ReadAllBytes(Path.Combine(folder, "journal.json")), ParcelJson.Default.ReceiverState);
            if (state is null || NativeOffer.Read(System.Text.Encoding.UTF8.GetBytes(state.Offer), out _) is not { } offer) return null;
            if (offer.Manifest is not null && File.Exists(Path.Combine(folder, "manifest")))
                offer = offer.WithManifest(File.ReadAllBytes(Path.Combine(folder, "manifest")), out _) ?? offer;
            return new ReceiverJournal(folder, state with { Items = state.Items.ToArray() }, offer) { IsResumed = true };
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or JsonException) { return null; }
    }

    /// <summary>The list of files came: it is kept, and every file gets its place.</summary>
    public void TakeManifest(byte[] list, NativeOffer offer)
    {
        DurableFile.Write(Path.Combine(Folder, "manifest"), list);
        Offer = offer;
        if (State.Items.Count == 0) PlaceItems([.. Enumerable.Range(0, offer.Count)]);
    }

    /// <summary>
    /// The sender's offer when both met again. Files that changed lose what came of them. False: it is not the parcel that was agreed to.
    /// </summary>
    public bool TakeOfferAgain(ReadOnlySpan<byte> json, NativeOffer again)
    {
        if (again.Count != Offer.Count || (again.Manifest is null) != (Offer.Manifest is null)) return false;
        // What was agreed to was so many bytes; a file that is being written to may have grown a little.
        if (again.Total > Offer.Total + Offer.Total / 100 + (1 << 20)) return false;
        if (again.Manifest is { } manifest)
        {
            if (manifest.Root == Offer.Manifest!.Root) return true;
            // Another list: it comes again, and is compared then.
            Previous = Offer;
            Offer = again;
            State = State with { Offer = System.Text.Encoding.UTF8.GetString(json) };
            return true;
        }
        if (!Compare(Offer, again)) return false;
        Offer = again;
        State = State with { Offer = System.Text.Encoding.UTF8.GetString(json) };
        Save();
        return true;
    }

    /// <summary>The list before the one that is still to come.</summary>
    public NativeOffer? Previous { get; private set; }

    /// <summary>Takes the list that replaces <see cref="Previous"/>.</summary>
    public bool TakeManifestAgain(byte[] list, NativeOffer offer)
    {
        if (Previous is { Items.Count: > 0 } previous && !Compare(previous, offer)) return false;
        Previous = null;
        TakeManifest(list, offer);
        Save();
        return true;
    }

    /// <summary>Bytes that are here, as far as the journal knows.</summary>
    public long HereBytes()
    {
        var bytes = 0L;
        for (var place = 0; place < State.Items.Count; place++)
        {
            var item = Offer.Items[State.Items[place].Item];
            bytes += State.Items[place].Final is not null ? item.Size : Math.Min(item.Size, (long)Have(place).Present * ContentName.LeafBytesOf(item.Size));
        }
        return bytes;
    }

    /// <summary>
    /// The unfinished file of an item. Its name follows from the transfer and the item, so that no crash leaves one that nobody knows of.
    /// </summary>
    public string PartialOf(int place) => PartialFile.PathOf(Path.Combine(State.Folder, State.Items[place].Target), State.Id);

    /// <summary>Leaves of an item that are in its unfinished file.</summary>
    public LeafSet Have(int place)
    {
        var item = Offer.Items[State.Items[place].Item];
        try { return LeafSet.Load(item.LeafCount, File.ReadAllBytes(HavePath(place))) ?? new LeafSet(item.LeafCount); }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException) { return new LeafSet(item.LeafCount); }
    }

    /// <summary>The hashes of an item's leaves, when they came whole and fit its root.</summary>
    public Hash256[]? Hashes(int place)
    {
        var item = Offer.Items[State.Items[place].Item];
        byte[] bytes;
        try { bytes = File.ReadAllBytes(HashesPath(place)); }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException) { return null; }
        if (bytes.Length != item.LeafCount * Hash256.Bytes) return null;
        var hashes = new Hash256[item.LeafCount];
        for (var i = 0; i < hashes.Length; i++) hashes[i] = new Hash256(bytes.AsSpan(i * Hash256.Bytes, Hash256.Bytes));
        return ContentName.Root(item.Size, hashes) == item.Root ? hashes : null;
    }

    /// <summary>Keeps the hashes of an item's leaves, which fit its root.</summary>
    public void SaveHashes(int place, ReadOnlySpan<Hash256> hashes)
    {
        // Those of an earlier run went when the item became another.
        if (new FileInfo(HashesPath(place)) is { Exists: true } there && there.Length == hashes.Length * Hash256.Bytes) return;
        var bytes = new byte[hashes.Length * Hash256.Bytes];
        for (var i = 0; i < hashes.Length; i++) hashes[i].CopyTo(bytes.AsSpan(i * Hash256.Bytes));
        DurableFile.Write(HashesPath(place), bytes);
    }

    /// <summary>The bytes of these leaves are on the disk: notes it.</summary>
    public void SaveHave(int place, LeafSet have, long notedTicks)
    {
        DurableFile.Write(HavePath(place), have.Save());
        Change(place, State.Items[place] with { NotedTicks = notedTicks });
        Save();
    }

    /// <summary>Changes what is known of an item; <see cref="Save"/> makes it durable.</summary>
    public void Change(int place, ReceivedItem item)
    {
        var items = (ReceivedItem[])State.Items;
        items[place] = item;
    }

    /// <summary>Forgets what came of an item.</summary>
    public void Drop(int place)
    {
        Clean(place);
        if (Path.Exists(Path.GetDirectoryName(PartialOf(place)))) File.Delete(PartialOf(place));
        Change(place, State.Items[place] with { NotedTicks = 0 });
    }

    /// <summary>Nothing of an item is here. Its hashes stay: they are proved by its root.</summary>
    public void ForgetHave(int place) => File.Delete(HavePath(place));

    /// <summary>An item's own files are not needed any more.</summary>
    public void Clean(int place)
    {
        ForgetHave(place);
        File.Delete(HashesPath(place));
    }

    public void Save()
    {
        State = State with { Touched = DateTimeOffset.UtcNow };
        DurableFile.Write(Path.Combine(Folder, "journal.json"), JsonSerializer.SerializeToUtf8Bytes(State with { Items = [.. State.Items] }, ParcelJson.Default.ReceiverState));
    }

    /// <summary>Gives it up: unfinished files go, finished ones stay.</summary>
    public void Forget()
    {
        try
        {
            for (var place = 0; place < State.Items.Count; place++)
                if (State.Items[place].Final is null && File.Exists(PartialOf(place))) File.Delete(PartialOf(place));
            Directory.Delete(Folder, recursive: true);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException) { }
    }

    private bool Compare(NativeOffer before, NativeOffer again)
    {
        for (var i = 0; i < before.Items.Count; i++)
            if (before.Items[i].Path != again.Items[i].Path) return false;
        for (var place = 0; place < State.Items.Count; place++)
        {
            var (old, now) = (before.Items[State.Items[place].Item], again.Items[State.Items[place].Item]);
            if (old.Root == now.Root && old.Size == now.Size) continue;
            // A file that is complete already stays; its new form comes beside it.
            Change(place, State.Items[place] with { Final = null });
            Drop(place);
        }
        return true;
    }

    // A folder that is there already is not mixed with what comes: "photos" becomes "photos (2)".
    private void PlaceItems(IReadOnlyList<int> wanted)
    {
        var roots = new Dictionary<string, string>(StringComparer.Ordinal);
        var items = new ReceivedItem[wanted.Count];
        for (var place = 0; place < items.Length; place++)
        {
            var path = Offer.Items[wanted[place]].Path;
            var slash = path.IndexOf('/', StringComparison.Ordinal);
            if (slash > 0)
            {
                var root = path[..slash];
                if (!roots.TryGetValue(root, out var name)) roots[root] = name = FreeName.In(State.Folder, root);
                path = name + path[slash..];
            }
            items[place] = new ReceivedItem { Item = wanted[place], Target = path };
        }
        State = State with { Items = items };
        Save();
    }

    private string HavePath(int place) => Path.Combine(Folder, $"have-{place}");
    private string HashesPath(int place) => Path.Combine(Folder, $"hashes-{place}");
}
