using System.Net;
using System.Text;
using Polder.Net;
using Polder.Node.PortMapping;

namespace Polder.Tests.Node.PortMapping;

public sealed class PortCodecTests
{
    private static readonly byte[] Nonce = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
    private static readonly IPAddress Router = IPAddress.Parse("192.0.2.1");
    private static readonly Uri Location = new("http://192.0.2.1:5000/root.xml");

    // By the tables of RFC 6887, 11.1 and RFC 6886, 3.2 and 3.3.
    private static readonly byte[] PcpAnswer = Convert.FromHexString(
        "028100000000" + "0e10" + "00000539" + new string('0', 24) + "0102030405060708090a0b0c" + "11000000" + "1f9a" + "1f9b" + "00000000000000000000ffffcb007107");

    [Fact]
    public void A_PCP_request_is_as_the_RFC_has_it()
    {
        var request = new byte[Pcp.MapBytes];
        Pcp.WriteMap(request, IPAddress.Parse("192.0.2.5"), Nonce, 8090, 8090, IPAddress.Any, TimeSpan.FromHours(1));
        Assert.Equal(
            "0201000000000e1000000000000000000000ffffc00002050102030405060708090a0b0c110000001f9a1f9a00000000000000000000ffff00000000", Convert.ToHexStringLower(request));
    }

    [Fact]
    public void A_PCP_answer_is_read_and_a_foreign_or_cut_one_is_not()
    {
        Assert.True(Pcp.TryReadMap(PcpAnswer, Nonce, 8090, out var answer));
        Assert.Equal(new GatewayAnswer(0, IPAddress.Parse("203.0.113.7"), 8091, TimeSpan.FromHours(1), TimeSpan.FromSeconds(1337)), answer);
        Assert.False(Pcp.TryReadMap(PcpAnswer, [.. Nonce.Reverse()], 8090, out _));
        Assert.False(Pcp.TryReadMap(PcpAnswer, Nonce, 8091, out _));
        Fuzz.RefusesEveryTruncation(PcpAnswer, part => Pcp.TryReadMap(part, Nonce, 8090, out _));
    }

    [Fact]
    public void NAT_PMP_is_as_the_RFC_has_it()
    {
        var request = new byte[NatPmp.MapBytes];
        NatPmp.WriteMap(request, 8090, 8090, TimeSpan.FromHours(1));
        Assert.Equal("000100001f9a1f9a00000e10", Convert.ToHexStringLower(request));
        var mapped = Convert.FromHexString("00810000000005391f9a1f9b00000e10");
        Assert.True(NatPmp.TryReadMap(mapped, 8090, out var answer));
        Assert.Equal(new GatewayAnswer(0, null, 8091, TimeSpan.FromHours(1), TimeSpan.FromSeconds(1337)), answer);
        var address = Convert.FromHexString("0080000000000539cb007107");
        Assert.True(NatPmp.TryReadAddress(address, out answer));
        Assert.Equal(IPAddress.Parse("203.0.113.7"), answer.External);
        Assert.False(NatPmp.TryReadMap(address, 8090, out _));
        Fuzz.RefusesEveryTruncation(mapped, part => NatPmp.TryReadMap(part, 8090, out _));
        Fuzz.RefusesEveryTruncation(address, part => NatPmp.TryReadAddress(part, out _));
    }

