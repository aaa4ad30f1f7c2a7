namespace Polder.Node.Parcels;

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
