namespace Polder.Overlay;

/// <summary>Communities by their id.</summary>
internal readonly struct ByCommunityId : IIndexedBy<Community, CommunityId>
{
    public static int HashOf(CommunityId key) => key.GetHashCode();
    public static int HashOfItem(Community item) => item.CommunityId.GetHashCode();
    public static bool Matches(Community item, CommunityId key) => item.CommunityId == key;
}
