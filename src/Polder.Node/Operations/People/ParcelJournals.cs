using Polder.Apps.Parcels.Codes;
using Polder.Node.Parcels.Native.Journals;

namespace Polder.Node.Operations;

/// <summary>What a folder's journals say about parcels that are not finished.</summary>
internal static class ParcelJournals
{
    private const int FilesShown = 200;

    public static IReadOnlyList<ParcelView> Views(ParcelFolder parcels, Func<string, bool>? except = null) =>
    [
        .. parcels.Outgoing().Where(journal => except?.Invoke(journal.State.Code) != true).Select(ViewOf),
        .. parcels.Incoming().Where(journal => except?.Invoke(journal.State.Code) != true).Select(ViewOf),
    ];

    public static ParcelView ViewOf(SenderJournal journal)
    {
        var items = journal.State.Items;
        return new ParcelView
        {
            Id = journal.Name, IsSending = true, Code = journal.State.Code, Link = LinkOf(journal.State.Code), Title = TitleOf(items.Select(static item => item.Path)),
            State = "paused", Words = "Not finished. The receiver types the same code again.", TotalBytes = items.Sum(static item => item.Size),
            Files = [.. items.Take(FilesShown).Select(static item => new ParcelFileView(item.Path, item.Size))], FileCount = items.Count, Begun = journal.State.Begun, Paths = journal.State.Paths,
        };
    }

    public static ParcelView ViewOf(ReceiverJournal journal)
    {
        var offer = journal.Offer;
        return new ParcelView
        {
            Id = journal.State.Id, IsSending = false, Code = journal.State.Code, Link = LinkOf(journal.State.Code),
            Title = offer.Items.Count > 0 ? TitleOf(offer.Items.Select(static item => item.Path)) : $"{offer.Count} files",
            State = "paused", Words = "Not finished. What arrived is kept.", DoneBytes = journal.HereBytes(), TotalBytes = offer.Total,
            Files = [.. offer.Items.Take(FilesShown).Select(static item => new ParcelFileView(item.Path, item.Size))], FileCount = offer.Count, Begun = journal.State.Begun, Folder = journal.State.Folder,
        };
    }

    /// <summary>Forgets one by its id, or the beginning of it, or its code. Refuses what is not there.</summary>
    public static void Forget(ParcelFolder parcels, string id)
    {
        var found = false;
        foreach (var journal in parcels.Outgoing())
            if (Means(journal.Name, journal.State.Code))
            {
                found = true;
                UploadFolder.Clean(parcels, journal.State.Paths);
                journal.Forget();
            }
        foreach (var journal in parcels.Incoming())
            if (Means(journal.State.Id, journal.State.Code))
            {
                found = true;
                journal.Forget();
            }
        if (!found) throw new OperationRefusedException(RefusalKind.NotFound, $"There is no unfinished parcel {id}. polder send --list shows them.");

        bool Means(string name, string code) => id == "all" || code == id || (id.Length >= 4 && name.StartsWith(id, StringComparison.Ordinal));
    }

    public static string LinkOf(string code) => WormholeCode.TryParse(code, out var parsed, out _) ? new WormholeUri(parsed).ToString() : "";

    /// <summary>"photos", "a.txt and 2 more".</summary>
    public static string TitleOf(IEnumerable<string> paths)
    {
        var tops = paths.Select(static path => path.Split('/')[0]).Distinct().Take(1000).ToList();
        return tops.Count switch { 0 => "nothing", 1 => tops[0], _ => $"{tops[0]} and {tops.Count - 1} more" };
    }
}

/// <summary>Folders of files that a page uploaded in order to send them.</summary>
internal static class UploadFolder
{
    public static string New(ParcelFolder parcels)
    {
        var folder = Path.Combine(RootOf(parcels), Convert.ToHexStringLower(System.Security.Cryptography.RandomNumberGenerator.GetBytes(8)));
        ParcelFolder.Make(folder);
        return folder;
    }

    /// <summary>Removes what was uploaded, where these paths are uploads; nothing else.</summary>
    public static void Clean(ParcelFolder parcels, IReadOnlyList<string> paths)
    {
        var root = RootOf(parcels) + Path.DirectorySeparatorChar;
        foreach (var folder in paths.Select(Path.GetFullPath).Where(path => path.StartsWith(root, StringComparison.Ordinal)).Select(path => path[root.Length..].Split(Path.DirectorySeparatorChar)[0]).Distinct())
        {
            try { Directory.Delete(root + folder, recursive: true); }
            catch (Exception problem) when (problem is IOException or UnauthorizedAccessException) { }
        }
    }

    private static string RootOf(ParcelFolder parcels) => Path.Combine(parcels.Root, "uploads");
}
