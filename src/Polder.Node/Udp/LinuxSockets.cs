using System.Runtime.InteropServices;

namespace Polder.Node.Udp;

/// <summary>The system calls of Linux that move many datagrams at once, and what they need. 64-bit only; the C library's layouts.</summary>
internal static unsafe partial class LinuxSockets
{
    public const int LevelUdp = 17, UdpSegment = 103, UdpGro = 104;
    public const int DontWait = 0x40, WaitForOne = 0x10000, Truncated = 0x20;
    public const int IpLevel = 0, IpMtuDiscover = 10, IPv6Level = 41, IPv6MtuDiscover = 23, MtuDiscoverProbe = 3;
    public const int TryAgain = 11, Interrupted = 4, InvalidArgument = 22, InputOutput = 5, TooLong = 90;

    /// <summary>Whether these calls can be there at all; <c>POLDER_PLAIN_UDP=1</c> says no, for comparison.</summary>
    public static bool IsSupported { get; } =
        OperatingSystem.IsLinux() && nint.Size == 8 && BitConverter.IsLittleEndian && Environment.GetEnvironmentVariable("POLDER_PLAIN_UDP") != "1";

    [StructLayout(LayoutKind.Sequential)]
    public struct Vector
    {
        public byte* Base;
        public nuint Length;
    }

    [StructLayout(LayoutKind.Explicit, Size = 64)]
    public struct Message
    {
        [FieldOffset(0)] public byte* Name;
        [FieldOffset(8)] public uint NameLength;
        [FieldOffset(16)] public Vector* Vectors;
        [FieldOffset(24)] public nuint VectorCount;
        [FieldOffset(32)] public byte* Control;
        [FieldOffset(40)] public nuint ControlLength;
        [FieldOffset(48)] public int Flags;
        /// <summary>Bytes sent or received, written by the system.</summary>
        [FieldOffset(56)] public uint Length;
    }

    /// <summary>One piece of control data, with room for a number.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 24)]
    public struct Control
    {
        [FieldOffset(0)] public nuint Length;
        [FieldOffset(8)] public int Level;
        [FieldOffset(12)] public int Type;
        [FieldOffset(16)] public ushort Short;
        [FieldOffset(16)] public int Number;
    }

    [LibraryImport("libc", EntryPoint = "sendmmsg", SetLastError = true)]
    public static partial int SendMany(int socket, Message* messages, uint count, int flags);

    [LibraryImport("libc", EntryPoint = "recvmmsg", SetLastError = true)]
    public static partial int ReceiveMany(int socket, Message* messages, uint count, int flags, void* timeout);
}
