using Polder.Identity;
using Polder.Ledger.Records;

namespace Polder.Ledger.Reputation;

/// <summary>Proven cheaters get nothing.</summary>
/// <param name="reputation">Who was removed.</param>
public sealed class CheatersAreRefused(PersonalReputation reputation) : IServicePolicy
{
    /// <inheritdoc/>
    public ServiceDecision? Decide(ServiceRequest request) => reputation.Graph.IsRemoved(request.Peer)
        ? new ServiceDecision(ServiceAnswer.Refuse, 0, "It is a proven cheater: it signed two different blocks where only one may be.") : null;
}

/// <summary>While there is room for everybody, nobody is refused (bandwidth-tokens.md §3.2).</summary>
/// <param name="loadBelow">Below which load; default 0.7.</param>
public sealed class IdleServesAll(double loadBelow = 0.7) : IServicePolicy
{
    /// <inheritdoc/>
    public ServiceDecision? Decide(ServiceRequest request) =>
        request.Load < loadBelow ? new ServiceDecision(ServiceAnswer.Serve, 0, "There is room for everybody now.") : null;
}

/// <summary>A discount for the members of a chosen group; by default they pay nothing.</summary>
/// <param name="group">Its name, for people.</param>
/// <param name="isMember">Who is in it.</param>
/// <param name="share">How much comes off: 0 to 1.</param>
public sealed class GroupDiscount(string group, Func<PublicKey, bool> isMember, double share = 1) : IServicePolicy
{
    /// <inheritdoc/>
    public ServiceDecision? Decide(ServiceRequest request)
    {
        if (isMember(request.Peer)) request.Discount(share, $"it is in the group \"{group}\"");
        return null;
    }
}

/// <summary>A discount by degree of friendship: friends, friends of friends, and so on.</summary>
/// <param name="degree">1 for a friend, 2 for a friend's friend; null for whoever is none.</param>
/// <param name="shares">How much comes off for each degree, from the first; by default half and a quarter.</param>
public sealed class FriendDiscount(Func<PublicKey, int?> degree, params IReadOnlyList<double> shares) : IServicePolicy
{
    private readonly IReadOnlyList<double> _shares = shares.Count == 0 ? [0.5, 0.25] : shares;

    /// <inheritdoc/>
    public ServiceDecision? Decide(ServiceRequest request)
    {
        if (degree(request.Peer) is { } steps && steps >= 1 && steps <= _shares.Count)
            request.Discount(_shares[steps - 1], steps == 1 ? "it is a friend" : FormattableString.Invariant($"it is a friend over {steps} steps"));
        return null;
    }
}

/// <summary>Whoever took far more than it gave, to anybody, is refused (bandwidth-tokens.md §3.2: hard threshold).</summary>
/// <param name="reputation">The sums.</param>
/// <param name="balanceMin">The lowest balance, below 0; default −16 GiB.</param>
public sealed class BalanceThreshold(PersonalReputation reputation, long balanceMin = -16L << 30) : IServicePolicy
{
    /// <inheritdoc/>
    public ServiceDecision? Decide(ServiceRequest request)
    {
        if (request.Price == 0) return null;
        var sums = reputation.Graph.SumsOf(request.Peer);
        var balance = sums.Gave - sums.Got - sums.Unconfirmed;
        var unit = reputation.Graph.Unit;
        return balance >= balanceMin ? null : new ServiceDecision(ServiceAnswer.Refuse, 0,
            $"It got {HelpRecords.Amount(-balance, unit)} more than it gave; this node goes as far as {HelpRecords.Amount(-(double)balanceMin, unit)}.");
    }
}

