using Polder.Runtime;

namespace Polder.Simulation.Attacks;

/// <summary>Somebody who spends the same place of its chain with one after the other, until they find out.</summary>
internal sealed class ForkAttack : Study
{
    private const int Fanout = 10, SecondsMax = 300, KnownSeconds = 8;
    private const double HopSeconds = 0.1;

    public override string Name => "fork";
    public override string About => "A peer signs the same place of its chain with ever more others: how often does it get away with it?";
    public override StudyNumber Peers { get; } = new("peers", 1_000, 20, 10_000);
    public override StudyNumber Strength { get; } = new("double spends a second", 5, 1, 50);
    public override IReadOnlyList<string> Variants { get; } = ["all", "push", "pull"];
    public override double? StopDefault => null;

    private protected override void Play(StudyRun run)
    {
        string[] ways = run.Variant == "all" ? ["pull", "push", "push and pull"] : [run.Variant];
        var (served, known) = (new Curves(), new Curves());
        var detected = new Dictionary<string, List<double>>();
        foreach (var way in ways)
        {
            var times = detected[way] = [];
            foreach (var rate in run.Strengths(6, from: 1))
            {
                run.Step($"{way}, {rate} a second");
                var runs = Enumerable.Range(0, 5).Select(i => new Gossip(run.Peers, rate, way, Prng.Derive(run.Seed, $"fork {way} {rate} {i}")).Play(run.Cancellation)).ToList();
                served.Add(way, rate, runs.Average(static one => one.Served));
                times.AddRange(runs.Select(static one => one.Detected));
                if (rate != run.Strengths(6, from: 1)[0]) continue;
                foreach (var (seconds, share) in runs[0].Known) known.Add(way, seconds, share);
            }
        }
        run.Panels.Add(new StudyPanel("served", "Double spends that succeed", "double spends a second", "victims", served.Series)
            { Caption = $"{run.Peers} peers; a victim pushes what it signed to {Fanout} others, or everybody asks one other a second, or both. Mean of five runs." });
        run.Panels.Add(new StudyPanel("known", "Who knows the proof", "seconds since the first double spend", "share of all peers", known.Series));
        foreach (var way in ways)
        {
            var times = detected[way].Order().ToList();
            var median = times[times.Count / 2];
            var limit = way == "pull" ? 63.5 : 5;
            run.Findings.Add(new Finding($"by {way} a fork is found within {Say.Number(limit)} s (median)", $"≤ {Say.Number(limit)} s", $"{Say.Number(median)} s", median <= limit, way != "pull",
                way == "pull" ? "published for 10,000 peers; each asks one other a second here" : "whoever signed tells others at once, so two halves meet soon"));
            var most = served.Highest(way);
            run.Findings.Add(new Finding($"by {way} the gain is bounded", "rate × (time to find + time to tell)", $"{Say.Number(most)} victims at {run.Max} a second", most < run.Max * (double)SecondsMax, false,
                "once proven it is refused by all for good, and what it had earned is struck from every graph"));
        }
        run.Lines.Add("This is a model of the gossip alone. The node's own code, with loss and partitions, runs in: polder sim fork (10,000 nodes with --nodes 10000) and polder sim cheaters");
    }

    /// <summary>Rounds of a tenth of a second.</summary>
    private sealed class Gossip(int peers, int rate, string way, Prng chance)
    {
        private readonly HashSet<int>[] _holds = new HashSet<int>[peers];
        private readonly bool[] _knows = new bool[peers];
        private int _knowing;
        // Who tells whom what in the round after this one; the version −1 is the proof.
        private List<(int To, int Version)> _next = [];

        public (int Served, double Detected, IReadOnlyList<(double Seconds, double Share)> Known) Play(CancellationToken cancellation)
        {
            for (var i = 0; i < peers; i++) _holds[i] = [];
            var (served, version, due, detected) = (0, 0, 0.0, (double)SecondsMax);
            var known = new List<(double, double)>();
            for (var round = 0; round * HopSeconds < SecondsMax; round++)
            {
                if (round % 100 == 0) cancellation.ThrowIfCancellationRequested();
                var now = round * HopSeconds;
                for (; due <= now; due += 1.0 / rate)
                {
                    // Peer 0 is the cheater.
                    var victim = chance.Next(1, peers - 1);
                    if (_knows[victim]) continue;
                    served++;
                    Take(victim, version++, tell: way != "pull");
                }
                var arriving = _next;
                _next = [];
                foreach (var (to, what) in arriving) Take(to, what, tell: what < 0);
                if (way != "push" && round % 10 == 0)
                {
                    for (var i = 1; i < peers; i++)
                    {
                        var asked = chance.Next(1, peers - 1);
                        if (_knows[asked]) _next.Add((i, -1));
                        else foreach (var held in _holds[asked]) _next.Add((i, held));
                    }
                }
                if (_knowing > 0 && detected == SecondsMax) detected = now;
                if (round % 5 == 0) known.Add((now, (double)_knowing / (peers - 1)));
                if (_knowing >= peers - 1 && now >= KnownSeconds) break;
            }
            return (served, detected, known);
        }

        private void Take(int peer, int version, bool tell)
        {
            if (_knows[peer]) return;
            if (version < 0 || _holds[peer].Add(version) && _holds[peer].Count > 1)
            {
                _knows[peer] = true;
                _knowing++;
                _holds[peer].Clear();
                // A proof is told to some others at once, whatever the rest does.
                for (var i = 0; i < Fanout; i++) _next.Add((chance.Next(1, peers - 1), -1));
            }
            else if (tell && version >= 0)
            {
                for (var i = 0; i < Fanout; i++) _next.Add((chance.Next(1, peers - 1), version));
            }
        }
    }
}
