using System.Net;
using System.Net.Sockets;
using Polder.Node.PortMapping;

namespace Polder.Tests.Node.PortMapping;

/// <summary>
/// A real router: Debian's miniupnpd between a home and a world, all of it in network namespaces of the test. Nothing leaves the
/// machine, whatever the addresses look like; miniupnpd maps only at an outer address that is public.
/// </summary>
public sealed class RealGatewayTests
{
    private const string World = """
        set -e
        mount -t tmpfs tmpfs /run
        mkdir -p /run/netns
        ip netns add home; ip netns add world
        ip link add lan type veth peer name eth0 netns home
        ip link add wan type veth peer name eth0 netns world
        ip addr add 192.168.77.1/24 dev lan; ip addr add 5.6.7.8/24 dev wan
        ip link set lo up; ip link set lan up; ip link set wan up
        ip netns exec home ip addr add 192.168.77.2/24 dev eth0
        ip netns exec home ip link set eth0 up; ip netns exec home ip link set lo up
        ip netns exec home ip route add default via 192.168.77.1
        ip netns exec world ip addr add 5.6.7.9/24 dev eth0; ip netns exec world ip link set eth0 up
        echo 1 > /proc/sys/net/ipv4/ip_forward
        nft 'add table inet filter; add chain inet filter forward { type filter hook forward priority 0 ; policy accept ; }; add chain inet filter miniupnpd;
             add chain inet filter prerouting_miniupnpd; add chain inet filter postrouting_miniupnpd;
             add chain inet filter prerouting { type nat hook prerouting priority -100 ; }; add chain inet filter postrouting { type nat hook postrouting priority 100 ; };
             add rule inet filter prerouting jump prerouting_miniupnpd; add rule inet filter postrouting jump postrouting_miniupnpd;
             add rule inet filter postrouting oifname wan masquerade; add rule inet filter forward jump miniupnpd'
        cat > "$D/router.conf" <<C
        ext_ifname=wan
        listening_ip=lan
        http_port=5555
        enable_natpmp=yes
        enable_upnp=yes
        secure_mode=yes
        uuid=00000000-0000-0000-0000-000000000001
        min_lifetime=120
        max_lifetime=86400
        allow 1024-65535 192.168.77.0/24 1024-65535
        C
        miniupnpd -d -f "$D/router.conf" > "$D/router.log" 2>&1 & router=$!
        trap 'kill $router' EXIT
        for i in 1 2 3 4 5 6 7 8 9 10; do grep -q 'Listening for NAT-PMP' "$D/router.log" && break; sleep 0.3; done
        ip netns exec home $TEST
        """;

    private const ushort Port = 8090;

    [Fact]
    public Task PCP_at_a_real_router_lets_strangers_in_until_it_is_taken_away() => TryAsync(
        nameof(PCP_at_a_real_router_lets_strangers_in_until_it_is_taken_away), static gateway => new PcpControl(gateway));

    [Fact]
    public Task NAT_PMP_at_a_real_router_lets_strangers_in_until_it_is_taken_away() => TryAsync(
        nameof(NAT_PMP_at_a_real_router_lets_strangers_in_until_it_is_taken_away), static gateway => new NatPmpControl(gateway));

    [Fact]
    public Task UPnP_at_a_real_router_lets_strangers_in_until_it_is_taken_away() => TryAsync(
        nameof(UPnP_at_a_real_router_lets_strangers_in_until_it_is_taken_away), static gateway => new UpnpControl(gateway));

    [Fact]
    public async Task All_at_once_at_a_real_router_keep_one_mapping_and_leave_none()
    {
        if (InNamespace.Folder is null)
        {
            await OutsideAsync(nameof(All_at_once_at_a_real_router_keep_one_mapping_and_leave_none));
            return;
        }
        var told = new TaskCompletionSource<PortMappingState>(TaskCreationOptions.RunContinuationsAsynchronously);
        var mapper = new PortMapper(Port, state => told.TrySetResult(state), TimeProvider.System);
        var state = await told.Task.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        Assert.Null(state.Trouble);
        Assert.Equal(IPEndPoint.Parse("5.6.7.8:8090"), state.Lease!.External);
        using var ours = Listen();
        Assert.True(await GetsThroughAsync(ours));
        await mapper.DisposeAsync();
        Assert.False(await GetsThroughAsync(ours));
    }

    private static async Task TryAsync(string test, Func<Gateway, IPortControl> make)
    {
        if (InNamespace.Folder is null)
        {
            await OutsideAsync(test);
            return;
        }
        var gateway = Gateway.Find();
        Assert.Equal(new Gateway(IPAddress.Parse("192.168.77.1"), IPAddress.Parse("192.168.77.2")), gateway);
        using var ours = Listen();
        Assert.False(await GetsThroughAsync(ours));
        var control = make(gateway!);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        // The first HTTP of a process can take longer than the two seconds that a fetch has, where many tests run at once.
        var lease = await control.MapAsync(Port, Port, limit.Token);
        for (var tries = 1; lease is null && tries < 5; tries++) lease = await control.MapAsync(Port, Port, limit.Token);
        Assert.NotNull(lease);
        Assert.Equal(IPEndPoint.Parse("5.6.7.8:8090"), lease.External);
        Assert.InRange(lease.Lifetime.TotalSeconds, 120, 3600);
        Assert.True(await GetsThroughAsync(ours));
        Assert.Equal(lease.External, (await control.MapAsync(Port, Port, limit.Token))?.External);
        await control.UnmapAsync(lease, limit.Token);
        Assert.False(await GetsThroughAsync(ours));
        (control as IDisposable)?.Dispose();
    }

    private static async Task OutsideAsync(string test)
    {
        if (!File.Exists("/usr/sbin/miniupnpd")) Assert.Skip("Needs miniupnpd (and nftables, iproute2).");
        await InNamespace.RunAsync(["-m", "-n"], World, test);
    }

    private static Socket Listen()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Any, Port));
        return socket;
    }

    /// <summary>Whether a stranger in the world, to whom nothing was ever sent, reaches our port.</summary>
    private static async Task<bool> GetsThroughAsync(Socket ours)
    {
        await InNamespace.StartAsync("ip", ["netns", "exec", "world", "bash", "-c", "echo hello > /dev/udp/5.6.7.8/8090"], "", null);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        try
        {
            var got = await ours.ReceiveFromAsync(new byte[100], SocketFlags.None, new IPEndPoint(IPAddress.Any, 0), limit.Token);
            return ((IPEndPoint)got.RemoteEndPoint).Address.Equals(IPAddress.Parse("5.6.7.9"));
        }
        catch (OperationCanceledException) { return false; }
    }
}
