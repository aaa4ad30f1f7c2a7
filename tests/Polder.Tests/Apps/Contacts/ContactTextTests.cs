using Polder.Apps.Contacts;
using Polder.Cryptography;
using Polder.Identity;
using Polder.Wire;

namespace Polder.Tests.Apps.Contacts;

public sealed class ContactTextTests
{
    private static readonly KeyPair Anna = KeyPair.FromEntropy([.. Enumerable.Range(0, 64).Select(i => (byte)i)]);
    private static readonly PublicKey Ben = KeyPair.FromEntropy([.. Enumerable.Range(1, 64).Select(i => (byte)i)]).Public;
    private static readonly string Hex = Anna.Public.ToString();

    [Fact]
    public void The_contact_code_of_the_SuperApp_is_written_and_read()
    {
        var text = ContactText.Write(Anna.Public, "Anna");
        Assert.Equal($$"""{"public_key":"{{Hex}}","name":"Anna"}""", text);
        Assert.Equal(new ContactText(ContactTextKind.Key, Anna.Public, "Anna", "", ""), ContactText.Read(text));
        Assert.Equal("Zoë \"O\"", ContactText.Read(ContactText.Write(Anna.Public, "Zoë \"O\"")).Name);
        Assert.Equal(Anna.Public, ContactText.Read($$"""  { "type": "contact", "name": 7, "other": [1], "public_key": "{{Hex.ToUpperInvariant()}}" } """).Key);
        // Older ones are the bare key.
        Assert.Equal(new ContactText(ContactTextKind.Key, Anna.Public, null, "", ""), ContactText.Read(Hex[..70] + "\r\n " + Hex[70..]));
    }

    [Theory]
    [InlineData("peer:ABC", ContactTextKind.Invitation, "peer:ABC")]
    [InlineData(" PEER:ABC\n", ContactTextKind.Invitation, "PEER:ABC")]
    [InlineData("http://127.0.0.1:8095/join#peer:ABC", ContactTextKind.Invitation, "peer:ABC")]
    [InlineData("7-crossover-clockwork", ContactTextKind.SpokenCode, "7-crossover-clockwork")]
    [InlineData("7 Crossover clockwork", ContactTextKind.SpokenCode, "7-crossover-clockwork")]
    [InlineData("", ContactTextKind.Nothing, "Nothing was given")]
    [InlineData("hello", ContactTextKind.Nothing, "This is no contact")]
    [InlineData("7-crossover", ContactTextKind.Nothing, "This is no contact")]
    [InlineData("{\"public_key\":", ContactTextKind.Nothing, "damaged")]
    [InlineData("{\"name\":\"x\"}", ContactTextKind.Nothing, "no public_key")]
    [InlineData("{\"public_key\":\"\\ud800\"}", ContactTextKind.Nothing, "damaged")]
    [InlineData("{\"type\":\"transfer\",\"public_key\":\"00\"}", ContactTextKind.Nothing, "payment")]
    [InlineData("{\"type\":\"creation\"}", ContactTextKind.Nothing, "bank")]
    [InlineData("{\"type\":\"presentation\"}", ContactTextKind.Nothing, "attestation")]
    [InlineData("{\"type\":\"mystery\"}", ContactTextKind.Nothing, "something else")]
    [InlineData("4c69624e61434c504b3a0011223344556677889900112233", ContactTextKind.Nothing, "148 hex digits; this one has 48")]
    public void Every_text_is_understood_or_refused_in_words(string text, ContactTextKind kind, string expected)
    {
        var read = ContactText.Read(text);
        Assert.Equal(kind, read.Kind);
        if (kind == ContactTextKind.Nothing) Assert.Contains(expected, read.Problem, StringComparison.Ordinal);
        else Assert.Equal(expected, read.Text);
    }

