using Polder.Identity;
using Polder.Net;
using Polder.Overlay.Connecting;
using Polder.Wire;

namespace Polder.Overlay.Dht.Records;

/// <summary>What a contact record says: where its publisher is and at which relays it has a place.</summary>
/// <remarks><code>
/// offset  size  field
///      0     1  n        addresses, at most 8
///      .  7/19  address  n times (ip_address)
///      .     1  m        relay reservations, at most 3
///      .    64  relay    m times: public key without its tag, followed by
///      .  7/19  address  where the relay is
///      .     8  token    of the reservation
/// </code></remarks>
internal static class ContactFormat
{
    public const int AddressesMax = 8, RelaysMax = 3;

    public static byte[] Write(IReadOnlyList<Endpoint> addresses, IReadOnlyList<RelayReservation> relays)
    {
        Span<byte> buffer = stackalloc byte[DhtRecord.ValueBytesMax];
        var writer = new WireWriter(buffer);
        writer.WriteByte((byte)Math.Min(addresses.Count, AddressesMax));
        for (var i = 0; i < Math.Min(addresses.Count, AddressesMax); i++) writer.WriteAddress(addresses[i]);
        writer.WriteByte((byte)Math.Min(relays.Count, RelaysMax));
        for (var i = 0; i < Math.Min(relays.Count, RelaysMax); i++)
        {
            writer.WriteBytes(relays[i].Relay.Bytes[KeyFormat.TagBytes..]);
            writer.WriteAddress(relays[i].Address);
            writer.WriteUInt64(relays[i].Token);
        }
        return writer.Written.ToArray();
    }

    public static ContactHints? TryRead(ReadOnlySpan<byte> value)
    {
        var reader = new WireReader(value);
        var addresses = new List<Endpoint>();
        var count = reader.ReadByte();
        reader.Require(count <= AddressesMax, WireError.TooLong);
        for (var i = 0; i < count && !reader.Failed; i++)
            if (reader.ReadAddress() is { IsSendable: true } address) addresses.Add(address);
        var relays = new List<RelayReservation>();
        count = reader.ReadByte();
        reader.Require(count <= RelaysMax, WireError.TooLong);
        Span<byte> whole = stackalloc byte[KeyFormat.Bytes];
        KeyFormat.PublicTag.CopyTo(whole);
        for (var i = 0; i < count && !reader.Failed; i++)
        {
            var half = reader.ReadBytes(KeyFormat.Bytes - KeyFormat.TagBytes);
            var (address, token) = (reader.ReadAddress(), reader.ReadUInt64());
            if (reader.Failed) break;
            half.CopyTo(whole[KeyFormat.TagBytes..]);
            if (address.IsSendable && PublicKey.TryParse(whole, out var relay)) relays.Add(new RelayReservation(relay, address, token));
        }
        return reader.Finish() ? new ContactHints(addresses, [], relays) : null;
    }
}
