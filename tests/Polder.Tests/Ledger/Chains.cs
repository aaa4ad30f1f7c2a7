using Polder.Cryptography;
using Polder.Identity;
using Polder.Ledger.Blocks;
using Polder.Runtime;

namespace Polder.Tests.Ledger;

/// <summary>Makes keys, blocks and chains for tests, the same ones in every run.</summary>
internal static class Chains
{
    public static KeyPair Key(ulong seed)
    {
        Span<byte> entropy = stackalloc byte[KeyPair.EntropyBytes];
        new Prng(seed).Fill(entropy);
        return KeyPair.FromEntropy(entropy);
    }

    public static HalfBlock Block(
        KeyPair owner, uint sequence, ReadOnlySpan<byte> linkKey, uint linkSequence, Hash256 previous, ulong timestamp = 1_700_000_000_000,
        string type = "test", string transaction = "a0d") =>
        HalfBlock.Create(Ed25519Signatures.Instance, owner, new BlockFields
        {
            Sequence = sequence, LinkKey = linkKey, LinkSequence = linkSequence, PreviousHash = previous, Timestamp = timestamp,
            Type = System.Text.Encoding.UTF8.GetBytes(type), Transaction = System.Text.Encoding.UTF8.GetBytes(transaction),
        });

    /// <summary>A chain of proposals.</summary>
    public static HalfBlock[] Of(KeyPair owner, int length, KeyPair counterparty)
    {
        var chain = new HalfBlock[length];
        for (var i = 0; i < length; i++)
            chain[i] = Block(owner, (uint)i + 1, counterparty.Public.Bytes, 0, i == 0 ? HalfBlock.GenesisHash : chain[i - 1].Hash,
                1_700_000_000_000 + (ulong)i);
        return chain;
    }

    /// <summary>The chain of somebody who agrees to all of these, and does nothing else.</summary>
    public static HalfBlock[] Agree(KeyPair owner, HalfBlock[] proposals)
    {
        var chain = new HalfBlock[proposals.Length];
        for (var i = 0; i < proposals.Length; i++)
            chain[i] = Block(owner, (uint)i + 1, proposals[i].PublicKey, proposals[i].Sequence,
                i == 0 ? HalfBlock.GenesisHash : chain[i - 1].Hash, proposals[i].Timestamp + 1);
        return chain;
    }
}
