
namespace Polder.Graph.Shared;

/// <summary>
/// A number that many people count up and down at the same time without losing a step: each author writes only his own subtotal, and the
/// reader adds up those of the people whom he trusts (the CRDT sum of the GUN paper).
/// </summary>
/// <param name="of">Where it lies; nothing else may be in there.</param>
/// <param name="device">Tells devices of one author apart: two that write under the same name count over each other.</param>
public sealed class SharedCounter(SharedObject of, string device = "")
{
    private const string Prefix = "sum/";

    /// <summary>The sum over all trusted authors.</summary>
    public double Value => of.Everything().Where(static part => part.Key.StartsWith(Prefix, StringComparison.Ordinal)).Sum(static part => part.Value.AsNumber ?? 0);

    /// <summary>What one author contributed.</summary>
    public double Of(string author) => of.Everything().Where(part => part.Author == author && part.Key.StartsWith(Prefix, StringComparison.Ordinal)).Sum(static part => part.Value.AsNumber ?? 0);

    /// <summary>Counts by <paramref name="amount"/>, which may be negative; completes when it is durable.</summary>
    public Task AddAsync(double amount = 1) => of.PutAsync(Prefix + device, (of.Own(Prefix + device)?.AsNumber ?? 0) + amount);
}
