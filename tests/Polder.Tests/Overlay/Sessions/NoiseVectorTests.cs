using System.Text.Json;
using Polder.Cryptography;
using Polder.Identity;
using Polder.Runtime;
using Polder.Tests.Architecture;

namespace Polder.Tests.Overlay.Sessions;

/// <summary>The handshake core against vectors of two other implementations, and RFC 7748's weak keys.</summary>
public sealed class NoiseVectorTests
{
    /// <summary>Gives the words of one fixed secret.</summary>
    private sealed class FixedRandom(byte[] secret) : Prng(0)
    {
        private int _next;
        public override ulong NextUInt64() => BitConverter.ToUInt64(secret, 8 * _next++);
    }

    private static KeyPair PairOf(string? secret)
    {
        var entropy = new byte[KeyPair.EntropyBytes];
        Convert.FromHexString(secret ?? new string('0', 64)).CopyTo(entropy, 0);
        return KeyPair.FromEntropy(entropy);
    }

    public static TheoryData<string, int> All => new() { { "cacophony", 0 }, { "cacophony", 1 }, { "snow", 0 }, { "snow", 1 } };

    [Theory, MemberData(nameof(All))]
    public void Handshakes_and_transport_messages_are_those_of_the_vectors(string maker, int index)
    {
        using var document = JsonDocument.Parse(File.ReadAllText(Repository.PathOf("tests", "vectors", "noise", "handshakes.json")));
        var vector = document.RootElement.GetProperty(maker)[index];
        string? Text(string name) => vector.TryGetProperty(name, out var value) ? value.GetString() : null;
        var name = Text("protocol_name") ?? Text("name")!;
        var pattern = name.StartsWith("Noise_IK_", StringComparison.Ordinal) ? NoisePattern.IK : NoisePattern.XX;
        Assert.EndsWith("_25519_ChaChaPoly_SHA256", name, StringComparison.Ordinal);
        var prologue = Convert.FromHexString(Text("init_prologue")!);
        using var initiatorKey = PairOf(Text("init_static"));
        using var responderKey = PairOf(Text("resp_static"));
        var remote = pattern == NoisePattern.IK ? Convert.FromHexString(Text("init_remote_static")!) : [];
        using var initiator = new NoiseHandshake(SodiumSessionCrypto.Instance, pattern, true, prologue, initiatorKey, remote);
        using var responder = new NoiseHandshake(SodiumSessionCrypto.Instance, pattern, false, prologue, responderKey, default);
        var randoms = new[] { new FixedRandom(Convert.FromHexString(Text("init_ephemeral")!)), new FixedRandom(Convert.FromHexString(Text("resp_ephemeral")!)) };

        byte[] initiatorSends = new byte[32], initiatorReceives = new byte[32], responderSends = new byte[32], responderReceives = new byte[32];
        ulong[] counters = [0, 0];
        var number = 0;
        foreach (var message in vector.GetProperty("messages").EnumerateArray())
        {
            var payload = Convert.FromHexString(message.GetProperty("payload").GetString()!);
            var expected = Convert.FromHexString(message.GetProperty("ciphertext").GetString()!);
            var side = number++ % 2;
            if (!initiator.IsComplete)
            {
                var (writer, reader) = side == 0 ? (initiator, responder) : (responder, initiator);
                var buffer = new byte[1024];
                var keys = writer.WriteKeys(randoms[side], buffer);
                var length = keys + writer.WritePayload(payload, buffer.AsSpan(keys));
                Assert.Equal(Convert.ToHexStringLower(expected), Convert.ToHexStringLower(buffer.AsSpan(0, length)));
                Assert.Equal(keys, reader.ReadKeys(expected));
                var read = new byte[payload.Length];
                Assert.True(reader.TryReadPayload(expected.AsSpan(keys), read));
                Assert.Equal(payload, read);
                if (!initiator.IsComplete) continue;
                if (Text("handshake_hash") is { } hash) Assert.Equal(hash, Convert.ToHexStringLower(initiator.Hash));
                initiator.Split(initiatorSends, initiatorReceives);
                responder.Split(responderSends, responderReceives);
                Assert.Equal(initiatorSends, responderReceives);
                Assert.Equal(initiatorReceives, responderSends);
            }
            else
            {
                var box = new byte[payload.Length + 16];
                SodiumSessionCrypto.Instance.Seal(side == 0 ? initiatorSends : responderSends, counters[side]++, default, payload, box);
                Assert.Equal(Convert.ToHexStringLower(expected), Convert.ToHexStringLower(box));
            }
        }
        Assert.True(counters[0] + counters[1] > 0);
    }

    /// <summary>Points of small order, whose agreement is all zero whatever the secret (RFC 7748 §6.1 asks to check for it).</summary>
    public static TheoryData<string> SmallOrder =>
    [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ];

    [Theory, MemberData(nameof(SmallOrder))]
    public void A_key_of_small_order_aborts_the_handshake(string point)
    {
        using var key = PairOf("e61ef9919cde45dd5f82166404bd08e38bceb5dfdfded0a34c8df7ed542214d1");
        var shared = new byte[32];
        Assert.False(key.TryAgree(Convert.FromHexString(point), shared));

        using var initiator = new NoiseHandshake(SodiumSessionCrypto.Instance, NoisePattern.IK, true, default, key, Convert.FromHexString(point));
        Assert.Equal(-1, initiator.WriteKeys(new Prng(1), new byte[256]));

        using var responder = new NoiseHandshake(SodiumSessionCrypto.Instance, NoisePattern.IK, false, default, key, default);
        Assert.Equal(-1, responder.ReadKeys([.. Convert.FromHexString(point), .. new byte[64]]));
    }

    [Fact]
    public void X25519_gives_the_secret_of_RFC_7748()
    {
        // RFC 7748 §6.1.
        using var alice = PairOf("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
        using var bob = PairOf("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
        Assert.Equal("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a", Convert.ToHexStringLower(alice.Public.BoxKey));
        var shared = new byte[32];
        Assert.True(alice.TryAgree(bob.Public.BoxKey, shared));
        Assert.Equal("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742", Convert.ToHexStringLower(shared));
    }
}
