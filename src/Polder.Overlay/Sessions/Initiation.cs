using Polder.Cryptography;
using Polder.Identity;

namespace Polder.Overlay.Sessions;

/// <summary>A handshake that we began, on one path.</summary>
internal sealed class Initiation(PublicKey? key, SessionPath path, NoiseHandshake noise, byte[] message) : IDisposable
{
    private List<TaskCompletionSource<Session?>>? _askers;

    /// <summary>With whom; null when the answer will tell (Noise XX).</summary>
    public PublicKey? Key { get; } = key;
    public SessionPath Path { get; } = path;
    public NoiseHandshake Noise { get; } = noise;

    /// <summary>The first message: sent again as it is, but for its second MAC.</summary>
    public byte[] Message { get; } = message;

    /// <summary>By which the answer finds it.</summary>
    public UInt128 Tag => HandshakeWire.TagOf(Message);

    /// <summary>By which we want to be addressed.</summary>
    public uint LocalIndex { get; init; }

    /// <summary>The session that goes on with the new keys; null for a new one.</summary>
    public Session? Continues { get; init; }

    /// <summary>Only as much goes to that address as it may get for what it sent: nobody proved to be there.</summary>
    public bool IsGuarded { get; init; }

    /// <summary>Somebody waits for the outcome on this path, so all retries are made.</summary>
    public bool IsAsked => _askers is not null;

    public TimeSpan BeganAt { get; init; }
    public int Sent { get; set; }
    public int CookiesTaken { get; set; }
    public TimeSpan SentAt { get; set; }
    public TimeSpan DueAt { get; set; }

    /// <summary>The other side's own handshake goes first (OV-3.7): nothing more is sent, but askers wait on.</summary>
    public bool HasYielded { get; set; }

    public bool IsOver { get; private set; }

    public Task<Session?> Ask()
    {
        var asker = new TaskCompletionSource<Session?>();
        (_askers ??= []).Add(asker);
        return asker.Task;
    }

    public void End(NodeHost host, Session? outcome)
    {
        if (IsOver) return;
        IsOver = true;
        Dispose();
        if (_askers is not { } askers) return;
        _askers = null;
        // Completed through Post, so that no asker's continuation runs inside the receiving of a packet.
        host.Environment.Loop.Post(() =>
        {
            foreach (var asker in askers) asker.TrySetResult(outcome);
        });
    }

    public void Dispose() => Noise.Dispose();
}

/// <summary>A handshake that we answered: its keys wait for the initiator's first packet (OV-3.6).</summary>
internal sealed class Answered(PublicKey? key, SessionPath path, byte[] reply, UInt128 tag) : IDisposable
{
    /// <summary>Sending, then receiving key.</summary>
    private readonly byte[] _keys = GC.AllocateArray<byte>(64, pinned: true);

    /// <summary>Who began it; null until the third message of Noise XX.</summary>
    public PublicKey? Key { get; set; } = key;
    public SessionPath Path { get; } = path;

    /// <summary>Our answer: sent again when the same question comes again.</summary>
    public byte[] Reply { get; } = reply;
    public UInt128 Tag { get; } = tag;
    public uint LocalIndex { get; init; }
    public uint RemoteIndex { get; init; }
    public uint Epoch { get; init; }
    public Session? Continues { get; init; }
    public HandshakeFacts Facts { get; set; }
    public TimeSpan At { get; init; }
    public int Replies { get; set; } = 1;
    public Span<byte> Sending => _keys.AsSpan(0, 32);
    public Span<byte> Receiving => _keys.AsSpan(32, 32);

    /// <summary>The handshake while the third message of Noise XX is to come; null for IK.</summary>
    public NoiseHandshake? Noise { get; set; }

    public void Dispose()
    {
        System.Security.Cryptography.CryptographicOperations.ZeroMemory(_keys);
        Noise?.Dispose();
        Noise = null;
    }
}
