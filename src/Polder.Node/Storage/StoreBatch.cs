using Polder.Cryptography;
using Polder.Ledger.Blocks;
using Polder.Ledger.Stores;

namespace Polder.Node.Storage;

/// <summary>Writes that are not on the disk yet, readable meanwhile. The loop fills it, then the storage thread writes it.</summary>
internal sealed class StoreBatch
{
    /// <summary>The blocks, for reading.</summary>
    public MemoryBlockStore View { get; } = new();
    /// <summary>The blocks in order, with the numbers of their keys.</summary>
    public List<(HalfBlock Block, int Peer, int LinkPeer)> Blocks { get; } = [];
    /// <summary>Keys that got a number.</summary>
    public List<(int Number, byte[] Key)> Peers { get; } = [];
    public List<FraudProof> Frauds { get; } = [];
    public List<Hash256> Refusals { get; } = [];
    public List<(string Name, byte[]? Value)> Facts { get; } = [];
    public int Writes => Blocks.Count + Peers.Count + Frauds.Count + Refusals.Count + Facts.Count;
    public bool IsEmpty => Writes == 0;

    /// <summary>Who waits for this batch to be safe; made when the first asks.</summary>
    public TaskCompletionSource? Safe { get; set; }
}
