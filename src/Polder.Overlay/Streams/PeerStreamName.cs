using System.Text;
using System.Text.Unicode;

namespace Polder.Overlay.Streams;

/// <summary>How every stream begins, in its opener's direction.</summary>
/// <remarks><code>
/// offset  size  field
///      0     1  priority, 0 to 3
///      1     1  length of the name n, 1 to 64
///      2     n  name of the protocol, UTF-8
/// </code></remarks>
internal static class PeerStreamName
{
    public const int BytesMax = 64;
    public const int PriorityDefault = 1;

    /// <summary>Whether a protocol can be called so.</summary>
    public static bool IsValid(string name) => name.Length > 0 && Encoding.UTF8.GetByteCount(name) <= BytesMax;

    public static int Write(Span<byte> destination, string name, int priority)
    {
        var length = Encoding.UTF8.GetBytes(name, destination[2..]);
        (destination[0], destination[1]) = ((byte)priority, (byte)length);
        return 2 + length;
    }

    /// <summary>Null while bytes are missing, false when they are wrong.</summary>
    public static bool? TryRead(ReadOnlySpan<byte> bytes, out int priority, out string name)
    {
        (priority, name) = (PriorityDefault, "");
        if (bytes.Length >= 1 && bytes[0] >= StreamScheduler.Priorities) return false;
        if (bytes.Length < 2) return null;
        var length = bytes[1];
        if (length is 0 or > BytesMax) return false;
        if (bytes.Length < 2 + length) return null;
        if (!Utf8.IsValid(bytes.Slice(2, length))) return false;
        (priority, name) = (bytes[0], Encoding.UTF8.GetString(bytes.Slice(2, length)));
        return true;
    }
}
