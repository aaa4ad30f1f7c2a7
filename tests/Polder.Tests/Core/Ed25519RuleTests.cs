using Polder.Cryptography;

namespace Polder.Tests.Core;

/// <summary>The rule of decision 0026, of which libraries differ: no cofactor.</summary>
public sealed class Ed25519_rule_tests
{
    // Made for this test: secret number SHA-512("polder torsion key") mod L, nonce SHA-512("polder torsion nonce") mod L, message "torsion".
    private static readonly byte[] Key = Convert.FromHexString("976ddb9a5a904d453e1ea48c40bc6c0d6206fc409461cb81082a475be88b9ac8");

    [Fact]
    public void A_signature_made_by_the_book_is_good() => Assert.True(Ed25519.Verify(Key, "torsion"u8, Convert.FromHexString(
        "ffa6d11f91c614edfa6eb1e9d16dfd9b60d1b7a5aab8198406b4d4f9b729c999a0025fa5305e2d0339bfc836fd6aa0532bc560a0d9c5e7d7a57940745c41e709")));

    /// <summary>The same with the point of order 2 added to R: 8 S B = 8 R + 8 h A holds, S B = R + h A does not. Fails with a libsodium whose rule has the cofactor.</summary>
    [Fact]
    public void A_signature_that_is_off_by_a_point_of_order_2_is_refused() => Assert.False(Ed25519.Verify(Key, "torsion"u8, Convert.FromHexString(
        "ee582ee06e39eb1205914e162e9202649f2e485a5547e67bf94b2b0648d63666bbd2ac6c632cd3f6fc1e280c7f8a419704cfe86e296694a86c9a212d82656a03")));
}
