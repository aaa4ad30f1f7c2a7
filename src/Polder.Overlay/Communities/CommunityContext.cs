using Microsoft.Extensions.Logging;
using Polder.Identity;
using Polder.Runtime;

namespace Polder.Overlay;

/// <summary>What a community gets from the node that it joins. Made by <see cref="NodeHost.Join{T}"/>.</summary>
public sealed class CommunityContext
{
    internal CommunityContext(NodeHost host) => Host = host;

    /// <summary>The node.</summary>
    public NodeHost Host { get; }

    /// <summary>The world as the node sees it.</summary>
    public NodeEnvironment Environment => Host.Environment;

    /// <summary>The key that signs for this node.</summary>
    public KeyPair Identity => Host.Identity;

    /// <summary>Everybody the node knows, in any community.</summary>
    public PeerBook Book => Host.Peers;

    /// <summary>Limits and intervals of the overlay.</summary>
    public OverlayOptions Options => Host.Options;

    /// <summary>Where communities make their loggers.</summary>
    public ILoggerFactory Log => Host.Log;
}
