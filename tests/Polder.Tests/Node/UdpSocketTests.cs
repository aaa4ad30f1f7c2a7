using System.Diagnostics;
using Polder.Net;
using Polder.Node;
using Polder.Node.Lan;
using Polder.Node.Runtime;
using Polder.Node.Udp;

namespace Polder.Tests.Node;

public sealed class UdpSocketTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task Datagrams_arrive_on_the_loop_with_the_sender_s_address_in_order()
    {
        await using var loop = new ThreadLoop();
        using var alice = UdpSocket.Bind(loop, 0, loopback: true);
        using var bob = UdpSocket.Bind(loop, 0, loopback: true);
        var got = new List<int>();
        var done = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        bob.Received = (from, datagram) =>
        {
            if (!loop.IsCurrent || from != alice.LocalEndpoint || datagram.Length != 600) done.TrySetResult(false);
            got.Add(datagram[599]);
            if (got.Count == 200) done.TrySetResult(true);
        };
        loop.Post(() =>
        {
            Span<byte> datagram = stackalloc byte[600];
            for (var i = 0; i < 200; i++)
            {
                datagram[599] = (byte)i;
                alice.Send(bob.LocalEndpoint, datagram);
            }
        });
        Assert.True(await done.Task.WaitAsync(Patience, TestContext.Current.CancellationToken));
        Assert.Equal(Enumerable.Range(0, 200), got);
        Assert.Equal(200 * 600, bob.BytesIn);
        Assert.Equal(200, alice.DatagramsOut);
    }

    [Fact]
    public async Task The_largest_and_the_empty_datagram_pass()
    {
        await using var loop = new ThreadLoop();
        using var alice = UdpSocket.Bind(loop, 0, loopback: true);
        var lengths = new List<int>();
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        alice.Received = (_, datagram) =>
        {
            lengths.Add(datagram.Length);
            if (lengths.Count == 2) done.TrySetResult();
        };
        loop.Post(() =>
        {
            alice.Send(alice.LocalEndpoint, new byte[Limits.DatagramBytesMax]);
            alice.Send(alice.LocalEndpoint, []);
        });
        await done.Task.WaitAsync(Patience, TestContext.Current.CancellationToken);
        Assert.Equal([Limits.DatagramBytesMax, 0], lengths);
    }

    [Fact]
    public async Task A_taken_port_is_refused_with_what_to_do()
    {
        await using var loop = new ThreadLoop();
        using var first = UdpSocket.Bind(loop, 0, loopback: true);
        var problem = Assert.Throws<NodeStartException>(() => UdpSocket.Bind(loop, first.LocalEndpoint.Port, loopback: true));
        Assert.Contains($"UDP port {first.LocalEndpoint.Port} is taken", problem.Message, StringComparison.Ordinal);
        Assert.Contains("--port", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_confined_socket_sends_to_loopback_only()
    {
        await using var loop = new ThreadLoop();
        using var socket = UdpSocket.Bind(loop, 0, loopback: true);
        // Addresses for documentation (RFC 5737, 3849): refused before the system is asked.
        Assert.True(Endpoint.TryParse("192.0.2.1:8090", out var outside));
        Assert.True(Endpoint.TryParse("[2001:db8::1]:8090", out var outside6));
        await loop.InvokeAsync(() =>
        {
            socket.Send(outside, [1]);
            socket.Send(outside6, [1]);
            socket.Send(Endpoint.None, [1]);
        });
        Assert.Equal(0, socket.DatagramsOut);
        Assert.Equal(3, socket.SendsRefused);
        Assert.Null(socket.LocalIPv6Endpoint);
        Assert.True(socket.LocalEndpoint.IsLoopback);
    }

    [Fact]
    public async Task A_handler_that_throws_does_not_make_the_socket_deaf()
    {
        await using var loop = new ThreadLoop();
        using var socket = UdpSocket.Bind(loop, 0, loopback: true);
        var second = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var count = 0;
        socket.Received = (_, _) =>
        {
            if (count++ == 0) throw new InvalidOperationException("on purpose");
            second.TrySetResult();
        };
        loop.Post(() => socket.Send(socket.LocalEndpoint, [1]));
        loop.Post(() => socket.Send(socket.LocalEndpoint, [2]));
        await second.Task.WaitAsync(Patience, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_loop_that_is_behind_drops_datagrams_and_counts_them()
    {
        await using var loop = new ThreadLoop();
        await using var senderLoop = new ThreadLoop();
        using var slow = UdpSocket.Bind(loop, 0, loopback: true);
        using var fast = UdpSocket.Bind(senderLoop, 0, loopback: true);
        using var release = new ManualResetEventSlim();
        slow.Received = (_, _) => { };
        loop.Post(release.Wait);
        await senderLoop.InvokeAsync(() =>
        {
            var datagram = new byte[60_000];
            for (var i = 0; i < 200; i++)
            {
                fast.Send(slow.LocalEndpoint, datagram);
                if (i % 4 == 3) Thread.Sleep(1);
            }
        });
        var deadline = Stopwatch.StartNew();
        while (slow.DroppedBehind == 0 && deadline.Elapsed < Patience) await Task.Delay(10, TestContext.Current.CancellationToken);
        release.Set();
        Assert.True(slow.DroppedBehind > 0);
        Assert.True(slow.DatagramsIn > slow.DroppedBehind);
    }

    [Fact]
    public async Task Twenty_thousand_datagrams_a_second_go_out_and_come_back_with_little_allocation()
    {
        await using var loop = new ThreadLoop();
        await using var otherLoop = new ThreadLoop();
        using var client = UdpSocket.Bind(loop, 0, loopback: true);
        using var server = UdpSocket.Bind(otherLoop, 0, loopback: true);
        const int total = 40_000, window = 64;
        var answered = 0;
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var request = new byte[200];
        server.Received = (from, datagram) => server.Send(from, datagram);
        client.Received = (_, _) =>
        {
            answered++;
            if (answered == total) done.TrySetResult();
            else if (answered + window <= total) client.Send(server.LocalEndpoint, request);
        };
        var allocatedBefore = GC.GetTotalAllocatedBytes();
        var clock = Stopwatch.StartNew();
        loop.Post(() =>
        {
            for (var i = 0; i < window; i++) client.Send(server.LocalEndpoint, request);
        });
        await done.Task.WaitAsync(Patience, TestContext.Current.CancellationToken);
        var perSecond = total / clock.Elapsed.TotalSeconds;
        var bytesEach = (GC.GetTotalAllocatedBytes() - allocatedBefore) / (double)total;
        TestContext.Current.SendDiagnosticMessage($"{perSecond:F0} round trips a second, {bytesEach:F0} bytes allocated each");
        // Other tests run beside this one: the time is a figure, the bound only excludes a mistake of design.
        Assert.True(perSecond > 4_000, $"{perSecond:F0} round trips a second");
    }

    [Fact]
    public void A_lan_announcement_is_96_bytes_and_reads_back()
    {
        var announcement = new LanAnnouncement(0x1122334455667788, 8090, 99);
        Span<byte> bytes = stackalloc byte[LanAnnouncement.Bytes];
        announcement.Write(bytes);
        Assert.True(LanAnnouncement.TryRead(bytes, out var read));
        Assert.Equal(announcement, read);
        for (var length = 0; length < bytes.Length; length++) Assert.False(LanAnnouncement.TryRead(bytes[..length], out _));
        bytes[8] = 1;
        Assert.False(LanAnnouncement.TryRead(bytes, out _));
    }
}
