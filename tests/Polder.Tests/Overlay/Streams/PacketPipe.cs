using Polder.Overlay.Sessions;
using Polder.Overlay.Streams;
using Polder.Runtime;

namespace Polder.Tests.Overlay.Streams;

/// <summary>What one direction of a pipe does to packets.</summary>
internal sealed record PipeModel
{
    public TimeSpan Latency { get; init; } = TimeSpan.FromMilliseconds(20);
    public double Loss { get; init; }
    public double Duplication { get; init; }
    public double Reordering { get; init; }
    public TimeSpan ReorderingWithin { get; init; } = TimeSpan.FromMilliseconds(30);
    /// <summary>0: no limit. Otherwise drop-tail with <see cref="QueueLimit"/>.</summary>
    public double BytesPerSecond { get; init; }
    public TimeSpan QueueLimit { get; init; } = TimeSpan.FromMilliseconds(100);
}

/// <summary>
/// Virtual time for the rules of streams: one loop, packets in flight, timers. No session, no socket: what a connection sends is numbered
/// and carried, and each number is handed over once, as the replay window of a session sees to.
/// </summary>
internal sealed class PacketPipe
{
    private readonly PriorityQueue<Action, (long, long)> _events = new();
    private readonly PipeLoop _loop = new();
    private long _order;

    public PacketPipe(ulong seed, PipeModel? model = null, StreamOptions? options = null)
    {
        (Seed, Random) = (seed, new Prng(seed));
        Model = model ?? new PipeModel();
        (Alice, Bob) = AddPair(options);
    }

    /// <summary>Two more ends, whose packets take the same line.</summary>
    public (PipeEnd Initiator, PipeEnd Responder) AddPair(StreamOptions? options = null)
    {
        var a = new PipeEnd(this, isInitiator: true, options ?? new StreamOptions());
        var b = new PipeEnd(this, isInitiator: false, options ?? new StreamOptions());
        (a.Other, b.Other) = (b, a);
        return (a, b);
    }

    public ulong Seed { get; }
    public Prng Random { get; }
    public PipeModel Model { get; set; }
    public TimeSpan Now { get; private set; }
    public NodeLoop Loop => _loop;
    public PipeEnd Alice { get; }
    public PipeEnd Bob { get; }
    public bool IsCut { get; set; }

    /// <summary>The bottleneck of all pairs.</summary>
    public SharedLine Line { get; set; } = new();

    public void At(TimeSpan time, Action work) => _events.Enqueue(work, (time.Ticks, _order++));

    /// <summary>Runs until the task is done, or fails.</summary>
    public T Run<T>(Func<Task<T>> work, TimeSpan limit)
    {
        Task<T>? task = null;
        _loop.Post(() => task = work());
        RunUntil(() => task is { IsCompleted: true }, limit);
        return task!.GetAwaiter().GetResult();
    }

    public void Run(Func<Task> work, TimeSpan limit) => Run(async () => { await work(); return true; }, limit);

    public void RunFor(TimeSpan time)
    {
        var end = Now + time;
        RunUntil(() => false, time, orTimeout: true);
        Now = end;
    }

    public void RunUntil(Func<bool> condition, TimeSpan limit, bool orTimeout = false)
    {
        var end = Now + limit;
        while (true)
        {
            _loop.Drain();
            if (condition()) return;
            if (!_events.TryPeek(out _, out var next) || next.Item1 > end.Ticks)
            {
                if (orTimeout) return;
                Assert.Fail($"Nothing more happens within {limit}; seed {Seed}.\nalice {Alice}\nbob {Bob}");
            }
            var work = _events.Dequeue();
            Now = TimeSpan.FromTicks(next.Item1);
            _loop.Post(work);
        }
    }

    public void Carry(PipeEnd to, byte[] frames, PacketNumber number)
    {
        if (IsCut || Random.Chance(Model.Loss)) return;
        var delay = Model.Latency;
        if (Model.BytesPerSecond > 0)
        {
            var line = Line;
            ref var busy = ref (to.IsInitiator ? ref line.Back : ref line.Forth);
            if (busy < Now) busy = Now;
            if (busy - Now > Model.QueueLimit) return;
            busy += TimeSpan.FromSeconds((frames.Length + 57) / Model.BytesPerSecond);
            delay += busy - Now;
            if (!to.IsInitiator) line.Delays.Add((Now, busy - Now));
        }
        if (Random.Chance(Model.Reordering)) delay += Random.NextDuration(Model.ReorderingWithin);
        At(Now + delay, () => to.Receive(frames, number));
        if (Random.Chance(Model.Duplication)) At(Now + delay + Random.NextDuration(Model.ReorderingWithin), () => to.Receive(frames, number));
    }

