namespace Polder.Node.Operations;

/// <summary>What is known of the network as a whole, and fetching everybody's chains. Part of <see cref="INodeOperations"/>.</summary>
public interface ISurveyOperations
{
    /// <summary>How far the fetching of everybody's chains is.</summary>
    Task<CrawlProgressView> ProgressAsync(CancellationToken cancellation = default);

    /// <summary>Begins or ends it; it goes on where it left off.</summary>
    Task<CrawlProgressView> RunAsync(bool run, CancellationToken cancellation = default);

    /// <summary>Records a day and users over time, of all blocks held.</summary>
    Task<NetworkStatisticsView> StatisticsAsync(CancellationToken cancellation = default);
}

/// <summary>How far the fetching of everybody's chains is.</summary>
/// <param name="Running">Whether it goes on.</param>
/// <param name="Chains">Chains known of.</param>
/// <param name="Visited">Of these, such as were asked for.</param>
/// <param name="Whole">Of these, such as are held without a gap.</param>
/// <param name="Blocks">Blocks held, of everybody.</param>
/// <param name="Missing">Blocks known to be missing.</param>
/// <param name="Requests">Requests sent since it began.</param>
/// <param name="NewBlocks">Blocks that they brought.</param>
/// <param name="Peers">Peers that can be asked.</param>
public sealed record CrawlProgressView(
    bool Running, int Chains, int Visited, int Whole, long Blocks, long Missing, long Requests, long NewBlocks, int Peers);

/// <summary>The network, as far as this node holds its blocks.</summary>
/// <param name="Blocks">Half blocks held.</param>
/// <param name="Users">Keys that signed any of them.</param>
/// <param name="Undated">Blocks whose date cannot be: long ago, or more than a day ahead.</param>
/// <param name="Days">Day by day, oldest first, without gaps; at most some ten thousand.</param>
public sealed record NetworkStatisticsView(long Blocks, long Users, long Undated, IReadOnlyList<NetworkDayView> Days);

/// <summary>One day, by the clocks of those who signed.</summary>
/// <param name="Day">The day, UTC.</param>
/// <param name="Records">Half blocks signed on it.</param>
/// <param name="Active">Users who signed any of them.</param>
/// <param name="Newcomers">Users whose first block is of it.</param>
/// <param name="Users">Users seen up to it.</param>
public sealed record NetworkDayView(DateOnly Day, long Records, long Active, long Newcomers, long Users);
