using Polder.Ledger.Reputation;
using Polder.Runtime;

namespace Polder.Simulation.Attacks;

/// <summary>
/// Who did how much for whom, in a small made-up world: an observer from whose point of view everything is scored, an attacker who has
/// honestly worked so far, and others. Peers are numbers; everything is in one unit ("MB").
/// </summary>
internal sealed class Society
{
    private readonly List<Dictionary<int, long>> _rows = [];

    /// <summary>The one who scores.</summary>
    public int Observer { get; init; }
    /// <summary>The one who will attack.</summary>
    public int Attacker { get; init; }
    /// <summary>Honest peers are those below.</summary>
    public int Honest { get; private init; }
    /// <summary>Everybody.</summary>
    public int Count => _rows.Count;

    /// <summary>What a consumer got, by contributor.</summary>
    public IReadOnlyDictionary<int, long> From(int consumer) => _rows[consumer];

    /// <summary>What one gave the other.</summary>
    public long Work(int contributor, int consumer) => _rows[consumer].GetValueOrDefault(contributor);

    /// <summary>What somebody gave to those whom the condition takes.</summary>
    public long Gave(int contributor, Func<int, bool> to)
    {
        var sum = 0L;
        for (var consumer = 0; consumer < Count; consumer++)
            if (to(consumer)) sum += Work(contributor, consumer);
        return sum;
    }

    /// <summary>All that there is, by consumer and contributor, in a fixed order.</summary>
    public IEnumerable<(int Contributor, int Consumer, long Amount)> Records()
    {
        for (var consumer = 0; consumer < Count; consumer++)
            foreach (var (contributor, amount) in _rows[consumer].OrderBy(static row => row.Key)) yield return (contributor, consumer, amount);
    }

    /// <summary>A newcomer.</summary>
    public int Add()
    {
        _rows.Add([]);
        return Count - 1;
    }

    /// <summary>A record.</summary>
    public void Record(int contributor, int consumer, long amount)
    {
        if (contributor == consumer || amount <= 0) return;
        _rows[consumer][contributor] = _rows[consumer].GetValueOrDefault(contributor) + amount;
    }

    /// <summary>Takes one pair's records out.</summary>
    public void Withdraw(int contributor, int consumer) => _rows[consumer].Remove(contributor);

    /// <summary>Takes out all records of a peer, as a proof of fraud does.</summary>
    public void Remove(int culprit)
    {
        _rows[culprit].Clear();
        foreach (var row in _rows) row.Remove(culprit);
    }

    /// <summary>The same again, to be changed.</summary>
    public Society Copy()
    {
        var copy = new Society { Observer = Observer, Attacker = Attacker, Honest = Honest };
        foreach (var row in _rows) copy._rows.Add(new Dictionary<int, long>(row));
        return copy;
    }

    /// <summary>A society of given records.</summary>
    public static Society Of(int count, int observer, int attacker, IEnumerable<(int Contributor, int Consumer, long Amount)> records)
    {
        var society = new Society { Observer = observer, Attacker = attacker, Honest = count };
        for (var i = 0; i < count; i++) society.Add();
        foreach (var (contributor, consumer, amount) in records) society.Record(contributor, consumer, amount);
        return society;
    }

    /// <summary>
    /// Peers of whom a few do much and many do little (weights fall as rank^−0.6), each helped by <paramref name="density"/> others on average, with
    /// 1 to 100 MB a record; half of the help is returned in part. The attacker has worked for three of the observer's own helpers and for the
    /// observer, and got something back: an ordinary member until now.
    /// </summary>
    public static Society Generate(int peers, double density, ulong seed)
    {
        var chance = Prng.Derive(seed, "society");
        var society = new Society { Observer = 0, Attacker = 1, Honest = peers };
        for (var i = 0; i < peers; i++) society.Add();
        // Whoever is busy is not always who came first.
        var order = Enumerable.Range(0, peers).ToArray();
        chance.Shuffle<int>(order);
        var cumulative = new double[peers];
        var sum = 0.0;
        for (var i = 0; i < peers; i++) cumulative[i] = sum += Math.Pow(i + 1, -0.6);
        for (var consumer = 0; consumer < peers; consumer++)
        {
            // The observer has some helpers in every society: without them nobody has a score.
            var helpers = Math.Min(peers - 1, Math.Max(consumer == society.Observer ? 6 : 1, 1 + chance.Next((int)Math.Max(1, 2 * density - 1))));
            for (var i = 0; i < helpers; i++)
            {
                var contributor = Busy();
                if (contributor == consumer || contributor == society.Attacker || consumer == society.Attacker) continue;
                var amount = chance.Next(1, 100);
                society.Record(contributor, consumer, amount);
                if (chance.Chance(0.5)) society.Record(consumer, contributor, chance.Next(1, amount));
            }
        }
        society.Enter(chance);
        return society;

        int Busy()
        {
            var index = Array.BinarySearch(cumulative, chance.NextDouble() * sum);
            return order[Math.Min(peers - 1, index < 0 ? ~index : index)];
        }
    }

    private void Enter(Prng chance)
    {
        var helpers = From(Observer).Keys.Where(peer => peer != Attacker).Order().ToArray();
        chance.Shuffle<int>(helpers);
        foreach (var helper in helpers.Take(3))
        {
            Record(Attacker, helper, chance.Next(30, 90));
            Record(helper, Attacker, chance.Next(1, 20));
        }
        // Others have helped it, people of whom the observer may know nothing: whom it trusts it tells by these.
        for (var i = 0; i < 5; i++) Record(chance.Next(2, Honest - 1), Attacker, chance.Next(10, 30));
        Record(Attacker, Observer, chance.Next(30, 90));
        Record(Observer, Attacker, chance.Next(1, 20));
        // Gains are measured by what it was worth, so it must be worth something, also where the observer's own work flows back to it.
        while (new Scores(this, stop: 0.4).Of(ScoreKind.BarterCast2, Attacker) <= 0) Record(Attacker, Observer, 50);
    }
}
