using System.Diagnostics.CodeAnalysis;
using Polder.Identity;
using Polder.Wire;

namespace Polder.Apps.Chat;

/// <summary>A part of an author's numbered messages.</summary>
internal readonly record struct EventRange(PublicKey Author, uint From, uint To);

/// <summary>A question for what is missing of a group.</summary>
internal sealed record WantedEvents(ConversationId Conversation, IReadOnlyList<EventId> Changes, IReadOnlyList<EventRange> Ranges);

/// <summary>The body of a letter of kind 1.</summary>
/// <remarks><code>
/// offset  size  field
///      0     1  version 01
///      1     1  type: 1 events, 2 question for missing ones
/// events:   2    2  number of events, at most 256; each: length 4, event (ChatEvent)
/// question: 2   32  conversation
///          34    1  number of changes wanted, at most 64; each 32: its id
///                1  number of ranges wanted, at most 64; each: author 74, from 4, to 4
/// </code></remarks>
internal static class ChatLetter
{
    private const byte Version = 1, Events = 1, Wanted = 2;

    public static byte[] Write(IReadOnlyList<byte[]> events)
    {
        var bytes = new byte[4 + events.Sum(static one => 4 + one.Length)];
        var writer = new WireWriter(bytes);
        writer.WriteByte(Version);
        writer.WriteByte(Events);
        writer.WriteUInt16((ushort)events.Count);
        foreach (var one in events) writer.WriteBytes32(one);
        return bytes;
    }

    public static byte[] Write(WantedEvents wanted)
    {
        var bytes = new byte[2 + 32 + 1 + wanted.Changes.Count * 32 + 1 + wanted.Ranges.Count * (KeyFormat.Bytes + 8)];
        var writer = new WireWriter(bytes);
        writer.WriteByte(Version);
        writer.WriteByte(Wanted);
        wanted.Conversation.Hash.CopyTo(writer.Reserve(32));
        writer.WriteByte((byte)wanted.Changes.Count);
        foreach (var change in wanted.Changes) change.Hash.CopyTo(writer.Reserve(32));
        writer.WriteByte((byte)wanted.Ranges.Count);
        foreach (var range in wanted.Ranges)
        {
            writer.WriteBytes(range.Author.Bytes);
            writer.WriteUInt32(range.From);
            writer.WriteUInt32(range.To);
        }
        return bytes;
    }

    /// <summary>Reads either. What cannot be read as an event inside is passed over: the rest of the letter is as good without it.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out IReadOnlyList<ChatEvent> events, [MaybeNull] out WantedEvents wanted)
    {
        (events, wanted) = ([], null);
        var reader = new WireReader(bytes);
        reader.Require(reader.ReadByte() == Version, WireError.UnknownTag);
        switch (reader.ReadByte())
        {
            case Events:
                var count = reader.ReadUInt16();
                reader.Require(count is >= 1 and <= ChatLimits.EventsPerLetterMax, WireError.TooLong);
                var read = new List<ChatEvent>();
                for (var i = 0; i < count && !reader.Failed; i++)
                    if (reader.ReadBytes32(ChatLimits.EventBytesMax) is var one && !reader.Failed && ChatEvent.TryRead(one, out var chat)) read.Add(chat);
                if (!reader.Finish()) return false;
                events = read;
                return true;
            case Wanted:
                var conversation = new ConversationId(EventHeader.ReadHash(ref reader));
                var changes = new List<EventId>();
                var ranges = new List<EventRange>();
                var changesWanted = reader.ReadByte();
                reader.Require(changesWanted <= ChatLimits.RangesMax, WireError.TooLong);
                for (var i = 0; i < changesWanted && !reader.Failed; i++) changes.Add(new EventId(EventHeader.ReadHash(ref reader)));
                var rangesWanted = reader.ReadByte();
                reader.Require(rangesWanted <= ChatLimits.RangesMax, WireError.TooLong);
                for (var i = 0; i < rangesWanted && !reader.Failed; i++)
                {
                    reader.Require(PublicKey.TryParse(reader.ReadBytes(KeyFormat.Bytes), out var author), WireError.BadKey);
                    var (from, to) = (reader.ReadUInt32(), reader.ReadUInt32());
                    reader.Require(from >= 1 && from <= to);
                    if (!reader.Failed) ranges.Add(new EventRange(author!, from, to));
                }
                if (!reader.Finish()) return false;
                wanted = new WantedEvents(conversation, changes, ranges);
                return true;
            default:
                return false;
        }
    }
}
