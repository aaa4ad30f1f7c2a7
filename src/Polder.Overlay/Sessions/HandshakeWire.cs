using System.Buffers.Binary;
using System.Security.Cryptography;
using Polder.Cryptography;
using Polder.Identity;
using Polder.Net;

namespace Polder.Overlay.Sessions;

/// <summary>The handshake's datagrams: IPv8 packets of the extension community, unsigned, of fixed sizes (docs/wire/session.md).</summary>
internal static class HandshakeWire
{
    public const byte Initiation = 1, Response = 2, OpenInitiation = 3, OpenResponse = 4, OpenFinish = 5, Cookie = 6;

    public const byte Version = 1;

    /// <summary>Flag: the sender has a session with the receiver and these keys continue it.</summary>
    public const byte Continues = 1;

    public const int MacBytes = 16, MacsBytes = 2 * MacBytes, CookieBytes = 16;
    public const int KeysOffset = Packet.HeaderBytes;

    // Payloads: key 32, signature 64, time 8, index 4, version and flags 4, address 19.
    public const int InitiationPayloadBytes = 131, ResponsePayloadBytes = 91, OpenPayloadBytes = 195, OpenResponsePayloadBytes = 123, OpenFinishPayloadBytes = 123;

    public const int InitiationBytes = KeysOffset + 32 + 48 + InitiationPayloadBytes + 16 + MacsBytes;
    public const int ResponseBytes = KeysOffset + 32 + ResponsePayloadBytes + 16 + MacsBytes;
    public const int OpenInitiationBytes = KeysOffset + 32 + OpenPayloadBytes + MacsBytes;
    public const int OpenResponseBytes = KeysOffset + 32 + 48 + OpenResponsePayloadBytes + 16 + MacsBytes;
    public const int OpenFinishBytes = KeysOffset + 4 + 48 + OpenFinishPayloadBytes + 16 + MacsBytes;
    public const int CookieReplyBytes = KeysOffset + 8 + 1 + CookieBytes + 16;

    /// <summary>How long a datagram of this number is; 0 for an unknown number.</summary>
    public static int BytesOf(byte number) => number switch
    {
        Initiation => InitiationBytes,
        Response => ResponseBytes,
        OpenInitiation => OpenInitiationBytes,
        OpenResponse => OpenResponseBytes,
        OpenFinish => OpenFinishBytes,
        Cookie => CookieReplyBytes,
        _ => 0,
    };

    public static void WriteHeader(Span<byte> datagram, byte number)
    {
        (datagram[0], datagram[1], datagram[Packet.PrefixBytes]) = (0, 2, number);
        Discovery.DiscoveryCommunity.Extension.CopyTo(datagram[2..]);
    }

    /// <summary>"nx-session-1", the network id, and the responder's key when the initiator knows it.</summary>
    public static int WritePrologue(Span<byte> destination, UInt128 network, PublicKey? responder)
    {
        "nx-session-1"u8.CopyTo(destination);
        BinaryPrimitives.WriteUInt128BigEndian(destination[12..], network);
        responder?.Bytes.CopyTo(destination[28..]);
        return responder is null ? 28 : 28 + KeyFormat.Bytes;
    }

    public const int PrologueBytesMax = 28 + KeyFormat.Bytes;

    /// <summary>What the first MAC of a datagram to this key is keyed with; without a key, for whoever answers.</summary>
    public static void WriteMacKey(Span<byte> destination, ReadOnlySpan<byte> label, PublicKey? receiver)
    {
        Span<byte> text = stackalloc byte[16 + KeyFormat.Bytes];
        label.CopyTo(text);
        receiver?.Bytes.CopyTo(text[label.Length..]);
        SHA256.HashData(text[..(label.Length + (receiver is null ? 0 : KeyFormat.Bytes))], destination);
    }

    /// <summary>The first 16 bytes of a keyed digest.</summary>
    public static void WriteMac(ISessionCrypto crypto, ReadOnlySpan<byte> key, ReadOnlySpan<byte> data, Span<byte> mac)
    {
        Span<byte> digest = stackalloc byte[32];
        crypto.Mac(key, data, digest);
        digest[..MacBytes].CopyTo(mac);
    }

    public static bool IsMac(ISessionCrypto crypto, ReadOnlySpan<byte> key, ReadOnlySpan<byte> data, ReadOnlySpan<byte> mac)
    {
        Span<byte> digest = stackalloc byte[32];
        crypto.Mac(key, data, digest);
        return CryptographicOperations.FixedTimeEquals(digest[..MacBytes], mac);
    }

    /// <summary>The first MAC, by which an answer finds its question.</summary>
    public static UInt128 TagOf(ReadOnlySpan<byte> datagram) => BinaryPrimitives.ReadUInt128BigEndian(datagram[^MacsBytes..]);
}

/// <summary>What a handshake message says about its sender, after its own key and signature.</summary>
/// <param name="Index">By which the sender wants to be addressed.</param>
/// <param name="Flags">Feature bits.</param>
/// <param name="Epoch">Which handshake of the session this is.</param>
/// <param name="Seen">Where the sender sees the receiver; null: it does not say.</param>
internal readonly record struct HandshakeFacts(uint Index, byte Flags, ushort Epoch, Endpoint? Seen)
{
    public const int Bytes = 4 + 4 + Frames.AddressBytes;

    public bool Continues => (Flags & HandshakeWire.Continues) != 0;

    public void Write(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt32BigEndian(destination, Index);
        (destination[4], destination[5]) = (HandshakeWire.Version, Flags);
        BinaryPrimitives.WriteUInt16BigEndian(destination[6..], Epoch);
        Frames.WriteAddress(destination[8..], Seen ?? Endpoint.None);
    }

    public static bool TryRead(ReadOnlySpan<byte> bytes, out HandshakeFacts facts)
    {
        facts = new HandshakeFacts(
            BinaryPrimitives.ReadUInt32BigEndian(bytes), bytes[5], BinaryPrimitives.ReadUInt16BigEndian(bytes[6..]), Frames.ReadAddress(bytes[8..]));
        return bytes[4] == HandshakeWire.Version;
    }
}
