namespace Polder.Ledger.Reputation.Exact;

/// <summary>Work of one peer for another, by number: an edge of a <see cref="DenseGraph"/>.</summary>
/// <param name="Contributor">Who worked.</param>
/// <param name="Consumer">For whom.</param>
/// <param name="Amount">How much, above 0.</param>
public readonly record struct WorkEdge(int Contributor, int Consumer, double Amount);
