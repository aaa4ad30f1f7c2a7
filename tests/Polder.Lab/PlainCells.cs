using System.Globalization;

namespace Polder.Lab;

/// <summary>Cells with a peer of py-ipv8: they are introduced by somebody on the public side, and walk to each other.</summary>
internal static class PlainCells
{
    private static readonly TimeSpan SecondStart = TimeSpan.FromSeconds(2);

    public static async Task<CellResult> RunAsync(Matrix matrix, Cell cell, int run)
    {
        var number = matrix.NextCell();
        var (port, name, community) = (7000 + number, string.Create(CultureInfo.InvariantCulture, $"{number}"), Matrix.NewCommunity());
        var meeting = await matrix.AgentAsync("pub0", matrix.Introducer).ConfigureAwait(false);
        var a = await matrix.AgentAsync(Matrix.HostOf(cell.KindA, 'a'), cell.MakerA).ConfigureAwait(false);
        var b = await matrix.AgentAsync(Matrix.HostOf(cell.KindB, 'b'), cell.MakerB).ConfigureAwait(false);
        var (nodeT, nodeA, nodeB) = (name + "t", name + "a", name + "b");
        try
        {
            if (matrix.Introducer == Maker.Python) meeting.Do("tracker", nodeT, ("port", port));
            else Matrix.Start(meeting, nodeT, community, port, []);
            await meeting.ExpectAsync(nodeT, "ready", Matrix.StartPatience).ConfigureAwait(false);
            string[] join = [$"{matrix.Lab.Places["pub0"].Address}:{port}"];
            Matrix.Start(a, nodeA, community, 0, join);
            var readyA = await a.ExpectAsync(nodeA, "ready", Matrix.StartPatience).ConfigureAwait(false);
            await Task.Delay(SecondStart).ConfigureAwait(false);
            Matrix.Start(b, nodeB, community, 0, join);
            var readyB = await b.ExpectAsync(nodeB, "ready", Matrix.StartPatience).ConfigureAwait(false);
            var pongA = a.WaitAsync(nodeA, "pong", matrix.Patience, item => item.Key == readyB.Key);
            var pongB = b.WaitAsync(nodeB, "pong", matrix.Patience, item => item.Key == readyA.Key);
            double? ofA = (await pongA.ConfigureAwait(false))?.At, ofB = (await pongB.ConfigureAwait(false))?.At;
            double? both = ofA is { } first && ofB is { } second ? Math.Max(first, second) - readyB.At : null;
            return new CellResult(cell, run, both) { Path = both is null ? "" : "plain" };
        }
        finally
        {
            foreach (var (agent, node) in new[] { (a, nodeA), (b, nodeB), (meeting, nodeT) }) agent.Do("stop", node);
        }
    }
}
