using Polder.Cryptography;
using Polder.Identity;

namespace Polder.Benchmarks;

/// <summary>What Ed25519 costs on one core at this moment: the limit that most figures stand beside.</summary>
internal sealed class RawSignatures
{
    private const int Keys = 16;

    private readonly KeyPair[] _keys = new KeyPair[Keys];
    private readonly byte[][] _messages = new byte[Keys][];
    private readonly byte[][] _signatures = new byte[Keys][];

    /// <param name="messageBytes">The length that the path under test signs and checks.</param>
    public RawSignatures(int messageBytes)
    {
        for (var i = 0; i < Keys; i++)
        {
            _keys[i] = BenchKeys.Make(1_000_000 + i);
            _messages[i] = new byte[messageBytes];
            _messages[i].AsSpan().Fill((byte)i);
            _signatures[i] = new byte[Ed25519.SignatureBytes];
            _keys[i].Sign(_messages[i], _signatures[i]);
        }
    }

    public double VerifiesPerSecond(TimeSpan duration) => Rounds.PerSecond(duration, i =>
    {
        i &= Keys - 1;
        if (!Ed25519.Verify(_keys[i].Public.SigningKey, _messages[i], _signatures[i])) throw new InvalidOperationException("A good signature was refused.");
    });

    /// <summary>What one verification costs the processor.</summary>
    public double VerifyMicroseconds(int count)
    {
        var cost = ProcessorTime.OfThread();
        for (var i = 0; i < count; i++) _ = Ed25519.Verify(_keys[i & (Keys - 1)].Public.SigningKey, _messages[i & (Keys - 1)], _signatures[i & (Keys - 1)]);
        return (ProcessorTime.OfThread() - cost).TotalMicroseconds / count;
    }

    /// <summary>What one verification and one signature cost the processor.</summary>
    public double ExchangeMicroseconds(int count)
    {
        var cost = ProcessorTime.OfThread();
        var signature = new byte[Ed25519.SignatureBytes];
        for (var i = 0; i < count; i++) _keys[i & (Keys - 1)].Sign(_messages[i & (Keys - 1)], signature);
        return (ProcessorTime.OfThread() - cost).TotalMicroseconds / count + VerifyMicroseconds(count);
    }

    public double SignsPerSecond(TimeSpan duration)
    {
        var signature = new byte[Ed25519.SignatureBytes];
        return Rounds.PerSecond(duration, i => _keys[i & (Keys - 1)].Sign(_messages[i & (Keys - 1)], signature));
    }

    /// <summary>One verification and one signature, so many times a second.</summary>
    public double ExchangesPerSecond(TimeSpan duration)
    {
        var signature = new byte[Ed25519.SignatureBytes];
        return Rounds.PerSecond(duration, i =>
        {
            i &= Keys - 1;
            if (!Ed25519.Verify(_keys[i].Public.SigningKey, _messages[i], _signatures[i])) throw new InvalidOperationException("A good signature was refused.");
            _keys[i].Sign(_messages[i], signature);
        });
    }
}

/// <summary>Identities of the load: the same in every run.</summary>
internal static class BenchKeys
{
    public static KeyPair Make(int number)
    {
        Span<byte> entropy = stackalloc byte[KeyPair.EntropyBytes];
        new Runtime.Prng((ulong)number).Fill(entropy);
        return KeyPair.FromEntropy(entropy);
    }
}
