using System.Text;
using Polder.Apps.Parcels.Codes;
using Polder.Cryptography;

namespace Polder.Apps.Parcels.Transit;

/// <summary>Lines and keys of a bulk transfer, derived from its transit key.</summary>
/// <remarks><code>
/// relay line     please relay HEX(derive("transit_relay_token", 32)) for side HEX(8 bytes)\n        answered by ok\n
/// sender line    transit sender HEX(derive("transit_sender", 32)) ready\n\n                          then go\n or nevermind\n
/// receiver line  transit receiver HEX(derive("transit_receiver", 32)) ready\n\n
/// record keys    derive("transit_record_sender_key", 32), derive("transit_record_receiver_key", 32)
/// </code></remarks>
public sealed class TransitKeys
{
    /// <summary>From a transit key.</summary>
    public TransitKeys(Hash256 transitKey)
    {
        var keys = new WormholeKeys(transitKey);
        SenderLine = Line($"transit sender {Convert.ToHexStringLower(keys.Derive("transit_sender"u8, 32))} ready\n\n");
        ReceiverLine = Line($"transit receiver {Convert.ToHexStringLower(keys.Derive("transit_receiver"u8, 32))} ready\n\n");
        RelayToken = Convert.ToHexStringLower(keys.Derive("transit_relay_token"u8, 32));
        SenderKey = keys.Derive("transit_record_sender_key"u8, SecretBox.KeyBytes);
        ReceiverKey = keys.Derive("transit_record_receiver_key"u8, SecretBox.KeyBytes);
    }

    /// <summary>What the sender of the file writes first on every connection.</summary>
    public byte[] SenderLine { get; }
    /// <summary>What the receiver writes first.</summary>
    public byte[] ReceiverLine { get; }
    /// <summary>Key of the records that the sender writes.</summary>
    public byte[] SenderKey { get; }
    /// <summary>Key of the records that the receiver writes.</summary>
    public byte[] ReceiverKey { get; }
    /// <summary>By which a relay knows that two connections belong together.</summary>
    public string RelayToken { get; }

    /// <summary>What a relay is told; <paramref name="side"/> is 16 hex digits, another for each side.</summary>
    public byte[] RelayLine(string side) => Line($"please relay {RelayToken} for side {side}\n");

    /// <summary>The sender's choice.</summary>
    public static ReadOnlySpan<byte> Go => "go\n"u8;
    /// <summary>The sender's refusal of a spare connection.</summary>
    public static ReadOnlySpan<byte> Nevermind => "nevermind\n"u8;
    /// <summary>The relay's answer once both are there.</summary>
    public static ReadOnlySpan<byte> Ok => "ok\n"u8;

    private static byte[] Line(string text) => Encoding.ASCII.GetBytes(text);
}
