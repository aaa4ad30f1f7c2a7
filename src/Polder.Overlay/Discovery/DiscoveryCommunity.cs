namespace Polder.Overlay.Discovery;

/// <summary>The community that every IPv8 program is in: liveness, and who is in which overlay.</summary>
public sealed class DiscoveryCommunity : Community
{
    /// <summary>Its id, the same in all implementations.</summary>
    public static CommunityId Id { get; } = CommunityId.FromHex("7e313685c1912a141279f8248fc8db5899c5df5a");

    /// <summary>Joins.</summary>
    public DiscoveryCommunity(CommunityContext context) : base(Id, context, MessageForm.GlobalTime) { }
}
