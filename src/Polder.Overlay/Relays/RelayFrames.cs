using Polder.Identity;
using Polder.Wire;

namespace Polder.Overlay.Relays;

/// <summary>How a relay answers.</summary>
internal enum RelayStatus : byte
{
    /// <summary>Granted.</summary>
    Granted = 0,
    /// <summary>All places are taken.</summary>
    Full = 1,
    /// <summary>This node relays for nobody.</summary>
    NotOffered = 2,
    /// <summary>The other is not known here, or did not reserve.</summary>
    NoReservation = 3,
    /// <summary>The pair used up what is free.</summary>
    UsedUp = 4,
}

/// <summary>"Keep a place for me." Frame 0x28.</summary>
/// <remarks><code>
/// offset  size  field
///      0     8  token of the reservation to renew; 0 for a new one
/// </code></remarks>
internal readonly record struct RelayReserve(ulong Token)
{
    public const int Bytes = 8;

    public static bool TryRead(ReadOnlySpan<byte> body, out RelayReserve reserve)
    {
        var reader = new WireReader(body);
        reserve = new RelayReserve(reader.ReadUInt64());
        return reader.Finish();
    }

    public void Write(Span<byte> body) => new WireWriter(body[..Bytes]).WriteUInt64(Token);
}

/// <summary>Its answer. Frame 0x29.</summary>
/// <remarks><code>
/// offset  size  field
///      0     1  status: 0 granted, 1 full, 2 not offered
///      1     8  token, to be shown by those who want to reach the holder
///      9     4  seconds that it is valid
/// </code></remarks>
internal readonly record struct RelayGrant(RelayStatus Status, ulong Token, uint Seconds)
{
    public const int Bytes = 13;

    public static bool TryRead(ReadOnlySpan<byte> body, out RelayGrant grant)
    {
        var reader = new WireReader(body);
        var status = reader.ReadByte();
        reader.Require(status <= (byte)RelayStatus.UsedUp, WireError.UnknownTag);
        grant = new RelayGrant((RelayStatus)status, reader.ReadUInt64(), reader.ReadUInt32());
        return reader.Finish();
    }

    public void Write(Span<byte> body)
    {
        var writer = new WireWriter(body[..Bytes]);
        writer.WriteByte((byte)Status);
        writer.WriteUInt64(Token);
        writer.WriteUInt32(Seconds);
    }
}

/// <summary>What a <see cref="RelayOpen"/> says.</summary>
internal enum RelayOpenKind : byte
{
    /// <summary>To the relay: "connect me with…".</summary>
    Ask = 1,
    /// <summary>From the relay, to both: the pair is open.</summary>
    Opened = 2,
    /// <summary>From the relay: not.</summary>
    Refused = 3,
    /// <summary>From anybody: the pair is closed.</summary>
    Closed = 4,
}

/// <summary>Opens and closes a pair. Frame 0x2C.</summary>
/// <remarks><code>
/// offset  size  field
///      0     1  kind: 1 ask, 2 opened, 3 refused, 4 closed
///      1     1  status (RelayStatus); 0 in 1 and 2
///      2     4  number of the pair at this relay; 0 in 1 and 3
///      6     8  token (1), otherwise 0
///     14    74  public key of the other
/// </code></remarks>
internal readonly ref struct RelayOpen
{
    public const int Bytes = 14 + KeyFormat.Bytes;

    public RelayOpenKind Kind { get; init; }
    public RelayStatus Status { get; init; }
    public uint Pair { get; init; }
    public ulong Token { get; init; }
    public ReadOnlySpan<byte> Other { get; init; }

    public static bool TryRead(ReadOnlySpan<byte> body, out RelayOpen open)
    {
        var reader = new WireReader(body);
        var (kind, status) = (reader.ReadByte(), reader.ReadByte());
        reader.Require(kind is >= 1 and <= 4 && status <= (byte)RelayStatus.UsedUp, WireError.UnknownTag);
        var (pair, token) = (reader.ReadUInt32(), reader.ReadUInt64());
        var other = reader.ReadBytes(KeyFormat.Bytes);
        reader.Require(PublicKey.HasRightForm(other), WireError.BadKey);
        open = new RelayOpen { Kind = (RelayOpenKind)kind, Status = (RelayStatus)status, Pair = pair, Token = token, Other = other };
        return reader.Finish();
    }

    public void Write(Span<byte> body)
    {
        var writer = new WireWriter(body[..Bytes]);
        writer.WriteByte((byte)Kind);
        writer.WriteByte((byte)Status);
        writer.WriteUInt32(Pair);
        writer.WriteUInt64(Token);
        writer.WriteBytes(Other);
    }
}

/// <summary>One session datagram of a pair. Frame 0x2A.</summary>
/// <remarks><code>
/// offset  size  field
///      0     4  number of the pair
///      4     n  the datagram, which the relay cannot read
/// </code></remarks>
internal static class RelayData
{
    public const int HeadBytes = 4;

    public static bool TryRead(ReadOnlySpan<byte> body, out uint pair, out ReadOnlySpan<byte> datagram)
    {
        var reader = new WireReader(body);
        pair = reader.ReadUInt32();
        datagram = reader.ReadRest();
        reader.Require(!datagram.IsEmpty, WireError.Truncated);
        return reader.Finish();
    }
}
