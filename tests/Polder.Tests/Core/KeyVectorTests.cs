using Polder.Cryptography;
using Polder.Identity;
using Polder.Overlay;
using Polder.Tests.Overlay;

namespace Polder.Tests.Core;

/// <summary>Keys, signatures and sealed boxes of py-ipv8, byte for byte.</summary>
public sealed class KeyVectorTests
{
    [Fact]
    public void Keys_are_imported_and_exported_as_py_writes_them()
    {
        foreach (var person in Vectors.Keys.GetProperty("people").EnumerateArray())
        {
            Assert.True(KeyPair.TryImport(person.Hex("private_bin"), out var pair));
            Assert.Equal(person.Hex("private_bin"), pair.Export());
            Assert.Equal(person.Hex("public_bin"), pair.Public.Bytes.ToArray());
            Assert.Equal(person.Hex("box_public"), pair.Public.BoxKey.ToArray());
            Assert.Equal(person.Hex("sign_public"), pair.Public.SigningKey.ToArray());
            Assert.Equal(person.GetProperty("mid").GetString(), pair.Public.Id.ToString());
            Fuzz.RefusesEveryTruncation(person.Hex("private_bin"), part => KeyPair.TryImport(part, out _));
            Fuzz.RefusesEveryTruncation(person.Hex("public_bin"), part => PublicKey.TryParse(part, out _));
        }
    }

    [Fact]
    public void Signatures_are_those_of_py()
    {
        foreach (var person in Vectors.Keys.GetProperty("people").EnumerateArray())
        {
            Assert.True(KeyPair.TryImport(person.Hex("private_bin"), out var pair));
            foreach (var row in person.GetProperty("signatures").EnumerateArray())
            {
                var (message, expected) = (row.Hex("message"), row.Hex("signature"));
                var signature = new byte[Ed25519.SignatureBytes];
                pair.Sign(message, signature);
                Assert.Equal(expected, signature);
                Assert.True(Ed25519.Verify(pair.Public.SigningKey, message, expected));
                signature[^1] ^= 1;
                Assert.False(Ed25519.Verify(pair.Public.SigningKey, message, signature));
                Assert.False(Ed25519.Verify(pair.Public.SigningKey, message, expected.AsSpan(1)));
            }
        }
    }

    [Fact]
    public void Sealed_boxes_open_for_their_recipient_only()
    {
        foreach (var row in Vectors.Keys.GetProperty("sealed_boxes").EnumerateArray())
        {
            var recipient = Vectors.Person(row.GetProperty("recipient").GetString()!);
            Assert.Equal(row.Hex("plaintext"), recipient.TryOpen(row.Hex("sealed")));
            Assert.Null(Vectors.Person("dave").TryOpen(row.Hex("sealed")));
            Fuzz.RefusesEveryTruncation(row.Hex("sealed"), part => recipient.TryOpen(part) is not null);
            Assert.Equal(row.Hex("plaintext"), recipient.TryOpen(SealedBox.Seal(recipient.Public.BoxKey, row.Hex("plaintext"))));
        }
    }

    [Fact]
    public void Only_the_74_bytes_of_the_right_form_are_a_key()
    {
        foreach (var row in Vectors.Keys.GetProperty("public_bin_acceptance").EnumerateArray())
            // py takes everything that begins with the tag, and nothing at all; we demand the form.
            Assert.Equal(row.GetProperty("case").GetString() == "64 zero bytes", PublicKey.TryParse(row.Hex("bin"), out _));
    }

    [Fact]
    public void The_curve_of_a_legacy_key_tells_the_length_of_its_signatures()
    {
        foreach (var row in Vectors.Keys.GetProperty("legacy_curve_keys").EnumerateArray())
        {
            Assert.Equal(row.GetProperty("signature_length").GetInt32(), LegacyKey.SignatureBytes(row.Hex("public_bin")));
            Assert.False(PublicKey.TryParse(row.Hex("public_bin"), out _));
        }
        Assert.Equal(0, LegacyKey.SignatureBytes(Vectors.Person("alice").Public.Bytes));
    }

    [Fact]
    public void A_key_is_found_by_its_bytes()
    {
        var key = Vectors.Person("alice").Public;
        var table = new Dictionary<PublicKey, int>(PublicKey.Comparer) { [key] = 1 };
        var byBytes = table.GetAlternateLookup<ReadOnlySpan<byte>>();
        Assert.True(byBytes.ContainsKey(key.Bytes));
        Assert.False(byBytes.ContainsKey(Vectors.Person("bob").Public.Bytes));
        Assert.False(byBytes.ContainsKey(key.Bytes[1..]));
    }

    [Fact]
    public void A_disposed_pair_signs_nothing()
    {
        var pair = KeyPair.FromEntropy(new byte[64]);
        pair.Dispose();
        Assert.Throws<ObjectDisposedException>(() => pair.Sign([], new byte[64]));
        Assert.Throws<ObjectDisposedException>(pair.Export);
    }
}
