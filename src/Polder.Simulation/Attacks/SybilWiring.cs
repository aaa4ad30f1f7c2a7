namespace Polder.Simulation.Attacks;

/// <summary>How false identities are tied to the attacker. Nobody honest takes part: the attack is passive (reputation.md §3.2).</summary>
internal static class SybilWiring
{
    public const string Path = "path", Cycle = "cycle", Parallel = "parallel", PathCycle = "path+cycle", Ring = "ring";

    /// <summary>The four of the published experiments.</summary>
    public static IReadOnlyList<string> Shapes { get; } = [PathCycle, Path, Cycle, Parallel];

    /// <summary>
    /// Ties new identities to the attacker by records of this amount and gives them. Trust runs against work, so "A trusts s" is a record in which s
    /// worked for A. <c>path</c>: A→s1→s2→…; <c>parallel</c>: A→s for each; <c>cycle</c>: A⇄s for each; <c>path+cycle</c>: cycle, and
    /// s1→s2→…→s(n+1), the last one tied to nobody else; <c>ring</c>: A→s1→…→sn→A.
    /// </summary>
    public static IReadOnlyList<int> Attach(Society society, string shape, int count, long amount)
    {
        if (count == 0) return [];
        var sybils = new int[count + (shape == PathCycle ? 1 : 0)];
        for (var i = 0; i < sybils.Length; i++) sybils[i] = society.Add();
        var attacker = society.Attacker;
        for (var i = 0; i < count; i++)
        {
            switch (shape)
            {
                case Path or Ring:
                    Trusts(i == 0 ? attacker : sybils[i - 1], sybils[i]);
                    break;
                case Parallel:
                    Trusts(attacker, sybils[i]);
                    break;
                case Cycle:
                    Trusts(attacker, sybils[i]);
                    Trusts(sybils[i], attacker);
                    break;
                case PathCycle:
                    Trusts(attacker, sybils[i]);
                    Trusts(sybils[i], attacker);
                    Trusts(sybils[i], sybils[i + 1]);
                    break;
                default:
                    throw new ArgumentOutOfRangeException(nameof(shape), shape, "No such shape.");
            }
        }
        if (shape == Ring) Trusts(sybils[^1], attacker);
        return sybils;

        void Trusts(int from, int to) => society.Record(contributor: to, consumer: from, amount);
    }
}
