using System.Net;
using System.Net.Sockets;
using System.Text;
using Polder.Apps.Parcels.Transit;
using Polder.Node.Parcels;

namespace Polder.Tests.Apps.Parcels;

/// <summary>The recorded scenes with the stock transit relay, played to ours over 127.0.0.1.</summary>
public sealed class TransitRelayTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    [Fact]
    public async Task Every_recorded_scene_goes_as_with_the_stock_relay()
    {
        await using var relay = TransitRelayServer.Start(0, loopback: true);
        foreach (var scene in WormholeVectors.Read("transit-relay.json").GetProperty("scenes").EnumerateObject())
        {
            var visitors = new Dictionary<string, Socket>();
            foreach (var step in scene.Value.EnumerateArray())
            {
                var who = step.Text("who");
                if (!visitors.TryGetValue(who, out var socket))
                {
                    socket = visitors[who] = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                    await socket.ConnectAsync(IPAddress.Loopback, relay.Port, TestContext.Current.CancellationToken);
                }
                if (step.TryGetProperty("sent", out var sent)) await ActAsync(relay, socket, sent.GetString()!);
                else if (step.TryGetProperty("received", out var received)) await ExpectAsync(scene.Name, who, socket, Encoding.ASCII.GetBytes(received.GetString()!));
                else await ExpectEndAsync(scene.Name, who, socket);
            }
            foreach (var socket in visitors.Values) socket.Dispose();
        }
    }

    [Fact]
    public void Any_first_bytes_are_judged_without_harm()
    {
        byte[][] corpus = [.. WormholeVectors.Read("transit-relay.json").GetProperty("scenes").EnumerateObject().SelectMany(scene => scene.Value.EnumerateArray())
            .Where(step => step.TryGetProperty("sent", out _)).Select(step => Encoding.ASCII.GetBytes(step.Text("sent")))];
        var rules = new RelayRules();
        Fuzz.Run("relay-line", corpus, bytes =>
        {
            var visitor = new RelayVisitor("");
            if (rules.Enter(visitor)) rules.Feed(visitor, bytes, out _);
            rules.Leave(visitor);
        }, allocationFactor: 16);
        Assert.Equal(0, rules.Waiting);
    }

    [Fact]
    public void One_address_may_not_fill_the_relay()
    {
        var rules = new RelayRules();
        for (var i = 0; i < RelayRules.WaitingPerAddressMax; i++) Assert.True(rules.Enter(new RelayVisitor("192.0.2.1")));
        Assert.False(rules.Enter(new RelayVisitor("192.0.2.1")));
        Assert.True(rules.Enter(new RelayVisitor("192.0.2.2")));
    }

    private static async Task ActAsync(TransitRelayServer relay, Socket socket, string text)
    {
        var before = relay.Counts;
        if (text == "CLOSE") socket.Dispose();
        else if (text == "HALF") socket.Shutdown(SocketShutdown.Send);
        else await socket.SendAsync(Encoding.ASCII.GetBytes(text));
        // A line that waits is to be registered before the next one comes, as it was when the scene was recorded.
        if (text.StartsWith("please", StringComparison.Ordinal) || text is "CLOSE")
            for (var i = 0; i < 40 && relay.Counts == before; i++) await Task.Delay(2);
    }

    private static async Task ExpectAsync(string scene, string who, Socket socket, byte[] expected)
    {
        var got = new byte[expected.Length];
        using var patience = new CancellationTokenSource(Patience);
        for (var count = 0; count < got.Length;)
        {
            var read = await socket.ReceiveAsync(got.AsMemory(count), patience.Token);
            Assert.True(read > 0, $"{scene}: {who} was cut off instead of getting {Encoding.ASCII.GetString(expected)}");
            count += read;
        }
        Assert.Equal(Encoding.ASCII.GetString(expected), Encoding.ASCII.GetString(got));
    }

    private static async Task ExpectEndAsync(string scene, string who, Socket socket)
    {
        using var patience = new CancellationTokenSource(Patience);
        try { Assert.True(await socket.ReceiveAsync(new byte[1].AsMemory(), patience.Token) == 0, $"{scene}: {who} got more"); }
        catch (SocketException) { }
    }
}
