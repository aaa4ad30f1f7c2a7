using Polder.Identity;

namespace Polder.Ledger.Reputation;

/// <summary>
/// What one observer thinks of everybody, from the records that it holds, in one unit: scores, a ranking, what each may still be
/// served, and why. Kept up record by record. Everything is called on one loop (reputation.md §7).
/// </summary>
public interface IReputation
{
    /// <summary>Takes a record that both signed. False, and nothing changes, when it was taken before, its amount is out of range, it is for oneself, or one of the two was removed.</summary>
    bool Add(in WorkRecord record);

    /// <summary>Takes out a proven cheater with all of its records, both ways, and all that come later.</summary>
    void Remove(PublicKey culprit);

    /// <summary>The score of a peer; 0 for whoever is unknown, removed, or the observer itself.</summary>
    /// <exception cref="InvalidOperationException">This kind cannot be worked out for so many peers; the message says for how many it can.</exception>
    double Score(PublicKey peer, ScoreKind kind);

    /// <summary>What the peer may still be served, in the unit of the records: two-hop NetFlow less what it and others have used up of the same work.</summary>
    double Budget(PublicKey peer);

    /// <summary>Charges service to the peer's budget: all of it, or nothing and false.</summary>
    bool TrySpend(PublicKey peer, long amount);

    /// <summary>The best by this kind, highest first; equal ones by what they gave to anybody, then by key. The observer and removed peers are left out.</summary>
    /// <inheritdoc cref="Score"/>
    IReadOnlyList<(PublicKey Peer, double Score)> Top(int count, ScoreKind kind);

    /// <summary>Why the peer stands where it stands.</summary>
    Explanation Explain(PublicKey peer);
}