    [Fact]
    public void A_forged_key_is_refused()
    {
        Span<byte> bytes = stackalloc byte[KeyFormat.Bytes];
        // No secret leads to these: the neutral point, one of small order, zero on either side, and what is no point at all.
        (int Offset, string Half)[] forged =
        [
            (42, "0100000000000000000000000000000000000000000000000000000000000000"), (42, new string('0', 64)),
            (42, "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), (42, new string('f', 64)),
            (10, new string('0', 64)), (10, "0100000000000000000000000000000000000000000000000000000000000000"),
            (10, "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
        ];
        foreach (var (offset, half) in forged)
        {
            Anna.Public.Bytes.CopyTo(bytes);
            Convert.FromHexString(half).CopyTo(bytes[offset..]);
            foreach (var text in new[] { Convert.ToHexStringLower(bytes), $$"""{"public_key":"{{Convert.ToHexStringLower(bytes)}}","name":"Anna"}""" })
                Assert.Equal(ContactRefusal.ForgedKey.Explain(), ContactText.Read(text).Problem);
        }
        Assert.Contains("no public key of this network", ContactText.Read("00" + Hex[2..]).Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Both_sides_have_the_same_number_to_compare_and_nobody_else()
    {
        var number = SafetyNumber.Of(Anna.Public, Ben);
        Assert.Matches("^([0-9]{5} ){5}[0-9]{5}$", number);
        Assert.Equal(number, SafetyNumber.Of(Ben, Anna.Public));
        Assert.NotEqual(number, SafetyNumber.Of(Ben, Ben));
        Assert.True(SafetyNumber.Matches(number, number.Replace(' ', '-')));
        Assert.False(SafetyNumber.Matches(number, number[..^1]));
    }

    [Fact]
    public void An_introduction_is_for_one_person_and_cannot_be_changed()
    {
        var carla = KeyPair.FromEntropy([.. Enumerable.Range(2, 64).Select(i => (byte)i)]).Public;
        var at = DateTimeOffset.FromUnixTimeSeconds(1_700_000_000);
        Assert.True(Polder.Net.Endpoint.TryParse("127.0.0.1:8090", out var address));
        var bytes = new Introduction(Anna.Public, Ben, at, "Ben", [address]).Sign(Anna, carla, Ed25519Signatures.Instance);
        var read = Introduction.TryRead(bytes, carla, Ed25519Signatures.Instance)!;
        Assert.Equal((Anna.Public, Ben, at, "Ben"), (read.Introducer, read.Person, read.At, read.Name));
        Assert.Equal([address], read.Addresses);
        Assert.Null(Introduction.TryRead(bytes, Ben, Ed25519Signatures.Instance));
        Assert.Null(Introduction.TryRead(bytes, Anna.Public, Ed25519Signatures.Instance));
        for (var i = 0; i < bytes.Length; i++)
        {
            Assert.Null(Introduction.TryRead(bytes.AsSpan(0, i), carla, Ed25519Signatures.Instance));
            var changed = bytes.ToArray();
            changed[i] ^= 1;
            Assert.Null(Introduction.TryRead(changed, carla, Ed25519Signatures.Instance));
        }
    }

    [Fact]
    public void Decoders_of_contacts_survive()
    {
        var card = new ContactCard { Key = Ben, Name = "Ben", Alias = "B", Notes = "n", IntroducedBy = Anna.Public, Since = DateTimeOffset.UnixEpoch };
        var request = new ContactRequest { Key = Ben, Alias = "B", IntroducedBy = Anna.Public, IntroducedAs = "Bee", Since = DateTimeOffset.UnixEpoch };
        var book = ContactBookFile.Write("Anna", [card, card with { Key = Anna.Public, Alias = null, IntroducedBy = null }], [request])!;
        Fuzz.Run("contacts.book", [book], static bytes => ContactBookFile.Read(bytes), allocationFactor: 16);
        // Behind a good checksum too.
        Fuzz.Run("contacts.book content", [book[..^32]], static bytes =>
        {
            if (bytes.Length > 4096) return;
            Span<byte> whole = stackalloc byte[bytes.Length + 32];
            bytes.CopyTo(whole);
            Hash256.Of(bytes).CopyTo(whole[bytes.Length..]);
            if (ContactBookFile.Read(whole) is var (name, cards, requests)) Assert.NotNull(ContactBookFile.Write(name, cards, requests));
        }, allocationFactor: 24);
        var letter = new Introduction(Anna.Public, Ben, DateTimeOffset.UnixEpoch, "Ben", []).Sign(Anna, Ben, Ed25519Signatures.Instance);
        Fuzz.Run("introduction", [letter], static bytes => Introduction.TryRead(bytes, Anna.Public, Ed25519Signatures.Instance), allocationFactor: 8);
        Fuzz.Run("contact messages", [[0, 9, 3, 0, 2, 65, 66], letter, [0, 7, 0], [0, 1, .. letter]], static bytes =>
        {
            var reader = new WireReader(bytes);
            _ = Hello.Read(ref reader);
            reader = new WireReader(bytes);
            _ = Introduce.Read(ref reader);
            reader = new WireReader(bytes);
            _ = Introduced.Read(ref reader);
            reader = new WireReader(bytes);
            _ = Heard.Read(ref reader);
        }, allocationFactor: 8);
        var file = new ContactFile(Anna.Public, "Anna", DateTimeOffset.UnixEpoch, [card]).Write(Anna, Ed25519Signatures.Instance);
        Fuzz.Run("contact file", [file], static bytes => ContactFile.TryRead(bytes.ToArray(), Ed25519Signatures.Instance, out _), allocationFactor: 64);
        Fuzz.Run("contact text", [.. new[] { ContactText.Write(Ben, "Ben"), "peer:ABC", "7-crossover-clockwork", Hex }.Select(System.Text.Encoding.UTF8.GetBytes)],
            static bytes => ContactText.Read(System.Text.Encoding.UTF8.GetString(bytes)), allocationFactor: 64);
    }
}
