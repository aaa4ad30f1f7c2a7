using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Polder.Net;
using static Polder.Node.Udp.LinuxSockets;

namespace Polder.Node.Udp;

/// <summary>
/// Datagrams that leave together, in one system call: those of one size to one address as one message that the system cuts
/// up (UDP_SEGMENT), the rest as messages of their own (sendmmsg). Linux only; used on the loop. The socket may be closed from elsewhere meanwhile.
/// </summary>
internal sealed unsafe class DatagramBatch
{
    private const int DatagramsMax = 128, BytesMax = 192 * 1024;
    // Of one message: what fits into one IP packet before it is cut, and what old systems allow.
    private const int SegmentsMax = 64, MessageBytesMax = 65_000;

    private readonly Socket _socket;
    private readonly int _addressBytes;
    private readonly Entry[] _entries = new Entry[DatagramsMax];
    private readonly byte[][] _memory;
    private readonly byte* _bytes;
    private readonly byte* _addresses;
    private readonly Message* _messages;
    private readonly Vector* _vectors;
    private readonly Control* _controls;
    private readonly int[] _counts = new int[DatagramsMax]; // datagrams in each message
    private int _count, _used;
    private bool _segments = true;

    public DatagramBatch(Socket socket)
    {
        _socket = socket;
        _addressBytes = SocketAddresses.For(socket.AddressFamily).Size;
        // Pinned and never freed by hand, because the socket may be closed on another thread in the middle of a flush.
        _memory =
        [
            Pinned(out _bytes, BytesMax), Pinned(out _addresses, DatagramsMax * _addressBytes),
            Pinned(out var messages, DatagramsMax * sizeof(Message)), Pinned(out var vectors, DatagramsMax * sizeof(Vector)),
            Pinned(out var controls, DatagramsMax * sizeof(Control)),
        ];
        _messages = (Message*)messages;
        _vectors = (Vector*)vectors;
        _controls = (Control*)controls;
    }

    private static byte[] Pinned(out byte* pointer, int bytes)
    {
        var memory = GC.AllocateUninitializedArray<byte>(bytes, pinned: true);
        pointer = (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(memory));
        return memory;
    }

    public bool IsEmpty => _count == 0;
    public int Count => _count;

    /// <summary>When the oldest datagram was put in.</summary>
    public long Since { get; private set; }

    /// <summary>Puts a datagram in; false when there is no room, and it must be flushed first.</summary>
    public bool TryAdd(Endpoint to, ReadOnlySpan<byte> datagram)
    {
        if (_count == DatagramsMax || _used + datagram.Length > BytesMax) return false;
        if (_count == 0) Since = TimeProvider.System.GetTimestamp();
        datagram.CopyTo(new Span<byte>(_bytes + _used, datagram.Length));
        _entries[_count++] = new Entry(to, _used, datagram.Length);
        _used += datagram.Length;
        return true;
    }

    /// <summary>Sends what is there. Gives how many datagrams the system took, and their bytes.</summary>
    public (int Datagrams, long Bytes) Flush()
    {
        if (_count == 0) return (0, 0);
        var (from, taken, bytes) = (0, 0, 0L);
        var handle = _socket.SafeHandle;
        var added = false;
        try
        {
            handle.DangerousAddRef(ref added);
            while (from < _count)
            {
                var messages = Build(from);
                var sent = SendMany((int)handle.DangerousGetHandle(), _messages, (uint)messages, DontWait);
                if (sent <= 0)
                {
                    var error = sent == 0 ? 0 : Marshal.GetLastPInvokeError();
                    if (error == Interrupted) continue;
                    // A path or device that cannot cut messages up refuses them: then each datagram goes by itself.
                    if (_segments && _counts[0] > 1 && error is InputOutput or InvalidArgument or TooLong)
                    {
                        _segments = false;
                        continue;
                    }
                    // Full buffers and unreachable addresses are silent: that message is lost, those after it are tried.
                    from += _counts[0];
                    continue;
                }
                for (var i = 0; i < sent; i++)
                {
                    for (var j = 0; j < _counts[i]; j++) bytes += _entries[from + j].Length;
                    from += _counts[i];
                    taken += _counts[i];
                }
            }
        }
        catch (ObjectDisposedException) { }
        finally
        {
            if (added) handle.DangerousRelease();
        }
        (_count, _used) = (0, 0);
        GC.KeepAlive(_memory);
        return (taken, bytes);
    }

    // Makes messages of the entries from one on: a run of datagrams of one size to one address, of which the last may be shorter, is one.
    private int Build(int from)
    {
        var messages = 0;
        for (var first = from; first < _count; messages++)
        {
            var (run, length) = (1, _entries[first].Length);
            var size = length;
            while (_segments && first + run < _count && run < SegmentsMax && length + _entries[first + run].Length <= MessageBytesMax
                   && size > 0 && _entries[first + run - 1].Length == size && _entries[first + run].Length <= size && _entries[first + run].Length > 0
                   && _entries[first + run].To == _entries[first].To)
                length += _entries[first + run++].Length;
            Fill(messages, first, length, run > 1 ? size : 0);
            _counts[messages] = run;
            first += run;
        }
        return messages;
    }

    private void Fill(int index, int entry, int length, int segmentBytes)
    {
        var address = _addresses + index * _addressBytes;
        SocketAddresses.Write(_entries[entry].To, _socket.AddressFamily, new Span<byte>(address, _addressBytes));
        _vectors[index] = new Vector { Base = _bytes + _entries[entry].Offset, Length = (nuint)length };
        _messages[index] = new Message { Name = address, NameLength = (uint)_addressBytes, Vectors = _vectors + index, VectorCount = 1 };
        if (segmentBytes == 0) return;
        _controls[index] = new Control { Length = 18, Level = LevelUdp, Type = UdpSegment, Short = (ushort)segmentBytes };
        _messages[index].Control = (byte*)(_controls + index);
        _messages[index].ControlLength = (nuint)sizeof(Control);
    }

    private readonly record struct Entry(Endpoint To, int Offset, int Length);
}
