namespace Polder.Apps.Parcels.Codes;

/// <summary>
/// The PGP word list (Juola and Zimmermann, 1995): two words for each byte value, one of two syllables and one of three, lower case.
/// </summary>
public static class WordList
{
    private static readonly (string[] Even, string[] Odd) Words = Load();
    private static readonly Dictionary<string, byte> Values = Index();

    /// <summary>The 256 words of two syllables, in order of their byte.</summary>
    public static IReadOnlyList<string> Even => Words.Even;

    /// <summary>The 256 words of three syllables, in order of their byte.</summary>
    public static IReadOnlyList<string> Odd => Words.Odd;

    /// <summary>The list that the word at this place of a code is taken from: the first word (place 0) has three syllables.</summary>
    public static IReadOnlyList<string> AtPlace(int place) => place % 2 == 0 ? Odd : Even;

    /// <summary>Whether the text is a word of either list, in any case.</summary>
    public static bool Contains(string word) => Values.ContainsKey(word);

    private static (string[], string[]) Load()
    {
        var (even, odd) = (new string[256], new string[256]);
        using var reader = new StreamReader(typeof(WordList).Assembly.GetManifestResourceStream("pgp-words.txt")!);
        for (var value = 0; value < 256; value++)
        {
            var line = reader.ReadLine()!;
            var blank = line.IndexOf(' ');
            (even[value], odd[value]) = (line[..blank], line[(blank + 1)..]);
        }
        return (even, odd);
    }

    private static Dictionary<string, byte> Index()
    {
        var values = new Dictionary<string, byte>(512, StringComparer.OrdinalIgnoreCase);
        for (var value = 0; value < 256; value++) values[Words.Even[value]] = values[Words.Odd[value]] = (byte)value;
        return values;
    }
}
