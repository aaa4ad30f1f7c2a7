using System.Security.Cryptography;
using System.Text;
using Polder.Apps.Parcels.Codes;
using Polder.Cryptography;
using Polder.Identity;

namespace Polder.Apps.Contacts.Speaking;

/// <summary>How far a spoken code is.</summary>
public enum SpokenCodeState
{
    /// <summary>The other side has not been met yet.</summary>
    Waiting,
    /// <summary>Both sides have each other in their books, verified.</summary>
    Met,
    /// <summary>A wrong code was tried: it is spent, and a new one is needed.</summary>
    Spent,
    /// <summary>Nobody came in time.</summary>
    Expired,
}

/// <summary>A code that two people say to each other to become contacts.</summary>
/// <param name="text">"4711-crossover-clockwork-adult", small letters.</param>
/// <param name="made">Whether this node made it; else its owner typed it, and this node knocks.</param>
/// <param name="until">When it ends, on the node's clock.</param>
internal sealed class SpokenCode(string text, bool made, TimeSpan until)
{
    /// <summary>Key agreements that wait for a proof.</summary>
    public const int RunsMax = 8;

    private const int GuessesMax = 16;

    public string Text => text;
    public bool Made => made;
    public TimeSpan Until => until;

    /// <summary>The number in front, in a form of one size. It is no secret: a number is soon guessed.</summary>
    public ulong Place { get; } = Hash256.Of([.. "polder/contacts/place/1"u8, .. Encoding.ASCII.GetBytes(text[..text.IndexOf('-', StringComparison.Ordinal)])]).Head;

    public SpokenCodeState State { get; set; } = SpokenCodeState.Waiting;
    public PublicKey? Met { get; set; }

    /// <summary>
    /// Proofs that this side may still send: each lets its receiver test one code. Each word has 8 bits, and 16 must be left
    /// (wormhole.md §8): one with two words, 16 with three.
    /// </summary>
    public int Guesses { get; set; } = Math.Clamp(1 << Math.Clamp(8 * (text.Count(static letter => letter == '-') - 2), 0, 8), 1, GuessesMax);

    /// <summary>Keys that were agreed with those who knocked and have not proved theirs, and when.</summary>
    public Dictionary<PublicKey, (Hash256 Key, TimeSpan At)> Runs { get; } = new(PublicKey.Comparer);

    /// <summary>The one key of the run that succeeded: its proof may be asked for again, when the answer was lost.</summary>
    public Hash256 MetKey { get; set; }

    /// <summary>A run with somebody. Both public keys are part of it, so that nobody in the middle can pass it on.</summary>
    public Spake2 Start(PublicKey own, PublicKey other, ReadOnlySpan<byte> entropy)
    {
        var (first, second) = own < other ? (own, other) : (other, own);
        return Spake2.Start(Encoding.UTF8.GetBytes(ComposedForm.Of(text)), [.. "polder/contacts/code/1"u8, .. first.Bytes, .. second.Bytes], entropy);
    }

    /// <summary>The proof that one side has the key.</summary>
    public static Hash256 Proof(Hash256 key, ReadOnlySpan<byte> role, PublicKey sender, PublicKey receiver)
    {
        Span<byte> secret = stackalloc byte[Hash256.Bytes], proof = stackalloc byte[Hash256.Bytes];
        key.CopyTo(secret);
        HMACSHA256.HashData(secret, [.. role, .. sender.Bytes, .. receiver.Bytes], proof);
        return new Hash256(proof);
    }

    /// <summary>Compares in a time that tells nothing.</summary>
    public static bool Same(Hash256 one, Hash256 other)
    {
        Span<byte> left = stackalloc byte[Hash256.Bytes], right = stackalloc byte[Hash256.Bytes];
        one.CopyTo(left);
        other.CopyTo(right);
        return CryptographicOperations.FixedTimeEquals(left, right);
    }
}
