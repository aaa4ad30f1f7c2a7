using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Polder.Node.Folders;

/// <summary>Whose file it is, on Linux.</summary>
internal static partial class FileOwner
{
    // Of struct statx, which is the same on every processor: mask (4), block size (4), attributes (8), links (4), user (4) …
    private const int StatxBytes = 256, UserOffset = 20;
    private const int CurrentFolder = -100;
    private const uint WantUser = 8;

    /// <summary>Whether the file is known to belong to another user than the one who runs this.</summary>
    public static bool IsAnothers(string path)
    {
        if (!OperatingSystem.IsLinux()) return false;
        Span<byte> answer = stackalloc byte[StatxBytes];
        try
        {
            if (Statx(CurrentFolder, path, 0, WantUser, ref MemoryMarshal.GetReference(answer)) != 0) return false;
        }
        catch (EntryPointNotFoundException) { return false; }
        var user = BitConverter.IsLittleEndian ? BinaryPrimitives.ReadUInt32LittleEndian(answer[UserOffset..]) : BinaryPrimitives.ReadUInt32BigEndian(answer[UserOffset..]);
        return user != UserId();
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Statx(int folder, string path, int flags, uint mask, ref byte answer);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint UserId();
}
