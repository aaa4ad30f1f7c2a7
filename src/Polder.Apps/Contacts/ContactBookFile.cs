using Polder.Cryptography;
using Polder.Identity;
using Polder.Overlay.Invitations;
using Polder.Wire;

namespace Polder.Apps.Contacts;

/// <summary>The book as the node keeps it between two runs.</summary>
internal static class ContactBookFile
{
    /// <summary>More is not kept.</summary>
    public const int BytesMax = 4 << 20;

    private const byte Verified = 1, Blocked = 2, Muted = 4, VerifiedByThem = 8, HasIntroducer = 16, HasAlias = 32;
    private const int CardBytesMax = 2 * KeyFormat.Bytes + 1 + 1 + 4 + 3 * 2 + 2 * ContactNames.BytesMax;

    /// <summary>The bytes; null when they are more than are kept.</summary>
    /// <remarks><code>
    /// offset  size  field
    ///      0     8  ASCII "PLDRBOOK"
    ///      8     1  version 01
    ///      9   2+n  what the owner calls itself, UTF-8; empty: nothing
    ///      .     2  number of cards
    ///      .     m  cards: key 74, flags 1, origin 1, since 4 (seconds since 1970), name 2 + UTF-8, alias 2 + UTF-8 (flag 32), notes 2 + UTF-8,
    ///               introducer 74 (flag 16)
    ///      .     1  number of requests that wait, at most 64
    ///      .     k  requests: key 74, flags 1, since 4, alias 2 + UTF-8 (flag 32), introducer 74 and its name for the person 2 + UTF-8 (flag 16)
    ///      .    32  SHA-256 of all before it
    /// flags: 1 verified, 2 blocked, 4 muted, 8 verified by them, 16 an introducer follows, 32 an alias follows
    /// </code></remarks>
    public static byte[]? Write(string ownName, IReadOnlyCollection<ContactCard> cards, IReadOnlyCollection<ContactRequest> requests, int bytesMax = BytesMax)
    {
        var size = 8 + 1 + 2 + ContactNames.BytesMax + 2 + 1 + Hash256.Bytes + requests.Count * CardBytesMax;
        foreach (var card in cards) size += CardBytesMax + System.Text.Encoding.UTF8.GetByteCount(card.Notes);
        var bytes = new byte[size];
        var writer = new WireWriter(bytes);
        writer.WriteBytes("PLDRBOOK"u8);
        writer.WriteByte(1);
        writer.WriteUtf8(ownName);
        writer.WriteUInt16((ushort)cards.Count);
        foreach (var card in cards)
        {
            writer.WriteBytes(card.Key.Bytes);
            writer.WriteByte((byte)((card.Verified ? Verified : 0) | (card.Blocked ? Blocked : 0) | (card.Muted ? Muted : 0)
                | (card.VerifiedByThem ? VerifiedByThem : 0) | (card.IntroducedBy is null ? 0 : HasIntroducer) | (card.Alias is null ? 0 : HasAlias)));
            writer.WriteByte((byte)card.Origin);
            writer.WriteUInt32((uint)Math.Clamp(card.Since.ToUnixTimeSeconds(), 0, uint.MaxValue));
            writer.WriteUtf8(card.Name);
            if (card.Alias is not null) writer.WriteUtf8(card.Alias);
            writer.WriteUtf8(card.Notes);
            if (card.IntroducedBy is { } introducer) writer.WriteBytes(introducer.Bytes);
        }
        writer.WriteByte((byte)requests.Count);
        foreach (var request in requests)
        {
            writer.WriteBytes(request.Key.Bytes);
            writer.WriteByte((byte)((request.IntroducedBy is null ? 0 : HasIntroducer) | (request.Alias is null ? 0 : HasAlias)));
            writer.WriteUInt32((uint)Math.Clamp(request.Since.ToUnixTimeSeconds(), 0, uint.MaxValue));
            if (request.Alias is not null) writer.WriteUtf8(request.Alias);
            if (request.IntroducedBy is not { } introducer) continue;
            writer.WriteBytes(introducer.Bytes);
            writer.WriteUtf8(request.IntroducedAs ?? "");
        }
        if (writer.Position + Hash256.Bytes > bytesMax) return null;
        Hash256.Of(writer.Written).CopyTo(writer.Reserve(Hash256.Bytes));
        return bytes[..writer.Position];
    }

