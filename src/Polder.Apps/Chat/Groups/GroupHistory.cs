using Polder.Identity;

namespace Polder.Apps.Chat;

/// <summary>What became of a change that was offered to a <see cref="GroupHistory"/>.</summary>
internal enum ChangeVerdict
{
    Added,
    Known,
    /// <summary>It stands on changes that are not here yet.</summary>
    Waits,
    /// <summary>Its author had no right to it, it is malformed, or there are too many.</summary>
    Refused,
}

/// <summary>
/// The changes of one group: a graph in which every change names those that its author knew. What the group is follows from the set of
/// changes alone, never from the order in which they came, so all who have the same changes have the same group.
/// </summary>
/// <remarks>
/// A change needs the right to it in its own past; without, it is refused for ever. Among changes that did not know of each other
/// (<see cref="GroupRules"/>) removal wins: over what the removed did, and over being added. When two admins remove each other, who has
/// been admin longer stays: nobody can gain by claiming to have been earlier.
/// </remarks>
internal sealed class GroupHistory
{
    private readonly Dictionary<EventId, int> _indexes = [];
    private readonly List<GroupNode> _nodes = [];
    private readonly HashSet<EventId> _refused = [];
    private readonly HashSet<int> _heads = [];
    // Worked out when somebody asks: a hostile admin's hundreds of changes beside one another cost one evaluation, not one each.
    private GroupState? _state = GroupState.Empty;
    private (ulong[] Past, GroupState State) _lastPast = ([], GroupState.Empty);

    /// <summary>What the group is now.</summary>
    public GroupState State => _state ??= GroupRules.Evaluate(_nodes, null);

    /// <summary>Changes that nothing follows yet; the parents of the next one. The newest, if there are more than a change can name.</summary>
    public IReadOnlyList<EventId> Heads => [.. _heads.Select(index => _nodes[index]).OrderByDescending(static node => node.Order).Take(ChatLimits.ParentsMax).Select(static node => node.Id).Order()];

    public int Count => _nodes.Count;

    /// <summary>All changes in their order, which has parents before children.</summary>
    public IEnumerable<GroupNode> InOrder => _nodes.OrderBy(static node => node.Order);

    public GroupNode? Find(EventId id) => _indexes.TryGetValue(id, out var index) ? _nodes[index] : null;

    public bool IsRefused(EventId id) => _refused.Contains(id);

    /// <summary>The changes that a change stands on and that are not here.</summary>
    public IEnumerable<EventId> Missing(GroupChange change) => change.Parents.Where(parent => !_indexes.ContainsKey(parent));

    /// <summary>Takes a change whose signature was checked.</summary>
    public ChangeVerdict Add(ChatEvent chat, GroupChange change)
    {
        if (_indexes.ContainsKey(chat.Id)) return ChangeVerdict.Known;
        if (_refused.Contains(chat.Id)) return ChangeVerdict.Refused;
        foreach (var parent in change.Parents)
        {
            if (_refused.Contains(parent)) return Refuse(chat.Id);
            if (!_indexes.ContainsKey(parent)) return ChangeVerdict.Waits;
        }
        // The first is the one that makes the group, and there is only one.
        if ((change.Kind == ChangeKind.Create) != (_nodes.Count == 0) || _nodes.Count >= ChatLimits.ChangesMax) return Refuse(chat.Id);
        if (change.Kind == ChangeKind.Create != (chat.Header.Conversation.Hash == default)) return Refuse(chat.Id);

        var node = new GroupNode(_nodes.Count, chat.Id, chat.Order, chat.Header.Author, change, Past(change.Parents));
        var seesAll = _heads.Count == change.Parents.Count && change.Parents.All(parent => _heads.Contains(_indexes[parent]));
        if (change.Parents.Any(parent => _nodes[_indexes[parent]].Order.Clock >= node.Order.Clock)) return Refuse(chat.Id);
        var before = seesAll ? State : StateAt(node.Past);
        if (!GroupRules.MayDo(before, node)) return Refuse(chat.Id);
        node.After = GroupRules.Apply(before, node, static _ => true);

        _nodes.Add(node);
        _indexes.Add(node.Id, node.Index);
        foreach (var parent in change.Parents) _heads.Remove(_indexes[parent]);
        _heads.Add(node.Index);
        // Who knew everything is concurrent with nothing: its change is simply the next.
        _state = seesAll ? node.After : null;
        return ChangeVerdict.Added;
    }

