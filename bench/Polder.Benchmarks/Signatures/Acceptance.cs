using System.Numerics;
using Polder.Cryptography;
using Polder.Runtime;

namespace Polder.Benchmarks.Signatures;

/// <summary>
/// Which signatures each way accepts. The lanes must say what libsodium says, of everything. The batch equation does not, and the cases that
/// show it are made here on purpose.
/// </summary>
internal static class Acceptance
{
    private const int Tries = 64;

    /// <summary>Throws where the lanes and libsodium differ; says how often the batch equation does.</summary>
    public static void Prove(Action<string> say)
    {
        using var verifier = new LaneVerifier(4096);
        var cases = Broken().Concat(Hostile()).ToArray();
        var verdicts = new bool[cases.Length];
        verifier.Verify(cases, verdicts);
        var accepted = 0;
        for (var i = 0; i < cases.Length; i++)
        {
            var single = Ed25519.Verify(cases[i].Key, cases[i].Message, cases[i].Signature);
            if (single) accepted++;
            if (single != verdicts[i]) throw new InvalidOperationException($"Case {i}: libsodium says {single}, four lanes say {verdicts[i]}.");
        }
        say($"{cases.Length} broken and hostile signatures: four lanes and libsodium agree on all ({accepted} accepted)");

        var lone = Off(torsion: 4, seed: 1);
        var byChance = Enumerable.Range(0, Tries).Count(_ => BatchEquation.Verify([lone]));
        var by8 = Enumerable.Range(0, Tries).Count(_ => BatchEquation.Verify([lone], cofactored: true));
        say($"a signature off by a point of order 2: libsodium {Ed25519.Verify(lone.Key, lone.Message, lone.Signature)}, batch equation accepted it {byChance} of {Tries} times, with cofactor {by8} of {Tries}");
    }

    /// <summary>Good ones with one bit turned somewhere, and good ones.</summary>
    private static IEnumerable<SignedItem> Broken()
    {
        var random = new Prng(27);
        for (var i = 0; i < 512; i++)
        {
            using var key = BenchKeys.Make(3_000_000 + i % 32);
            var message = new byte[random.Next(200)];
            random.Fill(message);
            var signature = new byte[Ed25519.SignatureBytes];
            key.Sign(message, signature);
            var publicKey = key.Public.SigningKey.ToArray();
            var bit = 1 << random.Next(8);
            switch (i % 4)
            {
                case 0: signature[random.Next(64)] ^= (byte)bit; break;
                case 1: publicKey[random.Next(32)] ^= (byte)bit; break;
                case 2 when message.Length > 0: message[random.Next(message.Length)] ^= (byte)bit; break;
                default: break;
            }
            yield return new(publicKey, message, signature);
        }
    }

    /// <summary>What only who plays with the encodings and with torsion sends.</summary>
    private static IEnumerable<SignedItem> Hostile()
    {
        var random = new Prng(28);
        using var key = BenchKeys.Make(4_000_000);
        byte[] message = [1, 2, 3];
        var signature = new byte[Ed25519.SignatureBytes];
        key.Sign(message, signature);
        var publicKey = key.Public.SigningKey.ToArray();
        // S + L, S + 2 L …: the same number, written otherwise.
        var s = new BigInteger(signature.AsSpan(32), isUnsigned: true);
        for (var k = 1; k < 16; k++)
            if ((s + k * Reference.L).GetBitLength() <= 256) yield return new(publicKey, message, [.. signature[..32], .. Reference.ScalarBytes(s + k * Reference.L)]);
        // S = 0 and keys, nonces of small order in every form, canonical and not, with both signs.
        var small = new List<byte[]>();
        for (var i = 0; i < 8; i++) small.Add(Reference.Encode(Reference.Multiply(i, Reference.Torsion8)));
        for (var y = 0; y < 19; y++) small.Add(Reference.ScalarBytes(Reference.P + y));
        foreach (var one in small.ToArray()) small.Add([.. one[..31], (byte)(one[31] ^ 0x80)]);
        foreach (var a in small)
        {
            yield return new(publicKey, message, [.. a, .. signature[32..]]);
            yield return new(a, message, signature);
            foreach (var r in small) yield return new(a, message, [.. r, .. new byte[32]]);
        }
        // Key and nonce with every share of torsion: good where h times the key's share and the nonce's cancel.
        for (var i = 0; i < 8; i++)
            for (var j = 0; j < 8; j++)
                for (var k = 0; k < 4; k++)
                {
                    byte[] text = [(byte)i, (byte)j, (byte)k];
                    var (hostile, signed) = Reference.SignWithTorsion(Secret(random), Secret(random), i, j, text);
                    yield return new(hostile, text, signed);
                }
    }

    /// <summary>Off by so many times the point of order 8, whatever the challenge is: the nonce carries it.</summary>
    private static SignedItem Off(int torsion, ulong seed)
    {
        var random = new Prng(seed);
        var (key, signature) = Reference.SignWithTorsion(Secret(random), Secret(random), 0, torsion, [42]);
        return new(key, [42], signature);
    }

    private static BigInteger Secret(Prng random)
    {
        var bytes = new byte[32];
        random.Fill(bytes);
        return new BigInteger(bytes, isUnsigned: true) % Reference.L;
    }
}
