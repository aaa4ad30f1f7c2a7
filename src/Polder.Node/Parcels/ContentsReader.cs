using Polder.Apps.Parcels;
using Polder.Apps.Parcels.Stock;

namespace Polder.Node.Parcels;

/// <summary>Looks at the paths that a person wants to send.</summary>
internal static class ContentsReader
{
    private const int EntriesMax = 1_000_000;

    /// <summary>Everything at these paths. Throws <see cref="ParcelEndedException"/> for what is not there or cannot be read.</summary>
    public static ParcelContents Read(IReadOnlyList<string> paths)
    {
        var entries = new List<ParcelEntry>();
        var tops = new List<string>();
        foreach (var given in paths)
        {
            var path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(given));
            var name = Path.GetFileName(path);
            if (name.Length == 0) throw Problem($"\"{given}\" is a whole disk. Name a folder on it.");
            if (tops.Contains(name)) throw Problem($"Two of the things to send are called \"{name}\". Rename one, or send them one after the other.");
            tops.Add(name);
            try
            {
                if (Directory.Exists(path)) AddFolder(entries, new DirectoryInfo(path), name, []);
                else if (File.Exists(path)) AddFile(entries, new FileInfo(path), name);
                else throw Problem($"There is no file or folder \"{given}\".");
            }
            catch (Exception problem) when (problem is UnauthorizedAccessException or IOException) { throw Problem($"{problem.Message} It was to be sent."); }
        }
        return new ParcelContents { Entries = entries, Tops = tops };
    }

    private static void AddFolder(List<ParcelEntry> entries, DirectoryInfo folder, string name, HashSet<string> above)
    {
        // A link that leads back up would never end.
        var real = folder.ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? folder.FullName;
        if (!above.Add(real)) return;
        entries.Add(new ParcelEntry(name, folder.FullName, 0, folder.LastWriteTimeUtc, IsFolder: true));
        if (name.Count(letter => letter == '/') >= SafeName.PartsMax - 1) throw Problem($"{folder.FullName} is more than {SafeName.PartsMax} folders deep.");
        foreach (var child in folder.EnumerateFileSystemInfos().OrderBy(child => child.Name, StringComparer.Ordinal))
        {
            if (entries.Count >= EntriesMax) throw Problem($"More than {EntriesMax} files are too many for one transfer. Pack them into one file first.");
            if (child is DirectoryInfo inner) AddFolder(entries, inner, name + "/" + child.Name, above);
            else if (child is FileInfo file && file.Exists && (file.ResolveLinkTarget(true) ?? file) is FileInfo { Exists: true }) AddFile(entries, file, name + "/" + child.Name);
        }
        above.Remove(real);
    }

    private static void AddFile(List<ParcelEntry> entries, FileInfo file, string name)
    {
        // A link's own length is that of its text.
        var real = file.ResolveLinkTarget(returnFinalTarget: true) as FileInfo ?? file;
        var executable = !OperatingSystem.IsWindows() && (real.UnixFileMode & UnixFileMode.UserExecute) != 0;
        entries.Add(new ParcelEntry(name, real.FullName, real.Length, real.LastWriteTimeUtc, IsExecutable: executable));
    }

    private static ParcelEndedException Problem(string sentence) => new(ParcelResult.LocalProblem, sentence);
}
