using Microsoft.Win32.SafeHandles;
using Polder.Apps.Parcels.Native;
using Polder.Node.Folders;

namespace Polder.Node.Parcels.Native;

/// <summary>Unfinished files beside their targets, and how they get their names without ever taking the place of another.</summary>
internal static class PartialFile
{
    /// <summary>".NAME.polder-part", or a shorter one where that would be too long.</summary>
    public static string NameOf(string name)
    {
        var whole = $".{name}{ItemPath.PartialSuffix}";
        if (System.Text.Encoding.UTF8.GetByteCount(whole) <= ItemPath.PartBytesMax) return whole;
        return $".{Polder.Cryptography.Hash256.Of(System.Text.Encoding.UTF8.GetBytes(name)).ToString()[..32]}{ItemPath.PartialSuffix}";
    }

    /// <summary>Makes a new unfinished file of that size beside its target. What lies there under its name already is somebody else's.</summary>
    public static string Create(string target, long size)
    {
        var folder = Path.GetDirectoryName(target)!;
        Directory.CreateDirectory(folder);
        var name = NameOf(Path.GetFileName(target));
        for (var number = 1; ; number++)
        {
            var path = Path.Combine(folder, number == 1 ? name : $".{number}{(name.Length > 200 ? name[^60..] : name)}");
            try
            {
                using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 0);
                file.SetLength(size);
                return path;
            }
            catch (IOException) when (number < 1000 && File.Exists(path)) { }
        }
    }

    /// <summary>Opens it for writing.</summary>
    public static SafeFileHandle Open(string path) => File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);

    /// <summary>Gives a complete file its name, or the next free one: "NAME (2)". Never over something that is there.</summary>
    public static string Finish(string partial, string target)
    {
        var folder = Path.GetDirectoryName(target)!;
        for (var number = 1; ; number++)
        {
            var path = Path.Combine(folder, Numbered(Path.GetFileName(target), number));
            if (Path.Exists(path)) continue;
            try
            {
                // Refuses where somebody was faster.
                File.Move(partial, path, overwrite: false);
                DurableFile.FlushFolder(folder);
                return path;
            }
            catch (IOException) when (number < 10_000 && Path.Exists(path)) { }
        }
    }

    /// <summary>That name, or the first of "NAME (2)", "NAME (3)" … that is not taken in the folder.</summary>
    public static string FreeName(string folder, string name)
    {
        var number = 1;
        while (Path.Exists(Path.Combine(folder, Numbered(name, number)))) number++;
        return Numbered(name, number);
    }

    private static string Numbered(string name, int number)
    {
        if (number == 1) return name;
        var ending = Path.GetExtension(name);
        // ".profile" is all name, and a very long ending is none.
        if (ending.Length == name.Length || ending.Length > 16) ending = "";
        var stem = name[..^ending.Length];
        var more = $" ({number}){ending}";
        while (System.Text.Encoding.UTF8.GetByteCount(stem) + System.Text.Encoding.UTF8.GetByteCount(more) > ItemPath.PartBytesMax)
            stem = stem[..^(stem.Length > 1 && char.IsLowSurrogate(stem[^1]) ? 2 : 1)];
        return stem + more;
    }
}
