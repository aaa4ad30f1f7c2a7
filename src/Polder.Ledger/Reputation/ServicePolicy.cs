using Polder.Identity;

namespace Polder.Ledger.Reputation;

/// <summary>Somebody asks for service. Policies lower the price; they decide in order.</summary>
/// <param name="peer">Who asks.</param>
/// <param name="cost">What the service costs us, in the unit of the records; above 0.</param>
/// <param name="now">When.</param>
public sealed class ServiceRequest(PublicKey peer, long cost, DateTimeOffset now)
{
    /// <summary>Who asks.</summary>
    public PublicKey Peer { get; } = peer ?? throw new ArgumentNullException(nameof(peer));

    /// <summary>What the service costs us.</summary>
    public long Cost { get; } = cost > 0 ? cost : throw new ArgumentOutOfRangeException(nameof(cost), cost, "Service costs something.");

    /// <summary>When it is asked for.</summary>
    public DateTimeOffset Now { get; } = now;

    /// <summary>How busy we are: 0 to 1; default 1, so that everybody has to have earned it.</summary>
    public double Load { get; init; } = 1;

    /// <summary>What the peer has to pay for it, after discounts: 0 to <see cref="Cost"/>.</summary>
    public long Price { get; private set; } = cost;

    /// <summary>Why the price is lower than the cost, in words.</summary>
    public IReadOnlyList<string> Discounts => _discounts;

    private readonly List<string> _discounts = [];

    /// <summary>Takes a share off the price.</summary>
    /// <param name="share">0 to 1.</param>
    /// <param name="why">In words: "it is a friend".</param>
    public void Discount(double share, string why)
    {
        if (!(share is > 0 and <= 1)) return;
        Price = share >= 1 ? 0 : (long)Math.Ceiling(Price * (1 - share));
        _discounts.Add(FormattableString.Invariant($"{why}: {share * 100:0.#} % off"));
    }
}

/// <summary>What to do with a request.</summary>
public enum ServiceAnswer
{
    /// <summary>Serve it now.</summary>
    Serve,
    /// <summary>Let it wait for a free slot, by rank.</summary>
    Queue,
    /// <summary>Do not serve it.</summary>
    Refuse,
}

/// <summary>A decision and its reason. Nothing is charged until <see cref="Accept"/>.</summary>
/// <param name="Answer">What to do.</param>
/// <param name="Price">What is charged when it is served.</param>
/// <param name="Reason">Why, in words for people.</param>
/// <param name="Rank">With <see cref="ServiceAnswer.Queue"/>: whoever has more goes first.</param>
public sealed record ServiceDecision(ServiceAnswer Answer, long Price, string Reason, double Rank = 0)
{
    /// <summary>Charges the price where it belongs; false when that is no longer possible and nothing was charged. To be called once, when service begins.</summary>
    public bool Accept() => Answer == ServiceAnswer.Serve && (Charge?.Invoke() ?? true);

    internal Func<bool>? Charge { get; init; }
}

/// <summary>One rule for serving: it decides, or lowers the price, or has no say.</summary>
public interface IServicePolicy
{
    /// <summary>The decision, or null: the next policy is asked.</summary>
    ServiceDecision? Decide(ServiceRequest request);
}

/// <summary>Policies asked one after the other: the first that decides has decided. When none does, the request is refused.</summary>
/// <param name="policies">In order.</param>
public sealed class ServicePolicyChain(params IReadOnlyList<IServicePolicy> policies) : IServicePolicy
{
    /// <summary>The policies, in order.</summary>
    public IReadOnlyList<IServicePolicy> Policies { get; } = policies;

    /// <inheritdoc/>
    public ServiceDecision Decide(ServiceRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        foreach (var policy in Policies)
        {
            if (policy.Decide(request) is not { } decision) continue;
            return request.Discounts.Count == 0 ? decision : decision with { Reason = $"{decision.Reason} ({string.Join("; ", request.Discounts)})" };
        }
        return new ServiceDecision(ServiceAnswer.Refuse, 0, "No rule of this node serves it.");
    }

    ServiceDecision? IServicePolicy.Decide(ServiceRequest request) => Decide(request);

    /// <summary>The order that reputation.md §5 recommends: cheaters never, members of groups and friends cheaper, then what was earned, then the newcomers' purse, then the queue.</summary>
    /// <param name="reputation">Scores and budgets.</param>
    /// <param name="purse">The newcomers' purse: one for the node, kept between requests.</param>
    /// <param name="discounts">Further policies, asked right after cheaters are refused.</param>
    public static ServicePolicyChain Recommended(PersonalReputation reputation, NewcomerPurse purse, params IReadOnlyList<IServicePolicy> discounts) =>
        new([new CheatersAreRefused(reputation), .. discounts, new BudgetIsServed(reputation), purse, new OthersQueue(reputation)]);
}
