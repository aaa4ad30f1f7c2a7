namespace Polder.Overlay;

/// <summary>A breach of protocol in a signed message: what an honest peer, however slow, old or reordered, never does.</summary>
public enum Violation
{
    /// <summary>A signed message whose fields cannot be read.</summary>
    Malformed,
    /// <summary>A signed message that contradicts itself or the rules of its community.</summary>
    BrokeRules,
    /// <summary>It went on although it was told to stop, far above every rate.</summary>
    Flooding,
}
