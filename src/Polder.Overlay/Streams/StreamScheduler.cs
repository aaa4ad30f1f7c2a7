namespace Polder.Overlay.Streams;

/// <summary>Which stream sends next: the lower number first, those of one priority in turn, a frame each.</summary>
internal sealed class StreamScheduler
{
    public const int Priorities = 4;

    private readonly Queue<PeerStream>?[] _queues = new Queue<PeerStream>?[Priorities];

    public bool HasForeground => Any(0) || Any(1);
    public bool HasBackground => Any(2) || Any(3);

    /// <summary>Puts a stream at the end of its queue, unless it stands there already.</summary>
    public void Add(PeerStream stream)
    {
        if (stream.IsScheduled) return;
        stream.IsScheduled = true;
        (_queues[stream.Priority] ??= new Queue<PeerStream>()).Enqueue(stream);
    }

    /// <summary>Takes the next stream of a class out of its queue; null when there is none.</summary>
    public PeerStream? Take(bool background)
    {
        var first = background ? 2 : 0;
        for (var priority = first; priority < first + 2; priority++)
        {
            if (_queues[priority] is not { } queue || !queue.TryDequeue(out var stream)) continue;
            stream.IsScheduled = false;
            return stream;
        }
        return null;
    }

    private bool Any(int priority) => _queues[priority] is { Count: > 0 };
}
