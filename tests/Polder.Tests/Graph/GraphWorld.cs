using Polder.Graph;
using Polder.Graph.Store;
using Polder.Graph.Sync;
using Polder.Runtime;

namespace Polder.Tests.Graph;

/// <summary>Virtual time and one loop for graphs and the connections between them: everything happens in order, from one seed.</summary>
internal sealed class GraphWorld
{
    public static readonly DateTimeOffset Epoch = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly PriorityQueue<Action, (long Time, long Order)> _queue = new();
    private readonly Loop _loop;
    private long _order;

    public GraphWorld(ulong seed = 1)
    {
        (_loop, Random) = (new Loop(this), new Prng(seed));
        Time = ClockWith(TimeSpan.Zero);
    }

    public Prng Random { get; }
    public TimeProvider Time { get; }
    public long Ticks { get; private set; }
    public double Milliseconds => (Epoch - DateTimeOffset.UnixEpoch).TotalMilliseconds + Ticks / TimeSpan.TicksPerMillisecond;

    public TimeProvider ClockWith(TimeSpan offset) => new WorldClock(this, offset);

    public GraphEnvironment Environment(TimeSpan offset = default) =>
        new(_loop, ClockWith(offset), new Prng(Random.NextUInt64()), new InlineWorkers(this));

    public SharedGraph Graph(GraphOptions? options = null, IGraphStore? store = null, TimeSpan offset = default) =>
        new(Environment(offset), store ?? new MemoryGraphStore(), options);

    public void Plan(TimeSpan delay, Action work) => _queue.Enqueue(work, (Ticks + Math.Max(0, delay.Ticks), _order++));

    /// <summary>Runs everything that is due in this span of virtual time.</summary>
    public void Run(TimeSpan span)
    {
        var end = Ticks + span.Ticks;
        while (_queue.TryPeek(out var work, out var due) && due.Time <= end)
        {
            _queue.Dequeue();
            Ticks = Math.Max(Ticks, due.Time);
            On(work);
        }
        Ticks = end;
    }

    /// <summary>Runs what is due now.</summary>
    public void Settle() => Run(TimeSpan.Zero);

    /// <summary>Does something on the loop.</summary>
    public void On(Action work)
    {
        var before = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(_loop);
        try { work(); }
        finally { SynchronizationContext.SetSynchronizationContext(before); }
    }

    private sealed class Loop(GraphWorld world) : NodeLoop
    {
        public override void Post(Action work) => world.Plan(TimeSpan.Zero, work);
    }

    private sealed class InlineWorkers(GraphWorld world) : IWorkers
    {
        public int Parallelism => 1;

        public Task<T> RunAsync<T>(Func<T> work)
        {
            var result = new TaskCompletionSource<T>();
            world.Plan(TimeSpan.Zero, () => result.SetResult(work()));
            return result.Task;
        }
    }

    private sealed class WorldClock(GraphWorld world, TimeSpan offset) : TimeProvider
    {
        public override long TimestampFrequency => TimeSpan.TicksPerSecond;
        public override long GetTimestamp() => world.Ticks;
        public override DateTimeOffset GetUtcNow() => Epoch + offset + TimeSpan.FromTicks(world.Ticks);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = new WorldTimer(world, () => callback(state));
            timer.Change(dueTime, period);
            return timer;
        }
    }

    private sealed class WorldTimer(GraphWorld world, Action fire) : ITimer
    {
        private int _tag;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            var tag = ++_tag;
            if (dueTime >= TimeSpan.Zero) Plan(dueTime, period, tag);
            return true;
        }

        private void Plan(TimeSpan delay, TimeSpan period, int tag) => world.Plan(delay, () =>
        {
            if (tag != _tag) return;
            if (period > TimeSpan.Zero) Plan(period, period, tag);
            fire();
        });

        public void Dispose() => _tag++;

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}

/// <summary>A raw gun peer in a test: sends frames, remembers the messages that come.</summary>
internal sealed class RawPeer : IGraphLink
{
    private readonly GraphHub _hub;
    private readonly GraphWorld _world;

    public RawPeer(GraphWorld world, GraphHub hub, string? pid = null)
    {
        (_world, _hub) = (world, hub);
        GraphPeer? peer = null;
        world.On(() => peer = hub.Connect(this));
        Peer = peer!;
        world.Settle();
        Messages.Clear();
        if (pid is not null) Say($$"""{"dam":"?","pid":"{{pid}}","@":"hello","#":"{{Polder.Graph.Model.RandomNames.Id(world.Random)}}"}""");
    }

    public GraphPeer Peer { get; }
    public List<string> Frames { get; } = [];
    public List<System.Text.Json.JsonElement> Messages { get; } = [];
    public bool IsClosed { get; private set; }
    public string Name => "test";
    public bool IsLocal { get; init; } = true;

    public void Send(string frame)
    {
        Frames.Add(frame);
        using var parsed = System.Text.Json.JsonDocument.Parse(frame);
        if (parsed.RootElement.ValueKind == System.Text.Json.JsonValueKind.Array)
            foreach (var item in parsed.RootElement.EnumerateArray()) Messages.Add(item.Clone());
        else Messages.Add(parsed.RootElement.Clone());
    }

    public void Close() => IsClosed = true;

    /// <summary>Sends a frame and runs what follows at once.</summary>
    public void Say(string frame)
    {
        _world.On(() => _hub.Receive(Peer, frame));
        _world.Settle();
    }

    public void Leave()
    {
        _world.On(() => _hub.Disconnect(Peer));
        _world.Settle();
    }

    /// <summary>The messages that answer this id.</summary>
    public List<System.Text.Json.JsonElement> AnswersTo(string id) =>
        Messages.FindAll(message => message.TryGetProperty("@", out var to) && to.ToString() == id);
}