    private sealed class PipeLoop : NodeLoop
    {
        private readonly Queue<Action> _work = new();
        public override void Post(Action work) => _work.Enqueue(work);
        public void Drain()
        {
            while (_work.TryDequeue(out var work)) Run(work);
        }
    }
}

/// <summary>A bottleneck: until when each direction is busy.</summary>
internal sealed class SharedLine
{
    public TimeSpan Forth, Back;
    public List<(TimeSpan At, TimeSpan Delay)> Delays { get; } = [];
}

/// <summary>One end of a pipe: a connection and its link.</summary>
internal sealed class PipeEnd : IStreamLink
{
    private readonly HashSet<PacketNumber> _seen = [];
    private TimeSpan _timerAt = TimeSpan.MaxValue;
    private ulong _counter;

    public PipeEnd(PacketPipe pipe, bool isInitiator, StreamOptions options)
    {
        (Pipe, IsInitiator) = (pipe, isInitiator);
        Pages = new PagePool(options.ReassemblyBytesMax);
        Connection = new StreamConnection(this, options, Pages);
    }

    public PacketPipe Pipe { get; }
    public PipeEnd Other { get; set; } = null!;
    public PagePool Pages { get; }
    public StreamConnection Connection { get; }
    public Dictionary<string, Func<PeerStream, Task>> Handlers { get; } = [];
    public uint Epoch { get; set; } = 1;
    public long PacketsSent { get; private set; }
    public int Suspected { get; private set; }
    public bool CanSend { get; set; } = true;
    public int FramesMalformed { get; private set; }

    public Session Session => null!;
    public NodeLoop Loop => Pipe.Loop;
    public TimeSpan Now => Pipe.Now;
    public bool IsInitiator { get; }
    public int FrameBytesMax { get; set; } = 1168;
    public TimeSpan? RoundTrip => null;

    public bool TrySendPacket(ReadOnlySpan<byte> frames, out PacketNumber number)
    {
        number = default;
        if (!CanSend) return false;
        Assert.InRange(frames.Length, 1, FrameBytesMax);
        number = new PacketNumber(Epoch, _counter++);
        PacketsSent++;
        Pipe.Carry(Other, frames.ToArray(), number);
        return true;
    }

    public void Rekey()
    {
        Epoch++;
        _counter = 0;
    }

    public void Receive(byte[] packet, PacketNumber number)
    {
        if (!_seen.Add(number)) return;
        // As in a session: who gets a packet of a new key has that key, and uses it.
        if (number.Epoch > Epoch) (Epoch, _counter) = (number.Epoch, 0);
        Connection.BeginPacket(number);
        var rest = packet.AsSpan();
        while (rest.Length >= 3)
        {
            var length = rest[1] << 8 | rest[2];
            if (!Connection.OnFrame((FrameType)rest[0], rest.Slice(3, length))) FramesMalformed++;
            rest = rest[(3 + length)..];
        }
        Connection.EndPacket(Now);
    }

    public void Touch(StreamConnection connection)
    {
        if (connection.IsTouched) return;
        connection.IsTouched = true;
        Loop.Post(Flush);
    }

    private void Flush()
    {
        Connection.IsTouched = false;
        Connection.Flush();
        var at = Connection.NextAt;
        if (at <= Now) Touch(Connection);
        else if (at < _timerAt)
        {
            _timerAt = at;
            Pipe.At(at, () =>
            {
                if (_timerAt != at) return;
                _timerAt = TimeSpan.MaxValue;
                Flush();
            });
        }
    }

    public bool Accept(PeerStream stream)
    {
        if (!Handlers.TryGetValue(stream.ProtocolName, out var handler)) return false;
        Loop.Post(() => _ = RunAsync());
        return true;

        async Task RunAsync()
        {
            await handler(stream);
            await stream.DisposeAsync();
        }
    }

    public void Suspect() => Suspected++;

    public Task<PeerStream?> OpenAsync(string name, int priority = 1, bool oneWay = false) => Connection.OpenAsync(name, priority, oneWay, CancellationToken.None);

    public override string ToString() =>
        $"{Connection.Count} streams, {Connection.Sender.Recovery.Sent.Outstanding} outstanding, next {Connection.NextAt}, sent {PacketsSent}, "
        + $"lost {Connection.Sender.Recovery.PacketsLost}, window {Connection.Sender.Foreground.Window}, in flight {Connection.Sender.Foreground.InFlight}";
}
