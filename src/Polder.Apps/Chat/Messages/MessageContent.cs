using System.Diagnostics.CodeAnalysis;
using System.Text;
using Polder.Overlay.Content;
using Polder.Cryptography;
using Polder.Wire;

namespace Polder.Apps.Chat;

/// <summary>What a message does.</summary>
internal enum MessageKind : byte
{
    Text = 1,
    Edit = 2,
    Delete = 3,
    Reaction = 4,
}

/// <summary>A file or picture that a message brings: where it lies, sealed, and the key to it.</summary>
/// <param name="Content">Name of the sealed bytes (OV-9.6).</param>
/// <param name="Key">32 bytes that open them; whoever serves them does not have it.</param>
/// <param name="SizeBytes">Of the file itself.</param>
/// <param name="Name">As its sender calls it; cleaned before it is used as a file name.</param>
/// <param name="Type">What its sender says that it is. Shown at most; never believed.</param>
internal sealed record Attachment(ContentId Content, Hash256 Key, long SizeBytes, string Name, string Type);

/// <summary>The content of a message.</summary>
/// <remarks><code>
/// offset  size  field
///      0     1  kind: 1 text, 2 edit, 3 delete, 4 reaction
/// text:      1   32  the message that it answers, or zero
///           33  2+n  text, UTF-8, at most 16384 bytes; may be empty where there are attachments
///              1     number of attachments, at most 16
///                    each: content name 32, key 32, size 8, name 2+n (at most 255), type 2+n (at most 64)
/// edit:      1   32  the own message that it changes;  33  2+n  the new text
/// delete:    1   32  the own message that it takes back
/// reaction:  1   32  the message;  33  1  01 given, 00 taken back;  34  2+n  the sign, at most 32 bytes
/// </code></remarks>
internal sealed record MessageContent(MessageKind Kind, EventId Target, string Text, bool On, IReadOnlyList<Attachment> Attachments)
{
    public static MessageContent OfText(string text, EventId reply = default, IReadOnlyList<Attachment>? attachments = null) =>
        new(MessageKind.Text, reply, text, true, attachments ?? []);
    public static MessageContent OfEdit(EventId target, string text) => new(MessageKind.Edit, target, text, true, []);
    public static MessageContent OfDelete(EventId target) => new(MessageKind.Delete, target, "", true, []);
    public static MessageContent OfReaction(EventId target, string sign, bool on) => new(MessageKind.Reaction, target, sign, on, []);

    /// <summary>Why this may not be sent, for people; null when it may.</summary>
    public string? Fault => Kind switch
    {
        MessageKind.Text when Text.Length == 0 && Attachments.Count == 0 => "There is nothing to send: write a text or add a file.",
        MessageKind.Text or MessageKind.Edit when Encoding.UTF8.GetByteCount(Text) > ChatLimits.TextBytesMax =>
            $"A message holds {ChatLimits.TextBytesMax / 1024} KB of text. Send the text as a file.",
        MessageKind.Edit when Text.Length == 0 => "An edited message needs a text. To take it back, delete it.",
        MessageKind.Text when Attachments.Count > ChatLimits.AttachmentsMax => $"A message brings at most {ChatLimits.AttachmentsMax} files.",
        MessageKind.Reaction when Text.Length == 0 || Encoding.UTF8.GetByteCount(Text) > ChatLimits.ReactionBytesMax || Text.Any(char.IsWhiteSpace) =>
            "A reaction is one sign.",
        MessageKind.Edit or MessageKind.Delete or MessageKind.Reaction when Target.IsNone => "It is not said which message is meant.",
        _ => null,
    };

    public byte[] Write()
    {
        var size = 1 + 32 + 1 + 2 + Encoding.UTF8.GetByteCount(Text) + 1;
        foreach (var attachment in Attachments)
            size += 72 + 4 + Encoding.UTF8.GetByteCount(attachment.Name) + Encoding.UTF8.GetByteCount(attachment.Type);
        var bytes = new byte[size];
        var writer = new WireWriter(bytes);
        writer.WriteByte((byte)Kind);
        Target.Hash.CopyTo(writer.Reserve(32));
        if (Kind == MessageKind.Reaction) writer.WriteBoolean(On);
        if (Kind != MessageKind.Delete) writer.WriteUtf8(Text);
        if (Kind == MessageKind.Text)
        {
            writer.WriteByte((byte)Attachments.Count);
            foreach (var attachment in Attachments)
            {
                attachment.Content.Hash.CopyTo(writer.Reserve(32));
                attachment.Key.CopyTo(writer.Reserve(32));
                writer.WriteInt64(attachment.SizeBytes);
                writer.WriteUtf8(attachment.Name);
                writer.WriteUtf8(attachment.Type);
            }
        }
        return bytes[..writer.Position];
    }

    public static bool TryRead(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out MessageContent? content)
    {
        var reader = new WireReader(bytes);
        var kind = (MessageKind)reader.ReadByte();
        reader.Require(kind is >= MessageKind.Text and <= MessageKind.Reaction, WireError.UnknownTag);
        var target = new EventId(EventHeader.ReadHash(ref reader));
        var (on, text) = (true, "");
        if (kind == MessageKind.Reaction)
        {
            var flag = reader.ReadByte();
            reader.Require(flag <= 1);
            on = flag == 1;
        }
        if (kind != MessageKind.Delete) text = reader.ReadUtf8(kind == MessageKind.Reaction ? ChatLimits.ReactionBytesMax : ChatLimits.TextBytesMax);
        List<Attachment>? attachments = null;
        if (kind == MessageKind.Text)
        {
            var count = reader.ReadByte();
            reader.Require(count <= ChatLimits.AttachmentsMax, WireError.TooLong);
            for (var i = 0; i < count && !reader.Failed; i++)
            {
                var (name, key, size) = (EventHeader.ReadHash(ref reader), EventHeader.ReadHash(ref reader), reader.ReadInt64());
                var (file, type) = (reader.ReadUtf8(ChatLimits.NameBytesMax), reader.ReadUtf8(ChatLimits.TypeBytesMax));
                reader.Require(size is >= 1 and <= AttachmentCipher.SizeMax);
                if (!reader.Failed) (attachments ??= []).Add(new Attachment(new ContentId(name), key, size, file, type));
            }
        }
        content = reader.Finish() ? new MessageContent(kind, target, text, on, attachments is null ? [] : attachments) : null;
        if (content?.Fault is not null) content = null;
        return content is not null;
    }
}
