namespace Polder.Overlay.Sessions;

/// <summary>Caps, rates and times of secure sessions (specification §3).</summary>
public sealed record SessionOptions
{
    /// <summary>Whether this node has sessions at all: it answers handshakes, begins them and announces itself. Default true.</summary>
    public bool Enabled { get; init; } = true;
}
