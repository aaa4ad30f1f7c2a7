using System.Security.Cryptography;

namespace Polder.Cryptography;

/// <summary>
/// One run of symmetric SPAKE2 over edwards25519 as Magic Wormhole uses it: two sides that know the same few words get the same
/// strong key, and one run tells a guesser no more than whether one guess was right. docs/wire/wormhole.md, "The key".
/// </summary>
/// <remarks>
/// <code>
/// S        the group element made from the seed "symmetric"
/// w        HKDF(password, "SPAKE2 pw", 48) as a big-endian number, modulo L
/// x        64 random bytes as a big-endian number, modulo L
/// message  0x53 'S' ‖ encode(x·B + w·S)                                                                          33 bytes
/// K        x · (theirs − w·S)
/// key      SHA256(SHA256(password) ‖ SHA256(identity) ‖ smaller element ‖ larger element ‖ encode(K))            32 bytes
/// </code>
/// A run is for one message from the other side: start a new one, with fresh randomness, for every other.
/// </remarks>
public sealed unsafe class Spake2 : IDisposable
{
    /// <summary>Bytes of a message.</summary>
    public const int MessageBytes = 33;
    /// <summary>Random bytes that a run needs.</summary>
    public const int EntropyBytes = 64;

    private const int ElementBytes = 32, ScalarBytes = 32;
    private const byte SideByte = 0x53;

    private readonly byte[] _scalar = new byte[ScalarBytes];
    private readonly byte[] _blind = new byte[ElementBytes];
    private readonly byte[] _message = new byte[MessageBytes];
    private readonly Hash256 _password, _identity;
    private bool _over;

    private Spake2(Hash256 password, Hash256 identity) => (_password, _identity) = (password, identity);

    /// <summary>What goes to the other side: 33 bytes. Safe to show to anybody.</summary>
    public ReadOnlyMemory<byte> Message => _message;

    /// <summary>S: nobody knows its logarithm, because it was made from text.</summary>
    private static ReadOnlySpan<byte> S =>
    [
        0x6f, 0x00, 0xda, 0xe8, 0x7c, 0x1b, 0xe1, 0xa7, 0x3b, 0x59, 0x22, 0xef, 0x43, 0x1c, 0xd8, 0xf5,
        0x78, 0x79, 0x56, 0x9c, 0x22, 0x2d, 0x22, 0xb1, 0xcd, 0x71, 0xe8, 0x54, 0x6a, 0xb8, 0xe6, 0xf1,
    ];

    /// <summary>Starts a run.</summary>
    /// <param name="password">What both sides know, in the form both agreed on (Magic Wormhole: the whole code, NFC, UTF-8).</param>
    /// <param name="identity">What the run is for; differing identities give differing keys (Magic Wormhole: the app id).</param>
    /// <param name="entropy">64 fresh random bytes. The same bytes twice give the secret away.</param>
    public static Spake2 Start(ReadOnlySpan<byte> password, ReadOnlySpan<byte> identity, ReadOnlySpan<byte> entropy)
    {
        if (entropy.Length != EntropyBytes) throw new ArgumentException("64 random bytes are needed.", nameof(entropy));
        var run = new Spake2(Hash256.Of(password), Hash256.Of(identity));
        Reduce(entropy, run._scalar);

        Span<byte> number = stackalloc byte[48];
        Span<byte> word = stackalloc byte[ScalarBytes];
        Span<byte> key = stackalloc byte[ElementBytes];
        HKDF.Extract(HashAlgorithmName.SHA256, password, default, key);
        HKDF.Expand(HashAlgorithmName.SHA256, key, number, "SPAKE2 pw"u8);
        Reduce(number, word);
        fixed (byte* x = run._scalar, w = word, s = S, blind = run._blind, k = key, message = &run._message[1])
        {
            // Both fail for the scalar zero only, which no honest randomness and no known password gives.
            if (Sodium.ScalarmultEd25519NoClamp(blind, w, s) != 0 || Sodium.ScalarmultEd25519BaseNoClamp(k, x) != 0
                || Sodium.Ed25519Add(message, k, blind) != 0)
                throw new InvalidOperationException("This randomness or password gives no group element.");
        }
        run._message[0] = SideByte;
        CryptographicOperations.ZeroMemory(number);
        CryptographicOperations.ZeroMemory(word);
        CryptographicOperations.ZeroMemory(key);
        return run;
    }

    /// <summary>
    /// The key, when <paramref name="theirs"/> is a message that an honest side can have sent; the other side has the same key only if it
    /// used the same password and identity. <c>null</c>: not 33 bytes, not symmetric, not a canonical element of order L, or our own message.
    /// </summary>
    /// <exception cref="InvalidOperationException">This run was finished before: one run takes one message.</exception>
    public Hash256? Finish(ReadOnlySpan<byte> theirs)
    {
        if (_over) throw new InvalidOperationException("A SPAKE2 run takes one message. Start another one.");
        _over = true;
        try { return Agree(theirs); }
        finally { Dispose(); }
    }

    /// <summary>Forgets the secret.</summary>
    public void Dispose()
    {
        _over = true;
        CryptographicOperations.ZeroMemory(_scalar);
        CryptographicOperations.ZeroMemory(_blind);
    }

    private Hash256? Agree(ReadOnlySpan<byte> theirs)
    {
        if (theirs.Length != MessageBytes || theirs[0] != SideByte || theirs.SequenceEqual(_message)) return null;
        var element = theirs[1..];
        Span<byte> text = stackalloc byte[5 * 32];
        _password.CopyTo(text);
        _identity.CopyTo(text[32..]);
        var oursFirst = _message.AsSpan(1).SequenceCompareTo(element) < 0;
        _message.AsSpan(1).CopyTo(text[(oursFirst ? 64 : 96)..]);
        element.CopyTo(text[(oursFirst ? 96 : 64)..]);
        Span<byte> difference = stackalloc byte[ElementBytes];
        fixed (byte* e = element, x = _scalar, blind = _blind, d = difference, shared = text[128..])
        {
            // Canonical, on the curve, of order L and not the identity.
            if (Sodium.Ed25519IsValidPoint(e) != 1 || Sodium.Ed25519Sub(d, e, blind) != 0) return null;
            // Only who knows the password can send w·S itself; x times the identity is the identity.
            if (IsIdentity(difference)) difference.CopyTo(text[128..]);
            else if (Sodium.ScalarmultEd25519NoClamp(shared, x, d) != 0) return null;
        }
        var key = Hash256.Of(text);
        CryptographicOperations.ZeroMemory(text);
        CryptographicOperations.ZeroMemory(difference);
        return key;
    }

    private static bool IsIdentity(ReadOnlySpan<byte> element) => element[0] == 1 && !element[1..].ContainsAnyExcept((byte)0);

    /// <summary>A big-endian number of at most 64 bytes, modulo L, little-endian.</summary>
    private static void Reduce(ReadOnlySpan<byte> bigEndian, Span<byte> scalar)
    {
        Span<byte> number = stackalloc byte[64];
        number.Clear();
        bigEndian.CopyTo(number);
        number[..bigEndian.Length].Reverse();
        fixed (byte* n = number, s = scalar) Sodium.Ed25519ScalarReduce(s, n);
        CryptographicOperations.ZeroMemory(number);
    }
}
