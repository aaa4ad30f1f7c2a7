using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using Polder.Wire;

namespace Polder.Apps.Chat.PeerChat;

/// <summary>Limits of EVA as kotlin-ipv8 has them (kotlin_eva.json), and ours beside them.</summary>
internal static class EvaLimits
{
    public const int BlockBytes = 600, Window = 80, WindowMin = 16, WindowLess = 16, Attempts = 3;
    public static readonly TimeSpan Retransmit = TimeSpan.FromSeconds(2), TimeOut = TimeSpan.FromSeconds(20);
    /// <summary>What we take: it lies in memory until it is checked. The SuperApp would send 250 MiB.</summary>
    public const long BytesMax = 16 << 20;
    /// <summary>Transfers at a time, in each direction.</summary>
    public const int TransfersMax = 10;
    public const int MissingMax = 300, TextBytesMax = 256;
    /// <summary>A block that we would take; larger ones do not fit a datagram.</summary>
    public const int BlockBytesMax = 1200;
}

/// <summary>Fields of message 130, before sealing: a sender wants to send.</summary>
/// <remarks><code>varlenI info · varlenI id · 8 nonce · 8 size · 4 number of blocks · 4 bytes of a block · 4 window</code></remarks>
internal sealed record EvaWriteRequest(string Info, string Name, ulong Nonce, ulong Size, uint Blocks, uint BlockBytes, uint Window)
{
    public const byte Number = 130;

    public byte[] Write()
    {
        var bytes = new byte[8 + Encoding.UTF8.GetByteCount(Info) + Encoding.UTF8.GetByteCount(Name) + 28];
        var writer = new WireWriter(bytes);
        writer.WriteBytes32(Encoding.UTF8.GetBytes(Info));
        writer.WriteBytes32(Encoding.UTF8.GetBytes(Name));
        writer.WriteUInt64(Nonce);
        writer.WriteUInt64(Size);
        writer.WriteUInt32(Blocks);
        writer.WriteUInt32(BlockBytes);
        writer.WriteUInt32(Window);
        return bytes;
    }

    public static bool TryRead(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out EvaWriteRequest? request)
    {
        var reader = new WireReader(bytes);
        var (info, name) = (PeerChatText.ReadText(ref reader, EvaLimits.TextBytesMax), PeerChatText.ReadText(ref reader, EvaLimits.TextBytesMax));
        var read = new EvaWriteRequest(info, name, reader.ReadUInt64(), reader.ReadUInt64(), reader.ReadUInt32(), reader.ReadUInt32(), reader.ReadUInt32());
        request = reader.Finish() ? read : null;
        return request is not null;
    }

    /// <summary>Whether size, blocks and window go together and are ours to take.</summary>
    public bool IsSensible => Size is >= 1 and <= (ulong)EvaLimits.BytesMax && BlockBytes is >= 64 and <= EvaLimits.BlockBytesMax && Window is >= 1 and <= 1024
        && Blocks == (Size + BlockBytes - 1) / BlockBytes;
}

/// <summary>Fields of message 131, before sealing.</summary>
/// <remarks><code>8 nonce · 4 window number · the rest: numbers of missing blocks, 4 bytes each, little-endian</code></remarks>
internal sealed record EvaAcknowledgement(ulong Nonce, uint Window, IReadOnlyList<uint> Missing)
{
    public const byte Number = 131;

    public byte[] Write()
    {
        var bytes = new byte[12 + 4 * Missing.Count];
        var writer = new WireWriter(bytes);
        writer.WriteUInt64(Nonce);
        writer.WriteUInt32(Window);
        foreach (var missing in Missing) BinaryPrimitives.WriteUInt32LittleEndian(writer.Reserve(4), missing);
        return bytes;
    }

    public static bool TryRead(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out EvaAcknowledgement? acknowledgement)
    {
        var reader = new WireReader(bytes);
        var (nonce, window) = (reader.ReadUInt64(), reader.ReadUInt32());
        var rest = reader.ReadRest(4 * 1024);
        reader.Require(rest.Length % 4 == 0, WireError.Truncated);
        acknowledgement = null;
        if (!reader.Finish()) return false;
        var missing = new uint[rest.Length / 4];
        for (var i = 0; i < missing.Length; i++) missing[i] = BinaryPrimitives.ReadUInt32LittleEndian(rest[(4 * i)..]);
        acknowledgement = new EvaAcknowledgement(nonce, window, missing);
        return true;
    }
}

/// <summary>Fields of message 132, before sealing.</summary>
/// <remarks><code>4 block number · 8 nonce · the rest: bytes</code></remarks>
internal sealed record EvaData(uint Block, ulong Nonce, byte[] Bytes)
{
    public const byte Number = 132;

    public byte[] Write()
    {
        var bytes = new byte[12 + Bytes.Length];
        var writer = new WireWriter(bytes);
        writer.WriteUInt32(Block);
        writer.WriteUInt64(Nonce);
        writer.WriteBytes(Bytes);
        return bytes;
    }

    public static bool TryRead(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out EvaData? data)
    {
        var reader = new WireReader(bytes);
        var (block, nonce) = (reader.ReadUInt32(), reader.ReadUInt64());
        var rest = reader.ReadRest(EvaLimits.BlockBytesMax);
        data = reader.Finish() ? new EvaData(block, nonce, rest.ToArray()) : null;
        return data is not null;
    }
}

/// <summary>Fields of message 133, before sealing: varlenI info, varlenI message.</summary>
internal sealed record EvaError(string Info, string Message)
{
    public const byte Number = 133;

    public byte[] Write()
    {
        var bytes = new byte[8 + Encoding.UTF8.GetByteCount(Info) + Encoding.UTF8.GetByteCount(Message)];
        var writer = new WireWriter(bytes);
        writer.WriteBytes32(Encoding.UTF8.GetBytes(Info));
        writer.WriteBytes32(Encoding.UTF8.GetBytes(Message));
        return bytes;
    }

    public static bool TryRead(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out EvaError? error)
    {
        var reader = new WireReader(bytes);
        var read = new EvaError(PeerChatText.ReadText(ref reader, EvaLimits.TextBytesMax), PeerChatText.ReadText(ref reader, 1024));
        error = reader.Finish() ? read : null;
        return error is not null;
    }
}
