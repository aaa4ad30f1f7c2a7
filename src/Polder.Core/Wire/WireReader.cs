using System.Buffers.Binary;
using System.Text;
using System.Text.Unicode;
using Polder.Net;

namespace Polder.Wire;

/// <summary>
/// Reads big-endian fields from a span. It keeps the first failure and gives defaults after it, so a codec is a straight
/// line and asks <see cref="Finish"/> once. It never throws and never allocates by a length that it has not checked.
/// </summary>
public ref struct WireReader
{
    private readonly ReadOnlySpan<byte> _data;
    private int _position;

    /// <summary>A reader at the start of <paramref name="data"/>.</summary>
    public WireReader(ReadOnlySpan<byte> data) => _data = data;

    /// <summary>The first failure, or <see cref="WireError.None"/>.</summary>
    public WireError Error { get; private set; }

    /// <summary>Whether something went wrong.</summary>
    public readonly bool Failed => Error != WireError.None;

    /// <summary>Bytes read so far.</summary>
    public readonly int Position => _position;

    /// <summary>Bytes left; 0 after a failure.</summary>
    public readonly int Remaining => Failed ? 0 : _data.Length - _position;

    /// <summary>Keeps <paramref name="error"/>, unless an earlier one is kept already.</summary>
    public void Fail(WireError error)
    {
        if (Error == WireError.None) Error = error;
    }

    /// <summary>Keeps <paramref name="error"/> when the condition does not hold.</summary>
    public void Require(bool condition, WireError error = WireError.BadValue)
    {
        if (!condition) Fail(error);
    }

    /// <summary>True when all was well and no byte is left; the last call of every decoder.</summary>
    public bool Finish()
    {
        if (Remaining > 0) Fail(WireError.TrailingBytes);
        return !Failed;
    }

    /// <summary>That many bytes, not copied; empty after a failure.</summary>
    public ReadOnlySpan<byte> ReadBytes(int count)
    {
        if (Failed) return default;
        if (count < 0 || count > _data.Length - _position)
        {
            Fail(WireError.Truncated);
            return default;
        }
        var bytes = _data.Slice(_position, count);
        _position += count;
        return bytes;
    }

    /// <summary>All bytes that are left, at most <paramref name="max"/> of them ("raw").</summary>
    public ReadOnlySpan<byte> ReadRest(int max = int.MaxValue)
    {
        if (Remaining > max) Fail(WireError.TooLong);
        return ReadBytes(Remaining);
    }

    /// <summary>One byte.</summary>
    public byte ReadByte() => ReadBytes(1) is [var value] ? value : (byte)0;

    /// <summary>One byte; anything but 0 is true, as the reference has it.</summary>
    public bool ReadBoolean() => ReadByte() != 0;

    /// <summary>Two bytes.</summary>
    public ushort ReadUInt16() => ReadBytes(2) is { Length: 2 } b ? BinaryPrimitives.ReadUInt16BigEndian(b) : (ushort)0;

    /// <summary>Four bytes.</summary>
    public uint ReadUInt32() => ReadBytes(4) is { Length: 4 } b ? BinaryPrimitives.ReadUInt32BigEndian(b) : 0;

    /// <summary>Four bytes, signed.</summary>
    public int ReadInt32() => unchecked((int)ReadUInt32());

    /// <summary>Eight bytes.</summary>
    public ulong ReadUInt64() => ReadBytes(8) is { Length: 8 } b ? BinaryPrimitives.ReadUInt64BigEndian(b) : 0;

    /// <summary>Eight bytes, signed.</summary>
    public long ReadInt64() => unchecked((long)ReadUInt64());

    /// <summary>One length byte, then that many bytes ("varlenB").</summary>
    public ReadOnlySpan<byte> ReadBytes8(int max = byte.MaxValue) => ReadLimited(ReadByte(), max);

    /// <summary>Two length bytes, then that many bytes ("varlenH").</summary>
    public ReadOnlySpan<byte> ReadBytes16(int max = ushort.MaxValue) => ReadLimited(ReadUInt16(), max);

    /// <summary>Four length bytes, then that many bytes ("varlenI").</summary>
    public ReadOnlySpan<byte> ReadBytes32(int max) => ReadLimited(ReadUInt32(), max);

    /// <summary>Two length bytes, then that many bytes of UTF-8 ("varlenHutf8").</summary>
    public string ReadUtf8(int maxBytes = ushort.MaxValue)
    {
        var bytes = ReadBytes16(maxBytes);
        if (Utf8.IsValid(bytes)) return Encoding.UTF8.GetString(bytes);
        Fail(WireError.NotUtf8);
        return "";
    }

    /// <summary>Four address bytes and a port ("ipv4").</summary>
    public Endpoint ReadIPv4() => Endpoint.FromIPv4(ReadUInt32(), ReadUInt16());

    /// <summary>A tag and an address: 01 and 4 bytes, or 03 and 16 bytes, then a port ("ip_address"). Other tags fail.</summary>
    public Endpoint ReadAddress()
    {
        switch (ReadByte())
        {
            case 1:
                return ReadIPv4();
            case 3:
                var bytes = ReadBytes(16);
                var port = ReadUInt16();
                return Failed ? Endpoint.None : Endpoint.FromBytes(bytes, port);
            default:
                Fail(WireError.UnknownTag);
                return Endpoint.None;
        }
    }

    private ReadOnlySpan<byte> ReadLimited(uint length, int max)
    {
        if (length > max) Fail(WireError.TooLong);
        return ReadBytes(Failed ? 0 : (int)length);
    }
}