    /// <summary>
    /// Whether a message counts: its author was a member in its epoch, and the message is not later than what those who removed the author
    /// had seen of it, unless the epoch already knows the removal.
    /// </summary>
    public bool Counts(PublicKey author, uint sequence, EventId epoch)
    {
        if (Find(epoch) is not { } node || !node.After.IsMember(author)) return false;
        foreach (var removal in State.Removals)
        {
            if (removal.Who != author || sequence <= removal.Seen || removal.Change == epoch) continue;
            if (!node.Knows(_indexes[removal.Change])) return false;
        }
        return true;
    }

    /// <summary>Everybody whom a removal or leaving names, whether it counts or not, with the lowest number up to which one of them lets messages count.</summary>
    public IReadOnlyDictionary<PublicKey, uint> EverRemoved
    {
        get
        {
            var all = new SortedDictionary<PublicKey, uint>();
            foreach (var node in _nodes)
                if (node.Change.Kind is ChangeKind.Remove or ChangeKind.Leave)
                    foreach (var one in node.Change.People) all[one.Key] = Math.Min(one.Seen, all.GetValueOrDefault(one.Key, uint.MaxValue));
            return all;
        }
    }

    /// <summary>The epochs that are exactly for those who are members now, the newest first.</summary>
    public IEnumerable<GroupNode> FittingEpochs =>
        _nodes.Where(node => node.Change.BringsKey && node.After.HasSamePeople(State)).OrderByDescending(static node => node.Order);

    private GroupState StateAt(ulong[] past)
    {
        // Changes beside one another mostly stand on the same.
        if (!past.AsSpan().TrimEnd(0ul).SequenceEqual(_lastPast.Past)) _lastPast = (past.AsSpan().TrimEnd(0ul).ToArray(), GroupRules.Evaluate(_nodes, past));
        return _lastPast.State;
    }

    private ChangeVerdict Refuse(EventId id)
    {
        if (_refused.Count < ChatLimits.ChangesMax) _refused.Add(id);
        return ChangeVerdict.Refused;
    }

    private ulong[] Past(IReadOnlyList<EventId> parents)
    {
        var past = new ulong[(_nodes.Count + 63) / 64];
        foreach (var parent in parents)
        {
            var node = _nodes[_indexes[parent]];
            for (var i = 0; i < node.Past.Length; i++) past[i] |= node.Past[i];
            past[node.Index >> 6] |= 1ul << (node.Index & 63);
        }
        return past;
    }
}

/// <summary>A change in its place.</summary>
internal sealed class GroupNode(int index, EventId id, EventOrder order, PublicKey author, GroupChange change, ulong[] past)
{
    private HashSet<PublicKey>? _named;

    public int Index => index;
    public EventId Id => id;
    public EventOrder Order => order;
    public PublicKey Author => author;
    public GroupChange Change => change;

    /// <summary>The changes that it knew, a bit each.</summary>
    public ulong[] Past => past;

    /// <summary>The group as its author left it.</summary>
    public GroupState After { get; set; } = GroupState.Empty;

    public bool Knows(int other) => other >> 6 < past.Length && (past[other >> 6] & (1ul << (other & 63))) != 0;
    public bool IsConcurrentWith(GroupNode other) => other != this && !Knows(other.Index) && !other.Knows(index);
    public bool Names(PublicKey key) => (_named ??= [.. change.People.Select(static one => one.Key)]).Contains(key);
}
