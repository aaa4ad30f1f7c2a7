using System.Globalization;

namespace Polder.Apps.Parcels.Stock;

/// <summary>Judges the entries of a zip one after the other, before anything is written: names, kinds, doubles, counts.</summary>
/// <param name="filesMax">Files that were offered.</param>
/// <param name="bytesMax">Bytes that may come out of it in all.</param>
internal sealed class ZipEntryRules(int filesMax, long bytesMax)
{
    /// <summary>Folders that may stand in it for themselves.</summary>
    public const int FoldersMax = 100_000;

    private const int KindMask = 0xF000, KindFile = 0x8000, KindFolder = 0x4000;

    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private int _files, _folders;
    private long _bytes;

    /// <summary>One percent above what was offered: stock programs count a link's text, and files grow.</summary>
    public static long Allowance(long offeredBytes) => offeredBytes + offeredBytes / 100;

    /// <summary>Bytes still allowed.</summary>
    public long BytesLeft => bytesMax - _bytes;

    /// <summary>The parts of the entry's path, whether it is a folder, and its mode; null when it is refused, with why.</summary>
    public string[]? Judge(string name, int externalAttributes, out bool isFolder, out UnixFileMode mode, out string problem)
    {
        isFolder = name.EndsWith('/');
        var unix = (externalAttributes >> 16) & 0xFFFF;
        mode = (UnixFileMode)((unix & 0b111_101_101) | 0b110_000_000);
        if (isFolder) mode |= UnixFileMode.UserExecute;
        var kind = unix & KindMask;
        if (kind != 0 && kind != (isFolder ? KindFolder : KindFile))
        {
            problem = "an entry is a link or a device";
            return null;
        }
        var parts = SafeName.OfPath(name, out problem);
        if (parts is null) problem = "an entry cannot be written: " + problem;
        else if (!_names.Add(string.Join('/', parts))) problem = "two entries have one name";
        else if (isFolder ? ++_folders > FoldersMax : ++_files > filesMax) problem = string.Create(CultureInfo.InvariantCulture, $"it holds more than the {filesMax} files that were offered");
        return problem.Length == 0 ? parts : null;
    }

    /// <summary>Counts what was unpacked; false once it is more than was offered.</summary>
    public bool Count(int bytes) => (_bytes += bytes) <= bytesMax;
}
