using Polder.Identity;

namespace Polder.Apps.Chat;

/// <summary>What a set of changes makes of a group. Pure.</summary>
internal static class GroupRules
{
    /// <summary>Each round can only make more changes void; what is not settled after these is settled by the last.</summary>
    private const int RoundsMax = 8;

    /// <summary>Whether the author of a change has the right to it in this state.</summary>
    public static bool MayDo(GroupState before, GroupNode node) => node.Change.Kind switch
    {
        ChangeKind.Create => true,
        ChangeKind.Leave => before.IsMember(node.Author) && node.Names(node.Author),
        ChangeKind.Rekey => before.IsMember(node.Author),
        // Whoever goes, goes by "leave": it says what of its own still counts.
        ChangeKind.Remove => before.IsAdmin(node.Author) && !node.Names(node.Author),
        _ => before.IsAdmin(node.Author),
    };

    /// <summary>The group after one more change. <paramref name="mayJoin"/> says whether an addition counts for somebody.</summary>
    public static GroupState Apply(GroupState before, GroupNode node, Func<PublicKey, bool> mayJoin)
    {
        var change = node.Change;
        if (change.Kind == ChangeKind.Rekey) return before;
        if (change.Kind == ChangeKind.Rename) return before with { Name = change.Name };
        var members = new SortedDictionary<PublicKey, bool>(before.Members);
        var removals = before.Removals;
        switch (change.Kind)
        {
            case ChangeKind.Create:
                members[node.Author] = true;
                foreach (var one in change.People) if (members.Count < ChatLimits.MembersMax) members.TryAdd(one.Key, one.Admin);
                return new GroupState(change.Name, members, []);
            case ChangeKind.Add:
                foreach (var one in change.People)
                    if (members.Count < ChatLimits.MembersMax && mayJoin(one.Key)) members.TryAdd(one.Key, one.Admin);
                break;
            case ChangeKind.Remove or ChangeKind.Leave:
                foreach (var one in change.People) members.Remove(one.Key);
                removals = [.. removals, .. change.People.Select(one => new Removal(node.Id, one.Key, one.Seen))];
                break;
            default:
                foreach (var one in change.People)
                    if (members.ContainsKey(one.Key)) members[one.Key] = change.Kind == ChangeKind.Promote;
                break;
        }
        return before with { Members = members, Removals = removals };
    }

    /// <summary>The group that a set of changes makes; <paramref name="subset"/> null for all of them.</summary>
    public static GroupState Evaluate(IReadOnlyList<GroupNode> nodes, ulong[]? subset)
    {
        var all = nodes.Where(node => subset is null || (node.Index >> 6 < subset.Length && (subset[node.Index >> 6] & (1ul << (node.Index & 63))) != 0))
            .OrderBy(static node => node.Order).ToList();
        var seniority = Seniority(all);
        var restrictions = all.Where(static node => node.Change.Kind is ChangeKind.Remove or ChangeKind.Demote)
            .OrderBy(node => seniority.GetValueOrDefault(node.Author, int.MaxValue)).ThenBy(static node => node.Order).ToList();
        var leavings = all.Where(static node => node.Change.Kind == ChangeKind.Leave).ToList();
        var rightless = new HashSet<int>();
        for (var round = 1; ; round++)
        {
            var counting = Counting(restrictions, rightless);
            var state = GroupState.Empty;
            var fresh = 0;
            foreach (var node in all)
            {
                if (rightless.Contains(node.Index)) continue;
                if (node.Change.Kind is ChangeKind.Remove or ChangeKind.Demote ? !counting.Contains(node) : counting.Exists(by => Voids(by, node))) continue;
                if (node.Change.Kind != ChangeKind.Create && !MayStillDo(state, node))
                {
                    // The right came from somebody who had none: what was done with it is void, and all is looked at anew.
                    rightless.Add(node.Index);
                    fresh++;
                    continue;
                }
                state = Apply(state, node, who => !counting.Exists(by => Excludes(by, node, who)) && !leavings.Exists(by => Excludes(by, node, who)));
            }
            if (fresh == 0 || round == RoundsMax) return state;
        }
    }

    /// <summary>In what order people became admins, by the first change that made each one.</summary>
    private static Dictionary<PublicKey, int> Seniority(List<GroupNode> all)
    {
        var seniority = new Dictionary<PublicKey, int>();
        foreach (var node in all)
        {
            if (node.Change.Kind == ChangeKind.Create) seniority.TryAdd(node.Author, seniority.Count);
            if (node.Change.Kind is ChangeKind.Create or ChangeKind.Add or ChangeKind.Promote)
                foreach (var one in node.Change.People)
                    if (one.Admin || node.Change.Kind == ChangeKind.Promote) seniority.TryAdd(one.Key, seniority.Count);
        }
        return seniority;
    }

    /// <summary>The removals and demotions that count, the senior's first: one that is void does not make others so.</summary>
    private static List<GroupNode> Counting(List<GroupNode> restrictions, HashSet<int> rightless)
    {
        var counting = new List<GroupNode>();
        foreach (var node in restrictions)
            if (!rightless.Contains(node.Index) && !counting.Exists(by => Voids(by, node))) counting.Add(node);
        return counting;
    }

    /// <summary>Whether a removal or demotion makes what its target did beside it void.</summary>
    private static bool Voids(GroupNode by, GroupNode node)
    {
        if (by.Author == node.Author || !by.Names(node.Author) || !by.IsConcurrentWith(node)) return false;
        // Whoever lost only its admin's rights still may go, and make a new key.
        return by.Change.Kind == ChangeKind.Remove ? node.Change.Kind != ChangeKind.Leave : node.Change.Kind is not (ChangeKind.Leave or ChangeKind.Rekey);
    }

    private static bool Excludes(GroupNode by, GroupNode addition, PublicKey who) =>
        by.Change.Kind is ChangeKind.Remove or ChangeKind.Leave && by.Names(who) && by.IsConcurrentWith(addition);

    /// <summary>As <see cref="MayDo"/>; who was removed meanwhile by somebody beside it may still have left.</summary>
    private static bool MayStillDo(GroupState state, GroupNode node) => node.Change.Kind == ChangeKind.Leave || MayDo(state, node);
}
