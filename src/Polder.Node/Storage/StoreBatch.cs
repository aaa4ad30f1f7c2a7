using Polder.Cryptography;
using Polder.Ledger.Blocks;
using Polder.Ledger.Stores;

namespace Polder.Node.Storage;

/// <summary>Writes that are not on the disk yet, readable meanwhile. The loop fills it, then the storage thread writes it.</summary>
internal sealed class StoreBatch
{
    private MemoryBlockStore? _view;
    private int _viewed;

    /// <summary>The blocks, for reading, by the loop only. Put in order when somebody asks: in a bulk load hardly anybody does.</summary>
    public MemoryBlockStore View
    {
        get
        {
            _view ??= new MemoryBlockStore();
            for (; _viewed < Blocks.Count; _viewed++) _view.Add(Blocks[_viewed].Block);
            return _view;
        }
    }

    /// <summary>The blocks in order, with the numbers of their keys.</summary>
    public List<BlockRow> Blocks { get; } = [];
    /// <summary>Places in the order of all of blocks that go.</summary>
    public List<long> Evicted { get; } = [];
    public List<FraudProof> Frauds { get; } = [];
    public List<Hash256> Refusals { get; } = [];
    public List<(string Name, byte[]? Value)> Facts { get; } = [];
    public int Writes => Blocks.Count + Evicted.Count + Frauds.Count + Refusals.Count + Facts.Count;
    public bool IsEmpty => Writes == 0;

    /// <summary>Its place among all batches, from 1.</summary>
    public long Serial { get; init; }

    /// <summary>Who waits for this batch to be safe; made when the first asks.</summary>
    public TaskCompletionSource? Safe { get; set; }
}

/// <summary>A block with the numbers that its two keys have in the database.</summary>
internal readonly record struct BlockRow(HalfBlock Block, int Peer, int LinkPeer);
