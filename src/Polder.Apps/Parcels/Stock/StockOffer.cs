using System.Globalization;
using System.Text.Json;

namespace Polder.Apps.Parcels.Stock;

/// <summary>What an offer of the stock dialogue comes to: something to ask the human about, or a refusal.</summary>
/// <param name="Offer">For the human; null when refused.</param>
/// <param name="Text">The text of a message.</param>
/// <param name="Error">What the other side is told.</param>
/// <param name="Why">What the human is told.</param>
internal readonly record struct StockOffer(ParcelOffer? Offer, string? Text, string? Error, string? Why)
{
    /// <summary>The largest size that is believed: 2^53, as far as every program's numbers are exact.</summary>
    public const long BytesMax = 1L << 53;
    /// <summary>Most files that a folder may claim.</summary>
    public const int FilesMax = 1_000_000;

    /// <summary>Judges the value of "offer".</summary>
    public static StockOffer Judge(JsonElement offer)
    {
        try
        {
            if (JsonText.TryGet(offer, "message", out var message)) return OfText(message);
            if (JsonText.TryGet(offer, "file", out var file)) return OfFile(file);
            if (JsonText.TryGet(offer, "directory", out var directory)) return OfFolder(directory);
        }
        // Half a surrogate pair in the name of a member.
        catch (InvalidOperationException) { }
        return new StockOffer(null, null, StockErrors.UnknownOffer, "The other side offers something that this program does not know.");
    }

    private static StockOffer OfText(JsonElement message)
    {
        // A number or anything else is shown as it was written.
        var text = JsonText.Of(message) ?? message.GetRawText();
        return new StockOffer(new ParcelOffer(ParcelKind.Text, "", System.Text.Encoding.UTF8.GetByteCount(text)), text, null, null);
    }

    private static StockOffer OfFile(JsonElement file)
    {
        if (JsonText.Of(file, "filename") is not { } given) return Rejected("it has no name");
        if (Size(file, "filesize") is not { } size) return Rejected("its size is no number from 0 to 2^53");
        if (SafeName.OfFile(given, out var problem) is not { } name) return Rejected(problem);
        return new StockOffer(new ParcelOffer(ParcelKind.File, name, size) { FileCount = 1, Warnings = Warnings(given, name) }, null, null, null);
    }

    private static StockOffer OfFolder(JsonElement directory)
    {
        if (JsonText.Of(directory, "mode") is not { } mode || !mode.StartsWith("zipfile", StringComparison.Ordinal))
            return new StockOffer(null, null, StockErrors.UnknownMode, "The other side sends its folder in a form that this program does not know.");
        if (JsonText.Of(directory, "dirname") is not { } given) return Rejected("it has no name");
        if (Size(directory, "zipsize") is not { } size || Size(directory, "numbytes") is not { } unpacked) return Rejected("its size is no number from 0 to 2^53");
        if (Size(directory, "numfiles") is not { } files || files > FilesMax) return Rejected(string.Create(CultureInfo.InvariantCulture, $"it says to hold more than {FilesMax:N0} files, or none it can count"));
        if (SafeName.OfFile(given.TrimEnd('/', '\\'), out var problem) is not { } name) return Rejected(problem);
        return new StockOffer(
            new ParcelOffer(ParcelKind.Folder, name, size) { UnpackedBytes = unpacked, FileCount = (int)files, Warnings = Warnings(given, name) }, null, null, null);
    }

    private static long? Size(JsonElement element, string name) =>
        JsonText.TryGet(element, name, out var number) && number.ValueKind == JsonValueKind.Number && number.TryGetInt64(out var size) && size is >= 0 and <= BytesMax ? size : null;

    private static StockOffer Rejected(string why) =>
        new(null, null, StockErrors.Rejected, $"The other side's offer was refused: {why}. Nothing was written.");

    private static List<string> Warnings(string given, string name)
    {
        var warnings = new List<string>();
        if (given.TrimEnd('/', '\\') != name) warnings.Add("The name came with a path before it, which was cut off.");
        if (name.StartsWith('.')) warnings.Add("The name begins with a dot: the file will be hidden.");
        if (name.Any(letter => char.IsControl(letter) || char.GetUnicodeCategory(letter) is UnicodeCategory.Format)) warnings.Add("The name holds characters that hide or turn what follows them.");
        return warnings;
    }
}
