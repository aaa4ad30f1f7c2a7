using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Polder.Identity;
using Polder.Runtime;

namespace Polder.Cryptography;

/// <summary>Which Noise pattern a handshake follows.</summary>
public enum NoisePattern
{
    /// <summary>The initiator knows the responder's key: two messages.</summary>
    IK,
    /// <summary>Nobody knows anybody: three messages.</summary>
    XX,
}

/// <summary>
/// One side of a Noise handshake (revision 34), Noise_IK or Noise_XX with 25519, ChaChaPoly and SHA256. Each message is written or
/// read in two steps, key fields and payload, because our payloads sign the handshake hash as it stands between the two
/// (<see cref="Hash"/>). After a failed read the handshake is spent. All secrets lie in one pinned array that
/// <see cref="Dispose"/> overwrites.
/// </summary>
public sealed class NoiseHandshake : IDisposable
{
    /// <summary>Bytes of a key, digest and secret.</summary>
    public const int KeyBytes = 32;
    /// <summary>Bytes that encryption adds.</summary>
    public const int TagBytes = 16;

    private const int Slots = 7;

    private readonly byte[] _secrets = GC.AllocateArray<byte>(Slots * KeyBytes, pinned: true);
    private readonly ISessionCrypto _crypto;
    private readonly KeyPair _own;
    private readonly NoisePattern _pattern;
    private bool _hasKey;
    private ulong _counter;
    private int _message;

    /// <summary>Begins a handshake.</summary>
    /// <param name="crypto">What computes.</param>
    /// <param name="pattern">The pattern.</param>
    /// <param name="isInitiator">Whether we write the first message.</param>
    /// <param name="prologue">What both sides must agree on without sending it.</param>
    /// <param name="own">Our identity; not disposed here.</param>
    /// <param name="remoteKey">The responder's X25519 key, for the initiator of IK; empty otherwise.</param>
    public NoiseHandshake(
        ISessionCrypto crypto, NoisePattern pattern, bool isInitiator, ReadOnlySpan<byte> prologue, KeyPair own, ReadOnlySpan<byte> remoteKey)
    {
        ArgumentNullException.ThrowIfNull(crypto);
        ArgumentNullException.ThrowIfNull(own);
        if (remoteKey.Length != (pattern == NoisePattern.IK && isInitiator ? KeyBytes : 0))
            throw new ArgumentException("The remote key is known to the initiator of IK only, and has 32 bytes.", nameof(remoteKey));
        (_crypto, _pattern, IsInitiator, _own) = (crypto, pattern, isInitiator, own);
        // Exactly 32 bytes, so the name itself is the first hash (Noise §5.2).
        Encoding.ASCII.GetBytes($"Noise_{pattern}_25519_ChaChaPoly_SHA256", Chain);
        Chain.CopyTo(Digest);
        MixHash(prologue);
        if (pattern != NoisePattern.IK) return;
        if (isInitiator) remoteKey.CopyTo(RemoteStatic);
        MixHash(isInitiator ? RemoteStatic : own.Public.BoxKey);
    }

    /// <summary>Whether we write the first message.</summary>
    public bool IsInitiator { get; }

    /// <summary>The handshake hash at this moment, 32 bytes.</summary>
    public ReadOnlySpan<byte> Hash => Digest;

    /// <summary>The other side's X25519 key, once it is known.</summary>
    public ReadOnlySpan<byte> RemoteKey => RemoteStatic;

    /// <summary>Whether all messages were written and read.</summary>
    public bool IsComplete => _message == (_pattern == NoisePattern.IK ? 2 : 3);

    private Span<byte> Chain => Slot(0);
    private Span<byte> Digest => Slot(1);
    private Span<byte> Key => Slot(2);
    private Span<byte> EphemeralSecret => Slot(3);
    private Span<byte> Ephemeral => Slot(4);
    private Span<byte> RemoteEphemeral => Slot(5);
    private Span<byte> RemoteStatic => Slot(6);

    /// <summary>Writes the key fields of our next message and gives their length; -1 when a shared secret would be all zero.</summary>
    public int WriteKeys(Prng random, Span<byte> destination)
    {
        ArgumentNullException.ThrowIfNull(random);
        var length = 0;
        foreach (var token in Tokens())
            switch (token)
            {
                case 'e':
                    _crypto.MakeKey(random, EphemeralSecret, Ephemeral);
                    Ephemeral.CopyTo(destination[length..]);
                    MixHash(Ephemeral);
                    length += KeyBytes;
                    break;
                case 's':
                    length += Encrypt(_own.Public.BoxKey, destination[length..]);
                    break;
                default:
                    if (!Mix(token)) return -1;
                    break;
            }
        return length;
    }

    /// <summary>Encrypts the payload of our message and gives its length on the wire: 16 more, once there is a key.</summary>
    public int WritePayload(ReadOnlySpan<byte> payload, Span<byte> destination)
    {
        _message++;
        return Encrypt(payload, destination);
    }

    /// <summary>Reads the key fields of the other side's next message and gives their length; -1 when something is wrong.</summary>
    public int ReadKeys(ReadOnlySpan<byte> message)
    {
        var length = 0;
        foreach (var token in Tokens())
            switch (token)
            {
                case 'e':
                    if (message.Length < length + KeyBytes) return -1;
                    message.Slice(length, KeyBytes).CopyTo(RemoteEphemeral);
                    MixHash(RemoteEphemeral);
                    length += KeyBytes;
                    break;
                case 's':
                    var size = KeyBytes + (_hasKey ? TagBytes : 0);
                    if (message.Length < length + size || !TryDecrypt(message.Slice(length, size), RemoteStatic)) return -1;
                    length += size;
                    break;
                default:
                    if (!Mix(token)) return -1;
                    break;
            }
        return length;
    }

