using Polder.Ledger.Reputation;

namespace Polder.Simulation.Attacks;

/// <summary>The budgets of a real node (two-hop NetFlow, α = 2, charged against what is shared) over a society.</summary>
internal sealed class SharedBudgets
{
    private const int RoundsMax = 1_000;
    private readonly PersonalReputation _reputation;
    private uint _records;

    /// <param name="society">Whose records.</param>
    /// <param name="walks">Walks that are kept, where scores by walks are asked for.</param>
    public SharedBudgets(Society society, int walks = 1)
    {
        _reputation = new PersonalReputation(new WorkGraph("MB"), MadeUpKeys.Of(society.Observer), new ReputationOptions { Alpha = Theorem.Alpha, Walks = walks });
        foreach (var (contributor, consumer, amount) in society.Records()) Record(contributor, consumer, amount);
    }

    /// <summary>What the observer thinks of everybody.</summary>
    public PersonalReputation Reputation => _reputation;

    /// <summary>What a peer may still be served.</summary>
    public double Budget(int peer) => _reputation.Budget(MadeUpKeys.Of(peer));

    /// <summary>A score as the node has it: by walks that it keeps, not exact.</summary>
    public double Score(int peer, ScoreKind kind) => _reputation.Score(MadeUpKeys.Of(peer), kind);

    /// <summary>Charges service.</summary>
    public bool TrySpend(int peer, long amount) => _reputation.TrySpend(MadeUpKeys.Of(peer), amount);

    /// <summary>Takes a proven cheater out.</summary>
    public void Remove(int culprit) => _reputation.Remove(MadeUpKeys.Of(culprit));

    /// <summary>A record that came later, for example of service just given.</summary>
    public void Record(int contributor, int consumer, long amount) =>
        _reputation.Add(new WorkRecord(MadeUpKeys.Of(contributor), MadeUpKeys.Of(consumer), amount, MadeUpKeys.Of(consumer), ++_records, _records, 0));

    /// <summary>What a group gets when each member asks for all it can, again and again, until nobody gets anything any more. No service is recorded: only charging stands against it.</summary>
    public double Collect(IReadOnlyList<int> group)
    {
        var served = 0.0;
        for (var round = 0; round < RoundsMax; round++)
        {
            var before = served;
            foreach (var member in group)
            {
                var most = (long)Math.Floor(Budget(member));
                if (most > 0 && TrySpend(member, most)) served += most;
            }
            if (served == before) break;
        }
        return served;
    }
}
