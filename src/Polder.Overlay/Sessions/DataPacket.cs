namespace Polder.Overlay.Sessions;

/// <summary>The layout of an encrypted packet.</summary>
/// <remarks><code>
/// offset  size  field
///      0     1  08
///      1     4  receiver index   chosen by the receiver in the handshake
///      5     8  counter          from 0 under each key
///     13     n  ciphertext       frames, padded with zeros to a multiple of 16
///      .    16  tag              associated data: the first 13 bytes
/// </code></remarks>
public static class DataPacket
{
    /// <summary>What a packet begins with.</summary>
    public const byte FirstByte = 0x08;
    /// <summary>Bytes in clear before the ciphertext.</summary>
    public const int HeaderBytes = 13;
    /// <summary>Bytes of the tag.</summary>
    public const int TagBytes = 16;
    /// <summary>Bytes that a packet has beyond its frames.</summary>
    public const int OverheadBytes = HeaderBytes + TagBytes;
    /// <summary>Frames are padded to a multiple of this.</summary>
    public const int PaddingBytes = 16;
}
