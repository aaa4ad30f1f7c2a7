using Polder.Net;
using Polder.Wire;

namespace Polder.Overlay.Packets;

/// <summary>Discovery message 1: "these are my overlays, which are yours?" Signed, with global time.</summary>
/// <remarks><code>
/// offset  size  field
///      0     2  identifier
///      2     6  lan       the sender's address in its network
///      8     6  wan       the sender's outer address
///     14     1  flags     80 40 connection type
///     15   20n  overlays  their ids
/// </code></remarks>
/// <param name="Identifier">Repeated by the response.</param>
/// <param name="Lan">The sender's address in its network.</param>
/// <param name="Wan">The sender's outer address.</param>
/// <param name="Flags">Connection type in the upper two bits.</param>
/// <param name="Overlays">At most 64 are read.</param>
public readonly record struct SimilarityRequest(ushort Identifier, Endpoint Lan, Endpoint Wan, byte Flags, CommunityId[] Overlays)
    : IMessage<SimilarityRequest>, ICorrelated
{
    /// <inheritdoc/>
    public static byte Number => 1;

    /// <inheritdoc/>
    public static SimilarityRequest Read(ref WireReader reader) => new(
        reader.ReadUInt16(), reader.ReadIPv4(), reader.ReadIPv4(), reader.ReadByte(),
        OverlayList.Read(ref reader, reader.Remaining / CommunityId.Bytes));

    /// <inheritdoc/>
    public void Write(ref WireWriter writer)
    {
        writer.WriteUInt16(Identifier);
        writer.WriteIPv4(Lan);
        writer.WriteIPv4(Wan);
        writer.WriteByte(Flags);
        OverlayList.Write(ref writer, Overlays);
    }
}

/// <summary>Discovery message 2: the answer. Signed, with global time.</summary>
/// <remarks><code>
/// offset  size  field
///      0     2  identifier
///      2     2  count of overlays
///      4   20n  overlays
///      .   24m  historic: id and a 4-byte count each; read over, never written
/// </code></remarks>
/// <param name="Identifier">That of the request.</param>
/// <param name="Overlays">At most 64 are kept.</param>
public readonly record struct SimilarityResponse(ushort Identifier, CommunityId[] Overlays) : IMessage<SimilarityResponse>, ICorrelated
{
    private const int HistoricEntryBytes = 24;

    /// <inheritdoc/>
    public static byte Number => 2;

    /// <inheritdoc/>
    public static SimilarityResponse Read(ref WireReader reader)
    {
        var identifier = reader.ReadUInt16();
        var overlays = OverlayList.Read(ref reader, reader.ReadUInt16());
        reader.Require(reader.Remaining % HistoricEntryBytes == 0, WireError.TrailingBytes);
        reader.ReadRest();
        return new(identifier, overlays);
    }

    /// <inheritdoc/>
    public void Write(ref WireWriter writer)
    {
        writer.WriteUInt16(Identifier);
        writer.WriteUInt16(checked((ushort)Overlays.Length));
        OverlayList.Write(ref writer, Overlays);
    }
}

/// <summary>Discovery message 3: "are you there?" Unsigned, with global time. Fields: identifier (2).</summary>
/// <param name="Identifier">Repeated by the pong.</param>
public readonly record struct Ping(ushort Identifier) : IMessage<Ping>, ICorrelated
{
    /// <inheritdoc/>
    public static byte Number => 3;
    /// <inheritdoc/>
    public static Ping Read(ref WireReader reader) => new(reader.ReadUInt16());
    /// <inheritdoc/>
    public void Write(ref WireWriter writer) => writer.WriteUInt16(Identifier);
}

/// <summary>Discovery message 4: "I am." Unsigned, with global time. Fields: identifier (2).</summary>
/// <param name="Identifier">That of the ping.</param>
public readonly record struct Pong(ushort Identifier) : IMessage<Pong>, ICorrelated
{
    /// <inheritdoc/>
    public static byte Number => 4;
    /// <inheritdoc/>
    public static Pong Read(ref WireReader reader) => new(reader.ReadUInt16());
    /// <inheritdoc/>
    public void Write(ref WireWriter writer) => writer.WriteUInt16(Identifier);
}

internal static class OverlayList
{
    public static CommunityId[] Read(ref WireReader reader, int count)
    {
        var bytes = reader.ReadBytes(count * CommunityId.Bytes);
        var ids = new CommunityId[Math.Min(bytes.Length / CommunityId.Bytes, OverlayLimits.CommunitiesPerPeerMax)];
        for (var i = 0; i < ids.Length; i++) ids[i] = new CommunityId(bytes.Slice(i * CommunityId.Bytes, CommunityId.Bytes));
        return ids;
    }

    public static void Write(ref WireWriter writer, CommunityId[] ids)
    {
        foreach (var id in ids) id.CopyTo(writer.Reserve(CommunityId.Bytes));
    }
}
