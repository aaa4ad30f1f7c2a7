using System.Globalization;
using System.Text;
using Polder.Node.Operations;

namespace Polder.Host.Pages.Parcels;

/// <param name="Parcels">Everything under way, what can be gone on with, what ended lately; newest first.</param>
/// <param name="Form">What was typed, and what is wrong with it: "code" and "files".</param>
public sealed record SendModel(FrameModel Frame, IReadOnlyList<ParcelView> Parcels, FormState Form) : IPageModel
{
    public string Title => "Send";
    public string Here => "send";
    public Type Body => typeof(SendPage);
    public IReadOnlyList<Type> Live => [typeof(ParcelList)];

    /// <summary>"12.3 of 40.0 MB".</summary>
    public static string Progress(ParcelView parcel) => parcel.TotalBytes == 0 ? "" : parcel.DoneBytes == 0 || parcel.DoneBytes >= parcel.TotalBytes
        ? Size(parcel.TotalBytes) : $"{Size(parcel.DoneBytes)} of {Size(parcel.TotalBytes)}";

    /// <summary>"12.3 MB".</summary>
    public static string Size(double bytes)
    {
        var (figure, unit) = Words.Size(bytes);
        return $"{figure} {unit}";
    }

    /// <summary>"about 3 minutes left".</summary>
    public static string Left(ParcelView parcel) => parcel.SecondsLeft switch
    {
        null => "",
        < 1.5 => "about a second left",
        < 90 => string.Create(CultureInfo.InvariantCulture, $"about {parcel.SecondsLeft:0} seconds left"),
        < 5400 => string.Create(CultureInfo.InvariantCulture, $"about {parcel.SecondsLeft / 60:0} minutes left"),
        _ => string.Create(CultureInfo.InvariantCulture, $"about {parcel.SecondsLeft / 3600:0.#} hours left"),
    };

    /// <summary>A name of the other side: control and direction characters are shown, not obeyed.</summary>
    public static string Name(string text)
    {
        var shown = new StringBuilder();
        foreach (var rune in text.EnumerateRunes())
            shown.Append(Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
                ? $"\\u{{{rune.Value:x}}}" : rune.ToString());
        return shown.ToString();
    }
}
