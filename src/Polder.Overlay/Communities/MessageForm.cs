namespace Polder.Overlay;

/// <summary>What stands in front of a message's fields. Both sides of a community must agree on it.</summary>
public enum MessageForm
{
    /// <summary>Nothing: py-ipv8's short helper and our own overlays.</summary>
    Plain,
    /// <summary>
    /// An 8-byte counter of the sender ("dist", global time): IPv8's introductions, Discovery, TrustChain, and everything
    /// that kotlin-ipv8 sends.
    /// </summary>
    GlobalTime,
}
