namespace Polder.Wire;

/// <summary>Why received bytes were refused. Counted, never thrown.</summary>
public enum WireError
{
    /// <summary>Nothing is wrong.</summary>
    None,
    /// <summary>The bytes end before the field does.</summary>
    Truncated,
    /// <summary>Bytes are left over after the last field.</summary>
    TrailingBytes,
    /// <summary>A length or count is above its limit.</summary>
    TooLong,
    /// <summary>A tag, type or number is none that the format knows.</summary>
    UnknownTag,
    /// <summary>Text that is not UTF-8.</summary>
    NotUtf8,
    /// <summary>A value that its field does not allow.</summary>
    BadValue,
    /// <summary>A public key of the wrong form.</summary>
    BadKey,
    /// <summary>A signature that does not fit.</summary>
    BadSignature,
}
