using Polder.Cryptography;
using Polder.Runtime;

namespace Polder.Tests.Core;

public sealed class RuntimeTests
{
    [Fact]
    public void Random_numbers_are_those_of_the_reference()
    {
        // Computed with another implementation of xoshiro256** over splitmix64, itself checked against the authors' first outputs.
        Assert.Equal([0x99ec5f36cb75f2b4, 0xbf6e1f784956452a, 0x1a5f849d4933e6e0, 0x6aa594f1262d2d2c], First(new Prng(0)));
        Assert.Equal([0x15780b2e0c2ec716, 0x6104d9866d113a7e, 0xae17533239e499a1, 0xecb8ad4703b360a1], First(new Prng(42)));
        Assert.Equal(0xefcfdf92046bdbfeul, Prng.DeriveSeed(7, "alice"));
        Assert.Equal(First(new Prng(Prng.DeriveSeed(7, "alice"))), First(Prng.Derive(7, "alice")));

        static ulong[] First(Prng random) => [random.NextUInt64(), random.NextUInt64(), random.NextUInt64(), random.NextUInt64()];
    }

    [Fact]
    public void Draws_stay_in_their_range_and_reach_its_ends()
    {
        var random = new Prng(1);
        var seen = new HashSet<int>();
        for (var i = 0; i < 1_000; i++) seen.Add(random.Next(3, 7));
        Assert.Equal([3, 4, 5, 6, 7], seen.Order());
        for (var i = 0; i < 1_000; i++) Assert.InRange(random.NextDouble(), 0, 0.9999999999999999);
        Assert.Throws<ArgumentOutOfRangeException>(() => random.Next(0));
        Span<byte> bytes = stackalloc byte[13];
        random.Fill(bytes);
        Assert.NotEqual(0, bytes[12] | bytes[11] | bytes[10]);
        int[] items = [1, 2, 3, 4, 5, 6, 7, 8];
        random.Shuffle(items.AsSpan());
        Assert.Equal([1, 2, 3, 4, 5, 6, 7, 8], items.Order());
    }

    [Fact]
    public void A_bucket_allows_its_burst_and_then_its_rate()
    {
        var bucket = new TokenBucket();
        var now = TimeSpan.Zero;
        for (var i = 0; i < 4; i++) Assert.True(bucket.TryTake(now, 2, 4));
        Assert.False(bucket.TryTake(now, 2, 4));
        now += TimeSpan.FromSeconds(0.5);
        Assert.True(bucket.TryTake(now, 2, 4));
        Assert.False(bucket.TryTake(now, 2, 4));
        // A clock that jumps back gives nothing and takes nothing.
        Assert.False(bucket.TryTake(TimeSpan.Zero, 2, 4));
        now += TimeSpan.FromHours(1);
        for (var i = 0; i < 4; i++) Assert.True(bucket.TryTake(now, 2, 4));
        Assert.False(bucket.TryTake(now, 2, 4));
    }

    [Fact]
    public void A_passphrase_box_opens_with_its_passphrase_only()
    {
        var secret = new byte[74];
        new Prng(1).Fill(secret);
        var entropy = new byte[40];
        new Prng(2).Fill(entropy);
        var box = PassphraseBox.Seal(secret, "caf\u00e9", entropy, operations: 1, memoryMebibytes: 8);
        Assert.Equal(secret, PassphraseBox.TryOpen(box, "caf\u00e9"));
        Assert.Null(PassphraseBox.TryOpen(box, "cafe"));
        foreach (var damaged in new[] { 0, 1, 4, 20, 44, box.Length - 1 })
        {
            var copy = box.ToArray();
            copy[damaged] ^= 1;
            Assert.Null(PassphraseBox.TryOpen(copy, "caf\u00e9"));
        }
        Assert.Null(PassphraseBox.TryOpen(box.AsSpan(0, 59), "caf\u00e9"));
        // A box that asks for absurd memory is none of ours.
        var greedy = box.ToArray();
        (greedy[2], greedy[3]) = (0xFF, 0xFF);
        Assert.Null(PassphraseBox.TryOpen(greedy, "caf\u00e9"));
    }

    [Fact]
    public async Task What_awaits_on_the_loop_stays_on_the_loop_in_order()
    {
        var loop = new QueueLoop();
        var seen = new List<string>();
        var done = loop.InvokeAsync(async () =>
        {
            seen.Add($"begin {loop.IsCurrent}");
            await Task.Yield();
            seen.Add($"after {loop.IsCurrent}");
            return 42;
        });
        loop.Post(() => seen.Add("between"));
        Assert.False(done.IsCompleted);
        loop.RunAll();
        Assert.Equal(42, await done);
        Assert.Equal(["begin True", "between", "after True"], seen);
        Assert.False(loop.IsCurrent);
    }

    [Fact]
    public async Task An_exception_and_a_cancellation_come_back_to_the_asker()
    {
        var loop = new QueueLoop();
        var broken = loop.InvokeAsync((Func<int>)(() => throw new InvalidOperationException("broken")));
        var cancelled = loop.InvokeAsync((Func<int>)(() => throw new OperationCanceledException()));
        loop.RunAll();
        await Assert.ThrowsAsync<InvalidOperationException>(() => broken);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
    }

    [Fact]
    public void The_loop_is_never_waited_for() =>
        Assert.Throws<NotSupportedException>(() => new QueueLoop().Send(_ => { }, null));

    [Fact]
    public void A_timer_stopped_between_firing_and_its_turn_does_nothing()
    {
        var loop = new QueueLoop();
        var clock = new ManualTime();
        var fired = 0;
        var timer = new LoopTimeProvider(clock, loop).CreateTimer(_ => fired++, null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));
        clock.Fire();
        loop.RunAll();
        Assert.Equal(1, fired);
        clock.Fire();
        timer.Dispose();
        loop.RunAll();
        Assert.Equal(1, fired);
    }

    private sealed class QueueLoop : NodeLoop
    {
        private readonly Queue<Action> _work = new();
        public override void Post(Action work) => _work.Enqueue(work);
        public void RunAll()
        {
            while (_work.TryDequeue(out var work)) Run(work);
        }
    }

    private sealed class ManualTime : TimeProvider
    {
        private Action? _fire;
        public void Fire() => _fire?.Invoke();
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            _fire = () => callback(state);
            return new Timer();
        }

        private sealed class Timer : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) => true;
            public void Dispose() { }
            public ValueTask DisposeAsync() => ValueTask.CompletedTask;
        }
    }
}
