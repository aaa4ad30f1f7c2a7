using System.Globalization;
using Polder.Cryptography;
using Polder.Identity;

namespace Polder.Apps.Contacts;

/// <summary>A number that two people compare aloud to be sure of each other's keys: the same on both sides.</summary>
public static class SafetyNumber
{
    /// <summary>Six groups of five digits, about 100 bits: "04127 88210 …". From SHA-256 of "polder/contacts/safety/1" and both keys, the smaller first.</summary>
    public static string Of(PublicKey one, PublicKey other)
    {
        ArgumentNullException.ThrowIfNull(one);
        ArgumentNullException.ThrowIfNull(other);
        var (first, second) = one < other ? (one, other) : (other, one);
        var hash = Hash256.Of([.. "polder/contacts/safety/1"u8, .. first.Bytes, .. second.Bytes]);
        Span<byte> bytes = stackalloc byte[Hash256.Bytes];
        hash.CopyTo(bytes);
        var groups = new string[6];
        for (var i = 0; i < groups.Length; i++)
        {
            // Five bytes for five digits: the surplus of some numbers is one in ten million.
            var value = 0UL;
            foreach (var part in bytes.Slice(5 * i, 5)) value = value << 8 | part;
            groups[i] = (value % 100_000).ToString("00000", CultureInfo.InvariantCulture);
        }
        return string.Join(' ', groups);
    }

    /// <summary>Whether what somebody read out is this number; spaces and hyphens do not matter.</summary>
    public static bool Matches(string number, string said)
    {
        ArgumentNullException.ThrowIfNull(number);
        ArgumentNullException.ThrowIfNull(said);
        return Digits(number) == Digits(said);

        static string Digits(string text) => string.Concat(text.Where(static letter => !char.IsWhiteSpace(letter) && letter != '-'));
    }
}
