using System.Text;
using Polder.Ledger.Records;

namespace Polder.Tests.Ledger;

/// <summary>The short way to read a bandwidth block says what the decoder says, or nothing.</summary>
public sealed class AgreedClaimsTests
{
    [Theory]
    [InlineData("{\"up\":7,\"down\":0,\"total_up\":9,\"total_down\":4}", true)]
    [InlineData("{\"up\":999999999999999999,\"down\":0,\"total_up\":9,\"total_down\":4}", true)]
    [InlineData("{\"up\":9223372036854775808,\"down\":0,\"total_up\":9,\"total_down\":4}", false)]
    [InlineData("{\"up\":07,\"down\":0,\"total_up\":9,\"total_down\":4}", false)]
    [InlineData("{\"up\":7,\"down\":0,\"total_up\":9,\"total_down\":4,\"for\":\"x\"}", false)]
    [InlineData("{\"up\":7,\"down\":0,\"total_up\":9,\"total_down\":4} ", false)]
    [InlineData("a4d2sup1i74sdown1i08stotal_up2i1010stotal_down1i3", true)]
    [InlineData("a4d2sup3i0074sdown1i08stotal_up2i1010stotal_down1i3", false)]
    public void Plain_forms_take_the_short_way(string text, bool isPlain)
    {
        var plain = AgreedClaims.TryPlainBandwidth(Encoding.ASCII.GetBytes(text), out var up, out _);
        Assert.Equal(isPlain, plain);
        if (plain) Assert.Equal(up, BandwidthEntry.Read(Encoding.ASCII.GetBytes(text))!.Value.Up);
    }

    [Fact]
    public void Whatever_the_short_way_reads_the_decoder_reads_too_and_survives() => Fuzz.Run("AgreedClaims",
        [
            Encoding.ASCII.GetBytes("{\"up\":7,\"down\":0,\"total_up\":9,\"total_down\":4}"),
            Encoding.ASCII.GetBytes("a4d2sup1i74sdown1i08stotal_up2i1010stotal_down1i3"),
            Encoding.ASCII.GetBytes("{\"up\":922337203685477580,\"down\":999999999999999999,\"total_up\":9223372036854775807,\"total_down\":4}"),
        ], static bytes =>
        {
            if (!AgreedClaims.TryPlainBandwidth(bytes, out var up, out var down) || (up == 0 && down == 0)) return;
            var entry = BandwidthEntry.Read(bytes);
            Assert.Equal((up, down), (entry!.Value.Up, entry.Value.Down));
        }, allocationFactor: 512);
}
