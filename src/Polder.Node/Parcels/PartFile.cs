using System.Globalization;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;
using Polder.Apps.Parcels;

namespace Polder.Node.Parcels;

/// <summary>A file that is still coming: under a name of its own, deleted unless it is kept.</summary>
internal sealed class PartFile : IDisposable
{
    private const int TriesMax = 10_000;

    private readonly SafeFileHandle _handle;
    private bool _kept;

    private PartFile(SafeFileHandle handle, string path) => (_handle, Path) = (handle, path);

    public string Path { get; }

    public static PartFile Create(string folder, string name)
    {
        try
        {
            Directory.CreateDirectory(folder);
            var path = PathFor(folder, name);
            return new PartFile(File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Read), path);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException) { throw Problem(folder, problem); }
    }

    /// <summary>A fresh name beside the target that begins with a dot and tells whose it is.</summary>
    public static string PathFor(string folder, string name)
    {
        // The end must fit the 255 bytes that file systems allow.
        var shortened = name;
        while (System.Text.Encoding.UTF8.GetByteCount(shortened) > 200) shortened = shortened[..^(char.IsLowSurrogate(shortened[^1]) ? 2 : 1)];
        return System.IO.Path.Combine(folder, $".{shortened}.{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4))}.polder-part");
    }

    public void Write(ReadOnlySpan<byte> bytes, long offset)
    {
        try { RandomAccess.Write(_handle, bytes, offset); }
        catch (IOException problem) { throw Problem(Path, problem); }
    }

    /// <summary>The bytes, to read them again.</summary>
    public FileStream Read() => new(Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 64 << 10);

    /// <summary>Gives the file its name, or "NAME (2)" when that is taken; the path it got.</summary>
    public string Keep(string folder, string name)
    {
        _handle.Dispose();
        var path = Settle(folder, name, free => File.Move(Path, free, overwrite: false));
        _kept = true;
        return path;
    }

    public void Dispose()
    {
        _handle.Dispose();
        if (_kept) return;
        try { File.Delete(Path); }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException) { }
    }

    /// <summary>Moves something to its name without ever replacing anything.</summary>
    public static string Settle(string folder, string name, Action<string> move)
    {
        for (var number = 1; number < TriesMax; number++)
        {
            var path = System.IO.Path.Combine(folder, number == 1 ? name : Numbered(name, number));
            if (File.Exists(path) || Directory.Exists(path) || new FileInfo(path).LinkTarget is not null) continue;
            try
            {
                move(path);
                return path;
            }
            catch (IOException) when (File.Exists(path) || Directory.Exists(path)) { }
            catch (Exception problem) when (problem is IOException or UnauthorizedAccessException) { throw Problem(path, problem); }
        }
        throw new ParcelEndedException(ParcelResult.LocalProblem, $"{folder} holds too many files of the name \"{name}\". Name another folder with --out.");
    }

    private static string Numbered(string name, int number)
    {
        var dot = name.LastIndexOf('.');
        var (stem, end) = dot > 0 ? (name[..dot], name[dot..]) : (name, "");
        return string.Create(CultureInfo.InvariantCulture, $"{stem} ({number}){end}");
    }

    public static ParcelEndedException Problem(string path, Exception problem) =>
        new(ParcelResult.LocalProblem, $"{path} cannot be written: {problem.Message}");
}

/// <summary>Room on disks.</summary>
internal static class FreeSpace
{
    /// <summary>Bytes free for us where this folder is, or will be; the largest number where nobody can tell.</summary>
    public static long At(string folder)
    {
        try
        {
            var path = Path.GetFullPath(folder);
            while (!Directory.Exists(path)) path = Path.GetDirectoryName(path) ?? throw new IOException("no disk");
            return new DriveInfo(path).AvailableFreeSpace;
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or ArgumentException) { return long.MaxValue; }
    }
}
