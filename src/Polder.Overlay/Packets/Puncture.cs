using Polder.Net;
using Polder.Wire;

namespace Polder.Overlay.Packets;

/// <summary>Message 250: "somebody will walk to you from there; open your NAT for it." Unsigned, with global time.</summary>
/// <remarks><code>
/// offset  size  field
///      0     6  lan walker   the walker's address in its network
///      6     6  wan walker   the walker's outer address
///     12     2  identifier   that of the walker's request
/// </code></remarks>
/// <param name="LanWalker">The walker's address in its network (py-ipv8 puts the destination of its request here).</param>
/// <param name="WanWalker">The walker's outer address.</param>
/// <param name="Identifier">That of the walker's request.</param>
public readonly record struct PunctureRequest(Endpoint LanWalker, Endpoint WanWalker, ushort Identifier)
    : IMessage<PunctureRequest>, ICorrelated
{
    /// <inheritdoc/>
    public static byte Number => OverlayLimits.PunctureRequestNumber;

    /// <inheritdoc/>
    public static PunctureRequest Read(ref WireReader reader) => new(reader.ReadIPv4(), reader.ReadIPv4(), reader.ReadUInt16());

    /// <inheritdoc/>
    public void Write(ref WireWriter writer)
    {
        writer.WriteIPv4(LanWalker);
        writer.WriteIPv4(WanWalker);
        writer.WriteUInt16(Identifier);
    }
}

/// <summary>Message 232: the new style of <see cref="PunctureRequest"/>, with IPv6. Unsigned.</summary>
/// <param name="Content">The fields: two addresses of 7 or 19 bytes, two bytes of identifier.</param>
public readonly record struct NewPunctureRequest(PunctureRequest Content) : IMessage<NewPunctureRequest>, ICorrelated
{
    /// <inheritdoc/>
    public static byte Number => OverlayLimits.NewPunctureRequestNumber;

    /// <inheritdoc/>
    public ushort Identifier => Content.Identifier;

    /// <inheritdoc/>
    public static NewPunctureRequest Read(ref WireReader reader) =>
        new(new PunctureRequest(reader.ReadAddress(), reader.ReadAddress(), reader.ReadUInt16()));

    /// <inheritdoc/>
    public void Write(ref WireWriter writer)
    {
        writer.WriteAddress(Content.LanWalker);
        writer.WriteAddress(Content.WanWalker);
        writer.WriteUInt16(Content.Identifier);
    }
}

/// <summary>Message 249: opens the sender's NAT for the receiver. Signed, with global time.</summary>
/// <remarks><code>
/// offset  size  field
///      0     6  source lan   the sender's address in its network
///      6     6  source wan   the sender's outer address (py-ipv8 puts the walker's)
///     12     2  identifier   that of the walker's request
/// </code></remarks>
/// <param name="SourceLan">The sender's address in its network.</param>
/// <param name="SourceWan">The sender's outer address.</param>
/// <param name="Identifier">That of the walker's request.</param>
public readonly record struct Puncture(Endpoint SourceLan, Endpoint SourceWan, ushort Identifier) : IMessage<Puncture>, ICorrelated
{
    /// <inheritdoc/>
    public static byte Number => OverlayLimits.PunctureNumber;

    /// <inheritdoc/>
    public static Puncture Read(ref WireReader reader) => new(reader.ReadIPv4(), reader.ReadIPv4(), reader.ReadUInt16());

    /// <inheritdoc/>
    public void Write(ref WireWriter writer)
    {
        writer.WriteIPv4(SourceLan);
        writer.WriteIPv4(SourceWan);
        writer.WriteUInt16(Identifier);
    }
}

/// <summary>Message 231: the new style of <see cref="Puncture"/>, with IPv6. Signed.</summary>
/// <param name="Content">The fields: two addresses of 7 or 19 bytes, two bytes of identifier.</param>
public readonly record struct NewPuncture(Puncture Content) : IMessage<NewPuncture>, ICorrelated
{
    /// <inheritdoc/>
    public static byte Number => OverlayLimits.NewPunctureNumber;

    /// <inheritdoc/>
    public ushort Identifier => Content.Identifier;

    /// <inheritdoc/>
    public static NewPuncture Read(ref WireReader reader) =>
        new(new Puncture(reader.ReadAddress(), reader.ReadAddress(), reader.ReadUInt16()));

    /// <inheritdoc/>
    public void Write(ref WireWriter writer)
    {
        writer.WriteAddress(Content.SourceLan);
        writer.WriteAddress(Content.SourceWan);
        writer.WriteUInt16(Content.Identifier);
    }
}
