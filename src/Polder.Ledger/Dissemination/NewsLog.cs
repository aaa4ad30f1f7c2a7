using Polder.Cryptography;
using Polder.Ledger.Blocks;
using Polder.Ledger.Messages;

namespace Polder.Ledger.Dissemination;

/// <summary>What came lately, in order, so that a peer can be told what is new since it asked last: blocks in a ring, culprits in a list.</summary>
internal sealed class NewsLog(uint life)
{
    private readonly Queue<HalfBlock> _blocks = new(64);
    private readonly Dictionary<ulong, HalfBlock> _byHead = [];
    private readonly List<ulong> _culprits = [];
    private readonly Dictionary<ulong, byte[]> _culpritByHead = [];

    /// <summary>Positions of another life mean nothing.</summary>
    public uint Life => life;

    /// <summary>Blocks ever logged.</summary>
    public ulong End { get; private set; }

    /// <summary>Culprits logged.</summary>
    public int Culprits => _culprits.Count;

    /// <summary>How a culprit is named in messages.</summary>
    public static ulong HeadOf(ReadOnlySpan<byte> culprit) => Hash256.Of(culprit).Head;

    public void Add(HalfBlock block)
    {
        if (!_byHead.TryAdd(block.Hash.Head, block)) return;
        _blocks.Enqueue(block);
        End++;
        if (_blocks.Count > Limits.NewsBlocksMax) _byHead.Remove(_blocks.Dequeue().Hash.Head);
    }

    public void AddCulprit(ReadOnlySpan<byte> culprit)
    {
        var head = HeadOf(culprit);
        if (_culpritByHead.TryAdd(head, culprit.ToArray())) _culprits.Add(head);
    }

    public HalfBlock? Find(ulong head) => _byHead.GetValueOrDefault(head);

    public byte[]? FindCulprit(ulong head) => _culpritByHead.GetValueOrDefault(head);

    /// <summary>The newest blocks and the next culprits that came after these positions.</summary>
    public NewsList Since(NewsRequest request)
    {
        var (blocksFrom, culpritsFrom) = request.Life == life ? (request.Blocks, request.Proofs) : (0, 0);
        var newer = blocksFrom >= End ? 0 : (int)Math.Min(End - blocksFrom, (ulong)Math.Min(_blocks.Count, NewsList.BlocksMax));
        var blocks = new ulong[newer];
        if (newer > 0)
        {
            var at = 0;
            var skip = _blocks.Count - newer;
            foreach (var block in _blocks)
                if (skip-- <= 0) blocks[at++] = block.Hash.Head;
        }
        var first = (int)Math.Min(culpritsFrom, (uint)_culprits.Count);
        var count = Math.Min(_culprits.Count - first, NewsList.ProofsMax);
        return new NewsList(life, End, (uint)(first + count), blocks, [.. _culprits.GetRange(first, count)]);
    }
}