/// <summary>Who has earned it is served, and charged: the budget is two-hop NetFlow with shared spending, the only score with a bound on work.</summary>
/// <param name="reputation">The budgets.</param>
public sealed class BudgetIsServed(PersonalReputation reputation) : IServicePolicy
{
    /// <inheritdoc/>
    public ServiceDecision? Decide(ServiceRequest request)
    {
        if (request.Price == 0) return new ServiceDecision(ServiceAnswer.Serve, 0, "It pays nothing here.");
        var budget = reputation.Budget(request.Peer);
        if (budget < request.Price) return null;
        var unit = reputation.Graph.Unit;
        return new ServiceDecision(ServiceAnswer.Serve, request.Price,
            $"Its work that reached this node still covers {HelpRecords.Amount(budget, unit)}, and this takes {HelpRecords.Amount(request.Price, unit)} of it.")
        {
            Charge = () => reputation.TrySpend(request.Peer, request.Price),
        };
    }
}

/// <summary>
/// A purse for those nobody knows: so much a key, and so much a day for all of them together. Newcomers and those who come back
/// under a new name cannot be told apart, so what coming back brings is bounded by the purse, not by the key (reputation.md §5).
/// </summary>
/// <param name="reputation">Who is known: whoever has a record.</param>
/// <param name="perKey">For each key, once; default 64 MiB.</param>
/// <param name="perDay">For all together each day; default 64 MiB.</param>
public sealed class NewcomerPurse(PersonalReputation reputation, long perKey = 64L << 20, long perDay = 64L << 20) : IServicePolicy
{
    /// <summary>Keys that are remembered; beyond it newcomers wait for the next day.</summary>
    public const int KeysMax = 100_000;

    private readonly Dictionary<PublicKey, long> _given = new(PublicKey.Comparer);
    private long _today, _day = long.MinValue;

    /// <inheritdoc/>
    public ServiceDecision? Decide(ServiceRequest request)
    {
        if (reputation.Graph.SumsOf(request.Peer).Records > 0) return null;
        var isSameDay = DayOf(request) == _day;
        // A full memory is forgotten with the day: else a swarm of keys that take a byte each would shut the purse for good.
        var given = !isSameDay && _given.Count >= KeysMax ? 0 : _given.GetValueOrDefault(request.Peer);
        var left = Math.Min(perKey - given, isSameDay ? perDay - _today : perDay);
        if (request.Price > left || (isSameDay && _given.Count >= KeysMax && !_given.ContainsKey(request.Peer))) return null;
        return new ServiceDecision(ServiceAnswer.Serve, request.Price,
            $"Nobody here knows it yet: it is served out of the newcomers' purse, which has {HelpRecords.Amount(left, reputation.Graph.Unit)} left for it.")
        {
            Charge = () => TryGive(request),
        };
    }

    private bool TryGive(ServiceRequest request)
    {
        if (Decide(request) is null) return false;
        if (DayOf(request) != _day)
        {
            (_day, _today) = (DayOf(request), 0);
            if (_given.Count >= KeysMax) _given.Clear();
        }
        _today += request.Price;
        _given[request.Peer] = _given.GetValueOrDefault(request.Peer) + request.Price;
        return true;
    }

    private static long DayOf(ServiceRequest request) => request.Now.UtcDateTime.Date.Ticks / TimeSpan.TicksPerDay;
}

/// <summary>Everybody else waits, by MeritRank; who has none is refused while the queue is full.</summary>
/// <param name="reputation">The ranks.</param>
/// <param name="isFull">Whether the queue is full; null: never.</param>
public sealed class OthersQueue(PersonalReputation reputation, Func<bool>? isFull = null) : IServicePolicy
{
    /// <inheritdoc/>
    public ServiceDecision? Decide(ServiceRequest request)
    {
        var rank = reputation.Score(request.Peer, ScoreKind.MeritRank);
        var unit = reputation.Graph.Unit;
        var why = $"Its work that reached this node covers {HelpRecords.Amount(reputation.Budget(request.Peer), unit)}, less than the {HelpRecords.Amount(request.Price, unit)} it asks for";
        return isFull?.Invoke() == true
            ? new ServiceDecision(ServiceAnswer.Refuse, 0, $"{why}, and the queue is full.")
            : new ServiceDecision(ServiceAnswer.Queue, request.Price, $"{why}: it waits for a free slot, by rank.", rank);
    }
}
