using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;
using Polder.Apps.Parcels;

namespace Polder.Node.Parcels;

/// <summary>A file that is still coming: under a name of its own, deleted unless it is kept.</summary>
internal sealed class PartFile : IDisposable
{
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

    /// <summary>Moves something to its name, or the next free one.</summary>
    public static string Settle(string folder, string name, Action<string> move)
    {
        try { return FreeName.Settle(folder, name, move); }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException) { throw Problem(System.IO.Path.Combine(folder, name), problem); }
    }

    public static ParcelEndedException Problem(string path, Exception problem) =>
        new(ParcelResult.LocalProblem, $"{path} cannot be written: {problem.Message}");
}
