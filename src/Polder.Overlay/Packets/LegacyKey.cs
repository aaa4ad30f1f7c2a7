namespace Polder.Overlay;

/// <summary>
/// The binary-curve keys ("M2Crypto") that py-ipv8's trackers make at each start. We cannot check their signatures
/// (no such curve in .NET) and need not: such a packet is believed only as an introduction, and only from an address
/// that the owner listed for bootstrapping.
/// </summary>
public static class LegacyKey
{
    /// <summary>Bytes of a public key that is longer than any known one is refused.</summary>
    public const int BytesMax = 256;

    // DER of the four object identifiers, 1.3.132.0.n, and the signature length of each curve.
    private static ReadOnlySpan<byte> ObjectIdentifierHead => [0x06, 0x05, 0x2B, 0x81, 0x04, 0x00];

    /// <summary>
    /// Bytes of a signature by this key (DER SubjectPublicKeyInfo): 42, 60, 104 or 144 for sect163k1, sect233k1, sect409k1
    /// and sect571r1 or sect571k1; 0 when it is none of these.
    /// </summary>
    public static int SignatureBytes(ReadOnlySpan<byte> key)
    {
        if (key.Length is < 16 or > BytesMax || key[0] != 0x30) return 0;
        var at = key.IndexOf(ObjectIdentifierHead);
        if (at < 0 || at + 6 >= key.Length) return 0;
        return key[at + 6] switch { 1 => 42, 26 => 60, 36 => 104, 38 or 39 => 144, _ => 0 };
    }
}
