namespace Polder.Overlay.Dht.IPv8;

/// <summary>A bucket: nodes whose ids begin with the same bits.</summary>
internal sealed class Bucket(DhtId prefix, int bits)
{
    /// <summary>An id of which the first <see cref="Bits"/> bits count.</summary>
    public DhtId Prefix { get; } = prefix;
    public int Bits { get; } = bits;
    public List<RoutingNode> Nodes { get; } = [];
    public TimeSpan ChangedAt { get; set; }

    public bool Owns(DhtId id) => Bits == 0 || Prefix.CommonPrefix(id) >= Bits;

    public RoutingNode? Find(DhtId id)
    {
        foreach (var node in Nodes)
            if (node.Id == id) return node;
        return null;
    }

    /// <summary>Takes the node in, if need be in the place of a bad or a much slower one.</summary>
    public bool TryAdd(RoutingNode node, TimeSpan now)
    {
        if (Nodes.Count >= IPv8DhtLimits.BucketSize)
        {
            var worse = Nodes.FindIndex(other => other.StateAt(now) == NodeState.Bad);
            if (worse < 0 && node.RoundTrip is { } fast && fast > TimeSpan.Zero) worse = Nodes.FindIndex(other => other.RoundTrip >= 2 * fast);
            if (worse < 0) return false;
            Nodes.RemoveAt(worse);
        }
        Nodes.Add(node);
        ChangedAt = now;
        return true;
    }
}

/// <summary>
/// Nodes of one address class by distance to our own id: buckets of 8, of which only the one that holds our id is ever split. A rule: no
/// clock, no wire. Buckets are kept in order of their prefixes, so that they cover all ids without gap.
/// </summary>
internal sealed class RoutingTable(DhtId own)
{
    private readonly List<Bucket> _buckets = [new Bucket(default, 0)];

    public DhtId Own => own;
    public IReadOnlyList<Bucket> Buckets => _buckets;
    public int Count { get; private set; }

    public IEnumerable<RoutingNode> All => _buckets.SelectMany(static bucket => bucket.Nodes);

    public RoutingNode? Find(DhtId id) => BucketOf(id).Find(id);

    /// <summary>The node as the table knows it from now on, or null when there is no place for it.</summary>
    public RoutingNode? Add(RoutingNode node, TimeSpan now)
    {
        if (node.Id == own) return null;
        while (true)
        {
            var bucket = BucketOf(node.Id);
            if (bucket.Find(node.Id) is { } known)
            {
                known.Address = node.Address;
                bucket.ChangedAt = now;
                return known;
            }
            var before = bucket.Nodes.Count;
            if (bucket.TryAdd(node, now))
            {
                Count += bucket.Nodes.Count - before;
                return node;
            }
            if (!bucket.Owns(own) || bucket.Bits >= DhtId.Bits - 1) return null;
            Split(bucket);
        }
    }

    public void RemoveBad(TimeSpan now, Action<RoutingNode> removed)
    {
        foreach (var bucket in _buckets)
            for (var i = bucket.Nodes.Count - 1; i >= 0; i--)
            {
                var node = bucket.Nodes[i];
                if (node.StateAt(now) != NodeState.Bad) continue;
                bucket.Nodes.RemoveAt(i);
                Count--;
                removed(node);
            }
    }

    /// <summary>The nodes nearest to an id that are not bad, from the id's bucket upwards until there are more than enough.</summary>
    public List<RoutingNode> Closest(DhtId target, TimeSpan now, int max = IPv8DhtLimits.NodesMax, DhtId? without = null)
    {
        var found = new List<RoutingNode>(2 * max);
        for (var bits = BucketOf(target).Bits; bits >= 0; bits--)
        {
            found.Clear();
            foreach (var bucket in _buckets)
            {
                if (bucket.Bits < bits || (bits > 0 && bucket.Prefix.CommonPrefix(target) < bits)) continue;
                foreach (var node in bucket.Nodes)
                    if (node.Id != without && node.StateAt(now) != NodeState.Bad) found.Add(node);
            }
            if (found.Count > max) break;
        }
        found.Sort((a, b) =>
        {
            var order = a.Id.DistanceTo(target).CompareTo(b.Id.DistanceTo(target));
            return order != 0 ? order : a.StateAt(now).CompareTo(b.StateAt(now));
        });
        if (found.Count > max) found.RemoveRange(max, found.Count - max);
        return found;
    }

    private Bucket BucketOf(DhtId id)
    {
        foreach (var bucket in _buckets)
            if (bucket.Owns(id)) return bucket;
        throw new InvalidOperationException("The buckets cover all ids.");
    }

    private void Split(Bucket bucket)
    {
        var at = _buckets.IndexOf(bucket);
        Span<byte> bytes = stackalloc byte[DhtId.Bytes];
        bucket.Prefix.CopyTo(bytes);
        bytes[bucket.Bits / 8] |= (byte)(0x80 >> (bucket.Bits % 8));
        var (zero, one) = (new Bucket(bucket.Prefix, bucket.Bits + 1), new Bucket(new DhtId(bytes), bucket.Bits + 1));
        (zero.ChangedAt, one.ChangedAt) = (bucket.ChangedAt, bucket.ChangedAt);
        foreach (var node in bucket.Nodes) (zero.Owns(node.Id) ? zero : one).Nodes.Add(node);
        _buckets[at] = zero;
        _buckets.Insert(at + 1, one);
    }
}
