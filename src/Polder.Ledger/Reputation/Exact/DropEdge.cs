namespace Polder.Ledger.Reputation.Exact;

/// <summary>What one peer says about work; nobody else signed it.</summary>
/// <param name="Reporter">Who says so: the contributor or the consumer.</param>
/// <param name="Contributor">Who worked.</param>
/// <param name="Consumer">For whom.</param>
/// <param name="Amount">How much.</param>
public readonly record struct WorkReport(int Reporter, int Contributor, int Consumer, double Amount);

/// <summary>
/// DropEdge (Seuken, Tang, Parkes, 2010; reputation.md §2.2): when some peers compete, what they say about each other counts
/// for nothing, and about others only what the other says. Signed records do not need it; unconfirmed ones do.
/// </summary>
public static class DropEdge
{
    /// <summary>The graph by which to choose among peers.</summary>
    /// <param name="peers">How many peers there are.</param>
    /// <param name="reports">What each says; later reports of the same peer about the same pair replace earlier ones.</param>
    /// <param name="choice">Who asks for service now.</param>
    /// <param name="observer">Who chooses: of its own work it believes itself.</param>
    public static DenseGraph Graph(int peers, IEnumerable<WorkReport> reports, IReadOnlySet<int> choice, int observer)
    {
        ArgumentNullException.ThrowIfNull(reports);
        ArgumentNullException.ThrowIfNull(choice);
        var said = new SortedDictionary<(int Contributor, int Consumer), (double ByContributor, double ByConsumer)>();
        foreach (var (reporter, contributor, consumer, amount) in reports)
        {
            if (reporter != contributor && reporter != consumer) continue;
            var (byContributor, byConsumer) = said.GetValueOrDefault((contributor, consumer));
            said[(contributor, consumer)] = reporter == contributor ? (amount, byConsumer) : (byContributor, amount);
        }
        var edges = new List<WorkEdge>();
        foreach (var ((contributor, consumer), (byContributor, byConsumer)) in said)
        {
            double amount;
            if (contributor == observer) amount = byContributor;
            else if (consumer == observer) amount = byConsumer;
            else
            {
                amount = (choice.Contains(contributor), choice.Contains(consumer)) switch
                {
                    (true, true) => 0,
                    (true, false) => byConsumer,
                    (false, true) => byContributor,
                    _ => Math.Max(byContributor, byConsumer),
                };
            }
            edges.Add(new WorkEdge(contributor, consumer, amount));
        }
        return DenseGraph.Of(peers, edges);
    }
}
