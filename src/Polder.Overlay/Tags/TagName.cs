using System.Text;

namespace Polder.Overlay.Tags;

/// <summary>Why a tag cannot be joined, changed or left.</summary>
public enum TagRefusal
{
    /// <summary>It can.</summary>
    None,
    /// <summary>The name is empty, or white space only.</summary>
    NoName,
    /// <summary>The name has more than 64 bytes in UTF-8.</summary>
    NameTooLong,
    /// <summary>The name has white space at an end, or a character that cannot be seen.</summary>
    BadCharacters,
    /// <summary>The budget in kB/s is 0, negative, or too small to keep one neighbour.</summary>
    BudgetTooSmall,
    /// <summary>The budget in kB/s is above the limit.</summary>
    BudgetTooLarge,
    /// <summary>The number of neighbours is out of bounds.</summary>
    BadNeighbours,
    /// <summary>It is joined already.</summary>
    Joined,
    /// <summary>It is not joined.</summary>
    NotJoined,
    /// <summary>No more tags than the limit.</summary>
    TooMany,
}

/// <summary>Refusals in words.</summary>
public static class TagRefusals
{
    /// <summary>A sentence for people: what is wrong and what is allowed.</summary>
    public static string Explain(this TagRefusal refusal) => refusal switch
    {
        TagRefusal.None => "Done.",
        TagRefusal.NoName => "A tag needs a name, for example \"jazz\".",
        TagRefusal.NameTooLong => $"A tag's name has at most {TagName.BytesMax} bytes in UTF-8.",
        TagRefusal.BadCharacters => "A tag's name has no white space at its ends and only characters that can be seen.",
        TagRefusal.BudgetTooSmall => $"The budget of a tag is at least {TagBudget.KilobytesPerSecondMin} kB/s: less would not keep one neighbour. To take part no more, leave the tag.",
        TagRefusal.BudgetTooLarge => $"The budget of a tag is at most {TagBudget.KilobytesPerSecondMax} kB/s.",
        TagRefusal.BadNeighbours => $"A tag has from 1 to {TagBudget.NeighboursMax} neighbours.",
        TagRefusal.Joined => "This tag is joined already. Change its budget instead.",
        TagRefusal.NotJoined => "This tag is not joined.",
        TagRefusal.TooMany => $"At most {TagService.TagsMax} tags can be joined. Leave one first.",
        _ => "This cannot be done.",
    };
}

/// <summary>The name of a tagged overlay; upper and lower case differ. Its overlay id is SHA-1 of "tag:" and the name in UTF-8, so that plain IPv8 peers can join it too (OV-11.1).</summary>
public static class TagName
{
    /// <summary>Bytes in UTF-8.</summary>
    public const int BytesMax = 64;

    /// <summary>Whether a name will do, or why not.</summary>
    public static TagRefusal Check(string? name)
    {
        if (string.IsNullOrWhiteSpace(name)) return TagRefusal.NoName;
        if (name.Length > BytesMax || Encoding.UTF8.GetByteCount(name) > BytesMax) return TagRefusal.NameTooLong;
        if (char.IsWhiteSpace(name[0]) || char.IsWhiteSpace(name[^1])) return TagRefusal.BadCharacters;
        foreach (var rune in name.EnumerateRunes())
            if (Rune.IsControl(rune) || rune == Rune.ReplacementChar
                || Rune.GetUnicodeCategory(rune) is System.Globalization.UnicodeCategory.Format or System.Globalization.UnicodeCategory.LineSeparator
                    or System.Globalization.UnicodeCategory.ParagraphSeparator or System.Globalization.UnicodeCategory.OtherNotAssigned)
                return TagRefusal.BadCharacters;
        return TagRefusal.None;
    }

    /// <summary>The overlay id of a name.</summary>
    public static CommunityId IdOf(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return CommunityId.FromName(Encoding.UTF8.GetBytes("tag:" + name));
    }
}

/// <summary>What a tag may cost: bytes in and out, and neighbours.</summary>
/// <param name="KilobytesPerSecond">Thousand bytes a second, both directions together.</param>
/// <param name="Neighbours">Members kept as neighbours.</param>
public readonly record struct TagBudget(double KilobytesPerSecond, int Neighbours)
{
    /// <summary>The least that keeps a neighbour and finds another now and then.</summary>
    public const double KilobytesPerSecondMin = 0.1;
    /// <summary>The most.</summary>
    public const double KilobytesPerSecondMax = 10_000;
    /// <summary>Neighbours at most.</summary>
    public const int NeighboursMax = 64;

    /// <summary>4 kB/s and 8 neighbours (OV-11.1).</summary>
    public static TagBudget Default { get; } = new(4, 8);

    /// <summary>Whether it will do, or why not.</summary>
    public TagRefusal Check() => !(KilobytesPerSecond >= KilobytesPerSecondMin) ? TagRefusal.BudgetTooSmall
        : KilobytesPerSecond > KilobytesPerSecondMax ? TagRefusal.BudgetTooLarge
        : Neighbours is < 1 or > NeighboursMax ? TagRefusal.BadNeighbours : TagRefusal.None;
}
