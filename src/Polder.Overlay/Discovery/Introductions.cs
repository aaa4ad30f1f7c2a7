using Polder.Net;

namespace Polder.Overlay.Discovery;

/// <summary>The introduction protocol of one community.</summary>
internal sealed class Introductions(Community community)
{
    public void Receive(Endpoint from, ReadOnlySpan<byte> datagram, byte number) => community.Host.Counters.Count(Refusal.UnknownMessage);

    public void WalkTo(Endpoint address) => _ = (community, address);
}
