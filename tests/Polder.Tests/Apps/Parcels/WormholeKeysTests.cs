using System.Text;
using Polder.Apps.Parcels.Codes;
using Polder.Cryptography;

namespace Polder.Tests.Apps.Parcels;

public sealed class WormholeKeysTests
{
    [Fact]
    public void Derived_keys_are_those_of_the_stock_client()
    {
        var vectors = WormholeVectors.Read("keys.json");
        var keys = new WormholeKeys(new Hash256(vectors.Hex("key")));
        foreach (var derived in vectors.GetProperty("derived").EnumerateArray())
            Assert.Equal(derived.Text("out"), Convert.ToHexStringLower(keys.Derive(derived.Hex("purpose"), derived.GetProperty("length").GetInt32())));
        foreach (var phase in vectors.GetProperty("phases").EnumerateArray())
        {
            Assert.Equal(phase.Text("phase_key"), Convert.ToHexStringLower(keys.PhaseKey(phase.Text("side"), phase.Text("phase"))));
            var body = keys.Seal(phase.Text("side"), phase.Text("phase"), phase.Hex("nonce"), Encoding.UTF8.GetBytes(phase.Text("plaintext")));
            Assert.Equal(phase.Text("body"), Convert.ToHexStringLower(body));
            Assert.Equal(phase.Text("plaintext"), Encoding.UTF8.GetString(keys.TryOpen(phase.Text("side"), phase.Text("phase"), body)!));
            Assert.Null(keys.TryOpen(phase.Text("side") + "0", phase.Text("phase"), body));
        }
        var first = vectors.GetProperty("phases")[0];
        foreach (var rejected in vectors.GetProperty("rejected").EnumerateArray())
            Assert.Null(keys.TryOpen(first.Text("side"), first.Text("phase"), rejected.Hex("body")));
    }
}
