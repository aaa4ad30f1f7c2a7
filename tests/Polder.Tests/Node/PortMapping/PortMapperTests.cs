using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Polder.Node.PortMapping;

namespace Polder.Tests.Node.PortMapping;

public sealed class PortMapperTests
{
    private const ushort Port = 8090;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static (PortMapper Mapper, Channel<PortMappingState> States) Start(FakeGateway gateway)
    {
        var states = Channel.CreateUnbounded<PortMappingState>();
        return (new PortMapper(Port, state => states.Writer.TryWrite(state), TimeProvider.System, static () => FakeGateway.Here, gateway.Controls), states);
    }

    private static async Task<PortMappingState> NextAsync(Channel<PortMappingState> states) =>
        await states.Reader.ReadAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(Patience, TestContext.Current.CancellationToken);

    [Theory]
    [InlineData("PCP", "pcp")]
    [InlineData("NAT-PMP", "natpmp")]
    [InlineData("UPnP", "AddPortMapping")]
    public async Task Each_way_alone_maps_the_port_and_takes_it_away_at_the_end(string how, string asked)
    {
        await using var gateway = new FakeGateway { Pcp = how == "PCP", NatPmp = how == "NAT-PMP", Upnp = how == "UPnP" };
        var (mapper, states) = Start(gateway);
        var state = await NextAsync(states);
        Assert.Null(state.Trouble);
        Assert.Equal(how, state.Lease!.By.Name);
        Assert.Equal(IPEndPoint.Parse("203.0.113.7:8090"), state.Lease.External);
        Assert.Equal(TimeSpan.FromHours(1), state.Lease.Lifetime);
        await mapper.DisposeAsync();
        Assert.True(gateway.CountOf(asked) >= 1);
        Assert.Equal(1, how == "UPnP" ? gateway.CountOf("DeletePortMapping") : gateway.CountOf(asked + " 8090 0"));
    }

    [Fact]
    public async Task All_are_asked_at_once_the_best_is_kept_and_the_others_are_taken_away_at_once()
    {
        await using var gateway = new FakeGateway { Pcp = true, NatPmp = true, Upnp = true };
        var (mapper, states) = Start(gateway);
        Assert.Equal("PCP", (await NextAsync(states)).Lease!.By.Name);
        Assert.Equal((1, 1), (gateway.CountOf("natpmp 8090 0"), gateway.CountOf("DeletePortMapping")));
        // They had the same outer port, perhaps the same entry: ours is asked for after they are gone.
        Assert.True(gateway.CountOf("pcp 8090 3600") >= 2);
        await mapper.DisposeAsync();
        Assert.Equal(1, gateway.CountOf("pcp 8090 0"));
    }

    [Fact]
    public async Task A_mapping_is_renewed_at_half_its_life_and_a_new_outer_address_is_told()
    {
        await using var gateway = new FakeGateway { Pcp = true, LifetimeSeconds = 2 };
        var (mapper, states) = Start(gateway);
        Assert.Equal(IPAddress.Parse("203.0.113.7"), (await NextAsync(states)).Lease!.External.Address);
        gateway.Outer = IPAddress.Parse("203.0.113.8");
        Assert.Equal(IPAddress.Parse("203.0.113.8"), (await NextAsync(states)).Lease!.External.Address);
        Assert.True(gateway.CountOf("pcp 8090 3600") >= 2);
        await mapper.DisposeAsync();
    }

    [Theory]
    [InlineData("100.64.3.4")]
    [InlineData("192.168.0.2")]
    public async Task A_router_behind_a_router_is_seen_and_its_mapping_is_not_offered(string outer)
    {
        await using var gateway = new FakeGateway { Pcp = true, Outer = IPAddress.Parse(outer) };
        var (mapper, states) = Start(gateway);
        var state = await NextAsync(states);
        Assert.Null(state.Lease);
        Assert.Contains("second router", state.Trouble, StringComparison.Ordinal);
        Assert.Equal(outer, state.Useless!.External.Address.ToString());
        await mapper.DisposeAsync();
        Assert.Equal(1, gateway.CountOf("pcp 8090 0"));
    }

    [Fact]
    public async Task A_silent_router_is_given_up_after_three_seconds_with_words()
    {
        await using var gateway = new FakeGateway();
        var (mapper, states) = Start(gateway);
        var began = TimeProvider.System.GetTimestamp();
        var state = await NextAsync(states);
        Assert.InRange(TimeProvider.System.GetElapsedTime(began).TotalSeconds, 2, 20);
        Assert.Contains("maps no port", state.Trouble, StringComparison.Ordinal);
        began = TimeProvider.System.GetTimestamp();
        await mapper.DisposeAsync();
        Assert.InRange(TimeProvider.System.GetElapsedTime(began).TotalSeconds, 0, 5);
    }

    [Fact]
    public async Task A_router_that_knows_only_leases_without_end_gets_one()
    {
        await using var gateway = new FakeGateway { Upnp = true, OnlyPermanent = true };
        var (mapper, states) = Start(gateway);
        Assert.NotNull((await NextAsync(states)).Lease);
        await mapper.DisposeAsync();
        Assert.Equal(1, gateway.CountOf("AddPortMapping 0"));
    }

    [Fact]
    public async Task Descriptions_elsewhere_redirected_or_too_long_are_not_believed()
    {
        // Another address of this machine stands for elsewhere.
        await RefusedAsync(new FakeGateway { Upnp = true, Location = static port => $"http://127.0.0.2:{port}/root.xml" }, gets: 0);
        await RefusedAsync(new FakeGateway { Upnp = true, Status = "HTTP/1.1 302 Found\r\nLocation: /elsewhere.xml" }, gets: 1);
        await RefusedAsync(new FakeGateway { Upnp = true, Description = static () => "<root>" + new string(' ', 70_000) + "</root>" }, gets: 1);
        await RefusedAsync(new FakeGateway { Upnp = true, Description = static () => "<!DOCTYPE r><root/>" }, gets: 1);

        static async Task RefusedAsync(FakeGateway gateway, int gets)
        {
            await using (gateway)
            {
                using var control = new UpnpControl(FakeGateway.Here, gateway.SearchPort);
                using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(3));
                Assert.Null(await control.MapAsync(Port, Port, limit.Token));
                Assert.Equal(gets, gateway.CountOf("GET"));
                Assert.Equal(0, gateway.CountOf("GET /elsewhere.xml") + gateway.CountOf("AddPortMapping"));
            }
        }
    }

    [Fact]
    public async Task Answers_from_another_address_or_port_are_dropped_unread()
    {
        using var gateway = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        using var stranger = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        gateway.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        stranger.Bind(new IPEndPoint(IPAddress.Parse("127.0.0.9"), 0));
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        var read = new List<byte>();
        var asking = GatewaySocket.AskAsync(IPAddress.Loopback, (IPEndPoint)gateway.LocalEndPoint!, new byte[] { 1 }, 16, answer =>
        {
            read.Add(answer[0]);
            return true;
        }, anyPort: true, limit.Token);
        var buffer = new byte[16];
        var asker = (await gateway.ReceiveFromAsync(buffer, SocketFlags.None, new IPEndPoint(IPAddress.Any, 0), limit.Token)).RemoteEndPoint;
        stranger.SendTo([66], asker);
        gateway.SendTo(new byte[17], asker);
        gateway.SendTo([7], asker);
        Assert.True(await asking);
        Assert.Equal([7], read);
    }
}
