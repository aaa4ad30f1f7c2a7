using System.Text;
using Microsoft.Win32.SafeHandles;
using Polder.Apps.Parcels.Native;

namespace Polder.Node.Parcels.Native.Transfer;

/// <summary>Unfinished files beside their targets, and how they get their names without ever taking the place of another.</summary>
internal static class PartialFile
{
    private const int IdDigits = 8;

    /// <summary>".NAME.ID.polder-part" beside the target, with the first digits of the transfer's id; a shorter name where that would be too long.</summary>
    public static string PathOf(string target, string id)
    {
        var (name, suffix) = (Path.GetFileName(target), $".{id[..IdDigits]}{ItemPath.PartialSuffix}");
        var whole = $".{name}{suffix}";
        if (Encoding.UTF8.GetByteCount(whole) > ItemPath.PartBytesMax) whole = $".{Polder.Cryptography.Hash256.Of(Encoding.UTF8.GetBytes(name)).ToString()[..32]}{suffix}";
        return Path.Combine(Path.GetDirectoryName(target)!, whole);
    }

    /// <summary>Makes it, of that size. What an earlier run of the same transfer left is taken.</summary>
    public static void Create(string path, long size)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.None, 0);
        file.SetLength(size);
    }

    /// <summary>Opens it for writing.</summary>
    public static SafeFileHandle Open(string path) => File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);

    /// <summary>Gives a complete file its name, or the next free one.</summary>
    public static string Finish(string partial, string target) =>
        FreeName.Settle(Path.GetDirectoryName(target)!, Path.GetFileName(target), free => File.Move(partial, free, overwrite: false));

    /// <summary>A file's bytes are on the disk afterwards; somebody may have taken it away already.</summary>
    public static void Flush(string path)
    {
        try
        {
            using var file = Open(path);
            RandomAccess.FlushToDisk(file);
        }
        catch (Exception problem) when (problem is FileNotFoundException or DirectoryNotFoundException or UnauthorizedAccessException) { }
    }
}
