using Polder.Node.Operations;

namespace Polder.Host.Pages;

/// <summary>Bytes a second over one interval.</summary>
public readonly record struct TrafficSample(double In, double Out);

/// <summary>Remembers the traffic of the last ten minutes for the picture on the first page.</summary>
internal sealed class TrafficHistory(INodeOperations node) : BackgroundService
{
    /// <summary>Time between two looks.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);
    /// <summary>Ten minutes of them.</summary>
    public const int SamplesMax = 120;

    private readonly Lock _gate = new();
    private readonly Queue<TrafficSample> _samples = new(SamplesMax);
    private (long In, long Out)? _last;

    /// <summary>Oldest first.</summary>
    public IReadOnlyList<TrafficSample> Samples { get { lock (_gate) return [.. _samples]; } }

    /// <summary>Takes what was counted since the start; the difference to the last time is a sample.</summary>
    public void Add(long bytesIn, long bytesOut, TimeSpan interval)
    {
        lock (_gate)
        {
            if (_last is { } last)
            {
                if (_samples.Count == SamplesMax) _samples.Dequeue();
                _samples.Enqueue(new TrafficSample(
                    Math.Max(0, bytesIn - last.In) / interval.TotalSeconds, Math.Max(0, bytesOut - last.Out) / interval.TotalSeconds));
            }
            _last = (bytesIn, bytesOut);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        using var timer = new PeriodicTimer(Interval);
        try
        {
            do
            {
                try
                {
                    var status = await node.StatusAsync(stoppingToken).ConfigureAwait(false);
                    Add(status.BytesIn, status.BytesOut, Interval);
                }
                // A node that does not answer leaves a gap; the pages say so in their own way.
                catch (OperationRefusedException) { }
            }
            while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false));
        }
        catch (OperationCanceledException) { }
    }
}
