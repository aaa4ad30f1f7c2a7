using System.Globalization;

namespace Polder.Lab;

/// <summary>
/// Cells of two nodes of ours, one after the other in the same neighbourhood of five public nodes: A and B join three of them, learn
/// what they are behind, then A connects to B by its key, and both say something.
/// </summary>
internal sealed class FullCells(Matrix matrix, int slot)
{
    private const int Joined = 3;
    private static readonly TimeSpan SettlePatience = TimeSpan.FromSeconds(12), UpFor = TimeSpan.FromSeconds(5), LingerUnlessDirect = TimeSpan.FromSeconds(9);

    private readonly string _community = Matrix.NewCommunity();
    private string[]? _neighbourhood;

    public async Task<CellResult> RunAsync(Cell cell, int run)
    {
        _neighbourhood ??= await SettleAsync().ConfigureAwait(false);
        var name = string.Create(CultureInfo.InvariantCulture, $"{matrix.NextCell()}");
        var a = await matrix.AgentAsync(Matrix.HostOf(cell.KindA, 'a'), Maker.Ours).ConfigureAwait(false);
        var b = await matrix.AgentAsync(Matrix.HostOf(cell.KindB, 'b'), Maker.Ours).ConfigureAwait(false);
        var (nodeA, nodeB) = (name + "a", name + "b");
        try
        {
            var join = _neighbourhood.Take(Joined);
            Matrix.Start(a, nodeA, _community, 0, join, matrix.Still);
            Matrix.Start(b, nodeB, _community, 0, join, matrix.Still);
            var readyA = await a.ExpectAsync(nodeA, "ready", Matrix.StartPatience).ConfigureAwait(false);
            var readyB = await b.ExpectAsync(nodeB, "ready", Matrix.StartPatience).ConfigureAwait(false);
            var sureA = a.WaitAsync(nodeA, "class", SettlePatience, static item => item.IsTrue("settled"));
            var sureB = b.WaitAsync(nodeB, "class", SettlePatience, static item => item.IsTrue("settled"));
            var (viewA, viewB) = (await sureA.ConfigureAwait(false), await sureB.ConfigureAwait(false));
            // A node that runs for some seconds has its neighbours and its places at relays.
            await Task.Delay(TimeSpan.FromSeconds(Math.Max(0.5, readyB.At + UpFor.TotalSeconds - Now()))).ConfigureAwait(false);

            var seen = a.Events(nodeA).Count;
            var asked = Now();
            a.Do("connect", nodeA, ("key", readyB.Key));
            var session = await a.WaitAsync(nodeA, "session", matrix.Patience, item => item.Key == readyB.Key).ConfigureAwait(false);
            var pong = session is null ? null : await a.WaitAsync(nodeA, "pong", matrix.Patience, item => item.Key == readyB.Key).ConfigureAwait(false);
            var direct = session is null ? null : IsDirect(session) ? session
                : await a.WaitAsync(nodeA, "moved", LingerUnlessDirect, item => item.Key == readyB.Key && IsDirect(item), seen).ConfigureAwait(false);
            var last = a.Events(nodeA).LastOrDefault(item => item.Name is "session" or "moved" && item.Key == readyB.Key);
            return new CellResult(cell, run, Since(pong))
            {
                Session = Since(session), Direct = Since(direct), Path = last?.Text("path") ?? "",
                Classes = $"{ClassOf(a, nodeA)} {ClassOf(b, nodeB)}", Settled = (viewA?.At - readyA.At, viewB?.At - readyB.At),
            };

            // Two that met before anybody asked are connected at once.
            double? Since(LabEvent? item) => item is null ? null : Math.Max(0, item.At - asked);
        }
        finally
        {
            a.Do("stop", nodeA);
            b.Do("stop", nodeB);
        }
    }

    /// <summary>Starts the neighbourhood and waits until its nodes know each other.</summary>
    private async Task<string[]> SettleAsync()
    {
        var port = 6000 + slot;
        string[] addresses = [.. Enumerable.Range(0, Matrix.PublicHosts).Select(i => $"{matrix.Lab.Places[$"pub{i}"].Address}:{port}")];
        for (var i = 0; i < addresses.Length; i++)
        {
            var agent = await matrix.AgentAsync($"pub{i}", Maker.Ours).ConfigureAwait(false);
            Matrix.Start(agent, $"t{slot}", _community, port, addresses.Take(i));
            await agent.ExpectAsync($"t{slot}", "ready", Matrix.StartPatience).ConfigureAwait(false);
        }
        // OV-4.2: who is met for less than ten seconds is not fully believed yet.
        await Task.Delay(TimeSpan.FromSeconds(11)).ConfigureAwait(false);
        return addresses;
    }

    private static double Now() => DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() / 1000.0;

    private static bool IsDirect(LabEvent item) => item.Text("path") is "direct" or "extra";

    private static string ClassOf(LabProcess agent, string node) =>
        agent.Events(node).LastOrDefault(static item => item.Name == "class")?.Text("class") ?? "?";
}
