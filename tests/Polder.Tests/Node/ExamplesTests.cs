using System.Threading.Channels;
using Polder.Examples;
using Polder.Node;

namespace Polder.Tests.Node;

/// <summary>The examples do what their text says, on real sockets.</summary>
public sealed class ExamplesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Hello_runs_over_udp_as_it_is()
    {
        await using var alice = await new NodeBuilder(NodeTests.Quick(_folder.At("alice"))).Join(context => new HelloCommunity(context)).StartAsync(Stop);
        await using var bob = await new NodeBuilder(NodeTests.Quick(_folder.At("bob"), alice.UdpEndpoint.ToString()))
            .Join(context => new HelloCommunity(context)).StartAsync(Stop);
        await NodeTests.UntilAsync(async () =>
            await alice.InvokeAsync(() => alice.Community<HelloCommunity>().Clock > 0) && await bob.InvokeAsync(() => bob.Community<HelloCommunity>().Clock > 0), "they greet each other");
        Assert.Equal(0, await bob.InvokeAsync(() => bob.Community<HelloCommunity>().Unanswered));
    }

    [Theory, InlineData(8812), InlineData(1)]
    public void Hello_runs_in_a_simulation_as_it_is(ulong seed) =>
        Assert.InRange(HelloInASimulation.Run(seed), TimeSpan.Zero, TimeSpan.FromMinutes(2));

    [Fact]
    public async Task Two_consoles_exchange_a_message_by_key()
    {
        var (oneTypes, oneShows) = (new Pipe(), new Pipe());
        var (twoTypes, twoShows) = (new Pipe(), new Pipe());
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var one = TwoConsoles.RunAsync(NodeTests.Quick(_folder.At("one")), oneTypes, oneShows.Writer, stop.Token);
        var (_, oneAddress) = WhoAndWhere(await oneShows.ReadLineAsync(stop.Token));
        var two = TwoConsoles.RunAsync(NodeTests.Quick(_folder.At("two"), oneAddress), twoTypes, twoShows.Writer, stop.Token);
        var (twoKey, _) = WhoAndWhere(await twoShows.ReadLineAsync(stop.Token));

        oneTypes.Write("hello?");
        Assert.Equal("Type a key, a space and your message.", await oneShows.ReadLineAsync(stop.Token));
        var heard = twoShows.ReadLineAsync(stop.Token).AsTask();
        while (!heard.IsCompleted)
        {
            oneTypes.Write(twoKey + " good morning");
            await Task.WhenAny(heard, Task.Delay(100, stop.Token));
        }
        Assert.EndsWith("says: good morning", await heard, StringComparison.Ordinal);
        oneTypes.End();
        twoTypes.End();
        await Task.WhenAll(one, two);
    }

    private static (string Key, string Address) WhoAndWhere(string? line)
    {
        var words = line!.Split(' ');
        return (words[2], words[4]);
    }

    /// <summary>A console's one direction: lines written here are read there.</summary>
    private sealed class Pipe : TextReader
    {
        private readonly Channel<string> _lines = Channel.CreateUnbounded<string>();

        public Pipe() => Writer = new LineWriter(_lines.Writer);

        public TextWriter Writer { get; }
        public void Write(string line) => _lines.Writer.TryWrite(line);
        public void End() => _lines.Writer.Complete();

        public override async ValueTask<string?> ReadLineAsync(CancellationToken cancellationToken) =>
            await _lines.Reader.WaitToReadAsync(cancellationToken) && _lines.Reader.TryRead(out var line) ? line : null;
    }

    private sealed class LineWriter(ChannelWriter<string> lines) : TextWriter
    {
        public override System.Text.Encoding Encoding => System.Text.Encoding.UTF8;
        public override void WriteLine(string? value) => lines.TryWrite(value ?? "");
        public override Task WriteLineAsync(string? value)
        {
            WriteLine(value);
            return Task.CompletedTask;
        }
    }
}
