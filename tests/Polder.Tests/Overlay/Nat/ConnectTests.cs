using Polder.Simulation;
using Polder.Simulation.Scenarios;

namespace Polder.Tests.Overlay.Nat;

/// <summary>Nodes behind NAT boxes connect by key, in the simulator.</summary>
public sealed class ConnectTests
{
    [Fact]
    public void Matrix()
    {
        var lines = new List<string>();
        ulong seed = 1;
        foreach (var a in ConnectScenario.Kinds)
            foreach (var b in ConnectScenario.Kinds)
            {
                var world = new World(seed++, new LinkModel { Latency = 15.Milliseconds, Jitter = 3.Milliseconds });
                string line;
                try
                {
                    var meeting = ConnectScenario.Meet(world, a, b, 4, 12.Seconds);
                    line = $"{a,-12} {b,-12} usable {meeting.Usable.TotalMilliseconds,6:0} direct {meeting.Direct?.TotalMilliseconds,6:0} {meeting.Origin} {(meeting.ClassesRight ? "" : "CLASS")} {(meeting.Direct is null && ConnectScenario.MustBeDirect(a, b) ? "MISS" : "")} {ConnectScenario.Describe(world["left"], world["right"])}";
                }
                catch (SimulationFailedException problem)
                {
                    line = $"{a,-12} {b,-12} FAILED {problem.Message.Split('\n')[0]}";
                }
                lines.Add(line);
            }
        File.WriteAllLines("/tmp/matrix.txt", lines);
    }
}
