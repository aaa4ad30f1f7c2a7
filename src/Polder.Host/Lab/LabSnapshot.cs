namespace Polder.Host.Lab;

/// <summary>The whole laboratory at one moment. Immutable; a new one is published a few times a second.</summary>
/// <param name="Seed">What the work was drawn from.</param>
/// <param name="Seconds">Since the start.</param>
/// <param name="SecondsMax">When it ends.</param>
/// <param name="Finished">Whether the work is over; the page stays.</param>
/// <param name="Nodes">Every node, by <see cref="LabNode.Index"/>.</param>
/// <param name="Edges">Pairs of nodes (A &lt; B) of which at least one knows the other.</param>
/// <param name="Events">What happened lately, newest first, at most <see cref="EventsMax"/>.</param>
/// <param name="PairsSigned">Records that both sides signed.</param>
/// <param name="PairsKnown">Edges in which both know each other.</param>
/// <param name="PairsPossible">n × (n − 1) / 2.</param>
internal sealed record LabSnapshot(
    ulong Seed, double Seconds, double SecondsMax, bool Finished, IReadOnlyList<LabNode> Nodes, IReadOnlyList<LabEdge> Edges,
    IReadOnlyList<LabEvent> Events, int PairsSigned, int PairsKnown, int PairsPossible)
{
    /// <summary>Events that are kept for showing.</summary>
    public const int EventsMax = 40;
}

/// <summary>A node of the laboratory.</summary>
/// <param name="Index">0 to n − 1, its place on the ring.</param>
/// <param name="Name">Its short name, "ab-cd-ef-gh-ij".</param>
/// <param name="PublicKey">Hex of 74 bytes.</param>
/// <param name="Address">"127.0.0.1:40123".</param>
/// <param name="Knows">Indexes of the nodes that proved themselves to it.</param>
/// <param name="Chain">Its chain as it holds it itself, lowest number first; the newest <see cref="StonesMax"/> blocks.</param>
/// <param name="ChainLength">Length of the whole chain.</param>
/// <param name="Ranking">Whom it trusts, best first.</param>
internal sealed record LabNode(
    int Index, string Name, string PublicKey, string Address, IReadOnlyList<int> Knows, IReadOnlyList<LabStone> Chain,
    long ChainLength, IReadOnlyList<LabRank> Ranking)
{
    /// <summary>Blocks of a chain that are kept for showing.</summary>
    public const int StonesMax = 40;
}

/// <summary>A block of a chain, for drawing.</summary>
/// <param name="Sequence">Its number.</param>
/// <param name="Valid">Whether nothing is wrong with it.</param>
/// <param name="Paired">Whether the other half is known too.</param>
/// <param name="Summary">What it says.</param>
internal sealed record LabStone(long Sequence, bool Valid, bool Paired, string Summary);

/// <summary>A line of a node's ranking.</summary>
/// <param name="Index">Which node is ranked; −1 when it is none of the laboratory's.</param>
/// <param name="Name">Its short name.</param>
/// <param name="Score">In bytes.</param>
/// <param name="Records">Records in which it took part.</param>
internal sealed record LabRank(int Index, string Name, double Score, int Records);

/// <summary>Two nodes of which at least one knows the other.</summary>
/// <param name="A">The lower index.</param>
/// <param name="B">The higher index.</param>
/// <param name="Introduced">Whether the laboratory told them of each other at the start; all others met by themselves.</param>
/// <param name="Mutual">Whether both know each other.</param>
/// <param name="BytesAToB">Signed work from A for B.</param>
/// <param name="BytesBToA">Signed work from B for A.</param>
internal sealed record LabEdge(int A, int B, bool Introduced, bool Mutual, long BytesAToB, long BytesBToA);

/// <summary>Something that happened.</summary>
/// <param name="Seconds">Since the start.</param>
/// <param name="Kind">"met", "work", "agreed", "rank".</param>
/// <param name="Text">In words, with short names.</param>
internal sealed record LabEvent(double Seconds, string Kind, string Text);

/// <summary>Where the page finds the laboratory. In <c>polder run</c> there is none and the snapshot is null.</summary>
internal interface ILabFeed
{
    /// <summary>The newest snapshot; null where no laboratory runs.</summary>
    LabSnapshot? Current { get; }

    /// <summary>Completes when <see cref="Current"/> changed after <paramref name="seen"/>; gives the new version. The first call passes 0.</summary>
    Task<long> WaitForChangeAsync(long seen, CancellationToken cancellation);
}

/// <summary>No laboratory.</summary>
internal sealed class NoLab : ILabFeed
{
    public LabSnapshot? Current => null;

    public async Task<long> WaitForChangeAsync(long seen, CancellationToken cancellation)
    {
        await Task.Delay(Timeout.Infinite, cancellation).ConfigureAwait(false);
        return seen;
    }
}
