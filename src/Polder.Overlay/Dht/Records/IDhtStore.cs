using Polder.Cryptography;
using Polder.Identity;
using Polder.Net;

namespace Polder.Overlay.Dht.Records;

/// <summary>A record that we hold for others.</summary>
internal sealed class HeldRecord(DhtRecord record, TimeSpan expiresAt, PublicKey? writer, Endpoint network, bool isCache)
{
    public DhtRecord Record { get; } = record;
    public TimeSpan ExpiresAt { get; set; } = expiresAt;
    public PublicKey? Writer { get; } = writer;
    public Endpoint Network { get; } = network;
    public bool IsCache { get; } = isCache;

    /// <summary>Another value that the publisher signed with the same sequence number: kept and shown.</summary>
    public DhtRecord? Rival { get; set; }

    public int Bytes => Record.Bytes.Length + (Rival?.Bytes.Length ?? 0);
}

/// <summary>Records held for others. Volatile by nature: publishers store again. The quotas are the store's (OV-10.3).</summary>
internal interface IDhtStore
{
    int Count { get; }
    long BytesHeld { get; }

    /// <summary>Proofs against publishers that signed two values with one sequence number.</summary>
    IReadOnlyList<(DhtRecord First, DhtRecord Second)> Contradictions { get; }

    /// <summary>Keeps a verified record, or says why not.</summary>
    StoreVerdict Put(HeldRecord held, TimeSpan now);

    /// <summary>What lives under a key, newest first; null for nothing.</summary>
    IReadOnlyList<HeldRecord>? Get(in Hash256 key);

    IEnumerable<Hash256> Keys { get; }

    void RemoveExpired(TimeSpan now);

    /// <summary>For how much of each quota somebody is responsible at most, in words for people.</summary>
    (int PublishersAtCap, int NetworksAtCap) AtCap { get; }
}
