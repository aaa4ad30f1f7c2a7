namespace Polder.Apps.Chat;

/// <summary>Bounds of the chat, and what happens at them (docs/wire/chat.md).</summary>
internal static class ChatLimits
{
    /// <summary>Bytes of one text in UTF-8; a longer one is refused to its author and goes as a file.</summary>
    public const int TextBytesMax = 16 * 1024;
    /// <summary>Bytes of a reaction in UTF-8: one sign with its joiners.</summary>
    public const int ReactionBytesMax = 32;
    /// <summary>Reactions of different kinds that are shown under a message, the first ones by sign.</summary>
    public const int ReactionKindsMax = 20;
    /// <summary>Attachments of one message.</summary>
    public const int AttachmentsMax = 16;
    /// <summary>Bytes of an attachment's name.</summary>
    public const int NameBytesMax = 255;
    /// <summary>Bytes of what an attachment says it is.</summary>
    public const int TypeBytesMax = 64;
    /// <summary>Bytes of a group's name.</summary>
    public const int GroupNameBytesMax = 64;
    /// <summary>Members of a group; a change that would make more is void.</summary>
    public const int MembersMax = 256;
    /// <summary>Changes of one group; later ones are refused, and people make a new group.</summary>
    public const int ChangesMax = 1024;
    /// <summary>Parents of a change: the changes that its author had seen and nothing followed yet.</summary>
    public const int ParentsMax = 16;
    /// <summary>The Lamport clock stops here. Who drives it there spoils the order after it, nothing else: then the time decides.</summary>
    public const ulong ClockMax = 1ul << 40;
    /// <summary>Times are milliseconds since 1970 below this (year 36812).</summary>
    public const ulong TimeMax = 1ul << 50;
    /// <summary>Bytes of one event as it travels: a change of a full group is the largest.</summary>
    public const int EventBytesMax = 64 * 1024;
    /// <summary>Events of one letter.</summary>
    public const int EventsPerLetterMax = 256;
    /// <summary>Bytes of a letter that brings several events; one alone may be larger. The mail-bag takes 256 KiB, but small ones find a carrier sooner.</summary>
    public const int LetterBytesMax = 48 * 1024;
    /// <summary>Events that wait for what they stand on, of one conversation; further ones are not taken.</summary>
    public const int HeldMax = 512;
    /// <summary>Conversations; a stranger cannot open another one above it.</summary>
    public const int ConversationsMax = 10_000;
    /// <summary>Ranges that one question for missing events may name.</summary>
    public const int RangesMax = 64;
    /// <summary>Words of one message that are indexed.</summary>
    public const int WordsMax = 2_000;
    /// <summary>Letters of a word that are indexed and searched.</summary>
    public const int WordLettersMax = 32;
}
