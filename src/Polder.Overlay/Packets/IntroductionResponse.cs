using Polder.Net;
using Polder.Wire;

namespace Polder.Overlay.Packets;

/// <summary>Message 245: "here is somebody." Signed, with global time.</summary>
/// <remarks><code>
/// offset  size  field
///      0     6  destination       where this is sent to: the asker's outer address
///      6     6  source lan
///     12     6  source wan
///     18     6  lan introduction  0.0.0.0:0 when absent
///     24     6  wan introduction  0.0.0.0:0 when absent
///     30     1  flags             80 40 connection type, 10 speaks new style, 08 the introduced one does, 04 full
///     31     2  identifier        that of the request
///     33     n  extra             up to the community
/// </code></remarks>
/// <param name="Destination">Where this is sent to: the asker's outer address.</param>
/// <param name="SourceLan">The sender's address in its own network.</param>
/// <param name="SourceWan">What the sender believes its outer address to be.</param>
/// <param name="LanIntroduction">The introduced peer in its network; <see cref="Endpoint.None"/> when absent.</param>
/// <param name="WanIntroduction">The introduced peer's outer address; <see cref="Endpoint.None"/> when absent.</param>
/// <param name="Flags">See the constants.</param>
/// <param name="Identifier">That of the request.</param>
/// <param name="Extra">Bytes of the community.</param>
public readonly record struct IntroductionResponse(
    Endpoint Destination, Endpoint SourceLan, Endpoint SourceWan, Endpoint LanIntroduction, Endpoint WanIntroduction,
    byte Flags, ushort Identifier, ReadOnlyMemory<byte> Extra) : IMessage<IntroductionResponse>, ICorrelated
{
    /// <summary>Flag of the old style: the sender reads 231–234.</summary>
    public const byte SpeaksNewStyle = 0x10;
    /// <summary>Flag of the old style: the introduced peer reads 231–234.</summary>
    public const byte IntroducedSpeaksNewStyle = 0x08;
    /// <summary>Flag of the old style: the sender has as many peers as it wants.</summary>
    public const byte Full = 0x04;
    /// <summary>Flag of the new style: the introduced peer reads 231–234.</summary>
    public const byte NewIntroducedSpeaksNewStyle = 0x80;

    /// <inheritdoc/>
    public static byte Number => OverlayLimits.IntroductionResponseNumber;

    /// <inheritdoc/>
    public static IntroductionResponse Read(ref WireReader reader) => new(
        reader.ReadIPv4(), reader.ReadIPv4(), reader.ReadIPv4(), reader.ReadIPv4(), reader.ReadIPv4(),
        reader.ReadByte(), reader.ReadUInt16(), Raw.Read(ref reader));

    /// <inheritdoc/>
    public void Write(ref WireWriter writer)
    {
        writer.WriteIPv4(Destination);
        writer.WriteIPv4(SourceLan);
        writer.WriteIPv4(SourceWan);
        writer.WriteIPv4(LanIntroduction);
        writer.WriteIPv4(WanIntroduction);
        writer.WriteByte(Flags);
        writer.WriteUInt16(Identifier);
        writer.WriteBytes(Extra.Span);
    }
}

/// <summary>Message 233: the new style of <see cref="IntroductionResponse"/>, with IPv6, and the flags behind the identifier.</summary>
/// <remarks><code>
/// offset  size     field
///      0   7 | 19  destination, 01 + IPv4 or 03 + IPv6
///      .   7 | 19  source lan
///      .   7 | 19  source wan
///      .   7 | 19  lan introduction
///      .   7 | 19  wan introduction
///      .   2       identifier
///      .   1       flags, 80 the introduced peer speaks new style
///      .   n       extra
/// </code></remarks>
/// <param name="Content">The fields; flags in the new style's meaning.</param>
public readonly record struct NewIntroductionResponse(IntroductionResponse Content) : IMessage<NewIntroductionResponse>, ICorrelated
{
    /// <inheritdoc/>
    public static byte Number => OverlayLimits.NewIntroductionResponseNumber;

    /// <inheritdoc/>
    public ushort Identifier => Content.Identifier;

    /// <inheritdoc/>
    public static NewIntroductionResponse Read(ref WireReader reader)
    {
        var (destination, lan, wan) = (reader.ReadAddress(), reader.ReadAddress(), reader.ReadAddress());
        var (lanIntroduction, wanIntroduction) = (reader.ReadAddress(), reader.ReadAddress());
        var (identifier, flags) = (reader.ReadUInt16(), reader.ReadByte());
        return new(new IntroductionResponse(
            destination, lan, wan, lanIntroduction, wanIntroduction, flags, identifier, Raw.Read(ref reader)));
    }

    /// <inheritdoc/>
    public void Write(ref WireWriter writer)
    {
        writer.WriteAddress(Content.Destination);
        writer.WriteAddress(Content.SourceLan);
        writer.WriteAddress(Content.SourceWan);
        writer.WriteAddress(Content.LanIntroduction);
        writer.WriteAddress(Content.WanIntroduction);
        writer.WriteUInt16(Content.Identifier);
        writer.WriteByte(Content.Flags);
        writer.WriteBytes(Content.Extra.Span);
    }
}
