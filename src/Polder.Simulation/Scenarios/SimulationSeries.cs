using System.Globalization;
using System.Text;
using Polder.Overlay;

namespace Polder.Simulation.Scenarios;

/// <summary>How a run went over virtual time: what was counted at each look. Immutable; for a file of commas and for a plot.</summary>
/// <param name="Columns">What each number of a row is; the first is <c>seconds</c> of virtual time since the run began.</param>
/// <param name="Rows">One row a look, in order of time; each as long as <paramref name="Columns"/>.</param>
public sealed record SimulationSeries(IReadOnlyList<string> Columns, IReadOnlyList<IReadOnlyList<double>> Rows)
{
    /// <summary>As text: a line of names, then a line a row, numbers with a point.</summary>
    public string ToCsv()
    {
        var text = new StringBuilder().AppendJoin(',', Columns).Append('\n');
        foreach (var row in Rows) text.AppendJoin(',', row.Select(static value => value.ToString("0.###", CultureInfo.InvariantCulture))).Append('\n');
        return text.ToString();
    }
}

/// <summary>Looks at a world at each interval of virtual time.</summary>
internal sealed class SeriesSampler(TimeSpan interval)
{
    private static readonly string[] Columns =
        ["seconds", "running", "peers_mean", "peers_min", "sent_per_second", "delivered_per_second", "dropped_per_second", "bytes_per_second", "planned"];

    private readonly List<IReadOnlyList<double>> _rows = [];
    private (long Sent, long Delivered, long Dropped, long Bytes) _before;
    private TimeSpan _begun;

    public SimulationSeries Series => new(Columns, [.. _rows]);

    /// <summary>A world of the run begins; <paramref name="begun"/> is how long those before it took.</summary>
    public void Watch(World world, TimeSpan begun)
    {
        (_begun, _before) = (begun, default);
        world.Every(interval, () => Look(world));
    }

    private void Look(World world)
    {
        var (running, peers, least) = (0, 0L, int.MaxValue);
        foreach (var node in world.Nodes)
        {
            if (!node.IsRunning) continue;
            running++;
            if (node.Program is not NodeHost host) continue;
            peers += host.Peers.Count;
            least = Math.Min(least, host.Peers.Count);
        }
        var traffic = world.Traffic;
        var now = (traffic.Sent, traffic.Delivered, traffic.Dropped, Bytes: traffic.BytesDelivered);
        var seconds = interval.TotalSeconds;
        _rows.Add([
            (_begun + world.Now).TotalSeconds, running, running == 0 ? 0 : (double)peers / running, least == int.MaxValue ? 0 : least,
            (now.Sent - _before.Sent) / seconds, (now.Delivered - _before.Delivered) / seconds, (now.Dropped - _before.Dropped) / seconds,
            (now.Bytes - _before.Bytes) / seconds, world.Planned,
        ]);
        _before = now;
    }
}
