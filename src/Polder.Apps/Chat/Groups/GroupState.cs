using Polder.Identity;

namespace Polder.Apps.Chat;

/// <summary>A group at one moment.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Members">Who is in it, and whether as admin.</param>
/// <param name="Removals">Removals and leavings that count: whose messages end where.</param>
internal sealed record GroupState(string Name, SortedDictionary<PublicKey, bool> Members, IReadOnlyList<Removal> Removals)
{
    public static GroupState Empty => new("", new SortedDictionary<PublicKey, bool>(), []);

    public bool IsMember(PublicKey key) => Members.ContainsKey(key);
    public bool IsAdmin(PublicKey key) => Members.TryGetValue(key, out var admin) && admin;

    /// <summary>Whether two states have the same people.</summary>
    public bool HasSamePeople(GroupState other) => Members.Count == other.Members.Count && Members.Keys.SequenceEqual(other.Members.Keys);
}

/// <summary>Somebody is no member any more.</summary>
/// <param name="Change">By which change.</param>
/// <param name="Who">Who.</param>
/// <param name="Seen">The last of its messages that counts, unless it was added again.</param>
internal readonly record struct Removal(EventId Change, PublicKey Who, uint Seen);
