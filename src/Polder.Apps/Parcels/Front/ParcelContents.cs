namespace Polder.Apps.Parcels;

/// <summary>What a person wants to send: a text, or files and folders that were found at the paths they gave.</summary>
public sealed record ParcelContents
{
    /// <summary>The text, when a text is sent; then there are no entries.</summary>
    public string? Text { get; init; }

    /// <summary>Everything that is sent, in the order of the paths given; a folder comes before what it holds.</summary>
    public IReadOnlyList<ParcelEntry> Entries { get; init; } = [];

    /// <summary>The names given: files and folders at the top, as the other side will see them.</summary>
    public IReadOnlyList<string> Tops { get; init; } = [];

    /// <summary>Bytes of all files, or of the text in UTF-8.</summary>
    public long TotalBytes => Text is null ? Entries.Sum(entry => entry.SizeBytes) : System.Text.Encoding.UTF8.GetByteCount(Text);

    /// <summary>Files, folders not counted.</summary>
    public int FileCount => Entries.Count(entry => !entry.IsFolder);
}

/// <summary>One file or folder that is sent.</summary>
/// <param name="Path">Its name for the other side: parts with "/" between, the first of them the name of what was given.</param>
/// <param name="LocalPath">Where it lies here.</param>
/// <param name="SizeBytes">Size of a file when it was looked at; 0 for a folder.</param>
/// <param name="Modified">When it was last written.</param>
/// <param name="IsFolder">Whether it is a folder.</param>
/// <param name="IsExecutable">Whether its owner may run it.</param>
public sealed record ParcelEntry(string Path, string LocalPath, long SizeBytes, DateTimeOffset Modified, bool IsFolder = false, bool IsExecutable = false);
