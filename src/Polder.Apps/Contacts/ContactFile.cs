using System.Globalization;
using System.Text;
using System.Text.Json;
using Polder.Cryptography;
using Polder.Identity;
using Polder.Overlay.Invitations;

namespace Polder.Apps.Contacts;

/// <summary>
/// Contacts in a file that people can read: JSON, signed by whoever wrote it. Whose word it is decides what is believed: the owner's own file gives
/// everything back; somebody else's only suggests people.
/// </summary>
/// <remarks><code>
/// { "polder_contacts": 1, "owner": hex of 74 bytes, "owner_name": text, "exported": "2026-11-21T15:04:05Z",
///   "contacts": [ { "public_key": hex, "name": text, "alias": text?, "verified": bool, "verified_by_them": bool, "blocked": bool, "muted": bool,
///                   "notes": text, "introduced_by": hex?, "origin": "added" | "invited by us" | "invited us", "since": time } ],
///   "signature": hex of 64 bytes }
/// </code>The signature is Ed25519 over "polder/contacts/file/1", the time of export (8 bytes, seconds since 1970) and the SHA-256 at the end of the book that
/// <see cref="ContactBookFile"/> makes of owner_name and contacts, in their order.</remarks>
/// <param name="Owner">Who wrote it.</param>
/// <param name="OwnerName">What that one calls itself; empty: nothing.</param>
/// <param name="Exported">When, to the second.</param>
/// <param name="Cards">The contacts.</param>
public sealed record ContactFile(PublicKey Owner, string OwnerName, DateTimeOffset Exported, IReadOnlyList<ContactCard> Cards)
{
    /// <summary>Larger files are refused.</summary>
    public const int BytesMax = 16 << 20;

    private static readonly string[] Origins = ["invited by us", "invited us", "added"];

    /// <summary>The file, signed.</summary>
    public byte[] Write(KeyPair owner, ISignatures signatures)
    {
        ArgumentNullException.ThrowIfNull(owner);
        ArgumentNullException.ThrowIfNull(signatures);
        if (owner.Public != Owner) throw new ArgumentException("Only the owner signs its file.", nameof(owner));
        var signature = new byte[Ed25519.SignatureBytes];
        signatures.Sign(owner, Signed(), signature);
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteNumber("polder_contacts", 1);
            json.WriteString("owner", Owner.ToString());
            json.WriteString("owner_name", OwnerName);
            json.WriteString("exported", Time(Exported));
            json.WriteStartArray("contacts");
            foreach (var card in Cards) Write(json, card);
            json.WriteEndArray();
            json.WriteString("signature", Convert.ToHexStringLower(signature));
            json.WriteEndObject();
        }
        return buffer.ToArray();
    }

    /// <summary>Reads a file; null, and a sentence, when it is none, is damaged, or was changed after it was signed.</summary>
    public static ContactFile? TryRead(ReadOnlyMemory<byte> bytes, ISignatures signatures, out string problem)
    {
        ArgumentNullException.ThrowIfNull(signatures);
        problem = "This is no file of contacts, or it is damaged. Such a file is made by: polder contact export FILE";
        if (bytes.Length > BytesMax)
        {
            problem = $"This file is larger than a file of contacts can be ({BytesMax >> 20} MB).";
            return null;
        }
        try
        {
            using var document = JsonDocument.Parse(bytes, new JsonDocumentOptions { MaxDepth = 8 });
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("polder_contacts", out var version) || !version.TryGetInt32(out var number)) return null;
            if (number != 1)
            {
                problem = "This file was made by a newer Polder. Update the program.";
                return null;
            }
            if (!PublicKey.TryParseHex(Text(root, "owner"), out var owner) || root.GetProperty("contacts") is not { ValueKind: JsonValueKind.Array } list
                || list.GetArrayLength() > ContactBook.ContactsMax) return null;
            var cards = new List<ContactCard>();
            foreach (var one in list.EnumerateArray())
            {
                if (TryReadCard(one) is not { } card) return null;
                cards.Add(card);
            }
            var file = new ContactFile(owner, Text(root, "owner_name"), ReadTime(root, "exported"), cards);
            if (Encoding.UTF8.GetByteCount(file.OwnerName) > ContactNames.BytesMax) return null;
            var signature = Convert.FromHexString(Text(root, "signature"));
            if (signatures.Verify(owner, file.Signed(), signature)) return file;
            problem = "This file was changed after it was signed, so nothing of it is believed. Export it again.";
            return null;
        }
        catch (Exception bad) when (bad is JsonException or InvalidOperationException or KeyNotFoundException or FormatException or ArgumentOutOfRangeException)
        {
            return null;
        }
    }

    private byte[] Signed()
    {
        var book = ContactBookFile.Write(OwnerName, Cards, [], int.MaxValue)!;
        var bytes = new byte[22 + 8 + Hash256.Bytes];
        "polder/contacts/file/1"u8.CopyTo(bytes);
        System.Buffers.Binary.BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(22), Exported.ToUnixTimeSeconds());
        book.AsSpan(book.Length - Hash256.Bytes).CopyTo(bytes.AsSpan(30));
        return bytes;
    }

    private static void Write(Utf8JsonWriter json, ContactCard card)
    {
        json.WriteStartObject();
        json.WriteString("public_key", card.Key.ToString());
        json.WriteString("name", card.Name);
        if (card.Alias is not null) json.WriteString("alias", card.Alias);
        json.WriteBoolean("verified", card.Verified);
        json.WriteBoolean("verified_by_them", card.VerifiedByThem);
        json.WriteBoolean("blocked", card.Blocked);
        json.WriteBoolean("muted", card.Muted);
        json.WriteString("notes", card.Notes);
        if (card.IntroducedBy is { } introducer) json.WriteString("introduced_by", introducer.ToString());
        json.WriteString("origin", Origins[(int)card.Origin]);
        json.WriteString("since", Time(card.Since));
        json.WriteEndObject();
    }

    private static ContactCard? TryReadCard(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object || !PublicKey.TryParseHex(Text(json, "public_key"), out var key)) return null;
        PublicKey? introducer = null;
        if (json.TryGetProperty("introduced_by", out var by) && !PublicKey.TryParseHex(by.GetString() ?? "", out introducer)) return null;
        var alias = json.TryGetProperty("alias", out _) ? Text(json, "alias") : null;
        var (name, notes, origin) = (Text(json, "name"), Text(json, "notes"), Array.IndexOf(Origins, Text(json, "origin")));
        if (origin < 0 || !ContactNames.TryRead(name, out var read) || read != name || ContactNames.Tame(alias) != alias
            || Encoding.UTF8.GetByteCount(notes) > ContactBook.NotesBytesKeptMax) return null;
        return new ContactCard
        {
            Key = key, Name = name, Alias = alias, Notes = notes, IntroducedBy = introducer, Origin = (ContactOrigin)origin, Since = ReadTime(json, "since"),
            Verified = json.GetProperty("verified").GetBoolean(), VerifiedByThem = json.GetProperty("verified_by_them").GetBoolean(),
            Blocked = json.GetProperty("blocked").GetBoolean(), Muted = json.GetProperty("muted").GetBoolean(),
        };
    }

    private static string Text(JsonElement json, string name) => json.GetProperty(name).GetString() ?? throw new FormatException();

    private static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static DateTimeOffset ReadTime(JsonElement json, string name)
    {
        var time = DateTimeOffset.ParseExact(Text(json, name), "yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
        // What is kept has 32 bits of seconds.
        return time.ToUnixTimeSeconds() is >= 0 and <= uint.MaxValue ? time : throw new FormatException();
    }
}
