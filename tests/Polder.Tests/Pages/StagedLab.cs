using Polder.Host.Lab;

namespace Polder.Tests.Pages;

/// <summary>A laboratory that stands still until it is told to go on.</summary>
internal sealed class StagedLab : ILabFeed
{
    private readonly TaskCompletionSource _never = new();
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _version = 1;

    public LabSnapshot? Current { get; private set; }

    public void Show(LabSnapshot snapshot)
    {
        Current = snapshot;
        _version++;
        var changed = _changed;
        _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        changed.SetResult();
    }

    public async Task<long> WaitForChangeAsync(long seen, CancellationToken cancellation)
    {
        if (seen < _version) return _version;
        await Task.WhenAny(_changed.Task, _never.Task).WaitAsync(cancellation);
        return _version;
    }

    /// <summary>Eight nodes that have worked for a while.</summary>
    public static LabSnapshot Eight(double seconds, int blocks = 9)
    {
        const int count = 8;
        var names = Enumerable.Range(50, count).Select(StagedNode.PeerOf).ToList();
        var edges = new List<LabEdge>();
        for (var a = 0; a < count; a++)
            for (var b = a + 1; b < count; b++)
                if (b - a is 1 or 7 || (a * 3 + b * 5) % 7 > 2)
                    edges.Add(new LabEdge(a, b, b - a is 1 or 7, true, (a + b) % 3 == 0 ? (a + 1L) << 22 : 0, (a * b) % 4 == 1 ? 3 << 20 : 0));
        var nodes = Enumerable.Range(0, count).Select(i => new LabNode(i, names[i].Name, names[i].PublicKey, $"127.0.0.1:{40000 + i}",
            [.. edges.Where(edge => edge.A == i || edge.B == i).Select(edge => edge.A == i ? edge.B : edge.A)],
            [.. Enumerable.Range(1, blocks + i % 3).Select(n => new LabStone(n, true, n < blocks + i % 3, "25 MB"))], blocks + i % 3,
            [.. Enumerable.Range(1, 3).Select(k => new LabRank((i + k) % count, names[(i + k) % count].Name, (60.0 - 13 * k + i) * (1 << 20), 4 - k))])).ToList();
        List<LabEvent> events =
        [
            new(seconds - .1, "work", $"{names[3].Name} passes 18 MB on for {names[6].Name}"),
            new(seconds - .8, "agreed", $"{names[5].Name} agreed: 12 MB from {names[0].Name}"),
            new(seconds - 1.2, "rank", $"{names[2].Name} now ranks {names[3].Name} first"),
            new(seconds - 1.9, "met", $"{names[7].Name} met {names[1].Name} through {names[0].Name}"),
            new(seconds - 2.6, "agreed", $"{names[6].Name} agreed: 30 MB from {names[5].Name}"),
        ];
        return new LabSnapshot(42, seconds, 30, false, nodes, edges, events, 41, edges.Count(edge => edge.Mutual), 28);
    }
}
