namespace Polder.Node.Parcels;

/// <summary>Names for what arrives: "NAME", or "NAME (2)" and so on. Nothing that is there is ever replaced.</summary>
internal static class FreeName
{
    private const int NumberMax = 10_000, NameBytesMax = 255;

    /// <summary>That name, or the first numbered one that is not taken in the folder.</summary>
    public static string In(string folder, string name)
    {
        var number = 1;
        while (IsTaken(Path.Combine(folder, Numbered(name, number)))) number++;
        return Numbered(name, number);
    }

    /// <summary>Moves something to that name or the next free one, and gives the path. <paramref name="move"/> must refuse to replace.</summary>
    /// <exception cref="IOException">The disk refuses, or ten thousand of that name are there.</exception>
    public static string Settle(string folder, string name, Action<string> move)
    {
        for (var number = 1; number < NumberMax; number++)
        {
            var path = Path.Combine(folder, Numbered(name, number));
            if (IsTaken(path)) continue;
            try
            {
                move(path);
                return path;
            }
            // Somebody was faster.
            catch (IOException) when (IsTaken(path)) { }
        }
        throw new IOException($"{folder} holds too many files of the name \"{name}\".");
    }

    // A link that leads nowhere takes its name, too.
    private static bool IsTaken(string path) => Path.Exists(path) || new FileInfo(path).LinkTarget is not null;

    private static string Numbered(string name, int number)
    {
        if (number == 1) return name;
        var ending = Path.GetExtension(name);
        // ".profile" is all name, and a very long ending is none.
        if (ending.Length == name.Length || ending.Length > 16) ending = "";
        var stem = name[..^ending.Length];
        var more = $" ({number}){ending}";
        while (System.Text.Encoding.UTF8.GetByteCount(stem) + System.Text.Encoding.UTF8.GetByteCount(more) > NameBytesMax)
            stem = stem[..^(stem.Length > 1 && char.IsLowSurrogate(stem[^1]) ? 2 : 1)];
        return stem + more;
    }
}
