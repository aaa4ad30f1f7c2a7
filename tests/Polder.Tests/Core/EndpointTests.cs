using Polder.Net;

namespace Polder.Tests.Core;

public sealed class EndpointTests
{
    [Theory]
    [InlineData("127.0.0.1:8090")]
    [InlineData("255.255.255.255:65535")]
    [InlineData("[::1]:1")]
    [InlineData("[2001:db8::9]:7759")]
    public void Well_formed_text_is_read_and_written(string text)
    {
        Assert.True(Endpoint.TryParse(text, out var endpoint));
        Assert.Equal(text, endpoint.ToString());
        Span<byte> bytes = stackalloc byte[16];
        Assert.Equal(endpoint, Endpoint.FromBytes(bytes[..endpoint.WriteAddress(bytes)], endpoint.Port));
        Assert.Equal(endpoint, Endpoint.From(endpoint.ToIPAddress(), endpoint.Port));
    }

    [Theory]
    [InlineData("")]
    [InlineData(":1")]
    [InlineData("127.0.0.1")]
    [InlineData("127.0.0.1:0")]
    [InlineData("127.0.0.1:65536")]
    [InlineData("127.0.0.1:-1")]
    [InlineData("127.0.0.1:+1")]
    [InlineData("127.0.0.1: 1")]
    [InlineData("[127.0.0.1]:80")]
    [InlineData("::1:8090")]
    [InlineData("1:8090")]
    [InlineData("localhost:8090")]
    [InlineData("300.1.1.1:80")]
    public void Malformed_text_is_refused(string text) => Assert.False(Endpoint.TryParse(text, out _));

    [Fact]
    public void An_IPv4_address_has_one_form()
    {
        Assert.True(Endpoint.TryParse("[::ffff:10.0.0.1]:80", out var mapped));
        Assert.True(Endpoint.TryParse("10.0.0.1:80", out var plain));
        Assert.Equal(plain, mapped);
        Assert.True(mapped.IsIPv4);
    }

    [Theory]
    [InlineData("10.0.0.1:1", "private")]
    [InlineData("172.31.255.255:1", "private")]
    [InlineData("172.32.0.1:1", "")]
    [InlineData("192.168.3.4:1", "private")]
    [InlineData("[fd00::1]:1", "private")]
    [InlineData("127.9.9.9:1", "loopback")]
    [InlineData("[::1]:1", "loopback")]
    [InlineData("169.254.1.1:1", "link")]
    [InlineData("[fe80::1]:1", "link")]
    [InlineData("224.0.0.1:1", "multicast")]
    [InlineData("255.255.255.255:1", "multicast")]
    [InlineData("[ff02::1]:1", "multicast")]
    [InlineData("130.161.119.206:1", "")]
    public void Addresses_are_known_by_their_kind(string text, string kind)
    {
        Assert.True(Endpoint.TryParse(text, out var endpoint));
        Assert.Equal(
            (kind == "private", kind == "loopback", kind == "link", kind == "multicast", kind != "multicast"),
            (endpoint.IsPrivate, endpoint.IsLoopback, endpoint.IsLinkLocal, endpoint.IsMulticastOrBroadcast, endpoint.IsSendable));
    }

    [Fact]
    public void Networks_are_cut_by_bits()
    {
        Assert.True(Endpoint.TryParse("203.0.113.7:8090", out var endpoint));
        Assert.Equal("203.0.113.0:0", endpoint.Network(24, 48).ToString());
        Assert.Equal("203.0.0.0:0", endpoint.Network(16, 48).ToString());
        Assert.Equal("0.0.0.0:0", endpoint.Network(0, 48).ToString());
        Assert.True(Endpoint.TryParse("[2001:db8:1:2::9]:1", out endpoint));
        Assert.Equal("[2001:db8:1::]:0", endpoint.Network(24, 48).ToString());
        Assert.False(Endpoint.None.IsSendable);
        Assert.True(Endpoint.None.IsUnspecified);
    }
}
