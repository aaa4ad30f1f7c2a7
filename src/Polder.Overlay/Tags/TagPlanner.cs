using System.Numerics;

namespace Polder.Overlay.Tags;

/// <summary>A member that may be kept connected for some tags.</summary>
/// <param name="Peer">Who.</param>
/// <param name="Head">First 8 bytes of its node id.</param>
/// <param name="Tags">Which tags it shares with us: bit i for the i-th.</param>
/// <param name="Score">Its score, 0 to 1.</param>
/// <param name="Nearness">1 for the shortest round trip, 0 for the longest.</param>
/// <param name="MetAt">When we met it.</param>
/// <param name="Lot">A number drawn for it by a secret of this run: how blind links are chosen.</param>
internal sealed record TagCandidate(Peer Peer, ulong Head, ulong Tags, double Score, double Nearness, TimeSpan MetAt, ulong Lot);

/// <summary>One tag of the plan.</summary>
/// <param name="Neighbours">How many it may have.</param>
/// <param name="Kept">Whom it has now.</param>
internal sealed record TagNeed(int Neighbours, IReadOnlyList<TagCandidate> Kept);

/// <summary>A connection to keep or to let go.</summary>
internal readonly record struct TagChange(TagCandidate Candidate, bool Keep, ulong Tags);

/// <summary>
/// Which connections serve all our tags best (OV-11.3): each candidate is worth, for every tag that it shares, the row of a Kademlia table that it
/// would fill, the need for links that are blind to round trips (a quarter at least, OV-11.4) and for an old friend, times its score. One connection
/// costs the same whatever it serves, so the most valuable are taken greedily, at most two changes a round. A rule.
/// </summary>
internal static class TagPlanner
{
    public const int ChangesMax = 2;
    private const double BlindShare = 0.25, WorthChanging = 1.25;

    public static IReadOnlyList<TagChange> Plan(ulong ownHead, IReadOnlyList<TagNeed> tags, IReadOnlyList<TagCandidate> candidates)
    {
        var kept = tags.Select(static tag => tag.Kept.ToList()).ToArray();
        var changes = new List<TagChange>();
        // First whom a budget has no place for any more.
        for (var t = 0; t < tags.Count && changes.Count < ChangesMax; t++)
            while (kept[t].Count > tags[t].Neighbours && changes.Count < ChangesMax)
            {
                var worst = kept[t].MinBy(candidate => Worth(candidate, t))!;
                kept[t].Remove(worst);
                changes.Add(new TagChange(worst, false, 1ul << t));
            }
        while (changes.Count < ChangesMax)
        {
            var best = candidates.Select(candidate => (candidate, value: Value(candidate, out var bits), bits))
                .Where(static option => option.bits != 0).OrderByDescending(static option => option.value).ThenBy(static option => option.candidate.Lot).FirstOrDefault();
            if (best.candidate is not null && best.value > 0)
            {
                for (var t = 0; t < tags.Count; t++)
                    if ((best.bits & 1ul << t) != 0) kept[t].Add(best.candidate);
                changes.Add(new TagChange(best.candidate, true, best.bits));
                continue;
            }
            if (changes.Count + 2 > ChangesMax || !TrySwap()) break;
        }
        return changes;

        // All full: one that is worth little may give way to one that is worth clearly more.
        bool TrySwap()
        {
            for (var t = 0; t < tags.Count; t++)
            {
                if (kept[t].Count == 0) continue;
                var worst = kept[t].MinBy(candidate => Worth(candidate, t))!;
                var worth = Worth(worst, t);
                kept[t].Remove(worst);
                var best = candidates.Where(candidate => candidate != worst && (candidate.Tags & 1ul << t) != 0 && !kept[t].Contains(candidate))
                    .MaxBy(candidate => Worth(candidate, t));
                if (best is not null && Worth(best, t) > WorthChanging * worth)
                {
                    kept[t].Add(best);
                    changes.Add(new TagChange(worst, false, 1ul << t));
                    changes.Add(new TagChange(best, true, 1ul << t));
                    return true;
                }
                kept[t].Add(worst);
            }
            return false;
        }

        double Value(TagCandidate candidate, out ulong bits)
        {
            bits = 0;
            var value = 0.0;
            for (var t = 0; t < tags.Count; t++)
            {
                if ((candidate.Tags & 1ul << t) == 0 || kept[t].Count >= tags[t].Neighbours || kept[t].Contains(candidate)) continue;
                bits |= 1ul << t;
                value += Worth(candidate, t);
            }
            return value;
        }

        double Worth(TagCandidate candidate, int t)
        {
            var (row, others, blind) = (RowOf(candidate), 0, 0);
            var (isOldest, lotRank) = (true, 0);
            foreach (var other in kept[t])
            {
                if (other == candidate) continue;
                if (RowOf(other) == row) others++;
                if (other.MetAt <= candidate.MetAt) isOldest = false;
                if (other.Lot < ulong.MaxValue / 4) blind++;
            }
            // A quarter of all lots are blind links: whoever drew one is taken without a look at its round trip, until there are enough.
            var isBlind = candidate.Lot < ulong.MaxValue / 4;
            var needsBlind = blind < Math.Ceiling(BlindShare * tags[t].Neighbours);
            if (isBlind && needsBlind) lotRank = 1;
            var need = 0.1 + (others == 0 ? 1 : 0) + lotRank + (isOldest ? 0.5 : 0);
            var near = isBlind && needsBlind ? 1.5 : 1 + 0.5 * candidate.Nearness;
            return need * near * (0.1 + candidate.Score);
        }

        int RowOf(TagCandidate candidate) => BitOperations.LeadingZeroCount(candidate.Head ^ ownHead);
    }
}
