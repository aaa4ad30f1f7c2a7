using Polder.Ledger.Reputation;

namespace Polder.Node.Operations;

/// <summary>A kind of score as people choose it.</summary>
/// <param name="Name">What to type: "netflow2".</param>
/// <param name="Title">On a button: "Work".</param>
/// <param name="What">What it says, in one sentence.</param>
/// <param name="IsAmount">Whether it is an amount in the unit of the records; else a number of its own.</param>
/// <param name="IsShare">Whether it is a share of a whole: shown in percent.</param>
public sealed record TrustKind(string Name, string Title, string What, bool IsAmount, bool IsShare)
{
    /// <summary>The kinds, the one that service is given by first, then the one that is recommended for ranking.</summary>
    public static IReadOnlyList<TrustKind> All { get; } =
    [
        Amount("netflow2", "Work", "How much work of each has reached you, straight or through one other. By this service is given.", ScoreKind.NetFlow2),
        Share("meritrank", "Merit", "How often somebody who follows the help from you, step by step, comes by each; halved for whoever hangs behind one other.", ScoreKind.MeritRank),
        Amount("netflow", "Work, all ways", "Like work, over ways of any length; for small networks.", ScoreKind.NetFlow),
        Share("pht", "Reach", "The probability that one walk along the help from you ever comes to each.", ScoreKind.HittingTime),
        Share("pht-share", "Reach, shared", "Reach as shares of all reach.", ScoreKind.HittingTimeShare),
        Share("ppr", "PageRank", "How often walks visit each, of all visits to others.", ScoreKind.PageRankVisits),
        Share("ppr-restart", "PageRank, restarting", "The share of time at each of a walk that comes back to you whenever it stops.", ScoreKind.PageRankRestart),
        Share("eigentrust", "EigenTrust", "As PageRank, with you as the one trusted from the start.", ScoreKind.EigenTrust),
        new("bartercast", "BarterCast", "What came to you less what went from you, bent into −1 to 1.", false, false) { Kind = ScoreKind.BarterCast2 },
    ];

    /// <summary>The kind behind it.</summary>
    internal ScoreKind Kind { get; private init; }

    /// <summary>The kind of that name; null is the first.</summary>
    /// <exception cref="OperationRefusedException">There is none; the message lists them.</exception>
    public static TrustKind Of(string? name)
    {
        if (name is null) return All[0];
        foreach (var kind in All)
            if (kind.Name.Equals(name.Trim(), StringComparison.OrdinalIgnoreCase)) return kind;
        throw new OperationRefusedException(RefusalKind.BadInput, $"\"{name}\" is no kind of score. There are: {string.Join(", ", All.Select(kind => kind.Name))}.");
    }

    private static TrustKind Amount(string name, string title, string what, ScoreKind kind) => new(name, title, what, true, false) { Kind = kind };
    private static TrustKind Share(string name, string title, string what, ScoreKind kind) => new(name, title, what, false, true) { Kind = kind };
}