    /// <summary>Decrypts the payload of the other side's message; it is 16 bytes shorter, once there is a key.</summary>
    public bool TryReadPayload(ReadOnlySpan<byte> box, Span<byte> payload)
    {
        _message++;
        if (payload.Length != box.Length - (_hasKey ? TagBytes : 0)) return false;
        return TryDecrypt(box, payload);
    }

    /// <summary>The two keys of the finished handshake, 32 bytes each: what we send with and what we receive with.</summary>
    public void Split(Span<byte> sending, Span<byte> receiving)
    {
        if (!IsComplete) throw new InvalidOperationException("The handshake is not finished.");
        Derive(default, IsInitiator ? sending : receiving, IsInitiator ? receiving : sending);
    }

    /// <summary>Bytes of <see cref="Save"/>.</summary>
    public const int SavedBytes = Slots * KeyBytes + 10;

    /// <summary>Writes the whole state, secrets included, so that a message that turns out to be forged spends nothing.</summary>
    public void Save(Span<byte> state)
    {
        _secrets.CopyTo(state);
        BinaryPrimitives.WriteUInt64BigEndian(state[_secrets.Length..], _counter);
        state[_secrets.Length + 8] = (byte)_message;
        state[_secrets.Length + 9] = _hasKey ? (byte)1 : (byte)0;
    }

    /// <summary>Takes back everything since <see cref="Save"/>.</summary>
    public void Restore(ReadOnlySpan<byte> state)
    {
        state[.._secrets.Length].CopyTo(_secrets);
        _counter = BinaryPrimitives.ReadUInt64BigEndian(state[_secrets.Length..]);
        _message = state[_secrets.Length + 8];
        _hasKey = state[_secrets.Length + 9] != 0;
    }

    /// <summary>Overwrites the secrets.</summary>
    public void Dispose() => CryptographicOperations.ZeroMemory(_secrets);

    // Two letters are an agreement: the initiator's key first.
    private ReadOnlySpan<char> Tokens() => (_pattern, _message) switch
    {
        (NoisePattern.IK, 0) => ['e', 'S', 's', 'T'],
        (NoisePattern.IK, 1) => ['e', 'E', 'R'],
        (NoisePattern.XX, 0) => ['e'],
        (NoisePattern.XX, 1) => ['e', 'E', 's', 'S'],
        (NoisePattern.XX, 2) => ['s', 'R'],
        _ => throw new InvalidOperationException("The handshake is over."),
    };

    /// <summary>Mixes an agreement in: E is ee, S is es, R is se, T is ss.</summary>
    private bool Mix(char token)
    {
        Span<byte> shared = stackalloc byte[KeyBytes];
        var agreed = token switch
        {
            'E' => _crypto.TryAgree(EphemeralSecret, RemoteEphemeral, shared),
            'S' => IsInitiator ? _crypto.TryAgree(EphemeralSecret, RemoteStatic, shared) : _crypto.TryAgree(_own, RemoteEphemeral, shared),
            'R' => IsInitiator ? _crypto.TryAgree(_own, RemoteEphemeral, shared) : _crypto.TryAgree(EphemeralSecret, RemoteStatic, shared),
            _ => _crypto.TryAgree(_own, RemoteStatic, shared),
        };
        if (agreed)
        {
            Span<byte> chain = stackalloc byte[KeyBytes];
            Derive(shared, chain, Key);
            chain.CopyTo(Chain);
            (_hasKey, _counter) = (true, 0);
            CryptographicOperations.ZeroMemory(chain);
        }
        CryptographicOperations.ZeroMemory(shared);
        return agreed;
    }

    private int Encrypt(ReadOnlySpan<byte> text, Span<byte> destination)
    {
        var length = text.Length + (_hasKey ? TagBytes : 0);
        var box = destination[..length];
        if (_hasKey) _crypto.Seal(Key, _counter++, Digest, text, box);
        else text.CopyTo(box);
        MixHash(box);
        return length;
    }

    private bool TryDecrypt(ReadOnlySpan<byte> box, Span<byte> text)
    {
        if (!_hasKey) box.CopyTo(text);
        else if (!_crypto.TryOpen(Key, _counter++, Digest, box, text)) return false;
        MixHash(box);
        return true;
    }

    private void MixHash(ReadOnlySpan<byte> data)
    {
        Span<byte> digest = stackalloc byte[KeyBytes];
        _crypto.Hash(Digest, data, digest);
        digest.CopyTo(Digest);
    }

    /// <summary>HKDF with two outputs (Noise §4.3).</summary>
    private void Derive(ReadOnlySpan<byte> input, Span<byte> first, Span<byte> second)
    {
        Span<byte> temporary = stackalloc byte[KeyBytes], block = stackalloc byte[KeyBytes + 1];
        _crypto.Mac(Chain, input, temporary);
        block[0] = 1;
        _crypto.Mac(temporary, block[..1], first);
        first.CopyTo(block);
        block[KeyBytes] = 2;
        _crypto.Mac(temporary, block, second);
        CryptographicOperations.ZeroMemory(temporary);
        CryptographicOperations.ZeroMemory(block);
    }

    private Span<byte> Slot(int index) => _secrets.AsSpan(index * KeyBytes, KeyBytes);
}
