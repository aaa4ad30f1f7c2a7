namespace Polder.Overlay.Sessions;

/// <summary>What we know of a key with regard to sessions.</summary>
public enum SessionState
{
    /// <summary>Nothing: we stay plain with it.</summary>
    Unknown,
    /// <summary>It did not answer three initiations: plain for a while (OV-3.3).</summary>
    Plain,
    /// <summary>It announced sessions, or had one with us within 30 days (OV-3.1, OV-3.2); none is open now.</summary>
    Full,
    /// <summary>A handshake is under way.</summary>
    Opening,
    /// <summary>A session is open.</summary>
    Open,
}
