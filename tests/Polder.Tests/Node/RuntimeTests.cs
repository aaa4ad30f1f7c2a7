using Polder.Node.Runtime;

namespace Polder.Tests.Node;

public sealed class RuntimeTests
{
    [Fact]
    public async Task Work_runs_in_the_order_of_posting_on_one_thread()
    {
        await using var loop = new ThreadLoop();
        var seen = new List<int>();
        var threads = new HashSet<int>();
        for (var i = 0; i < 1000; i++)
        {
            var number = i;
            loop.Post(() =>
            {
                seen.Add(number);
                threads.Add(Environment.CurrentManagedThreadId);
            });
        }
        await loop.InvokeAsync(() => { });
        Assert.Equal(Enumerable.Range(0, 1000), seen);
        Assert.Single(threads);
    }

    [Fact]
    public async Task Awaits_on_the_loop_come_back_to_it()
    {
        await using var loop = new ThreadLoop();
        var workers = new ThreadPoolWorkers(loop, 2);
        var stayed = await loop.InvokeAsync(async () =>
        {
            var off = await workers.RunAsync(() => loop.IsCurrent);
            return loop.IsCurrent && !off;
        });
        Assert.True(stayed);
    }

    [Fact]
    public async Task Work_that_throws_is_told_and_the_loop_goes_on()
    {
        Exception? told = null;
        await using var loop = new ThreadLoop("test", problem => told = problem);
        loop.Post(() => throw new InvalidOperationException("on purpose"));
        await loop.InvokeAsync(() => { });
        Assert.Equal("on purpose", told?.Message);
        Assert.Equal(1, loop.Failures);
    }

    [Fact]
    public async Task Disposing_runs_what_was_posted_before()
    {
        var count = 0;
        var loop = new ThreadLoop();
        for (var i = 0; i < 100; i++) loop.Post(() => count++);
        await loop.DisposeAsync();
        Assert.Equal(100, count);
        loop.Post(() => count++);
        Assert.Equal(100, count);
    }

    [Fact]
    public async Task Workers_never_run_more_pieces_at_a_time_than_they_say()
    {
        await using var loop = new ThreadLoop();
        var workers = new ThreadPoolWorkers(loop, 2);
        int now = 0, most = 0;
        var all = Enumerable.Range(0, 50).Select(_ => workers.RunAsync(() =>
        {
            var count = Interlocked.Increment(ref now);
            InterlockedMax(ref most, count);
            Thread.SpinWait(2000);
            Interlocked.Decrement(ref now);
            return count;
        }));
        await Task.WhenAll(all);
        Assert.InRange(most, 1, 2);
    }

    [Fact]
    public void Entropy_does_not_repeat()
    {
        var random = new EntropyPrng();
        var drawn = Enumerable.Range(0, 1000).Select(_ => random.NextUInt64()).ToHashSet();
        Assert.Equal(1000, drawn.Count);
    }

    private static void InterlockedMax(ref int place, int value)
    {
        int seen;
        while ((seen = Volatile.Read(ref place)) < value && Interlocked.CompareExchange(ref place, value, seen) != seen) { }
    }
}
