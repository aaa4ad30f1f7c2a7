using Polder.Cryptography;
using Polder.Identity;
using Polder.Wire;

namespace Polder.Overlay.Relays;

/// <summary>
/// How much a relay carried for a pair since it was opened, signed by the relay each 16 MiB and at the end, and countersigned by
/// both ends (OV-6.12): what a ledger can pay for. Frame 0x2B.
/// </summary>
/// <remarks><code>
/// offset  size  field
///      0     4  number of the pair
///      4     4  number of the statement, from 1
///      8     8  bytes from the first key to the second
///     16     8  bytes from the second to the first
///     24     8  when the pair was opened, ms since 1970 by the relay's clock
///     32    64  signature of the relay over "polder relay 1", the relay's key (74), the first (74), the second (74) and the 32 bytes before
///     96    64  signature of an end over the same; absent in what the relay sends
/// </code></remarks>
/// <param name="Pair">Its number at that relay.</param>
/// <param name="Number">From 1.</param>
/// <param name="Forth">Bytes from the first of the pair to the second, relayed session datagrams only.</param>
/// <param name="Back">Bytes from the second to the first.</param>
/// <param name="Opened">When the pair was opened, by the relay's clock.</param>
public readonly record struct RelayStatement(uint Pair, uint Number, ulong Forth, ulong Back, DateTimeOffset Opened)
{
    internal const int Bytes = HeadBytes + Ed25519.SignatureBytes, CountersignedBytes = Bytes + Ed25519.SignatureBytes;
    private const int HeadBytes = 32;
    private static readonly long OpenedMax = DateTimeOffset.MaxValue.ToUnixTimeMilliseconds();
    private static ReadOnlySpan<byte> Label => "polder relay 1"u8;

    internal static bool TryRead(ReadOnlySpan<byte> body, out RelayStatement statement, out ReadOnlySpan<byte> relays, out ReadOnlySpan<byte> counter)
    {
        var reader = new WireReader(body);
        var (pair, number, forth, back, opened) =
            (reader.ReadUInt32(), reader.ReadUInt32(), reader.ReadUInt64(), reader.ReadUInt64(), reader.ReadInt64());
        reader.Require(opened >= 0 && opened <= OpenedMax);
        relays = reader.ReadBytes(Ed25519.SignatureBytes);
        counter = reader.Remaining > 0 ? reader.ReadBytes(Ed25519.SignatureBytes) : default;
        statement = default;
        if (!reader.Finish()) return false;
        statement = new RelayStatement(pair, number, forth, back, DateTimeOffset.FromUnixTimeMilliseconds(opened));
        return true;
    }

    internal void Write(Span<byte> body)
    {
        var writer = new WireWriter(body[..HeadBytes]);
        writer.WriteUInt32(Pair);
        writer.WriteUInt32(Number);
        writer.WriteUInt64(Forth);
        writer.WriteUInt64(Back);
        writer.WriteInt64(Opened.ToUnixTimeMilliseconds());
    }

    internal void Sign(KeyPair signer, PublicKey relay, PublicKey first, PublicKey second, ISignatures signatures, Span<byte> signature)
    {
        Span<byte> content = stackalloc byte[Label.Length + 3 * KeyFormat.Bytes + HeadBytes];
        Content(content, relay, first, second);
        signatures.Sign(signer, content, signature);
    }

    internal bool IsSignedBy(
        PublicKey signer, PublicKey relay, PublicKey first, PublicKey second, ISignatures signatures, ReadOnlySpan<byte> signature)
    {
        Span<byte> content = stackalloc byte[Label.Length + 3 * KeyFormat.Bytes + HeadBytes];
        Content(content, relay, first, second);
        return signatures.Verify(signer, content, signature);
    }

    private void Content(Span<byte> content, PublicKey relay, PublicKey first, PublicKey second)
    {
        var writer = new WireWriter(content);
        writer.WriteBytes(Label);
        writer.WriteBytes(relay.Bytes);
        writer.WriteBytes(first.Bytes);
        writer.WriteBytes(second.Bytes);
        Write(writer.Reserve(HeadBytes));
    }
}
