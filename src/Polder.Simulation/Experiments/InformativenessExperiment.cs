using Polder.Ledger.Reputation.Exact;
using Polder.Runtime;
using Polder.Simulation.Attacks;

namespace Polder.Simulation.Experiments;

/// <summary>R1 (Otte, de Vos, Pouwelse, figures 6 and 7): of how many others does α-NetFlow say anything?</summary>
internal sealed class InformativenessExperiment : Study
{
    private static readonly double[] Alphas = [1, 2, 4];

    public override string Name => "R1";
    public override string About => "Informativeness of α-NetFlow: the share of peers with a positive score, for every observer, by α.";
    public override StudyNumber Peers { get; } = new("peers", 40, 10, 1_000);
    public override double? StopDefault => null;
    protected override int PeersOf(bool full) => full ? 917 : Peers.Default;

    private protected override void Play(StudyRun run)
    {
        // Whole paths cost 3n maximum flows for each observer; the published size is worked out over two hops.
        var whole = run.Peers <= 60;
        var graph = Volunteers(run.Peers, run.Seed);
        var curves = new Curves();
        var shares = new List<double[]>();
        foreach (var alpha in Alphas)
        {
            run.Step($"α = {alpha}");
            var share = new double[run.Peers];
            for (var observer = 0; observer < run.Peers; observer++)
            {
                run.Cancellation.ThrowIfCancellationRequested();
                share[observer] = (whole ? FlowScores.NetFlow(graph, observer, alpha) : FlowScores.NetFlow2(graph, observer, alpha)).Informativeness(observer);
            }
            shares.Add([.. share]);
            Array.Sort(share);
            for (var i = 0; i < share.Length; i++) curves.Add($"α = {alpha}", (double)i / (share.Length - 1), share[i]);
        }
        run.Panels.Add(new StudyPanel("informativeness", "Informativeness by observer, sorted", "observers, as share of all", "share of peers with a positive score", curves.Series)
            { Caption = $"{run.Peers} volunteers, a quarter of whom only gave; NetFlow over {(whole ? "whole paths" : "two hops")}." });

        var falls = Enumerable.Range(0, run.Peers).Count(i => shares[0][i] > shares[1][i] || shares[1][i] > shares[2][i]);
        run.Findings.Add(new Finding("informativeness rises with α, for every observer", "0 exceptions", Say.Number(falls), falls == 0, true, "a larger α counts less against a peer what it got"));
        var strict = curves.Of("α = 1");
        var zero = strict.Count(static point => point.Y == 0) / (double)strict.Count;
        // The step: how much the curve rises within a tenth of the observers.
        var width = Math.Max(1, strict.Count / 10);
        var step = Enumerable.Range(0, strict.Count - width).Max(i => strict[i + width].Y - strict[i].Y);
        run.Findings.Add(new Finding("the sorted curve has a sharp step up from 0 (published: to about 0.7)", "a rise of 0.2 or more within a tenth of the observers", $"{Say.Number(step)}; {Say.Number(100 * zero)} % of observers see nobody", step >= 0.2 && zero > 0, true,
            "who got nothing from anybody has nothing to judge by"));
    }

    /// <summary>A quarter only gives, the rest takes from those who are busy and gives a little on: as in file sharing.</summary>
    internal static DenseGraph Volunteers(int peers, ulong seed)
    {
        var chance = Prng.Derive(seed, "volunteers");
        var givers = Math.Max(2, peers / 4);
        var edges = new List<WorkEdge>();
        for (var peer = givers; peer < peers; peer++)
        {
            // As many partners at any size, as shares: volunteers who stay long meet a good part of the others.
            for (var i = chance.Next(peers / 20, peers / 5); i > 0; i--)
            {
                // Busy givers come first in the list; takers pass on to takers too.
                var contributor = chance.Chance(0.4) ? (int)(givers * Math.Pow(chance.NextDouble(), 2)) : chance.Next(givers, peers - 1);
                if (contributor != peer) edges.Add(new WorkEdge(contributor, peer, chance.Next(1, 100)));
            }
        }
        return DenseGraph.Of(peers, edges);
    }
}
