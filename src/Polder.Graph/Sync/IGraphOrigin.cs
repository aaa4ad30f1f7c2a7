namespace Polder.Graph.Sync;

/// <summary>Where writes come from, for what they may cost. Our own have none.</summary>
internal interface IGraphOrigin
{
    /// <summary>Whether they are somebody else's: kept as far as there is room. What comes from this machine is the owner's.</summary>
    bool IsGuest { get; }

    /// <summary>Whether the owner knows who that is: evicted later than what strangers brought.</summary>
    bool IsTrusted { get; }
}
