using System.Buffers.Binary;
using System.Text;
using Polder.Net;

namespace Polder.Wire;

/// <summary>Writes big-endian fields into a span. A field that does not fit throws: what we send is our own doing.</summary>
public ref struct WireWriter
{
    private readonly Span<byte> _buffer;
    private int _position;

    /// <summary>A writer at the start of <paramref name="buffer"/>.</summary>
    public WireWriter(Span<byte> buffer) => _buffer = buffer;

    /// <summary>Bytes written so far.</summary>
    public readonly int Position => _position;

    /// <summary>What was written so far.</summary>
    public readonly ReadOnlySpan<byte> Written => _buffer[.._position];

    /// <summary>The next <paramref name="count"/> bytes, to be filled by the caller.</summary>
    public Span<byte> Reserve(int count)
    {
        if (count > _buffer.Length - _position)
            throw new InvalidOperationException($"The message does not fit into {_buffer.Length} bytes.");
        var span = _buffer.Slice(_position, count);
        _position += count;
        return span;
    }

    /// <summary>The bytes as they are.</summary>
    public void WriteBytes(scoped ReadOnlySpan<byte> bytes) => bytes.CopyTo(Reserve(bytes.Length));

    /// <summary>One byte.</summary>
    public void WriteByte(byte value) => Reserve(1)[0] = value;

    /// <summary>One byte, 0 or 1.</summary>
    public void WriteBoolean(bool value) => WriteByte(value ? (byte)1 : (byte)0);

    /// <summary>Two bytes.</summary>
    public void WriteUInt16(ushort value) => BinaryPrimitives.WriteUInt16BigEndian(Reserve(2), value);

    /// <summary>Four bytes.</summary>
    public void WriteUInt32(uint value) => BinaryPrimitives.WriteUInt32BigEndian(Reserve(4), value);

    /// <summary>Four bytes, signed.</summary>
    public void WriteInt32(int value) => BinaryPrimitives.WriteInt32BigEndian(Reserve(4), value);

    /// <summary>Eight bytes.</summary>
    public void WriteUInt64(ulong value) => BinaryPrimitives.WriteUInt64BigEndian(Reserve(8), value);

    /// <summary>Eight bytes, signed.</summary>
    public void WriteInt64(long value) => BinaryPrimitives.WriteInt64BigEndian(Reserve(8), value);

    /// <summary>One length byte, then the bytes ("varlenB").</summary>
    public void WriteBytes8(scoped ReadOnlySpan<byte> bytes)
    {
        WriteByte(checked((byte)bytes.Length));
        WriteBytes(bytes);
    }

    /// <summary>Two length bytes, then the bytes ("varlenH").</summary>
    public void WriteBytes16(scoped ReadOnlySpan<byte> bytes)
    {
        WriteUInt16(checked((ushort)bytes.Length));
        WriteBytes(bytes);
    }

    /// <summary>Four length bytes, then the bytes ("varlenI").</summary>
    public void WriteBytes32(scoped ReadOnlySpan<byte> bytes)
    {
        WriteUInt32((uint)bytes.Length);
        WriteBytes(bytes);
    }

    /// <summary>Two length bytes, then UTF-8 ("varlenHutf8").</summary>
    public void WriteUtf8(string text)
    {
        WriteUInt16(checked((ushort)Encoding.UTF8.GetByteCount(text)));
        Encoding.UTF8.GetBytes(text, Reserve(Encoding.UTF8.GetByteCount(text)));
    }

    /// <summary>Four address bytes and a port ("ipv4"). An IPv6 address is ours to avoid: it throws.</summary>
    public void WriteIPv4(Endpoint endpoint)
    {
        if (!endpoint.IsIPv4) throw new ArgumentException("This field holds only IPv4 addresses.", nameof(endpoint));
        WriteUInt32(endpoint.IPv4);
        WriteUInt16(endpoint.Port);
    }

    /// <summary>A tag (01 IPv4, 03 IPv6), the address and the port ("ip_address").</summary>
    public void WriteAddress(Endpoint endpoint)
    {
        WriteByte(endpoint.IsIPv4 ? (byte)1 : (byte)3);
        Span<byte> address = stackalloc byte[16];
        WriteBytes(address[..endpoint.WriteAddress(address)]);
        WriteUInt16(endpoint.Port);
    }
}