    [Theory]
    [InlineData("http://192.0.2.1:5000/root.xml", true)]
    [InlineData("HTTP://192.0.2.1/", true)]
    [InlineData("http://192.0.2.2:5000/root.xml", false)]
    [InlineData("https://192.0.2.1/root.xml", false)]
    [InlineData("http://router/root.xml", false)]
    [InlineData("http://192.0.2.1@198.51.100.1/", false)]
    [InlineData("http://user@192.0.2.1/", false)]
    [InlineData("ftp://192.0.2.1/", false)]
    [InlineData("/root.xml", false)]
    [InlineData("file:///etc/passwd", false)]
    [InlineData("", false)]
    public void Only_an_address_of_the_gateway_itself_is_followed(string location, bool good) =>
        Assert.Equal(good, Upnp.TryReadLocation(Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nlocation: {location}\r\n\r\n"), Router, out _));

    [Fact]
    public void The_best_service_of_a_description_is_found_and_none_elsewhere()
    {
        static byte[] Xml(params (string Type, string Control)[] services) => Encoding.UTF8.GetBytes(
            "<root><device>" + string.Concat(services.Select(s => $"<service><serviceType>urn:schemas-upnp-org:service:{s.Type}</serviceType><controlURL>{s.Control}</controlURL></service>")) + "</device></root>");
        Assert.True(Upnp.TryReadDescription(Xml(("WANPPPConnection:1", "/ppp"), ("WANIPConnection:1", "/ip"), ("Other:1", "/o")), Location, Router, out var service));
        Assert.Equal(new UpnpService("urn:schemas-upnp-org:service:WANIPConnection:1", new Uri("http://192.0.2.1:5000/ip")), service);
        Assert.False(Upnp.TryReadDescription(Xml(("WANIPConnection:1", "http://198.51.100.9/ip")), Location, Router, out _));
        Assert.False(Upnp.TryReadDescription(Xml(("WANIPConnection:1", "//198.51.100.9/ip")), Location, Router, out _));
        Assert.False(Upnp.TryReadDescription(Xml(("WANIPConnection:3", "/ip")), Location, Router, out _));
    }

    [Fact]
    public void A_DTD_and_its_entities_are_refused()
    {
        var bomb = "<?xml version=\"1.0\"?><!DOCTYPE r [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\"><!ENTITY x SYSTEM \"file:///etc/passwd\">]><r><errorCode>&b;&x;</errorCode></r>"u8;
        Assert.Null(Upnp.TryReadValue(bomb, "errorCode"));
        Assert.Equal(0, Upnp.ErrorOf(bomb));
        Assert.Equal(718, Upnp.ErrorOf("<s:Fault xmlns:s=\"x\"><errorCode>718</errorCode></s:Fault>"u8));
    }

    [Fact]
    public void The_default_gateway_with_the_lowest_metric_is_taken()
    {
        const string table = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
            + "eth0\t00000000\t010200C0\t0003\t0\t0\t200\t00000000\t0\t0\t0\n"
            + "wlan0\t00000000\t016433C6\t0003\t0\t0\t100\t00000000\t0\t0\t0\n"
            + "eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
            + "tun0\t00000000\t00000000\t0001\t0\t0\t1\t00000000\t0\t0\t0\n";
        if (BitConverter.IsLittleEndian) Assert.Equal(IPAddress.Parse("198.51.100.1"), Gateway.Read(table));
        Assert.Null(Gateway.Read("Iface\tDestination\n"));
        Assert.Null(Gateway.Read(""));
    }

    [Theory]
    [InlineData("203.0.113.7", true)]
    [InlineData("198.18.0.1", true)]
    [InlineData("100.63.255.255", true)]
    [InlineData("100.64.0.1", false)]
    [InlineData("100.127.255.254", false)]
    [InlineData("10.1.2.3", false)]
    [InlineData("172.31.0.1", false)]
    [InlineData("192.168.1.1", false)]
    [InlineData("169.254.1.1", false)]
    [InlineData("127.0.0.1", false)]
    [InlineData("0.0.0.0", false)]
    [InlineData("224.0.0.1", false)]
    [InlineData("255.255.255.255", false)]
    [InlineData("2001:db8::1", false)]
    public void What_is_public_is_known(string address, bool isPublic) => Assert.Equal(isPublic, PublicAddress.IsPublic(IPAddress.Parse(address)));

    [Fact]
    public void Behind_two_routers_is_who_is_seen_at_another_public_address()
    {
        var external = Endpoint.From(IPAddress.Parse("203.0.113.7"), 8090);
        Assert.False(PortMappingStatus.IsBehindTwo(external, null));
        Assert.False(PortMappingStatus.IsBehindTwo(external, Endpoint.From(IPAddress.Parse("203.0.113.7"), 4711)));
        Assert.False(PortMappingStatus.IsBehindTwo(external, Endpoint.From(IPAddress.Parse("192.168.1.4"), 8090)));
        Assert.True(PortMappingStatus.IsBehindTwo(external, Endpoint.From(IPAddress.Parse("198.51.100.7"), 8090)));
    }

    [Fact]
    public void Fuzzed_answers_of_gateways_are_refused_or_read()
    {
        Fuzz.Run("Pcp", [PcpAnswer], bytes => Pcp.TryReadMap(bytes, Nonce, 8090, out _));
        Fuzz.Run("NatPmp", [Convert.FromHexString("00810000000005391f9a1f9b00000e10"), Convert.FromHexString("0080000000000539cb007107")], bytes =>
        {
            NatPmp.TryReadMap(bytes, 8090, out _);
            NatPmp.TryReadAddress(bytes, out _);
        });
    }

    // An XML reader has buffers of its own, whatever it reads.
    [Fact]
    public void Fuzzed_UPnP_is_refused_or_read()
    {
        var description = "<root><service><serviceType>urn:schemas-upnp-org:service:WANIPConnection:1</serviceType><controlURL>/ip</controlURL></service></root>"u8.ToArray();
        Fuzz.Run("Upnp search", ["HTTP/1.1 200 OK\r\nLOCATION: http://192.0.2.1:5000/root.xml\r\n\r\n"u8.ToArray()], bytes => Upnp.TryReadLocation(bytes, Router, out _), allocationFactor: 64);
        Fuzz.Run("Upnp description", [description], bytes => Upnp.TryReadDescription(bytes, Location, Router, out _), allocationFactor: 4096);
        Fuzz.Run("Upnp answer", ["<a><errorCode>718</errorCode></a>"u8.ToArray()], bytes => Upnp.ErrorOf(bytes), allocationFactor: 4096);
        Fuzz.Run("Routes", ["e\t00000000\t010200C0\t0003\t0\t0\t200\t00000000\n"u8.ToArray()], bytes => Gateway.Read(Encoding.Latin1.GetString(bytes)), allocationFactor: 64);
    }
}
