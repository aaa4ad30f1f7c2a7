using Polder.Net;
using Polder.Wire;

namespace Polder.Overlay.Packets;

/// <summary>Message 246: "whom do you know?" Signed, with global time.</summary>
/// <remarks><code>
/// offset  size  field
///      0     6  destination   where the sender sends this to
///      6     6  source lan    the sender's address in its own network
///     12     6  source wan    what the sender believes its outer address to be
///     18     1  flags         80 40 connection type, 20 speaks new style, 01 advice
///     19     2  identifier
///     21     n  extra         up to the community
/// </code></remarks>
/// <param name="Destination">Where the sender sends this to: how the receiver learns its own outer address.</param>
/// <param name="SourceLan">The sender's address in its own network.</param>
/// <param name="SourceWan">What the sender believes its outer address to be.</param>
/// <param name="Flags">See <see cref="SpeaksNewStyle"/> and <see cref="Advice"/>.</param>
/// <param name="Identifier">Repeated by the response, the puncture-request and the puncture.</param>
/// <param name="Extra">Bytes of the community.</param>
public readonly record struct IntroductionRequest(
    Endpoint Destination, Endpoint SourceLan, Endpoint SourceWan, byte Flags, ushort Identifier, ReadOnlyMemory<byte> Extra)
    : IMessage<IntroductionRequest>, ICorrelated
{
    /// <summary>Flag of the old style: "I want introductions". Always set.</summary>
    public const byte Advice = 0x01;
    /// <summary>Flag of the old style: the sender reads 231–234.</summary>
    public const byte SpeaksNewStyle = 0x20;
    /// <summary>The two bits of the connection type: 80 public, C0 symmetric NAT, 00 unknown.</summary>
    public const byte ConnectionTypeMask = 0xC0;

    /// <inheritdoc/>
    public static byte Number => OverlayLimits.IntroductionRequestNumber;

    /// <inheritdoc/>
    public static IntroductionRequest Read(ref WireReader reader) => new(
        reader.ReadIPv4(), reader.ReadIPv4(), reader.ReadIPv4(), reader.ReadByte(), reader.ReadUInt16(), Raw.Read(ref reader));

    /// <inheritdoc/>
    public void Write(ref WireWriter writer)
    {
        writer.WriteIPv4(Destination);
        writer.WriteIPv4(SourceLan);
        writer.WriteIPv4(SourceWan);
        writer.WriteByte(Flags);
        writer.WriteUInt16(Identifier);
        writer.WriteBytes(Extra.Span);
    }
}

/// <summary>Message 234: the new style of <see cref="IntroductionRequest"/>, with IPv6, and the flags behind the identifier.</summary>
/// <remarks><code>
/// offset  size     field
///      0   7 | 19  destination, 01 + IPv4 or 03 + IPv6
///      .   7 | 19  source lan
///      .   7 | 19  source wan
///      .   2       identifier
///      .   1       flags, all zero
///      .   n       extra
/// </code></remarks>
/// <param name="Content">The fields.</param>
public readonly record struct NewIntroductionRequest(IntroductionRequest Content) : IMessage<NewIntroductionRequest>, ICorrelated
{
    /// <inheritdoc/>
    public static byte Number => OverlayLimits.NewIntroductionRequestNumber;

    /// <inheritdoc/>
    public ushort Identifier => Content.Identifier;

    /// <inheritdoc/>
    public static NewIntroductionRequest Read(ref WireReader reader)
    {
        var (destination, lan, wan) = (reader.ReadAddress(), reader.ReadAddress(), reader.ReadAddress());
        var (identifier, flags) = (reader.ReadUInt16(), reader.ReadByte());
        return new(new IntroductionRequest(destination, lan, wan, flags, identifier, Raw.Read(ref reader)));
    }

    /// <inheritdoc/>
    public void Write(ref WireWriter writer)
    {
        writer.WriteAddress(Content.Destination);
        writer.WriteAddress(Content.SourceLan);
        writer.WriteAddress(Content.SourceWan);
        writer.WriteUInt16(Content.Identifier);
        writer.WriteByte(Content.Flags);
        writer.WriteBytes(Content.Extra.Span);
    }
}

internal static class Raw
{
    /// <summary>All bytes that are left, in memory of their own; nothing is allocated when there are none.</summary>
    public static ReadOnlyMemory<byte> Read(ref WireReader reader)
    {
        var rest = reader.ReadRest();
        return rest.IsEmpty ? default : rest.ToArray();
    }
}
