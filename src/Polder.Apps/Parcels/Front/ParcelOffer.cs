namespace Polder.Apps.Parcels;

/// <summary>What kind of thing is offered.</summary>
public enum ParcelKind
{
    /// <summary>A text, shown and not stored.</summary>
    Text,
    /// <summary>One file.</summary>
    File,
    /// <summary>One folder, which travels as a zip.</summary>
    Folder,
    /// <summary>Several files and folders, each for itself (native way only).</summary>
    Items,
}

/// <summary>What the other side offers, as the human is asked about it. Sizes are claims until the bytes have come.</summary>
/// <param name="Kind">What kind of thing.</param>
/// <param name="Name">A safe name to write under: one part, never a path. Still to be shown escaped. "" for a text.</param>
/// <param name="SizeBytes">Bytes that travel.</param>
public sealed record ParcelOffer(ParcelKind Kind, string Name, long SizeBytes)
{
    /// <summary>Bytes on disk afterwards, where that differs (a folder unpacked).</summary>
    public long? UnpackedBytes { get; init; }

    /// <summary>Files in it, where the offer says so.</summary>
    public int? FileCount { get; init; }

    /// <summary>The items of an <see cref="ParcelKind.Items"/> offer.</summary>
    public IReadOnlyList<ParcelItem> Items { get; init; } = [];

    /// <summary>What is odd about it, in sentences: a hidden name, a name that was shortened.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>Where it comes from and how, for the human: "mailbox, stock wire".</summary>
    public string Way { get; init; } = "";
}

/// <summary>One item of an offer.</summary>
/// <param name="Path">Safe parts with "/" between.</param>
/// <param name="SizeBytes">Its size.</param>
/// <param name="IsFolder">Whether it is a folder.</param>
public sealed record ParcelItem(string Path, long SizeBytes, bool IsFolder = false);

/// <summary>What the human says to an offer.</summary>
/// <param name="Accepted">Whether it may come.</param>
/// <param name="Folder">The folder that it is written into; null for the one the command or page named.</param>
/// <param name="Items">The places in <see cref="ParcelOffer.Items"/> that are wanted; null for all.</param>
public sealed record ParcelAnswer(bool Accepted, string? Folder = null, IReadOnlySet<int>? Items = null)
{
    /// <summary>No.</summary>
    public static ParcelAnswer Refused { get; } = new(false);
    /// <summary>Yes, all of it, where it was said.</summary>
    public static ParcelAnswer Yes { get; } = new(true);
}