    /// <summary>Reads a book; null when the bytes are damaged.</summary>
    public static (string OwnName, IReadOnlyList<ContactCard> Cards, IReadOnlyList<ContactRequest> Requests)? Read(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 8 + 1 + 2 + 2 + 1 + Hash256.Bytes || bytes.Length > BytesMax) return null;
        if (Hash256.Of(bytes[..^Hash256.Bytes]) != new Hash256(bytes[^Hash256.Bytes..])) return null;
        var reader = new WireReader(bytes[..^Hash256.Bytes]);
        reader.Require(reader.ReadBytes(8).SequenceEqual("PLDRBOOK"u8) && reader.ReadByte() == 1, WireError.UnknownTag);
        var ownName = reader.ReadUtf8(ContactNames.BytesMax);
        var count = reader.ReadUInt16();
        reader.Require(count <= ContactBook.ContactsMax, WireError.TooLong);
        var cards = new List<ContactCard>();
        for (var i = 0; i < count && !reader.Failed; i++)
            if (ReadCard(ref reader) is { } card) cards.Add(card);
        var waiting = reader.ReadByte();
        reader.Require(waiting <= ContactBook.RequestsMax, WireError.TooLong);
        var requests = new List<ContactRequest>();
        for (var i = 0; i < waiting && !reader.Failed; i++)
            if (ReadRequest(ref reader) is { } request) requests.Add(request);
        return reader.Finish() ? (ownName, cards, requests) : null;
    }

    private static ContactCard? ReadCard(ref WireReader reader)
    {
        var key = ReadKey(ref reader);
        var flags = reader.ReadByte();
        reader.Require(flags < 64, WireError.UnknownTag);
        var origin = reader.ReadByte();
        reader.Require(origin <= (byte)ContactOrigin.Added, WireError.UnknownTag);
        var since = DateTimeOffset.FromUnixTimeSeconds(reader.ReadUInt32());
        var name = reader.ReadUtf8(ContactNames.BytesMax);
        var alias = (flags & HasAlias) != 0 ? reader.ReadUtf8(ContactNames.BytesMax) : null;
        var notes = reader.ReadUtf8(ContactBook.NotesBytesKeptMax);
        var introducer = (flags & HasIntroducer) != 0 ? ReadKey(ref reader) : null;
        return reader.Failed || key is null ? null : new ContactCard
        {
            Key = key, Name = name, Alias = alias, Notes = notes, IntroducedBy = introducer, Since = since, Origin = (ContactOrigin)origin,
            Verified = (flags & Verified) != 0, Blocked = (flags & Blocked) != 0, Muted = (flags & Muted) != 0,
            VerifiedByThem = (flags & VerifiedByThem) != 0,
        };
    }

    private static ContactRequest? ReadRequest(ref WireReader reader)
    {
        var key = ReadKey(ref reader);
        var flags = reader.ReadByte();
        reader.Require((flags & ~(HasIntroducer | HasAlias)) == 0, WireError.UnknownTag);
        var since = DateTimeOffset.FromUnixTimeSeconds(reader.ReadUInt32());
        var alias = (flags & HasAlias) != 0 ? reader.ReadUtf8(ContactNames.BytesMax) : null;
        var (introducer, name) = (flags & HasIntroducer) != 0 ? (ReadKey(ref reader), reader.ReadUtf8(ContactNames.BytesMax)) : (null, null);
        return reader.Failed || key is null ? null
            : new ContactRequest { Key = key, Alias = alias, IntroducedBy = introducer, IntroducedAs = name, Since = since };
    }

    private static PublicKey? ReadKey(ref WireReader reader)
    {
        if (PublicKey.TryParse(reader.ReadBytes(KeyFormat.Bytes), out var key)) return key;
        reader.Fail(WireError.BadKey);
        return null;
    }
}
