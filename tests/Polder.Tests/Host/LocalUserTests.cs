using System.Net;
using Polder.Host.Api;

namespace Polder.Tests.Host;

/// <summary>Pages are for programs of the node's own user, by Linux's table of connections.</summary>
public sealed class LocalUserTests
{
    private static readonly IPEndPoint Client = new(IPAddress.Loopback, 0xC001), Server = new(IPAddress.Loopback, 0x1F90);
    private const string Listening = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
        + "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 11 1 0\n";
    private const string ServerEnd = "   1: 0100007F:1F90 0100007F:C001 01 00000000:00000000 00:00000000 00000000  1000        0 12 1 0\n";

    private static string ClientEnd(int user, string state = "01") => $"   2: 0100007F:C001 0100007F:1F90 {state} 00000000:00000000 00:00000000 00000000  {user}        0 13 1 0\n";

    [Fact]
    public void Only_an_open_end_of_the_same_user_gets_in()
    {
        if (!BitConverter.IsLittleEndian) return;
        Assert.True(LocalUser.Judge(Listening + ServerEnd + ClientEnd(1000), Client, Server, 1000));
        Assert.False(LocalUser.Judge(Listening + ServerEnd + ClientEnd(1001), Client, Server, 1000));
        Assert.False(LocalUser.Judge(Listening + ServerEnd + ClientEnd(0), Client, Server, 1000));
        // Sent and closed at once: whose it was is no longer told.
        Assert.False(LocalUser.Judge(Listening + ServerEnd + ClientEnd(1000, "04"), Client, Server, 1000));
        Assert.False(LocalUser.Judge(Listening + ServerEnd, Client, Server, 1000));
    }

    [Fact]
    public void A_table_that_does_not_even_show_our_own_end_tells_nothing()
    {
        Assert.True(LocalUser.Judge("", Client, Server, 1000));
        Assert.True(LocalUser.Judge(Listening, Client, Server, 1000));
    }

    [Fact]
    public void Fuzzed_tables_are_judged()
    {
        Fuzz.Run("connections", [System.Text.Encoding.ASCII.GetBytes(Listening + ServerEnd + ClientEnd(1000))],
            bytes => LocalUser.Judge(System.Text.Encoding.Latin1.GetString(bytes), Client, Server, 1000), allocationFactor: 16);
    }
}
