using System.Buffers.Binary;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using static Polder.Node.Udp.LinuxSockets;

namespace Polder.Node.Udp;

/// <summary>Takes one datagram; spans are valid during the call.</summary>
internal delegate void ArrivalHandler(ReadOnlySpan<byte> address, ushort port, ReadOnlySpan<byte> datagram);

/// <summary>
/// Receives many datagrams with one system call (recvmmsg), and runs of one sender and size as one piece (UDP_GRO) which is cut here. Linux
/// only; used on the receiving thread.
/// </summary>
internal sealed unsafe class DatagramReceiver : IDisposable
{
    private const int MessagesMax = 16, MessageBytesMax = 65_536;

    private readonly Socket _socket;
    private readonly bool _isIPv4;
    private readonly int _addressBytes;
    private readonly byte* _bytes;
    private readonly byte* _addresses;
    private readonly Message* _messages;
    private readonly Vector* _vectors;
    private readonly Control* _controls;

    public DatagramReceiver(Socket socket)
    {
        _socket = socket;
        _isIPv4 = socket.AddressFamily == AddressFamily.InterNetwork;
        _addressBytes = SocketAddresses.For(socket.AddressFamily).Size;
        // Pages that no datagram ever touched cost nothing.
        _bytes = (byte*)NativeMemory.Alloc(MessagesMax, MessageBytesMax);
        _addresses = (byte*)NativeMemory.AllocZeroed(MessagesMax, (nuint)_addressBytes);
        _messages = (Message*)NativeMemory.AllocZeroed(MessagesMax, (nuint)sizeof(Message));
        _vectors = (Vector*)NativeMemory.AllocZeroed(MessagesMax, (nuint)sizeof(Vector));
        _controls = (Control*)NativeMemory.AllocZeroed(MessagesMax, (nuint)sizeof(Control));
        try { socket.SetRawSocketOption(LevelUdp, UdpGro, BitConverter.GetBytes(1)); }
        catch (SocketException) { } // before Linux 5.0: one datagram a message
    }

    /// <summary>Waits for datagrams and hands them over. Gives how many messages came; −1 on an error of the system.</summary>
    public int Receive(ArrivalHandler arrived)
    {
        for (var i = 0; i < MessagesMax; i++)
        {
            _vectors[i] = new Vector { Base = _bytes + i * MessageBytesMax, Length = MessageBytesMax };
            _messages[i] = new Message
            {
                Name = _addresses + i * _addressBytes, NameLength = (uint)_addressBytes, Vectors = _vectors + i, VectorCount = 1,
                Control = (byte*)(_controls + i), ControlLength = (nuint)sizeof(Control),
            };
        }
        var handle = _socket.SafeHandle;
        var added = false;
        int count;
        try
        {
            handle.DangerousAddRef(ref added);
            count = ReceiveMany((int)handle.DangerousGetHandle(), _messages, MessagesMax, WaitForOne, null);
            if (count < 0) return Marshal.GetLastPInvokeError() == Interrupted ? 0 : -1;
        }
        finally
        {
            if (added) handle.DangerousRelease();
        }
        for (var i = 0; i < count; i++) Deliver(i, arrived);
        return count;
    }

    public void Dispose()
    {
        NativeMemory.Free(_bytes);
        NativeMemory.Free(_addresses);
        NativeMemory.Free(_messages);
        NativeMemory.Free(_vectors);
        NativeMemory.Free(_controls);
    }

    private void Deliver(int index, ArrivalHandler arrived)
    {
        ref var message = ref _messages[index];
        if ((message.Flags & Truncated) != 0) return;
        var name = new ReadOnlySpan<byte>(message.Name, _addressBytes);
        var port = BinaryPrimitives.ReadUInt16BigEndian(name[2..]);
        var address = _isIPv4 ? name.Slice(SocketAddresses.IPv4Offset, 4) : name.Slice(SocketAddresses.IPv6Offset, 16);
        var rest = new ReadOnlySpan<byte>(message.Vectors->Base, (int)message.Length);
        var size = rest.Length;
        if (message.ControlLength >= 20 && _controls[index] is { Level: LevelUdp, Type: UdpGro, Number: > 0 } control) size = control.Number;
        do
        {
            var length = Math.Min(size, rest.Length);
            arrived(address, port, rest[..length]);
            rest = rest[length..];
        }
        while (rest.Length > 0);
    }
}
