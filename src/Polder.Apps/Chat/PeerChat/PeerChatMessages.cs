using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Unicode;
using Polder.Wire;

namespace Polder.Apps.Chat.PeerChat;

/// <summary>What the SuperApp calls a message: fields of message 1, before sealing.</summary>
/// <remarks><code>
/// varlenI  id, UUID text
/// varlenI  text
/// varlenI  attachment type, or empty
///       8  attachment size, signed
/// varlenI  attachment content
/// varlenI  transaction hash, or NONE
/// varlenI  identity JSON, or NONE
/// </code>Read from the Kotlin sources; vectors superapp_payloads.json.</remarks>
internal sealed record PeerChatText(string Name, string Text, string AttachmentType, long AttachmentSize, byte[] Attachment, byte[] Transaction, byte[] Identity)
{
    public const int NameBytesMax = 64, PartBytesMax = 1400;

    /// <summary>A text and nothing else.</summary>
    public static PeerChatText Of(string name, string text) => new(name, text, "", 0, [], "NONE"u8.ToArray(), "NONE"u8.ToArray());

    public byte[] Write()
    {
        var bytes = new byte[6 * 4 + 8 + Encoding.UTF8.GetByteCount(Name) + Encoding.UTF8.GetByteCount(Text) + Encoding.UTF8.GetByteCount(AttachmentType) + Attachment.Length + Transaction.Length + Identity.Length];
        var writer = new WireWriter(bytes);
        writer.WriteBytes32(Encoding.UTF8.GetBytes(Name));
        writer.WriteBytes32(Encoding.UTF8.GetBytes(Text));
        writer.WriteBytes32(Encoding.UTF8.GetBytes(AttachmentType));
        writer.WriteInt64(AttachmentSize);
        writer.WriteBytes32(Attachment);
        writer.WriteBytes32(Transaction);
        writer.WriteBytes32(Identity);
        return bytes;
    }

    public static bool TryRead(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out PeerChatText? message)
    {
        var reader = new WireReader(bytes);
        var (name, text, type) = (ReadText(ref reader, NameBytesMax), ReadText(ref reader, PartBytesMax), ReadText(ref reader, NameBytesMax));
        var size = reader.ReadInt64();
        var attachment = reader.ReadBytes32(PartBytesMax);
        var transaction = reader.ReadBytes32(PartBytesMax);
        var identity = reader.ReadBytes32(PartBytesMax);
        reader.Require(name.Length > 0 && size >= 0);
        message = reader.Finish() ? new PeerChatText(name, text, type, size, attachment.ToArray(), transaction.ToArray(), identity.ToArray()) : null;
        return message is not null;
    }

    internal static string ReadText(ref WireReader reader, int max)
    {
        var bytes = reader.ReadBytes32(max);
        if (Utf8.IsValid(bytes)) return Encoding.UTF8.GetString(bytes);
        reader.Fail(WireError.NotUtf8);
        return "";
    }
}

/// <summary>Message 1 in a sealed box. Unread here: only its receiver can open it.</summary>
internal readonly record struct PeerChatSealedText(byte[] Box) : IMessage<PeerChatSealedText>
{
    public static byte Number => 1;
    public static PeerChatSealedText Read(ref WireReader reader) => new(reader.ReadRest(2 * PeerChatText.PartBytesMax).ToArray());
    public void Write(ref WireWriter writer) => writer.WriteBytes(Box);
}

/// <summary>Message 2: "I have your message." Fields: varlenI id. Not sealed.</summary>
internal readonly record struct PeerChatAck(string Name) : IMessage<PeerChatAck>
{
    public static byte Number => 2;
    public static PeerChatAck Read(ref WireReader reader) => new(PeerChatText.ReadText(ref reader, PeerChatText.NameBytesMax));
    public void Write(ref WireWriter writer) => writer.WriteBytes32(Encoding.UTF8.GetBytes(Name));
}

/// <summary>Message 3: "send me that file." Fields: varlenI SHA-256 of the file as hex text. Not sealed.</summary>
internal readonly record struct PeerChatFileRequest(string Hash) : IMessage<PeerChatFileRequest>
{
    public static byte Number => 3;
    public static PeerChatFileRequest Read(ref WireReader reader) => new(PeerChatText.ReadText(ref reader, 64));
    public void Write(ref WireWriter writer) => writer.WriteBytes32(Encoding.UTF8.GetBytes(Hash));
}

/// <summary>Fields of message 4, before sealing: varlenI SHA-256 as hex text, varlenI bytes. It travels as a whole packet inside EVA.</summary>
internal sealed record PeerChatFile(string Hash, ReadOnlyMemory<byte> Bytes)
{
    public const byte Number = 4;

    public byte[] Write()
    {
        var bytes = new byte[8 + Encoding.UTF8.GetByteCount(Hash) + Bytes.Length];
        var writer = new WireWriter(bytes);
        writer.WriteBytes32(Encoding.UTF8.GetBytes(Hash));
        writer.WriteBytes32(Bytes.Span);
        return bytes;
    }

    public static bool TryRead(byte[] bytes, [NotNullWhen(true)] out PeerChatFile? file)
    {
        var reader = new WireReader(bytes);
        var hash = PeerChatText.ReadText(ref reader, 64);
        var length = reader.ReadBytes32(int.MaxValue).Length;
        file = reader.Finish() ? new PeerChatFile(hash, bytes.AsMemory(bytes.Length - length)) : null;
        return file is not null;
    }
}
