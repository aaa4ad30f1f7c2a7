namespace Polder.Ledger.Crawling;

/// <summary>How far the fetching of everybody's chains is.</summary>
/// <param name="IsRunning">Whether it goes on.</param>
/// <param name="Chains">Chains known, by their blocks or because somebody's block names them.</param>
/// <param name="Visited">Of these, such as were asked for since they were last due, and answered to their end.</param>
/// <param name="Whole">Of these, such as are held without a gap.</param>
/// <param name="Blocks">Blocks held, of everybody.</param>
/// <param name="Missing">Blocks known to be missing: numbers below the highest held of each chain.</param>
/// <param name="Requests">Requests sent since it began.</param>
/// <param name="NewBlocks">Blocks that they brought.</param>
/// <param name="Peers">Peers that can be asked.</param>
public readonly record struct SurveyProgress(
    bool IsRunning, int Chains, int Visited, int Whole, long Blocks, long Missing, long Requests, long NewBlocks, int Peers);
